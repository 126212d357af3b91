//! What ties a task to the process that waits for it, from its first moment to its answer.
//!
//! The waiting process monitors the task. The entry of that monitor, under the lock of the process that has it,
//! decides what comes of the task: an answer, DOWN, or nothing, because it is no longer wanted. So there is never
//! more than one message of a task, and none after it was given up.

use std::fmt;

use crate::core::Inner;
use crate::current::{running, unless_dead};
use crate::mailbox::{Envelope, drop_quietly};
use crate::message::{Down, Exit, Private, Target};
use crate::pid::{LocalPid, Pid, Ref};
use crate::process::{exit_self, self_pid};
use crate::reason::ExitReason;
use crate::receive::{Candidate, Mark, Received, drop_messages, mark};
use crate::request::Answer;
use crate::slot::flag;
use crate::trace::EventKind;

/// What a task and the process that waits for it mean to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tie {
    /// They end together, unless a value comes of it.
    Linked,
    /// The task's end is noticed.
    Watched,
}

/// A task that the running process wants: all that is known of it before it has a process.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    pub(crate) owner: Pid,
    pub(crate) reference: Ref,
    pub(crate) mark: Mark,
    tie: Tie,
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {}", self.reference, self.owner)
    }
}

impl Order {
    /// An order of the running process.
    #[track_caller]
    pub(crate) fn new(tie: Tie) -> Self {
        Order { mark: mark(), reference: Ref::new(), owner: self_pid(), tie }
    }

    /// Ties the new process `child` to the owner: for the `introduce` of [`Inner::spawn`].
    pub(crate) fn adopt(&self, inner: &Inner, child: Pid) {
        let Order { owner, reference, tie, .. } = *self;
        let linked = tie == Tie::Linked;
        if linked {
            inner.trace(|| EventKind::Link { from: owner, to: child });
        }
        inner.trace(|| EventKind::Monitor { watcher: owner, target: child });
        match inner.lock_both(owner.id, child.id) {
            (Some(mut near), Some(mut far)) => {
                let (near, far) = (near.cold(), far.cold());
                near.watching.insert(reference, Target::Pid(child));
                far.watchers.insert(reference, owner);
                if linked {
                    near.links.insert(child, ());
                    far.links.insert(owner, ());
                }
            }
            (near, far) => {
                let is_orphan = near.is_none() && linked;
                drop((near, far));
                if is_orphan {
                    inner.end(child.id, ExitReason::NoProc);
                }
            }
        }
    }

    /// What the task's process runs: `future`, and then it tells its owner the value.
    pub(crate) async fn carry_out<F>(self, future: F)
    where
        F: Future<Output: fmt::Debug + Send + 'static> + Send,
    {
        let value = future.await;
        running("a task", |current, _, id| current.inner.tell_value(self, current.inner.pid(id), value));
    }
}

impl Inner {
    /// Sends the value of the task `child`, if its owner still wants it, and unties them. Under the owner's lock, so
    /// that nothing comes of a task that was given up.
    fn tell_value<T: fmt::Debug + Send + 'static>(&self, order: Order, child: Pid, value: T) {
        let Order { owner, reference, .. } = order;
        let mut envelope = Envelope::in_role(Answer { reference, value: Private(value) });
        if self.is_traced() {
            self.trace_send(&Target::Pid(owner), &mut envelope);
        }
        let unwanted = unless_dead(self, || {
            let Some(mut locked) = self.slot(owner.id).and_then(|slot| slot.lock(owner.id)) else {
                return Some(envelope);
            };
            let Some(cold) = locked.known() else { return Some(envelope) };
            // The task's own entries end with it, in a moment.
            cold.links.remove(&child);
            match cold.watching.remove(&reference) {
                Some(_) => self.deliver(owner.id, envelope).err(),
                None => Some(envelope),
            }
        });
        drop_quietly(unwanted);
    }

    /// Removes the owner's end of the link to a task; false if there was none.
    pub(crate) fn untie(&self, owner: LocalPid, child: Pid) -> bool {
        let locked = self.slot(owner).and_then(|slot| slot.lock(owner));
        locked.is_some_and(|mut locked| locked.known().is_some_and(|cold| cold.links.remove(&child).is_some()))
    }
}

/// What has come of a task.
pub(crate) type Outcome<T> = Result<T, ExitReason>;

/// Which arm of a receive takes this message, if it says what has come of a task that is one of ours.
pub(crate) fn wanted(message: &Candidate<'_>, is_ours: impl Fn(Ref) -> bool) -> Option<usize> {
    if let Some(reference) = message.answered() {
        return is_ours(reference).then_some(0);
    }
    is_ours(message.peek::<Down>()?.reference).then_some(1)
}

/// What the message says that was [`wanted`], and of which task.
pub(crate) fn read<T: fmt::Debug + Send + 'static>(arm: usize, received: Received) -> (Ref, Outcome<T>) {
    if arm == 1 {
        let down = received.open::<Down>();
        return (down.reference, Err(down.reason));
    }
    let Answer { reference, value: Private(value) } = received.open::<Answer<Private<T>>>();
    (reference, Ok(value))
}

/// Unties the running process from a task that ended without a value; which may be its own end, if they were linked
/// and it does not trap exits.
///
/// A monitor fires before a link does, so the exit signal may be yet to come.
pub(crate) fn bury(child: Pid, since: Mark, reason: &ExitReason) {
    let (was_linked, traps) = running("a task", |current, slot, id| {
        let traps = slot.flags(id).unwrap_or_default() & flag::TRAPS_EXITS != 0;
        (current.inner.untie(id, child), traps)
    });
    if traps {
        drop_exits(since, |from| from == child);
    } else if was_linked && *reason != ExitReason::Normal {
        exit_self(reason.clone());
    }
}

/// Takes the messages of exit signals from there out of the running process's mailbox.
pub(crate) fn drop_exits(since: Mark, is_meant: impl Fn(Pid) -> bool) {
    let meant = |message: &mut Candidate<'_>| message.peek::<Exit>().is_some_and(|exit| is_meant(exit.from));
    drop_messages(since, meant);
}
