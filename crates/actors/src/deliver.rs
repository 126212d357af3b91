//! Handing things to a process: messages into its mailbox, turns to its scheduler, wakers to whoever asks.

use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Wake, Waker};

use crate::core::Inner;
use crate::current::Current;
use crate::mailbox::{Envelope, Pushed, Tag};
use crate::overload::{Push, Refusal};
use crate::pid::LocalPid;
use crate::slot::Slot;

impl Inner {
    /// Queues a process that the caller has taken the responsibility for.
    #[inline]
    pub(crate) fn schedule(&self, slot: &Slot) {
        self.schedule_from(Current::of(self), slot);
    }

    #[inline]
    fn schedule_from(&self, current: Option<&Current<'_>>, slot: &Slot) {
        match current {
            Some(current) => self.scheduler.push_next(current.worker, slot),
            None => self.scheduler.inject(slot),
        }
    }

    /// Puts a notice of the runtime, or an answer, into the mailbox of a local process; hands it back if there is none.
    #[inline]
    pub(crate) fn deliver(&self, to: LocalPid, envelope: Envelope) -> Result<(), Envelope> {
        let put = self.put(Current::of(self), to, envelope, Push::Notice);
        put.map_err(|(_, envelope)| envelope)
    }

    /// Puts an envelope into the mailbox of a local process; hands it back if there is none, or no room.
    #[inline]
    pub(crate) fn put(
        &self,
        current: Option<&Current<'_>>,
        to: LocalPid,
        envelope: Envelope,
        push: Push,
    ) -> Result<(), (Refusal, Envelope)> {
        let Some(slot) = self.slot(to) else { return Err((Refusal::Nobody, envelope)) };
        if slot.is_limited() {
            return self.deliver_limited(current, slot, to, envelope, push);
        }
        self.push(current, slot, to, envelope)
    }

    #[inline]
    pub(crate) fn push(
        &self,
        current: Option<&Current<'_>>,
        slot: &Slot,
        to: LocalPid,
        envelope: Envelope,
    ) -> Result<(), (Refusal, Envelope)> {
        match slot.inbox.push(Tag::of_generation(to.generation()), envelope) {
            Ok(Pushed::Wake) => self.schedule_from(current, slot),
            Ok(Pushed::Quiet) => (),
            Err(envelope) => return Err((Refusal::Nobody, envelope)),
        }
        Ok(())
    }

    /// Makes a suspended process run again, as its waker would.
    pub(crate) fn wake(&self, id: LocalPid) {
        let Some(slot) = self.slot(id) else { return };
        if slot.resident() != id {
            return;
        }
        if slot.life().notify(id.generation()) {
            self.schedule(slot);
        }
    }
}

/// Wakes a process from anywhere, for as long as its node lives.
struct ProcessWaker {
    node: std::sync::Weak<Inner>,
    id: LocalPid,
}

impl Wake for ProcessWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(inner) = self.node.upgrade() {
            inner.wake(self.id);
        }
    }
}

/// Lends a waker for the running process that costs nothing until someone clones it.
pub(crate) fn with_waker<R>(current: &Current<'_>, use_it: impl FnOnce(&Waker) -> R) -> R {
    fn proper(data: *const ()) -> Waker {
        // SAFETY: `data` is the `Current` below: the lent waker cannot outlive this call, and its
        // owner, the poll of a process, happens on this thread.
        let current = unsafe { &*data.cast::<Current<'_>>() };
        let node = current.inner.downgrade();
        Waker::from(Arc::new(ProcessWaker { node, id: current.id() }))
    }
    static LENT: RawWakerVTable = RawWakerVTable::new(
        |data| {
            let waker = std::mem::ManuallyDrop::new(proper(data));
            RawWaker::new(waker.data(), waker.vtable())
        },
        |_| unreachable!("a lent waker is never given away"),
        |data| {
            // SAFETY: as in `proper`.
            let current = unsafe { &*data.cast::<Current<'_>>() };
            current.inner.wake(current.id());
        },
        |_| (),
    );
    let data = std::ptr::from_ref(current).cast();
    // SAFETY: the table upholds the contract of `RawWaker`: a clone is a waker of its own, a lent waker
    // owns nothing. It is only ever lent by reference. (A `&Waker` sent to a scoped thread would read
    // `inner` and `id` of the `Current` there, neither of which changes during a poll.)
    let waker = std::mem::ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(data, &LENT)) });
    current.lend(&waker);
    use_it(&waker)
}
