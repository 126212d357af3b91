//! Exit signals, and what happens when a process ends.
//!
//! A process ends at one moment, under the lock of its place: from then on it is dead to everyone, and
//! the thread that ended it tells everyone who has to know before it returns. Processes that die of it
//! are handled from a list, not by recursion, so that a chain of a hundred thousand links is no problem.
//! The future itself is dropped by a worker, at once if the process is suspended.

use std::collections::VecDeque;

use crate::cold::Cold;
use crate::core::Inner;
use crate::current::{Current, unless_dead};
use crate::mailbox::{Tag, drop_quietly};
use crate::message::Exit;
use crate::pid::{LocalPid, Pid};
use crate::reason::ExitReason;
use crate::recorder::wanted;
use crate::router::RemoteSignal;
use crate::slot::{Locked, flag};
use crate::trace::EventKind;

/// A process that is dead already, and what others are yet to be told of it.
#[must_use = "it is dead, so everyone has to be told: `Inner::spread`"]
pub(crate) struct Ended {
    id: LocalPid,
    reason: ExitReason,
    /// Its flags at the end.
    flags: u64,
    /// Most processes have no links, monitors or name.
    cold: Option<Box<Cold>>,
}

impl Ended {
    fn declare(id: LocalPid, reason: ExitReason, locked: Locked<'_>) -> Self {
        let (flags, cold) = locked.declare_dead();
        Ended { id, reason, flags, cold }
    }
}

impl Inner {
    /// Sends an exit signal, as `exit/2` does.
    pub(crate) fn exit(&self, from: Option<Pid>, to: Pid, reason: ExitReason) {
        if to.node != self.id {
            if let Some(from) = from {
                unless_dead(self, || self.signal(to.node, RemoteSignal::Exit { from, to, reason }));
            }
            return;
        }
        let Some(slot) = self.slot(to.id) else { return };
        let Some(flags) = slot.flags(to.id) else { return };
        let to_itself = from == Some(to);
        let reason = match reason {
            ExitReason::Kill => ExitReason::Killed,
            reason if flags & flag::TRAPS_EXITS != 0 => {
                let from = from.unwrap_or(to);
                let told = unless_dead(self, || self.hand_in(to, Exit { from, reason })).flatten();
                return self.trace_told(from, to, told);
            }
            ExitReason::Normal if !to_itself => return,
            reason => reason,
        };
        // The dead send no signals, so the sender must be alive at the moment at which this one dies.
        let ended = unless_dead(self, || self.declare_dead(to.id, reason));
        self.spread(ended.flatten());
    }

    /// Ends a local process, and whoever dies of that, and tells everyone who has to know.
    pub(crate) fn end(&self, id: LocalPid, reason: ExitReason) {
        self.spread(self.declare_dead(id, reason));
    }

    /// The first half of [`Inner::end`], which waits for nobody.
    pub(crate) fn declare_dead(&self, id: LocalPid, reason: ExitReason) -> Option<Ended> {
        let locked = self.slot(id)?.lock(id)?;
        Some(Ended::declare(id, reason, locked))
    }

    /// The second half.
    pub(crate) fn spread(&self, first: Option<Ended>) {
        let mut others = VecDeque::new();
        let mut next = first;
        while let Some(ended) = next {
            self.tell_everyone(ended, &mut others);
            next = others.pop_front();
        }
    }

    fn tell_everyone(&self, ended: Ended, also: &mut VecDeque<Ended>) {
        let Ended { id, reason, flags, cold } = ended;
        let Some(slot) = self.slot(id) else { return };
        let current = Current::of(self);
        match current {
            Some(current) => current.count_exit(),
            None => self.counters.count_exit(),
        }
        let running = current.and_then(Current::process);
        if running.is_none_or(|(_, running)| running != id) {
            slot.life().quiesce(id.generation());
        }
        let pid = self.pid(id);
        if let Some(name) = cold.as_ref().and_then(|cold| cold.name.as_ref()) {
            let mut names = self.names.write();
            if names.get(name) == Some(&id) {
                names.remove(name);
            }
        }
        for ledger in cold.iter().flat_map(|cold| &cold.entered) {
            if let Some(ledger) = ledger.upgrade() {
                ledger.strike_off(id);
            }
        }
        self.trace(|| EventKind::Exit { pid, reason: reason.clone() });
        if flags & (flag::SUSPENDED | flag::SUSPENDS | flag::HAS_TIMERS | flag::LIMITED) != 0 {
            self.forget(id);
        }
        if let Some(cold) = &cold
            && self.recorders.wants(wanted::FLIGHT | wanted::RECORDING)
        {
            self.recorders.bury(pid, cold.name.as_deref(), cold.label.as_deref());
        }
        if let Some(cold) = cold {
            self.tell_connected(pid, &reason, *cold, also);
        }
        let (messages, was_parked) = slot.inbox.close(Tag::of_generation(id.generation()));
        drop_quietly(messages);
        if was_parked {
            self.schedule(slot);
        }
    }

    /// Forgets what only few processes have.
    #[cold]
    fn forget(&self, id: LocalPid) {
        self.forget_holds(id);
        self.forget_limit(id);
        drop_quietly(self.timers.forget(id));
    }

    fn tell_connected(&self, pid: Pid, reason: &ExitReason, cold: Cold, also: &mut VecDeque<Ended>) {
        drop_quietly(cold.tags); // Of monitors that will not fire: their destructors are not ours.
        for (reference, watcher) in cold.watchers {
            if watcher.node == self.id {
                self.tell_down(reference, watcher, pid, reason);
            } else {
                self.signal(watcher.node, RemoteSignal::Down { reference, watcher, reason: reason.clone() });
            }
        }
        for (reference, caller) in cold.callers {
            self.tell_caller(reference, caller, pid, reason);
        }
        for (reference, target) in cold.watching {
            self.forget_watcher(reference, pid, &target);
        }
        for (peer, ()) in cold.links {
            if peer.node == self.id {
                also.extend(self.break_link(pid, peer, reason));
            } else {
                self.forget_remote_link(pid, peer);
                self.signal(peer.node, RemoteSignal::LinkBroken { from: pid, to: peer, reason: reason.clone() });
            }
        }
    }

    /// Tells `peer`, which is local, that `ended` has ended, if it is still linked to it. Under its
    /// lock, so that after an `unlink` nothing of this can happen.
    fn break_link(&self, ended: Pid, peer: Pid, reason: &ExitReason) -> Option<Ended> {
        let slot = self.slot(peer.id)?;
        let mut locked = slot.lock(peer.id)?;
        locked.known()?.links.remove(&ended)?;
        if slot.flags(peer.id)? & flag::TRAPS_EXITS == 0 {
            let dies = *reason != ExitReason::Normal;
            return dies.then(|| Ended::declare(peer.id, reason.clone(), locked));
        }
        let told = self.hand_in(peer, Exit { from: ended, reason: reason.clone() });
        drop(locked);
        self.trace_told(ended, peer, told);
        None
    }

    /// The same for a process whose peer was on another node.
    pub(crate) fn remote_link_broken(&self, ended: Pid, peer: Pid, reason: &ExitReason) {
        self.forget_remote_link(peer, ended);
        self.spread(self.break_link(ended, peer, reason));
    }
}
