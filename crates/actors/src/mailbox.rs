//! The mailbox of a process: a lock-free [`Inbox`] that anyone pushes to, and a private [`Queue`] in
//! which the owner keeps, in order, what its selective receives skipped.
//!
//! The owner moves everything from inbox to queue with one compare-exchange and then looks at its leisure.

pub(crate) mod envelope;
mod inbox;
mod kept;
#[cfg(test)]
#[path = "mailbox/tests.rs"]
mod inbox_tests;

use std::ptr::NonNull;

pub(crate) use envelope::Envelope;
use envelope::Head;
pub(crate) use envelope::{Wanted, drop_quietly, write_bounded};
pub(crate) use inbox::{Inbox, Pushed, Tag};
pub(crate) use kept::Kept;

use crate::pid::{LocalPid, NodeId, Pid};

/// Envelopes in order of arrival, owned by one process.
pub(crate) struct Queue {
    head: Option<NonNull<Head>>,
    tail: Option<NonNull<Head>>,
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
        Queue { head: None, tail: None, removals: 0 }
    }

    /// Appends everything that has arrived in `inbox`; false if that is nothing.
    #[inline]
    pub(crate) fn refill(&mut self, kept: &Kept, inbox: &Inbox, tag: Tag) -> bool {
        if !inbox.has_messages(tag) {
            return false;
        }
        kept.begin_move();
        let mut newest_first = inbox.take(tag);
        let (mut len, mut eights) = (0, 0_u32);
        let newest = newest_first;
        let mut oldest_first = None;
        while let Some(mut node) = newest_first {
            // SAFETY: `take` made this list ours alone.
            let head = unsafe { node.as_mut() };
            newest_first = head.next;
            head.next = oldest_first;
            oldest_first = Some(node);
            len += 1;
            eights = eights.wrapping_add(head.eights());
        }
        kept.end_move(len, eights);
        if oldest_first.is_some() {
            match self.tail {
                // SAFETY: the tail is an envelope of this queue, which we have exclusively.
                Some(mut tail) => unsafe { tail.as_mut().next = oldest_first },
                None => self.head = oldest_first,
            }
            self.tail = newest;
        }
        oldest_first.is_some()
    }

    /// Shows each envelope to somebody, in order.
    pub(crate) fn for_each(&self, mut see: impl FnMut(&Envelope)) {
        let mut next = self.head;
        while let Some(node) = next {
            // SAFETY: the node is in this queue, which is borrowed; the envelope is only lent, so it is not dropped here.
            let envelope = std::mem::ManuallyDrop::new(unsafe { Envelope::from_raw(node) });
            see(&envelope);
            // SAFETY: as above: whoever sees an envelope cannot remove it.
            next = unsafe { node.as_ref().next };
        }
    }

    /// The present end of this queue, which belongs to `owner`.
    pub(crate) fn end(&self, owner: Pid) -> Cursor {
        Cursor { last: self.tail, node: Some(owner.node), removals: self.removals, process: owner.id }
    }

    /// Removes and returns the first envelope after `cursor` for which `matches` answers with an arm.
    ///
    /// `owner` says whose queue this is. `cursor` is moved to where the envelope was, or to the end.
    #[inline]
    pub(crate) fn pick<A>(
        &mut self,
        kept: &Kept,
        owner: Pid,
        cursor: &mut Cursor,
        mut matches: impl FnMut(&mut Envelope) -> Option<A>,
    ) -> Option<(A, Envelope)> {
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
            let mut borrowed = unsafe { Borrowed::new(self, kept, previous, node) };
            if let Some(arm) = matches(&mut borrowed.envelope) {
                // SAFETY: this once.
                let found = unsafe { borrowed.remove() };
                let removals = borrowed.queue.removals;
                *cursor = Cursor { last: previous, node: Some(owner.node), removals, process };
                return Some((arm, found));
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
    kept: &'a Kept,
    previous: Option<NonNull<Head>>,
    next: Option<NonNull<Head>>,
    was: NonNull<Head>,
    eights: u32,
    envelope: std::mem::ManuallyDrop<Envelope>,
    removed: bool,
}

impl<'a> Borrowed<'a> {
    /// # Safety
    /// `node` is in `queue`, directly behind `previous`, or first if there is none.
    #[inline]
    unsafe fn new(queue: &'a mut Queue, kept: &'a Kept, previous: Option<NonNull<Head>>, node: NonNull<Head>) -> Self {
        // SAFETY: the node is alive and exclusively ours, as the caller says.
        let (next, eights, envelope) =
            unsafe { (node.as_ref().next, node.as_ref().eights(), Envelope::from_raw(node)) };
        let envelope = std::mem::ManuallyDrop::new(envelope);
        Borrowed { queue, kept, previous, next, was: node, eights, envelope, removed: false }
    }

    #[inline]
    fn link(&mut self, to: Option<NonNull<Head>>) {
        match self.previous {
            // SAFETY: `previous` is in the queue, which we have exclusively.
            Some(mut previous) => unsafe { previous.as_mut().next = to },
            None => self.queue.head = to,
        }
    }

    #[inline]
    fn put_back(self) -> NonNull<Head> {
        self.envelope.as_raw()
    }

    /// Takes it out of the queue. Not by value: to move all this would cost more than the rest.
    ///
    /// # Safety
    /// Only once.
    #[inline]
    unsafe fn remove(&mut self) -> Envelope {
        self.removed = true;
        self.link(self.next);
        if self.queue.tail == Some(self.was) {
            self.queue.tail = self.previous;
        }
        self.kept.take_away(1, self.eights);
        self.queue.removals = self.queue.removals.wrapping_add(1);
        // SAFETY: taken once, as the caller says; `removed` keeps `drop` from touching it.
        unsafe { std::mem::ManuallyDrop::take(&mut self.envelope) }
    }
}

impl Drop for Borrowed<'_> {
    #[inline]
    fn drop(&mut self) {
        let mut now = self.envelope.as_raw();
        if self.removed || now == self.was {
            return;
        }
        // The message was replaced while it was looked at.
        // SAFETY: the replacement is ours alone until it is linked.
        let now_eights = unsafe {
            now.as_mut().next = self.next;
            now.as_ref().eights()
        };
        self.kept.take_away(0, self.eights);
        self.kept.add(0, now_eights);
        self.link(Some(now));
        if self.queue.tail == Some(self.was) {
            self.queue.tail = Some(now);
        }
        self.queue.removals = self.queue.removals.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag() -> Tag {
        Tag::of_generation(3)
    }

    fn owner(index: u32) -> Pid {
        let name = crate::pid::NodeName { name: "mailbox".into(), incarnation: 0 };
        Pid::from_parts(NodeId::intern(&name), index, 0)
    }

    /// A queue and the inbox that feeds it.
    struct Mailbox {
        inbox: Inbox,
        queue: Queue,
        kept: Kept,
    }

    impl Mailbox {
        fn new(messages: impl IntoIterator<Item = u32>) -> Self {
            let mut mailbox = Mailbox { inbox: Inbox::closed(), queue: Queue::new(), kept: Kept::new() };
            mailbox.inbox.open(tag());
            mailbox.add(messages);
            mailbox
        }

        fn add(&mut self, messages: impl IntoIterator<Item = u32>) {
            for message in messages {
                assert!(self.inbox.push(tag(), Envelope::new(message)).is_ok());
            }
            self.queue.refill(&self.kept, &self.inbox, tag());
        }

        /// Takes the first message for which `wants` is true, and says how many were looked at.
        #[inline]
        fn pick(&mut self, cursor: &mut Cursor, wants: impl Fn(u32) -> bool) -> (Option<u32>, u32) {
            let mut looked_at = 0;
            let picked = self.queue.pick(&self.kept, owner(0), cursor, |envelope| {
                looked_at += 1;
                envelope.peek::<u32>().is_some_and(|n| wants(*n)).then_some(0)
            });
            (picked.and_then(|(_, mut envelope)| envelope.take()), looked_at)
        }

        fn rest(mut self) -> Vec<u32> {
            std::iter::from_fn(|| self.pick(&mut Cursor::default(), |_| true).0).collect()
        }
    }

    #[test]
    fn first_middle_and_last_can_be_picked() {
        for wanted in 0..4 {
            let mut mailbox = Mailbox::new(0..4);
            assert_eq!(mailbox.pick(&mut Cursor::default(), |n| n == wanted), (Some(wanted), wanted + 1));
            assert_eq!(mailbox.kept.len(), 3);
            mailbox.add([9]);
            let rest: Vec<u32> = (0..4).filter(|n| *n != wanted).chain([9]).collect();
            assert_eq!(mailbox.rest(), rest);
        }
    }

    #[test]
    fn a_cursor_spares_a_second_look_until_something_is_removed() {
        let mut mailbox = Mailbox::new(0..3);
        let mut cursor = Cursor::default();
        assert_eq!(mailbox.pick(&mut cursor, |n| n == 7), (None, 3));
        assert_eq!(mailbox.pick(&mut cursor, |n| n == 7), (None, 0));
        mailbox.add([6, 7]);
        let before = cursor;
        assert_eq!(mailbox.pick(&mut cursor, |n| n == 7), (Some(7), 2));
        // The last one that it had seen is taken away: the cursor must not be followed.
        assert_eq!(mailbox.pick(&mut Cursor::default(), |n| n == 2).0, Some(2));
        cursor = before;
        assert_eq!(mailbox.pick(&mut cursor, |_| false), (None, 3));
        let mut stranger = Mailbox::new([]);
        assert!(stranger.queue.pick(&stranger.kept, owner(1), &mut cursor, |_| Some(0)).is_none());
    }

    #[test]
    fn who_is_shown_the_messages_sees_all_in_order_and_takes_none() {
        let mut mailbox = Mailbox::new(0..3);
        mailbox.add([3]);
        let mut seen = Vec::new();
        mailbox.queue.for_each(|envelope| seen.extend(envelope.peek::<u32>().copied()));
        assert_eq!(seen, [0, 1, 2, 3]);
        assert_eq!(mailbox.rest(), [0, 1, 2, 3]);
    }

    #[test]
    fn a_look_that_panics_leaves_the_queue_whole() {
        let mut mailbox = Mailbox::new(0..3);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            mailbox.pick(&mut Cursor::default(), |n| n == 1 && std::panic::resume_unwind(Box::new(())))
        }));
        assert!(panicked.is_err());
        assert_eq!(mailbox.rest(), [0, 1, 2]);
    }

    #[test]
    fn a_message_that_is_replaced_while_it_is_looked_at_keeps_its_place() {
        for replaced in 0..3 {
            let mut mailbox = Mailbox::new(0..3);
            let none: Option<((), Envelope)> =
                mailbox.queue.pick(&mailbox.kept, owner(0), &mut Cursor::default(), |envelope| {
                    if envelope.peek::<u32>() == Some(&replaced) {
                        *envelope = Envelope::new(replaced + 10);
                    }
                    None
                });
            assert!(none.is_none());
            mailbox.add([3]);
            let expected: Vec<u32> = (0..4).map(|n| if n == replaced { n + 10 } else { n }).collect();
            assert_eq!(mailbox.rest(), expected);
        }
    }

    #[test]
    fn what_is_left_is_dropped_with_the_queue() {
        let held = std::sync::Arc::new(());
        let mailbox = Mailbox::new([]);
        for _ in 0..3 {
            assert!(mailbox.inbox.push(tag(), Envelope::new(crate::Local(held.clone()))).is_ok());
        }
        let mut queue = mailbox.queue;
        queue.refill(&mailbox.kept, &mailbox.inbox, tag());
        drop(queue);
        assert_eq!(std::sync::Arc::strong_count(&held), 1);
    }
}
