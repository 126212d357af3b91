//! `greenroom fmt`: a notebook in its canonical form.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::{read, refuse};
use crate::cli::{EXIT_CELL_FAILED, EXIT_OK, Fmt};
use crate::disk::save;
use crate::expected::diff;
use crate::format::{Rustfmt, format};

pub(super) fn fmt(arguments: &Fmt) -> u8 {
    let document = match read(&arguments.file) {
        Ok(document) => document,
        Err(code) => return code,
    };
    let file = document.path.display();
    let rustfmt = Rustfmt::find(document.path.parent().unwrap_or(Path::new(".")));
    if rustfmt.is_none() {
        eprintln!(
            "warning: cells stay as they are: there is no rustfmt\nhelp: `rustup component add rustfmt` installs it"
        );
    }
    let formatted = format(&document.notebook, rustfmt.as_ref());
    for line in &formatted.verbatim {
        eprintln!("warning: {file}: line {line}: this cell is not Rust and stays as it is");
    }
    if arguments.stdout {
        // Whoever closes the pipe has seen enough.
        let _ = io::stdout().write_all(formatted.text.as_bytes());
        return EXIT_OK;
    }
    if formatted.text == document.text {
        return EXIT_OK;
    }
    if arguments.check {
        let changes = diff((&file.to_string(), &document.text), ("formatted", &formatted.text));
        let _ = io::stdout().write_all(changes.as_bytes());
        return EXIT_CELL_FAILED;
    }
    // What another program wrote meanwhile is not to be lost.
    match fs::read(&document.path) {
        Ok(now) if now == document.text.as_bytes() => {}
        _ => return refuse(format!("{file}: it has changed meanwhile and was not formatted\nhelp: try again")),
    }
    match save(&document.path, &formatted.text) {
        Ok(()) => EXIT_OK,
        Err(error) => refuse(format!("{file}: cannot be written: {error}\nhelp: check its folder and its rights")),
    }
}
