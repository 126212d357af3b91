//! A map as lines of text: the busiest first, each with a bar.

use super::Map;
use crate::words;

/// The longest name, in columns.
const NAME: usize = 28;

/// The longest bar, in columns.
const BAR: usize = 30;

impl Map {
    /// The map as lines of text, none of which takes up more than `width` columns.
    pub fn to_text(&self, width: usize) -> String {
        let longest = NAME.min(width / 4);
        let names: Vec<String> = self.processes.iter().map(|process| words::cut(&process.title, longest)).collect();
        let column = names.iter().map(|name| words::width(name)).max().unwrap_or(0);
        let most = self.flows.first().map_or(1, |flow| flow.messages);
        let digits = words::count(most).len();
        let mut lines: Vec<String> = self
            .flows
            .iter()
            .map(|flow| {
                let bar = "█".repeat(((flow.messages * BAR as u64).div_ceil(most)) as usize);
                let (from, to) = (words::pad(&names[flow.from], column), words::pad(&names[flow.to], column));
                words::cut(&format!("{from} ─▶ {to}  {:>digits$} {bar}", words::count(flow.messages)), width)
            })
            .collect();
        if self.folded.processes > 0 {
            lines.push(words::cut(&self.folded.words(), width));
        }
        if lines.is_empty() {
            lines.push(words::cut("(no messages)", width));
        }
        lines.join("\n")
    }
}
