//! `greenroom check`: whether every cell compiles.

use super::{exit_code, frontend, open};
use crate::app;
use crate::cli::Check;

pub(super) fn check(arguments: &Check) -> u8 {
    let document = match open(&arguments.file) {
        Ok(document) => document,
        Err(code) => return code,
    };
    let (mut frontend, options) = frontend(arguments.shown);
    let outcome = app::check(&document.notebook, &document.path, options, &mut *frontend);
    drop(frontend);
    exit_code(outcome)
}
