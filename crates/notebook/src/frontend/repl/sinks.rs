//! Where a REPL's lines go: to a screen that somebody looks at, or straight to the streams of the program; and the line
//! that says what is under way.

use std::io::{self, Write};
use std::time::Instant;

use console::Style;

use super::follow::Sink;
use super::{Repl, TICK};
use crate::frontend::screen::Screen;
use crate::frontend::view::Manner;
use crate::image::Image;

impl Sink for Screen {
    fn say(&self, text: &str) {
        Screen::say(self, text);
    }

    fn complain(&self, text: &str) {
        Screen::say(self, text);
    }

    fn show(&self, image: &Image) {
        Screen::show(self, image);
    }

    fn draw(&self, frame: &str, text: &str) {
        Screen::draw(self, frame, text);
    }

    fn settle(&self, frame: &str, last: &str, said: &str) {
        Screen::settle(self, frame, last, said);
    }
}

/// Straight to the streams of the program.
pub(super) struct Streams;

impl Sink for Streams {
    fn say(&self, text: &str) {
        // Whoever has closed the stream has seen enough; the next input ends the program.
        let _ = io::stdout().write_all(text.as_bytes());
    }

    fn complain(&self, text: &str) {
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

impl Repl {
    /// Shows what is under way, below everything else, until something else is said.
    pub(super) fn under_way(&self, what: &str, since: Instant) {
        if self.view.manner != Manner::Seen {
            return;
        }
        let frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
        let elapsed = since.elapsed();
        let frame = frames[(elapsed.as_millis() / TICK.as_millis()) as usize % frames.len()];
        let line = format!("{frame} {what}  {:.1} s", elapsed.as_secs_f64());
        let line = console::truncate_str(&line, self.view.look.width.saturating_sub(1), "…").into_owned();
        let mut out = io::stdout().lock();
        let _ = write!(out, "\r\u{1b}[K{}", self.view.look.paint(Style::new().dim(), &line));
        let _ = out.flush();
    }

    pub(super) fn nothing_under_way(&self) {
        if self.view.manner == Manner::Seen {
            let mut out = io::stdout().lock();
            let _ = write!(out, "\r\u{1b}[K");
            let _ = out.flush();
        }
    }
}
