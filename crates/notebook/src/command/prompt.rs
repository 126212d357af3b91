//! `greenroom` alone: a prompt at which every input is a cell.

use super::refuse;
use crate::announce::Announced;
use crate::cli::{EXIT_CELL_FAILED, EXIT_OK, Prompt};
use crate::frontend::{Leaving, ReplOptions, repl, view};
use crate::live::Joined;

/// Reads, evaluates and prints until the input ends. Returns the exit code of the program.
pub fn prompt(arguments: Prompt) -> u8 {
    at(arguments, None)
}

/// The same in a notebook that was joined.
pub(super) fn at(arguments: Prompt, joined: Option<(Joined, Announced)>) -> u8 {
    let is_asked = std::env::var_os("GREENROOM_SCREEN_READER").is_some_and(|value| !value.is_empty() && value != "0");
    let options = ReplOptions {
        show_document: |handle| view(handle, Leaving::Stays).map(drop),
        no_color: arguments.plain,
        screen_reader: arguments.screen_reader || is_asked,
    };
    match repl(&options, joined) {
        Ok(true) => EXIT_OK,
        Ok(false) => EXIT_CELL_FAILED,
        Err(error) => refuse(error),
    }
}
