//! The place that a process lives in: everything about it but the future.
//!
//! A place is reused and never freed while its node stands, so that a stale identifier meets a later generation
//! instead of freed memory. Which thread may touch which field is said beside each.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::task::Waker;

use spin::mutex::{SpinMutex, SpinMutexGuard};

use crate::account::{Account, Figures};
use crate::body::{Body, Head, Origin};
use crate::cold::Cold;
use crate::life::Life;
pub(crate) use crate::life::flag;
use crate::mailbox::{Inbox, Kept, Queue, Tag, drop_quietly};
use crate::pid::LocalPid;
use crate::timer::TimerKey;
use crate::trace::Riding;

/// One place of the table: a process, or room for one. Two lines of a processor's cache.
#[repr(align(64))]
pub(crate) struct Slot {
    /// Anyone may push; the running thread takes and parks.
    pub(crate) inbox: Inbox,
    /// The generation in the upper half, flags below. Anyone may read it and set flags.
    state: AtomicU64,
    /// True while this process, running, hands something to another one: see [`Life::quiesce`].
    pub(crate) handing_over: AtomicBool,
    /// The future and what the process inherited. The running thread polls and drops it; others may
    /// read what it inherited under the lock, while the process is alive.
    body: AtomicPtr<Head>,
    /// Anyone, under the lock.
    cold: SpinMutex<Option<Box<Cold>>, Wait>,
    /// The running thread only: whoever popped this place from a run queue, or parked it last.
    own: UnsafeCell<Own>,
    /// The same, and within that only the receive that has raised `queue_is_lent`, while it is raised.
    queue: UnsafeCell<Queue>,
    /// How much is in the private queue. Written by the running thread.
    pub(crate) kept: Kept,
    index: u32,
    /// What the process has done: written by the running thread, read by anyone.
    pub(crate) account: Account,
}

// SAFETY: `own` is only touched by the running thread, of which there is one at a time: the
// responsibility to run a place is handed on by the inbox's word and the run queues.
unsafe impl Sync for Slot {}
// SAFETY: everything in it is `Send`.
unsafe impl Send for Slot {}

/// How a thread waits for the lock of a place, which nobody holds for long: but who holds it may have been put aside by
/// the operating system.
pub(crate) struct Wait;

impl spin::RelaxStrategy for Wait {
    #[inline]
    fn relax() {
        std::thread::yield_now();
    }
}

/// What only the running thread touches.
pub(crate) struct Own {
    pub(crate) token: Option<Box<Riding>>,
    /// What few processes have.
    pub(crate) rare: Option<Box<Rare>>,
    /// Whether the process, suspended, waits for messages: if not, one that arrives need not poll it.
    pub(crate) wants_messages: bool,
    /// Whether a receive is looking through the queue, which then is not here.
    pub(crate) queue_is_lent: bool,
}

/// What only the running thread touches, and few processes have.
#[derive(Default)]
pub(crate) struct Rare {
    /// Wakers that are not the process's own: of executors within it whose futures wait for messages.
    pub(crate) listeners: Vec<Waker>,
    /// The timer that wakes the process when the first of its calls may take no longer.
    pub(crate) alarm: Option<TimerKey>,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Slot>() == 128, "a place takes two lines of a processor's cache");

impl Slot {
    pub(crate) fn new(index: u32) -> Self {
        Slot {
            inbox: Inbox::closed(),
            state: AtomicU64::new(flag::VACANT | flag::DEAD),
            handing_over: AtomicBool::new(false),
            cold: SpinMutex::new(None),
            body: AtomicPtr::new(std::ptr::null_mut()),
            own: UnsafeCell::new(Own { token: None, rare: None, wants_messages: false, queue_is_lent: false }),
            queue: UnsafeCell::new(Queue::new()),
            kept: Kept::new(),
            index,
            account: Account::default(),
        }
    }

    /// Moves a process in.
    ///
    /// # Safety
    /// The place is vacant and was handed out to the caller.
    pub(crate) unsafe fn settle(&self, body: Body, token: Option<Box<Riding>>) {
        let before = self.state.load(Ordering::Relaxed);
        debug_assert!(before & flag::VACANT != 0);
        // SAFETY: as the caller vouches, nobody else uses the place.
        let own = unsafe { self.own() };
        self.body.store(body.into_raw(), Ordering::Relaxed);
        own.token = token;
        own.wants_messages = false;
        self.kept.clear();
        self.account.clear();
        let generation = (before >> 32) as u32;
        self.inbox.open(Tag::of_generation(generation));
        self.state.store(u64::from(generation) << 32 | flag::NOTIFIED, Ordering::SeqCst);
    }

    /// Clears the place of a process that has ended and whose body is dropped. Returns it for the next one, if
    /// there can be one: an identifier is never reused, so a place wears out after four billion users.
    pub(crate) fn vacate(&self) -> Option<u32> {
        let next = self.resident().generation().checked_add(1);
        let generation = next.unwrap_or(u32::MAX);
        self.state.store(u64::from(generation) << 32 | flag::VACANT | flag::DEAD, Ordering::SeqCst);
        next.map(|_| self.index)
    }

    #[cfg(test)]
    pub(crate) fn wear_out(&self) {
        self.state.store(u64::from(u32::MAX) << 32 | flag::VACANT | flag::DEAD, Ordering::SeqCst);
    }

    pub(crate) fn is_vacant(&self) -> bool {
        self.state.load(Ordering::SeqCst) & flag::VACANT != 0
    }

    /// The process that lives here now, or lived here last.
    #[inline]
    pub(crate) fn resident(&self) -> LocalPid {
        LocalPid::new(self.index, (self.state.load(Ordering::Relaxed) >> 32) as u32)
    }

    #[inline]
    pub(crate) fn tag(&self) -> Tag {
        Tag::of_generation(self.resident().generation())
    }

    /// The flags, if `pid` lives here.
    #[inline]
    pub(crate) fn flags(&self, pid: LocalPid) -> Option<u64> {
        self.life().flags(pid.generation())
    }

    #[inline]
    pub(crate) fn is_alive(&self, pid: LocalPid) -> bool {
        self.flags(pid).is_some_and(|flags| flags & flag::DEAD == 0)
    }

    /// Sets a flag and returns the state before. Harmless when stale: a flag is a hint or is set
    /// by the running thread or under the lock.
    #[inline]
    pub(crate) fn raise(&self, flag: u64) -> u64 {
        self.state.fetch_or(flag, Ordering::SeqCst)
    }

    pub(crate) fn lower(&self, flag: u64) {
        self.state.fetch_and(!flag, Ordering::SeqCst);
    }

    /// Whether the process has nothing to receive. For the running thread.
    #[inline]
    pub(crate) fn has_nothing(&self) -> bool {
        self.kept.len() == 0 && self.inbox.is_empty(self.tag())
    }

    /// Whether the mailbox has a limit.
    #[inline]
    pub(crate) fn is_limited(&self) -> bool {
        self.state.load(Ordering::Relaxed) & flag::LIMITED != 0
    }

    /// Whether somebody wants to look into the mailbox. For the running thread.
    pub(crate) fn is_looked_at(&self) -> bool {
        self.state.load(Ordering::SeqCst) & flag::LOOKED_AT != 0
    }

    /// Whether the process may go on with its turn. For the running thread.
    #[inline]
    pub(crate) fn may_go_on(&self) -> bool {
        self.state.load(Ordering::SeqCst) & (flag::DEAD | flag::SUSPENDED) == 0
    }

    /// How many messages wait, and the bytes of their envelopes.
    pub(crate) fn mailbox(&self) -> (usize, usize) {
        let (len, eights) = self.kept.with_inbox(&self.inbox, self.tag());
        (len as usize, eights as usize * 8)
    }

    /// Moves what no longer fits out of the account. For the running thread.
    #[cold]
    pub(crate) fn spill(&self, sum: Figures) {
        if let Some(mut locked) = self.lock(self.resident()) {
            let spilled = &mut locked.cold().spilled;
            *spilled = spilled.plus(sum);
            self.account.clear();
        }
    }

    /// Links, monitors and names, if `pid` is alive; while the guard is held, it stays so.
    #[inline]
    pub(crate) fn lock(&self, pid: LocalPid) -> Option<Locked<'_>> {
        let cold = self.cold.lock();
        self.is_alive(pid).then_some(Locked { slot: self, cold })
    }

    /// The same for one who must not wait, as this thread may hold the lock itself.
    pub(crate) fn try_lock(&self, pid: LocalPid) -> Option<Locked<'_>> {
        let cold = self.cold.try_lock()?;
        self.is_alive(pid).then_some(Locked { slot: self, cold })
    }

    /// The words by which all threads agree on what becomes of the process.
    #[inline]
    pub(crate) fn life(&self) -> Life<'_> {
        Life { inbox: &self.inbox, state: &self.state, handing_over: &self.handing_over }
    }

    /// The future, to be polled.
    ///
    /// # Safety
    /// The caller is the running thread of this place, and either does not drop the body or calls
    /// [`Slot::forget_body`] before anyone can ask for it again.
    #[inline]
    pub(crate) unsafe fn take_body(&self) -> Option<Body> {
        // SAFETY: only `settle` puts a body there, and only the running thread takes it.
        unsafe { Body::from_raw(self.body.load(Ordering::Relaxed)) }
    }

    /// Forgets a body that was taken for good.
    ///
    /// # Safety
    /// As for [`Slot::take_body`].
    pub(crate) unsafe fn forget_body(&self) {
        self.body.store(std::ptr::null_mut(), Ordering::Relaxed);
    }

    /// What the running process inherited.
    ///
    /// # Safety
    /// The caller is the running thread of this place.
    pub(crate) unsafe fn running_origin(&self) -> Option<Origin> {
        // SAFETY: the running thread alone drops bodies.
        unsafe { Body::origin(self.body.load(Ordering::Relaxed)) }
    }

    /// What belongs to the running thread.
    ///
    /// # Safety
    /// The caller is the running thread of this place, and no other reference to its `Own` is in use.
    #[allow(clippy::mut_from_ref, reason = "the running thread has exclusive access, as the caller vouches")]
    #[inline]
    pub(crate) unsafe fn own(&self) -> &mut Own {
        // SAFETY: see above.
        unsafe { &mut *self.own.get() }
    }

    /// The messages that the process has taken over from its inbox.
    ///
    /// # Safety
    /// As for [`Slot::own`], and of the queue no other reference is in use either.
    #[allow(clippy::mut_from_ref, reason = "the running thread has exclusive access, as the caller vouches")]
    #[inline]
    pub(crate) unsafe fn queue(&self) -> &mut Queue {
        // SAFETY: see above.
        unsafe { &mut *self.queue.get() }
    }
}

impl Drop for Slot {
    /// Drops what was settled at the very moment at which the node stopped, and never ran.
    fn drop(&mut self) {
        // SAFETY: nobody else has the place any more, so a body that is there is ours.
        drop_quietly(unsafe { Body::from_raw(*self.body.get_mut()) });
        drop_quietly(self.inbox.close(self.tag()));
    }
}

/// A process that is alive and stays so while this is held.
pub(crate) struct Locked<'a> {
    slot: &'a Slot,
    cold: SpinMutexGuard<'a, Option<Box<Cold>>>,
}

impl Locked<'_> {
    pub(crate) fn cold(&mut self) -> &mut Cold {
        self.cold.get_or_insert_default()
    }

    /// The same, if there is any yet: for whoever removes.
    pub(crate) fn known(&mut self) -> Option<&mut Cold> {
        self.cold.as_deref_mut()
    }

    pub(crate) fn view(&self) -> Option<&Cold> {
        self.cold.as_deref()
    }

    /// What the process has done.
    pub(crate) fn figures(&self) -> Figures {
        self.view().map(|cold| cold.spilled).unwrap_or_default().plus(self.slot.account.read())
    }

    /// Bytes of the process's future with what it inherited.
    pub(crate) fn body_size(&self) -> usize {
        // SAFETY: as for `origin`.
        unsafe { Body::size(self.slot.body.load(Ordering::Relaxed)) }
    }

    /// What the process inherited.
    pub(crate) fn origin(&self) -> Option<Origin> {
        // SAFETY: the body of a live process is only dropped after it was declared dead, which needs
        // the lock that we hold.
        unsafe { Body::origin(self.slot.body.load(Ordering::Relaxed)) }
    }

    /// Declares the process dead and takes what others must be told of, and its flags. The caller has won.
    pub(crate) fn declare_dead(mut self) -> (u64, Option<Box<Cold>>) {
        (self.slot.raise(flag::DEAD), self.cold.take())
    }
}
