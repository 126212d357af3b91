//! The progress line: what is under way right now, on stderr, gone when it is over.
//!
//! On a terminal it is a bar or a clock that moves; elsewhere a plain line now and then.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle, WeakProgressBar};

use super::look::duration;
use crate::event::Event;

/// How often a plain line says how far things are.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// How often a moving line moves.
const TICK: Duration = Duration::from_millis(100);

/// Says what is under way.
pub struct Progress {
    way: Way,
}

enum Way {
    /// A line that moves; none while nothing is under way.
    Moving(Option<ProgressBar>),
    /// Lines that stay.
    Lines { out: Box<dyn Write>, began: Option<Instant>, pace: Pace },
}

impl Progress {
    /// On stderr, in the way that suits it.
    pub fn on_stderr() -> Self {
        match io::stderr().is_terminal() {
            true => Progress { way: Way::Moving(None) },
            false => Progress::lines(io::stderr()),
        }
    }

    /// As plain lines, now and then.
    pub fn lines(out: impl Write + 'static) -> Self {
        Progress { way: Way::Lines { out: Box::new(out), began: None, pace: Pace::default() } }
    }

    /// Follows the run.
    ///
    /// # Errors
    /// What the stream says that plain lines are written to.
    pub(crate) fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Prelude { done, total, name } => self.prelude(*done, *total, name),
            Event::PreludeDone { ms } => {
                self.clear();
                self.line(&format!("prelude ready in {}", duration(*ms)))
            }
            Event::CellStarted(start) => {
                self.cell(start.index);
                Ok(())
            }
            Event::Cell(_) | Event::Done { .. } => {
                self.clear();
                Ok(())
            }
            Event::Notice(notice) => self.line(notice),
            Event::CellOutput { .. } | Event::Late { .. } | Event::RuntimeOutput(_) => Ok(()),
        }
    }

    /// Writes a line that stays.
    pub(super) fn line(&mut self, line: &str) -> io::Result<()> {
        match &mut self.way {
            Way::Moving(Some(bar)) => bar.suspend(|| writeln!(io::stderr(), "{line}")),
            Way::Moving(None) => writeln!(io::stderr(), "{line}"),
            Way::Lines { out, .. } => writeln!(out, "{line}"),
        }
    }

    /// Takes the moving line away while something else is written.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.way {
            Way::Moving(Some(bar)) => bar.suspend(write),
            Way::Moving(None) | Way::Lines { .. } => write(),
        }
    }

    /// Shows text that a running cell has printed and not yet ended with a line break.
    pub(super) fn unfinished(&self, text: &str) {
        if let Way::Moving(Some(bar)) = &self.way {
            let gap = if text.is_empty() { "" } else { "  " };
            bar.set_prefix(format!("{text}{gap}"));
        }
    }

    fn prelude(&mut self, done: usize, total: usize, name: &str) -> io::Result<()> {
        match &mut self.way {
            Way::Moving(bar) => {
                let bar = bar.get_or_insert_with(|| {
                    moving("{spinner} building the prelude  {bar:24}  {pos}/{len}  {clock}  {wide_msg}")
                });
                bar.set_length(total as u64);
                bar.set_position(done as u64);
                bar.set_message(name.to_owned());
                Ok(())
            }
            Way::Lines { out, began, pace } => {
                let now = began.get_or_insert_with(Instant::now).elapsed();
                match pace.is_due(now) {
                    true => writeln!(out, "{}", prelude_line(done, total, name, now)),
                    false => Ok(()),
                }
            }
        }
    }

    fn cell(&mut self, index: usize) {
        self.clear();
        if let Way::Moving(bar) = &mut self.way {
            let line = moving("    {prefix}{spinner} {msg}  {clock}");
            line.set_message(format!("cell {index}"));
            *bar = Some(line);
        }
    }

    fn clear(&mut self) {
        if let Way::Moving(bar) = &mut self.way
            && let Some(bar) = bar.take()
        {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Lets a line through when enough time has gone by since the last.
#[derive(Default)]
struct Pace {
    last: Option<Duration>,
}

impl Pace {
    fn is_due(&mut self, now: Duration) -> bool {
        let is_due = self.last.is_none_or(|last| now >= last + LINE_EVERY);
        if is_due {
            self.last = Some(now);
        }
        is_due
    }
}

fn moving(template: &str) -> ProgressBar {
    let clock = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        // The line is drawn again a moment later: a clock that could not be written is no loss.
        let _ = write!(out, "{:.1} s", state.elapsed().as_secs_f64());
    };
    // A template is a constant of this file; were one wrong, the default style would do.
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .with_key("clock", clock)
        .progress_chars("━╸─")
        .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ");
    let bar = ProgressBar::no_length().with_style(style);
    bar.enable_steady_tick(TICK);
    *lock() = Some(bar.downgrade());
    bar
}

/// The line that moves now, for whoever ends the program from another thread.
static MOVING: Mutex<Option<WeakProgressBar>> = Mutex::new(None);

fn lock() -> std::sync::MutexGuard<'static, Option<WeakProgressBar>> {
    MOVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the moving line away for good, if there is one: the program is about to end.
pub fn clear_line() {
    if let Some(bar) = lock().take().and_then(|bar| bar.upgrade()) {
        bar.finish_and_clear();
    }
}

fn prelude_line(done: usize, total: usize, name: &str, since: Duration) -> String {
    let far = match total {
        0 => format!("{done}"),
        _ => format!("{done} of {total}"),
    };
    format!("building the prelude: {far}, {name} ({} s)", since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_line_comes_at_once_and_then_only_now_and_then() {
        let mut pace = Pace::default();
        let due: Vec<_> = [0, 1, 4, 5, 6, 9, 10, 30, 31]
            .into_iter()
            .filter(|&second| pace.is_due(Duration::from_secs(second)))
            .collect();
        assert_eq!(due, [0, 5, 10, 30]);
    }

    #[test]
    fn a_plain_line_says_how_far_the_prelude_is_and_what_is_being_built() {
        let line = prelude_line(12, 148, "tokio", Duration::from_secs(23));
        assert_eq!(line, "building the prelude: 12 of 148, tokio (23 s)");
        let line = prelude_line(3, 0, "serde", Duration::ZERO);
        assert_eq!(line, "building the prelude: 3, serde (0 s)");
    }
}
