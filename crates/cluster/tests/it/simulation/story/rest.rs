//! The end of a story: all is well again, and what must hold then.

use super::{HANDSHAKE, Open, Outcome, SimNode, Story, TICK};

impl Story {
    /// All is well again: everyone finds together, and everything that is owed arrives.
    pub fn come_to_rest(&mut self) -> Outcome {
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
        self.nodes.iter().enumerate().try_for_each(|(index, node)| self.check_monitors(index, node))?;
        self.check_shared()
    }

    pub fn check_pair(&self, node: usize, other: usize) -> Outcome {
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
