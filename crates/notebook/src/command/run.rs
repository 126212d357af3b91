//! `greenroom run`: a notebook from top to bottom.

use super::{exit_code, frontend, open, refuse};
use crate::app::{self, RunOptions};
use crate::cli::Run;
use crate::picture::Form;

pub(super) fn run(arguments: &Run) -> u8 {
    if let Some(Err(error)) = arguments.trace.as_deref().map(Form::of_file) {
        return refuse(error);
    }
    let document = match open(&arguments.file) {
        Ok(document) => document,
        Err(code) => return code,
    };
    let (mut frontend, options) = frontend(arguments.shown);
    let options = RunOptions { trace: arguments.trace.clone(), ..options };
    let outcome = app::run(&document.notebook, &document.path, options, &mut *frontend);
    drop(frontend);
    exit_code(outcome)
}
