//! A story: nodes with what the seed lets happen to them.

mod rest;
mod shared;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use greenroom::{NodeId, NodeName};
use greenroom_cluster::Cookie;
use greenroom_cluster::protocol::{
    Admission, Connection, ConnectionId, Endpoint, FRAGMENT, Limits, Peer, Role, Route, Settings,
};

use self::shared::{Letter, Shared};
use super::network::{Chance, Pipe};

const TICK: Duration = Duration::from_secs(4);
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Processes of a node that operations go between.
const PROCESSES: usize = 3;

static ZEROS: [u8; 4 * FRAGMENT] = [0; 4 * FRAGMENT];

/// What happened in many stories.
#[derive(Debug, Default)]
pub struct Totals {
    pub operations: usize,
    pub fragmented: usize,
    pub downs: usize,
    pub lost: usize,
    pub replaced: usize,
    pub simultaneous: usize,
    pub restarts: usize,
    pub asked: usize,
    pub conflicts: usize,
}

impl Totals {
    pub fn add(&mut self, other: &Totals) {
        self.operations += other.operations;
        self.fragmented += other.fragmented;
        self.downs += other.downs;
        self.lost += other.lost;
        self.replaced += other.replaced;
        self.simultaneous += other.simultaneous;
        self.restarts += other.restarts;
        self.asked += other.asked;
        self.conflicts += other.conflicts;
    }
}

/// A stream between two ends; `pipes[0]` goes from the caller to the listener.
struct Stream {
    ends: [(usize, Option<ConnectionId>); 2],
    pipes: [Pipe; 2],
    /// What was sent and what arrived, by direction and by sender and receiver.
    sent: [BTreeMap<(u8, u8), Vec<u32>>; 2],
    arrived: [BTreeMap<(u8, u8), Vec<u32>>; 2],
}

struct Open {
    connection: Connection,
    stream: usize,
    side: usize,
    /// The peer, once it is up.
    up: Option<NodeName>,
}

struct Monitor {
    peer: NodeName,
    target: u32,
    fired: bool,
}

struct SimNode {
    name: NodeName,
    endpoint: Endpoint,
    open: BTreeMap<ConnectionId, Open>,
    /// Who is up, as those who monitor nodes see it.
    nodes: BTreeMap<Arc<str>, ConnectionId>,
    monitors: BTreeMap<u32, Monitor>,
    /// Who watches what lives here: target, reference, watcher's connection.
    watched: Vec<(u32, u32, ConnectionId)>,
    dead: BTreeSet<u32>,
    /// Groups and global names.
    shared: Shared,
    frozen: bool,
    slow: bool,
}

pub struct Story {
    chance: Chance,
    now: Duration,
    cookie: Cookie,
    nodes: Vec<SimNode>,
    streams: Vec<Stream>,
    /// What servers have sent each other.
    letters: Vec<Letter>,
    next: u32,
    totals: Totals,
    told: String,
}

type Outcome = Result<(), String>;

impl Story {
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let count = 2 + chance.below(3);
        let cookie = "5a".repeat(32).parse().unwrap();
        let nodes = (0..count).map(|index| SimNode::new(index, 1)).collect();
        let now = Duration::from_secs(1);
        let (streams, letters, totals, told) = Default::default();
        // Smaller numbers are those of servers.
        Story { chance, now, cookie, nodes, streams, letters, next: 100, totals, told }
    }

    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    pub fn told(&self) -> String {
        self.told.clone()
    }

    /// Two nodes call each other at about the same time and are left alone: they must find together at once.
    pub fn run_calls(&mut self) -> Outcome {
        self.nodes.truncate(2);
        for _ in 0..1 + self.chance.below(3) {
            self.call(0, 1);
            let pause = Duration::from_millis([0, 0, 1, 20, 300][self.chance.below(5)]);
            self.pass(pause)?;
            self.call(1, 0);
        }
        self.pass(HANDSHAKE)?;
        self.check_pair(1, 0)
    }

    pub fn run(&mut self) -> Outcome {
        for _ in 0..120 + self.chance.below(200) {
            self.something_happens()?;
            let pause = [0, 0, 1, 5, 40, 900][self.chance.below(6)];
            self.pass(Duration::from_millis(pause))?;
        }
        self.come_to_rest()
    }

    fn tell(&mut self, text: &str) {
        let _ = writeln!(self.told, "{:>9.3} {text}", self.now.as_secs_f64());
    }

    fn something_happens(&mut self) -> Outcome {
        let node = self.chance.below(self.nodes.len());
        let other = (node + 1 + self.chance.below(self.nodes.len() - 1)) % self.nodes.len();
        match self.chance.below(30) {
            0..4 => {
                self.call(node, other);
                if self.chance.one_in(2) {
                    self.call(other, node);
                }
            }
            4..12 => {
                for _ in 0..1 + self.chance.below(12) {
                    self.send(node, other)?;
                }
            }
            12..15 => self.monitor(node, other)?,
            15 | 16 => self.die(node)?,
            17 => self.disturb(),
            18 => self.nodes[node].slow = self.chance.one_in(2),
            19 if self.chance.one_in(2) => self.nodes[node].frozen = true,
            19 => self.nodes[node].frozen = false,
            20 => self.disconnect(node, other)?,
            21 if self.chance.one_in(3) => self.restart(node)?,
            24.. => self.share(node)?,
            _ => {
                let pause = Duration::from_millis(self.chance.next() % 3000);
                self.pass(pause)?;
            }
        }
        Ok(())
    }

    /// A stream stalls in one direction or both, goes on, or breaks.
    fn disturb(&mut self) {
        if self.streams.is_empty() {
            return;
        }
        let from = self.streams.len().saturating_sub(4);
        let index = from + self.chance.below(self.streams.len() - from);
        let what = self.chance.below(5);
        self.tell(&format!("stream {index}: disturbance {what}"));
        let [there, back] = &mut self.streams[index].pipes;
        match what {
            0 => there.stalled = true,
            1 => back.stalled = true,
            2 => (there.stalled, back.stalled) = (true, true),
            3 => (there.stalled, back.stalled) = (false, false),
            _ => (there.cut, back.cut) = (true, true),
        }
    }

    fn settings(&self, node: usize) -> Arc<Settings> {
        let myself = Peer { name: self.nodes[node].name.clone(), hidden: false, tick: TICK };
        let (high_water, limit) = (1 << 20, 1 << 30);
        Arc::new(Settings { cookie: self.cookie.clone(), myself, handshake_time: HANDSHAKE, high_water, limit })
    }

    fn call(&mut self, from: usize, to: usize) {
        if self.nodes[from].frozen {
            return;
        }
        let stream = self.streams.len();
        self.tell(&format!("{from} calls {to} on stream {stream}"));
        let binding = self.chance.nonce();
        let caller = self.nodes[from].endpoint.call();
        self.open(from, Role::Caller, caller, stream, binding);
        let now = self.now;
        let chance = self.chance.next();
        let listener = match self.nodes[to].endpoint.accept(None, chance, now) {
            Admission::Hear(id, None) => id,
            other => unreachable!("there is room for all: {other:?}"),
        };
        self.open(to, Role::Listener, listener, stream, binding);
        let ends = [(from, Some(caller)), (to, Some(listener))];
        let (pipes, sent, arrived) = Default::default();
        self.streams.push(Stream { ends, pipes, sent, arrived });
    }

    fn open(&mut self, node: usize, role: Role, id: ConnectionId, stream: usize, binding: [u8; 32]) {
        let connection = Connection::new(role, self.settings(node), binding, self.chance.nonce(), self.now);
        let side = usize::from(role == Role::Listener);
        self.nodes[node].open.insert(id, Open { connection, stream, side, up: None });
    }

    /// The connection that `node` has to `other`, and the life of the other that it is to.
    fn way(&self, node: usize, other: usize) -> Option<(ConnectionId, NodeName)> {
        let id = *self.nodes[node].nodes.get(&self.nodes[other].name.name)?;
        Some((id, self.nodes[node].open.get(&id)?.up.clone()?))
    }

    /// The connection that `node` has to this life of another.
    fn way_to(&self, node: usize, peer: NodeId) -> Option<ConnectionId> {
        let id = *self.nodes[node].nodes.get(&peer.name().name)?;
        let up = self.nodes[node].open.get(&id)?.up.as_ref()?;
        (up.incarnation == peer.name().incarnation).then_some(id)
    }

    fn queue(&mut self, node: usize, id: ConnectionId, route: Route, operation: &[u8]) -> bool {
        let open = self.nodes[node].open.get_mut(&id);
        open.is_some_and(|open| open.connection.queue(route, operation).is_ok())
    }

    fn send(&mut self, node: usize, other: usize) -> Outcome {
        let Some((id, _)) = self.way(node, other).filter(|_| !self.nodes[node].frozen) else { return Ok(()) };
        let (from, to) = (self.chance.below(PROCESSES) as u8, self.chance.below(PROCESSES) as u8);
        let by_name = self.chance.one_in(4);
        self.next += 1;
        let mut operation = vec![0, from, to];
        operation.extend_from_slice(&self.next.to_le_bytes());
        let padding = match self.chance.below(8) {
            0 => self.chance.below(4 * FRAGMENT),
            1 | 2 => self.chance.below(FRAGMENT),
            _ => 0,
        };
        operation.extend_from_slice(&ZEROS[..padding]);
        self.totals.operations += 1;
        self.totals.fragmented += usize::from(operation.len() > FRAGMENT);
        let route = Route { from: Some(from.into()), to: (!by_name).then_some(to.into()) };
        if self.queue(node, id, route, &operation) {
            let open = &self.nodes[node].open[&id];
            let number = self.next;
            self.streams[open.stream].sent[open.side].entry((from, to)).or_default().push(number);
        }
        Ok(())
    }

    fn monitor(&mut self, node: usize, other: usize) -> Outcome {
        if self.nodes[node].frozen {
            return Ok(());
        }
        self.next += 1;
        let (reference, target) = (self.next, self.chance.below(40) as u32);
        let way = self.way(node, other);
        let peer = way.as_ref().map_or_else(|| self.nodes[other].name.clone(), |(_, name)| name.clone());
        self.nodes[node].monitors.insert(reference, Monitor { peer, target, fired: false });
        let operation: Vec<u8> = [1].into_iter().chain(target.to_le_bytes()).chain(reference.to_le_bytes()).collect();
        let asked = way.is_some_and(|(id, _)| self.queue(node, id, Route { from: Some(9), to: None }, &operation));
        if asked { Ok(()) } else { self.fire(node, reference) }
    }

    /// Something that others may monitor dies.
    fn die(&mut self, node: usize) -> Outcome {
        if self.nodes[node].frozen {
            return Ok(());
        }
        let target = self.chance.below(40) as u32;
        self.nodes[node].dead.insert(target);
        let watched = std::mem::take(&mut self.nodes[node].watched);
        for (watched, reference, id) in watched {
            if watched == target {
                self.tell_down(node, reference, id);
            } else {
                self.nodes[node].watched.push((watched, reference, id));
            }
        }
        Ok(())
    }

    fn tell_down(&mut self, node: usize, reference: u32, id: ConnectionId) {
        let operation: Vec<u8> = [2].into_iter().chain(reference.to_le_bytes()).collect();
        self.queue(node, id, Route { from: None, to: Some(8) }, &operation);
    }

    fn fire(&mut self, node: usize, reference: u32) -> Outcome {
        let Some(monitor) = self.nodes[node].monitors.get_mut(&reference) else { return Ok(()) };
        self.totals.downs += 1;
        match std::mem::replace(&mut monitor.fired, true) {
            true => Err(format!("{node} got the DOWN of {reference} twice")),
            false => Ok(()),
        }
    }

    fn disconnect(&mut self, node: usize, other: usize) -> Outcome {
        let Some((id, _)) = self.way(node, other) else { return Ok(()) };
        self.tell(&format!("{node} disconnects {other}"));
        self.close(node, id)
    }

    fn close(&mut self, node: usize, id: ConnectionId) -> Outcome {
        if let Some(open) = self.nodes[node].open.get_mut(&id) {
            open.connection.close();
        }
        self.react(node, id)
    }

    /// The node ends without a word and comes back as another life of itself.
    fn restart(&mut self, node: usize) -> Outcome {
        self.tell(&format!("{node} ends and comes back"));
        self.totals.restarts += 1;
        for stream in &mut self.streams {
            if stream.ends.iter().any(|(end, _)| *end == node) {
                stream.pipes.iter_mut().for_each(|pipe| pipe.cut = true);
            }
        }
        self.nodes[node] = SimNode::new(node, self.nodes[node].name.incarnation + 1);
        Ok(())
    }
}

impl SimNode {
    fn new(index: usize, incarnation: u64) -> Self {
        let name = NodeName { name: format!("node-{index}").into(), incarnation };
        let endpoint = Endpoint::new(name.clone(), Limits::default());
        let (open, nodes, monitors, watched, dead) = Default::default();
        let shared = Shared::default();
        SimNode { name, endpoint, open, nodes, monitors, watched, dead, shared, frozen: false, slow: false }
    }
}
