//! Front ends: each shows the same events in its own way.
//!
//! Owns everything that knows of terminals. What happens during a run is for `event`.

mod json;
mod pager;
mod plain;
mod progress;
mod quiet;

use std::io;

use crate::event::Event;

pub use console::strip_ansi_codes;
pub use json::Json;
pub use pager::page;
pub use plain::{Look, Plain};
pub use progress::{Progress, clear_line};
pub use quiet::Quiet;

/// Shows a run to somebody.
pub trait Frontend {
    /// Shows one event; events come in the order in which things happen.
    ///
    /// # Errors
    /// What the stream says that it is written to; a closed pipe is one.
    fn event(&mut self, event: &Event) -> io::Result<()>;
}
