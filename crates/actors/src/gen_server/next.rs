//! What a handler wants next: what it returns.

use std::fmt;
use std::time::Duration;

use super::message::AnyMessage;
use crate::mailbox::Envelope;
use crate::message::Message;
use crate::reason::ExitReason;
use crate::request::ReplyTo;

/// What a server does when a handler is done. `()` becomes one: it waits for the next message.
///
/// So does a `Result`: with `Err` the server stops, with [`ExitReason::Error`] and the error as text.
#[derive(Debug)]
#[must_use = "a handler returns it"]
pub struct Next(pub(super) Step);

#[derive(Debug)]
pub(super) enum Step {
    Receive,
    ReceiveWithin(Duration),
    Handle(AnyMessage),
    Stop(Box<End>),
}

/// Why a server ends, and the answer that it still owes.
#[derive(Debug)]
pub(super) struct End {
    pub(super) reason: ExitReason,
    pub(super) parting: Option<Parting>,
}

/// An answer that is sent when the server has cleaned up.
pub(super) struct Parting {
    pub(super) to: ReplyTo,
    pub(super) answer: Envelope,
}

impl fmt::Debug for Parting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.answer.fmt(f)
    }
}

impl Next {
    /// Waits for the next message.
    pub fn go() -> Self {
        Next(Step::Receive)
    }

    /// Waits for the next message, but if none comes within this time,
    /// [`GenServer::handle_timeout`](super::GenServer::handle_timeout) is called. It holds until then: any message
    /// ends it.
    pub fn timeout(time: Duration) -> Self {
        Next(Step::ReceiveWithin(time))
    }

    /// Handles this before any message that waits, as if it had been sent: OTP's `continue`.
    pub fn then<M: Message>(message: M) -> Self {
        Next(Step::Handle(AnyMessage::new(message)))
    }

    /// Stops: [`GenServer::terminate`](super::GenServer::terminate) is called, then the process ends with this reason.
    pub fn stop(reason: impl Into<ExitReason>) -> Self {
        Next(Step::Stop(Box::new(End { reason: reason.into(), parting: None })))
    }
}

impl From<()> for Next {
    fn from((): ()) -> Self {
        Next::go()
    }
}

impl<T: Into<Next>, E: fmt::Display> From<Result<T, E>> for Next {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(next) => next.into(),
            Err(error) => Next::stop(ExitReason::Error(error.to_string().into())),
        }
    }
}

/// What a call handler returns: the answer, or that it comes later, and what is next. A plain `R` becomes one.
///
/// ```
/// use greenroom::gen_server::{Next, Reply};
///
/// let plain: Reply<u64> = 3.into();
/// let last: Reply<u64> = Reply::now(3).and(Next::stop("done"));
/// let none: Reply<u64> = Reply::later();
/// ```
#[derive(Debug)]
#[must_use = "a handler returns it"]
pub struct Reply<R> {
    pub(super) value: Option<R>,
    pub(super) next: Next,
}

impl<R> Reply<R> {
    /// This is the answer.
    pub fn now(value: R) -> Self {
        Reply { value: Some(value), next: Next::go() }
    }

    /// The [`Caller`](super::Caller) is answered later, by this server or by another process.
    pub fn later() -> Self {
        Reply { value: None, next: Next::go() }
    }

    /// And then that. If it is [`Next::stop`], the answer is sent when the server has cleaned up, as in OTP.
    pub fn and(mut self, next: Next) -> Self {
        self.next = next;
        self
    }
}

impl<R> From<R> for Reply<R> {
    fn from(value: R) -> Self {
        Reply::now(value)
    }
}
