//! What outlives the processes of a session: each of them can be killed, and the one that takes its place finds here
//! what it needs to go on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use greenroom::Supervisor;

use super::log::Log;
use crate::compiler::{CompiledCell, Compiler};
use crate::explain::Explainer;
use crate::runtime::{Runtime, RuntimeOptions};

/// What cells are compiled and run with. A changed manifest needs others.
pub struct Tools {
    /// The manifest that they are for.
    pub manifest: String,
    /// Compiles cells.
    pub compiler: Compiler,
    /// Starts runtimes.
    pub runtime: RuntimeOptions,
}

/// Makes the tools for a manifest; it may take minutes. The error is for people.
pub type MakeTools = dyn Fn(&str) -> Result<Tools, String> + Send + Sync;

/// What outlives the processes of a session.
pub(super) struct Estate {
    /// What has happened: the session's process writes it.
    pub log: Log,
    /// Puts failures into words.
    pub explainer: Explainer,
    /// Makes tools.
    pub make_tools: Box<MakeTools>,
    /// Replaced by the owner of the runtime, before it starts one.
    tools: Mutex<Arc<Tools>>,
    /// The runtime: for its owner alone.
    runtime: Mutex<Option<Runtime>>,
    /// The compiled cells by the names of their crates: each cell enters its own, the session looks them up.
    compiled: Mutex<HashMap<Arc<str>, Arc<CompiledCell>>>,
    /// Set once, when all processes are there.
    supervisor: OnceLock<Supervisor>,
}

impl Estate {
    pub(super) fn new(log: Log, explainer: Explainer, tools: Tools, make_tools: Box<MakeTools>) -> Self {
        Estate {
            log,
            explainer,
            make_tools,
            tools: Mutex::new(Arc::new(tools)),
            runtime: Mutex::default(),
            compiled: Mutex::default(),
            supervisor: OnceLock::new(),
        }
    }

    pub(super) fn tools(&self) -> Arc<Tools> {
        lock(&self.tools).clone()
    }

    pub(super) fn set_tools(&self, tools: Tools) {
        *lock(&self.tools) = Arc::new(tools);
    }

    pub(super) fn runtime(&self) -> MutexGuard<'_, Option<Runtime>> {
        lock(&self.runtime)
    }

    pub(super) fn compiled(&self, library: &str) -> Option<Arc<CompiledCell>> {
        lock(&self.compiled).get(library).cloned()
    }

    pub(super) fn enter(&self, library: Arc<str>, cell: Arc<CompiledCell>) {
        lock(&self.compiled).insert(library, cell);
    }

    /// The supervisor of all processes; absent in the first moment.
    pub(super) fn supervisor(&self) -> Option<Supervisor> {
        self.supervisor.get().copied()
    }

    pub(super) fn set_supervisor(&self, supervisor: Supervisor) {
        // A session has one.
        let _ = self.supervisor.set(supervisor);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
