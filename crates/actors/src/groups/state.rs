//! What a scope knows of its groups, and what follows from each thing that it hears: a function of data, without
//! processes.
//!
//! Each node has a scope of the same name that knows its own members. They tell each other: *discover* to introduce
//! themselves, *sync* for all that they have, then *join* and *leave* as it happens. A scope whose process or node has
//! ended takes its members along.

use std::collections::hash_map::Entry;
use std::hash::Hash;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::pid::{Pid, Ref};

/// The members of groups: a process is in a list as often as it has joined.
pub type Members<G> = FxHashMap<G, Vec<Pid>>;

/// All that a scope knows.
#[derive(Debug)]
pub struct State<G> {
    /// Those of this node.
    pub local: Members<G>,
    /// Those of others, by the process of their scope.
    pub remote: FxHashMap<Pid, Members<G>>,
    /// Who wants to be told, and of which group, if not of all.
    watchers: FxHashMap<Ref, (Pid, Option<G>)>,
}

/// What scopes of different nodes tell each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Protocol<G> {
    /// Here I am.
    Discover(Pid),
    /// These are all members that I have.
    Sync(Pid, Vec<(G, Vec<Pid>)>),
    /// These have joined.
    Join(Pid, G, Vec<Pid>),
    /// These have left.
    Leave(Pid, Vec<(G, Vec<Pid>)>),
}

/// What a scope is to hear of.
#[derive(Clone, Debug, PartialEq)]
pub enum Input<G> {
    /// Local processes join.
    Join(G, Vec<Pid>),
    /// Local processes leave, each once.
    Leave(G, Vec<Pid>),
    /// A process has ended: a member, a watcher, or the scope of another node.
    Down(Pid),
    /// Someone wants to be told.
    Watch(Ref, Pid, Option<G>),
    /// Or not any more.
    Unwatch(Ref),
    /// Another node's scope has said something.
    Peer(Protocol<G>),
}

/// What follows.
#[derive(Clone, Debug, PartialEq)]
pub enum Output<G> {
    /// A watcher is told.
    Tell(Pid, GroupEvent<G>),
    /// Another scope is told.
    Send(Pid, Protocol<G>),
    /// From now on it matters when this process ends.
    Monitor(Pid),
}

/// Someone has joined or left a group: see [`Scope::monitor`](super::Scope::monitor).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupEvent<G> {
    /// What `monitor` returned.
    pub reference: Ref,
    /// The group.
    pub group: G,
    /// What has happened.
    pub change: Change,
}

/// What has happened in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// These have joined.
    Joined(Vec<Pid>),
    /// These have left, or ended.
    Left(Vec<Pid>),
}

impl<G> Default for State<G> {
    fn default() -> Self {
        State { local: Members::default(), remote: FxHashMap::default(), watchers: FxHashMap::default() }
    }
}

impl<G: Clone + Eq + Hash> State<G> {
    /// Takes in what the scope `me` has heard.
    pub fn apply(&mut self, me: Pid, input: Input<G>) -> Vec<Output<G>> {
        match input {
            Input::Join(group, pids) => self.join(me, group, pids),
            Input::Leave(group, pids) => {
                let gone = remove(&mut self.local, &group, &pids);
                if gone.is_empty() { Vec::new() } else { self.left_here(me, vec![(group, gone)]) }
            }
            Input::Down(pid) => self.down(me, pid),
            Input::Watch(reference, watcher, group) => {
                self.watchers.insert(reference, (watcher, group));
                vec![Output::Monitor(watcher)]
            }
            Input::Unwatch(reference) => {
                self.watchers.remove(&reference);
                Vec::new()
            }
            Input::Peer(message) => self.hear(me, message),
        }
    }

    /// Whether anything depends on when this process ends.
    pub fn minds(&self, pid: Pid) -> bool {
        self.remote.contains_key(&pid)
            || self.local.values().flatten().any(|member| *member == pid)
            || self.watchers.values().any(|(watcher, _)| *watcher == pid)
    }

    /// What a new process of the scope has to know: who is to be monitored. Other nodes have to be met again.
    pub fn restart(&mut self) -> Vec<Output<G>> {
        self.remote.clear();
        let mut pids: Vec<Pid> = self.local.values().flatten().copied().collect();
        pids.extend(self.watchers.values().map(|(watcher, _)| *watcher));
        pids.sort_unstable();
        pids.dedup();
        pids.into_iter().map(Output::Monitor).collect()
    }

    /// All members of a group, those of this node first.
    pub fn members<'a>(&'a self, group: &'a G) -> impl Iterator<Item = Pid> + 'a {
        let all = std::iter::once(&self.local).chain(self.remote.values());
        all.filter_map(|members| members.get(group)).flatten().copied()
    }

    fn join(&mut self, me: Pid, group: G, pids: Vec<Pid>) -> Vec<Output<G>> {
        let mut outputs: Vec<_> = pids.iter().copied().map(Output::Monitor).collect();
        self.local.entry(group.clone()).or_default().extend(&pids);
        outputs.extend(self.tell(&group, Change::Joined(pids.clone())));
        outputs.extend(
            self.remote.keys().map(|peer| Output::Send(*peer, Protocol::Join(me, group.clone(), pids.clone()))),
        );
        outputs
    }

    fn left_here(&self, me: Pid, gone: Vec<(G, Vec<Pid>)>) -> Vec<Output<G>> {
        let mut outputs = self.tell_left(&gone);
        outputs.extend(self.remote.keys().map(|peer| Output::Send(*peer, Protocol::Leave(me, gone.clone()))));
        outputs
    }

    fn down(&mut self, me: Pid, pid: Pid) -> Vec<Output<G>> {
        self.watchers.retain(|_, (watcher, _)| *watcher != pid);
        if let Some(members) = self.remote.remove(&pid) {
            return self.tell_left(&members.into_iter().collect::<Vec<_>>());
        }
        let mut gone = Vec::new();
        self.local.retain(|group, members| {
            let before = members.len();
            members.retain(|member| *member != pid);
            if members.len() < before {
                gone.push((group.clone(), vec![pid; before - members.len()]));
            }
            !members.is_empty()
        });
        if gone.is_empty() { Vec::new() } else { self.left_here(me, gone) }
    }

    fn hear(&mut self, me: Pid, message: Protocol<G>) -> Vec<Output<G>> {
        match message {
            Protocol::Discover(peer) if peer == me => Vec::new(),
            Protocol::Discover(peer) => {
                let mine = self.local.iter().map(|(group, members)| (group.clone(), members.clone())).collect();
                let mut outputs = vec![Output::Send(peer, Protocol::Sync(me, mine))];
                if let Entry::Vacant(stranger) = self.remote.entry(peer) {
                    stranger.insert(Members::default());
                    outputs.extend([Output::Monitor(peer), Output::Send(peer, Protocol::Discover(me))]);
                }
                outputs
            }
            Protocol::Sync(peer, groups) => {
                let new: Members<G> = groups.into_iter().collect();
                let old = self.remote.insert(peer, new.clone());
                let mut outputs = Vec::new();
                if old.is_none() {
                    outputs.extend([Output::Monitor(peer), Output::Send(peer, Protocol::Discover(me))]);
                }
                let old = old.unwrap_or_default();
                outputs.extend(self.tell_left(&minus(&old, &new)));
                for (group, pids) in minus(&new, &old) {
                    outputs.extend(self.tell(&group, Change::Joined(pids)));
                }
                outputs
            }
            Protocol::Join(peer, group, pids) => {
                let Some(members) = self.remote.get_mut(&peer) else { return Vec::new() };
                members.entry(group.clone()).or_default().extend(&pids);
                self.tell(&group, Change::Joined(pids))
            }
            Protocol::Leave(peer, groups) => {
                let Some(members) = self.remote.get_mut(&peer) else { return Vec::new() };
                for (group, pids) in &groups {
                    remove(members, group, pids);
                }
                self.tell_left(&groups)
            }
        }
    }

    fn tell(&self, group: &G, change: Change) -> Vec<Output<G>> {
        let wants = |wanted: &Option<G>| wanted.as_ref().is_none_or(|wanted| wanted == group);
        let told = self.watchers.iter().filter(|(_, (_, wanted))| wants(wanted)).map(|(reference, (watcher, _))| {
            let event = GroupEvent { reference: *reference, group: group.clone(), change: change.clone() };
            Output::Tell(*watcher, event)
        });
        told.collect()
    }

    fn tell_left(&self, gone: &[(G, Vec<Pid>)]) -> Vec<Output<G>> {
        gone.iter().flat_map(|(group, pids)| self.tell(group, Change::Left(pids.clone()))).collect()
    }
}

/// Removes each of `pids` once, and says who was there.
fn remove<G: Eq + Hash>(members: &mut Members<G>, group: &G, pids: &[Pid]) -> Vec<Pid> {
    let Some(present) = members.get_mut(group) else { return Vec::new() };
    let mut gone = Vec::new();
    for pid in pids {
        if let Some(position) = present.iter().position(|member| member == pid) {
            gone.push(present.remove(position));
        }
    }
    if present.is_empty() {
        members.remove(group);
    }
    gone
}

/// Who is in the first more often than in the second, as often as that.
fn minus<G: Clone + Eq + Hash>(from: &Members<G>, what: &Members<G>) -> Vec<(G, Vec<Pid>)> {
    let mut rest = from.clone();
    for (group, pids) in what {
        remove(&mut rest, group, pids);
    }
    rest.into_iter().collect()
}

#[cfg(test)]
mod tests;
