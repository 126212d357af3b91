//! A supervision tree as plain data: what [`crate::supervisor::tree`] returns and what is drawn.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::pid::Pid;

/// A supervisor or a worker, with everything below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeNode {
    /// The child's identifier in its supervisor; for the root, its registered name or `root`.
    pub id: String,
    /// The process, unless none runs.
    pub pid: Option<Pid>,
    /// The name that the process is registered under.
    pub registered: Option<String>,
    /// Supervisor or worker.
    pub kind: ChildKind,
    /// Whether it runs.
    pub status: ChildStatus,
    /// For a supervisor, whom it restarts together with a child that has ended.
    pub strategy: Option<Strategy>,
    /// How often the supervisor above has restarted this child.
    pub restarts: u64,
    /// How long the process has been running, if it does.
    pub uptime: Option<Duration>,
    /// How many messages wait in its mailbox, if it runs.
    #[serde(default)]
    pub mailbox: Option<usize>,
    /// Bytes that it takes, as far as they are counted, if it runs.
    #[serde(default)]
    pub memory: Option<usize>,
    /// The processes that this one is linked to.
    pub links: Vec<Pid>,
    /// The children, in start order.
    pub children: Vec<TreeNode>,
}

/// What a child is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChildKind {
    /// It supervises others.
    Supervisor,
    /// It does the work.
    Worker,
}

/// Who else is restarted together with a child that has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Strategy {
    /// Nobody.
    #[default]
    OneForOne,
    /// All children.
    OneForAll,
    /// The children that were started after it.
    RestForOne,
}

/// Whether a child runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChildStatus {
    /// It runs.
    Running,
    /// It ended and could not be started again yet; its supervisor keeps trying.
    Restarting,
    /// It has ended for good, or was never started.
    NotStarted,
}
