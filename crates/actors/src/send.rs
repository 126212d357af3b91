//! Sending: how a message or a notice of the runtime gets from one process to another.

use crate::core::{Current, Inner, unless_dead};
use crate::mailbox::{Envelope, drop_quietly};
use crate::message::{Message, Target};
use crate::pid::{NodeId, Pid, Ref};
use crate::router::{Outgoing, RemoteSignal};
use crate::table::Uses;
use crate::trace::{EventKind, Serial, Signal};

impl Inner {
    /// Sends a message from the running process, if there is one; what cannot arrive is dropped.
    #[inline]
    pub(crate) fn send<M: Message>(&self, to: Pid, message: M) {
        self.send_envelope(&Target::Pid(to), Envelope::new(message));
    }

    #[inline]
    pub(crate) fn send_envelope(&self, to: &Target, mut envelope: Envelope) {
        let current = Current::of(self);
        if self.is_traced_for(current) {
            match *to {
                Target::Pid(pid) => self.trace_send(pid, &mut envelope),
                Target::Alias(pid, reference) => self.trace_send(self.behind_alias(pid, reference), &mut envelope),
                Target::Name(..) => {}
            }
        }
        self.transfer(current, to, envelope);
    }

    #[inline]
    pub(crate) fn send_untraced(&self, to: &Target, envelope: Envelope) {
        self.transfer(Current::of(self), to, envelope);
    }

    #[inline]
    fn transfer(&self, current: Option<&Current<'_>>, to: &Target, envelope: Envelope) {
        if let Some(current) = current {
            current.count_sent();
        }
        let local = match to {
            Target::Pid(pid) if pid.node == self.id => Some(pid.id),
            Target::Name(name, node) if *node == self.id => match self.whereis(name) {
                Some(id) => Some(id),
                None => return,
            },
            Target::Alias(pid, reference) if pid.node == self.id => {
                let hand_over = || self.deliver_by_alias(current, *pid, *reference, envelope);
                return drop_quietly(unless_dead(self, hand_over).flatten());
            }
            Target::Pid(_) | Target::Name(..) | Target::Alias(..) => None,
        };
        let hand_over = || match local {
            Some(id) => self.deliver_from(current, id, envelope).err(),
            None => {
                self.send_remote(to, &envelope);
                Some(envelope)
            }
        };
        let undelivered = match current {
            Some(current) => current.unless_dead(hand_over).flatten(),
            None => hand_over(),
        };
        if let Some(undelivered) = undelivered {
            // A destructor that panics is the destructor's affair, not the sender's.
            drop_quietly(undelivered);
        }
    }

    /// Delivers by what is noted at a process: to whoever waits for its answer, or to itself, by an alias. Under the
    /// lock, so that nothing of this can happen once it was removed there.
    fn deliver_by_alias(
        &self,
        current: Option<&Current<'_>>,
        to: Pid,
        reference: Ref,
        envelope: Envelope,
    ) -> Option<Envelope> {
        let Some(mut locked) = self.slot(to.id).and_then(|slot| slot.lock(to.id)) else { return Some(envelope) };
        let Some(cold) = locked.known() else { return Some(envelope) };
        if let Some(caller) = cold.callers.remove(&reference) {
            return self.deliver_from(current, caller.id, envelope).err();
        }
        let watched = match cold.aliases.get(&reference) {
            Some(Uses::Many) => None,
            Some(Uses::One) => {
                cold.aliases.remove(&reference);
                cold.watching.remove(&reference)
            }
            None => return Some(envelope),
        };
        let refused = self.deliver_from(current, to.id, envelope).err();
        drop(locked);
        if let Some(target) = watched {
            self.forget_watcher(reference, to, &target);
        }
        refused
    }

    /// Who gets what is delivered by this alias.
    #[cold]
    fn behind_alias(&self, noted_at: Pid, reference: Ref) -> Pid {
        let locked = (noted_at.node == self.id).then(|| self.slot(noted_at.id)?.lock(noted_at.id)).flatten();
        let caller = locked.as_ref().and_then(|locked| locked.view()?.callers.get(&reference).copied());
        caller.unwrap_or(noted_at)
    }

    fn send_remote(&self, to: &Target, envelope: &Envelope) {
        if let Some(router) = self.router.read().as_deref() {
            router.send(to, Outgoing { type_name: envelope.type_name(), payload: envelope.payload() });
        }
    }

    /// Lets the token of the running process ride on the envelope, and shows the event.
    #[cold]
    pub(crate) fn trace_send(&self, to: Pid, envelope: &mut Envelope) {
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

    /// Puts a message of the runtime itself into the mailbox of a local process.
    pub(crate) fn hand_in<M: Message>(&self, to: Pid, message: M) -> Option<Signal> {
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
    pub(crate) fn trace_told(&self, from: Pid, to: Pid, told: Option<Signal>) {
        if let Some(signal) = told {
            self.trace(|| EventKind::Send { from, to, signal });
        }
    }

    pub(crate) fn signal(&self, to: NodeId, signal: RemoteSignal) {
        if let Some(router) = self.router.read().as_deref() {
            router.signal(to, signal);
        }
    }

    pub(crate) fn has_router(&self) -> bool {
        self.router.read().is_some()
    }
}
