//! Which line an offset stands on.

use memchr::memchr_iter;

/// The lines of a text. Breaks are counted from the offset that was asked for last, which is near the next one.
pub(super) struct Lines<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Lines { text, offset: 0, line: 1 }
    }

    /// The line of an offset, from 1.
    pub(super) fn number(&mut self, offset: usize) -> usize {
        let breaks = |from, to| memchr_iter(b'\n', &self.text.as_bytes()[from..to]).count();
        self.line = match offset >= self.offset {
            true => self.line + breaks(self.offset, offset),
            false => self.line - breaks(offset, self.offset),
        };
        self.offset = offset;
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_found_in_any_order() {
        let mut lines = Lines::new("a\n\nb\nc");
        let numbers = [0, 5, 3, 2, 1, 6].map(|offset| lines.number(offset));
        assert_eq!(numbers, [1, 4, 3, 2, 1, 4]);
    }
}
