//! What can be known of a supervisor and its children, and the tree below it.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use super::request::{Request, ask};
use super::stop::now;
use crate::current::{Current, running};
use crate::pid::Pid;
use crate::process::{self, Info};
use crate::reason::ExitReason;
use crate::trace::EventKind;
use crate::tree::{ChildKind, ChildStatus, Strategy, TreeNode};

/// What is known of a child: see [`Supervisor::which_children`](super::Supervisor::which_children).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildInfo {
    /// Its identifier.
    pub id: String,
    /// Its process, if it runs.
    pub pid: Option<Pid>,
    /// Supervisor or worker.
    pub kind: ChildKind,
    /// Whether it runs.
    pub status: ChildStatus,
    /// How often it was restarted.
    pub restarts: u64,
    /// How long it has been running, if it does.
    pub uptime: Option<Duration>,
}

/// How many children a supervisor has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChildCounts {
    /// All that it knows of.
    pub specs: usize,
    /// Those that run.
    pub active: usize,
    /// Those that are supervisors, whether they run or not.
    pub supervisors: usize,
    /// Those that are workers.
    pub workers: usize,
}

impl FromIterator<(ChildKind, bool)> for ChildCounts {
    /// Of each child, its kind and whether it runs.
    fn from_iter<I: IntoIterator<Item = (ChildKind, bool)>>(children: I) -> Self {
        let mut counts = ChildCounts::default();
        for (kind, runs) in children {
            counts.specs += 1;
            counts.active += usize::from(runs);
            match kind {
                ChildKind::Supervisor => counts.supervisors += 1,
                ChildKind::Worker => counts.workers += 1,
            }
        }
        counts
    }
}

/// What a supervisor says of itself.
#[derive(Debug)]
pub(super) struct Description {
    pub(super) strategy: Strategy,
    /// When it started, by the node's clock.
    pub(super) since: Duration,
    /// Newest first.
    pub(super) children: Vec<ChildInfo>,
}

/// The children of a supervisor, newest first.
pub(super) async fn which_children(supervisor: Pid) -> Result<Vec<ChildInfo>, ExitReason> {
    ask::<Description>(supervisor, Request::Describe).await.map(|description| description.children)
}

/// The supervision tree below `root`, as plain data.
///
/// Each supervisor is asked in turn, so the whole is no snapshot of one moment.
///
/// # Errors
/// [`TreeError`], if there is no such process or it is no supervisor.
///
/// # Panics
/// Outside of a process.
pub async fn tree(root: Pid) -> Result<TreeNode, TreeError> {
    let info = process::info(root).ok_or(TreeError::NoProcess { pid: root })?;
    if info.kind != ChildKind::Supervisor {
        return Err(TreeError::NoSupervisor { pid: root });
    }
    Ok(grow_from(info).await)
}

/// The supervision trees of this node, in the order of their roots' identifiers: one below each supervisor that was not
/// started by another.
///
/// # Panics
/// Outside of a process.
pub async fn forest() -> Vec<TreeNode> {
    let is_supervisor = |info: &Info| info.kind == ChildKind::Supervisor;
    let is_root = |info: &Info| {
        is_supervisor(info) && !info.parent.and_then(process::info).is_some_and(|parent| is_supervisor(&parent))
    };
    let mut roots: Vec<Info> = process::list().into_iter().filter_map(process::info).filter(is_root).collect();
    roots.sort_unstable_by_key(|info| info.pid);
    let mut trees = Vec::with_capacity(roots.len());
    for root in roots {
        trees.push(grow_from(root).await);
    }
    trees
}

async fn grow_from(root: Info) -> TreeNode {
    let id = root.registered_name.unwrap_or_else(|| "root".to_owned());
    let (pid, kind, status) = (Some(root.pid), ChildKind::Supervisor, ChildStatus::Running);
    grow(ChildInfo { id, pid, kind, status, restarts: 0, uptime: None }).await
}

fn grow(child: ChildInfo) -> Pin<Box<dyn Future<Output = TreeNode> + Send>> {
    Box::pin(async move {
        let ChildInfo { id, pid, kind, status, restarts, mut uptime } = child;
        let info = pid.and_then(process::info);
        let kind = info.as_ref().map_or(kind, |info| info.kind);
        let (mut strategy, mut children) = (None, Vec::new());
        // A supervisor that ends while it is asked has no children.
        if let (Some(pid), ChildKind::Supervisor) = (pid, kind)
            && let Ok(description) = ask::<Description>(pid, Request::Describe).await
        {
            strategy = Some(description.strategy);
            uptime = uptime.or_else(|| Some(now().saturating_sub(description.since)));
            for child in description.children.into_iter().rev() {
                children.push(grow(child).await);
            }
        }
        let mut links = info.as_ref().map(|info| info.links.clone()).unwrap_or_default();
        links.sort_unstable();
        let mailbox = info.as_ref().map(|info| info.message_queue_len);
        let memory = info.as_ref().map(|info| info.memory + info.heap.unwrap_or(0));
        let registered = info.and_then(|info| info.registered_name);
        TreeNode { id, pid, registered, kind, status, strategy, restarts, uptime, mailbox, memory, links, children }
    })
}

/// Why there is no supervision tree to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeError {
    /// The process has ended, or lives on another node.
    NoProcess {
        /// The process.
        pid: Pid,
    },
    /// The process is no supervisor.
    NoSupervisor {
        /// The process.
        pid: Pid,
    },
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TreeError::NoProcess { pid } => write!(f, "{pid} is no running process of this node"),
            TreeError::NoSupervisor { pid } => write!(f, "{pid} is no supervisor"),
        }
    }
}

impl std::error::Error for TreeError {}

/// Says to everyone that the running process supervises others.
pub(super) fn mark_as_supervisor() {
    running("supervisor", |_, slot, _| slot.raise(crate::slot::flag::SUPERVISES));
}

/// Tells whoever traces that the running process has restarted a child.
pub(super) fn tell_restart(old: Pid, new: Pid, id: &str) {
    Current::with(|current| {
        if let Some(current) = current
            && let Some(supervisor) = current.pid()
        {
            current.inner.trace(|| EventKind::Restart { supervisor, old, new, id: id.to_owned() });
        }
    });
}
