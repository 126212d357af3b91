//! A request that was sent, and the wait for what comes of it.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::current::{Current, running};
use crate::mailbox::{Cursor, Envelope};
use crate::message::{Down, Message, Target};
use crate::pid::{LocalPid, Pid, Ref};
use crate::process::Alias;
use crate::reason::ExitReason;
use crate::receive::{Candidate, Mark, Received, await_messages, drop_messages, mark_in, poll_select};
use crate::request::{Answer, ReplyTo, Request};

/// Why a call was not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallFailure {
    /// There is no such process, or nobody of that name.
    NoProc,
    /// A server has called itself, and would wait for ever.
    CallingItself,
    /// The time is up. The server lives, and should it still answer, that is dropped.
    Timeout(Duration),
    /// The server ended before it answered, for this reason; `NoConnection` if its node was lost.
    Ended(ExitReason),
    /// The process is a server that does not accept this.
    Refused {
        /// What it is.
        server: String,
        /// What it accepts.
        accepts: Vec<String>,
    },
}

/// What a server answers to a request that it does not accept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) server: String,
    pub(crate) accepts: Vec<String>,
}

/// From which time-out on a few milliseconds more do not matter, so that a clock will do which is fast to read.
const LONG: Duration = Duration::from_secs(1);

/// Waits for an answer. Dropped before, it withdraws, and nothing of it is left.
#[must_use = "it waits when it is polled"]
pub(crate) struct Pending<R> {
    note: Note,
    reference: Ref,
    cursor: Cursor,
    timeout: Duration,
    deadline: Duration,
    has_waited: bool,
    _answer: PhantomData<fn() -> R>,
}

/// Where it is noted that this process waits.
enum Note {
    AtServer(Pid),
    Here(Alias),
    /// It has not asked, was answered, or has withdrawn.
    Nowhere,
}

impl<R: Message> Pending<R> {
    /// Nothing is waited for yet.
    #[inline]
    pub(crate) fn new(timeout: Duration) -> Self {
        Pending {
            note: Note::Nowhere,
            reference: Ref::NONE,
            cursor: Cursor::default(),
            timeout,
            deadline: Duration::MAX,
            has_waited: timeout.is_zero(),
            _answer: PhantomData,
        }
    }

    /// Sends a request. What fails at once is not waited for.
    #[track_caller]
    pub(crate) fn send<M: Message>(server: &Target, message: M, timeout: Duration) -> Result<Self, CallFailure> {
        let mut pending = Pending::new(timeout);
        pending.ask(server, message)?;
        Ok(pending)
    }

    /// The same in place, as a call is quicker when none of it is moved. Once only.
    #[track_caller]
    #[inline]
    pub(crate) fn ask<M: Message>(&mut self, server: &Target, message: M) -> Result<(), CallFailure> {
        running("call", |current, slot, id| {
            let inner = current.inner;
            let caller = inner.pid(id);
            let reference = Ref::new();
            let mark = mark_in(current, slot, id);
            let local = match server {
                Target::Name(name, node) if *node == inner.id => {
                    Some(inner.whereis(name).map(|id| inner.pid(id)).ok_or(CallFailure::NoProc)?)
                }
                Target::Pid(pid) if pid.node == inner.id => Some(*pid),
                Target::Pid(_) | Target::Name(..) | Target::Alias(..) => None,
            };
            let noted_at = match local {
                Some(server) if server == caller => return Err(CallFailure::CallingItself),
                Some(server) if inner.note_caller(server.id, reference, caller) => {
                    self.note = Note::AtServer(server);
                    server
                }
                Some(_) => return Err(CallFailure::NoProc),
                None => {
                    self.note = Note::Here(Alias::monitor_as(reference, server.clone()));
                    caller
                }
            };
            self.begin(current, id, reference, mark.0);
            let request = Request { reply_to: ReplyTo { caller, noted_at, reference }, message };
            let envelope = Envelope::in_role(request);
            match local {
                Some(server) => inner.send_to_pid(current, server, envelope),
                None => inner.send_envelope(server, envelope),
            }
            Ok(())
        })
    }

    /// Waits for what `server` says of its own accord; it is noted there already.
    #[track_caller]
    pub(crate) fn of_new(server: Pid, reference: Ref, timeout: Duration) -> Self {
        running("start", |current, _, id| {
            let mut pending = Pending::new(timeout);
            pending.note = Note::AtServer(server);
            pending.begin(current, id, reference, Cursor::default());
            pending
        })
    }

    /// From now on it waits for what comes of `reference`, behind `cursor`.
    #[inline]
    fn begin(&mut self, current: &Current<'_>, id: LocalPid, reference: Ref, cursor: Cursor) {
        let now = if self.timeout < LONG { current.inner.now() } else { current.inner.time.about_now() };
        self.deadline = now.saturating_add(self.timeout);
        self.reference = reference;
        self.cursor = cursor;
        current.set_alarm(id, now, self.deadline);
    }

    /// Looks whether the time is up.
    fn check_time(&mut self) -> Poll<Result<R, CallFailure>> {
        let is_late = running("call", |current, _, id| {
            let now = current.inner.now();
            let is_late = self.deadline <= now;
            if !is_late {
                current.set_alarm(id, now, self.deadline);
            }
            is_late
        });
        if !is_late {
            return Poll::Pending;
        }
        if self.withdraw() {
            return Poll::Ready(Err(CallFailure::Timeout(self.timeout)));
        }
        // Something has come just now, or comes at once.
        self.deadline = Duration::MAX;
        Poll::Pending
    }
}

impl<R> Pending<R> {
    /// Sees to it that nothing comes. False if something has, or will in this moment.
    fn withdraw(&mut self) -> bool {
        let withdrawn = match self.note {
            Note::AtServer(server) => Current::with(|current| {
                let inner = current.map(|current| current.inner).filter(|inner| inner.id == server.node);
                inner.is_none_or(|inner| inner.withdraw_caller(server.id, self.reference))
            }),
            Note::Here(alias) => Current::with(|current| {
                let inner = current.map(|current| current.inner).filter(|inner| inner.id == alias.pid().node);
                inner.is_none_or(|inner| inner.demonitor(alias.pid(), self.reference))
            }),
            Note::Nowhere => true,
        };
        if withdrawn {
            self.note = Note::Nowhere;
        }
        withdrawn
    }
}

const ANSWER: usize = 0;
const REFUSAL: usize = 1;
const DOWN: usize = 2;

/// Which of the possible outcomes a message is.
#[inline]
fn outcome<R: Message>(candidate: &mut Candidate<'_>, reference: Ref) -> Option<usize> {
    if candidate.is::<Answer<R>>() {
        return candidate.peek::<Answer<R>>().is_some_and(|answer| answer.reference == reference).then_some(ANSWER);
    }
    if let Some(down) = candidate.peek::<Down>() {
        return (down.reference == reference).then_some(DOWN);
    }
    let is_refused = candidate.is::<Answer<Refusal>>()
        && candidate.peek::<Answer<Refusal>>().is_some_and(|answer| answer.reference == reference);
    is_refused.then_some(REFUSAL)
}

fn read<R: Message>(arm: usize, received: Received) -> Result<R, CallFailure> {
    match arm {
        ANSWER => Ok(received.open::<Answer<R>>().value),
        REFUSAL => {
            let Refusal { server, accepts } = received.open::<Answer<Refusal>>().value;
            Err(CallFailure::Refused { server, accepts })
        }
        _ => Err(match received.open::<Down>().reason {
            ExitReason::NoProc => CallFailure::NoProc,
            reason => CallFailure::Ended(reason),
        }),
    }
}

impl<R: Message> Future for Pending<R> {
    type Output = Result<R, CallFailure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if !std::mem::replace(&mut this.has_waited, true) {
            // Nobody answers that fast.
            return await_messages(context).map(|()| unreachable!("it has not looked yet"));
        }
        let reference = this.reference;
        match poll_select(|candidate| outcome::<R>(candidate, reference), &mut this.cursor, context) {
            Poll::Ready((arm, received)) => {
                this.note = Note::Nowhere;
                Poll::Ready(read(arm, received))
            }
            Poll::Pending => this.check_time(),
        }
    }
}

impl<R> Drop for Pending<R> {
    fn drop(&mut self) {
        if self.withdraw() {
            return;
        }
        // It was answered, which is in the mailbox, or the server has ended, which another thread is about to tell.
        let mut is_there = false;
        for _ in 0..LOOKS {
            drop_messages(Mark(self.cursor), |candidate| {
                let answers = candidate.answers(self.reference);
                is_there |= answers;
                answers
            });
            if is_there {
                return;
            }
            std::thread::yield_now();
        }
    }
}

/// How often a caller that no longer waits looks for what has come all the same.
const LOOKS: usize = 100;
