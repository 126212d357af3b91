//! The rows that a text takes: a line that is wider than there is room for goes on in the row below.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// A row of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The line that it is a part of.
    pub(super) line: usize,
    /// How many characters of that stand in the rows before.
    pub(super) column: usize,
    /// The part of the text.
    pub(super) range: Range<usize>,
}

/// The rows of a text with room for so many columns. Prose is broken between words, where it can be.
pub(super) fn rows(text: &str, width: usize, is_prose: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut start = 0;
    for (number, line) in text.split('\n').enumerate() {
        let mut column = 0;
        for part in parts(line, width.max(1), is_prose) {
            rows.push(Row { line: number, column, range: start + part.start..start + part.end });
            column += line[part].chars().count();
        }
        start += line.len() + 1;
    }
    rows
}

/// The row with a place of a text: a line, and a column in characters.
pub(super) fn row_of(rows: &[Row], line: usize, column: usize) -> usize {
    let before = rows.partition_point(|row| (row.line, row.column) <= (line, column));
    before.saturating_sub(1)
}

/// Where a line is broken.
fn parts(line: &str, width: usize, is_prose: bool) -> Vec<Range<usize>> {
    let (mut parts, mut start, mut used) = (Vec::new(), 0, 0);
    let mut space = None;
    // No character takes more columns than bytes.
    let is_wide = line.len() > width;
    for (at, c) in line.char_indices().filter(|_| is_wide) {
        let wide = c.width().unwrap_or(0);
        if used + wide > width {
            let end = space.filter(|_| is_prose).unwrap_or(at);
            parts.push(start..end);
            used = line[end..at].chars().map(|c| c.width().unwrap_or(0)).sum();
            (start, space) = (end, None);
        }
        used += wide;
        if c == ' ' {
            space = Some(at + 1);
        }
    }
    parts.push(start..line.len());
    parts
}

/// A text whose lines are broken.
pub(super) fn broken(text: &str, width: usize) -> String {
    let mut broken = String::with_capacity(text.len());
    for line in text.lines() {
        for part in parts(line, width.max(1), false) {
            broken.push_str(&line[part]);
            broken.push('\n');
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, width: usize, is_prose: bool) -> Vec<&str> {
        rows(text, width, is_prose).into_iter().map(|row| &text[row.range]).collect()
    }

    #[test]
    fn lines_go_on_below_and_nothing_is_lost() {
        assert_eq!(shown("", 5, false), [""]);
        assert_eq!(shown("abcdefg\nhi\n", 3, false), ["abc", "def", "g", "hi", ""]);
        assert_eq!(shown("äöü漢字", 4, false), ["äöü", "漢字"]);
        assert_eq!(shown("one two three", 8, true), ["one two ", "three"]);
        assert_eq!(shown("onetwothree 4", 6, true), ["onetwo", "three ", "4"]);
        assert_eq!(broken("abcd\ne", 3), "abc\nd\ne\n");
    }

    #[test]
    fn a_place_has_its_row() {
        let rows = rows("abcdefg\nhi", 3, false);
        let at = |line, column| row_of(&rows, line, column);
        assert_eq!([at(0, 0), at(0, 2), at(0, 3), at(0, 7), at(1, 0), at(1, 2)], [0, 0, 1, 2, 3, 3]);
    }
}
