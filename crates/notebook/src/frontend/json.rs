//! One JSON object a line, for programs.
//!
//! The form is a contract: kinds are added, none is changed. Everything that is not part of it, such
//! as progress, goes to the progress line.

use std::borrow::Cow;
use std::io::{self, Write};

use console::strip_ansi_codes;
use serde::Serialize;

use super::{Frontend, Progress};
use crate::event::{CellReport, Event, Output, OutputKind, Rows, Status};
use crate::image::Image;

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
        outputs: Vec<Shown<'a>>,
    },
    /// Of a cell that has its line already, where it is known which.
    Late {
        cell: Option<usize>,
        output: Shown<'a>,
    },
    /// What a frame shows now, also while its cell still runs.
    Frame {
        cell: Option<usize>,
        output: Shown<'a>,
    },
    Done {
        ok: usize,
        failed: usize,
        skipped: usize,
    },
}

/// An output in the contract: without what is for people alone, and what it does not have.
#[derive(Serialize)]
struct Shown<'a> {
    kind: OutputKind,
    text: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mermaid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    svg: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    failed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<&'a Rows>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a Image>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<ShownFrame<'a>>,
}

/// What a frame shows.
#[derive(Serialize)]
struct ShownFrame<'a> {
    id: &'a str,
    live: bool,
    outputs: Vec<Shown<'a>>,
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
        let printed;
        let line = match event {
            Event::Cell(report) => cell(report),
            &Event::Done { ok, failed, skipped } => Line::Done { ok, failed, skipped },
            Event::Late { index, output } if output.frame.is_some() => frame(*index, output),
            Event::CellOutput { index, output } if output.frame.is_some() => frame(Some(*index), output),
            Event::Late { index, output } => {
                // Also for the person who watches: it may be a crash.
                self.progress.line(output.text.trim_end())?;
                Line::Late { cell: *index, output: shown(output) }
            }
            Event::RuntimeOutput(text) => {
                self.progress.line(text.trim_end())?;
                printed = Output::new(OutputKind::Text, text);
                Line::Late { cell: None, output: shown(&printed) }
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
    Line::Cell {
        index: report.index,
        section: &report.section,
        status: report.status,
        compile_ms: to_microseconds(report.compile_ms),
        run_ms: to_microseconds(report.run_ms),
        cached: report.cached,
        outputs: report.outputs.iter().map(shown).collect(),
    }
}

fn frame(cell: Option<usize>, output: &Output) -> Line<'_> {
    Line::Frame { cell, output: shown(output) }
}

/// What is drawn may be coloured; what a cell prints stays as it is.
fn shown(output: &Output) -> Shown<'_> {
    let Output { kind, text, mermaid, svg, failed, type_name: _, input: _, table, image, frame } = output;
    let is_drawn = matches!(kind, OutputKind::Error | OutputKind::Warning | OutputKind::Example);
    Shown {
        kind: *kind,
        text: if is_drawn { strip_ansi_codes(text) } else { Cow::Borrowed(text.as_str()) },
        mermaid: mermaid.as_deref(),
        svg: svg.as_deref(),
        failed: *failed,
        table: table.as_deref(),
        image: image.as_deref(),
        frame: frame.as_deref().map(|frame| ShownFrame {
            id: &frame.id,
            live: frame.live,
            outputs: frame.outputs.iter().map(shown).collect(),
        }),
    }
}

/// Milliseconds without the digits that mean nothing.
fn to_microseconds(ms: f64) -> f64 {
    (ms * 1000.0).round() / 1000.0
}
