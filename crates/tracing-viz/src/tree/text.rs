//! A supervision tree as Unicode text that fits a terminal, one line a process.

use greenroom::tree::{ChildKind, ChildStatus};

use super::Tree;
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
    /// The tree as lines of text, none of which takes up more than `width` columns.
    ///
    /// A link between processes that are not parent and child is told on the later of the two.
    pub fn to_text(&self, width: usize) -> String {
        let mut lines = Vec::new();
        // What is still to be drawn, with what stands before it and before what is below it.
        let mut waiting = vec![(Item::Node(0), String::new(), String::new())];
        while let Some((item, before, below)) = waiting.pop() {
            lines.push(words::cut(&format!("{before}{}", self.line(item)), width));
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

    fn line(&self, item: Item) -> String {
        let index = match item {
            Item::Node(index) => index,
            Item::Folded(index) => return self.nodes[index].folded.words(),
        };
        let node = &self.nodes[index];
        let mut name = node.title.clone();
        if let Some(pid) = node.pid.map(|pid| words::one_line(&pid.to_string()))
            && pid != name
        {
            name = format!("{name} {pid}");
        }
        let notes = self.notes(index);
        match (node.parent, node.kind) {
            (Some(_), _) => format!("{name}  {}", notes.join(", ")),
            (None, ChildKind::Supervisor) => ["Supervisor", &name].join(" ") + &rest(&notes[1..]),
            (None, ChildKind::Worker) => ["Worker", &name].join(" ") + &rest(&notes[1..]),
        }
    }

    /// What there is to say of a node, its kind first.
    fn notes(&self, index: usize) -> Vec<String> {
        let node = &self.nodes[index];
        let kind = match node.kind {
            ChildKind::Supervisor => "supervisor",
            ChildKind::Worker => "worker",
        };
        let status = match node.status {
            ChildStatus::Running => None,
            ChildStatus::Restarting => Some("restarting".to_owned()),
            ChildStatus::NotStarted => Some("not started".to_owned()),
        };
        let restarts = (node.restarts > 0).then(|| format!("restarted {} ×", node.restarts));
        let linked: Vec<&str> = self
            .links
            .iter()
            .filter(|(_, later)| *later == index)
            .map(|(earlier, _)| self.nodes[*earlier].title.as_str())
            .collect();
        let linked = (!linked.is_empty()).then(|| format!("linked to {}", linked.join(", ")));
        [Some(kind.to_owned()), status, restarts, linked].into_iter().flatten().collect()
    }
}

fn rest(notes: &[String]) -> String {
    if notes.is_empty() { String::new() } else { format!("  {}", notes.join(", ")) }
}
