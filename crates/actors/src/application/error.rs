//! What can go wrong with an application when it starts and when it stops.

use std::fmt;

use crate::pid::Pid;
use crate::reason::ExitReason;

/// Why an application was not started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartError {
    /// It runs.
    AlreadyStarted {
        /// The application.
        name: String,
        /// Its root supervisor.
        root: Pid,
    },
    /// It is being stopped.
    Stopping {
        /// The application.
        name: String,
    },
    /// All applications are being stopped, because one has ended that they cannot do without.
    Ending {
        /// The application that was to be started.
        name: String,
        /// The one that has ended.
        because: String,
    },
    /// One that it depends on did not start.
    Dependency {
        /// The application.
        name: String,
        /// What went wrong with the other one.
        error: Box<StartError>,
    },
    /// It did not start.
    Failed {
        /// The application.
        name: String,
        /// Why.
        reason: ExitReason,
    },
    /// The process that knows the applications has ended.
    Controller {
        /// Why.
        reason: ExitReason,
    },
}

/// Why an application was not stopped, or not in good order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopError {
    /// It does not run.
    NotStarted {
        /// The application.
        name: String,
    },
    /// It is still being started.
    Starting {
        /// The application.
        name: String,
    },
    /// It has stopped, but `prep_stop` or `stop` panicked.
    Phase {
        /// The application.
        name: String,
        /// The panic.
        reason: ExitReason,
    },
    /// The process that knows the applications has ended.
    Controller {
        /// Why.
        reason: ExitReason,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::AlreadyStarted { name, root } => {
                write!(f, "application `{name}` runs already, its root is {root}")
            }
            StartError::Stopping { name } => {
                write!(f, "application `{name}` is being stopped: start it when that is done")
            }
            StartError::Ending { name, because } => {
                write!(
                    f,
                    "application `{name}` was not started, as all are being stopped because `{because}` has ended"
                )
            }
            StartError::Dependency { name, error } => write!(f, "application `{name}` was not started: {error}"),
            StartError::Failed { name, reason } => write!(f, "application `{name}` did not start: {reason}"),
            StartError::Controller { reason } => controller(f, reason),
        }
    }
}

impl fmt::Display for StopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StopError::NotStarted { name } => write!(f, "application `{name}` does not run"),
            StopError::Starting { name } => write!(f, "application `{name}` is still being started"),
            StopError::Phase { name, reason } => write!(f, "application `{name}` was stopped, but not well: {reason}"),
            StopError::Controller { reason } => controller(f, reason),
        }
    }
}

fn controller(f: &mut fmt::Formatter<'_>, reason: &ExitReason) -> fmt::Result {
    write!(f, "the application controller has ended: {reason}")
}

impl std::error::Error for StartError {}
impl std::error::Error for StopError {}
