//! What can go wrong with a supervisor and its children: one narrow type an operation, each saying what, who and why.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::spec::NotStarted;
use crate::names::RegisterError;
use crate::pid::Pid;
use crate::reason::ExitReason;

/// Why a supervisor could not be started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StartError {
    /// A child did not start.
    Child {
        /// The child.
        id: String,
        /// Why.
        reason: ExitReason,
    },
    /// Two children have the same identifier.
    Duplicate {
        /// The identifier.
        id: String,
    },
    /// A child's specification contradicts itself, or its supervisor.
    Spec(SpecError),
    /// There is one of this name already.
    AlreadyStarted {
        /// The name.
        name: String,
        /// Who has it.
        pid: Pid,
    },
    /// The name cannot be had.
    Name(RegisterError),
    /// The supervisor has ended while it started.
    Supervisor {
        /// Why.
        reason: ExitReason,
    },
}

/// What is wrong with a child's specification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpecError {
    /// A significant child is permanent, so its end would never be final.
    PermanentSignificant {
        /// The child.
        id: String,
    },
    /// A significant child has a supervisor that never ends by itself.
    NeverShutsDown {
        /// The child.
        id: String,
    },
}

/// Why a child could not be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StartChildError {
    /// A child of this identifier runs.
    AlreadyStarted {
        /// The identifier.
        id: String,
        /// The child.
        pid: Pid,
    },
    /// There is a child of this identifier, which does not run at the moment.
    AlreadyPresent {
        /// The identifier.
        id: String,
    },
    /// The specification contradicts itself, or the supervisor.
    Spec(SpecError),
    /// The supervisor has as many children as it may have.
    MaxChildren {
        /// The child that was not started.
        id: String,
        /// How many it may have.
        limit: usize,
    },
    /// There was nothing to do for the child: see [`NotStarted::Ignored`].
    Ignored {
        /// The child.
        id: String,
    },
    /// The child did not start.
    Failed {
        /// The child.
        id: String,
        /// Why.
        reason: ExitReason,
    },
    /// The supervisor has ended, or was not there.
    Supervisor {
        /// Why it ended.
        reason: ExitReason,
    },
}

/// Why a child could not be stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TerminateChildError {
    /// There is no such child.
    NotFound {
        /// What it was called.
        child: String,
    },
    /// The supervisor has ended, or was not there.
    Supervisor {
        /// Why it ended.
        reason: ExitReason,
    },
}

/// Why a child could not be started again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RestartChildError {
    /// There is no such child.
    NotFound {
        /// The identifier.
        id: String,
    },
    /// It runs.
    Running {
        /// The identifier.
        id: String,
        /// The child.
        pid: Pid,
    },
    /// Its supervisor is trying to restart it.
    Restarting {
        /// The identifier.
        id: String,
    },
    /// There was nothing to do for the child: see [`NotStarted::Ignored`].
    Ignored {
        /// The identifier.
        id: String,
    },
    /// The child did not start.
    Failed {
        /// The identifier.
        id: String,
        /// Why.
        reason: ExitReason,
    },
    /// The supervisor has ended, or was not there.
    Supervisor {
        /// Why it ended.
        reason: ExitReason,
    },
}

/// Why a child's specification could not be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeleteChildError {
    /// There is no such child.
    NotFound {
        /// The identifier.
        id: String,
    },
    /// It runs.
    Running {
        /// The identifier.
        id: String,
        /// The child.
        pid: Pid,
    },
    /// Its supervisor is trying to restart it.
    Restarting {
        /// The identifier.
        id: String,
    },
    /// The supervisor has ended, or was not there.
    Supervisor {
        /// Why it ended.
        reason: ExitReason,
    },
}

/// Why a process is no supervisor of the kind that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FindError {
    /// There is no such process on this node.
    NoProcess {
        /// What was looked for, as text: a process identifier or a name.
        what: String,
    },
    /// The process is no supervisor.
    NoSupervisor {
        /// The process.
        pid: Pid,
    },
    /// It is a supervisor of another kind: children of one have identifiers, those of the other have not.
    OtherKind {
        /// The supervisor.
        pid: Pid,
        /// What to look for instead.
        is: &'static str,
    },
    /// It has ended meanwhile.
    Ended {
        /// The supervisor.
        pid: Pid,
        /// Why.
        reason: ExitReason,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Child { id, reason } => write!(f, "child `{id}` did not start: {reason}"),
            StartError::Duplicate { id } => write!(f, "two children are called `{id}`: {RENAME}"),
            StartError::Spec(error) => error.fmt(f),
            StartError::AlreadyStarted { name, pid } => {
                write!(f, "the name `{name}` is taken by {pid}: stop that first or use it")
            }
            StartError::Name(error) => error.fmt(f),
            StartError::Supervisor { reason } => ended(f, reason),
        }
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpecError::PermanentSignificant { id } => {
                write!(f, "child `{id}` is significant, so it must not be permanent: make it transient or temporary")
            }
            SpecError::NeverShutsDown { id } => write!(
                f,
                "child `{id}` is significant, but its supervisor never ends by itself: give that an `auto_shutdown`"
            ),
        }
    }
}

impl fmt::Display for StartChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartChildError::AlreadyStarted { id, pid } => write!(f, "child `{id}` runs already, as {pid}: {RENAME}"),
            StartChildError::AlreadyPresent { id } => {
                write!(f, "there is a child `{id}`, which does not run: restart or delete it")
            }
            StartChildError::Spec(error) => error.fmt(f),
            StartChildError::MaxChildren { id, limit } => {
                write!(f, "child `{id}` was not started: the supervisor has {limit} children, which is its limit")
            }
            StartChildError::Ignored { id } => ignored(f, id),
            StartChildError::Failed { id, reason } => write!(f, "child `{id}` did not start: {reason}"),
            StartChildError::Supervisor { reason } => ended(f, reason),
        }
    }
}

impl fmt::Display for TerminateChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TerminateChildError::NotFound { child } => not_found(f, child),
            TerminateChildError::Supervisor { reason } => ended(f, reason),
        }
    }
}

impl fmt::Display for RestartChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RestartChildError::NotFound { id } => not_found(f, id),
            RestartChildError::Running { id, pid } => running(f, id, *pid),
            RestartChildError::Restarting { id } => restarting(f, id),
            RestartChildError::Ignored { id } => ignored(f, id),
            RestartChildError::Failed { id, reason } => write!(f, "child `{id}` did not start: {reason}"),
            RestartChildError::Supervisor { reason } => ended(f, reason),
        }
    }
}

impl fmt::Display for DeleteChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeleteChildError::NotFound { id } => not_found(f, id),
            DeleteChildError::Running { id, pid } => running(f, id, *pid),
            DeleteChildError::Restarting { id } => restarting(f, id),
            DeleteChildError::Supervisor { reason } => ended(f, reason),
        }
    }
}

impl fmt::Display for FindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FindError::NoProcess { what } => write!(f, "{what} is no process of this node"),
            FindError::NoSupervisor { pid } => write!(f, "{pid} is no supervisor"),
            FindError::OtherKind { pid, is } => write!(f, "{pid} is a {is}"),
            FindError::Ended { pid, reason } => write!(f, "{pid} has ended meanwhile: {reason}"),
        }
    }
}

const RENAME: &str = "give one of them another with `ChildSpec::id`";

fn ended(f: &mut fmt::Formatter<'_>, reason: &ExitReason) -> fmt::Result {
    write!(f, "the supervisor has ended: {reason}")
}

fn not_found(f: &mut fmt::Formatter<'_>, child: &str) -> fmt::Result {
    write!(f, "the supervisor has no child `{child}`")
}

fn running(f: &mut fmt::Formatter<'_>, id: &str, pid: Pid) -> fmt::Result {
    write!(f, "child `{id}` runs, as {pid}: terminate it first")
}

fn restarting(f: &mut fmt::Formatter<'_>, id: &str) -> fmt::Result {
    write!(f, "child `{id}` is being restarted: terminate it first")
}

fn ignored(f: &mut fmt::Formatter<'_>, id: &str) -> fmt::Result {
    write!(f, "child `{id}` was not started: {}", NotStarted::Ignored)
}

impl std::error::Error for StartError {}
impl std::error::Error for SpecError {}
impl std::error::Error for StartChildError {}
impl std::error::Error for TerminateChildError {}
impl std::error::Error for RestartChildError {}
impl std::error::Error for DeleteChildError {}
impl std::error::Error for FindError {}

impl From<StartError> for NotStarted {
    fn from(error: StartError) -> Self {
        NotStarted::Failed(error.to_string().into())
    }
}
