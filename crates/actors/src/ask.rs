//! Asking processes that are part of this crate: supervisors, the application controller, scopes of groups.
//!
//! A request is a call like any other ([`Pending`]), but neither it nor its answer is data: they stay on the node.

use std::fmt;
use std::time::Duration;

use crate::current::running;
use crate::message::{Private, Target};
use crate::pending::{CallFailure, Pending, Refusal};
use crate::pid::{Pid, Ref};
use crate::process::self_pid;
use crate::reason::ExitReason;
use crate::request::{ReplyTo, Request};

/// A request that has arrived.
pub(crate) type Asked<Q> = Request<Private<Q>>;

/// Sends a request and waits for the answer.
///
/// # Errors
/// The reason for which the process ended, or `NoProc`, if it did before it answered; or that it does not answer this.
pub(crate) async fn ask<Q, A>(server: Pid, request: Q) -> Result<A, ExitReason>
where
    Q: fmt::Debug + Send + 'static,
    A: fmt::Debug + Send + 'static,
{
    let pending = Pending::send(&Target::Pid(server), Private(request), Duration::MAX);
    outcome(server, async { pending?.await }.await)
}

/// Waits for the answer of a process that was just started, and at which the running one is noted.
///
/// # Errors
/// As for [`ask`].
pub(crate) async fn answer_of<A>(server: Pid, reference: Ref) -> Result<A, ExitReason>
where
    A: fmt::Debug + Send + 'static,
{
    outcome(server, Pending::of_new(server, reference, Duration::MAX).await)
}

fn outcome<A>(server: Pid, answered: Result<Private<A>, CallFailure>) -> Result<A, ExitReason> {
    let other = |text: String| ExitReason::Other(text.into());
    match answered {
        Ok(Private(answer)) => Ok(answer),
        Err(CallFailure::NoProc) => Err(ExitReason::NoProc),
        Err(CallFailure::Ended(reason)) => Err(reason),
        Err(CallFailure::CallingItself) => Err(other(format!("{server} cannot wait for itself"))),
        Err(CallFailure::Refused { server: what, .. }) => {
            Err(other(format!("{server} did not answer: it is a {what}, which does not answer this")))
        }
        Err(CallFailure::Timeout(_)) => unreachable!("it waits for as long as it takes"),
    }
}

impl<Q> Asked<Q>
where
    Q: fmt::Debug + Send + 'static,
{
    /// Who asks, and what.
    pub(crate) fn open(self) -> (Asker, Q) {
        (Asker(self.reply_to), self.message.0)
    }
}

/// Who waits for an answer.
#[derive(Clone, Copy)]
pub(crate) struct Asker(ReplyTo);

impl Asker {
    /// Whoever sent the message with this.
    pub(crate) fn of(reply_to: ReplyTo) -> Self {
        Asker(reply_to)
    }

    /// The one that waits for the running process under this reference.
    pub(crate) fn noted_here(caller: Pid, reference: Ref) -> Self {
        Asker(ReplyTo { caller, noted_at: self_pid(), reference })
    }

    pub(crate) fn pid(self) -> Pid {
        self.0.caller
    }

    pub(crate) fn reference(self) -> Ref {
        self.0.reference
    }

    pub(crate) fn reply<A: fmt::Debug + Send + 'static>(self, answer: A) {
        running("reply", |current, _, _| current.inner.answer(current, self.0, Private(answer)));
    }

    /// Ends the call as if the running process had ended for this reason.
    pub(crate) fn refuse(self, why: &str) {
        let reason = ExitReason::Other(format!("{} did not answer: {why}", self_pid()).into());
        running("refuse", |current, _, id| {
            let ReplyTo { caller, reference, .. } = self.0;
            if current.inner.withdraw_caller(id, reference) {
                current.inner.tell_caller(reference, caller, current.inner.pid(id), &reason);
            }
        });
    }

    /// Tells someone who calls it for a server of another kind what the running process is.
    pub(crate) fn refuse_as(self, what: &str) {
        let refusal = Refusal { server: what.to_owned(), accepts: Vec::new() };
        running("refuse", |current, _, _| current.inner.answer(current, self.0, refusal));
    }
}
