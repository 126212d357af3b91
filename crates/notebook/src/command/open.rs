//! `greenroom open`: a notebook as a whole, on a terminal.

use std::io::{self, IsTerminal};

use super::{new, read, refuse};
use crate::cli::{EXIT_OK, New, Open};
use crate::draw::Style;
use crate::frontend::{Leaving, Look, view};
use crate::live::{Live, LiveOptions};

pub(super) fn open(arguments: &Open) -> u8 {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return refuse("`greenroom open` needs a terminal\nhelp: `greenroom run` evaluates a notebook without one");
    }
    if !arguments.file.exists() {
        let code = new::new(&New { file: arguments.file.clone() });
        if code != EXIT_OK {
            return code;
        }
    }
    let document = match read(&arguments.file) {
        Ok(document) => document,
        Err(code) => return code,
    };
    // Drawings take the view's colours.
    let options =
        LiveOptions { file: Some(arguments.file.clone()), style: Style::Plain, columns: Look::of_stdout().room() };
    let live = match Live::open(&document.notebook, options) {
        Ok(live) => live,
        Err(error) => return refuse(error),
    };
    let done = view(live.handle(), Leaving::Closes);
    live.close();
    match done {
        Ok(_) => EXIT_OK,
        Err(error) => refuse(format!("the terminal cannot be drawn on: {error}")),
    }
}
