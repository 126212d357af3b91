//! Why a cell failed, drawn on its source: errors of the compiler, panics, and the end of the runtime.

use greenroom::reason::{Location, Panic};
use greenroom::{ExitReason, Pid};
use greenroom_stage::protocol::Outcome;

use crate::compiler::{CompileError, CompiledCell};
use crate::draw::{CellSource, Drawing, Label, Level, Style, Suggestion, draw};
use crate::event::{Output, OutputKind, own_name};
use crate::examples::{Example, got_and_wanted};
use crate::generate::crate_name;
use crate::plan::PlannedCell;
use crate::prelude::{PreludeError, SetupError};
use crate::rustc::diagnostic::{self, Diagnostic};
use crate::source_map::position;

/// Draws what is wrong with cells of one notebook.
#[derive(Clone, Debug)]
pub struct Explainer {
    /// The file of the notebook, as messages call it; empty if it has none.
    pub file: String,
    /// Whether drawings have colours.
    pub style: Style,
    /// How wide drawings may be.
    pub columns: usize,
}

impl Explainer {
    fn file(&self) -> Option<&str> {
        (!self.file.is_empty()).then_some(&self.file)
    }

    /// Draws something on a cell.
    pub fn draw(&self, cell: &PlannedCell, drawing: &Drawing) -> String {
        let label = cell.label();
        let source = CellSource { label: &label, file: self.file(), first_line_in_file: cell.line, text: &cell.source };
        draw(&source, drawing, self.style, self.columns)
    }

    /// Why a cell was not compiled. `below` tells which cell further down defines a name.
    pub fn compile_error(
        &self,
        cell: &PlannedCell,
        error: &CompileError,
        below: &dyn Fn(&str) -> Option<String>,
    ) -> String {
        let drawings = match error {
            CompileError::Parse { diagnostics } | CompileError::Rustc { diagnostics } => {
                diagnostics.iter().map(|diagnostic| drawing_of(diagnostic, below)).collect()
            }
            CompileError::Unavailable { span, .. } | CompileError::DependsOnFailed { span, .. } => {
                let mut drawing = Drawing::error(error.to_string());
                drawing.labels.push(Label { range: span.clone(), text: "used here".to_owned(), primary: true });
                vec![drawing]
            }
            CompileError::Cancelled | CompileError::Tool(_) => vec![Drawing::error(error.to_string())],
        };
        let drawn: Vec<String> = drawings.iter().map(|drawing| self.draw(cell, drawing)).collect();
        drawn.join("\n\n")
    }

    /// Why there is nothing that cells could stand on, drawn on the setup.
    pub fn setup_error(&self, setup: &PlannedCell, error: &PreludeError) -> String {
        let message = error.to_string();
        let (what, said) = message.split_once(":\n").unwrap_or((&message, ""));
        let mut drawing = Drawing::error(what);
        if let PreludeError::Setup(SetupError { span: Some(range), .. }) = error {
            drawing.labels.push(Label { range: range.clone(), text: String::new(), primary: true });
        }
        if !said.is_empty() {
            drawing = drawing.with_note(said.trim_end());
        }
        self.draw(setup, &drawing)
    }

    /// What the compiler finds odd about a cell that it has compiled.
    pub fn warnings(&self, cell: &PlannedCell, compiled: &CompiledCell) -> Option<Output> {
        let drawings = compiled.warnings.iter().map(|warning| drawing_of(warning, &|_| None));
        let drawn: Vec<String> = drawings.map(|drawing| self.draw(cell, &drawing)).collect();
        (!drawn.is_empty()).then(|| Output::new(OutputKind::Warning, drawn.join("\n\n")))
    }

    /// Why a cell that ran has failed; `None` if it has not.
    pub fn outcome(&self, cell: &PlannedCell, compiled: &CompiledCell, outcome: &Outcome) -> Option<String> {
        let drawing = match outcome {
            Outcome::Ok => return None,
            Outcome::Error { message, location } => self
                .at(cell, compiled, location, &format!("the cell returned an error: {message}"))
                .with_help("the `?` returned it; match on the result to handle it in the cell"),
            Outcome::Exit(ExitReason::Panic(panic)) => self.panic_at(cell, compiled, panic, "the cell panicked"),
            Outcome::Exit(reason) => Drawing::error(format!("the cell's process was ended: {reason}")).with_help(
                "a process that it is linked to may have crashed; `trap_exit(true)` turns that into a message",
            ),
            Outcome::Load(error) => Drawing::error(error.clone()),
        };
        Some(self.draw(cell, &drawing))
    }

    /// A process that a cell started has panicked.
    pub fn crash(&self, cell: &PlannedCell, compiled: &CompiledCell, pid: Pid, panic: &Panic) -> String {
        let what = format!("process {} of {} panicked", own_name(pid), cell.label());
        let drawing = self.panic_at(cell, compiled, panic, &what);
        self.draw(cell, &drawing)
    }

    /// How an example went, beside its line.
    pub fn example(&self, cell: &PlannedCell, example: &Example, failure: Option<Drawing>) -> Output {
        let line = failure
            .as_ref()
            .and_then(|drawing| drawing.labels.first())
            .map_or(example.line, |label| position(&cell.source[..label.range.start]).0 as usize);
        let code = cell.source.lines().nth(line - 1).unwrap_or("").trim();
        let code = code.trim_start_matches(['/', '*']).trim();
        let place = format!("line {line}, `{}`: {code}", example.item);
        let Some(failure) = failure else { return Output::new(OutputKind::Example, format!("✓ {place}")) };
        let said = match got_and_wanted(&failure.message) {
            Some((got, wanted)) => format!("    got: {got}\n wanted: {wanted}"),
            None => self.draw(cell, &failure),
        };
        Output { failed: true, ..Output::new(OutputKind::Example, format!("✗ {place}\n{said}")) }
    }

    /// What is wrong with an example that does not compile, in places of its cell.
    pub fn refused_example(&self, example: &Example, error: &CompileError) -> Drawing {
        let map = |range: &std::ops::Range<usize>| example.map.to_cell(range.clone());
        let first = match error {
            CompileError::Parse { diagnostics } | CompileError::Rustc { diagnostics } => {
                diagnostics.iter().find(|diagnostic| diagnostic.level == diagnostic::Level::Error)
            }
            _ => None,
        };
        let Some(diagnostic) = first else {
            let mut drawing = Drawing::error(error.to_string());
            if let CompileError::Unavailable { span, .. } | CompileError::DependsOnFailed { span, .. } = error {
                let label = map(span).map(|range| Label { range, text: "used here".to_owned(), primary: true });
                drawing.labels.extend(label);
            }
            return drawing;
        };
        let mut drawing = drawing_of(diagnostic, &|_| None);
        let labels = drawing.labels.into_iter();
        drawing.labels = labels.filter_map(|label| Some(Label { range: map(&label.range)?, ..label })).collect();
        let suggestions = drawing.suggestions.into_iter();
        drawing.suggestions = suggestions
            .filter_map(|suggestion| Some(Suggestion { range: map(&suggestion.range)?, ..suggestion }))
            .collect();
        drawing
    }

    /// What is wrong with an example that panicked, or returned an error, at a place in its generated file.
    pub fn panicked_example(
        &self,
        example: &Example,
        compiled: &CompiledCell,
        message: &str,
        location: Option<&Location>,
    ) -> Drawing {
        let mut drawing = Drawing::error(message);
        let own = location.filter(|location| location.file.contains(&crate_name(&compiled.key)));
        let place = own.and_then(|location| compiled.source_map.line_column(location.line, location.column));
        if let Some((line, column)) = place {
            let start = offset(&example.source, line as usize, column as usize);
            let end = start + example.source[start..].lines().next().unwrap_or("").len();
            if let Some(range) = example.map.to_cell(start..end) {
                drawing.labels.push(Label { range, text: "here".to_owned(), primary: true });
            }
        }
        drawing
    }

    fn panic_at(&self, cell: &PlannedCell, compiled: &CompiledCell, panic: &Panic, what: &str) -> Drawing {
        let message = format!("{what}: {}", panic.message);
        match &panic.location {
            Some(location) => self.at(cell, compiled, location, &message),
            None => Drawing::error(message),
        }
    }

    /// An error at a place that the generated file of this cell, or another file, names.
    fn at(&self, cell: &PlannedCell, compiled: &CompiledCell, location: &Location, message: &str) -> Drawing {
        let is_own = location.file.contains(&crate_name(&compiled.key));
        let place = is_own.then(|| compiled.source_map.line_column(location.line, location.column)).flatten();
        match place {
            Some((line, column)) => {
                let label = cell.label();
                let source =
                    CellSource { label: &label, file: self.file(), first_line_in_file: cell.line, text: &cell.source };
                let mut drawing = Drawing::panic(&source, "", line as usize, column as usize);
                drawing.message = message.to_owned();
                drawing
            }
            None if is_own => Drawing::error(message),
            None => Drawing::error(message).with_note(format!("raised at {location}")),
        }
    }
}

/// Where a line and a column are, both from 1, the column in characters.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    start + text[start..].chars().take(column.saturating_sub(1)).map(char::len_utf8).sum::<usize>()
}

fn drawing_of(diagnostic: &Diagnostic, below: &dyn Fn(&str) -> Option<String>) -> Drawing {
    let level = match diagnostic.level {
        diagnostic::Level::Error => Level::Error,
        diagnostic::Level::Warning => Level::Warning,
    };
    let mut help = diagnostic.help.clone();
    if let Some(name) = &diagnostic.undefined
        && let Some(cell) = below(name)
    {
        help.push(format!("{cell} defines `{name}`, but it stands below: move it up, or this one down"));
    }
    Drawing {
        level,
        code: diagnostic.code.clone(),
        message: diagnostic.message.clone(),
        labels: diagnostic.labels.clone(),
        notes: diagnostic.notes.clone(),
        help,
        suggestions: diagnostic.suggestions.clone(),
    }
}
