//! What the program's commands do, one file a command: each takes its words and ends with an exit code.
//!
//! Owns what they share: reading the notebook, choosing a front end, and what an outcome means as an exit code.

mod cache;
mod check;
mod draw;
mod export;
mod fmt;
mod join;
mod manual;
mod new;
mod node;
mod open;
mod ping;
mod prompt;
mod run;
mod test;

use std::fmt::Display;
use std::io;
use std::path::Path;

use crate::app::{RunError, RunOptions};
use crate::cli::{Command, EXIT_CELL_FAILED, EXIT_NOTHING_RUN, EXIT_OK, Shown};
use crate::document::{self, Document, OpenError};
use crate::draw::Style;
use crate::frontend::{Frontend, Json, Look, Plain, Progress};

pub use prompt::prompt;

/// Does what a command says, and returns the exit code of the program.
pub fn execute(command: &Command) -> u8 {
    match command {
        Command::New(arguments) => new::new(arguments),
        Command::Open(arguments) => open::open(arguments),
        Command::Join(arguments) => join::join(arguments),
        Command::Completions(arguments) => manual::completions(arguments),
        Command::Man => manual::man(),
        Command::Run(arguments) => run::run(arguments),
        Command::Draw(arguments) => draw::draw(arguments),
        Command::Check(arguments) => check::check(arguments),
        Command::Test(arguments) => test::test(arguments),
        Command::Fmt(arguments) => fmt::fmt(arguments),
        Command::Export(arguments) => export::export(arguments),
        Command::Cache(arguments) => cache::cache(arguments),
        Command::Node(arguments) => node::node(arguments),
        Command::Ping(arguments) => ping::ping(arguments),
    }
}

/// Reads a notebook that has code, and says what is odd about it.
fn open(path: &Path) -> Result<Document, u8> {
    said(document::open(path))
}

/// Reads any notebook, and says what is odd about it.
fn read(path: &Path) -> Result<Document, u8> {
    said(document::read(path))
}

fn said(document: Result<Document, OpenError>) -> Result<Document, u8> {
    let document = document.map_err(refuse)?;
    for warning in &document.warnings {
        eprintln!("warning: {}: {warning}", document.path.display());
    }
    Ok(document)
}

/// Says why nothing could be done.
fn refuse(error: impl Display) -> u8 {
    eprintln!("error: {error}");
    EXIT_NOTHING_RUN
}

/// The front end that was asked for, and what suits it.
fn frontend(shown: Shown) -> (Box<dyn Frontend>, RunOptions) {
    let mut look = Look::of_stdout();
    if shown.no_color {
        look = look.without_colours();
    }
    let progress = Progress::on_stderr();
    let style = if look.coloured && !shown.json { Style::Coloured } else { Style::Plain };
    let options = RunOptions { style, columns: look.room(), trace: None };
    if shown.json {
        (Box::new(Json::new(io::stdout(), progress)), options)
    } else {
        (Box::new(Plain::new(io::stdout(), progress, look)), options)
    }
}

/// The exit code of a run, after its front end is gone: a line that moves would be in the way of an error.
fn exit_code(outcome: Result<bool, RunError>) -> u8 {
    match outcome {
        Ok(true) => EXIT_OK,
        Ok(false) => EXIT_CELL_FAILED,
        // Whoever closes our output has seen enough.
        Err(RunError::Frontend(error)) if error.kind() == io::ErrorKind::BrokenPipe => EXIT_CELL_FAILED,
        Err(error) => {
            eprintln!("error: {error}");
            EXIT_CELL_FAILED
        }
    }
}
