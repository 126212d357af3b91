//! Suspending processes: who holds whom back, and how often.
//!
//! A suspended process gets no turn; messages queue up, and it can be killed. Whoever suspends holds, and a process
//! goes on when nobody holds it any more, which is decided by [`Holds`], as a function of data. A flag in the state
//! of both shows that there is something to look up there.

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::core::Inner;
use crate::lock::Mutex;
use crate::pid::{LocalPid, NodeId, Pid};
use crate::router::Router;
use crate::slot::flag;

/// Who holds a process back.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    /// A process that has suspended it.
    Process(LocalPid),
    /// The full mailbox of a process that it has sent to.
    Mailbox(LocalPid),
    /// The way to another node that it has sent to, where too much waits.
    Way(NodeId),
}

impl Holder {
    /// The process with which the hold ends.
    fn pid(self) -> Option<LocalPid> {
        match self {
            Holder::Process(pid) | Holder::Mailbox(pid) => Some(pid),
            Holder::Way(_) => None,
        }
    }
}

/// Who is held back by whom, and how often.
#[derive(Default)]
pub(crate) struct Holds {
    of: FxHashMap<LocalPid, FxHashMap<Holder, u32>>,
    by: FxHashMap<LocalPid, FxHashSet<LocalPid>>,
}

/// What became of a hold that was to be released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Released {
    /// There was none.
    NotHeld,
    /// There are others.
    StillHeld,
    /// It was the last one.
    Free,
}

impl Holds {
    fn hold(&mut self, held: LocalPid, holder: Holder) {
        *self.of.entry(held).or_default().entry(holder).or_default() += 1;
        if let Some(pid) = holder.pid() {
            self.by.entry(pid).or_default().insert(held);
        }
    }

    fn are_there(&self, held: LocalPid, holder: Holder) -> bool {
        self.of.get(&held).is_some_and(|holders| holders.contains_key(&holder))
    }

    fn release(&mut self, held: LocalPid, holder: Holder) -> Released {
        let Some(count) = self.of.get_mut(&held).and_then(|holders| holders.get_mut(&holder)) else {
            return Released::NotHeld;
        };
        *count -= 1;
        if *count > 0 { Released::StillHeld } else { self.drop_holder(held, holder) }
    }

    fn drop_holder(&mut self, held: LocalPid, holder: Holder) -> Released {
        let Some(holders) = self.of.get_mut(&held) else { return Released::NotHeld };
        if holders.remove(&holder).is_none() {
            return Released::NotHeld;
        }
        if let Some(pid) = holder.pid()
            && !holders.keys().any(|other| other.pid() == Some(pid))
        {
            self.forget_held(held, pid);
        }
        if self.of.get(&held).is_some_and(|holders| !holders.is_empty()) {
            return Released::StillHeld;
        }
        self.of.remove(&held);
        Released::Free
    }

    fn forget_held(&mut self, held: LocalPid, by: LocalPid) {
        if let Some(others) = self.by.get_mut(&by) {
            others.remove(&held);
            if others.is_empty() {
                self.by.remove(&by);
            }
        }
    }

    /// Ends all that a process or its mailbox holds; those that are free now.
    fn release_all(&mut self, holder: Holder) -> Vec<LocalPid> {
        let held = holder.pid().and_then(|pid| self.by.get(&pid));
        let held: Vec<LocalPid> = held.into_iter().flatten().copied().collect();
        held.into_iter().filter(|held| self.drop_holder(*held, holder) == Released::Free).collect()
    }

    /// A process has ended; those that are free now.
    fn forget(&mut self, ended: LocalPid) -> Vec<LocalPid> {
        for holder in self.of.remove(&ended).unwrap_or_default().into_keys() {
            if let Some(pid) = holder.pid() {
                self.forget_held(ended, pid);
            }
        }
        let mut free = self.release_all(Holder::Process(ended));
        free.extend(self.release_all(Holder::Mailbox(ended)));
        free
    }
}

/// The holds of a node.
pub(crate) type Suspensions = Mutex<Holds>;

impl Inner {
    /// Holds a process back from its next turn on; false if it or the holder has ended.
    pub(crate) fn suspend(&self, held: LocalPid, holder: Holder) -> bool {
        let Some(slot) = self.slot(held) else { return false };
        let holding = match holder.pid() {
            Some(pid) => match self.slot(pid) {
                Some(holding) => Some((holding, pid)),
                None => return false,
            },
            None => None,
        };
        let mut holds = self.suspensions.lock();
        if !slot.is_alive(held) || holding.is_some_and(|(holding, pid)| !holding.is_alive(pid)) {
            return false;
        }
        holds.hold(held, holder);
        // Whoever ends one of them either sees its flag, and forgets what is held once we let go of the lock, or
        // has come first, which we see.
        let of_holder = holding.map_or(0, |(holding, _)| holding.raise(flag::SUSPENDS));
        let ended = (of_holder | slot.raise(flag::SUSPENDED)) & flag::DEAD != 0;
        if ended {
            let free = holds.release(held, holder) == Released::Free;
            self.let_go(free.then_some(held));
        }
        !ended
    }

    pub(crate) fn resume(&self, held: LocalPid, holder: Holder) -> Released {
        let mut holds = self.suspensions.lock();
        let released = holds.release(held, holder);
        self.let_go((released == Released::Free).then_some(held));
        released
    }

    /// Suspends the running process until there is room on the way to another node.
    #[cold]
    pub(crate) fn hold_back(&self, from: Pid, to: NodeId) {
        let holder = Holder::Way(to);
        // Nobody else begins this hold: it is there once, however much is sent meanwhile.
        if !self.suspensions.lock().are_there(from.id, holder) && self.suspend(from.id, holder) {
            Arc::new(Room { inner: self.downgrade(), from, to }).wake();
        }
    }

    /// Ends all that a process or its mailbox holds.
    pub(crate) fn resume_all(&self, holder: Holder) {
        let mut holds = self.suspensions.lock();
        self.let_go(holds.release_all(holder));
    }

    /// A process that is held, or holds others, has ended.
    pub(crate) fn forget_holds(&self, ended: LocalPid) {
        let mut holds = self.suspensions.lock();
        self.let_go(holds.forget(ended));
    }

    /// Lets processes run again, under the lock of the holds, so that their flags fit these.
    fn let_go(&self, free: impl IntoIterator<Item = LocalPid>) {
        for id in free {
            if let Some(slot) = self.slot(id)
                && slot.flags(id).is_some()
            {
                slot.lower(flag::SUSPENDED);
                self.wake(id);
            }
        }
    }
}

/// Waits until a process that is held back by the way to another node can go on.
struct Room {
    inner: Weak<Inner>,
    from: Pid,
    to: NodeId,
}

impl Wake for Room {
    fn wake(self: Arc<Self>) {
        let Some(inner) = self.inner.upgrade() else { return };
        let (from, holder) = (self.from, Holder::Way(self.to));
        if !inner.suspensions.lock().are_there(from.id, holder) {
            return; // It has ended, or goes on already.
        }
        let has_room = |router: Arc<dyn Router>| router.has_room(self.to, from, &Waker::from(self.clone()));
        if inner.router().is_none_or(has_room) {
            inner.resume(from.id, holder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pid(index: u32) -> LocalPid {
        LocalPid::new(index, 0)
    }

    #[test]
    fn holds_nest_and_each_holder_has_its_own() {
        let (held, one, two) = (pid(0), Holder::Process(pid(1)), Holder::Process(pid(2)));
        let mut holds = Holds::default();
        for holder in [one, one, two] {
            holds.hold(held, holder);
        }
        assert_eq!(holds.release(held, Holder::Process(pid(3))), Released::NotHeld);
        assert_eq!(holds.release(held, one), Released::StillHeld);
        assert_eq!(holds.release(held, one), Released::StillHeld);
        assert_eq!(holds.release(held, one), Released::NotHeld);
        assert_eq!(holds.release(held, two), Released::Free);
        assert!(holds.of.is_empty() && holds.by.is_empty());
    }

    #[test]
    fn whoever_ends_holds_and_is_held_no_more() {
        let mut holds = Holds::default();
        holds.hold(pid(0), Holder::Process(pid(1)));
        holds.hold(pid(0), Holder::Mailbox(pid(1)));
        holds.hold(pid(1), Holder::Process(pid(2)));
        assert!(holds.release_all(Holder::Mailbox(pid(1))).is_empty());
        assert!(holds.forget(pid(1)) == [pid(0)]);
        assert!(holds.of.is_empty() && holds.by.is_empty());
        holds.hold(pid(0), Holder::Process(pid(1)));
        assert!(holds.forget(pid(0)).is_empty());
        assert!(holds.of.is_empty() && holds.by.is_empty());
    }
}
