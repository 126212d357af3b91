//! A run as text that grows downward, for a person at a terminal or a file to read later.
//!
//! A cell's heading comes when it starts, what it prints comes as it is printed, line by line, and
//! how it went comes last. Nothing written is ever changed: what a frame shows comes when its cell is done, and at the
//! end of the run once more, if it has changed since.

use std::io::{self, Write};

use console::{Style, measure_text_width, truncate_str};

use super::frames::Frames;
use super::look::{INDENT, Look, WIDTH, duration};
use super::view::{Manner, View};
use super::{Frontend, Progress};
use crate::event::{CellReport, Event, Output, OutputKind, Status, push_output};

/// The most lines of a value that are shown: nobody reads more, and it scrolls the rest away.
const VALUE_LINES: usize = 40;

/// Writes a run as text.
pub struct Plain<W> {
    out: W,
    progress: Progress,
    look: Look,
    /// The section that the last heading stands in.
    section: Option<String>,
    running: Option<Running>,
    frames: Frames<usize>,
    is_empty: bool,
}

/// The cell whose heading is written and whose report is yet to come.
struct Running {
    index: usize,
    /// What it has shown so far, as its report will have it.
    shown: Vec<Output>,
    /// Printed text that has not come to the end of its line.
    unfinished: String,
}

impl Look {
    /// A rule with the section's name in it.
    fn rule(&self, section: &str) -> String {
        let width = self.width.min(WIDTH);
        let name = truncate_str(section, width.saturating_sub(8), "…");
        let rest = width.saturating_sub(measure_text_width(&name) + 4);
        let dim = Style::new().dim();
        format!(
            "{} {} {}",
            self.paint(dim.clone(), "──"),
            self.paint(Style::new().bold(), &name),
            self.paint(dim, &"─".repeat(rest))
        )
    }

    /// A cell's number and the line that it is known by.
    fn heading(&self, index: usize, heading: &str) -> String {
        let number = format!("[{index}]");
        let room = self.width.saturating_sub(number.len() + 1);
        let heading = truncate_str(heading, room, "…");
        let number = self.paint(Style::new().cyan(), &number);
        format!("{number} {}", self.paint(Style::new().bold(), &heading))
    }

    /// The last line of a cell.
    fn footer(&self, report: &CellReport) -> String {
        let compiled = match (report.cached, report.compile_ms > 0.0) {
            (true, _) => Some("cached".to_owned()),
            (false, true) => Some(format!("compiled in {}", duration(report.compile_ms))),
            (false, false) => None,
        };
        let ran = report.run_ms > 0.0;
        let run = duration(report.run_ms);
        let parts = match (report.status, compiled) {
            (Status::Ok, compiled) if ran => [compiled, Some(format!("ran in {run}"))],
            (Status::Ok, compiled) => [Some(compiled.unwrap_or_else(|| "done".to_owned())), None],
            (Status::Error, compiled) if ran => [compiled, Some(format!("failed after {run}"))],
            (Status::Error, Some(_)) => [Some(format!("did not compile ({})", duration(report.compile_ms))), None],
            (Status::Error, None) => [Some("failed".to_owned()), None],
            (Status::Skipped, _) => [Some("not run".to_owned()), None],
        };
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let (mark, style) = mark(report.status);
        format!("{} {}", self.paint(style, mark), self.paint(Style::new().dim(), &text))
    }

    fn totals(&self, ok: usize, failed: usize, skipped: usize) -> String {
        let counts = [
            (ok, "ok", Style::new().green()),
            (failed, "failed", Style::new().red()),
            (skipped, "not run", Style::new().yellow()),
        ];
        let counts = counts.into_iter().filter(|(count, word, _)| *count > 0 || *word == "ok");
        let parts: Vec<_> = counts.map(|(count, word, style)| self.paint(style, &format!("{count} {word}"))).collect();
        parts.join(" · ")
    }
}

impl<W: Write> Plain<W> {
    /// Writes to `out`, and what is under way to `progress`.
    pub fn new(out: W, progress: Progress, look: Look) -> Self {
        Plain { out, progress, look, section: None, running: None, frames: Frames::default(), is_empty: true }
    }

    /// Writes lines at once, so that no moving line comes between.
    fn write(&mut self, text: &str) -> io::Result<()> {
        self.is_empty = false;
        let out = &mut self.out;
        self.progress.aside(|| {
            out.write_all(text.as_bytes())?;
            out.flush()
        })
    }

    fn heading(&mut self, section: &str, index: usize, heading: &str) -> io::Result<()> {
        let mut text = String::new();
        if !self.is_empty {
            text.push('\n');
        }
        // The setup stands above all sections.
        if self.section.as_deref() != Some(section) && !section.is_empty() {
            text.push_str(&self.look.rule(section));
            text.push_str("\n\n");
            self.section = Some(section.to_owned());
        }
        text.push_str(&self.look.heading(index, heading));
        text.push('\n');
        self.write(&text)
    }

    /// Writes an output of the running cell; of printed text only whole lines.
    fn output(&mut self, output: &Output) -> io::Result<()> {
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        push_output(&mut running.shown, output.clone());
        if output.frame.is_some() {
            return Ok(());
        }
        if output.kind != OutputKind::Text {
            let index = running.index;
            self.finish_line()?;
            let text = self.look.clean(&output.text);
            let lines = match output.kind {
                OutputKind::Value => self.value(&text),
                OutputKind::Table | OutputKind::Image => self.drawn(index, output),
                OutputKind::Example => {
                    let style = if output.failed { Style::new().red() } else { Style::new().green() };
                    let (mark, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
                    indented(&format!("{}{rest}", self.look.paint(style, mark)), INDENT)
                }
                _ => indented(&text, INDENT),
            };
            return self.write(&lines);
        }
        running.unfinished.push_str(&output.text);
        let whole = running.unfinished.rfind('\n').map_or(0, |at| at + 1);
        let lines: String = running.unfinished.drain(..whole).collect();
        let rest = latest(self.look.clean(&running.unfinished).trim_end_matches('\r')).to_owned();
        let lines = self.printed(&lines);
        self.progress.unfinished(&rest);
        if !lines.is_empty() {
            self.write(&lines)?;
        }
        Ok(())
    }

    fn finish_line(&mut self) -> io::Result<()> {
        let unfinished = match &mut self.running {
            Some(running) => std::mem::take(&mut running.unfinished),
            None => String::new(),
        };
        self.progress.unfinished("");
        match unfinished.is_empty() {
            true => Ok(()),
            false => self.write(&self.printed(&unfinished)),
        }
    }

    /// Printed lines as they are shown: what a carriage return wrote over is gone.
    fn printed(&self, text: &str) -> String {
        let text = self.look.clean(text);
        text.lines().map(|line| indented(latest(line.trim_end_matches('\r')), INDENT)).collect()
    }

    fn value(&self, text: &str) -> String {
        let sign = self.look.paint(Style::new().cyan().bold(), "=");
        let mut lines = text.lines();
        let mut value = format!("{INDENT}{sign} {}\n", lines.next().unwrap_or(""));
        for line in lines.by_ref().take(VALUE_LINES - 1) {
            value.push_str(&indented(line, "      "));
        }
        let left_out = lines.count();
        if left_out > 0 {
            let note = format!("… {left_out} more; --json shows them all");
            value.push_str(&indented(&self.look.paint(Style::new().dim(), &note), "      "));
        }
        value
    }

    /// What is drawn for the room that there is.
    fn drawn(&self, index: usize, output: &Output) -> String {
        let look = Look { width: self.look.room(), ..self.look };
        let view = View { look, manner: Manner::Seen, fold: VALUE_LINES };
        let text = view.output(index, output);
        indented(&text.replace(&format!("`:show {index}` shows them"), "--json shows them all"), INDENT)
    }

    fn report(&mut self, report: &CellReport) -> io::Result<()> {
        if self.running.as_ref().is_none_or(|running| running.index != report.index) {
            self.heading(&report.section, report.index, &report.heading)?;
            self.begin(report.index);
        }
        if report.status == Status::Skipped {
            self.running = None;
            return self.skipped(report);
        }
        let shown = self.running.as_ref().map(|running| running.shown.clone()).unwrap_or_default();
        for output in unseen(&report.outputs, &shown) {
            self.output(&output)?;
        }
        self.finish_line()?;
        self.running = None;
        report.outputs.iter().for_each(|output| self.frames.note(report.index, output));
        for frame in self.frames.unsaid(report.index) {
            self.write(&self.drawn(report.index, &frame))?;
        }
        let footer = format!("{INDENT}{}\n", self.look.footer(report));
        self.write(&footer)
    }

    fn skipped(&mut self, report: &CellReport) -> io::Result<()> {
        let (mark, style) = mark(Status::Skipped);
        let mark = self.look.paint(style, mark);
        let why: Vec<_> = report.outputs.iter().flat_map(|output| output.text.lines()).collect();
        let mut text = format!("{INDENT}{mark} {}\n", why.first().unwrap_or(&"not run"));
        for line in why.iter().skip(1) {
            text.push_str(&indented(line, "      "));
        }
        let text = self.look.clean(&text).into_owned();
        self.write(&text)
    }

    /// Writes what comes after the report of its cell.
    fn late(&mut self, text: &str) -> io::Result<()> {
        let sign = format!("{INDENT}{} ", self.look.paint(Style::new().dim(), "┆"));
        let text = self.look.clean(text);
        let lines: String = text.lines().map(|line| format!("{sign}{line}\n")).collect();
        self.write(&lines)
    }

    /// Writes what frames have shown last, if it was not written.
    fn last_states(&mut self) -> io::Result<()> {
        for (_, frame, is_said) in self.frames.ended(|_, _| None) {
            if !is_said {
                self.late(&frame.text)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, index: usize) {
        self.running = Some(Running { index, shown: Vec::new(), unfinished: String::new() });
    }
}

impl<W: Write> Frontend for Plain<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::CellStarted(start) => {
                self.heading(&start.section, start.index, &start.heading)?;
                self.begin(start.index);
                self.progress.event(event)
            }
            Event::CellOutput { index, output } => {
                match self.running.as_ref().is_some_and(|running| running.index == *index) {
                    true => self.output(output),
                    // The report has it too.
                    false => Ok(()),
                }
            }
            Event::Cell(report) => {
                self.progress.event(event)?;
                self.report(report)
            }
            Event::Late { index, output } if output.frame.is_some() => {
                self.frames.note(index.unwrap_or_default(), output);
                Ok(())
            }
            Event::Late { output: Output { text, .. }, .. } | Event::RuntimeOutput(text) => self.late(text),
            Event::Done { ok, failed, skipped } => {
                self.progress.event(event)?;
                self.last_states()?;
                let gap = if self.is_empty { "" } else { "\n" };
                let totals = format!("{gap}{}\n", self.look.totals(*ok, *failed, *skipped));
                self.write(&totals)
            }
            Event::Prelude { .. } | Event::PreludeDone { .. } | Event::Notice(_) => self.progress.event(event),
        }
    }
}

fn mark(status: Status) -> (&'static str, Style) {
    match status {
        Status::Ok => ("✓", Style::new().green()),
        Status::Error => ("✗", Style::new().red()),
        Status::Skipped => ("–", Style::new().yellow()),
    }
}

/// What of a report's outputs has not been shown yet.
fn unseen(outputs: &[Output], shown: &[Output]) -> Vec<Output> {
    let mut unseen = Vec::new();
    for (at, output) in outputs.iter().enumerate() {
        match shown.get(at) {
            None => unseen.push(output.clone()),
            Some(seen) if seen.kind == OutputKind::Text && output.kind == OutputKind::Text => {
                if let Some(rest) = output.text.strip_prefix(&seen.text).filter(|rest| !rest.is_empty()) {
                    unseen.push(Output::new(OutputKind::Text, rest));
                }
            }
            Some(_) => {}
        }
    }
    unseen
}

/// What stands on a line after its last carriage return.
fn latest(line: &str) -> &str {
    line.rsplit('\r').next().unwrap_or(line)
}

/// The lines of a text, each behind `indent`, but none of spaces only.
fn indented(text: &str, indent: &str) -> String {
    match text.is_empty() {
        true => "\n".to_owned(),
        false => text.lines().map(|line| format!("{indent}{line}").trim_end().to_owned() + "\n").collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_the_unit_that_suits_it() {
        let said = [0.0, 0.44, 9.96, 131.7, 999.6, 1320.0, 59_990.0, 125_000.0].map(duration);
        let expected = ["0.0 ms", "0.4 ms", "10 ms", "132 ms", "1.00 s", "1.32 s", "59.99 s", "2 min 05 s"];
        assert_eq!(said, expected);
    }

    #[test]
    fn a_report_repeats_nothing_that_was_shown() {
        let text = |text: &str| Output::new(OutputKind::Text, text);
        let value = Output::new(OutputKind::Value, "1");
        let all = [text("one\ntwo\n"), value.clone()];
        assert_eq!(unseen(&all, &[]), all);
        assert_eq!(unseen(&all, &[text("one\n")]), [text("two\n"), value]);
        assert_eq!(unseen(&all, &all), []);
    }
}
