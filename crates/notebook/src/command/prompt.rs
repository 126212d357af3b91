//! `greenroom` alone: a prompt at which every input is a cell.

use super::refuse;
use crate::cli::{EXIT_CELL_FAILED, EXIT_OK, Prompt};
use crate::frontend::{ReplOptions, repl, view};

/// Reads, evaluates and prints until the input ends. Returns the exit code of the program.
pub fn prompt(arguments: Prompt) -> u8 {
    let is_asked = std::env::var_os("GREENROOM_SCREEN_READER").is_some_and(|value| !value.is_empty() && value != "0");
    let options = ReplOptions {
        show_document: view,
        no_color: arguments.plain,
        screen_reader: arguments.screen_reader || is_asked,
    };
    match repl(&options) {
        Ok(true) => EXIT_OK,
        Ok(false) => EXIT_CELL_FAILED,
        Err(error) => refuse(error),
    }
}
