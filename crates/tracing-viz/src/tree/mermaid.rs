//! A supervision tree in Mermaid's text form, as Livebook writes it: one line an edge.

use greenroom::tree::{ChildKind, ChildStatus};

use super::Tree;
use crate::mermaid;

/// Which way a graph grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// From the root down.
    #[default]
    TopDown,
    /// From the root to the right.
    LeftRight,
}

/// How each class of node is filled and framed. Fills are light, so the text on them is dark.
const CLASSES: &str = "\
classDef root fill:#ddd6fe, color:#1f2937, stroke:#4b5563, stroke-width:3px;
classDef supervisor fill:#ddd6fe, color:#1f2937, stroke:#4b5563, stroke-width:1px;
classDef worker fill:#bbf7d0, color:#1f2937, stroke:#4b5563, stroke-width:1px;
classDef notstarted fill:#e5e7eb, color:#6b7280, stroke:#9ca3af, stroke-width:1px;
classDef folded fill:#ffffff, color:#4b5563, stroke:#9ca3af, stroke-dasharray:4;
";

impl Tree {
    /// The tree as a Mermaid graph, whatever its names say.
    ///
    /// Solid lines lead from a supervisor to its children, dotted ones join processes that are
    /// linked otherwise. Mermaid refuses graphs of more than 500 edges unless its `maxEdges` is
    /// raised.
    pub fn to_mermaid(&self, direction: Direction) -> String {
        let direction = match direction {
            Direction::TopDown => "TD",
            Direction::LeftRight => "LR",
        };
        let mut lines = vec![format!("graph {direction};")];
        if let [root] = self.nodes.as_slice()
            && root.folded.count == 0
        {
            lines.push(format!("{};", self.node(0)));
        }
        let mut extra = self.nodes.len();
        for (index, node) in self.nodes.iter().enumerate() {
            for &child in &node.children {
                lines.push(format!("{} ---> {};", self.node(index), self.node(child)));
            }
            if node.folded.count > 0 {
                let more = mermaid::name(&node.folded.words());
                lines.push(format!("{} ---> {extra}({more}):::folded;", self.node(index)));
                extra += 1;
            }
        }
        lines.extend(self.links.iter().map(|(first, second)| format!("{first} -..- {second};")));
        lines.join("\n") + "\n" + CLASSES
    }

    fn node(&self, index: usize) -> String {
        let node = &self.nodes[index];
        let class = match (node.status, node.kind) {
            (ChildStatus::NotStarted | ChildStatus::Restarting, _) => "notstarted",
            (ChildStatus::Running, _) if index == 0 => "root",
            (ChildStatus::Running, ChildKind::Supervisor) => "supervisor",
            (ChildStatus::Running, ChildKind::Worker) => "worker",
        };
        format!("{index}({}):::{class}", mermaid::name(&node.title))
    }
}
