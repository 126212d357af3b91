//! Taking messages out of the mailbox: [`receive()`], with a time-out, and the [`receive!`](crate::receive!) macro.
//!
//! A receive takes the first message that it wants and leaves the others where they are, in order: OTP's
//! selective receive. What a type of message costs the compiler is kept to a few lines; the search
//! itself is not generic.

mod arms;
mod look;
mod select;

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::current::Current;
use crate::mailbox::{Cursor, Envelope, Wanted};
use crate::message::Message;
use crate::pid::LocalPid;
use crate::slot::Slot;
use look::{may_look, pick, refill, wait, with_running};

#[doc(hidden)]
pub use select::{Candidate, Received, Select, select, select_since};
pub(crate) use select::{Deadline, await_messages, drop_messages, pause, poll_next, poll_select, select_from};

/// Waits for the next message of type `T`.
///
/// Messages of other types stay in the mailbox, in order.
///
/// # Cancel safety
/// A receive that is dropped before it is ready has taken nothing.
///
/// # Panics
/// When polled outside of a process.
///
/// ```
/// use greenroom::{receive, self_pid, send};
///
/// greenroom::run(async {
///     send(self_pid(), String::from("one"));
///     send(self_pid(), 2_u32);
///     assert_eq!(receive::<u32>().await, 2);
///     assert_eq!(receive::<String>().await, "one");
/// });
/// ```
pub fn receive<T: Message>() -> Receive<T> {
    Receive { cursor: Cursor::default(), message: PhantomData }
}

/// The future of [`receive()`].
#[must_use = "a receive takes nothing until it is awaited"]
pub struct Receive<T> {
    cursor: Cursor,
    message: PhantomData<fn() -> T>,
}

impl<T: Message> Future for Receive<T> {
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        receive_one(&mut self.cursor, Wanted::of::<T>(), context).map(Envelope::into_message)
    }
}

impl<T> std::fmt::Debug for Receive<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Receive<{}>", std::any::type_name::<T>())
    }
}

fn receive_one(cursor: &mut Cursor, wanted: Wanted, context: &mut Context<'_>) -> Poll<Envelope> {
    with_running(context, |current, slot, id| {
        if !may_look(current, slot) {
            return Poll::Pending;
        }
        match pick(current, slot, id, cursor, |envelope| wanted.accepts(envelope).then_some(())) {
            Some(((), envelope)) => Poll::Ready(envelope),
            None => wait(current),
        }
    })
}

/// Waits for the next message of type `T`, but no longer than `timeout`.
///
/// With a time-out of zero it looks at what is there and does not wait. A receive that times out has
/// taken nothing.
///
/// # Cancel safety
/// As for [`receive()`].
///
/// ```
/// use std::time::Duration;
/// use greenroom::receive_timeout;
///
/// greenroom::run(async {
///     assert_eq!(receive_timeout::<u32>(Duration::from_millis(1)).await, None);
/// });
/// ```
pub async fn receive_timeout<T: Message>(timeout: Duration) -> Option<T> {
    let found = select(&mut |candidate| candidate.is::<T>().then_some(0), Some(timeout)).await;
    found.map(|(_, received)| received.open::<T>())
}

/// A place in the mailbox of a process: see [`mark`]. The default is its beginning.
#[derive(Clone, Copy, Default)]
pub struct Mark(pub(crate) Cursor);

impl std::fmt::Debug for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mark")
    }
}

/// The end of the running process's mailbox as it is now, for `receive! { since mark; … }`.
///
/// Taken before a request is sent, it lets the answer be found without looking at what had arrived
/// before. It is a hint: where other messages are taken out meanwhile, everything is looked at, as without
/// it. (OTP's compiler does this by itself for a reference that was made in the same function.)
///
/// ```
/// use greenroom::{Pid, Ref, mark, receive, self_pid, send, spawn};
///
/// greenroom::run(async {
///     let server = spawn(async {
///         let (caller, reference) = receive::<(Pid, Ref)>().await;
///         send(caller, (reference, 42_u64));
///     });
///     let (mark, reference) = (mark(), Ref::new());
///     send(server, (self_pid(), reference));
///     let answer = receive! {
///         since mark;
///         (to, n): (Ref, u64) if to == reference => n,
///     };
///     assert_eq!(answer, 42);
/// });
/// ```
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn mark() -> Mark {
    crate::current::running("mark", mark_in)
}

/// The same for a caller that knows the running process.
#[inline]
pub(crate) fn mark_in(current: &Current<'_>, slot: &Slot, id: LocalPid) -> Mark {
    if current.with_own(|own| own.queue_is_lent) {
        return Mark::default(); // Within a guard: nobody may touch the queue.
    }
    // SAFETY: this is the running process, and nobody has taken a loan of its queue.
    let queue = unsafe { slot.queue() };
    refill(current, slot, queue);
    Mark(queue.end(current.inner.pid(id)))
}
