//! Front ends: each shows the same events in its own way.
//!
//! Owns everything that knows of terminals. What happens during a run is for `event`.

mod pager;
mod progress;
mod plain;
mod json;
mod quiet;

mod manifest;
mod commands;
mod secrets;
mod syntax;
mod complete;
mod debugged;
mod paint;
mod view;
mod screen;
mod window;
mod typing;
mod full;
mod repl;

use std::io;

use crate::event::Event;

pub use console::strip_ansi_codes;
pub use full::view;
pub use json::Json;
pub use pager::page;
pub use plain::{Look, Plain};
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
