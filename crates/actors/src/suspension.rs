//! Suspending processes: who holds whom back, and how often.
//!
//! A suspended process gets no turn; messages queue up, and it can be killed. Whoever suspends holds, and a process
//! goes on when nobody holds it any more, which is decided by [`Holds`], as a function of data. A flag in the state
//! of both shows that there is something to look up there.

use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::core::Inner;
use crate::pid::LocalPid;
use crate::slot::flag;

/// Who holds a process back.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    /// A process that has suspended it.
    Process(LocalPid),
    /// The full mailbox of a process that it has sent to.
    Mailbox(LocalPid),
}

impl Holder {
    fn pid(self) -> LocalPid {
        match self {
            Holder::Process(pid) | Holder::Mailbox(pid) => pid,
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
        self.by.entry(holder.pid()).or_default().insert(held);
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
        if !holders.keys().any(|other| other.pid() == holder.pid()) {
            let pid = holder.pid();
            if let Some(others) = self.by.get_mut(&pid) {
                others.remove(&held);
                if others.is_empty() {
                    self.by.remove(&pid);
                }
            }
        }
        if self.of.get(&held).is_some_and(|holders| !holders.is_empty()) {
            return Released::StillHeld;
        }
        self.of.remove(&held);
        Released::Free
    }

    /// Ends all that one holder holds; those that are free now.
    fn release_all(&mut self, holder: Holder) -> Vec<LocalPid> {
        let held: Vec<LocalPid> = self.by.get(&holder.pid()).into_iter().flatten().copied().collect();
        held.into_iter().filter(|held| self.drop_holder(*held, holder) == Released::Free).collect()
    }

    /// A process has ended; those that are free now.
    fn forget(&mut self, ended: LocalPid) -> Vec<LocalPid> {
        for holder in self.of.remove(&ended).unwrap_or_default().into_keys() {
            if let Some(held) = self.by.get_mut(&holder.pid()) {
                held.remove(&ended);
                if held.is_empty() {
                    self.by.remove(&holder.pid());
                }
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
        let (Some(slot), Some(holding)) = (self.slot(held), self.slot(holder.pid())) else { return false };
        let mut holds = self.suspensions.lock();
        if !slot.is_alive(held) || !holding.is_alive(holder.pid()) {
            return false;
        }
        holds.hold(held, holder);
        // Whoever ends one of them either sees its flag, and forgets what is held once we let go of the lock, or
        // has come first, which we see.
        let ended = (holding.raise(flag::SUSPENDS) | slot.raise(flag::SUSPENDED)) & flag::DEAD != 0;
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

    /// Ends all that one holder holds.
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
