//! What a node knows of all its connections: who is let in, and which of two connections to the same node stays.
//!
//! Everything here is a decision about data. Whoever drives the connections tells it what happens, in the words of
//! [`Event`](super::Event), and does what it says.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use greenroom::NodeName;

use super::handshake::{Peer, Refusal, Role};

/// One connection of a node, open or on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(u64);

/// How many strangers a node deals with.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections may be in their handshake at once.
    pub half_open: usize,
    /// How many handshakes of one address may fail in a row before it is made to wait.
    pub failures: u32,
    /// How long it takes for one failure to be forgiven.
    pub forgiveness: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { half_open: 256, failures: 64, forgiveness: Duration::from_millis(100) }
    }
}

/// What to do with a caller that has just come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Hear what it has to say. If there are too many like it, this other one has to go.
    Hear(ConnectionId, Option<ConnectionId>),
    /// Too many handshakes of this address have failed: hang up.
    TurnAway,
}

#[derive(Debug)]
struct Attempt {
    role: Role,
    address: Option<IpAddr>,
    /// Who is at the other end, as far as it has said so.
    peer: Option<Peer>,
    /// How many connections had come up when it was met.
    met: u64,
}

/// What is known of the node of a name.
#[derive(Debug, Default)]
struct Known {
    /// The latest incarnation that was connected.
    latest: u64,
    up: Option<Up>,
    /// A call of this node to it whose outcome is open, and that may win.
    calling: Option<ConnectionId>,
}

#[derive(Clone, Debug)]
struct Up {
    connection: ConnectionId,
    incarnation: u64,
    /// Its number in the order in which connections came up.
    number: u64,
}

/// All connections of a node.
#[derive(Debug)]
pub struct Endpoint {
    myself: NodeName,
    limits: Limits,
    next: u64,
    ups: u64,
    attempts: HashMap<ConnectionId, Attempt>,
    known: HashMap<Arc<str>, Known>,
    /// Failed handshakes by address, and when they were counted.
    failures: HashMap<IpAddr, (u32, Duration)>,
}

impl Endpoint {
    /// The endpoint of the node `myself`.
    pub fn new(myself: NodeName, limits: Limits) -> Self {
        let (attempts, known, failures) = Default::default();
        Endpoint { myself, limits, next: 0, ups: 0, attempts, known, failures }
    }

    /// This node calls another.
    pub fn call(&mut self) -> ConnectionId {
        self.attempt(Role::Caller, None)
    }

    /// Somebody calls. `chance` is a random number: when there are too many, it says who has to go.
    ///
    /// Whoever goes is chosen at random, so that somebody who opens connections and says nothing cannot keep out those
    /// who do. On the machine itself, where all share one address, failures are not counted.
    pub fn accept(&mut self, address: Option<IpAddr>, chance: u64, now: Duration) -> Admission {
        if let Some(address) = address
            && self.failures(address, now) >= self.limits.failures
        {
            return Admission::TurnAway;
        }
        let mut half_open: Vec<_> = self.half_open().collect();
        half_open.sort_unstable();
        let too_many = half_open.len() >= self.limits.half_open.max(1);
        let evicted = too_many.then(|| half_open[(chance % half_open.len() as u64) as usize]);
        if let Some(evicted) = evicted {
            self.attempts.remove(&evicted);
        }
        Admission::Hear(self.attempt(Role::Listener, address), evicted)
    }

    /// A connection has [met](super::Event::Met) its peer.
    ///
    /// # Errors
    /// The caller should not go on: it is connected, or about to be, or has called itself.
    pub fn met(&mut self, id: ConnectionId, peer: &Peer) -> Result<(), Refusal> {
        let ups = self.ups;
        let Some(attempt) = self.attempts.get_mut(&id) else { return Err(Refusal::Connected) };
        attempt.peer = Some(peer.clone());
        attempt.met = ups;
        self.is_other(&peer.name)?;
        if self.attempts[&id].role == Role::Listener {
            return Ok(()); // Nothing is proved.
        }
        if let Some(known) = self.known.get(&peer.name.name) {
            let is_up = known.up.as_ref().is_some_and(|up| up.incarnation == peer.name.incarnation);
            let is_called = known.calling.is_some_and(|calling| calling != id);
            if is_up || is_called {
                return Err(Refusal::Connected);
            }
        }
        self.known.entry(peer.name.name.clone()).or_default().calling = Some(id);
        Ok(())
    }

    /// A caller has [proved](super::Event::Proved) itself: it is let in, in place of the connection that this gives,
    /// which has to be closed first. Or it is refused; then [`Endpoint::rival`] says who should be
    /// [probed](super::Connection::probe).
    ///
    /// # Errors
    /// Why it is refused.
    pub fn proved(&mut self, id: ConnectionId) -> Result<Option<ConnectionId>, Refusal> {
        let Some((peer, met)) = self.attempts.get(&id).and_then(|attempt| Some((attempt.peer.clone()?, attempt.met)))
        else {
            return Err(Refusal::Connected);
        };
        self.is_other(&peer.name)?;
        let incarnation = peer.name.incarnation;
        let known = self.known.entry(peer.name.name.clone()).or_default();
        if incarnation < known.latest {
            return Err(Refusal::OldIncarnation);
        }
        let replaced = match &known.up {
            Some(up) if up.incarnation != incarnation => return Err(Refusal::NameTaken),
            // It called before this came up, so it knows of this.
            Some(up) if up.number > met => return Err(Refusal::Connected),
            // It would not call if it had not lost the connection that this side still believes in.
            Some(up) => Some(up.connection),
            None if known.calling.is_some() && self.myself.name > peer.name.name => return Err(Refusal::Simultaneous),
            None => known.calling.take(),
        };
        self.rise(id, &peer.name);
        Ok(replaced)
    }

    /// A call of this node has come [up](super::Event::Up). Gives a connection that has to be closed first.
    ///
    /// # Errors
    /// It is no longer wanted, as another connection has come up meanwhile.
    pub fn up(&mut self, id: ConnectionId) -> Result<Option<ConnectionId>, Refusal> {
        let Some(attempt) = self.attempts.get(&id) else { return Err(Refusal::Connected) };
        let (role, peer) = (attempt.role, attempt.peer.clone());
        let Some(peer) = peer else { return Err(Refusal::Connected) };
        if role == Role::Listener {
            return Ok(None); // Decided when it had proved itself.
        }
        let known = self.known.entry(peer.name.name.clone()).or_default();
        if known.calling != Some(id) {
            return Err(Refusal::Connected);
        }
        if peer.name.incarnation < known.latest {
            return Err(Refusal::OldIncarnation);
        }
        let replaced = known.up.as_ref().map(|up| up.connection);
        self.rise(id, &peer.name);
        Ok(replaced)
    }

    /// A connection is over. `failed` if that is the fault of who called.
    pub fn closed(&mut self, id: ConnectionId, failed: bool, now: Duration) {
        let Some(attempt) = self.attempts.remove(&id) else { return };
        if let Some(address) = attempt.address.filter(|address| failed && !address.is_loopback()) {
            let failures = self.failures(address, now) + 1;
            self.failures.insert(address, (failures, now));
        }
        let Some(peer) = attempt.peer else { return };
        let Some(known) = self.known.get_mut(&peer.name.name) else { return };
        if known.calling == Some(id) {
            known.calling = None;
        }
        if known.up.as_ref().is_some_and(|up| up.connection == id) {
            known.up = None;
        }
        if known.latest == 0 && known.up.is_none() && known.calling.is_none() {
            self.known.remove(&peer.name.name);
        }
    }

    /// The connection to the node that has the name of this one's peer.
    pub fn rival(&self, id: ConnectionId) -> Option<ConnectionId> {
        let peer = self.attempts.get(&id)?.peer.as_ref()?;
        self.known.get(&peer.name.name)?.up.as_ref().map(|up| up.connection)
    }

    /// The connection to the node of this name.
    pub fn connection_to(&self, name: &str) -> Option<ConnectionId> {
        self.known.get(name)?.up.as_ref().map(|up| up.connection)
    }

    /// The incarnation in which the node of this name was connected last.
    pub fn latest(&self, name: &str) -> Option<u64> {
        self.known.get(name).map(|known| known.latest).filter(|latest| *latest > 0)
    }

    /// How many connections are in their handshake, of those that came from elsewhere.
    pub fn strangers(&self) -> usize {
        self.half_open().count()
    }

    fn attempt(&mut self, role: Role, address: Option<IpAddr>) -> ConnectionId {
        let id = ConnectionId(self.next);
        self.next += 1;
        self.attempts.insert(id, Attempt { role, address, peer: None, met: self.ups });
        id
    }

    fn half_open(&self) -> impl Iterator<Item = ConnectionId> {
        let strangers = self.attempts.iter().filter(|(_, attempt)| attempt.role == Role::Listener);
        strangers.filter(|(id, attempt)| !self.is_up(**id, attempt)).map(|(id, _)| *id)
    }

    fn is_up(&self, id: ConnectionId, attempt: &Attempt) -> bool {
        let known = attempt.peer.as_ref().and_then(|peer| self.known.get(&peer.name.name));
        known.is_some_and(|known| known.up.as_ref().is_some_and(|up| up.connection == id))
    }

    fn is_other(&self, name: &NodeName) -> Result<(), Refusal> {
        match name.name == self.myself.name {
            true if name.incarnation == self.myself.incarnation => Err(Refusal::Myself),
            true => Err(Refusal::NameTaken),
            false => Ok(()),
        }
    }

    fn rise(&mut self, id: ConnectionId, name: &NodeName) {
        self.ups += 1;
        let known = self.known.entry(name.name.clone()).or_default();
        known.latest = known.latest.max(name.incarnation);
        known.up = Some(Up { connection: id, incarnation: name.incarnation, number: self.ups });
        if known.calling == Some(id) {
            known.calling = None;
        }
    }

    /// How many failures of an address are not forgiven yet. Forgets the addresses of which all are.
    fn failures(&mut self, address: IpAddr, now: Duration) -> u32 {
        let forgiveness = self.limits.forgiveness;
        let left = |(count, then): (u32, Duration)| {
            let forgiven = now.saturating_sub(then).as_nanos() / forgiveness.as_nanos().max(1);
            count.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX))
        };
        if self.failures.len() > 1024 {
            self.failures.retain(|_, failures| left(*failures) > 0);
        }
        self.failures.get(&address).map_or(0, |failures| left(*failures))
    }
}
