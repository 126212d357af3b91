//! Scopes of several nodes on one table: each message is handed from one to the other, in order.

use std::collections::{BTreeMap, VecDeque};

use super::*;
use crate::pid::{NodeId, NodeName};

/// Some scopes, and what is on its way between them.
struct Nodes {
    scopes: BTreeMap<Pid, State<&'static str>>,
    under_way: VecDeque<(Pid, Protocol<&'static str>)>,
    told: Vec<(Pid, Change)>,
}

fn pid(node: &str, index: u32) -> Pid {
    Pid::from_parts(NodeId::intern(&NodeName { name: node.into(), incarnation: 1 }), index, 0)
}

/// The process of a node's scope.
fn scope(node: &str) -> Pid {
    pid(node, 0)
}

impl Nodes {
    fn new(nodes: &[&str]) -> Self {
        let scopes = nodes.iter().map(|node| (scope(node), State::default())).collect();
        Nodes { scopes, under_way: VecDeque::new(), told: Vec::new() }
    }

    fn hear(&mut self, node: &str, input: Input<&'static str>) {
        let me = scope(node);
        for output in self.scopes.get_mut(&me).unwrap().apply(me, input) {
            match output {
                Output::Send(to, message) => self.under_way.push_back((to, message)),
                Output::Tell(to, event) => self.told.push((to, event.change)),
                Output::Monitor(_) => (),
            }
        }
    }

    fn settle(&mut self) {
        while let Some((to, message)) = self.under_way.pop_front() {
            if let Some(state) = self.scopes.get_mut(&to) {
                for output in state.apply(to, Input::Peer(message)) {
                    match output {
                        Output::Send(to, message) => self.under_way.push_back((to, message)),
                        Output::Tell(to, event) => self.told.push((to, event.change)),
                        Output::Monitor(_) => (),
                    }
                }
            }
        }
    }

    /// Both meet: the one has found the other's node.
    fn meet(&mut self, one: &str, other: &str) {
        self.under_way.push_back((scope(other), Protocol::Discover(scope(one))));
    }

    fn members(&self, node: &str) -> Vec<Pid> {
        let mut members: Vec<Pid> = self.scopes[&scope(node)].members(&"g").collect();
        members.sort_unstable();
        members
    }
}

#[test]
fn case_218_scopes_that_meet_know_each_others_members() {
    let mut nodes = Nodes::new(&["a", "b"]);
    nodes.hear("a", Input::Join("g", vec![pid("a", 1), pid("a", 1)]));
    nodes.hear("b", Input::Join("g", vec![pid("b", 1)]));
    nodes.meet("a", "b");
    nodes.meet("b", "a"); // At the same time.
    nodes.hear("a", Input::Join("g", vec![pid("a", 2)])); // Before a knows of b.
    nodes.settle();
    let mut all = vec![pid("a", 1), pid("a", 1), pid("a", 2), pid("b", 1)];
    all.sort_unstable();
    assert_eq!((nodes.members("a"), nodes.members("b")), (all.clone(), all));
    nodes.hear("a", Input::Leave("g", vec![pid("a", 1)]));
    nodes.hear("a", Input::Down(pid("a", 2)));
    nodes.settle();
    assert_eq!(nodes.members("b"), [pid("a", 1), pid("b", 1)]);
}

#[test]
fn case_218_a_node_that_is_down_takes_its_members_along() {
    let mut nodes = Nodes::new(&["a", "b", "c"]);
    for node in ["a", "b", "c"] {
        nodes.hear(node, Input::Join("g", vec![pid(node, 1)]));
    }
    nodes.meet("a", "b");
    nodes.meet("a", "c");
    nodes.settle();
    nodes.hear("a", Input::Watch(Ref::new(), pid("a", 9), Some("g")));
    nodes.hear("a", Input::Watch(Ref::new(), pid("a", 9), Some("another")));
    nodes.hear("a", Input::Down(scope("b")));
    assert_eq!(nodes.members("a"), [pid("a", 1), pid("c", 1)]);
    assert_eq!(nodes.told, [(pid("a", 9), Change::Left(vec![pid("b", 1)]))]);
    // What was still on its way from there comes too late.
    nodes.hear("a", Input::Peer(Protocol::Join(scope("b"), "g", vec![pid("b", 2)])));
    nodes.hear("a", Input::Peer(Protocol::Leave(scope("b"), vec![("g", vec![pid("b", 1)])])));
    assert_eq!(nodes.members("a"), [pid("a", 1), pid("c", 1)]);
}

#[test]
fn case_219_scopes_that_meet_again_agree_whatever_happened_meanwhile() {
    let mut nodes = Nodes::new(&["a", "b"]);
    nodes.hear("b", Input::Join("g", vec![pid("b", 1), pid("b", 2)]));
    nodes.meet("a", "b");
    nodes.settle();
    nodes.hear("a", Input::Down(scope("b")));
    nodes.hear("b", Input::Down(scope("a")));
    nodes.hear("b", Input::Leave("g", vec![pid("b", 1)]));
    nodes.hear("b", Input::Join("g", vec![pid("b", 3)]));
    assert_eq!(nodes.members("a"), []);
    nodes.meet("b", "a");
    nodes.settle();
    assert_eq!(nodes.members("a"), [pid("b", 2), pid("b", 3)]);
    // A sync to one who knows it all tells the difference only.
    nodes.hear("a", Input::Watch(Ref::new(), pid("a", 9), None));
    let now = vec![("g", vec![pid("b", 3), pid("b", 4)])];
    nodes.hear("a", Input::Peer(Protocol::Sync(scope("b"), now)));
    let expected = [Change::Left(vec![pid("b", 2)]), Change::Joined(vec![pid("b", 4)])];
    assert!(nodes.told.into_iter().map(|(_, change)| change).eq(expected));
}

#[test]
fn whoever_joins_twice_is_in_twice() {
    let mut nodes = Nodes::new(&["a"]);
    let one = pid("a", 1);
    nodes.hear("a", Input::Join("g", vec![one, one]));
    assert_eq!(nodes.members("a"), [one, one]);
    nodes.hear("a", Input::Leave("g", vec![one]));
    assert_eq!(nodes.members("a"), [one]);
    nodes.hear("a", Input::Leave("g", vec![one, one]));
    assert_eq!(nodes.members("a"), []);
    assert!(!nodes.scopes[&scope("a")].minds(one));
}

#[test]
fn a_watcher_is_told_until_it_does_not_want_to_or_is_gone() {
    let mut nodes = Nodes::new(&["a"]);
    let (reference, gone) = (Ref::new(), pid("a", 8));
    nodes.hear("a", Input::Watch(reference, pid("a", 9), None));
    nodes.hear("a", Input::Watch(Ref::new(), gone, None));
    nodes.hear("a", Input::Down(gone));
    nodes.hear("a", Input::Join("g", vec![pid("a", 1)]));
    nodes.hear("a", Input::Unwatch(reference));
    nodes.hear("a", Input::Leave("g", vec![pid("a", 1)]));
    assert_eq!(nodes.told, [(pid("a", 9), Change::Joined(vec![pid("a", 1)]))]);
    assert!(!nodes.scopes[&scope("a")].minds(gone));
}
