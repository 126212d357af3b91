//! Sending: how a message or a notice of the runtime gets from one process to another.

use crate::conversation::Told;
use crate::core::Inner;
use crate::current::Current;
use crate::mailbox::{Envelope, drop_quietly};
use crate::message::{Message, Target};
use crate::pid::{NodeId, Pid};
use crate::router::{Outgoing, RemoteSignal};
use crate::trace::Riding;

impl Inner {
    /// Sends a message from the running process, if there is one; what cannot arrive is dropped.
    #[inline]
    pub(crate) fn send<M: Message>(&self, to: Pid, message: M) {
        self.send_envelope(&Target::Pid(to), Envelope::new(message));
    }

    /// The same for a caller that knows who is current on this thread.
    #[inline]
    pub(crate) fn send_from<M: Message>(&self, current: &Current<'_>, to: Pid, message: M) {
        self.send_to_pid(current, to, Envelope::new(message));
    }

    /// The way that almost all messages take.
    fn send_to_pid(&self, current: &Current<'_>, to: Pid, envelope: Envelope) {
        if to.node != self.id || self.is_traced_for(Some(current)) {
            return self.send_as(Some(current), &Target::Pid(to), envelope);
        }
        current.count_sent();
        let undelivered = current.unless_dead(|| self.deliver_from(Some(current), to.id, envelope).err());
        if let Some(Some(undelivered)) = undelivered {
            drop_quietly(undelivered);
        }
    }

    pub(crate) fn send_envelope(&self, to: &Target, envelope: Envelope) {
        self.send_as(Current::of(self), to, envelope);
    }

    fn send_as(&self, current: Option<&Current<'_>>, to: &Target, mut envelope: Envelope) {
        if self.is_traced_for(current) {
            self.trace_send(to, &mut envelope);
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
            Target::Pid(_) | Target::Name(..) => None,
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

    fn send_remote(&self, to: &Target, envelope: &Envelope) {
        if let Some(router) = self.router.read().as_deref() {
            let token = envelope.token().map(Riding::passport);
            router.send(to, Outgoing { type_name: envelope.type_name(), payload: envelope.payload(), token });
        }
    }

    /// Puts a message of the runtime itself into the mailbox of a local process.
    pub(crate) fn hand_in<M: Message>(&self, to: Pid, message: M) -> Option<Told> {
        let mut envelope = Envelope::new(message);
        let told = self.trace_notice(&mut envelope);
        drop_quietly(self.deliver(to.id, envelope).err());
        told
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
