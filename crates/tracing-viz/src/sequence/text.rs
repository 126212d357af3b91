//! A sequence as Unicode text that fits a terminal.
//!
//! With room enough it is a diagram: a column for each participant, a row for each step. Where the
//! columns would not fit, it is a list, which always does. Colour is left to whoever prints it.

use super::Sequence;
use crate::words;

mod canvas;
mod columns;
mod diagram;
mod list;

impl Sequence {
    /// The same as [`to_text`](Sequence::to_text), in colour, for a terminal. With room for all columns it can be
    /// scrolled both ways in a pager: `less -RS`.
    pub fn to_ansi(&self, width: usize) -> String {
        crate::ansi::coloured(&self.to_text(width))
    }

    /// The sequence as lines of text, none of which takes up more than `width` columns.
    pub fn to_text(&self, width: usize) -> String {
        let mut lines = match columns::Columns::fit(self, width) {
            Some(columns) => diagram::draw(self, &columns, width),
            None => list::draw(self, width),
        };
        lines.extend(self.missing().iter().map(|missing| words::cut(missing, width)));
        if lines.is_empty() {
            lines.push(words::cut("(no messages)", width));
        }
        lines.join("\n")
    }
}
