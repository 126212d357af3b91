//! One JSON object a line, for programs.
//!
//! The form is a contract: kinds are added, none is changed. Everything that is not part of it, such
//! as progress, goes to the progress line.

use std::io::{self, Write};

use console::strip_ansi_codes;
use serde::Serialize;

use super::{Frontend, Progress};
use crate::event::{CellReport, Event, Output, OutputKind, Status};

/// Writes a line for every cell, one for whatever comes later than the line of its cell, one
/// for each state of a frame, and one for the end.
pub struct Json<W> {
    out: W,
    progress: Progress,
}

/// A line of the contract.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Line<'a> {
    Cell {
        index: usize,
        section: &'a str,
        status: Status,
        compile_ms: f64,
        run_ms: f64,
        cached: bool,
        outputs: Vec<Output>,
    },
    /// Of a cell that has its line already, where it is known which.
    Late {
        cell: Option<usize>,
        output: Output,
    },
    /// What a frame shows now, also while its cell still runs.
    Frame {
        cell: Option<usize>,
        output: Output,
    },
    Done {
        ok: usize,
        failed: usize,
        skipped: usize,
    },
}

impl<W: Write> Json<W> {
    /// Writes to `out`, and what is not for programs to `progress`.
    pub fn new(out: W, progress: Progress) -> Self {
        Json { out, progress }
    }
}

impl<W: Write> Frontend for Json<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.progress.event(event)?;
        let line = match event {
            Event::Cell(report) => cell(report),
            &Event::Done { ok, failed, skipped } => Line::Done { ok, failed, skipped },
            Event::Late { index, output } if output.frame.is_some() => frame(*index, output),
            Event::CellOutput { index, output } if output.frame.is_some() => frame(Some(*index), output),
            Event::Late { index, output } => {
                // Also for the person who watches: it may be a crash.
                self.progress.line(output.text.trim_end())?;
                Line::Late { cell: *index, output: without_colours(output.clone()) }
            }
            Event::RuntimeOutput(text) => {
                self.progress.line(text.trim_end())?;
                Line::Late { cell: None, output: Output::new(OutputKind::Text, text) }
            }
            Event::Prelude { .. }
            | Event::PreludeDone { .. }
            | Event::CellStarted(_)
            | Event::CellOutput { .. }
            | Event::Notice(_) => return Ok(()),
        };
        let line = serde_json::to_string(&line)?;
        let out = &mut self.out;
        self.progress.aside(|| {
            writeln!(out, "{line}")?;
            out.flush()
        })
    }
}

fn cell(report: &CellReport) -> Line<'_> {
    let outputs = report.outputs.iter().cloned().map(without_colours);
    Line::Cell {
        index: report.index,
        section: &report.section,
        status: report.status,
        compile_ms: to_microseconds(report.compile_ms),
        run_ms: to_microseconds(report.run_ms),
        cached: report.cached,
        outputs: outputs.collect(),
    }
}

fn frame(cell: Option<usize>, output: &Output) -> Line<'static> {
    Line::Frame { cell, output: output.clone() }
}

/// What is drawn may be coloured; what a cell prints stays as it is.
fn without_colours(mut output: Output) -> Output {
    if matches!(output.kind, OutputKind::Error | OutputKind::Warning | OutputKind::Example) {
        output.text = strip_ansi_codes(&output.text).into_owned();
    }
    output
}

/// Milliseconds without the digits that mean nothing.
fn to_microseconds(ms: f64) -> f64 {
    (ms * 1000.0).round() / 1000.0
}
