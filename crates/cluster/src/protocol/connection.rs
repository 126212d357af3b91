//! One end of one connection: from the hello to the goodbye.
//!
//! It knows nothing of other connections. Twice it asks and waits for an answer: when it has met the peer
//! ([`Event::Met`]) and, at the listener, when the peer has proved itself ([`Event::Proved`]); the
//! [`Endpoint`](super::Endpoint) knows what to say.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::assembly::Assembly;
use super::handshake::{Binding, Handshake, HandshakeError, Peer, Proving, Refusal, Role};
use super::outbox::{Length, NotUp, Outbox, Queued, Route};
use super::record::{Malformed, PROOF, Record, Splitter, malformed};
use crate::cookie::Cookie;

/// What all connections of a node have in common.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What both ends must know, unless a peer has a cookie of its own.
    pub cookie: Cookie,
    /// This node, as it presents itself.
    pub myself: Peer,
    /// How long a handshake may take.
    pub handshake_time: Duration,
    /// How many bytes may wait for a peer before its senders are held back.
    pub high_water: usize,
    /// How many bytes may wait at most: with more, the connection is given up.
    pub limit: usize,
}

/// What has happened on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The other side has said who it claims to be. Nothing of that is proved. A caller goes on with
    /// [`Connection::go_on`].
    Met(Peer),
    /// A caller has proved that it knows the cookie: [`Connection::admit`] lets it in.
    Proved(Peer),
    /// The connection can be used.
    Up(Peer),
    /// An operation has arrived.
    Operation(Vec<u8>),
    /// It is over. The last event.
    Closed(Closed),
}

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The two cannot be brought together.
    Handshake(HandshakeError),
    /// This node, or the other one, does not want it.
    Refused(Refusal),
    /// The handshake was not done in time.
    TooSlow,
    /// Nothing was heard of the peer for so long.
    Silent(Duration),
    /// The peer said something that it must not.
    Malformed(Malformed),
    /// The other side has said goodbye.
    Goodbye,
    /// This side has closed it.
    Here,
    /// The stream has ended without a goodbye.
    Lost(String),
    /// More waited for the peer than may.
    Overloaded(usize),
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Closed::Handshake(error) => error.fmt(f),
            Closed::Refused(refusal) => refusal.fmt(f),
            Closed::TooSlow => f.write_str("the handshake was not done in time"),
            Closed::Silent(time) => write!(f, "nothing was heard of it for {:.1} s", time.as_secs_f64()),
            Closed::Malformed(why) => write!(f, "it broke the protocol: {why}"),
            Closed::Goodbye => f.write_str("it said goodbye"),
            Closed::Here => f.write_str("disconnected from here"),
            Closed::Lost(why) if why.is_empty() => f.write_str("the connection ended"),
            Closed::Lost(why) => write!(f, "the connection ended: {why}"),
            Closed::Overloaded(bytes) => {
                write!(f, "{bytes} bytes waited for it: let senders await something, so that they can be held back")
            }
        }
    }
}

/// What has gone over a connection so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes that were handed to the transport.
    pub bytes_out: u64,
    /// Bytes that came from it.
    pub bytes_in: u64,
    /// Operations that were queued.
    pub operations_out: u64,
    /// Operations that have arrived.
    pub operations_in: u64,
    /// Fragments of long operations that have gone.
    pub fragments_out: u64,
    /// How often a sender was told to wait.
    pub held_back: u64,
    /// Bytes that wait now.
    pub queued: usize,
}

/// One end of a connection.
#[derive(Debug)]
pub struct Connection {
    settings: Arc<Settings>,
    phase: Phase,
    splitter: Splitter,
    assembly: Assembly,
    outbox: Outbox,
    events: VecDeque<Event>,
    counters: Counters,
    /// When the handshake has to be done.
    deadline: Duration,
    /// When something was heard last.
    heard: Duration,
    /// When something was said last.
    said: Duration,
    /// When the peer has to have answered, if it was asked for a sign of life.
    probed: Option<Duration>,
    ended: bool,
}

#[derive(Debug)]
enum Phase {
    /// Waits for the hello; a listener has not said its own yet.
    Hello(Role, Handshake),
    /// A caller that has met the listener waits for the word to go on.
    Met(Peer, Proving),
    /// A listener waits for the proof.
    Proof(Peer, Proving),
    /// A listener whose caller has proved itself waits for the word to let it in.
    Proved(Peer, Proving),
    /// A caller waits for the verdict.
    Verdict(Peer, Proving),
    /// In use.
    Up(Peer),
    Closed,
}

impl Connection {
    /// A connection over a fresh channel whose two ends have the same `binding`. The `nonce` is random.
    pub fn new(role: Role, settings: Arc<Settings>, binding: Binding, nonce: [u8; 32], now: Duration) -> Self {
        let handshake = Handshake::new(role, &settings.cookie, binding, &settings.myself, nonce);
        let mut outbox = Outbox::default();
        if role == Role::Caller {
            outbox.control(&Record::Hello(&handshake.hello));
        }
        Connection {
            deadline: now + settings.handshake_time,
            settings,
            phase: Phase::Hello(role, handshake),
            splitter: Splitter::new(),
            assembly: Assembly::default(),
            outbox,
            events: VecDeque::new(),
            counters: Counters::default(),
            heard: now,
            said: now,
            probed: None,
            ended: false,
        }
    }

    /// Bytes have arrived.
    pub fn handle_input(&mut self, bytes: &[u8], now: Duration) {
        if self.is_closed() {
            return;
        }
        self.heard = now;
        self.probed = None;
        self.counters.bytes_in += bytes.len() as u64;
        let mut splitter = std::mem::replace(&mut self.splitter, Splitter::new());
        splitter.push(bytes);
        while !self.is_closed() {
            match splitter.next() {
                Ok(Some(record)) => {
                    let was_up = self.is_up();
                    if let Err(closed) = self.take(record) {
                        self.end(closed);
                    }
                    if !was_up && self.is_up() {
                        splitter.widen();
                    }
                }
                Ok(None) => break,
                // Whatever speaks another language before it has said who it is, is no node.
                Err(_) if matches!(self.phase, Phase::Hello(..)) => {
                    self.end(Closed::Handshake(HandshakeError::NotANode));
                }
                Err(why) => self.end(Closed::Malformed(why)),
            }
        }
        self.splitter = splitter;
    }

    /// The stream has ended.
    pub fn handle_end(&mut self, why: &str) {
        self.end(Closed::Lost(why.to_owned()));
    }

    /// The time that [`Connection::next_timeout`] told has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        let Phase::Up(peer) = &self.phase else {
            if now >= self.deadline {
                self.end(Closed::TooSlow);
            }
            return;
        };
        let pause = self.pause(peer);
        if now >= self.silent_at() {
            return self.end(Closed::Silent(now.saturating_sub(self.heard)));
        }
        if now >= self.said + pause {
            self.said = now;
            // Behind other things, it would not be needed.
            if self.outbox.queued() == 0 {
                self.outbox.control(&Record::Tick(false));
            }
        }
    }

    /// When [`Connection::handle_timeout`] has to be called; never, once it is closed.
    pub fn next_timeout(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Closed => None,
            Phase::Up(peer) => Some(self.silent_at().min(self.said + self.pause(peer))),
            _ => Some(self.deadline),
        }
    }

    /// Appends to `out` what has to be sent; false if there is nothing. Still has something after the end: the
    /// goodbye.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>, now: Duration) -> bool {
        let before = out.len();
        let any = self.outbox.take(out);
        if any {
            self.said = now;
            self.counters.bytes_out += (out.len() - before) as u64;
        }
        any
    }

    /// What has happened since the last call.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Answers [`Event::Met`] at the caller: go on.
    pub fn go_on(&mut self) {
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Met(peer, proving) => {
                self.outbox.control(&Record::Proof(proving.proof()));
                self.phase = Phase::Verdict(peer, proving);
            }
            other => self.phase = other,
        }
    }

    /// When [`Event::Met`] comes, before a proof can have: this peer has a cookie of its own.
    pub fn use_cookie(&mut self, cookie: &Cookie) {
        if let Phase::Met(_, proving) | Phase::Proof(_, proving) = &mut self.phase {
            proving.use_cookie(cookie);
        }
    }

    /// Answers [`Event::Proved`]: lets the caller in.
    pub fn admit(&mut self) {
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Proved(peer, proving) => {
                let (code, proof) = proving.verdict(Ok(()));
                self.outbox.control(&Record::Verdict { code, proof });
                self.splitter.widen();
                self.phase = Phase::Up(peer.clone());
                self.events.push_back(Event::Up(peer));
            }
            other => self.phase = other,
        }
    }

    /// Answers [`Event::Met`] or [`Event::Proved`]: the peer is not wanted. Who has proved itself is told why.
    pub fn refuse(&mut self, refusal: Refusal) {
        if let Phase::Proved(_, proving) = &self.phase {
            let (code, proof) = proving.verdict(Err(refusal));
            self.outbox.control(&Record::Verdict { code, proof });
        }
        self.end(Closed::Refused(refusal));
    }

    /// Queues an operation.
    ///
    /// # Errors
    /// If the connection is not up.
    pub fn queue(&mut self, route: Route, operation: &[u8]) -> Result<Queued, NotUp> {
        if !self.is_up() {
            return Err(NotUp);
        }
        let length = self.outbox.push(route, operation);
        self.counters.operations_out += 1;
        let queued = self.outbox.queued();
        if queued > self.settings.limit.max(operation.len() * 2) {
            self.end(Closed::Overloaded(queued));
            return Err(NotUp);
        }
        if self.has_room(length) {
            return Ok(Queued::Open);
        }
        self.counters.held_back += 1;
        Ok(Queued::Full(length))
    }

    /// Whether senders of operations of this length need not be held back.
    pub fn has_room(&self, length: Length) -> bool {
        !self.is_up() || self.outbox.waiting(length) < self.settings.high_water
    }

    /// Asks the peer for a sign of life, and gives it a quarter of the tick.
    pub fn probe(&mut self, now: Duration) {
        if self.is_up() && self.probed.is_none() {
            self.outbox.control(&Record::Tick(true));
            self.probed = Some(now + self.settings.myself.tick / 4);
        }
    }

    /// Says goodbye.
    pub fn close(&mut self) {
        if self.is_up() {
            self.outbox.clear();
            self.outbox.control(&Record::Bye);
        }
        self.end(Closed::Here);
    }

    /// The peer has sent an operation that it must not.
    pub fn give_up(&mut self, why: impl Into<String>) {
        self.end(Closed::Malformed(Malformed(why.into())));
    }

    /// Whether [`Connection::poll_transmit`] has something.
    pub fn has_output(&self) -> bool {
        self.outbox.queued() > 0
    }

    /// Whether it can be used.
    pub fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up(_))
    }

    /// Whether it is over.
    pub fn is_closed(&self) -> bool {
        self.ended
    }

    /// What has gone over it.
    pub fn counters(&self) -> Counters {
        Counters { queued: self.outbox.queued(), fragments_out: self.outbox.fragments(), ..self.counters }
    }

    fn take(&mut self, record: Record<'_>) -> Result<(), Closed> {
        match (std::mem::replace(&mut self.phase, Phase::Closed), record) {
            (Phase::Hello(role, handshake), Record::Hello(theirs)) => self.meet(role, &handshake, theirs),
            (Phase::Proof(peer, proving), Record::Proof(proof)) => self.check_proof(peer, proving, &proof),
            (Phase::Verdict(peer, proving), Record::Verdict { code, proof }) => {
                match proving.check_verdict(code, &proof).map_err(Closed::Handshake)? {
                    Ok(()) => {
                        self.phase = Phase::Up(peer.clone());
                        self.events.push_back(Event::Up(peer));
                        Ok(())
                    }
                    Err(refusal) => Err(Closed::Refused(refusal)),
                }
            }
            (Phase::Up(_), Record::Bye) => Err(Closed::Goodbye),
            (Phase::Up(peer), record) => {
                self.phase = Phase::Up(peer);
                self.use_it(record)
            }
            (Phase::Hello(..), _) => Err(Closed::Handshake(HandshakeError::NotANode)),
            (Phase::Met(..) | Phase::Proof(..) | Phase::Proved(..) | Phase::Verdict(..) | Phase::Closed, _) => {
                malformed("a record of the handshake comes out of turn").map_err(Closed::Malformed)
            }
        }
    }

    fn meet(&mut self, role: Role, handshake: &Handshake, theirs: &[u8]) -> Result<(), Closed> {
        let met = handshake.meet(theirs);
        if role == Role::Listener && !matches!(met, Err(HandshakeError::NotANode)) {
            // Also to those who speak another version, so that they can say so.
            self.outbox.control(&Record::Hello(&handshake.hello));
        }
        let (peer, proving) = met.map_err(Closed::Handshake)?;
        self.phase = match role {
            Role::Caller => Phase::Met(peer.clone(), proving),
            Role::Listener => Phase::Proof(peer.clone(), proving),
        };
        self.events.push_back(Event::Met(peer));
        Ok(())
    }

    fn check_proof(&mut self, peer: Peer, proving: Proving, proof: &[u8; PROOF]) -> Result<(), Closed> {
        if let Err(error) = proving.check_proof(proof) {
            // A verdict that nobody can have signed: it says just that.
            self.outbox.control(&Record::Verdict { code: u8::MAX, proof: [0; PROOF] });
            return Err(Closed::Handshake(error));
        }
        self.events.push_back(Event::Proved(peer.clone()));
        self.phase = Phase::Proved(peer, proving);
        Ok(())
    }

    fn use_it(&mut self, record: Record<'_>) -> Result<(), Closed> {
        if record == Record::Tick(true) {
            self.outbox.control(&Record::Tick(false));
        }
        if let Some(operation) = self.assembly.take(record).map_err(Closed::Malformed)? {
            self.counters.operations_in += 1;
            self.events.push_back(Event::Operation(operation));
        }
        Ok(())
    }

    /// Only what is said about the end itself still goes.
    fn end(&mut self, closed: Closed) {
        self.phase = Phase::Closed;
        if !std::mem::replace(&mut self.ended, true) {
            self.outbox.clear();
            self.events.push_back(Event::Closed(closed));
        }
    }

    /// After how much silence of its own this side gives a sign of life: a quarter of what the less patient can bear.
    fn pause(&self, peer: &Peer) -> Duration {
        (self.settings.myself.tick.min(peer.tick) / 4).max(Duration::from_millis(1))
    }

    fn silent_at(&self) -> Duration {
        let patience = self.heard + self.settings.myself.tick;
        self.probed.map_or(patience, |probed| probed.min(patience))
    }
}
