//! How text is to look: how much room there is, whether there are colours, and how a time is written.

use std::borrow::Cow;
use std::io::{self, IsTerminal};

use console::{Style, Term, strip_ansi_codes};

/// How far a cell's outputs stand in.
pub(super) const INDENT: &str = "    ";

/// The width of a run where no terminal says another, and the most that a rule takes.
pub(super) const WIDTH: usize = 80;

/// How a run is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// How many columns there are.
    pub width: usize,
    /// Whether to use colours.
    pub coloured: bool,
}

impl Look {
    /// Without colours, as wide as a page.
    pub const PAGE: Look = Look { width: WIDTH, coloured: false };

    /// What suits the program's stdout: colours only on a terminal, and not where `NO_COLOR` is set.
    pub fn of_stdout() -> Self {
        let stdout = io::stdout();
        let says = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let is_dumb = says("TERM").is_some_and(|term| term == "dumb");
        Look {
            width: Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| usize::from(columns)),
            coloured: stdout.is_terminal() && says("NO_COLOR").is_none() && !is_dumb,
        }
    }

    /// How wide what a cell shows may be.
    pub fn room(&self) -> usize {
        self.width.saturating_sub(INDENT.len()).max(20)
    }

    /// The same without colours.
    pub fn without_colours(self) -> Self {
        Look { coloured: false, ..self }
    }

    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        style.force_styling(self.coloured).apply_to(text).to_string()
    }

    pub(super) fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.coloured {
            true => Cow::Borrowed(text),
            false => strip_ansi_codes(text),
        }
    }
}

/// A time in milliseconds, in the unit that suits it.
pub(super) fn duration(ms: f64) -> String {
    match ms {
        ms if ms < 9.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 59_995.0 => format!("{:.2} s", ms / 1000.0),
        ms => {
            let seconds = (ms / 1000.0).round() as u64;
            format!("{} min {:02} s", seconds / 60, seconds % 60)
        }
    }
}
