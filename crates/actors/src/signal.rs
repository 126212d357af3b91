//! Links, monitors, exit signals, and what happens when a process ends.
//!
//! A process ends at one moment, under the lock of its place: from then on it is dead to everyone, and
//! the thread that ended it tells everyone who has to know before it returns. Processes that die of it
//! are handled from a list, not by recursion, so that a chain of a hundred thousand links is no problem.
//! The future itself is dropped by a worker, at once if the process is suspended.
//!
//! A link is recorded at both ends. The entry at the *receiving* end decides: an exit signal that does
//! not find it there is dropped, so that nothing arrives after `unlink` has returned.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::core::{Current, Inner, unless_dead};
use crate::mailbox::{Envelope, Tag, drop_quietly};
use crate::message::{Down, Exit, Message, Target};
use crate::pid::{LocalPid, NodeId, Pid, Ref};
use crate::reason::ExitReason;
use crate::router::{Outgoing, RemoteSignal};
use crate::table::{Cold, Locked, flag};
use crate::trace::{EventKind, Serial, Signal};

/// A process that is dead already, and what others are yet to be told of it.
#[must_use = "it is dead, so everyone has to be told: `Inner::spread`"]
pub(crate) struct Ended {
    id: LocalPid,
    reason: ExitReason,
    cold: Cold,
}

impl Ended {
    fn declare(id: LocalPid, reason: ExitReason, locked: Locked<'_>) -> Self {
        let cold = locked.declare_dead().map(|cold| *cold).unwrap_or_default();
        Ended { id, reason, cold }
    }
}

impl Inner {
    /// Sends a message from the running process, if there is one; what cannot arrive is dropped.
    pub(crate) fn send<M: Message>(&self, to: Pid, message: M) {
        self.send_envelope(&Target::Pid(to), Envelope::new(message));
    }

    pub(crate) fn send_envelope(&self, to: &Target, mut envelope: Envelope) {
        if self.is_traced()
            && let Target::Pid(pid) = *to
        {
            self.trace_send(pid, &mut envelope);
        }
        self.send_untraced(to, envelope);
    }

    pub(crate) fn send_untraced(&self, to: &Target, envelope: Envelope) {
        if let Some(current) = Current::of(self) {
            current.charge(1);
        }
        let local = match to {
            Target::Pid(pid) if pid.node == self.id => Some(pid.id),
            Target::Name(name, node) if *node == self.id => match self.whereis(name) {
                Some(id) => Some(id),
                None => return,
            },
            Target::Pid(_) | Target::Name(..) => None,
        };
        let undelivered = unless_dead(self, || match local {
            Some(id) => self.deliver(id, envelope).err(),
            None => {
                self.send_remote(to, &envelope);
                Some(envelope)
            }
        });
        // A destructor that panics is the destructor's affair, not the sender's.
        drop_quietly(undelivered);
    }

    fn send_remote(&self, to: &Target, envelope: &Envelope) {
        if let Some(router) = self.router.read().as_deref() {
            router.send(to, Outgoing { type_name: envelope.type_name(), payload: envelope.payload() });
        }
    }

    /// Lets the token of the running process ride on the envelope, and shows the event.
    #[cold]
    fn trace_send(&self, to: Pid, envelope: &mut Envelope) {
        let Some(from) = Current::of(self).and_then(Current::pid) else { return };
        let token = Current::of(self).and_then(|current| {
            current.with_own(|own| {
                let token = own.token.as_mut()?;
                token.serial.current += 1;
                Some(token.clone())
            })
        });
        envelope.set_token(token);
        self.trace(|| EventKind::Send { from, to, signal: envelope.signal() });
    }

    /// Takes over the token of a message that the running process has received.
    pub(crate) fn trace_receive(&self, envelope: &mut Envelope) {
        let Some(current) = Current::of(self) else { return };
        let received = envelope.take_token();
        let (before, involved) = current.with_own(|own| {
            let before = own.token.take();
            let clock = before.as_ref().map_or(0, |token| token.serial.current);
            own.token = received.map(|mut token| {
                let answered = token.serial.current;
                token.serial = Serial { previous: answered, current: clock.max(answered) };
                token
            });
            (before, own.token.is_some())
        });
        drop(before); // Only now: it may be the last of its tracer, whose destructor is not ours.
        if (involved || self.is_traced())
            && let Some(by) = current.pid()
        {
            self.trace(|| EventKind::Receive { by, signal: envelope.signal() });
        }
    }

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
        let Ended { id, reason, cold } = ended;
        let Some(slot) = self.slot(id) else { return };
        let running = Current::of(self).and_then(|current| current.process());
        if running.is_none_or(|(_, running)| running != id) {
            slot.quiesce();
        }
        let pid = self.pid(id);
        if let Some(name) = &cold.name {
            let mut names = self.names.write();
            if names.get(name) == Some(&id) {
                names.remove(name);
            }
        }
        self.trace(|| EventKind::Exit { pid, reason: reason.clone() });
        for (reference, watcher) in cold.watchers {
            if watcher.node == self.id {
                self.tell_down(reference, watcher, pid, &reason);
            } else {
                self.signal(watcher.node, RemoteSignal::Down { reference, watcher, reason: reason.clone() });
            }
        }
        for (reference, target) in cold.watching {
            self.forget_watcher(reference, pid, &target);
        }
        for peer in cold.links {
            if peer.node == self.id {
                also.extend(self.break_link(pid, peer, &reason));
            } else {
                self.forget_remote_link(pid, peer);
                self.signal(peer.node, RemoteSignal::LinkBroken { from: pid, to: peer, reason: reason.clone() });
            }
        }
        let (messages, was_parked) = slot.inbox.close(Tag::of_generation(id.generation()));
        drop_quietly(messages);
        if was_parked {
            self.schedule(slot);
        }
    }

    /// Tells `peer`, which is local, that `ended` has ended, if it is still linked to it. Under its
    /// lock, so that after an `unlink` nothing of this can happen.
    fn break_link(&self, ended: Pid, peer: Pid, reason: &ExitReason) -> Option<Ended> {
        let slot = self.slot(peer.id)?;
        let mut locked = slot.lock(peer.id)?;
        if !locked.known()?.links.remove(&ended) {
            return None;
        }
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

    /// Sends the message of a monitor, if its watcher has not ended it meanwhile. Under its lock, so
    /// that `demonitor` can tell for certain.
    fn tell_down(&self, reference: Ref, watcher: Pid, ended: Pid, reason: &ExitReason) {
        let Some(mut locked) = self.slot(watcher.id).and_then(|slot| slot.lock(watcher.id)) else { return };
        let Some(target) = locked.known().and_then(|cold| cold.watching.remove(&reference)) else { return };
        let told = self.hand_in(watcher, Down { reference, target, reason: reason.clone() });
        drop(locked);
        self.trace_told(ended, watcher, told);
    }

    /// Puts a message of the runtime itself into the mailbox of a local process.
    fn hand_in<M: Message>(&self, to: Pid, message: M) -> Option<Signal> {
        let mut envelope = Envelope::new(message);
        let signal = self.is_traced().then(|| {
            let token = Current::of(self).and_then(|current| current.with_own(|own| own.token.clone()));
            envelope.set_token(token);
            envelope.signal()
        });
        drop_quietly(self.deliver(to.id, envelope).err());
        signal
    }

    /// Shows what [`Inner::hand_in`] did, after the locks are gone.
    fn trace_told(&self, from: Pid, to: Pid, told: Option<Signal>) {
        if let Some(signal) = told {
            self.trace(|| EventKind::Send { from, to, signal });
        }
    }

    fn forget_watcher(&self, reference: Ref, watcher: Pid, target: &Target) {
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
        }
    }

    fn forget_remote_link(&self, local: Pid, remote: Pid) {
        if let Some(links) = self.remote.lock().links.get_mut(&remote.node) {
            links.remove(&(local, remote));
        }
    }

    pub(crate) fn signal(&self, to: NodeId, signal: RemoteSignal) {
        if let Some(router) = self.router.read().as_deref() {
            router.signal(to, signal);
        }
    }

    fn has_router(&self) -> bool {
        self.router.read().is_some()
    }

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
                near.cold().links.insert(to);
                far.cold().links.insert(from);
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
    fn lock_both(&self, near: LocalPid, far: LocalPid) -> (Option<Locked<'_>>, Option<Locked<'_>>) {
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
        locked.cold().links.insert(to);
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
            .is_some_and(|mut locked| locked.known().is_some_and(|cold| cold.links.remove(&to)));
        if was_linked {
            self.forget_remote_link(from, to);
            self.signal(to.node, RemoteSignal::Unlink { from, to });
        }
    }

    /// Starts a monitor for `watcher`, which is local.
    pub(crate) fn monitor(&self, watcher: Pid, target: Target) -> Ref {
        let reference = Ref::new();
        self.monitor_as(reference, watcher, target);
        reference
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
        let target = self
            .slot(watcher.id)
            .and_then(|slot| slot.lock(watcher.id))
            .and_then(|mut locked| locked.known()?.watching.remove(&reference));
        // Who finds the entry at the watcher's end has won: from here on no message will come.
        let Some(target) = target else { return false };
        self.forget_watcher(reference, watcher, &target);
        true
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
            Target::Pid(pid) => *pid,
            Target::Name(..) => watcher,
        };
        self.tell_down(reference, watcher, ended, reason);
    }

    /// A process of another node is linked to `to` from now on.
    pub(crate) fn accept_link(&self, from: Pid, to: Pid) {
        match self.slot(to.id).and_then(|slot| slot.lock(to.id)) {
            Some(mut locked) => {
                locked.cold().links.insert(from);
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

    /// Ends a monitor on the running process, from its own side: it has answered what its watcher asked.
    pub(crate) fn dismiss_watcher(&self, reference: Ref) {
        let process = Current::of(self).and_then(Current::process);
        if let Some((slot, id)) = process
            && let Some(mut locked) = slot.lock(id)
        {
            locked.cold().watchers.remove(&reference);
        }
    }

    /// Registers a name.
    pub(crate) fn register(&self, name: &str, id: LocalPid) -> Result<(), RegisterError> {
        let mut names = self.names.write();
        let taken = || RegisterError::Taken { name: name.to_owned() };
        // Whoever has died may not have been struck off yet.
        if names.get(name).is_some_and(|holder| self.is_alive(*holder)) {
            return Err(taken());
        }
        let no_process = || RegisterError::NoProcess { pid: self.pid(id) };
        let slot = self.slot(id).ok_or_else(no_process)?;
        let mut locked = slot.lock(id).ok_or_else(no_process)?;
        let cold = locked.cold();
        if let Some(other) = &cold.name {
            return Err(RegisterError::AlreadyNamed { pid: self.pid(id), name: other.to_string() });
        }
        let name: Arc<str> = name.into();
        cold.name = Some(name.clone());
        names.insert(name, id);
        Ok(())
    }

    /// Frees a name; false if nobody had it.
    pub(crate) fn unregister(&self, name: &str) -> bool {
        let mut names = self.names.write();
        let Some(id) = names.remove(name) else { return false };
        let Some(mut locked) = self.slot(id).and_then(|slot| slot.lock(id)) else { return false };
        locked.cold().name = None;
        true
    }
}

impl Target {
    /// The node that the target is on.
    pub fn node(&self) -> NodeId {
        match self {
            Target::Pid(pid) => pid.node,
            Target::Name(_, node) => *node,
        }
    }
}

/// Why a name could not be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterError {
    /// Another process has the name.
    Taken {
        /// The name.
        name: String,
    },
    /// The process has a name already.
    AlreadyNamed {
        /// The process.
        pid: Pid,
        /// The name that it has.
        name: String,
    },
    /// There is no such process on this node.
    NoProcess {
        /// The process that was meant.
        pid: Pid,
    },
}

impl std::fmt::Display for RegisterError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RegisterError::Taken { name } => write!(f, "the name `{name}` is taken; unregister it first"),
            RegisterError::AlreadyNamed { pid, name } => {
                write!(f, "{pid} is already registered as `{name}`; a process has one name")
            }
            RegisterError::NoProcess { pid } => write!(f, "{pid} is no live process of this node"),
        }
    }
}

impl std::error::Error for RegisterError {}
