//! Following conversations: how their tokens ride on messages, and who is told.
//!
//! The rules are OTP's `seq_trace`. A token is in the hands of one process or one message at a time, so all that is
//! shared is here: the system tracer, the recorders, and how often everything was reset. Costs nothing where there
//! is no token.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use rustc_hash::FxHashMap;

use crate::core::Inner;
use crate::current::{Current, unless_dead};
use crate::lock::{Mutex, RwLock};
use crate::mailbox::{Envelope, drop_quietly};
use crate::message::Target;
use crate::pid::{LocalPid, Pid, Ref};
use crate::trace::{Event, EventKind, Flag, Passport, Recording, Report, Riding, Serial, Signal, Token, Tracer};

/// What a node knows of conversations.
#[derive(Default)]
pub(crate) struct Conversations {
    system_tracer: RwLock<Option<LocalPid>>,
    resets: AtomicU64,
    recorders: Mutex<FxHashMap<Ref, Weak<dyn Tracer>>>,
}

impl Conversations {
    fn epoch(&self) -> u64 {
        self.resets.load(Ordering::SeqCst)
    }

    /// Makes all tokens void, wherever they are.
    pub(crate) fn reset(&self) {
        self.resets.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn riding(&self, token: Token, recording: Option<Recording>) -> Box<Riding> {
        Box::new(Riding { token, recording, epoch: self.epoch() })
    }

    /// Makes a recorder known, so that tokens which come back from other nodes find it.
    pub(crate) fn admit(&self, recorder: &Arc<dyn Tracer>) -> Ref {
        let reference = Ref::new();
        let mut recorders = self.recorders.lock();
        recorders.retain(|_, recorder| recorder.strong_count() > 0);
        recorders.insert(reference, Arc::downgrade(recorder));
        reference
    }
}

/// A notice of the runtime that was handed in, to be shown once no lock is held.
pub(crate) struct Told {
    signal: Signal,
    token: Option<Token>,
}

impl Inner {
    /// Replaces the token of the running process.
    pub(crate) fn exchange_token(&self, riding: Option<Box<Riding>>) -> Option<Box<Riding>> {
        let before = Current::of(self)?.with_own(|own| std::mem::replace(&mut own.token, riding))?;
        (before.epoch == self.conversations.epoch()).then_some(before)
    }

    /// The token of the running process.
    pub(crate) fn token(&self) -> Option<Riding> {
        let riding = Current::of(self)?.with_own(|own| own.token.as_deref().cloned())?;
        (riding.epoch == self.conversations.epoch()).then_some(riding)
    }

    /// The token for a message that the running process sends, which is the next of its conversation.
    pub(crate) fn next_token(&self) -> Option<Riding> {
        let current = Current::of(self)?;
        let epoch = self.conversations.epoch();
        let from = current.pid()?;
        let riding = current.with_own(|own| {
            let riding = own.token.as_mut().filter(|riding| riding.epoch == epoch)?;
            riding.token.serial.current += 1;
            riding.token.from = Some(from);
            Some(Riding::clone(riding))
        });
        // What the tracer sends is no part of what it traces.
        riding.filter(|_| *self.conversations.system_tracer.read() != Some(from.id))
    }

    /// Lets the token of the running process ride on the envelope, and shows the event.
    #[cold]
    pub(crate) fn trace_send(&self, to: &Target, envelope: &mut Envelope) {
        let Some(current) = Current::of(self) else { return };
        let Some(from) = current.pid() else { return };
        let riding = self.next_token();
        let to = &match *to {
            Target::Alias(pid, reference) => Target::Pid(self.behind_alias(pid, reference)),
            Target::Pid(_) | Target::Name(..) => to.clone(),
        };
        if let Target::Pid(to) = *to {
            self.trace_sent(current, (from, to), envelope);
        }
        if let Some(riding) = &riding {
            self.report(&riding.token, Flag::Send, || Event::Send { from, to: to.clone(), signal: envelope.signal() });
        }
        envelope.set_token(riding.map(Box::new));
    }

    /// Takes over the token of a message that the running process has received.
    #[cold]
    pub(crate) fn trace_receive(&self, envelope: &mut Envelope) {
        let Some(current) = Current::of(self) else { return };
        let epoch = self.conversations.epoch();
        let received = envelope.take_token().filter(|riding| riding.epoch == epoch);
        let seen = received.as_ref().map(|riding| riding.token.clone());
        let before = current.with_own(|own| {
            let before = own.token.take();
            let clock = before.as_ref().map_or(0, |riding| riding.token.serial.current);
            own.token = received.map(|mut riding| {
                let answered = riding.token.serial.current;
                riding.token.serial = Serial { previous: answered, current: clock.max(answered) };
                riding
            });
            before
        });
        drop_quietly(before); // Only now: it may be the last of its tracer, whose destructor is not ours.
        let Some(by) = current.pid() else { return };
        self.trace_received(current, by, envelope);
        if let Some(token) = seen {
            let from = token.from;
            self.report(&token, Flag::Receive, || Event::Receive { from, by, signal: envelope.signal() });
        }
    }

    /// Lets the token of the running process ride on a notice of the runtime. To be shown by
    /// [`Inner::trace_told`], as the caller may hold locks.
    pub(crate) fn trace_notice(&self, envelope: &mut Envelope) -> Option<Told> {
        if !self.is_traced() {
            return None;
        }
        let riding = self.next_token();
        let told = Told { signal: envelope.signal(), token: riding.as_ref().map(|riding| riding.token.clone()) };
        envelope.set_token(riding.map(Box::new));
        Some(told)
    }

    /// Shows a notice of the runtime, after the locks are gone.
    pub(crate) fn trace_told(&self, from: Pid, to: Pid, told: Option<Told>) {
        let Some(Told { signal, token }) = told else { return };
        if let Some(token) = token {
            self.report(&token, Flag::Send, || Event::Send { from, to: Target::Pid(to), signal: signal.clone() });
        }
        self.trace(|| EventKind::Send { from, to, signal });
    }

    /// Shows that the running process has started another one, which inherits this token.
    pub(crate) fn trace_spawn(&self, parent: Pid, child: Pid) {
        self.trace(|| EventKind::Spawn { parent, child });
        if let Some(riding) = self.token() {
            self.report(&riding.token, Flag::Spawn, || Event::Spawn { parent, child });
        }
    }

    /// What a process that is being started by the running one inherits.
    #[inline]
    pub(crate) fn inherited_token(&self, current: &Current<'_>) -> Option<Box<Riding>> {
        current.with_own(|own| own.token.is_some()).then(|| self.descendant()).flatten()
    }

    #[cold]
    fn descendant(&self) -> Option<Box<Riding>> {
        let mut riding = self.next_token()?;
        riding.token.serial.previous = riding.token.serial.current;
        Some(Box::new(riding))
    }

    /// Tells the system tracer, if there is one.
    pub(crate) fn report(&self, token: &Token, flag: Flag, event: impl FnOnce() -> Event) {
        if !token.has(flag) {
            return;
        }
        let Some(tracer) = self.system_tracer() else { return };
        let at = token.has(Flag::Timestamp).then(|| self.now());
        let report = Report { label: token.label().clone(), serial: token.serial, event: event(), at };
        let envelope = Envelope::new(report);
        drop_quietly(unless_dead(self, || self.deliver(tracer.id, envelope).err()));
    }

    /// The system tracer, if it is alive; if it is not, there is none any more.
    pub(crate) fn system_tracer(&self) -> Option<Pid> {
        let tracer = (*self.conversations.system_tracer.read())?;
        if self.is_alive(tracer) {
            return Some(self.pid(tracer));
        }
        let mut current = self.conversations.system_tracer.write();
        if *current == Some(tracer) {
            *current = None;
        }
        None
    }

    /// Makes this live process the system tracer, or nobody. The one before.
    pub(crate) fn set_system_tracer(&self, tracer: Option<LocalPid>) -> Option<Pid> {
        let before = self.system_tracer();
        *self.conversations.system_tracer.write() = tracer;
        before
    }

    /// The token of a message that has come from another node.
    pub(crate) fn welcome(&self, passport: Passport) -> Box<Riding> {
        let Passport { token, recording } = passport;
        let recording = recording.map(|(node, reference)| {
            let recorders = (node == self.id).then(|| self.conversations.recorders.lock());
            let tracer = recorders.and_then(|recorders| recorders.get(&reference).and_then(Weak::upgrade));
            Recording { node, reference, tracer }
        });
        self.conversations.riding(token, recording)
    }
}
