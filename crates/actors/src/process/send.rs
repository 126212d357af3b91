//! Sending, now and later, and where to.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Watchable;
use crate::core::{Due, Inner};
use crate::current::{Current, running};
use crate::mailbox::Envelope;
use crate::message::{Message, Target};
use crate::pid::{NodeId, Pid, Ref};
use crate::timer::TimerKey;

/// Where a message can go: a [`Pid`], a registered name, or a name on another node.
pub trait Destination {
    /// What sending there returns.
    type Sent<M>;

    #[doc(hidden)]
    fn accept<M: Message>(self, from: Sender<'_, '_>, message: M) -> Self::Sent<M>;
}

/// The node that a message is sent from; for [`Destination`].
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Sender<'a, 'c>(&'a Current<'c>);

impl<'c> Sender<'_, 'c> {
    pub(super) fn inner(self) -> &'c Inner {
        self.0.inner
    }
}

impl Destination for Pid {
    type Sent<M> = ();

    fn accept<M: Message>(self, from: Sender<'_, '_>, message: M) {
        from.0.inner.send_from(from.0, self, message);
    }
}

impl Destination for &str {
    type Sent<M> = Result<(), SendError<M>>;

    fn accept<M: Message>(self, from: Sender<'_, '_>, message: M) -> Self::Sent<M> {
        let inner = from.inner();
        match inner.whereis(self) {
            Some(id) => {
                inner.send_from(from.0, inner.pid(id), message);
                Ok(())
            }
            None => Err(SendError { name: self.to_owned(), message }),
        }
    }
}

impl Destination for (&str, NodeId) {
    type Sent<M> = ();

    fn accept<M: Message>(self, from: Sender<'_, '_>, message: M) {
        let target = Target::Name(self.0.to_owned(), self.1);
        from.inner().send_envelope(&target, Envelope::new(message));
    }
}

/// Nobody is registered under the name; the message comes back.
#[derive(Clone, PartialEq, Eq)]
pub struct SendError<M> {
    /// The name that was tried.
    pub name: String,
    /// The message.
    pub message: M,
}

impl<M> std::fmt::Debug for SendError<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendError").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<M> std::fmt::Display for SendError<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "nobody is registered as `{}`", self.name)
    }
}

impl<M> std::error::Error for SendError<M> {}

/// Sends a message. It never waits.
///
/// To a [`Pid`] it always succeeds: what is sent to a process that has ended is dropped, and the same
/// holds for a name on another node. For a name on this node it is an error if nobody has it.
///
/// # Errors
/// [`SendError`] with the message, for an unregistered name on this node.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn send<D: Destination, M: Message>(to: D, message: M) -> D::Sent<M> {
    running("send", |current, _, _| to.accept(Sender(current), message))
}

/// Sends a message after a while, and returns a handle to cancel that.
///
/// The timer outlives its creator. If the receiver is gone when the time has come, nothing happens. A name is
/// looked up only then.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn send_after<M: Message>(to: impl Watchable, message: M, delay: Duration) -> Timer {
    running("send_after", |current, _, _| {
        let inner = current.inner;
        let due = Due::Send(to.target(inner.id), Envelope::new(message));
        Timer { node: inner.downgrade(), key: inner.timers.insert(inner.now().saturating_add(delay), due) }
    })
}

/// Sends a message at a point in time, or now if that has passed: OTP's `abs` option.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn send_at<M: Message>(to: impl Watchable, message: M, when: Instant) -> Timer {
    send_after(to, message, when.saturating_duration_since(Instant::now()))
}

/// Sends a [`Timeout`] with this message after a while; its reference tells it from those of other timers.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn start_timer<M: Message>(to: impl Watchable, message: M, delay: Duration) -> (Ref, Timer) {
    let reference = Ref::new();
    (reference, send_after(to, Timeout { reference, message }, delay))
}

/// The message of a timer: see [`start_timer`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeout<M> {
    /// What [`start_timer`] returned.
    pub reference: Ref,
    /// What it was given.
    pub message: M,
}

/// A message that is on its way: see [`send_after`].
#[derive(Clone)]
pub struct Timer {
    node: std::sync::Weak<Inner>,
    key: TimerKey,
}

impl Timer {
    /// How much time is left; `None` if it was due already or was stopped. The timer goes on.
    pub fn left(&self) -> Option<Duration> {
        let inner = self.node.upgrade()?;
        Some(inner.timers.due(self.key)?.saturating_sub(inner.now()))
    }

    /// Stops the timer and says how much time was left; `None` if it was due already or was stopped.
    pub fn cancel(&self) -> Option<Duration> {
        let inner = self.node.upgrade()?;
        let (due, entry) = inner.timers.remove(self.key)?;
        crate::mailbox::drop_quietly(match entry {
            Due::Send(_, envelope) => Some(envelope),
            Due::Wake(_) => None,
        });
        Some(due.saturating_sub(inner.now()))
    }
}
