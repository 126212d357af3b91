//! Links: two processes that want to end together.
//!
//! A link is recorded at both ends. The entry at the *receiving* end decides: an exit signal that does
//! not find it there is dropped, so that nothing arrives after `unlink` has returned.

use crate::core::Inner;
use crate::pid::{LocalPid, Pid};
use crate::reason::ExitReason;
use crate::router::RemoteSignal;
use crate::slot::Locked;
use crate::trace::EventKind;

impl Inner {
    /// Links two processes, the first of which is local.
    pub(crate) fn link(&self, from: Pid, to: Pid) {
        if from == to {
            return;
        }
        self.trace(|| EventKind::Link { from, to });
        if to.node != self.id {
            return self.link_remote(from, to);
        }
        match self.lock_both(from.id, to.id) {
            (Some(mut near), Some(mut far)) => {
                near.cold().links.insert(to, ());
                far.cold().links.insert(from, ());
            }
            (near, far) => {
                let near_lives = near.is_some();
                drop((near, far));
                if near_lives {
                    self.exit(Some(to), from, ExitReason::NoProc);
                }
            }
        }
    }

    /// Locks two processes, in the order of the table, so that no two threads wait for each other.
    pub(crate) fn lock_both(&self, near: LocalPid, far: LocalPid) -> (Option<Locked<'_>>, Option<Locked<'_>>) {
        let lock = |id: LocalPid| self.slot(id)?.lock(id);
        if near.index() < far.index() {
            let near = lock(near);
            (near, lock(far))
        } else if near.index() > far.index() {
            let far = lock(far);
            (lock(near), far)
        } else {
            (lock(near), None) // Another user of the same place: it cannot be alive.
        }
    }

    fn link_remote(&self, from: Pid, to: Pid) {
        if !self.has_router() {
            return self.exit(Some(to), from, ExitReason::NoConnection);
        }
        let Some(slot) = self.slot(from.id) else { return };
        let Some(mut locked) = slot.lock(from.id) else { return };
        locked.cold().links.insert(to, ());
        self.remote.lock().links.entry(to.node).or_default().insert((from, to));
        drop(locked);
        self.signal(to.node, RemoteSignal::Link { from, to });
    }

    /// Removes a link from both ends. No exit signal of `to` reaches `from` after this.
    pub(crate) fn unlink(&self, from: Pid, to: Pid) {
        if to.node == self.id {
            // Both under lock, so that they agree whatever the other end does meanwhile.
            let (mut near, mut far) = self.lock_both(from.id, to.id);
            if let Some(cold) = near.as_mut().and_then(Locked::known) {
                cold.links.remove(&to);
            }
            if let Some(cold) = far.as_mut().and_then(Locked::known) {
                cold.links.remove(&from);
            }
            return;
        }
        let was_linked = self
            .slot(from.id)
            .and_then(|slot| slot.lock(from.id))
            .and_then(|mut locked| locked.known()?.links.remove(&to))
            .is_some();
        if was_linked {
            self.forget_remote_link(from, to);
            self.signal(to.node, RemoteSignal::Unlink { from, to });
        }
    }

    /// A process of another node is linked to `to` from now on.
    pub(crate) fn accept_link(&self, from: Pid, to: Pid) {
        match self.slot(to.id).and_then(|slot| slot.lock(to.id)) {
            Some(mut locked) => {
                locked.cold().links.insert(from, ());
                self.remote.lock().links.entry(from.node).or_default().insert((to, from));
            }
            None => {
                let reason = ExitReason::NoProc;
                self.signal(from.node, RemoteSignal::LinkBroken { from: to, to: from, reason });
            }
        }
    }

    /// A process of another node is no longer linked to `to`.
    pub(crate) fn drop_link(&self, from: Pid, to: Pid) {
        self.forget_remote_link(to, from);
        if let Some(mut locked) = self.slot(to.id).and_then(|slot| slot.lock(to.id))
            && let Some(cold) = locked.known()
        {
            cold.links.remove(&from);
        }
    }
}
