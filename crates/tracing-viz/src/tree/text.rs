//! A supervision tree as Unicode text that fits a terminal, one line a process.

use greenroom::tree::{ChildKind, ChildStatus};

use super::{Node, Role, Tree};
use crate::words;

/// What has a line of its own.
#[derive(Clone, Copy)]
enum Item {
    /// The node of this index.
    Node(usize),
    /// The children of this node that are not drawn.
    Folded(usize),
}

impl Tree {
    /// The same as [`to_text`](Tree::to_text), in colour, for a terminal.
    pub fn to_ansi(&self, width: usize) -> String {
        crate::ansi::coloured(&self.to_text(width))
    }

    /// The tree as lines of text, none of which takes up more than `width` columns.
    ///
    /// A link between processes that are not parent and child is told on the later of the two.
    pub fn to_text(&self, width: usize) -> String {
        let mut linked = vec![Vec::new(); self.nodes.len()];
        for &(earlier, later) in &self.links {
            linked[later].push(self.nodes[earlier].title.as_str());
        }
        let mut lines = Vec::new();
        // What is still to be drawn, with what stands before it and before what is below it.
        let mut waiting = vec![(Item::Node(0), String::new(), String::new())];
        while let Some((item, before, below)) = waiting.pop() {
            let words = match item {
                Item::Node(index) => self.line(index, &linked[index]),
                Item::Folded(index) => self.nodes[index].folded.words(),
            };
            lines.push(words::cut(&format!("{before}{words}"), width));
            let Item::Node(index) = item else { continue };
            let node = &self.nodes[index];
            let folded = (node.folded.count > 0).then_some(Item::Folded(index));
            let items = node.children.iter().map(|&child| Item::Node(child)).chain(folded);
            let first = waiting.len();
            for item in items {
                waiting.push((item, format!("{below}├─ "), format!("{below}│  ")));
            }
            if let Some((_, before, after)) = waiting[first..].last_mut() {
                *before = format!("{below}└─ ");
                *after = format!("{below}   ");
            }
            waiting[first..].reverse();
        }
        lines.join("\n")
    }

    fn line(&self, index: usize, linked: &[&str]) -> String {
        let node = &self.nodes[index];
        let mut name = node.title.clone();
        if let Some(pid) = node.pid.map(words::pid)
            && pid != name
        {
            name = format!("{name} {pid}");
        }
        let mut notes = notes(node, linked);
        match (node.role, node.parent, node.kind) {
            (Role::Application, ..) => name.insert_str(0, "Application "),
            (Role::Node, ..) => name.insert_str(0, "Node "),
            (Role::Cluster, ..) => name.insert_str(0, "Cluster "),
            (Role::Process, None, ChildKind::Supervisor) => name.insert_str(0, "Supervisor "),
            (Role::Process, None, ChildKind::Worker) => name.insert_str(0, "Worker "),
            (Role::Process, Some(_), ChildKind::Supervisor) => notes.insert(0, "supervisor".to_owned()),
            (Role::Process, Some(_), ChildKind::Worker) => notes.insert(0, "worker".to_owned()),
        }
        if notes.is_empty() { name } else { format!("{name}  {}", notes.join(", ")) }
    }
}

/// What there is to say of a node besides its kind.
fn notes(node: &Node, linked: &[&str]) -> Vec<String> {
    let mut notes = Vec::new();
    match node.status {
        ChildStatus::Running => {}
        ChildStatus::Restarting => notes.push("restarting".to_owned()),
        ChildStatus::NotStarted => notes.push("not started".to_owned()),
    }
    if node.restarts > 0 {
        notes.push(format!("restarted {} ×", words::count(node.restarts)));
    }
    notes.extend(node.facts.words());
    if !linked.is_empty() {
        notes.push(format!("linked to {}", linked.join(", ")));
    }
    notes
}
