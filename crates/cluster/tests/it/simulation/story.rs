//! A story: nodes with what the seed lets happen to them, and what must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use greenroom::NodeName;
use greenroom_cluster::Cookie;
use greenroom_cluster::protocol::{
    Admission, Closed, Connection, ConnectionId, Endpoint, Event, FRAGMENT, Limits, Peer, Refusal, Role, Route,
    Settings,
};

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
    frozen: bool,
    slow: bool,
}

pub struct Story {
    chance: Chance,
    now: Duration,
    cookie: Cookie,
    nodes: Vec<SimNode>,
    streams: Vec<Stream>,
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
        let (streams, next, totals, told) = Default::default();
        Story { chance, now, cookie, nodes, streams, next, totals, told }
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
        match self.chance.below(24) {
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

    /// Lets time go by, with everything that happens by itself.
    fn pass(&mut self, by: Duration) -> Outcome {
        let until = self.now + by;
        loop {
            self.move_bytes()?;
            if self.now >= until {
                return Ok(());
            }
            // From one thing that happens to the next; what has arrived and was not read is looked at again soon.
            let due = self.nodes.iter().filter(|node| !node.frozen).flat_map(|node| node.open.values());
            let due = due.filter_map(|open| open.connection.next_timeout());
            let readers = self.nodes.iter().filter(|node| !node.frozen).flat_map(|node| node.open.values());
            let arrivals = readers.filter_map(|open| self.streams[open.stream].pipes[1 - open.side].next_arrival());
            let next = due.chain(arrivals.map(|due| due.max(self.now + Duration::from_millis(5)))).min();
            self.now = next.unwrap_or(until).max(self.now + Duration::from_micros(1)).min(until);
            for node in 0..self.nodes.len() {
                self.handle_timeouts(node)?;
            }
        }
    }

    fn handle_timeouts(&mut self, node: usize) -> Outcome {
        if self.nodes[node].frozen {
            return Ok(());
        }
        let now = self.now;
        let ids: Vec<_> = self.nodes[node].open.keys().copied().collect();
        for id in ids {
            let Some(open) = self.nodes[node].open.get_mut(&id) else { continue };
            if open.connection.next_timeout().is_some_and(|due| due <= now) {
                open.connection.handle_timeout(now);
                self.react(node, id)?;
            }
        }
        Ok(())
    }

    fn move_bytes(&mut self) -> Outcome {
        let mut moved = true;
        let mut rounds = 0;
        while std::mem::take(&mut moved) && rounds < 1000 {
            rounds += 1;
            for node in 0..self.nodes.len() {
                if self.nodes[node].frozen {
                    continue;
                }
                let ids: Vec<_> = self.nodes[node].open.keys().copied().collect();
                for id in ids {
                    moved |= self.transmit(node, id)?;
                    moved |= self.receive(node, id)?;
                }
            }
        }
        Ok(())
    }

    fn transmit(&mut self, node: usize, id: ConnectionId) -> Result<bool, String> {
        let now = self.now;
        let latency = Duration::from_millis([0, 0, 1, 20, 300][self.chance.below(5)]);
        let Some(open) = self.nodes[node].open.get_mut(&id) else { return Ok(false) };
        let pipe = &mut self.streams[open.stream].pipes[open.side];
        let mut out = Vec::new();
        if !pipe.has_room() || !open.connection.poll_transmit(&mut out, now) {
            return Ok(false);
        }
        pipe.write(out, now + latency);
        Ok(true)
    }

    fn receive(&mut self, node: usize, id: ConnectionId) -> Result<bool, String> {
        let now = self.now;
        let is_slow = self.nodes[node].slow;
        if is_slow && !self.chance.one_in(20) {
            return Ok(false);
        }
        let most = if is_slow { 5000 } else { 1 + self.chance.below(100_000) };
        let Some(open) = self.nodes[node].open.get_mut(&id) else { return Ok(false) };
        let pipe = &mut self.streams[open.stream].pipes[1 - open.side];
        match pipe.read(now, most) {
            Some(bytes) => open.connection.handle_input(&bytes, now),
            None if pipe.is_over() => open.connection.handle_end(""),
            None => return Ok(false),
        }
        self.react(node, id)?;
        Ok(true)
    }

    /// Does what the events of a connection ask for, in the words of the protocol.
    fn react(&mut self, node: usize, id: ConnectionId) -> Outcome {
        loop {
            let here = &mut self.nodes[node];
            let Some(open) = here.open.get_mut(&id) else { return Ok(()) };
            let Some(event) = open.connection.poll_event() else { return Ok(()) };
            match event {
                Event::Met(peer) => match here.endpoint.met(id, &peer) {
                    Ok(()) => open.connection.go_on(),
                    Err(refusal) => open.connection.refuse(refusal),
                },
                Event::Proved(_) => self.decide(node, id)?,
                Event::Up(peer) => self.come_up(node, id, peer)?,
                Event::Operation(operation) => self.arrive(node, id, &operation)?,
                Event::Closed(why) => self.end(node, id, &why)?,
            }
        }
    }

    fn decide(&mut self, node: usize, id: ConnectionId) -> Outcome {
        match self.nodes[node].endpoint.proved(id) {
            Ok(replaced) => {
                if let Some(replaced) = replaced {
                    self.totals.replaced += 1;
                    self.close(node, replaced)?;
                }
                if let Some(open) = self.nodes[node].open.get_mut(&id) {
                    open.connection.admit();
                }
            }
            Err(refusal) => {
                self.totals.simultaneous += usize::from(refusal == Refusal::Simultaneous);
                let now = self.now;
                let here = &mut self.nodes[node];
                if refusal == Refusal::NameTaken
                    && let Some(rival) = here.endpoint.rival(id).and_then(|rival| here.open.get_mut(&rival))
                {
                    rival.connection.probe(now);
                }
                if let Some(open) = here.open.get_mut(&id) {
                    open.connection.refuse(refusal);
                }
            }
        }
        Ok(())
    }

    fn come_up(&mut self, node: usize, id: ConnectionId, peer: Peer) -> Outcome {
        match self.nodes[node].endpoint.up(id) {
            Ok(replaced) => {
                if let Some(replaced) = replaced {
                    self.close(node, replaced)?;
                }
                self.tell(&format!("{node}: {} is up, on {id:?}", peer.name));
                let here = &mut self.nodes[node];
                if let Some(open) = here.open.get_mut(&id) {
                    open.up = Some(peer.name.clone());
                }
                match here.nodes.insert(peer.name.name.clone(), id) {
                    Some(before) => Err(format!("{node} has two connections to {}: {before:?}, {id:?}", peer.name)),
                    None => Ok(()),
                }
            }
            Err(_) => {
                if let Some(open) = self.nodes[node].open.get_mut(&id) {
                    open.connection.close();
                }
                Ok(())
            }
        }
    }

    fn arrive(&mut self, node: usize, id: ConnectionId, operation: &[u8]) -> Outcome {
        let word = |at: usize| u32::from_le_bytes(operation[at..at + 4].try_into().unwrap());
        let open = &self.nodes[node].open[&id];
        let Some(peer) = &open.up else { return Err(format!("{node} got an operation of a node that is not up")) };
        if self.nodes[node].nodes.get(&peer.name) != Some(&id) {
            return Err(format!("{node} got an operation of {peer} by a connection that is not its own"));
        }
        match operation[0] {
            0 => {
                let (pair, number) = ((operation[1], operation[2]), word(3));
                let direction = 1 - open.side;
                let stream = &mut self.streams[open.stream];
                let arrived = stream.arrived[direction].entry(pair).or_default();
                arrived.push(number);
                let sent = &stream.sent[direction][&pair];
                if sent.get(..arrived.len()) != Some(arrived.as_slice()) {
                    return Err(format!("{node} got {arrived:?} of {sent:?} from {peer}, {pair:?}"));
                }
            }
            1 if self.nodes[node].dead.contains(&word(1)) => self.tell_down(node, word(5), id),
            1 => self.nodes[node].watched.push((word(1), word(5), id)),
            _ => self.fire(node, word(1))?,
        }
        Ok(())
    }

    fn end(&mut self, node: usize, id: ConnectionId, why: &Closed) -> Outcome {
        let now = self.now;
        self.tell(&format!("{node}: {id:?} is over: {why}"));
        // What is left to say, a goodbye or a verdict, goes on its way; then the stream ends.
        while self.transmit(node, id)? {}
        let here = &mut self.nodes[node];
        here.endpoint.closed(id, false, now);
        let Some(open) = here.open.remove(&id) else { return Ok(()) };
        self.streams[open.stream].pipes[open.side].ended = true;
        self.streams[open.stream].ends[open.side].1 = None;
        let Some(peer) = open.up else { return Ok(()) };
        self.totals.lost += 1;
        if here.nodes.get(&peer.name) != Some(&id) {
            return Err(format!("{node} lost a connection to {peer} that was not its own"));
        }
        here.nodes.remove(&peer.name);
        here.watched.retain(|(_, _, watcher)| *watcher != id);
        let is_owed = |monitor: &Monitor| monitor.peer == peer && !monitor.fired;
        let owed: Vec<_> =
            here.monitors.iter().filter(|(_, monitor)| is_owed(monitor)).map(|(reference, _)| *reference).collect();
        owed.into_iter().try_for_each(|reference| self.fire(node, reference))
    }

    /// All is well again: everyone finds together, and everything that is owed arrives.
    fn come_to_rest(&mut self) -> Outcome {
        self.tell("all is well again");
        for stream in &mut self.streams {
            stream.pipes.iter_mut().for_each(|pipe| pipe.stalled = false);
        }
        self.nodes.iter_mut().for_each(|node| (node.frozen, node.slow) = (false, false));
        let count = self.nodes.len();
        for _ in 0..8 {
            self.pass(TICK * 2)?;
            for (node, other) in (0..count).flat_map(|node| (0..node).map(move |other| (node, other))) {
                if self.way(node, other).is_none() || self.way(other, node).is_none() {
                    self.call(node, other);
                }
            }
        }
        self.pass(HANDSHAKE * 2)?;
        for (node, other) in (0..count).flat_map(|node| (0..node).map(move |other| (node, other))) {
            self.check_pair(node, other)?;
        }
        self.nodes.iter().enumerate().try_for_each(|(index, node)| self.check_monitors(index, node))
    }

    fn check_pair(&self, node: usize, other: usize) -> Outcome {
        let (Some((near, _)), Some((far, _))) = (self.way(node, other), self.way(other, node)) else {
            return Err(format!("{node} and {other} do not come together"));
        };
        let (near, far) = (&self.nodes[node].open[&near], &self.nodes[other].open[&far]);
        if near.stream != far.stream {
            return Err(format!("{node} and {other} hold on to different streams"));
        }
        let stream = &self.streams[near.stream];
        if stream.sent != stream.arrived {
            return Err(format!("not everything arrived between {node} and {other}, which are connected"));
        }
        let between = |open: &&Open| {
            let ends = self.streams[open.stream].ends;
            ends.iter().all(|(end, _)| *end == node || *end == other)
        };
        match self.nodes[node].open.values().filter(between).count() {
            1 => Ok(()),
            count => Err(format!("{node} keeps {count} connections to {other}")),
        }
    }

    fn check_monitors(&self, index: usize, node: &SimNode) -> Outcome {
        for (reference, monitor) in &node.monitors {
            let target = self.nodes.iter().find(|other| other.name == monitor.peer);
            let lives = target.is_some_and(|target| !target.dead.contains(&monitor.target));
            if !lives && !monitor.fired {
                return Err(format!("{index} is owed the DOWN of {reference}"));
            }
        }
        Ok(())
    }
}

impl SimNode {
    fn new(index: usize, incarnation: u64) -> Self {
        let name = NodeName { name: format!("node-{index}").into(), incarnation };
        let endpoint = Endpoint::new(name.clone(), Limits::default());
        let (open, nodes, monitors, watched, dead) = Default::default();
        SimNode { name, endpoint, open, nodes, monitors, watched, dead, frozen: false, slow: false }
    }
}
