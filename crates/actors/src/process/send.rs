//! Sending, now and later, and where to.

use std::task::Poll;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Watchable;
use crate::core::{Due, Inner};
use crate::current::{Current, running};
use crate::mailbox::{Envelope, drop_quietly};
use crate::message::{Message, Target};
use crate::pid::{NodeId, Pid, Ref};
use crate::send::NotSent;
use crate::slot::flag;
use crate::timer::TimerKey;
use crate::trace::EventKind;

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

/// Sends a message if that can be known to arrive: there is a live process, with room for it.
///
/// To another node, all that can be known is that the message is data, and that not too much waits on the way.
///
/// # Errors
/// [`TrySendError`], with the message.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn try_send<M: Message>(to: Pid, message: M) -> Result<(), TrySendError<M>> {
    running("try_send", |current, _, _| current.inner.try_send(to, Envelope::new(message))).map_err(|(why, back)| {
        let message = back.into_message();
        match why {
            NotSent::NoProcess => TrySendError::NoProcess { to, message },
            NotSent::Full => TrySendError::Full { to, message },
            NotSent::NotData(why) => TrySendError::NotData { to, why, message },
        }
    })
}

/// Sends a message once there is room for it in the mailbox of the receiver, should that have a
/// [limit](crate::process::Builder::mailbox_limit), or on the way to its node. To any other it is sent at once, as by
/// [`send`].
///
/// # Cancel safety
/// If this is dropped before it is ready, nothing was sent.
///
/// # Errors
/// [`TrySendError`], with the message, if the receiver has ended, or the message cannot go to its node.
///
/// # Panics
/// When polled outside of a process.
pub async fn send_async<M: Message>(to: Pid, message: M) -> Result<(), TrySendError<M>> {
    let mut unsent = message;
    loop {
        unsent = match try_send(to, unsent) {
            Err(TrySendError::Full { message, .. }) => message,
            sent => return sent,
        };
        std::future::poll_fn(|context| {
            let has_room = running("send_async", |current, _, id| {
                let (inner, waker) = (current.inner, context.waker());
                match to.node == inner.id {
                    true => inner.has_room(to.id, waker),
                    false => inner.router().is_none_or(|router| router.has_room(to.node, inner.pid(id), waker)),
                }
            });
            if has_room { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Why a message was not sent; it comes back.
#[derive(Clone, PartialEq, Eq)]
pub enum TrySendError<M> {
    /// The receiver has ended.
    NoProcess {
        /// The receiver.
        to: Pid,
        /// The message.
        message: M,
    },
    /// The receiver's mailbox is at its limit, or too much waits for its node.
    Full {
        /// The receiver.
        to: Pid,
        /// The message.
        message: M,
    },
    /// The receiver is on another node, where the message cannot go: it is, or holds, a [`Local`](crate::Local).
    NotData {
        /// The receiver.
        to: Pid,
        /// What the encoder said.
        why: String,
        /// The message.
        message: M,
    },
}

impl<M> TrySendError<M> {
    /// The message.
    pub fn into_message(self) -> M {
        match self {
            TrySendError::NoProcess { message, .. }
            | TrySendError::Full { message, .. }
            | TrySendError::NotData { message, .. } => message,
        }
    }
}

impl<M> std::fmt::Debug for TrySendError<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TrySendError({self})")
    }
}

impl<M> std::fmt::Display for TrySendError<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TrySendError::NoProcess { to, .. } => write!(f, "{to} has ended"),
            TrySendError::Full { to, .. } => write!(f, "the mailbox of {to} is full; `send_async` waits for room"),
            TrySendError::NotData { to, why, .. } => {
                write!(f, "the message cannot go to {to} on another node, since it is not data: {why}")
            }
        }
    }
}

impl<M> std::error::Error for TrySendError<M> {}

/// Sends a message after a while, and returns a handle to cancel that.
///
/// The timer outlives its creator, but not the process that it is for. A name is looked up when the time has come;
/// if nobody has it then, nothing happens.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn send_after<M: Message>(to: impl Watchable, message: M, delay: Duration) -> Timer {
    running("send_after", |current, _, _| {
        let inner = current.inner;
        let target = to.target(inner.id);
        if let Some(by) = current.pid() {
            let to = match target {
                Target::Pid(pid) => Some(pid),
                Target::Name(..) | Target::Alias(..) => None,
            };
            inner.trace(|| EventKind::Timer { by, to, after: delay });
        }
        Timer { node: inner.downgrade(), key: inner.start_timer(target, Envelope::new(message), delay) }
    })
}

impl Inner {
    /// Sends a message after a while. To a process of this node the timer lasts as long as that.
    fn start_timer(&self, target: Target, envelope: Envelope, delay: Duration) -> Option<TimerKey> {
        let process = match target {
            Target::Pid(pid) | Target::Alias(pid, _) if pid.node == self.id => Some(pid.id),
            Target::Pid(_) | Target::Alias(..) | Target::Name(..) => None,
        };
        if let Some(id) = process {
            let slot = self.slot(id).filter(|slot| slot.is_alive(id));
            let Some(slot) = slot else {
                drop_quietly(envelope);
                return None;
            };
            slot.raise(flag::HAS_TIMERS);
        }
        let key = self.timers.insert(self.now().saturating_add(delay), Due::Send(target, envelope), process);
        // Whoever has ended it meanwhile may have looked for timers before this one was there.
        if process.is_some_and(|id| !self.is_alive(id)) {
            drop_quietly(self.timers.remove(key));
        }
        Some(key)
    }
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
    /// None, if there was nobody to send to.
    key: Option<TimerKey>,
}

impl Timer {
    /// How much time is left: OTP's `read_timer`; `None` if it was due already, was stopped, or its receiver has
    /// ended. The timer goes on.
    pub fn left(&self) -> Option<Duration> {
        let inner = self.node.upgrade()?;
        Some(inner.timers.due(self.key?)?.saturating_sub(inner.now()))
    }

    /// Stops the timer and says how much time was left: OTP's `cancel_timer`; `None` if it was due already, was
    /// stopped, or its receiver has ended.
    pub fn cancel(&self) -> Option<Duration> {
        let inner = self.node.upgrade()?;
        let (due, entry) = inner.timers.remove(self.key?)?;
        crate::mailbox::drop_quietly(match entry {
            Due::Send(_, envelope) => Some(envelope),
            Due::Wake(_) => None,
        });
        Some(due.saturating_sub(inner.now()))
    }
}
