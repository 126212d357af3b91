//! What can go wrong: with a call, with starting a server, with stopping it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::message::Target;
use crate::names::RegisterError;
pub use crate::pending::CallFailure;
use crate::pid::Pid;
use crate::reason::ExitReason;
use crate::supervisor::NotStarted;

/// A call that was not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallError {
    /// Who was called.
    pub server: Target,
    /// The name of what was asked.
    pub request: String,
    /// Why there is no answer.
    pub why: CallFailure,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CallError { server, request, why } = self;
        write!(f, "{server} was called with {request}, ")?;
        match why {
            CallFailure::NoProc => f.write_str("but there is no such process: it has ended or was not started"),
            CallFailure::CallingItself => {
                f.write_str("by itself, and would wait for ever: let it do the work directly, or cast")
            }
            CallFailure::Timeout(time) => {
                write!(f, "but has not answered within {time:?}: give it more time with `call_timeout`")
            }
            CallFailure::Ended(reason) => write!(f, "but ended before it answered: {reason}"),
            CallFailure::Refused { server, accepts } => {
                write!(f, "but is a {server}, which accepts {}", listed(accepts))
            }
        }
    }
}

fn listed(accepts: &[String]) -> String {
    if accepts.is_empty() { "nothing".to_owned() } else { accepts.join(", ") }
}

impl std::error::Error for CallError {}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Pid(pid) => write!(f, "{pid}"),
            Target::Name(name, node) => write!(f, "`{name}` on {node}"),
            Target::Alias(pid, _) => write!(f, "an alias of {pid}"),
        }
    }
}

/// Why [`GenServer::init`](super::GenServer::init) has made no server. Any error becomes one by `?`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InitError {
    /// There is nothing to do for this server, which is no failure: OTP's `ignore`.
    Ignore,
    /// It cannot start, for this reason.
    Stop(ExitReason),
}

impl InitError {
    /// It cannot start, for this reason.
    pub fn stop(reason: impl Into<ExitReason>) -> Self {
        InitError::Stop(reason.into())
    }
}

impl<E: std::error::Error> From<E> for InitError {
    fn from(error: E) -> Self {
        InitError::Stop(ExitReason::Error(error.to_string().into()))
    }
}

/// Why a server was not started. When this is returned, its process is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartError {
    /// A process has the name already, most often one of the same server.
    AlreadyStarted {
        /// The name.
        name: String,
        /// Who has it.
        pid: Pid,
    },
    /// The name cannot be registered.
    Name(RegisterError),
    /// `init` said that there is nothing to do.
    Ignored {
        /// The server.
        server: String,
    },
    /// `init` stopped or panicked.
    Init {
        /// The server.
        server: String,
        /// Why.
        reason: ExitReason,
    },
    /// `init` took too long; the process was killed.
    Timeout {
        /// The server.
        server: String,
        /// How long it might have taken.
        within: Duration,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::AlreadyStarted { name, pid } => write!(f, "`{name}` is started already: it is {pid}"),
            StartError::Name(error) => error.fmt(f),
            StartError::Ignored { server } => write!(f, "{server} has nothing to do: its `init` said `Ignore`"),
            StartError::Init { server, reason } => write!(f, "{server} did not start, its `init` failed: {reason}"),
            StartError::Timeout { server, within } => {
                write!(f, "{server} did not start: its `init` took longer than {within:?}, so it was killed")
            }
        }
    }
}

impl std::error::Error for StartError {}

/// As a supervisor takes it.
impl From<StartError> for NotStarted {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Ignored { .. } => NotStarted::Ignored,
            StartError::Init { reason, .. } => NotStarted::Failed(reason),
            StartError::AlreadyStarted { .. } | StartError::Name(_) | StartError::Timeout { .. } => {
                NotStarted::Failed(error.to_string().into())
            }
        }
    }
}

/// A server that did not stop as it was asked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopError {
    /// Who was asked.
    pub server: Target,
    /// What came of it.
    pub why: StopFailure,
}

/// What came of asking a server to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopFailure {
    /// There is no such process, or nobody of that name.
    NoProc,
    /// A server has asked itself: it returns [`Next::stop`](super::Next::stop) instead.
    StoppingItself,
    /// It has not ended in time, and lives.
    Timeout(Duration),
    /// It ended for another reason.
    Ended(ExitReason),
}

impl fmt::Display for StopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StopError { server, why } = self;
        match why {
            StopFailure::NoProc => write!(f, "there is no {server} to stop"),
            StopFailure::StoppingItself => {
                write!(f, "{server} cannot wait for its own end: return `Next::stop` from the handler")
            }
            StopFailure::Timeout(time) => write!(f, "{server} has not stopped within {time:?}, and lives"),
            StopFailure::Ended(reason) => write!(f, "{server} was asked to stop, but ended otherwise: {reason}"),
        }
    }
}

impl std::error::Error for StopError {}
