//! Text for a person at a terminal: through a pager, where one is, so that it can be scrolled both ways.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::{Child, Command, Stdio};

/// Shows a text. On a terminal by the program that `PAGER` names, or `less`, which lets what fits on the screen stand
/// there; elsewhere, and where there is no such program, it is printed.
///
/// # Errors
/// What the terminal says that it is written to.
pub fn page(text: &str) -> io::Result<()> {
    let started = if io::stdout().is_terminal() { pager() } else { None };
    let Some(mut pager) = started else {
        return io::stdout().write_all(text.as_bytes());
    };
    if let Some(mut input) = pager.stdin.take() {
        // Whoever leaves before the end has seen enough.
        let _ = input.write_all(text.as_bytes());
    }
    pager.wait().map(drop)
}

fn pager() -> Option<Child> {
    let named = env::var("PAGER").ok().filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "less".to_owned());
    let mut words = named.split_whitespace();
    let mut command = Command::new(words.next()?);
    command.args(words).stdin(Stdio::piped());
    if env::var_os("LESS").is_none() {
        // Colours, long lines as they are, and no screen of its own for what fits on one.
        command.env("LESS", "FRSX");
    }
    command.spawn().ok()
}
