//! The mailbox of a process: a lock-free [`Inbox`] that anyone pushes to, and a private [`Queue`] in
//! which the owner keeps, in order, what its selective receives skipped.
//!
//! The owner moves everything from inbox to queue with one compare-exchange and then looks at its leisure.

pub(crate) mod envelope;
mod inbox;

use std::ptr::NonNull;

pub(crate) use envelope::Envelope;
use envelope::Head;
pub(crate) use envelope::drop_quietly;
pub(crate) use inbox::{Inbox, Pushed, Tag};

use crate::pid::{LocalPid, NodeId, Pid};

/// Envelopes in order of arrival, owned by one process.
pub(crate) struct Queue {
    head: Option<NonNull<Head>>,
    tail: Option<NonNull<Head>>,
    len: u32,
    /// Grows with each removal, so that a [`Cursor`] from before it is known to be stale.
    removals: u32,
}

// SAFETY: a queue owns the envelopes in it, and envelopes are `Send`.
unsafe impl Send for Queue {}

/// Where a receive stopped looking: everything up to here did not match.
///
/// It is a hint that is only followed if the owner and `removals` still fit, which together mean that
/// the envelope it points to is still in the queue.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cursor {
    last: Option<NonNull<Head>>,
    /// The owner of the queue, in two fields that pack well: a receive can be moved to another process,
    /// also of another node.
    node: Option<NodeId>,
    removals: u32,
    process: LocalPid,
}

// SAFETY: the pointer is only followed by its queue's owner, as `Queue::pick` checks.
unsafe impl Send for Cursor {}
// SAFETY: a shared cursor gives access to nothing.
unsafe impl Sync for Cursor {}

impl Queue {
    pub(crate) const fn new() -> Self {
        Queue { head: None, tail: None, len: 0, removals: 0 }
    }

    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// Appends everything that has arrived in `inbox`.
    pub(crate) fn refill(&mut self, inbox: &Inbox, tag: Tag) {
        let mut newest_first = inbox.take(tag);
        let newest = newest_first;
        let mut oldest_first = None;
        while let Some(mut node) = newest_first {
            // SAFETY: `take` made this list ours alone.
            let head = unsafe { node.as_mut() };
            newest_first = head.next;
            head.next = oldest_first;
            oldest_first = Some(node);
            self.len += 1;
        }
        if oldest_first.is_some() {
            match self.tail {
                // SAFETY: the tail is an envelope of this queue, which we have exclusively.
                Some(mut tail) => unsafe { tail.as_mut().next = oldest_first },
                None => self.head = oldest_first,
            }
            self.tail = newest;
        }
    }

    /// Removes and returns the first envelope after `cursor` for which `matches` answers with an arm.
    ///
    /// `owner` says whose queue this is. Where nothing matches, `cursor` is moved to the end.
    pub(crate) fn pick(
        &mut self,
        owner: Pid,
        cursor: &mut Cursor,
        matches: &mut dyn FnMut(&mut Envelope) -> Option<usize>,
    ) -> Option<(usize, Envelope)> {
        let Pid { node, id: process } = owner;
        let is_owner = cursor.node == Some(node) && cursor.process == process;
        let fits = is_owner && cursor.removals == self.removals;
        let mut previous = if fits { cursor.last } else { None };
        loop {
            let next = match previous {
                // SAFETY: `previous` is in this queue: reached by walking it, or vouched for by the cursor.
                Some(previous) => unsafe { previous.as_ref().next },
                None => self.head,
            };
            let Some(node) = next else {
                *cursor = Cursor { last: previous, node: Some(node), removals: self.removals, process };
                return None;
            };
            // SAFETY: the node is in this queue; `Borrowed` puts it back in its place when it goes
            // out of scope, also when `matches` panics.
            let mut borrowed = unsafe { Borrowed::new(self, previous, node) };
            if let Some(arm) = matches(&mut borrowed.envelope) {
                return Some((arm, borrowed.remove()));
            }
            previous = Some(borrowed.put_back());
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        while let Some(node) = self.head {
            // SAFETY: the queue owns its nodes; each is unlinked before it is dropped.
            self.head = unsafe { node.as_ref().next };
            // SAFETY: as above.
            drop_quietly(unsafe { Envelope::from_raw(node) });
        }
    }
}

/// An envelope that is being looked at where it stands in the queue.
///
/// Looking may replace it (bytes become a typed message), so its neighbours are mended afterwards.
struct Borrowed<'a> {
    queue: &'a mut Queue,
    previous: Option<NonNull<Head>>,
    next: Option<NonNull<Head>>,
    was: NonNull<Head>,
    envelope: std::mem::ManuallyDrop<Envelope>,
    removed: bool,
}

impl<'a> Borrowed<'a> {
    /// # Safety
    /// `node` is in `queue`, directly behind `previous`, or first if there is none.
    unsafe fn new(queue: &'a mut Queue, previous: Option<NonNull<Head>>, node: NonNull<Head>) -> Self {
        // SAFETY: the node is alive and exclusively ours, as the caller says.
        let (next, envelope) = unsafe { (node.as_ref().next, Envelope::from_raw(node)) };
        Borrowed { queue, previous, next, was: node, envelope: std::mem::ManuallyDrop::new(envelope), removed: false }
    }

    fn link(&mut self, to: Option<NonNull<Head>>) {
        match self.previous {
            // SAFETY: `previous` is in the queue, which we have exclusively.
            Some(mut previous) => unsafe { previous.as_mut().next = to },
            None => self.queue.head = to,
        }
    }

    fn put_back(self) -> NonNull<Head> {
        self.envelope.as_raw()
    }

    fn remove(mut self) -> Envelope {
        self.removed = true;
        self.link(self.next);
        if self.queue.tail == Some(self.was) {
            self.queue.tail = self.previous;
        }
        self.queue.len -= 1;
        self.queue.removals = self.queue.removals.wrapping_add(1);
        // SAFETY: taken once; `removed` keeps `drop` from touching it.
        unsafe { std::mem::ManuallyDrop::take(&mut self.envelope) }
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let mut now = self.envelope.as_raw();
        if self.removed || now == self.was {
            return;
        }
        // The message was replaced while it was looked at.
        // SAFETY: the replacement is ours alone until it is linked.
        unsafe { now.as_mut().next = self.next };
        self.link(Some(now));
        if self.queue.tail == Some(self.was) {
            self.queue.tail = Some(now);
        }
        self.queue.removals = self.queue.removals.wrapping_add(1);
    }
}
