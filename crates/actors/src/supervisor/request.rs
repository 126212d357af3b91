//! What a supervisor listens to: the ends of others, reminders to itself, and calls, with what it says to those who
//! ask something else.

use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::{FindError, StartChildError};
use super::spec::ChildSpec;
use crate::ask::{Asked, Asker};
use crate::core::Inner;
use crate::message::{Exit, Target};
use crate::pid::{Pid, Ref};
use crate::process::{self, Watchable, node, whereis};
use crate::reason::ExitReason;
use crate::receive::{Candidate, select};
use crate::tree::ChildKind;

/// A request to a supervisor. How it is shown is the label of its arrow in a trace.
#[derive(Debug)]
pub(super) enum Request {
    /// What [`super::info::Description`] says.
    Describe,
    CountChildren,
    /// `Err` with what it is instead, if it is not of this kind.
    IsOfKind(Kind),
    Stop,
    StartChild(ChildSpec),
    TerminateChild(Arc<str>),
    RestartChild(Arc<str>),
    DeleteChild(Arc<str>),
    TerminatePid(Pid),
    /// Where the future is from.
    StartTask(Errand),
}

/// A future for a new process, once.
pub(super) struct Errand {
    pub(super) future: Pin<Box<dyn Future<Output = ExitReason> + Send>>,
    /// What the process is to whoever asks for it, from its first moment.
    pub(super) introduce: Option<Introduce>,
    pub(super) spawned_at: &'static Location<'static>,
}

/// Links or monitors a process that has not run yet.
pub(super) type Introduce = Box<dyn FnOnce(&Inner, Pid) + Send>;

impl fmt::Debug for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.spawned_at.file(), self.spawned_at.line())
    }
}

/// How children are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// By their identifiers.
    Static,
    /// By their processes.
    Dynamic,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Static => "`Supervisor`, whose children have identifiers",
            Kind::Dynamic => "`DynamicSupervisor`, whose children have none: terminate them by their process",
        }
    }

    /// What to answer to [`Request::IsOfKind`].
    pub(super) fn compare(self, wanted: Kind) -> Result<(), &'static str> {
        if self == wanted { Ok(()) } else { Err(self.name()) }
    }
}

/// A message of a supervisor to itself: a child could not be restarted, so it tries again.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TryAgain {
    pub(super) child: Who,
    pub(super) attempt: Ref,
}

/// How a child is known.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Who {
    Id(Arc<str>),
    /// The process that it had last.
    Pid(Pid),
}

/// Something that a supervisor has to see to.
pub(super) enum Heard {
    Exit(Exit),
    TryAgain(TryAgain),
    Asked(Asked<Request>),
}

/// Waits for the next thing to see to. Who asks something else is told so; other messages are dropped, so that they
/// do not pile up.
pub(super) async fn listen() -> Heard {
    let mut arm = |message: &mut Candidate<'_>| {
        let arms = [message.is::<Exit>(), message.is::<TryAgain>(), message.is::<Asked<Request>>(), true];
        arms.into_iter().position(|is| is)
    };
    loop {
        match select(&mut arm, None).await {
            Some((0, exit)) => return Heard::Exit(exit.open()),
            Some((1, retry)) => return Heard::TryAgain(retry.open()),
            Some((2, asked)) => return Heard::Asked(asked.open()),
            Some((_, unexpected)) => {
                if let Some(reply_to) = unexpected.into_envelope().reply_to() {
                    Asker::of(reply_to).refuse_as("supervisor");
                }
            }
            None => unreachable!("a receive without a time-out does not time out"),
        }
    }
}

/// Asks a supervisor.
///
/// # Errors
/// The reason why it has ended, or does not answer this.
pub(super) async fn ask<A>(supervisor: Pid, request: Request) -> Result<A, ExitReason>
where
    A: fmt::Debug + Send + 'static,
{
    if supervisor.node() != node() {
        return Err(ExitReason::Other(format!("{supervisor} is a supervisor of another node: ask there").into()));
    }
    crate::ask::ask(supervisor, request).await
}

/// Has a child started.
pub(super) async fn start_child(supervisor: Pid, spec: ChildSpec) -> Result<Pid, StartChildError> {
    let answer = ask(supervisor, Request::StartChild(spec)).await;
    answer.unwrap_or_else(|reason| Err(StartChildError::Supervisor { reason }))
}

/// Stops a supervisor and waits until it has ended.
pub(super) async fn stop(supervisor: Pid) {
    // It ends without an answer, which is the answer.
    let _ended = ask::<()>(supervisor, Request::Stop).await;
}

/// The supervisor of this kind that is meant.
pub(super) async fn find(what: impl Watchable, kind: Kind) -> Result<Pid, FindError> {
    let pid = match what.target(node()) {
        Target::Pid(pid) | Target::Alias(pid, _) => pid,
        Target::Name(name, _) => whereis(&name).ok_or(FindError::NoProcess { what: format!("`{name}`") })?,
    };
    let info = process::info(pid).ok_or_else(|| FindError::NoProcess { what: pid.to_string() })?;
    if info.kind != ChildKind::Supervisor {
        return Err(FindError::NoSupervisor { pid });
    }
    match ask::<Result<(), &'static str>>(pid, Request::IsOfKind(kind)).await {
        Ok(Ok(())) => Ok(pid),
        Ok(Err(is)) => Err(FindError::OtherKind { pid, is }),
        Err(reason) => Err(FindError::Ended { pid, reason }),
    }
}
