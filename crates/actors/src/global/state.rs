//! What a name server knows, and what follows from each thing that it hears: a function of data, without processes.
//!
//! Each node's server owns the names of that node's processes. To register one, it asks all others (*claim*), each of
//! which says no only if it owns the name, or claims it itself and comes first; who has said yes does not claim the
//! name before that one is through. So of several who claim a name at once, one gets it, without locks. Then it tells
//! all (*named*), and who asked is answered when all know it.
//!
//! Servers that meet tell each other what they own. If two own the same name, the one on the node whose name comes first
//! resolves it, and tells the other. A server that has ended, or whose node is lost, takes its names along.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Resolve;
use super::protocol::{Asker, Input, NameConflict, Output, Protocol, Stamp, Wish};
use crate::pid::{NodeId, Pid};

/// All that a server knows.
#[derive(Debug, Default)]
pub struct State {
    /// The names of this node's processes.
    own: FxHashMap<Arc<str>, Own>,
    /// Those of others, by their server.
    others: FxHashMap<Pid, FxHashMap<Arc<str>, Pid>>,
    /// What this server has asked for.
    claims: FxHashMap<Arc<str>, Claim>,
    /// Whom it has said yes to, and who is not through.
    promised: FxHashSet<(Arc<str>, Pid)>,
    /// Wishes that have to wait for claims and promises of the same name.
    waiting: Vec<Wish>,
    /// Answers that wait until servers have heard of something.
    unsaid: Vec<Unsaid>,
    /// Who waits until the names of these nodes are known.
    syncing: Vec<(Asker, FxHashSet<NodeId>)>,
    /// A time that is later than all that it has heard of.
    time: u64,
    questions: u64,
}

#[derive(Debug)]
struct Own {
    pid: Pid,
    stamp: Stamp,
    resolve: Resolve,
}

#[derive(Debug)]
struct Unsaid {
    asker: Asker,
    name: Arc<str>,
    /// When it was given; none if it is to be given up. What a server says of the same name may be about another time.
    given: Option<Stamp>,
    unheard: FxHashSet<Pid>,
}

#[derive(Debug)]
struct Claim {
    wish: Wish,
    question: u64,
    unanswered: FxHashSet<Pid>,
}

impl State {
    /// Takes in what the server `me` has heard. `lives` says whether a process of this node is alive.
    pub fn apply(&mut self, me: Pid, lives: &dyn Fn(Pid) -> bool, input: Input) -> Vec<Output> {
        let mut outputs = Vec::new();
        match input {
            Input::Register(wish) => self.register(me, lives, wish, &mut outputs),
            Input::Replace(wish) => {
                let stamp = self.stamp(true);
                outputs.push(Output::Monitor(wish.pid));
                self.give(me, wish, stamp, &mut outputs);
            }
            Input::Unregister(name, asker) => self.unregister(me, name, asker, &mut outputs),
            Input::Sync(asker, nodes) => {
                outputs.extend(nodes.iter().copied().map(Output::Ask));
                self.syncing.push((asker, nodes.into_iter().collect()));
                self.answer_synced(&mut outputs);
            }
            Input::Lost(node) => self.synced(node, &mut outputs),
            Input::Down(pid) => self.down(me, pid, &mut outputs),
            Input::Peer(message) => self.hear(me, lives, message, &mut outputs),
        }
        // What waited may go on now, or wait again.
        for wish in std::mem::take(&mut self.waiting) {
            self.register(me, lives, wish, &mut outputs);
        }
        outputs
    }

    /// Whose a name is, first what this node's own processes have: more than one only while a conflict is not resolved.
    pub fn holders(&self, name: &str) -> impl Iterator<Item = Pid> {
        let mut others: Vec<_> = self.others.values().filter_map(|names| names.get(name)).copied().collect();
        others.sort_by_key(rank);
        self.own.get(name).map(|own| own.pid).into_iter().chain(others)
    }

    /// All names that are somebody's.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.own.keys().chain(self.others.values().flat_map(FxHashMap::keys))
    }

    /// Whether nobody waits for anything.
    pub fn is_at_rest(&self) -> bool {
        let nobody_waits = self.waiting.is_empty() && self.unsaid.is_empty() && self.syncing.is_empty();
        nobody_waits && self.claims.is_empty() && self.promised.is_empty()
    }

    fn register(&mut self, me: Pid, lives: &dyn Fn(Pid) -> bool, wish: Wish, outputs: &mut Vec<Output>) {
        if !lives(wish.pid) {
            return outputs.push(Output::Reply(wish.asker, Err(None)));
        }
        if let Some(holder) = self.holder(me, lives, &wish.name, outputs) {
            return outputs.push(Output::Reply(wish.asker, Err(Some(holder))));
        }
        let is_promised = self.promised.iter().any(|(name, _)| *name == wish.name);
        if is_promised || self.claims.contains_key(&wish.name) {
            return self.waiting.push(wish);
        }
        self.questions += 1;
        let question = self.questions;
        outputs.push(Output::Monitor(wish.pid));
        let unanswered: FxHashSet<Pid> = self.others.keys().copied().collect();
        self.send_all(outputs, || Protocol::Claim(me, question, wish.name.clone()));
        self.claims.insert(wish.name.clone(), Claim { wish, question, unanswered });
        self.decide_claims(me, outputs);
    }

    /// The process of this node that has a name; one that has just died has it no more.
    fn holder(&mut self, me: Pid, lives: &dyn Fn(Pid) -> bool, name: &str, outputs: &mut Vec<Output>) -> Option<Pid> {
        let holder = self.own.get(name)?.pid;
        if lives(holder) {
            return Some(holder);
        }
        self.free(me, name, outputs);
        None
    }

    /// Claims that all have said yes to are won.
    fn decide_claims(&mut self, me: Pid, outputs: &mut Vec<Output>) {
        let won: Vec<_> = self.claims.extract_if(|_, claim| claim.unanswered.is_empty()).collect();
        for (_, claim) in won {
            let stamp = self.stamp(false);
            self.give(me, claim.wish, stamp, outputs);
        }
    }

    /// The name is this node's process's from now on; who asked is answered when all know it.
    fn give(&mut self, me: Pid, wish: Wish, stamp: Stamp, outputs: &mut Vec<Output>) {
        let Wish { name, pid, resolve, asker } = wish;
        if stamp.replaces {
            self.lose_claim(me, &name, pid, outputs);
        }
        self.own.insert(name.clone(), Own { pid, stamp, resolve });
        self.send_all(outputs, || Protocol::Named(me, name.clone(), pid, stamp));
        let unheard = self.others.keys().copied().collect();
        self.unsaid.push(Unsaid { asker, name, given: Some(stamp), unheard });
        self.answer_heard(outputs);
    }

    fn answer_heard(&mut self, outputs: &mut Vec<Output>) {
        let done = self.unsaid.extract_if(.., |unsaid| unsaid.unheard.is_empty());
        outputs.extend(done.map(|unsaid| Output::Reply(unsaid.asker, Ok(()))));
    }

    /// It is known what a node owns, or that it owns nothing.
    fn synced(&mut self, node: NodeId, outputs: &mut Vec<Output>) {
        self.syncing.iter_mut().for_each(|(_, unknown)| _ = unknown.remove(&node));
        self.answer_synced(outputs);
    }

    fn answer_synced(&mut self, outputs: &mut Vec<Output>) {
        let done = self.syncing.extract_if(.., |(_, unknown)| unknown.is_empty());
        outputs.extend(done.map(|(asker, _)| Output::Reply(asker, Ok(()))));
    }

    fn heard(&mut self, server: Pid, name: &str, given: Option<Stamp>, outputs: &mut Vec<Output>) {
        for unsaid in &mut self.unsaid {
            if *unsaid.name == *name && unsaid.given == given {
                unsaid.unheard.remove(&server);
            }
        }
        self.answer_heard(outputs);
    }

    /// A claim of this server comes to nothing, as somebody else has the name.
    fn lose_claim(&mut self, me: Pid, name: &str, to: Pid, outputs: &mut Vec<Output>) {
        if let Some(claim) = self.claims.remove(name) {
            self.send_all(outputs, || Protocol::GivenUp(me, claim.wish.name.clone()));
            outputs.push(Output::Reply(claim.wish.asker, Err(Some(to))));
        }
    }

    fn unregister(&mut self, me: Pid, name: Arc<str>, asker: Asker, outputs: &mut Vec<Output>) {
        self.free(me, &name, outputs);
        let owners: Vec<(Pid, Pid)> =
            self.others.iter().filter_map(|(server, names)| Some((*server, *names.get(&name)?))).collect();
        let ask = |(server, pid): &(Pid, Pid)| Output::Send(*server, Protocol::GiveUp(me, name.clone(), *pid));
        outputs.extend(owners.iter().map(ask));
        let unheard = owners.into_iter().map(|(server, _)| server).collect();
        self.unsaid.push(Unsaid { asker, name, given: None, unheard });
        self.answer_heard(outputs);
    }

    /// A name of this node is nobody's any more.
    fn free(&mut self, me: Pid, name: &str, outputs: &mut Vec<Output>) {
        if let Some((name, _)) = self.own.remove_entry(name) {
            self.send_all(outputs, || Protocol::Freed(me, name.clone()));
        }
    }

    fn down(&mut self, me: Pid, pid: Pid, outputs: &mut Vec<Output>) {
        if self.others.remove(&pid).is_some() {
            self.promised.retain(|(_, server)| *server != pid);
            self.claims.values_mut().for_each(|claim| _ = claim.unanswered.remove(&pid));
            self.unsaid.iter_mut().for_each(|unsaid| _ = unsaid.unheard.remove(&pid));
            self.decide_claims(me, outputs);
            self.answer_heard(outputs);
        }
        let names: Vec<_> = self.own.iter().filter(|(_, own)| own.pid == pid).map(|(name, _)| name.clone()).collect();
        names.iter().for_each(|name| self.free(me, name, outputs));
        let claims: Vec<_> = self.claims.extract_if(|_, claim| claim.wish.pid == pid).collect();
        for (name, claim) in claims {
            self.send_all(outputs, || Protocol::GivenUp(me, name.clone()));
            outputs.push(Output::Reply(claim.wish.asker, Err(None)));
        }
    }

    fn hear(&mut self, me: Pid, lives: &dyn Fn(Pid) -> bool, message: Protocol, outputs: &mut Vec<Output>) {
        match message {
            Protocol::Discover(server) if server == me => {}
            Protocol::Discover(server) => {
                let mine = self.own.iter().map(|(name, own)| (name.clone(), own.pid)).collect();
                outputs.push(Output::Send(server, Protocol::Sync(me, mine)));
                self.meet(me, server, outputs);
            }
            Protocol::Sync(server, names) => {
                self.meet(me, server, outputs);
                let new: FxHashMap<_, _> = names.into_iter().collect();
                let old = self.others.insert(server, new.clone()).unwrap_or_default();
                for (name, theirs) in new.into_iter().filter(|(name, theirs)| old.get(name) != Some(theirs)) {
                    self.conflict(me, lives, server, &name, theirs, outputs);
                }
                self.synced(server.node(), outputs);
            }
            Protocol::Claim(server, question, name) => {
                let holder = self.holder(me, lives, &name, outputs).or_else(|| {
                    let claim = self.claims.get(&name)?;
                    (rank(&me) < rank(&server)).then_some(claim.wish.pid)
                });
                if holder.is_none() && self.others.contains_key(&server) {
                    self.promised.insert((name, server));
                }
                outputs.push(Output::Send(server, Protocol::Claimed(me, question, holder)));
            }
            Protocol::Claimed(server, question, answer) => {
                let Some(claim) = self.claims.values_mut().find(|claim| claim.question == question) else { return };
                claim.unanswered.remove(&server);
                match answer {
                    Some(holder) => {
                        let name = claim.wish.name.clone();
                        self.lose_claim(me, &name, holder, outputs);
                    }
                    None => self.decide_claims(me, outputs),
                }
            }
            Protocol::GivenUp(server, name) => _ = self.promised.remove(&(name, server)),
            Protocol::Named(server, name, theirs, stamp) => {
                outputs.push(Output::Send(server, Protocol::Known(me, name.clone(), Some(stamp))));
                let was_promised = self.promised.remove(&(name.clone(), server));
                self.time = self.time.max(stamp.time);
                let Some(names) = self.others.get_mut(&server) else { return };
                names.insert(name.clone(), theirs);
                if stamp.replaces {
                    self.lose_claim(me, &name, theirs, outputs);
                    self.yield_to(me, server, (&name, theirs), stamp, outputs);
                } else if !(was_promised && self.own.get(&name).is_some_and(|own| own.stamp.replaces)) {
                    // Otherwise this node has replaced it since it has said yes, and they will hear of that.
                    self.conflict(me, lives, server, &name, theirs, outputs);
                }
            }
            Protocol::Known(server, name, given) => self.heard(server, &name, given, outputs),
            Protocol::Freed(server, name) => {
                if let Some(names) = self.others.get_mut(&server) {
                    names.remove(&name);
                }
                self.heard(server, &name, None, outputs);
            }
            Protocol::GiveUp(server, name, pid) => {
                if self.own.get(&name).is_some_and(|own| own.pid == pid) {
                    self.free(me, &name, outputs);
                } else {
                    // It is free already, and has been said to be; or another has it. Who asked need not wait.
                    outputs.push(Output::Send(server, Protocol::Known(me, name, None)));
                }
            }
        }
    }

    /// A server that may not be known yet.
    fn meet(&mut self, me: Pid, server: Pid, outputs: &mut Vec<Output>) {
        if self.others.contains_key(&server) {
            return;
        }
        self.others.insert(server, FxHashMap::default());
        outputs.extend([Output::Monitor(server), Output::Send(server, Protocol::Discover(me))]);
        for claim in self.claims.values_mut() {
            claim.unanswered.insert(server);
            let question = Protocol::Claim(me, claim.question, claim.wish.name.clone());
            outputs.push(Output::Send(server, question));
        }
    }

    /// A name is another's now, whoever had it: of two that say so at once, the later one, or else the first node's.
    fn yield_to(
        &mut self,
        me: Pid,
        server: Pid,
        (name, theirs): (&Arc<str>, Pid),
        stamp: Stamp,
        outputs: &mut Vec<Output>,
    ) {
        let Some(own) = self.own.get(&**name) else { return };
        if (stamp, rank(&me)) > (own.stamp, rank(&server)) {
            self.free(me, name, outputs);
        } else {
            // They may have met this node after it has said that the name is its own.
            outputs.push(Output::Send(server, Protocol::GiveUp(me, name.clone(), theirs)));
        }
    }

    /// Another node's process has the name, too. The server of the first node decides.
    fn conflict(
        &mut self,
        me: Pid,
        lives: &dyn Fn(Pid) -> bool,
        server: Pid,
        name: &Arc<str>,
        theirs: Pid,
        outputs: &mut Vec<Output>,
    ) {
        let Some(mine) = self.holder(me, lives, name, outputs) else { return };
        if rank(&me) > rank(&server) {
            return;
        }
        let resolve = self.own.get(&**name).map(|own| own.resolve).unwrap_or_default();
        let stays = resolve.decide(name, mine, theirs);
        for (loser, other) in [(mine, theirs), (theirs, mine)] {
            if stays == Some(loser) {
                continue;
            }
            match resolve {
                Resolve::Kill => outputs.push(Output::Kill(loser)),
                Resolve::Notify | Resolve::NotifyBoth => {
                    outputs.push(Output::Tell(loser, NameConflict { name: name.clone(), other }));
                }
                Resolve::With(_) => {}
            }
        }
        if stays != Some(theirs) {
            outputs.push(Output::Send(server, Protocol::GiveUp(me, name.clone(), theirs)));
        }
        if stays != Some(mine) {
            self.free(me, name, outputs);
        }
    }

    fn send_all(&self, outputs: &mut Vec<Output>, message: impl Fn() -> Protocol) {
        outputs.extend(self.others.keys().map(|server| Output::Send(*server, message())));
    }

    fn stamp(&mut self, replaces: bool) -> Stamp {
        self.time += 1;
        Stamp { time: self.time, replaces }
    }
}

/// The order of servers, which is the same on every node: that of the names of their nodes.
fn rank(pid: &Pid) -> (Arc<str>, u64, u32) {
    let name = pid.node().name();
    (name.name, name.incarnation, pid.parts().0)
}

#[cfg(test)]
mod tests;
