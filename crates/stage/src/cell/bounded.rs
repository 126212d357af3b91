//! Text that cannot become larger than anybody would read: what a cell prints or shows in one go.

use std::fmt::{self, Write};

/// The most that is shown in one go, in bytes.
pub(crate) const MOST: usize = 60_000_000;

/// A text of at most so many bytes, and what becomes of more.
#[derive(Debug)]
pub(crate) struct Bounded {
    text: String,
    most: usize,
    cut: usize,
    when_full: WhenFull,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhenFull {
    Count,
    Stop,
}

impl Bounded {
    /// A text that takes everything and counts what it does not keep.
    pub(crate) fn counting(most: usize) -> Self {
        Bounded { text: String::new(), most, cut: 0, when_full: WhenFull::Count }
    }

    /// A text that ends whoever writes to it when it is full.
    pub(crate) fn stopping(most: usize) -> Self {
        Bounded { when_full: WhenFull::Stop, ..Bounded::counting(most) }
    }

    /// Whether more was written than there is room for.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut > 0
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The text, with a note of what was cut.
    pub(crate) fn into_text(mut self) -> String {
        if self.is_cut() {
            // Writing to a string cannot fail.
            let _ = match self.when_full {
                WhenFull::Count => write!(self.text, "\n… {} more bytes were cut\n", self.cut),
                WhenFull::Stop => write!(self.text, "\n… the rest was cut"),
            };
        }
        self.text
    }
}

impl Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = if self.is_cut() { 0 } else { part.floor_char_boundary(self.most - self.text.len()) };
        self.text.push_str(&part[..room]);
        self.cut += part.len() - room;
        if self.is_cut() && self.when_full == WhenFull::Stop { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted_and_no_character_is_cut() {
        let mut text = Bounded::counting(5);
        for part in ["abc", "éé", "f"] {
            text.write_str(part).expect("it takes everything");
        }
        assert!(text.is_cut());
        assert_eq!(text.as_str(), "abcé");
        assert_eq!(text.into_text(), "abcé\n… 3 more bytes were cut\n");
        let mut text = Bounded::stopping(4);
        assert!(write!(text, "{:?}", [1; 100]).is_err());
        assert_eq!(text.into_text(), "[1, \n… the rest was cut");
    }
}
