//! `greenroom export`: a notebook in another form.

use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::{exit_code, open, read, refuse};
use crate::app::{self, RunOptions};
use crate::cli::{EXIT_CELL_FAILED, EXIT_OK, Export, Format};
use crate::disk::save;
use crate::document::Document;
use crate::draw::Style;
use crate::event::Output;
use crate::expected::saved;
use crate::export::{self, Package};
use crate::format::Rustfmt;
use crate::frontend::{Look, Progress, Quiet};
use crate::livemd::{Cell, Notebook, Smart};
use crate::plan::plan;
use crate::prelude;

pub(super) fn export(arguments: &Export) -> u8 {
    let document = match arguments.to {
        Format::Rs => open(&arguments.file),
        Format::Md | Format::Html => read(&arguments.file),
    };
    let outcome = document.and_then(|document| match arguments.to {
        Format::Rs => program(&document, arguments.output.as_deref()),
        Format::Md | Format::Html => {
            let (shown, code) = if arguments.run {
                evaluated(&document).map(|(shown, code)| (Some(shown), code))?
            } else {
                (None, EXIT_OK)
            };
            let text = match (arguments.to, shown) {
                (Format::Html, shown) => export::page(&document.notebook, shown.as_deref()),
                (Format::Md | Format::Rs, None) => export::markdown(&document.notebook),
                (Format::Md | Format::Rs, Some(shown)) => export::markdown(&with_outputs(document.notebook, &shown)),
            };
            write(arguments.output.as_deref(), &text)?;
            Ok(code)
        }
    });
    outcome.unwrap_or_else(|code| code)
}

const OPTIONS: RunOptions = RunOptions { style: Style::Plain, columns: Look::PAGE.width, trace: None };

/// What the code cells show now, in order, and the exit code of the run.
fn evaluated(document: &Document) -> Result<(Vec<Vec<Output>>, u8), u8> {
    let mut quiet = Quiet::new(Progress::on_stderr());
    let outcome = app::run(&document.notebook, &document.path, OPTIONS, &mut quiet);
    let reports = quiet.into_reports();
    let came = outcome.is_ok();
    let code = exit_code(outcome);
    if !came {
        return Err(code);
    }
    let count = document.notebook.code_cells().count();
    let mut shown = vec![Vec::new(); count];
    for report in reports {
        if let Some(outputs) = report.index.checked_sub(1).and_then(|at| shown.get_mut(at)) {
            *outputs = report.outputs;
        }
    }
    Ok((shown, code))
}

/// The notebook with these outputs saved in it.
fn with_outputs(mut notebook: Notebook, shown: &[Vec<Output>]) -> Notebook {
    let cells = notebook.sections.iter_mut().flat_map(|section| &mut section.cells);
    let codes = cells.filter_map(|cell| match cell {
        Cell::Markdown(_) => None,
        Cell::Code(code) | Cell::Smart(Smart { code, .. }) => Some(code),
    });
    for (code, outputs) in codes.zip(shown) {
        code.outputs = saved(outputs);
    }
    notebook
}

/// Writes the notebook as a program: a package, or without a folder for it a script.
fn program(document: &Document, folder: Option<&Path>) -> Result<u8, u8> {
    if let Some(folder) = folder
        && fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
    {
        return Err(refuse(format!("{}: there is something in it already\nhelp: name a new folder", folder.display())));
    }
    let mut quiet = Quiet::new(Progress::on_stderr());
    let compiled = app::compile(&document.notebook, &document.path, OPTIONS, &mut quiet);
    drop(quiet);
    let compiled = match compiled {
        Ok(Some(compiled)) if compiled.iter().all(Option::is_some) => compiled,
        Ok(_) => return Err(EXIT_CELL_FAILED),
        Err(error) => return Err(exit_code(Err(error))),
    };
    let (notebook, plan) = (&document.notebook, plan(&document.notebook));
    let rustfmt = Rustfmt::find(Path::new("."));
    let neat = |program: String| rustfmt.as_ref().and_then(|rustfmt| rustfmt.format(&program)).unwrap_or(program);
    let Some(folder) = folder else {
        let sources = prelude::sources_folder(&prelude::cache_folder().map_err(refuse)?);
        prelude::write_sources(&sources).map_err(refuse)?;
        let script = export::script(notebook, &plan, &compiled, &sources).map_err(refuse)?;
        let (head, program) = script.split_once("---\n\n").unwrap_or(("", &script));
        write(None, &format!("{head}---\n\n{}", neat(program.to_owned())))?;
        return Ok(EXIT_OK);
    };
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let package = export::package(notebook, &plan, &compiled, &name).map_err(refuse)?;
    let cannot = |error: &dyn Display| refuse(format!("{}: cannot be written: {error}", folder.display()));
    fs::create_dir_all(folder.join("src")).map_err(|error| cannot(&error))?;
    prelude::write_sources(&folder.join(Package::SOURCES)).map_err(refuse)?;
    for (file, text) in [
        ("Cargo.toml", package.manifest.as_str()),
        ("Cargo.lock", prelude::lock_file()),
        ("src/main.rs", &neat(package.program)),
    ] {
        fs::write(folder.join(file), text).map_err(|error| cannot(&error))?;
    }
    println!("{} is there; `cargo run` in it runs the notebook", folder.display());
    Ok(EXIT_OK)
}

/// Writes a text to a file, or to stdout.
fn write(file: Option<&Path>, text: &str) -> Result<(), u8> {
    match file {
        Some(file) => {
            save(file, text).map_err(|error| refuse(format!("{}: cannot be written: {error}", file.display())))
        }
        None => {
            // Whoever closes the pipe has seen enough.
            let _ = io::stdout().write_all(text.as_bytes());
            Ok(())
        }
    }
}
