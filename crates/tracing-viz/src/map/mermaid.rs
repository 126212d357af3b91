//! A map in Mermaid's text form: a graph with the number of messages on its edges.

use super::Map;
use crate::{mermaid, words};

impl Map {
    /// The map as a Mermaid graph, whatever its names say.
    ///
    /// Mermaid refuses graphs of more than 500 edges unless its `maxEdges` is raised; those beyond are left out.
    pub fn to_mermaid(&self) -> String {
        let mut lines = vec!["graph LR;".to_owned()];
        for (index, process) in self.processes.iter().enumerate() {
            lines.push(format!("{index}({});", mermaid::name(&process.title)));
        }
        for flow in self.flows.iter().take(500) {
            lines.push(format!("{} -->|{}| {};", flow.from, words::count(flow.messages), flow.to));
        }
        if self.folded.processes > 0 {
            lines.push(format!("more({});", mermaid::name(&self.folded.words())));
        }
        lines.join("\n") + "\n"
    }
}
