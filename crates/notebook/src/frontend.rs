//! Front ends: each shows the same events in its own way.
//!
//! Owns everything that knows of terminals. What happens during a run is for `event`.

mod look;
mod pager;
mod progress;
mod frames;
mod blocks;
mod plain;
mod json;
mod quiet;

mod manifest;
mod inputs;
mod commands;
mod secrets;
mod syntax;
mod complete;
mod debugged;
mod paint;
mod view;
mod graphics;
mod region;
mod waiting;
mod screen;
mod window;
mod members;
mod typing;
mod full;
mod repl;

use std::io;
use std::time::Duration;

use crate::event::Event;
use crate::session::End;
use crate::session::data::Data;

pub use full::{Leaving, view};
pub use json::Json;
pub use look::Look;
pub use pager::page;
pub use plain::Plain;
pub use progress::{Progress, clear_line};
pub use quiet::Quiet;
pub use repl::{ReplOptions, repl};

/// Shows a run to somebody.
pub trait Frontend {
    /// Shows one event; events come in the order in which things happen.
    ///
    /// # Errors
    /// What the stream says that it is written to; a closed pipe is one.
    fn event(&mut self, event: &Event) -> io::Result<()>;
}

/// What others call a front end of this kind: with its terminal, if it has one.
fn seat(kind: &str) -> String {
    match nix::unistd::ttyname(io::stdin()) {
        Ok(terminal) => format!("{kind} on {}", terminal.strip_prefix("/dev").unwrap_or(&terminal).display()),
        Err(_) => kind.to_owned(),
    }
}

/// Those who are at a notebook with other programs, as others call them.
fn others(data: &Data) -> Vec<String> {
    let others = data.clients().values().filter(|visitor| visitor.process != std::process::id());
    others.map(|visitor| visitor.name.clone()).collect()
}

/// What is said of the end of a notebook that was joined.
pub fn said_of(end: &End) -> String {
    match end {
        End::Closed => "the notebook was closed by its own terminal".to_owned(),
        End::Lost(why) => format!("the terminal that had the notebook open is gone: {why}"),
    }
}

/// How long ago something was.
pub fn span(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    let (count, unit) = match minutes {
        0 => return "a moment ago".to_owned(),
        1..60 => (minutes, "minute"),
        60..1440 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_the_unit_that_suits_it() {
        let told = [5, 60, 3599, 3600, 86_399, 86_400, 200_000].map(|age| span(Duration::from_secs(age)));
        let expected =
            ["a moment ago", "1 minute ago", "59 minutes ago", "1 hour ago", "23 hours ago", "1 day ago", "2 days ago"];
        assert_eq!(told, expected);
    }
}
