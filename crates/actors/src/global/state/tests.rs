//! Servers of several nodes on one table: messages between each two arrive in order, and otherwise by chance.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;

use super::*;
use crate::pid::{NodeId, NodeName, Ref};

fn pid(node: &str, index: u32) -> Pid {
    Pid::from_parts(NodeId::intern(&NodeName { name: node.into(), incarnation: 1 }), index, 0)
}

fn server(node: &str) -> Pid {
    pid(node, 0)
}

/// Some servers, and what is on its way between them.
#[derive(Default)]
struct Nodes {
    servers: BTreeMap<Pid, State>,
    under_way: BTreeMap<(Pid, Pid), VecDeque<Protocol>>,
    replies: Vec<(u32, Result<(), Option<Pid>>)>,
    dead: BTreeSet<Pid>,
    told: Vec<(Pid, Pid)>,
}

impl Nodes {
    fn new(nodes: &[&str]) -> Self {
        Nodes { servers: nodes.iter().map(|node| (server(node), State::default())).collect(), ..Nodes::default() }
    }

    /// All are connected with all.
    fn connected(nodes: &[&str]) -> Self {
        let mut all = Nodes::new(nodes);
        for (index, one) in nodes.iter().enumerate() {
            nodes[..index].iter().for_each(|other| all.meet(one, other));
        }
        all.settle();
        all
    }

    fn hear(&mut self, me: Pid, input: Input) {
        let dead = self.dead.clone();
        for output in self.servers.get_mut(&me).unwrap().apply(me, &|pid| !dead.contains(&pid), input) {
            match output {
                Output::Reply((asker, _), answer) => self.replies.push((asker.parts().0, answer)),
                Output::Send(to, message) => self.under_way.entry((me, to)).or_default().push_back(message),
                Output::Ask(node) => {
                    let to = server(&node.name().name);
                    self.under_way.entry((me, to)).or_default().push_back(Protocol::Discover(me));
                }
                Output::Monitor(_) => {}
                Output::Kill(pid) => {
                    self.dead.insert(pid);
                    self.hear(server(&pid.node().name().name), Input::Down(pid));
                }
                Output::Tell(pid, conflict) => self.told.push((pid, conflict.other)),
            }
        }
    }

    /// The next message of one of the ways.
    fn step(&mut self, chance: usize) -> bool {
        let ways: Vec<_> = self.under_way.iter().filter(|(_, way)| !way.is_empty()).map(|(way, _)| *way).collect();
        let Some(way) = (!ways.is_empty()).then(|| ways[chance % ways.len()]) else { return false };
        if let Some(message) = self.under_way.get_mut(&way).and_then(VecDeque::pop_front) {
            self.hear(way.1, Input::Peer(message));
        }
        true
    }

    fn settle(&mut self) {
        while self.step(0) {}
        assert!(self.servers.values().all(State::is_at_rest));
    }

    fn meet(&mut self, one: &str, other: &str) {
        for (one, other) in [(server(one), server(other)), (server(other), server(one))] {
            self.under_way.entry((one, other)).or_default().push_back(Protocol::Discover(one));
        }
    }

    fn part(&mut self, one: &str, other: &str) {
        for (one, other) in [(server(one), server(other)), (server(other), server(one))] {
            self.under_way.remove(&(one, other));
            self.hear(one, Input::Down(other));
        }
    }

    fn register(&mut self, node: &str, index: u32, resolve: Resolve) {
        self.hear(server(node), Input::Register(wish(node, index, resolve)));
    }

    fn replace(&mut self, node: &str, index: u32) {
        self.hear(server(node), Input::Replace(wish(node, index, Resolve::Kill)));
    }

    /// Whose the name is, if all agree.
    fn holder(&self) -> Option<Pid> {
        let mut seen: Vec<Vec<Pid>> = self.servers.values().map(|state| state.holders("x").collect()).collect();
        seen.dedup();
        assert!(seen.len() == 1 && seen[0].len() < 2, "{seen:?}");
        seen[0].first().copied()
    }
}

fn wish(node: &str, index: u32, resolve: Resolve) -> Wish {
    Wish { name: "x".into(), pid: pid(node, index), resolve, asker: (pid(node, index), Ref::new()) }
}

#[test]
fn case_89_a_second_one_does_not_get_the_name_and_it_is_free_after_death() {
    let mut nodes = Nodes::connected(&["a", "b", "c"]);
    nodes.register("b", 1, Resolve::Kill);
    nodes.settle();
    nodes.register("a", 2, Resolve::Kill);
    nodes.register("b", 3, Resolve::Kill);
    nodes.settle();
    assert_eq!(nodes.replies, [(1, Ok(())), (3, Err(Some(pid("b", 1)))), (2, Err(Some(pid("b", 1))))]);
    assert_eq!(nodes.holder(), Some(pid("b", 1)));
    // It has died, and its server has not heard of that yet.
    nodes.dead.insert(pid("b", 1));
    nodes.register("a", 4, Resolve::Kill);
    nodes.settle();
    assert_eq!(nodes.replies.pop(), Some((4, Ok(()))));
    assert_eq!(nodes.holder(), Some(pid("a", 4)));
    nodes.hear(server("b"), Input::Down(pid("b", 1)));
    nodes.hear(server("a"), Input::Down(pid("a", 4)));
    nodes.settle();
    assert_eq!(nodes.holder(), None);
}

#[test]
fn names_are_taken_away_and_given_to_others_from_any_node() {
    let mut nodes = Nodes::connected(&["a", "b", "c"]);
    nodes.register("b", 1, Resolve::Kill);
    nodes.settle();
    nodes.replace("c", 2);
    nodes.settle();
    assert_eq!(nodes.holder(), Some(pid("c", 2)));
    nodes.hear(server("a"), Input::Unregister("x".into(), (pid("a", 3), Ref::new())));
    assert_eq!(nodes.replies.len(), 2, "not before the owner has heard of it");
    nodes.settle();
    assert_eq!(nodes.holder(), None);
    nodes.hear(server("a"), Input::Unregister("x".into(), (pid("a", 4), Ref::new())));
    assert_eq!(nodes.replies, [(1, Ok(())), (2, Ok(())), (3, Ok(())), (4, Ok(()))]);
    assert!(nodes.dead.is_empty() && nodes.told.is_empty());
}

#[test]
fn what_a_node_has_said_of_an_earlier_owner_does_not_count_as_knowing_the_new_one() {
    let mut nodes = Nodes::connected(&["a", "c"]);
    nodes.register("a", 1, Resolve::Kill);
    nodes.settle();
    // That the name is free is under way while it is given anew.
    nodes.hear(server("a"), Input::Unregister("x".into(), (pid("a", 1), Ref::new())));
    nodes.replace("c", 2);
    let freed = nodes.under_way.get_mut(&(server("a"), server("c"))).and_then(VecDeque::pop_front).unwrap();
    nodes.hear(server("c"), Input::Peer(freed));
    assert_eq!(nodes.replies.len(), 2, "`a` does not know it yet");
    nodes.settle();
    assert_eq!(nodes.replies.pop(), Some((2, Ok(()))));
    assert_eq!(nodes.holder(), Some(pid("c", 2)));
}

#[test]
fn whoever_waits_for_a_node_that_is_lost_does_not_wait_for_it_any_more() {
    let mut nodes = Nodes::connected(&["a", "b", "c"]);
    nodes.register("b", 1, Resolve::Kill);
    assert!(nodes.step(0) && nodes.replies.is_empty());
    nodes.part("a", "b");
    nodes.part("b", "c");
    assert_eq!(nodes.replies, [(1, Ok(()))]);
    nodes.settle();
    // Those who had said yes are free to claim the name themselves.
    nodes.register("c", 2, Resolve::Kill);
    nodes.settle();
    assert_eq!(nodes.replies.pop(), Some((2, Ok(()))));
}

#[test]
fn case_219_a_name_that_two_have_given_apart_is_resolved_when_they_meet() {
    fn second(_: &str, _: Pid, other: Pid) -> Option<Pid> {
        Some(other)
    }
    fn none(_: &str, _: Pid, _: Pid) -> Option<Pid> {
        panic!("it cannot be said");
    }
    let (a, b) = (pid("a", 1), pid("b", 2));
    for (resolve, holder, dead, told) in [
        (Resolve::Kill, Some(a), vec![b], vec![]),
        (Resolve::Notify, Some(a), vec![], vec![(b, a)]),
        (Resolve::NotifyBoth, None, vec![], vec![(a, b), (b, a)]),
        (Resolve::With(second), Some(b), vec![], vec![]),
        (Resolve::With(none), None, vec![], vec![]),
    ] {
        let mut nodes = Nodes::new(&["a", "b", "c"]);
        nodes.meet("a", "c");
        nodes.register("a", 1, resolve);
        nodes.register("b", 2, Resolve::Kill);
        nodes.settle();
        nodes.meet("a", "b");
        nodes.meet("b", "c");
        nodes.settle();
        assert_eq!(nodes.replies, [(1, Ok(())), (2, Ok(()))]);
        assert_eq!((nodes.holder(), nodes.told), (holder, told), "{resolve:?}");
        assert_eq!(nodes.dead.into_iter().collect::<Vec<_>>(), dead);
    }
}

/// A server that has not met two others wants to know what they own.
#[test]
fn who_syncs_is_answered_when_all_have_said_what_they_own_or_are_lost() {
    let mut nodes = Nodes::new(&["a", "b", "c"]);
    let asker = |index| (pid("a", index), Ref::new());
    nodes.hear(server("a"), Input::Sync(asker(7), Vec::new()));
    assert_eq!(nodes.replies, [(7, Ok(()))], "there is nobody to wait for");
    let (b, c) = (server("b").node(), server("c").node());
    nodes.hear(server("a"), Input::Sync(asker(8), vec![b, c]));
    nodes.hear(server("a"), Input::Sync(asker(9), vec![b]));
    nodes.hear(server("a"), Input::Peer(Protocol::Sync(server("c"), Vec::new())));
    assert_eq!(nodes.replies.len(), 1, "b has said nothing");
    nodes.hear(server("a"), Input::Lost(b));
    assert_eq!(nodes.replies[1..], [(8, Ok(())), (9, Ok(()))]);
}

proptest! {
    /// However messages are delayed: of those who ask for a name at once exactly one gets it, and all see that.
    #[test]
    fn one_of_many_gets_a_name(
        askers in prop::collection::vec((0_usize..4, 0_usize..6), 1..8),
        chances in prop::collection::vec(any::<usize>(), 0..200),
    ) {
        const NAMES: [&str; 4] = ["a", "b", "c", "d"];
        let mut nodes = Nodes::connected(&NAMES);
        let mut chances = chances.into_iter();
        for (index, (node, steps)) in askers.iter().enumerate() {
            nodes.register(NAMES[*node], 1 + index as u32, Resolve::Kill);
            chances.by_ref().take(*steps).for_each(|chance| _ = nodes.step(chance));
        }
        chances.for_each(|chance| _ = nodes.step(chance));
        nodes.settle();
        let won: Vec<_> = nodes.replies.iter().filter(|(_, answer)| answer.is_ok()).map(|(index, _)| *index).collect();
        prop_assert_eq!((nodes.replies.len(), won.len()), (askers.len(), 1));
        prop_assert_eq!(nodes.holder().map(|pid| pid.parts().0), Some(won[0]));
        prop_assert!(nodes.dead.is_empty());
    }

    /// Names are replaced, freed and lose their processes, nodes part and meet: in the end all agree, and all were
    /// answered, once each.
    #[test]
    fn servers_agree_whatever_has_happened(
        steps in prop::collection::vec((0_u8..7, 0_usize..3, 0_usize..3, any::<usize>()), 1..80)
    ) {
        const NAMES: [&str; 3] = ["a", "b", "c"];
        let mut nodes = Nodes::connected(&NAMES);
        let mut asked = 0;
        let mut apart = BTreeSet::new();
        for (what, one, other, chance) in steps {
            let (index, pair) = (1 + asked as u32, (one.min(other), one.max(other)));
            match what {
                0 | 1 => nodes.register(NAMES[one], index, Resolve::Kill),
                2 => nodes.replace(NAMES[one], index),
                3 => {
                    let asker = (pid(NAMES[one], index), Ref::new());
                    nodes.hear(server(NAMES[one]), Input::Unregister("x".into(), asker));
                }
                4 => {
                    let mine = nodes.servers[&server(NAMES[one])].holders("x").next();
                    if let Some(victim) = mine.filter(|victim| *victim.node().name().name == *NAMES[one]) {
                        nodes.dead.insert(victim);
                        nodes.hear(server(NAMES[one]), Input::Down(victim));
                    }
                }
                5 if one != other && apart.insert(pair) => nodes.part(NAMES[one], NAMES[other]),
                _ if apart.remove(&pair) => nodes.meet(NAMES[one], NAMES[other]),
                _ => (0..4).for_each(|_| _ = nodes.step(chance)),
            }
            asked += usize::from(what < 4);
        }
        for (one, other) in apart {
            nodes.meet(NAMES[one], NAMES[other]);
        }
        nodes.settle();
        prop_assert_eq!(nodes.replies.len(), asked);
        let holder = nodes.holder();
        prop_assert!(holder.is_none_or(|holder| !nodes.dead.contains(&holder)));
    }
}
