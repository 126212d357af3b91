//! `greenroom run`: a notebook from top to bottom.

use super::{exit_code, frontend, open};
use crate::app;
use crate::cli::Run;

pub(super) fn run(arguments: &Run) -> u8 {
    let document = match open(&arguments.file) {
        Ok(document) => document,
        Err(code) => return code,
    };
    let (mut frontend, options) = frontend(arguments.shown);
    let outcome = app::run(&document.notebook, &document.path, options, &mut *frontend);
    drop(frontend);
    exit_code(outcome)
}
