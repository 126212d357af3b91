//! Sending: how a message or a notice of the runtime gets from one process to another.

use std::sync::Arc;
use std::task::Waker;

use crate::core::Inner;
use crate::current::Current;
use crate::mailbox::{Envelope, drop_quietly};
use crate::message::{Message, Target};
use crate::pid::{NodeId, Pid};
use crate::router::{Flow, Outgoing, RemoteSignal, Router};
use crate::trace::{EventKind, Serial, Signal};

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
        if self.is_traced_for(current)
            && let Target::Pid(pid) = *to
        {
            self.trace_send(pid, &mut envelope);
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
                self.send_remote(current, to, &envelope);
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

    fn send_remote(&self, current: Option<&Current<'_>>, to: &Target, envelope: &Envelope) {
        let from = current.and_then(Current::pid);
        let message = Outgoing { from, type_name: envelope.type_name(), payload: envelope.payload() };
        let flow = self.router().map(|router| router.send(to, message));
        if let (Some(Flow::Full), Some(current)) = (flow, current) {
            current.hold_back(to.node());
        }
    }

    /// Whether a process that was held back can go on: if not, `waker` is woken when it should ask again.
    pub(crate) fn has_room(&self, node: NodeId, waker: &Waker) -> bool {
        self.router().is_none_or(|router| router.has_room(node, waker))
    }

    /// The way to other nodes; not under its lock, as what goes that way may lead back here.
    fn router(&self) -> Option<Arc<dyn Router>> {
        self.router.read().clone()
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
        if let Some(router) = self.router() {
            router.signal(to, signal);
        }
    }

    pub(crate) fn has_router(&self) -> bool {
        self.router.read().is_some()
    }
}
