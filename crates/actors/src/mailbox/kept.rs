//! How much a queue holds, for anyone to read. `tests/models` tries every order of counting and moving.
//!
//! What moves from the inbox to the queue is for a moment in neither; whoever counts then waits, so that a sender who
//! asks finds what it has sent unless it was received.

use super::inbox::{Inbox, Tag};
use crate::sync::{AtomicBool, AtomicU32, Ordering, yield_now};

/// Written by the owner of the queue, read by anyone.
pub(crate) struct Kept {
    len: AtomicU32,
    /// Bytes of the envelopes, in eights.
    eights: AtomicU32,
    /// True while messages are on their way from the inbox.
    moving: AtomicBool,
}

impl Kept {
    pub(crate) fn new() -> Self {
        Kept { len: AtomicU32::new(0), eights: AtomicU32::new(0), moving: AtomicBool::new(false) }
    }

    #[inline]
    pub(crate) fn len(&self) -> u32 {
        self.len.load(Ordering::Relaxed)
    }

    fn eights(&self) -> u32 {
        self.eights.load(Ordering::Relaxed)
    }

    /// Empties it, for the next owner.
    pub(crate) fn clear(&self) {
        self.len.store(0, Ordering::Relaxed);
        self.eights.store(0, Ordering::Relaxed);
        self.moving.store(false, Ordering::Relaxed);
    }

    /// How many messages there are, here and in the inbox, and the eights of their envelopes.
    pub(crate) fn with_inbox(&self, inbox: &Inbox, tag: Tag) -> (u32, u32) {
        loop {
            match self.unless_moving(inbox, tag) {
                Some(counted) => return counted,
                None => yield_now(), // The owner waits for nothing while it moves them.
            }
        }
    }

    /// The same, or nothing if the owner may have moved some while they were counted.
    pub(super) fn unless_moving(&self, inbox: &Inbox, tag: Tag) -> Option<(u32, u32)> {
        let here = (self.len(), self.eights());
        let (mut len, mut eights) = here;
        inbox.for_each(tag, |head| {
            len = len.saturating_add(1);
            eights = eights.saturating_add(head.eights());
        });
        // Whoever sees that messages are gone from the inbox sees also that they were about to move: they are on
        // their way still, or these numbers have changed.
        let as_before = !self.moving.load(Ordering::Acquire) && here == (self.len(), self.eights());
        as_before.then_some((len, eights))
    }

    /// Messages are about to be taken out of the inbox.
    #[inline]
    pub(super) fn begin_move(&self) {
        self.moving.store(true, Ordering::Relaxed);
    }

    /// So many were.
    #[inline]
    pub(super) fn end_move(&self, len: u32, eights: u32) {
        self.add(len, eights);
        self.moving.store(false, Ordering::Release);
    }

    #[inline]
    pub(super) fn add(&self, len: u32, eights: u32) {
        self.len.store(self.len().wrapping_add(len), Ordering::Relaxed);
        self.eights.store(self.eights().wrapping_add(eights), Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn take_away(&self, len: u32, eights: u32) {
        self.add(len.wrapping_neg(), eights.wrapping_neg());
    }
}
