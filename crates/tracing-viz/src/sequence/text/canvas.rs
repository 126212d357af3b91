//! One row of a diagram: line art, one character a column, with words laid over it.

use crate::words;

/// A row under construction.
pub(super) struct Row {
    art: Vec<char>,
    words: Vec<(usize, String)>,
}

impl Row {
    pub(super) fn new(width: usize) -> Row {
        Row { art: vec![' '; width], words: Vec::new() }
    }

    pub(super) fn at(&self, column: usize) -> char {
        self.art.get(column).copied().unwrap_or(' ')
    }

    /// Puts one character of line art; beyond the edge it is dropped.
    pub(super) fn put(&mut self, column: usize, c: char) {
        if let Some(place) = self.art.get_mut(column) {
            *place = c;
        }
    }

    /// Lays `text` over the art, cut where `room` columns or the row end.
    pub(super) fn write(&mut self, column: usize, text: &str, room: usize) {
        let room = room.min(self.art.len().saturating_sub(column));
        self.words.push((column, words::cut(text, room)));
    }

    /// The row as text, without the blanks at its end.
    pub(super) fn finish(mut self) -> String {
        self.words.sort_by_key(|(column, _)| *column);
        let mut line = String::new();
        let mut done = 0;
        for (column, text) in self.words {
            line.extend(self.art.get(done..column).into_iter().flatten());
            done = column.max(done) + words::width(&text);
            line.push_str(&text);
        }
        line.extend(self.art.get(done..).into_iter().flatten());
        line.truncate(line.trim_end().len());
        line
    }
}
