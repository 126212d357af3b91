//! The words by which all threads agree on whether a process runs, waits, or has ended.
//!
//! There are three, each in the process's place: its [`Inbox`], its state, and whether it is handing something over.
//! What is done with them is here, and only here, so that `tests/models` can try every order of it.

use crate::barrier;
use crate::mailbox::{Inbox, Tag};
use crate::sync::{AtomicBool, AtomicU64, Ordering, spin_loop, yield_now};

/// Flags in the lower half of a place's state; the upper half is the generation.
pub(crate) mod flag {
    /// Someone called the process's waker, or it was just started.
    pub(crate) const NOTIFIED: u64 = 1;
    /// The process has ended, in the eyes of everyone.
    pub(crate) const DEAD: u64 = 1 << 1;
    /// Exit signals become messages.
    pub(crate) const TRAPS_EXITS: u64 = 1 << 2;
    /// Nobody lives here.
    pub(crate) const VACANT: u64 = 1 << 3;
    /// The process supervises others.
    pub(crate) const SUPERVISES: u64 = 1 << 4;
    /// The process gets no turn: see [`crate::suspension`].
    pub(crate) const SUSPENDED: u64 = 1 << 5;
    /// The process has suspended others.
    pub(crate) const SUSPENDS: u64 = 1 << 6;
    /// Timers may be under way to the process.
    pub(crate) const HAS_TIMERS: u64 = 1 << 7;
    /// The mailbox has a limit: see [`crate::overload`].
    pub(crate) const LIMITED: u64 = 1 << 8;
    /// Somebody wants to look into the mailbox: see [`crate::looking`].
    pub(crate) const LOOKED_AT: u64 = 1 << 9;
    /// The process is a server, which can be asked for its state.
    pub(crate) const SERVES: u64 = 1 << 10;
}

/// The words of one place.
#[derive(Clone, Copy)]
pub(crate) struct Life<'a> {
    pub(crate) inbox: &'a Inbox,
    pub(crate) state: &'a AtomicU64,
    /// True while the process, running, hands something to another one.
    pub(crate) handing_over: &'a AtomicBool,
}

/// What became of a process that wanted to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// It waits, or somebody else runs it by now: it is not the caller's any more.
    Parked,
    /// It waited, but something happened: the caller has to schedule it.
    Again,
    /// It did not wait: messages are there, or it has ended. It is the caller's as before.
    Refused,
}

impl<'a> Life<'a> {
    /// The flags, if the place is this generation's.
    #[inline]
    pub(crate) fn flags(self, generation: u32) -> Option<u64> {
        let state = self.state.load(Ordering::SeqCst);
        ((state >> 32) as u32 == generation && state & flag::VACANT == 0).then_some(state)
    }

    /// Lowers `NOTIFIED` and returns the flags as they were. For the running thread.
    #[inline]
    pub(crate) fn acknowledge(self) -> u64 {
        let flags = self.state.load(Ordering::SeqCst);
        if flags & flag::NOTIFIED == 0 { flags } else { self.state.fetch_and(!flag::NOTIFIED, Ordering::SeqCst) }
    }

    /// Lets the process wait, unless something happened that it has to see. For the running thread.
    #[inline]
    pub(crate) fn rest(self, generation: u32) -> Rest {
        let tag = Tag::of_generation(generation);
        if !self.inbox.park(tag) {
            return Rest::Refused;
        }
        // From here on the process may be running elsewhere, unless we can take it back.
        let notified = self.flags(generation).is_some_and(|flags| flags & (flag::NOTIFIED | flag::DEAD) != 0);
        if notified && self.inbox.unpark(tag) { Rest::Again } else { Rest::Parked }
    }

    /// Makes a process that waits run again, as its waker would; true if the caller has to schedule it.
    #[inline]
    pub(crate) fn notify(self, generation: u32) -> bool {
        self.state.fetch_or(flag::NOTIFIED, Ordering::SeqCst);
        self.inbox.unpark(Tag::of_generation(generation))
    }

    /// Waits until the process that was just declared dead is not in the middle of handing something
    /// over, so that nobody hears from it after they have heard of its death.
    ///
    /// The other side of this Dekker pair is [`Life::hand_over`].
    pub(crate) fn quiesce(self, generation: u32) {
        // Whoever runs a parked process has to take it out of the inbox's word first, after this look, and
        // then sees that it is dead before anything else.
        if self.inbox.is_parked(Tag::of_generation(generation)) {
            return;
        }
        barrier::heavy();
        let mut spins = 0_u32;
        while self.handing_over.load(Ordering::Acquire) {
            spins += 1;
            if spins.is_multiple_of(100) { yield_now() } else { spin_loop() }
        }
    }

    /// Begins to hand something over, unless this process, which is the running one, has been declared dead.
    #[inline]
    pub(crate) fn hand_over(self) -> Option<HandingOver<'a>> {
        if self.handing_over.load(Ordering::Relaxed) {
            return Some(HandingOver(None)); // Already within an outer hand-over, which was checked.
        }
        self.handing_over.store(true, Ordering::Relaxed);
        barrier::light();
        let handing_over = HandingOver(Some(self.handing_over));
        (self.state.load(Ordering::Acquire) & flag::DEAD == 0).then_some(handing_over)
    }
}

/// While this is there, whoever declares the process dead waits.
#[must_use = "what is handed over is handed over while this is there"]
pub(crate) struct HandingOver<'a>(pub(crate) Option<&'a AtomicBool>);

impl Drop for HandingOver<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(handing_over) = self.0 {
            handing_over.store(false, Ordering::Release);
        }
    }
}
