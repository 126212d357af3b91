//! What cells are compiled and run with: made for a manifest, which may mean building a prelude first.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use greenroom_cluster::{Cluster, Cookie};
use greenroom_stage::launch::Fit;

use crate::cache::Cache;
use crate::compiler::Compiler;
use crate::prelude::{Prelude, PreludeError, Progress};
use crate::runtime::{RuntimeOptions, START_TIME};
use crate::rustc::{Cancel, ToolError};

/// What cells are compiled and run with. A changed manifest needs others.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The manifest that they are for.
    pub manifest: String,
    /// Compiles cells.
    pub compiler: Compiler,
    /// Starts runtimes.
    pub runtime: RuntimeOptions,
    /// By what it is told whether the cells can run elsewhere.
    pub fit: Fit,
}

/// Makes tools.
#[derive(Clone, Debug)]
pub struct Toolbox {
    /// The cache's folder.
    pub cache: PathBuf,
    /// Where the notebook's node listens.
    pub address: SocketAddr,
    /// The cookie that it shares with its runtimes.
    pub cookie: Cookie,
    /// What connects it with other nodes.
    pub cluster: Cluster,
    /// How wide pictures in text may be.
    pub columns: usize,
    /// How many events each worker of a runtime may record at once, to be drawn; none if 0.
    pub events: usize,
}

impl Toolbox {
    /// Makes the tools for a manifest. Blocks; building a prelude takes minutes.
    ///
    /// # Errors
    /// [`PreludeError`], if there is no prelude.
    pub fn make(
        &self,
        manifest: &str,
        cancel: &Cancel,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Tools, PreludeError> {
        let prelude = Prelude::open(manifest, &self.cache, cancel, progress)?;
        Ok(self.on(manifest, Arc::new(prelude))?)
    }

    /// The tools for a manifest whose prelude is there.
    ///
    /// # Errors
    /// If the cache cannot be used.
    pub fn on(&self, manifest: &str, prelude: Arc<Prelude>) -> Result<Tools, ToolError> {
        let cells = Cache::open(&self.cache, &prelude.fingerprint)?;
        let runtime = RuntimeOptions {
            program: prelude.runtime(),
            cells: cells.folder().to_owned(),
            address: self.address,
            cookie: self.cookie.clone(),
            columns: self.columns,
            events: self.events,
            patience: START_TIME,
        };
        let fit = prelude.fit.clone();
        Ok(Tools { manifest: manifest.to_owned(), fit, compiler: Compiler::new(prelude, cells), runtime })
    }
}
