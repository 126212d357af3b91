//! A text under the hands of a person: what each key does to it, and what of it the notebook does not know yet. Others
//! may change the same text meanwhile.

use std::ops::Range;

use crate::frontend::syntax::{INDENT, indentation};

/// A text that is edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edited {
    /// What the notebook has.
    base: String,
    text: String,
    /// Where the next character goes, in bytes.
    cursor: usize,
    /// The column that moving up and down aims at, in characters.
    column: Option<usize>,
}

/// A change of a text: these bytes become this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) range: Range<usize>,
    pub(super) inserted: String,
}

/// Where the cursor is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Motion {
    Left,
    Right,
    Up,
    Down,
    LineStart,
    LineEnd,
    WordLeft,
    WordRight,
    Start,
    End,
    /// So many lines up.
    PageUp(usize),
    /// So many lines down.
    PageDown(usize),
}

impl Edited {
    /// Begins to edit a text, at its end.
    pub(super) fn new(text: &str) -> Self {
        Edited { base: text.to_owned(), text: text.to_owned(), cursor: text.len(), column: None }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The line and the column of the cursor, from 0, the column in characters.
    pub(super) fn position(&self) -> (usize, usize) {
        let before = &self.text[..self.cursor];
        (before.matches('\n').count(), before[self.line_start()..].chars().count())
    }

    /// Puts the cursor into a line, at a column; as near as there is something.
    pub(super) fn place(&mut self, line: usize, column: usize) {
        let start = self.text.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
        let start = start.min(self.text.len());
        let rest = self.text[start..].split('\n').next().unwrap_or("");
        let into: usize = rest.chars().take(column).map(char::len_utf8).sum();
        self.cursor = start + into;
    }

    fn line_start(&self) -> usize {
        self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self) -> usize {
        self.text[self.cursor..].find('\n').map_or(self.text.len(), |at| self.cursor + at)
    }

    /// Types a text.
    pub(super) fn insert(&mut self, text: &str) {
        self.column = None;
        let before = &self.text[self.line_start()..self.cursor];
        let is_indented = before.len() >= INDENT && before.chars().all(|char| char == ' ');
        if is_indented && matches!(text, "}" | ")" | "]") {
            self.remove(self.cursor - INDENT..self.cursor);
        }
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
    }

    /// Begins a line, as far in as it belongs.
    pub(super) fn line_break(&mut self) {
        let depth = indentation(&self.text[..self.cursor]);
        self.insert(&format!("\n{}", " ".repeat(depth)));
    }

    /// Removes what stands before the cursor: a character, or at the beginning of a line one step of its indentation.
    pub(super) fn backspace(&mut self) {
        self.column = None;
        let before = &self.text[self.line_start()..self.cursor];
        let is_indented =
            !before.is_empty() && before.len().is_multiple_of(INDENT) && before.chars().all(|char| char == ' ');
        let start = if is_indented { self.cursor - INDENT } else { self.left() };
        self.remove(start..self.cursor);
    }

    /// Removes what stands behind it.
    pub(super) fn delete(&mut self) {
        let end = self.right();
        self.remove(self.cursor..end);
    }

    /// Removes the rest of the line, or its break.
    pub(super) fn cut_line(&mut self) {
        let end = if self.line_end() == self.cursor { self.right() } else { self.line_end() };
        self.remove(self.cursor..end);
    }

    /// Removes the word before the cursor.
    pub(super) fn cut_word(&mut self) {
        let start = self.word_left();
        self.remove(start..self.cursor);
    }

    fn remove(&mut self, range: Range<usize>) {
        self.column = None;
        self.cursor = range.start;
        self.text.replace_range(range, "");
    }

    fn left(&self) -> usize {
        self.text[..self.cursor].char_indices().last().map_or(0, |(at, _)| at)
    }

    fn right(&self) -> usize {
        self.cursor + self.text[self.cursor..].chars().next().map_or(0, char::len_utf8)
    }

    fn word_left(&self) -> usize {
        let before = self.text[..self.cursor].trim_end_matches(|char: char| !char.is_alphanumeric());
        before.trim_end_matches(|char: char| char.is_alphanumeric() || char == '_').len()
    }

    fn word_right(&self) -> usize {
        let rest = &self.text[self.cursor..];
        let gone = rest.trim_start_matches(|char: char| !char.is_alphanumeric());
        self.text.len() - gone.trim_start_matches(|char: char| char.is_alphanumeric() || char == '_').len()
    }

    /// Moves the cursor. False if it is where it was: at an end of the text.
    pub(super) fn go(&mut self, motion: Motion) -> bool {
        let before = self.cursor;
        let aimed = self.column.take();
        match motion {
            Motion::Left => self.cursor = self.left(),
            Motion::Right => self.cursor = self.right(),
            Motion::LineStart => {
                let start = self.line_start();
                let line = &self.text[start..self.line_end()];
                let code = start + line.len() - line.trim_start().len();
                self.cursor = if self.cursor == code { start } else { code };
            }
            Motion::LineEnd => self.cursor = self.line_end(),
            Motion::WordLeft => self.cursor = self.word_left(),
            Motion::WordRight => self.cursor = self.word_right(),
            Motion::Start => self.cursor = 0,
            Motion::End => self.cursor = self.text.len(),
            Motion::Up => self.by_lines(-1, aimed),
            Motion::Down => self.by_lines(1, aimed),
            Motion::PageUp(lines) => self.by_lines(-(lines as isize), aimed),
            Motion::PageDown(lines) => self.by_lines(lines as isize, aimed),
        }
        self.cursor != before
    }

    fn by_lines(&mut self, lines: isize, aimed: Option<usize>) {
        let (line, column) = self.position();
        let last = self.text.matches('\n').count();
        let aimed = aimed.unwrap_or(column);
        let target = line.saturating_add_signed(lines).min(last);
        if target != line {
            self.place(target, aimed);
        }
        self.column = Some(aimed);
    }

    /// What the notebook does not know yet. It counts as told.
    pub(super) fn take_change(&mut self) -> Option<Change> {
        let change = difference(&self.base, &self.text)?;
        self.base.clone_from(&self.text);
        Some(change)
    }

    /// The notebook has another text now: somebody else has changed it. What was typed meanwhile is put into it.
    pub(super) fn rebase(&mut self, base: &str) {
        if base == self.base {
            return;
        }
        let mine = difference(&self.base, &self.text);
        let theirs = difference(&self.base, base);
        let moved = |place: usize| match &theirs {
            Some(theirs) if theirs.range.end <= place => place + theirs.inserted.len() - theirs.range.len(),
            Some(theirs) if theirs.range.start < place => theirs.range.start,
            _ => place,
        };
        let cursor = match &mine {
            Some(mine) if self.cursor >= mine.range.start => {
                moved(mine.range.start) + (self.cursor - mine.range.start).min(mine.inserted.len())
            }
            _ => moved(self.cursor),
        };
        let mut text = base.to_owned();
        if let Some(mine) = mine {
            let start = base.floor_char_boundary(moved(mine.range.start));
            let end = base.floor_char_boundary(moved(mine.range.end)).max(start);
            text.replace_range(start..end, &mine.inserted);
        }
        self.base = base.to_owned();
        self.cursor = text.floor_char_boundary(cursor);
        self.text = text;
    }
}

/// The one change that makes a text of another.
fn difference(old: &str, new: &str) -> Option<Change> {
    if old == new {
        return None;
    }
    let mut start = old.bytes().zip(new.bytes()).take_while(|(one, other)| one == other).count();
    while !old.is_char_boundary(start) || !new.is_char_boundary(start) {
        start -= 1;
    }
    let same = old[start..].bytes().rev().zip(new[start..].bytes().rev()).take_while(|(one, other)| one == other);
    let mut end = same.count();
    while !old.is_char_boundary(old.len() - end) || !new.is_char_boundary(new.len() - end) {
        end -= 1;
    }
    Some(Change { range: start..old.len() - end, inserted: new[start..new.len() - end].to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_in_and_closing_brackets_less() {
        let mut edited = Edited::new("");
        edited.insert("fn f() {");
        edited.line_break();
        edited.insert("1");
        edited.line_break();
        edited.insert("}");
        assert_eq!(edited.text(), "fn f() {\n    1\n}");
        edited.go(Motion::Up);
        edited.go(Motion::LineStart);
        assert_eq!(edited.position(), (1, 4));
        edited.backspace();
        assert_eq!(edited.text(), "fn f() {\n1\n}");
    }

    #[test]
    fn the_cursor_moves_by_characters_words_and_lines() {
        let mut edited = Edited::new("äö wörd\nb\nlong line");
        assert_eq!(edited.position(), (2, 9));
        edited.go(Motion::Up);
        assert_eq!(edited.position(), (1, 1));
        edited.go(Motion::Up);
        assert_eq!(edited.position(), (0, 7));
        edited.go(Motion::WordLeft);
        assert_eq!(edited.position(), (0, 3));
        edited.cut_word();
        assert_eq!(edited.text(), "wörd\nb\nlong line");
        assert!(!edited.go(Motion::Left));
        edited.delete();
        edited.cut_line();
        assert_eq!(edited.text(), "\nb\nlong line");
    }

    #[test]
    fn a_change_is_told_once_and_as_small_as_it_is() {
        let mut edited = Edited::new("let ä = 1;");
        edited.go(Motion::Left);
        edited.insert("0");
        assert_eq!(edited.take_change(), Some(Change { range: 10..10, inserted: "0".to_owned() }));
        assert_eq!(edited.take_change(), None);
    }

    #[test]
    fn what_others_change_meanwhile_is_kept_with_what_was_typed() {
        let mut edited = Edited::new("one\ntwo\nthree");
        edited.insert("!");
        edited.rebase("zero\none\ntwo\nthree");
        assert_eq!(edited.text(), "zero\none\ntwo\nthree!");
        assert_eq!(edited.cursor, edited.text().len());
        assert_eq!(edited.take_change().map(|change| change.inserted), Some("!".to_owned()));
        edited.go(Motion::Start);
        edited.insert("a");
        edited.rebase("zero\none\ntwo\nfour!");
        assert_eq!((edited.text(), edited.cursor), ("azero\none\ntwo\nfour!", 1));
        edited.rebase("");
        assert_eq!(edited.text(), "a");
    }
}
