//! Monitors: who is told when a process ends.
//!
//! A monitor is recorded at both ends. The entry at the *watcher's* end decides, under its lock: who
//! removes it either sends the DOWN message or has ended the monitor, so `demonitor` can tell for certain.

use crate::cold::{Tag, Watching};
use crate::core::Inner;
use crate::mailbox::{Envelope, drop_quietly};
use crate::message::{Down, Target};
use crate::pid::{LocalPid, NodeId, Pid, Ref};
use crate::reason::ExitReason;
use crate::router::RemoteSignal;
use crate::trace::EventKind;

impl Inner {
    /// Starts a monitor for `watcher`, which is local.
    pub(crate) fn monitor(&self, watcher: Pid, target: Target) -> Ref {
        let reference = Ref::new();
        self.monitor_as(reference, watcher, target);
        reference
    }

    /// The same with a reference that was made before, and with a message of its own.
    pub(crate) fn monitor_tagged(&self, reference: Ref, watcher: Pid, target: Target, tag: Tag) {
        if target == Target::Pid(watcher) {
            return;
        }
        if let Some(mut locked) = self.slot(watcher.id).and_then(|slot| slot.lock(watcher.id)) {
            locked.cold().tags.get_or_insert_default().insert(reference, tag);
        }
        self.monitor_as(reference, watcher, target);
    }

    /// The same with a reference that was made before.
    pub(crate) fn monitor_as(&self, reference: Ref, watcher: Pid, target: Target) {
        if target == Target::Pid(watcher) {
            return;
        }
        if let Target::Pid(target) = target {
            self.trace(|| EventKind::Monitor { watcher, target });
        }
        if target.node() != self.id {
            return self.monitor_remote(reference, watcher, target);
        }
        self.note_watching(reference, watcher, &target);
        self.watch(reference, watcher, target);
    }

    fn note_watching(&self, reference: Ref, watcher: Pid, target: &Target) {
        if let Some(mut locked) = self.slot(watcher.id).and_then(|slot| slot.lock(watcher.id)) {
            locked.cold().watching.insert(reference, target.clone());
        }
    }

    fn monitor_remote(&self, reference: Ref, watcher: Pid, target: Target) {
        let node = target.node();
        self.note_watching(reference, watcher, &target);
        self.remote.lock().watching.entry(node).or_default().insert(reference, (watcher, target.clone()));
        if self.has_router() {
            self.signal(node, RemoteSignal::Monitor { reference, watcher, target });
        } else {
            self.remote_down(node, reference, &ExitReason::NoConnection);
        }
    }

    /// Records a monitor at the watched end, or answers at once if nobody is there.
    pub(crate) fn watch(&self, reference: Ref, watcher: Pid, target: Target) {
        let id = match &target {
            Target::Pid(pid) => Some(pid.id),
            Target::Name(name, _) => self.whereis(name),
            Target::Alias(..) => None, // An address, nobody who could end.
        };
        let locked = id.and_then(|id| self.slot(id)?.lock(id));
        match locked {
            Some(mut locked) => {
                locked.cold().watchers.insert(reference, watcher);
                drop(locked);
                // A watcher that died meanwhile may have looked for this entry before it was there.
                if watcher.node == self.id && !self.is_alive(watcher.id) {
                    self.remove_watcher(reference, &target);
                }
            }
            None if watcher.node == self.id => {
                let ended = id.map_or(watcher, |id| self.pid(id));
                self.tell_down(reference, watcher, ended, &ExitReason::NoProc);
            }
            None => {
                self.signal(watcher.node, RemoteSignal::Down { reference, watcher, reason: ExitReason::NoProc });
            }
        }
    }

    /// Ends a monitor of the running process; true if it was active, so that no DOWN will come.
    pub(crate) fn demonitor(&self, watcher: Pid, reference: Ref) -> bool {
        let watching = self.slot(watcher.id).and_then(|slot| slot.lock(watcher.id)?.known()?.unwatch(&reference));
        // Who finds the entry at the watcher's end has won: from here on no message will come.
        let Some(Watching { target, tag }) = watching else { return false };
        drop_quietly(tag);
        self.forget_watcher(reference, watcher, &target);
        true
    }

    /// Sends the message of a monitor, if its watcher has not ended it meanwhile. Under its lock, so
    /// that `demonitor` can tell for certain.
    pub(crate) fn tell_down(&self, reference: Ref, watcher: Pid, ended: Pid, reason: &ExitReason) {
        let Some(mut locked) = self.slot(watcher.id).and_then(|slot| slot.lock(watcher.id)) else { return };
        let Some(Watching { target, tag }) = locked.known().and_then(|cold| cold.unwatch(&reference)) else { return };
        let down = Down { reference, target, reason: reason.clone() };
        let message = match tag {
            Some(tag) => tag(down),
            None => Envelope::new(down),
        };
        let told = self.hand_in_envelope(watcher, message);
        drop(locked);
        self.trace_told(ended, watcher, told);
    }

    pub(crate) fn forget_watcher(&self, reference: Ref, watcher: Pid, target: &Target) {
        let node = target.node();
        if node != self.id {
            if let Some(watching) = self.remote.lock().watching.get_mut(&node) {
                watching.remove(&reference);
            }
            self.signal(node, RemoteSignal::Demonitor { reference, watcher, target: target.clone() });
        } else {
            self.remove_watcher(reference, target);
        }
    }

    /// Removes a monitor at the watched end.
    pub(crate) fn remove_watcher(&self, reference: Ref, target: &Target) -> bool {
        // A name may have moved on since, so the process is looked up by the monitor where need be.
        let remove = |id: LocalPid| {
            let mut locked = self.slot(id)?.lock(id)?;
            locked.known()?.watchers.remove(&reference)
        };
        match target {
            Target::Pid(pid) => remove(pid.id).is_some(),
            Target::Name(name, _) => {
                self.whereis(name).and_then(remove).is_some()
                    || self.table.residents().any(|(_, id)| remove(id).is_some())
            }
            Target::Alias(..) => false,
        }
    }

    /// A monitor of a local process on one of the node `sender` has fired.
    pub(crate) fn remote_down(&self, sender: NodeId, reference: Ref, reason: &ExitReason) {
        let found = self.remote.lock().watching.get_mut(&sender).and_then(|watching| watching.remove(&reference));
        if let Some((watcher, target)) = found {
            self.fire(reference, watcher, &target, reason);
        }
    }

    /// Sends the message of a monitor on a remote process.
    pub(crate) fn fire(&self, reference: Ref, watcher: Pid, target: &Target, reason: &ExitReason) {
        let ended = match target {
            Target::Pid(pid) | Target::Alias(pid, _) => *pid,
            Target::Name(..) => watcher,
        };
        self.tell_down(reference, watcher, ended, reason);
    }
}
