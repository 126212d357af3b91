//! An envelope with a number in it, which knows when it is read too early and counts how many there are.

use std::ptr::NonNull;

use loom::cell::UnsafeCell;
use loom::sync::Arc;

pub(crate) struct Head {
    pub(super) next: Option<NonNull<Head>>,
    /// Written by the sender, read by the receiver: `loom` complains if nothing orders the two.
    number: UnsafeCell<u32>,
    /// One for each envelope that there is.
    _count: Arc<()>,
}

impl Head {
    pub(crate) fn number(&self) -> u32 {
        // SAFETY: a model; `loom` checks that nobody writes meanwhile.
        self.number.with(|number| unsafe { *number })
    }

    pub(crate) fn eights(&self) -> u32 {
        1
    }
}

pub(crate) struct Envelope(NonNull<Head>);

impl Envelope {
    pub(crate) fn new(number: u32, count: &Arc<()>) -> Self {
        let head = Head { next: None, number: UnsafeCell::new(0), _count: count.clone() };
        // SAFETY: it is not shared yet.
        head.number.with_mut(|cell| unsafe { *cell = number });
        Envelope(NonNull::from(Box::leak(Box::new(head))))
    }

    pub(super) fn into_raw(self) -> NonNull<Head> {
        std::mem::ManuallyDrop::new(self).0
    }

    /// # Safety
    /// `raw` came from [`Envelope::into_raw`], and nobody else makes an envelope of it.
    pub(super) unsafe fn from_raw(raw: NonNull<Head>) -> Self {
        Envelope(raw)
    }

    pub(crate) fn number(&self) -> u32 {
        // SAFETY: an envelope owns its head.
        unsafe { self.0.as_ref() }.number()
    }
}

impl Drop for Envelope {
    fn drop(&mut self) {
        // SAFETY: made by `Box::leak`, and given up by its only owner.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

pub(crate) fn drop_quietly<T>(value: T) {
    drop(value);
}

/// The numbers of a list that was taken out of an inbox, oldest first; the envelopes are gone.
pub(crate) fn numbers(newest_first: Option<NonNull<Head>>) -> Vec<u32> {
    let mut numbers = Vec::new();
    let mut next = newest_first;
    while let Some(node) = next {
        // SAFETY: the list was taken by this thread alone.
        next = unsafe { node.as_ref() }.next;
        // SAFETY: as above.
        numbers.push(unsafe { Envelope::from_raw(node) }.number());
    }
    numbers.reverse();
    numbers
}

impl super::Inbox {
    /// Takes all messages out, oldest first.
    pub(crate) fn drain(&self, tag: super::Tag) -> Vec<u32> {
        numbers(self.take(tag))
    }

    /// How many there are here and in `kept`, unless some are just moving.
    pub(crate) fn count_with(&self, kept: &super::Kept, tag: super::Tag) -> Option<(u32, u32)> {
        kept.unless_moving(self, tag)
    }

    /// Takes all messages out, counted in `kept` as a queue would.
    pub(crate) fn drain_into(&self, kept: &super::Kept, tag: super::Tag) -> Vec<u32> {
        if !self.has_messages(tag) {
            return Vec::new();
        }
        kept.begin_move();
        let numbers = numbers(self.take(tag));
        kept.end_move(numbers.len() as u32, numbers.len() as u32);
        numbers
    }
}
