//! What the nodes of a story have in common: groups of processes and global names, by the decisions of the real servers,
//! carried over the story's connections.

use std::collections::BTreeMap;

use greenroom::global::protocol as global;
use greenroom::groups::state as groups;
use greenroom::{NodeId, NodeName, Pid, Ref};
use greenroom_cluster::protocol::{FRAGMENT, Route};

use super::{Outcome, SimNode, Story, ZEROS};
use greenroom::global::Resolve;
use greenroom::global::state::State;

const GROUPS: usize = 2;
const NAMES: [&str; 3] = ["x", "y", "z"];

/// The servers of a node, as numbers of its processes.
const SCOPE: u32 = 1;
const NAMER: u32 = 2;

/// What one of them knows, and what lives on its node.
#[derive(Default)]
pub struct Shared {
    pub scope: groups::State<usize>,
    pub names: State,
    /// The processes that it has started, and whether they live.
    pub lives: BTreeMap<u32, bool>,
    /// Those of them that have asked for something and have no answer.
    pub asking: Vec<u32>,
}

/// Something on its way between two servers.
#[derive(Clone)]
pub enum Letter {
    Group(groups::Protocol<usize>),
    Name(global::Protocol),
    Kill(u32),
}

pub fn id(name: &NodeName) -> NodeId {
    NodeId::intern(name)
}

impl SimNode {
    pub fn pid(&self, index: u32) -> Pid {
        Pid::from_parts(id(&self.name), index, 0)
    }
}

impl Story {
    /// A process joins, leaves, asks for a name, or dies.
    pub fn share(&mut self, node: usize) -> Outcome {
        if self.nodes[node].frozen {
            return Ok(());
        }
        let group = self.chance.below(GROUPS);
        let name = NAMES[self.chance.below(NAMES.len())];
        let chosen = self.chance.below(1000);
        let what = self.chance.below(8);
        let shared = &self.nodes[node].shared;
        let living: Vec<u32> = shared.lives.iter().filter(|(_, lives)| **lives).map(|(index, _)| *index).collect();
        match (what, living.get(chosen % living.len().max(1)).copied()) {
            (0, Some(index)) => self.kill(node, index),
            (1, Some(index)) => {
                let pid = self.nodes[node].pid(index);
                self.group(node, groups::Input::Leave(group, vec![pid]))
            }
            (2, _) => self.ask(node, |asker| global::Input::Unregister(name.into(), asker)),
            (3, _) => self.wish(node, name, global::Input::Replace),
            (4 | 5, _) => self.wish(node, name, global::Input::Register),
            _ => {
                let index = self.start(node);
                let pid = self.nodes[node].pid(index);
                self.group(node, groups::Input::Join(group, vec![pid]))
            }
        }
    }

    fn start(&mut self, node: usize) -> u32 {
        self.next += 1;
        self.nodes[node].shared.lives.insert(self.next, true);
        self.next
    }

    fn ask(&mut self, node: usize, input: impl FnOnce(global::Asker) -> global::Input) -> Outcome {
        let index = self.start(node);
        self.nodes[node].shared.asking.push(index);
        let asker = (self.nodes[node].pid(index), Ref::new());
        self.totals.asked += 1;
        self.name(node, input(asker))
    }

    fn wish(&mut self, node: usize, name: &str, input: fn(global::Wish) -> global::Input) -> Outcome {
        let resolve = [Resolve::Kill, Resolve::Notify, Resolve::NotifyBoth][self.chance.below(3)];
        let name = name.into();
        self.ask(node, |asker| input(global::Wish { name, pid: asker.0, resolve, asker }))
    }

    pub fn kill(&mut self, node: usize, index: u32) -> Outcome {
        match self.nodes[node].shared.lives.get_mut(&index) {
            Some(lives) if *lives => *lives = false,
            _ => return Ok(()),
        }
        let pid = self.nodes[node].pid(index);
        self.group(node, groups::Input::Down(pid))?;
        self.name(node, global::Input::Down(pid))
    }

    /// Another node is up: the servers introduce themselves.
    pub fn greet(&mut self, node: usize, peer: NodeId) -> Outcome {
        let (scope, namer) = (self.nodes[node].pid(SCOPE), self.nodes[node].pid(NAMER));
        self.post(node, peer, SCOPE, Letter::Group(groups::Protocol::Discover(scope)));
        self.post(node, peer, NAMER, Letter::Name(global::Protocol::Discover(namer)));
        Ok(())
    }

    /// Another node is lost, and so are its servers.
    pub fn part(&mut self, node: usize, peer: NodeId) -> Outcome {
        self.group(node, groups::Input::Down(Pid::from_parts(peer, SCOPE, 0)))?;
        self.name(node, global::Input::Down(Pid::from_parts(peer, NAMER, 0)))
    }

    pub fn deliver(&mut self, node: usize, letter: Letter) -> Outcome {
        match letter {
            Letter::Group(message) => self.group(node, groups::Input::Peer(message)),
            Letter::Name(message) => self.name(node, global::Input::Peer(message)),
            Letter::Kill(index) => self.kill(node, index),
        }
    }

    fn group(&mut self, node: usize, input: groups::Input<usize>) -> Outcome {
        let me = self.nodes[node].pid(SCOPE);
        let mut lost = Vec::new();
        let mut letters = Vec::new();
        for output in self.nodes[node].shared.scope.apply(me, input) {
            match output {
                groups::Output::Send(to, message) => letters.push((to, Letter::Group(message))),
                groups::Output::Monitor(pid) if self.is_gone(node, pid) => lost.push(pid),
                groups::Output::Monitor(_) | groups::Output::Tell(..) => {}
            }
        }
        self.post_all(node, letters);
        lost.into_iter().try_for_each(|pid| self.group(node, groups::Input::Down(pid)))
    }

    fn name(&mut self, node: usize, input: global::Input) -> Outcome {
        let me = self.nodes[node].pid(NAMER);
        let shared = &mut self.nodes[node].shared;
        let lives = |pid: Pid| shared.lives.get(&pid.parts().0).copied().unwrap_or(false);
        let outputs = shared.names.apply(me, &lives, input);
        let (mut lost, mut killed) = (Vec::new(), Vec::new());
        let mut letters = Vec::new();
        for output in outputs {
            match output {
                global::Output::Reply((asker, _), _) => {
                    let asking = &mut self.nodes[node].shared.asking;
                    let Some(index) = asking.iter().position(|index| *index == asker.parts().0) else {
                        return Err(format!("{node} answers {asker} twice"));
                    };
                    asking.swap_remove(index);
                }
                global::Output::Send(to, message) => letters.push((to, Letter::Name(message))),
                global::Output::Monitor(pid) if self.is_gone(node, pid) => lost.push(pid),
                global::Output::Kill(pid) if pid.node() == me.node() => killed.push(pid.parts().0),
                global::Output::Kill(pid) => letters.push((pid, Letter::Kill(pid.parts().0))),
                global::Output::Tell(..) => self.totals.conflicts += 1,
                // Only who syncs asks, and nobody does in these stories.
                global::Output::Ask(_) | global::Output::Monitor(_) => {}
            }
        }
        self.totals.conflicts += killed.len();
        self.post_all(node, letters);
        killed.into_iter().try_for_each(|index| self.kill(node, index))?;
        lost.into_iter().try_for_each(|pid| self.name(node, global::Input::Down(pid)))
    }

    /// Whether a monitor on a process fires at once.
    fn is_gone(&self, node: usize, pid: Pid) -> bool {
        match pid.node() == id(&self.nodes[node].name) {
            true => self.nodes[node].shared.lives.get(&pid.parts().0) == Some(&false),
            false => self.way_to(node, pid.node()).is_none(),
        }
    }

    /// In an order that is the same for the same seed: by receiver, and for each as it was.
    fn post_all(&mut self, node: usize, mut letters: Vec<(Pid, Letter)>) {
        letters.sort_by_key(|(to, _)| to.node().name().name);
        letters.into_iter().for_each(|(to, letter)| self.post(node, to.node(), to.parts().0, letter));
    }

    fn post(&mut self, node: usize, peer: NodeId, to: u32, letter: Letter) {
        let Some(way) = self.way_to(node, peer) else { return };
        let (from, to) = match &letter {
            Letter::Group(groups::Protocol::Discover(_)) => (SCOPE, None),
            Letter::Name(global::Protocol::Discover(_)) => (NAMER, None),
            Letter::Group(_) => (SCOPE, Some(to)),
            Letter::Name(_) | Letter::Kill(_) => (NAMER, Some(to)),
        };
        let number = self.letters.len() as u32;
        self.letters.push(letter);
        let mut operation: Vec<u8> = [3].into_iter().chain(number.to_le_bytes()).collect();
        if self.chance.one_in(10) {
            operation.extend_from_slice(&ZEROS[..2 * FRAGMENT]);
        }
        // What does not go, as the connection is over, is lost with it.
        let route = Route { from: Some(u64::from(from) + 100), to: to.map(|to| u64::from(to) + 100) };
        self.queue(node, way, route, &operation);
    }

    /// All agree about who is in which group, and who has which name.
    pub fn check_shared(&self) -> Outcome {
        for group in 0..GROUPS {
            let sorted = |pids: &mut dyn Iterator<Item = Pid>| {
                let mut pids: Vec<Pid> = pids.collect();
                pids.sort_unstable();
                pids
            };
            let local = |node: &SimNode| node.shared.scope.local.get(&group).cloned().unwrap_or_default();
            let all = sorted(&mut self.nodes.iter().flat_map(local));
            for (index, node) in self.nodes.iter().enumerate() {
                let seen = sorted(&mut node.shared.scope.members(&group));
                if seen != all {
                    return Err(format!("{index} sees {seen:?} in group {group}, and there are {all:?}"));
                }
            }
        }
        for name in NAMES {
            let seen: Vec<Vec<Pid>> = self.nodes.iter().map(|node| node.shared.names.holders(name).collect()).collect();
            if seen[0].len() > 1 || seen.iter().any(|holders| *holders != seen[0]) {
                return Err(format!("nodes do not agree whose {name} is: {seen:?}"));
            }
            let Some(holder) = seen[0].first() else { continue };
            let owner = self.nodes.iter().find(|node| id(&node.name) == holder.node());
            if owner.is_none_or(|owner| owner.shared.lives.get(&holder.parts().0) != Some(&true)) {
                return Err(format!("{name} is {holder}'s, which has ended"));
            }
        }
        let busy = |node: &SimNode| !node.shared.names.is_at_rest() || !node.shared.asking.is_empty();
        match self.nodes.iter().position(busy) {
            Some(node) => Err(format!("{node} has not answered {:?}", self.nodes[node].shared.asking)),
            None => Ok(()),
        }
    }
}
