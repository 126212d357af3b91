//! `greenroom test`: a run whose cells must show what is expected of them.

use std::io;

use super::{exit_code, frontend, open, refuse};
use crate::app;
use crate::cli::Test;
use crate::disk::save;
use crate::document::Document;
use crate::event::{CellReport, Event, Output, OutputKind, Status};
use crate::expected;
use crate::frontend::Frontend;
use crate::livemd::{self, Cell, Code, Notebook, Smart};

pub(super) fn test(arguments: &Test) -> u8 {
    let document = match open(&arguments.file) {
        Ok(document) => document,
        Err(code) => return code,
    };
    let (inner, options) = frontend(arguments.shown);
    let mut judge = Judge { notebook: document.notebook.clone(), inner, accepts: arguments.accept, counts: [0; 3] };
    let outcome = app::run(&document.notebook, &document.path, options, &mut judge);
    let Judge { notebook, inner, counts: [_, failed, skipped], .. } = judge;
    drop(inner);
    let code = exit_code(outcome.map(|_| failed + skipped == 0));
    match arguments.accept {
        true => write(&document, &notebook).err().unwrap_or(code),
        false => code,
    }
}

/// Writes the notebook if something in it was accepted.
fn write(document: &Document, notebook: &Notebook) -> Result<(), u8> {
    if *notebook == document.notebook {
        return Ok(());
    }
    save(&document.path, &livemd::print(notebook))
        .map_err(|error| refuse(format!("{}: cannot be written: {error}", document.path.display())))
}

/// Passes on what happens, and turns cells that show something else into failed ones.
struct Judge {
    notebook: Notebook,
    inner: Box<dyn Frontend>,
    /// Whether what is shown is taken for what is expected.
    accepts: bool,
    /// How many cells have succeeded, failed, and were not run.
    counts: [usize; 3],
}

impl Judge {
    fn judge(&mut self, report: &CellReport) -> CellReport {
        let mut report = report.clone();
        if report.status == Status::Ok {
            if report.outputs.iter().any(|output| output.failed) {
                report.status = Status::Error;
            }
            if let Some(code) = code(&mut self.notebook, report.index) {
                if self.accepts {
                    code.outputs = expected::accept(code, &report.outputs);
                } else if let Some(difference) = expected::compare(code, &report.outputs) {
                    report.status = Status::Error;
                    let text = format!("error: the cell does not show what is expected\n{}", difference.trim_end());
                    report.outputs.push(Output::new(OutputKind::Error, text));
                }
            }
        }
        self.counts[report.status as usize] += 1;
        report
    }
}

impl Frontend for Judge {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Cell(report) => {
                let report = self.judge(report);
                self.inner.event(&Event::Cell(report))
            }
            Event::Done { .. } => {
                let [ok, failed, skipped] = self.counts;
                self.inner.event(&Event::Done { ok, failed, skipped })
            }
            other => self.inner.event(other),
        }
    }
}

/// The code of the cell with this number.
fn code(notebook: &mut Notebook, index: usize) -> Option<&mut Code> {
    let cells = notebook.sections.iter_mut().flat_map(|section| &mut section.cells);
    let mut codes = cells.filter_map(|cell| match cell {
        Cell::Markdown(_) => None,
        Cell::Code(code) | Cell::Smart(Smart { code, .. }) => Some(code),
    });
    codes.nth(index.checked_sub(1)?)
}
