//! The one word at which senders and a process meet. `tests/models` tries every order of what they do here.
//!
//! It holds a stack of messages, or says that there are none, and then also whether the process is
//! *parked*: suspended, with nobody else responsible for running it. Whoever replaces `PARKED` by
//! something else has thereby taken that responsibility and must schedule the process. So a send is one
//! compare-exchange, and knowing whether to wake costs nothing.
//!
//! The word lives in a table place that is reused and never freed, so a stale sender may meet the
//! mailbox of a later process. The upper 16 bits therefore carry a tag that differs between users of
//! the place, and every compare-exchange includes it. (To be misled, a sender would have to be
//! suspended between its load and its exchange while the place is reused a multiple of 65,536 times
//! and the word has the same value again: the message would go to the wrong process, soundly.)

use std::ptr::{self, NonNull};

use super::envelope::{Envelope, Head, drop_quietly};
use crate::sync::{AtomicPtr, Ordering, spin_loop};

/// Which user of a table place is meant: the low bits of its generation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag(pub(super) u16);

impl Tag {
    #[inline]
    pub(crate) const fn of_generation(generation: u32) -> Self {
        Tag(generation as u16)
    }
}

/// No message, and the process runs or waits for its turn to run.
const EMPTY: usize = 0;
/// No message, and the process is suspended.
const PARKED: usize = 1;
/// The process has ended: nothing is accepted.
const CLOSED: usize = 2;
/// Someone counts the messages; everyone else waits the few nanoseconds.
const BUSY: usize = 3;

const TAG_SHIFT: u32 = 48;
const ADDRESS: usize = (1 << TAG_SHIFT) - 1;

pub(crate) struct Inbox {
    word: AtomicPtr<Head>,
}

/// What a push means for the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// Nothing: the process will see it.
    Quiet,
    /// The process was parked: the sender has to schedule it.
    Wake,
}

/// What the word says at one moment.
enum View {
    Empty,
    Parked,
    Closed,
    Busy,
    Stale,
    Messages(NonNull<Head>),
}

#[inline]
fn plain(tag: Tag, state: usize) -> *mut Head {
    ptr::without_provenance_mut(usize::from(tag.0) << TAG_SHIFT | state)
}

#[inline]
fn tagged(tag: Tag, node: NonNull<Head>) -> *mut Head {
    node.as_ptr().map_addr(|address| {
        debug_assert!(address & !ADDRESS == 0, "addresses have 48 bits");
        address | usize::from(tag.0) << TAG_SHIFT
    })
}

#[inline]
fn view(word: *mut Head, tag: Tag) -> View {
    if word.addr() >> TAG_SHIFT != usize::from(tag.0) {
        return View::Stale;
    }
    match word.addr() & ADDRESS {
        EMPTY => View::Empty,
        PARKED => View::Parked,
        CLOSED => View::Closed,
        BUSY => View::Busy,
        _ => NonNull::new(word.map_addr(|address| address & ADDRESS)).map_or(View::Empty, View::Messages),
    }
}

impl Inbox {
    /// An inbox that accepts nothing yet.
    pub(crate) fn closed() -> Self {
        Inbox { word: AtomicPtr::new(plain(Tag(0), CLOSED)) }
    }

    /// Opens the inbox for the process `tag`, which is going to be scheduled by the caller.
    pub(crate) fn open(&self, tag: Tag) {
        self.word.store(plain(tag, EMPTY), Ordering::Release);
    }

    /// Adds a message.
    ///
    /// # Errors
    /// Hands the message back if the process has ended.
    #[inline]
    pub(crate) fn push(&self, tag: Tag, envelope: Envelope) -> Result<Pushed, Envelope> {
        let mut node = envelope.into_raw();
        let new = tagged(tag, node);
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let (next, pushed) = match view(word, tag) {
                View::Empty => (None, Pushed::Quiet),
                View::Parked => (None, Pushed::Wake),
                View::Messages(next) => (Some(next), Pushed::Quiet),
                View::Busy => {
                    spin_loop();
                    word = self.word.load(Ordering::Relaxed);
                    continue;
                }
                // SAFETY: the node is still ours: no exchange has succeeded.
                View::Closed | View::Stale => return Err(unsafe { Envelope::from_raw(node) }),
            };
            // SAFETY: as above.
            unsafe { node.as_mut().next = next };
            // Release publishes the message. Acquire matters for `Wake`: we go on to run the process; the rest
            // of the order is for `Life::quiesce`, which relies on what a waker sees after this.
            match self.word.compare_exchange_weak(word, new, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => return Ok(pushed),
                Err(now) => word = now,
            }
        }
    }

    /// Whether there is something to take. For the owner only.
    #[inline]
    pub(super) fn has_messages(&self, tag: Tag) -> bool {
        matches!(view(self.word.load(Ordering::Relaxed), tag), View::Messages(_) | View::Busy)
    }

    /// Takes all messages, newest first. For the owner only. Who looks here then and finds them gone sees what the
    /// owner did before.
    #[inline]
    pub(super) fn take(&self, tag: Tag) -> Option<NonNull<Head>> {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            match view(word, tag) {
                View::Messages(newest) => {
                    match self.word.compare_exchange_weak(word, plain(tag, EMPTY), Ordering::AcqRel, Ordering::Relaxed)
                    {
                        Ok(_) => return Some(newest),
                        Err(now) => word = now,
                    }
                }
                View::Busy => {
                    spin_loop();
                    word = self.word.load(Ordering::Relaxed);
                }
                View::Empty | View::Parked | View::Closed | View::Stale => return None,
            }
        }
    }

    /// Suspends the process, unless messages are there or it has ended. For the owner only, which must
    /// not touch the process any more once this has answered true.
    #[inline]
    pub(crate) fn park(&self, tag: Tag) -> bool {
        self.replace(plain(tag, EMPTY), plain(tag, PARKED))
    }

    /// Takes over a parked process; the caller has to schedule it if the answer is true.
    #[inline]
    pub(crate) fn unpark(&self, tag: Tag) -> bool {
        self.replace(plain(tag, PARKED), plain(tag, EMPTY))
    }

    /// Sequentially consistent, because parking and waking by a `Waker` are a Dekker pair with the
    /// `NOTIFIED` flag of [`crate::table`].
    #[inline]
    fn replace(&self, from: *mut Head, to: *mut Head) -> bool {
        loop {
            match self.word.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return true,
                Err(now) if now.addr() & ADDRESS == BUSY => spin_loop(),
                Err(_) => return false,
            }
        }
    }

    /// Refuses everything from now on. Returns the messages, and whether the process was parked, in
    /// which case the caller has to schedule it so that it can be cleared away.
    ///
    /// For whoever won the right to end the process, once.
    pub(crate) fn close(&self, tag: Tag) -> (Messages, bool) {
        loop {
            let word = self.word.load(Ordering::Relaxed);
            let (messages, parked) = match view(word, tag) {
                View::Messages(newest) => (Some(newest), false),
                View::Parked => (None, true),
                View::Empty => (None, false),
                View::Busy => {
                    spin_loop();
                    continue;
                }
                View::Closed | View::Stale => return (Messages(None), false),
            };
            let closed = plain(tag, CLOSED);
            if self.word.compare_exchange(word, closed, Ordering::SeqCst, Ordering::Relaxed).is_ok() {
                return (Messages(messages), parked);
            }
        }
    }

    /// Whether no message waits here. A process that was closed is not empty: it has to come and see.
    #[inline]
    pub(crate) fn is_empty(&self, tag: Tag) -> bool {
        matches!(view(self.word.load(Ordering::Relaxed), tag), View::Empty)
    }

    /// Whether the process is suspended.
    pub(crate) fn is_parked(&self, tag: Tag) -> bool {
        matches!(view(self.word.load(Ordering::SeqCst), tag), View::Parked)
    }

    /// Looks at the head of each message, newest first. Senders wait meanwhile, so it must be quick.
    pub(crate) fn for_each(&self, tag: Tag, mut look: impl FnMut(&Head)) {
        let mut word = self.word.load(Ordering::Acquire);
        let newest = loop {
            match view(word, tag) {
                View::Empty | View::Parked | View::Closed | View::Stale => return,
                View::Busy => {
                    spin_loop();
                    word = self.word.load(Ordering::Acquire);
                }
                View::Messages(newest) => {
                    match self.word.compare_exchange(word, plain(tag, BUSY), Ordering::Acquire, Ordering::Acquire) {
                        Ok(_) => break newest,
                        Err(now) => word = now,
                    }
                }
            }
        };
        let mut node = Some(newest);
        while let Some(this) = node {
            // SAFETY: while the word is BUSY nobody can take the list away.
            let head = unsafe { this.as_ref() };
            look(head);
            node = head.next;
        }
        self.word.store(word, Ordering::Release);
    }
}

/// Messages taken from a closed inbox, to be dropped at a convenient moment.
pub(crate) struct Messages(pub(super) Option<NonNull<Head>>);

// SAFETY: it owns its envelopes, which are `Send`.
unsafe impl Send for Messages {}

impl Drop for Messages {
    fn drop(&mut self) {
        while let Some(node) = self.0 {
            // SAFETY: the list is ours; each node is unlinked before it is dropped.
            self.0 = unsafe { node.as_ref().next };
            // SAFETY: as above.
            drop_quietly(unsafe { Envelope::from_raw(node) });
        }
    }
}
