//! What outlives the processes of a session: each of them can be killed, and the one that takes its place finds here
//! what it needs to go on.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use greenroom::supervisor::ChildSpec;
use greenroom_stage::protocol::{Evaluate, EvaluationId};

use super::file::Kept;
use super::log::Log;
use super::operation::{CellId, RuntimeId};
use crate::aside;
use crate::compiler::CompiledCell;
use crate::explain::Explainer;
use crate::runtime::Runtime;
use crate::tools::{Toolbox, Tools};

/// A runtime and what it was asked for.
pub(super) struct Held {
    /// Which one it is.
    pub id: RuntimeId,
    /// The runtime itself.
    pub runtime: Runtime,
    /// What it was asked for and is not over yet, as far as whoever has asked knows.
    pub out: Vec<Out>,
}

/// An evaluation that the runtime was asked for.
pub(super) struct Out {
    pub request: Evaluate,
    /// In how many of the runtime's two pipes its end was marked.
    pub marks: u8,
}

/// What outlives the processes of a session.
pub(super) struct Estate {
    /// What has happened: the session's process writes it.
    pub log: Log,
    /// Puts failures into words.
    pub explainer: Explainer,
    /// Makes tools.
    pub toolbox: Toolbox,
    /// Replaced by the owner of the runtime, before it starts one.
    tools: Mutex<Option<Arc<Tools>>>,
    /// The runtime: for its owner alone, for moments.
    runtime: Mutex<Option<Held>>,
    /// The compiled cells by the names of their crates: each cell enters its own, the session looks them up.
    compiled: Mutex<HashMap<Arc<str>, Arc<CompiledCell>>>,
    /// The last evaluation that each cell has begun: for the cell's process.
    begun: Mutex<HashMap<CellId, EvaluationId>>,
    /// What is known of the notebook's file: for its keeper.
    file: Mutex<Kept>,
    /// The folder where notebooks without a file are saved by themselves, if they are.
    pub autosave: Option<PathBuf>,
    /// How the processes of those who look at the notebook are started.
    clients: Mutex<BTreeMap<String, ChildSpec>>,
}

impl Estate {
    pub(super) fn new(
        log: Log,
        explainer: Explainer,
        toolbox: Toolbox,
        tools: Option<Tools>,
        autosave: Option<PathBuf>,
    ) -> Self {
        Estate {
            log,
            explainer,
            toolbox,
            tools: Mutex::new(tools.map(Arc::new)),
            runtime: Mutex::default(),
            compiled: Mutex::default(),
            begun: Mutex::default(),
            file: Mutex::default(),
            autosave,
            clients: Mutex::default(),
        }
    }

    /// The tools for the present runtime, or the one that is being started.
    pub(super) fn tools(&self) -> Option<Arc<Tools>> {
        lock(&self.tools).clone()
    }

    pub(super) fn set_tools(&self, tools: Arc<Tools>) {
        *lock(&self.tools) = Some(tools);
    }

    pub(super) fn runtime(&self) -> MutexGuard<'_, Option<Held>> {
        lock(&self.runtime)
    }

    pub(super) fn compiled(&self, library: &str) -> Option<Arc<CompiledCell>> {
        lock(&self.compiled).get(library).cloned()
    }

    pub(super) fn enter(&self, library: Arc<str>, cell: Arc<CompiledCell>) {
        lock(&self.compiled).insert(library, cell);
    }

    /// Notes that a cell begins an evaluation. False if it had begun that before, and was killed.
    pub(super) fn begin(&self, cell: CellId, evaluation: EvaluationId) -> bool {
        lock(&self.begun).insert(cell, evaluation).is_none_or(|last| last < evaluation)
    }

    /// The folder with the locks of all files that are open.
    pub(super) fn locks(&self) -> PathBuf {
        aside::locks(&self.toolbox.cache)
    }

    pub(super) fn file(&self) -> MutexGuard<'_, Kept> {
        lock(&self.file)
    }

    pub(super) fn clients(&self) -> MutexGuard<'_, BTreeMap<String, ChildSpec>> {
        lock(&self.clients)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
