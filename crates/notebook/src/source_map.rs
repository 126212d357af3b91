//! Where a place in a generated file comes from: byte ranges for the compiler's diagnostics, lines and columns for
//! the locations of panics. What was generated comes from nowhere.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Maps places of a generated file to places in the source of its cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceMap {
    /// Copied text, in the order of the generated file: (start there, start in the cell, length).
    copies: Vec<(usize, usize, usize)>,
    /// The same by lines, in characters: every line of copied text is one entry.
    lines: Vec<Line>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    generated: (u32, u32),
    cell: (u32, u32),
    length: u32,
}

impl SourceMap {
    /// Notes that `generated[at..]` begins with a copy of `source[range]`.
    pub fn copied(&mut self, generated: &str, at: usize, source: &str, range: Range<usize>) {
        let (mut there, mut here) = (position(&generated[..at]), position(&source[..range.start]));
        for line in source[range.clone()].split('\n') {
            let length = line.chars().count() as u32;
            self.lines.push(Line { generated: there, cell: here, length });
            (there, here) = ((there.0 + 1, 1), (here.0 + 1, 1));
        }
        self.copies.push((at, range.start, range.len()));
    }

    /// The part of the cell that a byte range of the generated file was copied from. A range may begin in one of the
    /// words that were inserted before a copy; a wider one, such as that of the whole entry, is not the user's.
    pub fn to_cell(&self, generated: Range<usize>) -> Option<Range<usize>> {
        const INSERTED: usize = "#[macro_export] ".len();
        let first = self.copies.iter().find(|(there, _, length)| generated.start < there + length)?;
        let last = self.copies.iter().rev().find(|(there, ..)| *there < generated.end.max(1))?;
        let (start, end) = (generated.start.max(first.0), generated.end);
        let begins = generated.start + INSERTED >= first.0;
        let ends = end <= last.0 + last.2;
        (begins && ends && start <= end).then(|| first.1 + (start - first.0)..last.1 + (end - last.0))
    }

    /// The line and column in the cell, both counted from 1, of a line and column of the generated file.
    pub fn line_column(&self, line: u32, column: u32) -> Option<(u32, u32)> {
        let from = self.lines.iter().rev().find(|from| {
            from.generated.0 == line && (from.generated.1..=from.generated.1 + from.length).contains(&column)
        })?;
        Some((from.cell.0, from.cell.1 + (column - from.generated.1)))
    }
}

/// The line and column that follow a text, counted from 1.
pub fn position(before: &str) -> (u32, u32) {
    let line = before.matches('\n').count() as u32 + 1;
    let last = before.rsplit('\n').next().unwrap_or_default();
    (line, last.chars().count() as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copied_text_maps_back_and_generated_text_does_not() {
        let source = "let é = 1;\nlet y = 2;";
        let generated = "fn f() {\n  let é = 1;\nlet y = 2;\n}";
        let at = generated.find("let").unwrap();
        let mut map = SourceMap::default();
        map.copied(generated, at, source, 0..source.len());
        assert_eq!(map.to_cell(at + 4..at + 6), Some(4..6));
        assert_eq!(map.to_cell(0..3), None);
        assert_eq!(map.to_cell(at - 3..at + 3), Some(0..3));
        assert_eq!(map.to_cell(at - 3..generated.len()), None);
        assert_eq!(map.line_column(2, 7), Some((1, 5)));
        assert_eq!(map.line_column(3, 5), Some((2, 5)));
        assert_eq!(map.line_column(1, 1), None);
    }
}
