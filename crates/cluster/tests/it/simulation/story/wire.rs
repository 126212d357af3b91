//! What goes by itself in a story: time, bytes on their way, and what nodes do about the events of their connections.

use std::time::Duration;

use greenroom::NodeId;
use greenroom_cluster::protocol::{Closed, ConnectionId, Event, Peer, Refusal};

use super::{Monitor, Outcome, Story};

impl Story {
    /// Lets time go by, with everything that happens by itself.
    pub fn pass(&mut self, by: Duration) -> Outcome {
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
    pub fn react(&mut self, node: usize, id: ConnectionId) -> Outcome {
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
                if let Some(before) = here.nodes.insert(peer.name.name.clone(), id) {
                    return Err(format!("{node} has two connections to {}: {before:?}, {id:?}", peer.name));
                }
                self.greet(node, NodeId::intern(&peer.name))
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
            3 => self.deliver(node, self.letters[word(1) as usize].clone())?,
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
        owed.into_iter().try_for_each(|reference| self.fire(node, reference))?;
        self.part(node, NodeId::intern(&peer))
    }
}
