//! A front end for work whose outputs go elsewhere: it shows progress and what failed, and keeps the reports.

use std::io;

use super::{Frontend, Progress};
use crate::event::{CellReport, Event, OutputKind, Status, push_output};

/// Keeps what cells show, and says on stderr what went wrong.
pub struct Quiet {
    progress: Progress,
    reports: Vec<CellReport>,
}

impl Quiet {
    /// Says what is under way, and what failed, to `progress`.
    pub fn new(progress: Progress) -> Self {
        Quiet { progress, reports: Vec::new() }
    }

    /// What became of the cells.
    pub fn into_reports(self) -> Vec<CellReport> {
        self.reports
    }
}

impl Frontend for Quiet {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.progress.event(event)?;
        if let Event::Cell(report) = event {
            let why = report.outputs.iter().filter(|output| output.kind == OutputKind::Error);
            for output in why.filter(|_| report.status != Status::Ok) {
                self.progress.line(&output.text)?;
            }
            self.reports.push(report.clone());
        }
        // What a frame shows last counts, whoever has rendered it.
        if let Event::Late { index: Some(index), output } = event
            && output.frame.is_some()
            && let Some(report) = self.reports.iter_mut().find(|report| report.index == *index)
        {
            push_output(&mut report.outputs, output.clone());
        }
        Ok(())
    }
}
