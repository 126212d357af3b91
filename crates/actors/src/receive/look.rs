//! One look into the mailbox of the running process: what has arrived is taken over, and the first message that matches
//! comes out.

use std::task::{Context, Poll, Waker};

use crate::current::Current;
use crate::mailbox::{Cursor, Envelope, Queue};
use crate::pid::LocalPid;
use crate::slot::{Slot, flag};
use crate::trace;

/// Gives `look` the running process, and sees to it that whoever polls is polled again if it found nothing.
#[inline]
pub(super) fn with_running<R>(
    context: &mut Context<'_>,
    look: impl FnOnce(&Current<'_>, &Slot, LocalPid) -> Poll<R>,
) -> Poll<R> {
    Current::with(|current| {
        let process = current.and_then(|current| Some((current, current.process()?)));
        let Some((current, (slot, id))) = process else { crate::current::outside("receive") };
        let polled = look(current, slot, id);
        if polled.is_pending() && !current.has_lent(context.waker()) {
            listen(current, context.waker());
        }
        polled
    })
}

/// Whether the process may go on. The worker sees if not, too: it puts the process at the end of the line, or
/// clears it away.
#[inline]
pub(super) fn may_look(current: &Current<'_>, slot: &Slot) -> bool {
    current.charge(1);
    !current.is_exhausted() && slot.may_go_on()
}

/// Nothing is there: the next message wakes the process.
#[inline]
pub(super) fn wait<R>(current: &Current<'_>) -> Poll<R> {
    current.with_own(|own| own.wants_messages = true);
    Poll::Pending
}

/// Looks at what has arrived since the last look.
#[inline]
pub(super) fn pick<A>(
    current: &Current<'_>,
    slot: &Slot,
    id: LocalPid,
    cursor: &mut Cursor,
    matches: impl FnMut(&mut Envelope) -> Option<A>,
) -> Option<(A, Envelope)> {
    let was_lent = current.with_own(|own| own.queue_is_lent);
    assert!(!was_lent, "a receive was polled within the guard of another");
    let (arm, mut envelope) = find(current, slot, id, cursor, matches)?;
    current.count_received();
    if slot.is_limited() {
        current.inner.made_room(id);
    }
    if trace::IS_BUILT_IN && (envelope.token().is_some() || current.inner.is_heard_for(current)) {
        current.inner.trace_receive(&mut envelope);
    }
    Some((arm, envelope))
}

/// Takes the first that matches out of the queue, which is on loan while `matches` runs: that is the user's code and
/// may do anything.
#[inline]
pub(super) fn find<A>(
    current: &Current<'_>,
    slot: &Slot,
    id: LocalPid,
    cursor: &mut Cursor,
    matches: impl FnMut(&mut Envelope) -> Option<A>,
) -> Option<(A, Envelope)> {
    if slot.has_nothing() {
        return None;
    }
    let _loan = Loan::take(current);
    // SAFETY: this is the running process, and the loan keeps everyone else away from its queue.
    let queue = unsafe { slot.queue() };
    refill(current, slot, queue);
    queue.pick(&slot.kept, current.inner.pid(id), cursor, matches)
}

/// Takes over what has arrived. A receive that has looked before in this turn, and waits, has to look again: nobody
/// wakes the process for what is no longer in the inbox.
#[inline]
pub(super) fn refill(current: &Current<'_>, slot: &Slot, queue: &mut Queue) {
    if queue.refill(&slot.kept, &slot.inbox, slot.tag()) && current.with_own(|own| own.wants_messages) {
        slot.raise(flag::NOTIFIED);
    }
}

/// Gives the queue back to its process, also when the user's code panics.
struct Loan<'a, 'c>(&'a Current<'c>);

impl<'a, 'c> Loan<'a, 'c> {
    #[inline]
    fn take(current: &'a Current<'c>) -> Self {
        current.with_own(|own| own.queue_is_lent = true);
        Loan(current)
    }
}

impl Drop for Loan<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        self.0.with_own(|own| own.queue_is_lent = false);
    }
}

/// Sees to it that a waker which is not the process's own is woken whenever the process is.
#[cold]
fn listen(current: &Current<'_>, waker: &Waker) {
    let waker = waker.clone();
    if current.is_exhausted() {
        return waker.wake();
    }
    current.with_own(|own| own.rare.get_or_insert_default().listeners.push(waker));
}
