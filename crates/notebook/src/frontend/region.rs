//! The rows right above the prompt that are drawn again and again: what live frames show. A function of what was drawn
//! and of how large the terminal is; who writes it, and when, is for `screen`.
//!
//! It never scrolls what stands above it and never takes the whole screen. When a prompt is done, those frames go on with
//! the next that have changed above this one; the others stay where they are, until they change. What a frame shows last is
//! said when it ends, unless it stands there.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use console::{AnsiCodeIterator, measure_text_width, truncate_str};

/// The least time between two drawings.
const STEP: Duration = Duration::from_millis(33);

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// How many of the rows the prompt takes.
    pub(super) prompt: usize,
}

/// The live frames above the prompt.
#[derive(Debug, Default)]
pub(super) struct Region {
    /// Those that are drawn again, in the order in which they have come.
    frames: Vec<Shown>,
    /// How wide each of the rows is that are drawn.
    drawn: Vec<usize>,
    is_stale: bool,
    /// Nothing is drawn, as something else is about to be written around the prompt.
    is_hidden: bool,
    drawn_at: Option<Instant>,
    /// What those show that were left above a prompt that was done.
    left: HashMap<String, String>,
}

/// A live frame.
#[derive(Debug)]
struct Shown {
    name: String,
    text: String,
    /// Whether it has changed above this prompt.
    is_changing: bool,
}

impl Region {
    /// A frame shows this now.
    pub(super) fn show(&mut self, name: &str, text: &str) {
        if self.left.get(name).is_some_and(|left| left == text) {
            return;
        }
        let is_changing = self.left.remove(name).is_some();
        match self.frames.iter_mut().find(|own| own.name == name) {
            Some(own) if own.text == text => return,
            Some(own) => {
                text.clone_into(&mut own.text);
                own.is_changing = true;
            }
            None => self.frames.push(Shown { name: name.to_owned(), text: text.to_owned(), is_changing }),
        }
        self.is_stale = true;
    }

    /// A frame has ended. Returns whether what it has shown last is still to be said.
    pub(super) fn end(&mut self, name: &str, last: &str) -> bool {
        let count = self.frames.len();
        self.frames.retain(|own| own.name != name);
        self.is_stale |= self.frames.len() < count;
        self.left.remove(name).is_none_or(|left| left != last)
    }

    /// Nothing is drawn from now on, or everything is again.
    pub(super) fn hide(&mut self, is_hidden: bool) {
        self.is_hidden = is_hidden;
        self.is_stale |= !self.frames.is_empty();
    }

    /// What is drawn stays where it is, and is drawn again elsewhere.
    pub(super) fn stay(&mut self) {
        self.drawn.clear();
        self.is_stale = !self.frames.is_empty();
    }

    /// A prompt begins: who changes above it goes on with the next.
    pub(super) fn begin(&mut self) {
        self.frames.iter_mut().for_each(|own| own.is_changing = false);
    }

    /// A prompt is about to be drawn for the last time. What is to be written where it begins: those frames are taken away
    /// that go on with the next.
    pub(super) fn lift(&mut self, room: Room) -> String {
        if self.drawn.is_empty() {
            return String::new();
        }
        let mut piece = self.erased(room);
        let all = std::mem::take(&mut self.frames);
        let (going_on, left): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|own| own.is_changing || own.text.is_empty());
        self.frames = left;
        for row in self.rows(room) {
            piece.push_str(&row);
            piece.push_str("\r\n");
        }
        self.left.extend(self.frames.drain(..).map(|own| (own.name, own.text)));
        self.frames = going_on;
        self.is_stale = !self.frames.is_empty();
        self.drawn.clear();
        piece
    }

    /// What is drawn stays where it is.
    pub(super) fn leave(&mut self) {
        if !self.drawn.is_empty() {
            self.left.extend(self.frames.drain(..).map(|own| (own.name, own.text)));
            self.drawn.clear();
            self.is_stale = false;
        }
    }

    /// Nothing is known of any frame any more.
    pub(super) fn forget(&mut self) {
        *self = Region::default();
    }

    /// When something has to be drawn: in so much time.
    pub(super) fn due(&self) -> Option<Duration> {
        match (self.is_hidden, self.drawn.is_empty()) {
            (true, true) => None,
            (true, false) => Some(Duration::ZERO),
            (false, _) => {
                let since = self.drawn_at.map_or(STEP, |at| at.elapsed());
                self.is_stale.then(|| STEP.saturating_sub(since))
            }
        }
    }

    /// What is to be written where the prompt begins so that news stand above the frames as they are now.
    pub(super) fn below(&mut self, news: &str, room: Room) -> String {
        let mut piece = self.erased(room);
        piece.push_str(news);
        let rows = if self.is_hidden { Vec::new() } else { self.rows(room) };
        if !rows.is_empty() && !news.is_empty() && !news.ends_with('\n') {
            piece.push('\n');
        }
        for row in &rows {
            piece.push_str(row);
            piece.push('\n');
        }
        self.drawn = rows.iter().map(|row| measure_text_width(row)).collect();
        self.is_stale = false;
        self.drawn_at = Some(Instant::now());
        piece
    }

    /// Takes away what is drawn. What was drawn on a wider screen has been wrapped since.
    fn erased(&self, room: Room) -> String {
        let rows: usize = self.drawn.iter().map(|width| width.div_ceil(room.columns.max(1)).max(1)).sum();
        match rows.min(room.rows) {
            0 => String::new(),
            rows => format!("\u{1b}[{rows}A\r\u{1b}[J"),
        }
    }

    fn rows(&self, room: Room) -> Vec<String> {
        let most = room.rows.saturating_sub(room.prompt + 1).min(room.rows * 2 / 3);
        let count = self.frames.iter().map(|own| own.text.lines().count()).sum::<usize>();
        let shown = if count > most { most.saturating_sub(1) } else { count };
        let lines = self.frames.iter().flat_map(|own| own.text.lines());
        let mut rows: Vec<String> = lines.take(shown).map(|line| row(line, room.columns)).collect();
        if count > most && most > 0 {
            rows.push(row(&format!("… {} more lines", count - shown), room.columns));
        }
        rows
    }
}

/// A line as one row: in its colours, without anything else that would move the cursor, cut where the screen ends.
fn row(line: &str, columns: usize) -> String {
    // What a carriage return wrote over is gone.
    let line = line.trim_end_matches('\r').rsplit('\r').next().unwrap_or("");
    let mut tame = String::with_capacity(line.len());
    for (part, is_code) in AnsiCodeIterator::new(line) {
        match is_code {
            true if part.starts_with("\u{1b}[") && part.ends_with('m') => tame.push_str(part),
            true => {}
            false => {
                for char in part.chars() {
                    match char {
                        '\t' => tame.push_str("    "),
                        char if char.is_control() => {}
                        char => tame.push(char),
                    }
                }
            }
        }
    }
    let mut row = truncate_str(&tame, columns.saturating_sub(1), "…").into_owned();
    if row.contains('\u{1b}') {
        row.push_str("\u{1b}[0m");
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { columns: 20, rows: 12, prompt: 1 };

    /// What stands on a terminal of this size after these pieces, each followed by a prompt that is then taken away.
    fn drawn(pieces: &[String], room: Room) -> Vec<String> {
        let mut parser = vt100::Parser::new(room.rows as u16, room.columns as u16, 0);
        for piece in pieces {
            parser.process(piece.replace('\n', "\r\n").as_bytes());
            parser.process(b"> typed\r\x1b[K");
        }
        let lines: Vec<String> = parser.screen().rows(0, room.columns as u16).collect();
        let used = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
        lines[..used].to_vec()
    }

    #[test]
    fn frames_are_drawn_again_in_place_and_news_go_above_them() {
        let mut region = Region::default();
        region.show("a", "one\n");
        region.show("b", "two\nthree\n");
        let mut pieces = vec![region.below("before\n", ROOM)];
        region.show("a", "ONE\nMORE\n");
        pieces.push(region.below("", ROOM));
        pieces.push(region.below("news", ROOM));
        assert_eq!(drawn(&pieces, ROOM), ["before", "news", "ONE", "MORE", "two", "three"]);
        assert!(region.end("b", "two\nthree\n"), "it is to be said");
        pieces.push(region.below("two\nthree\n", ROOM));
        assert_eq!(drawn(&pieces, ROOM), ["before", "news", "two", "three", "ONE", "MORE"]);
        assert!(region.end("a", ""));
        pieces.push(region.below("", ROOM));
        assert_eq!(drawn(&pieces, ROOM), ["before", "news", "two", "three"]);
    }

    #[test]
    fn what_changes_above_a_prompt_goes_on_with_the_next_and_what_does_not_stays() {
        let mut region = Region::default();
        region.show("still", "one\n");
        region.show("moving", "two\n");
        region.show("empty", "");
        let mut pieces = vec![region.below("", ROOM)];
        region.begin();
        region.show("moving", "three\n");
        pieces.push(region.below("", ROOM));
        pieces.push(region.lift(ROOM) + "> typed\n");
        region.leave();
        assert_eq!(drawn(&pieces, ROOM), ["one", "> typed"]);
        pieces.push(region.below("= 4\n", ROOM));
        assert_eq!(drawn(&pieces, ROOM), ["one", "> typed", "= 4", "three"]);
        region.begin();
        // It was left, and comes back as it changes; so does what was empty.
        region.show("still", "one\n");
        assert_eq!(region.due(), None);
        region.show("still", "ONE\n");
        region.show("empty", "filled\n");
        pieces.push(region.below("", ROOM));
        assert_eq!(drawn(&pieces, ROOM), ["one", "> typed", "= 4", "three", "filled", "ONE"]);
    }

    #[test]
    fn what_is_hidden_is_taken_away_and_drawn_again_later() {
        let mut region = Region::default();
        region.show("a", "one\n");
        let mut pieces = vec![region.below("before\n", ROOM)];
        region.hide(true);
        assert_eq!(region.due(), Some(Duration::ZERO));
        pieces.push(region.below("", ROOM));
        region.show("a", "two\n");
        assert_eq!(region.due(), None);
        assert_eq!(drawn(&pieces, ROOM), ["before"]);
        region.hide(false);
        pieces.push(region.below("", ROOM));
        assert_eq!(drawn(&pieces, ROOM), ["before", "two"]);
    }

    #[test]
    fn what_was_left_is_said_at_its_end_only_if_it_has_changed() {
        let mut region = Region::default();
        region.show("a", "one\n");
        region.show("b", "two\n");
        region.below("", ROOM);
        region.begin();
        region.lift(ROOM);
        assert!(region.end("a", "changed\n"));
        assert!(!region.end("b", "two\n"));
    }

    #[test]
    fn they_take_no_more_than_a_part_of_the_screen() {
        let mut region = Region::default();
        region.show("a", &(0..100).map(|line| format!("line {line}\n")).collect::<String>());
        let pieces = [region.below("", ROOM), region.below("", ROOM), region.below("", ROOM)];
        let shown = drawn(&pieces, ROOM);
        assert_eq!(shown.len(), 8, "{shown:?}");
        assert_eq!(shown[7], "… 93 more lines");
        let tall = Room { prompt: 10, ..ROOM };
        assert_eq!(region.rows(tall), ["… 100 more lines"]);
        assert_eq!(region.rows(Room { prompt: 40, ..ROOM }), Vec::<String>::new());
    }

    #[test]
    fn a_row_keeps_its_colours_and_moves_no_cursor() {
        assert_eq!(row("50 %\r\u{1b}[32m51\t%\u{1b}[2J\u{7}", 20), "\u{1b}[32m51    %\u{1b}[0m");
        assert_eq!(row("0123456789", 6), "0123…");
        // Wrapped by a screen that has become narrower.
        let region = Region { drawn: vec![19, 0, 5], ..Region::default() };
        assert_eq!(region.erased(Room { columns: 10, ..ROOM }), "\u{1b}[4A\r\u{1b}[J");
    }
}
