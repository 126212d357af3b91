//! What the structure leaves over: prose, collected on the way from block to block; and the lines that things stand on.

use super::Import;
use crate::livemd::blocks::Block;
use crate::livemd::model::{Cell, Markdown};

impl Import<'_> {
    /// Moves the cursor behind a block that is not prose; what it passes on the way is.
    pub(super) fn pass(&mut self, block: &Block<'_>) {
        let text = self.text;
        self.add_prose(&text[self.cursor..block.range.start], self.cursor);
        // What stood apart stays apart when the block between goes.
        if !is_blank(&self.prose) && !self.prose.ends_with("\n\n") {
            self.prose.push('\n');
        }
        let below = &text[block.range.end..];
        self.cursor = block.range.end + blank_lines(below);
    }

    pub(super) fn add_prose(&mut self, text: &str, start: usize) {
        if self.prose.is_empty() {
            self.prose_start = start;
        }
        self.prose.push_str(text);
    }

    /// Makes a cell of the prose at hand, if there is any.
    pub(super) fn end_prose(&mut self) {
        let prose = std::mem::take(&mut self.prose);
        let above = blank_lines(&prose);
        let text = prose[above..].trim_ascii_end();
        if !text.is_empty() {
            let line = self.line(self.prose_start + above);
            let text = text.to_owned();
            self.cells().push(Cell::Markdown(Markdown { text, line }));
        }
    }
}

/// Whether there is nothing in a text for Markdown: other spaces than ASCII's are text to it.
pub(super) fn is_blank(text: &str) -> bool {
    text.trim_ascii().is_empty()
}

/// The length of the blank lines that a text starts with.
pub(super) fn blank_lines(text: &str) -> usize {
    let lines = text.split_inclusive('\n').take_while(|line| is_blank(line));
    lines.map(str::len).sum()
}
