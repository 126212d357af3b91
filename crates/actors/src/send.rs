//! Sending: how a message or a notice of the runtime gets from one process to another.

use std::sync::Arc;

use crate::cold::Watching;
use crate::conversation::Told;
use crate::core::Inner;
use crate::current::{Current, unless_dead};
use crate::life::HandingOver;
use crate::mailbox::{Envelope, drop_quietly};
use crate::message::{Message, Target};
use crate::overload::{Push, Refusal};
use crate::pid::{LocalPid, NodeId, Pid, Ref};
use crate::request::{Answer, ReplyTo};
use crate::router::{Flow, Outgoing, RemoteSignal, Router, Unsendable};
use crate::trace::Riding;

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotSent {
    NoProcess,
    Full,
    NotData(String),
}

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
    pub(crate) fn send_to_pid(&self, current: &Current<'_>, to: Pid, envelope: Envelope) {
        if to.node != self.id || !self.notes_only(current, to, &envelope) {
            return self.send_as(Some(current), &Target::Pid(to), envelope);
        }
        current.count_sent();
        let Some(handing_over) = current.hand_over() else { return drop_quietly(envelope) };
        let put = self.put(Some(current), to.id, envelope, Push::Plain);
        drop(handing_over);
        if let Err((refusal, envelope)) = put {
            self.give_up(to.id, refusal, envelope);
        }
    }

    /// What could not be delivered is dropped, and costs the receiver its life if it has asked for that.
    #[cold]
    fn give_up(&self, to: LocalPid, refusal: Refusal, envelope: Envelope) {
        self.counters.count_drop();
        // A destructor that panics is the destructor's affair, not the sender's.
        drop_quietly(envelope);
        if refusal == Refusal::Fatal {
            self.end(to, self.overflow_of(to));
        }
    }

    /// Sends a message if it can be: to a live process with room for it, or to another node as bytes.
    pub(crate) fn try_send(&self, to: Pid, mut envelope: Envelope) -> Result<(), (NotSent, Envelope)> {
        let current = Current::of(self);
        if self.is_traced_for(current) {
            self.trace_send(&Target::Pid(to), &mut envelope);
        }
        let mut envelope = Some(envelope);
        let sent = unless_dead(self, || {
            let taken = envelope.take()?;
            if to.node == self.id {
                return self.put(current, to.id, taken, Push::Try).err().map(|(refusal, back)| {
                    (if refusal == Refusal::Nobody { NotSent::NoProcess } else { NotSent::Full }, back)
                });
            }
            if self.router().is_some_and(|router| router.is_full(to.node)) {
                return Some((NotSent::Full, taken));
            }
            self.send_remote(current, &Target::Pid(to), &taken)
                .err()
                .map(|Unsendable(why)| (NotSent::NotData(why), taken))
        });
        if let Some(current) = current {
            current.count_sent();
        }
        match (sent, envelope) {
            (Some(None), _) => Ok(()),
            (Some(Some(refused)), _) => Err(refused),
            (None, Some(envelope)) => Err((NotSent::NoProcess, envelope)), // The sender is dead.
            (None, None) => Ok(()),
        }
    }

    pub(crate) fn send_envelope(&self, to: &Target, envelope: Envelope) {
        self.send_as(Current::of(self), to, envelope);
    }

    /// Answers a request.
    pub(crate) fn answer<R: Message>(&self, current: &Current<'_>, to: ReplyTo, value: R) {
        let ReplyTo { reference, .. } = to;
        self.send_answer(current, to, Envelope::in_role(Answer { reference, value }));
    }

    /// Sends an answer to whoever waits for it.
    #[inline]
    pub(crate) fn send_answer(&self, current: &Current<'_>, to: ReplyTo, envelope: Envelope) {
        if to.noted_at.node != self.id || !self.notes_only(current, to.caller, &envelope) {
            return self.send_as(Some(current), &to.target(), envelope);
        }
        current.count_sent();
        let Some(handing_over) = current.hand_over() else { return drop_quietly(envelope) };
        let undelivered = self.deliver_by_alias(Some(current), to.noted_at, to.reference, envelope);
        drop(handing_over);
        drop_quietly(undelivered);
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
        let handing_over = match current {
            Some(current) => current.hand_over(),
            None => Some(HandingOver(None)),
        };
        let Some(handing_over) = handing_over else { return drop_quietly(envelope) };
        let put = match to {
            Target::Pid(pid) if pid.node == self.id => self.put_plain(current, pid.id, envelope),
            Target::Name(name, node) if *node == self.id => match self.whereis(name) {
                Some(id) => self.put_plain(current, id, envelope),
                None => Err((LocalPid::NOBODY, Refusal::Nobody, envelope)),
            },
            Target::Alias(pid, reference) if pid.node == self.id => {
                let undelivered = self.deliver_by_alias(current, *pid, *reference, envelope);
                drop(handing_over);
                return drop_quietly(undelivered);
            }
            Target::Pid(_) | Target::Name(..) | Target::Alias(..) => {
                let sent = self.send_remote(current, to, &envelope);
                drop(handing_over);
                if let Err(Unsendable(why)) = sent {
                    eprintln!("greenroom: a message was not sent to {}: {why}", to.node());
                    self.counters.count_drop();
                }
                return drop_quietly(envelope);
            }
        };
        drop(handing_over);
        if let Err((id, refusal, envelope)) = put {
            self.give_up(id, refusal, envelope);
        }
    }

    fn put_plain(
        &self,
        current: Option<&Current<'_>>,
        to: LocalPid,
        envelope: Envelope,
    ) -> Result<(), (LocalPid, Refusal, Envelope)> {
        self.put(current, to, envelope, Push::Plain).map_err(|(refusal, back)| (to, refusal, back))
    }

    /// Hands a message to the router. Where there is no way to that node, it is dropped, as in OTP.
    fn send_remote(&self, current: Option<&Current<'_>>, to: &Target, envelope: &Envelope) -> Result<(), Unsendable> {
        let Some(router) = self.router() else { return Ok(()) };
        let from = current.and_then(Current::pid);
        let token = envelope.token().map(Riding::passport);
        let message = Outgoing { from, type_name: envelope.type_name(), payload: envelope.payload(), token };
        if let (Flow::Full, Some(from)) = (router.send(to, message)?, from) {
            self.hold_back(from, to.node());
        }
        Ok(())
    }

    /// Delivers by what is noted at a process: to whoever waits for its answer, or to itself, by an alias. Under the
    /// lock, so that nothing of this can happen once it was removed there.
    #[inline]
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
            return self.put(current, caller.id, envelope, Push::Notice).err().map(|(_, envelope)| envelope);
        }
        let Some(uses) = cold.aliases.get(&reference).copied() else { return Some(envelope) };
        let refused = self.put(current, to.id, envelope, Push::Notice).err().map(|(_, envelope)| envelope);
        if uses.ends_with_message() {
            cold.aliases.remove(&reference);
            if uses.ends_with_monitor()
                && let Some(Watching { target, tag }) = cold.unwatch(&reference)
            {
                drop(locked);
                drop_quietly(tag);
                self.forget_watcher(reference, to, &target);
            }
        }
        refused
    }

    /// Who gets what is delivered by this alias.
    pub(crate) fn behind_alias(&self, noted_at: Pid, reference: Ref) -> Pid {
        let locked = (noted_at.node == self.id).then(|| self.slot(noted_at.id)?.lock(noted_at.id)).flatten();
        let caller = locked.as_ref().and_then(|locked| locked.view()?.callers.get(&reference).copied());
        caller.unwrap_or(noted_at)
    }

    /// The way to other nodes; not under its lock, as what goes that way may lead back here.
    pub(crate) fn router(&self) -> Option<Arc<dyn Router>> {
        self.router.read().clone()
    }

    /// Puts a message of the runtime itself into the mailbox of a local process.
    pub(crate) fn hand_in<M: Message>(&self, to: Pid, message: M) -> Option<Told> {
        self.hand_in_envelope(to, Envelope::new(message))
    }

    pub(crate) fn hand_in_envelope(&self, to: Pid, mut envelope: Envelope) -> Option<Told> {
        let told = self.trace_notice(&mut envelope);
        drop_quietly(self.deliver(to.id, envelope).err());
        told
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
