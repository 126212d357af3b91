//! Commands on cells: listing, evaluating, changing them, and what sections they go to.

use std::process::Command as Program;

use console::Style;

use super::Repl;
use super::follow::standing;
use crate::frontend::commands::Cells;
use crate::frontend::paint;
use crate::frontend::view::View;
use crate::livemd::Cell;
use crate::session::data::{Data, text};
use crate::session::operation::{CellId, Evaluation, Operation, SectionHead, SectionId, Structure};

impl Repl {
    /// The cell of a number; the last one if none is said.
    pub(super) fn cell(&mut self, number: Option<usize>) -> Option<CellId> {
        let (cells, count) = {
            let state = self.seen.lock();
            (state.cells.clone(), state.count)
        };
        let number = number.unwrap_or(count);
        let found = number.checked_sub(1).and_then(|at| cells.get(at).copied());
        if found.is_none() {
            self.complain(&match count {
                0 => "there is no cell yet".to_owned(),
                1 => format!("there is no cell {number}: there is only cell 1"),
                _ => format!("there is no cell {number}: they are 1 to {count}"),
            });
        }
        found
    }

    pub(super) fn show(&mut self, number: Option<usize>) {
        let Some(cell) = self.cell(number) else { return };
        let data = self.data();
        let number = data.document().number(cell);
        let outputs = data.info(cell).map(|info| info.outputs.clone()).unwrap_or_default();
        let view = View { fold: usize::MAX, ..self.view };
        let shown: String = outputs.iter().map(|output| view.output(number, output)).collect();
        self.tell(if shown.is_empty() { "it has shown nothing" } else { &shown });
    }

    pub(super) fn list(&self) {
        let data = self.data();
        let mut said = String::new();
        let many = data.document().sections().len() > 1;
        for section in data.document().sections() {
            if many {
                let sign = if section.head.parent.is_some() { "⑂ " } else { "" };
                let head = format!("{sign}{}", section.head.name);
                said.push_str(&format!("{}\n", self.view.look.paint(Style::new().bold(), &head)));
            }
            for &cell in &section.cells {
                let Some(code) = data.document().cell(cell).and_then(Cell::code) else { continue };
                let standing = standing(&data, cell);
                let style = match standing {
                    "done" => Style::new().green(),
                    "failed" | "no values" => Style::new().red(),
                    "stale" | "queued" | "running" => Style::new().yellow(),
                    _ => Style::new().dim(),
                };
                let number = format!("[{}]", data.document().number(cell));
                let room = self.view.look.width.saturating_sub(22).max(20);
                let heading = crate::event::heading(&code.source);
                let heading = console::truncate_str(&heading, room, "…");
                let heading = paint::source(&heading, None, self.view.look);
                said.push_str(&format!(
                    "{number:>5} {}  {heading}\n",
                    self.view.look.paint(style, &format!("{standing:9}"))
                ));
            }
        }
        self.tell(if said.is_empty() { "there is no cell yet" } else { &said });
    }

    pub(super) fn run_cells(&mut self, cells: Cells) {
        match cells {
            Cells::All => self.all_of(Evaluation::QueueAll, |_, _| true),
            Cells::One(number) => {
                if let Some(cell) = self.cell(Some(number)) {
                    self.queue(Evaluation::Queue(vec![cell]), vec![cell]);
                }
            }
            Cells::Between(first, last) => {
                let (Some(_), Some(_)) = (self.cell(Some(first)), self.cell(Some(last))) else { return };
                let all = self.seen.lock().cells.clone();
                let some: Vec<_> = all.into_iter().skip(first - 1).take((last + 1).saturating_sub(first)).collect();
                self.queue(Evaluation::Queue(some.clone()), some);
            }
        }
    }

    /// Has cells evaluated, and waits for those that this is about.
    pub(super) fn all_of(&mut self, operation: Evaluation, is_it: impl Fn(&Data, CellId) -> bool) {
        let data = self.data();
        let document = data.document();
        let cells: Vec<_> =
            document.cells().filter(|cell| document.runnable(*cell).is_some() && is_it(&data, *cell)).collect();
        if cells.is_empty() {
            return self.tell("everything is up to date");
        }
        self.queue(operation, cells);
    }

    /// Changes a cell in the person's editor, and evaluates it if it has changed.
    pub(super) fn edit(&mut self, number: Option<usize>) {
        let Some(cell) = self.cell(number) else { return };
        let data = self.data();
        let Some(old) = data.document().cell(cell).map(|cell| text(cell).to_owned()) else { return };
        let name = data.document().label(cell).replace(' ', "-");
        match edited(&old, &name) {
            Ok(new) if new == old => self.tell("nothing was changed"),
            Ok(new) => {
                let edit = Structure::Edit { cell, at: 0, removed: old.len(), inserted: new };
                match self.apply(edit) {
                    Ok(()) => self.queue(Evaluation::Queue(vec![cell]), vec![cell]),
                    Err(refusal) => self.complain(&refusal.to_string()),
                }
            }
            Err(error) => self.complain(&error),
        }
    }

    pub(super) fn change(&mut self, operation: impl Into<Operation>, said: &str) {
        match self.apply(operation) {
            Ok(()) => self.tell(said),
            Err(refusal) => self.complain(&refusal.to_string()),
        }
    }

    pub(super) fn begin_section(&mut self, name: String, is_branch: bool) {
        let data = self.data();
        let sections = data.document().sections();
        let parent = sections.iter().rev().find(|section| section.head.parent.is_none()).map(|section| section.head.id);
        let id = SectionId(sections.iter().map(|section| section.head.id.0).max().unwrap_or(0) + 1);
        let head =
            SectionHead { id, name: name.clone(), parent: parent.filter(|_| is_branch), metadata: Default::default() };
        match self.apply(Structure::InsertSection { index: sections.len(), section: head }) {
            Ok(()) => {
                self.section = is_branch.then_some(id);
                let what = if is_branch { "in the branch" } else { "in the section" };
                let back = if is_branch { "; `:branch` leads back" } else { "" };
                self.tell(&format!("{what} {name}{back}"));
            }
            Err(refusal) => self.complain(&refusal.to_string()),
        }
    }
}

/// A text as the person's editor leaves it.
fn edited(old: &str, name: &str) -> Result<String, String> {
    let say = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let editor = say("VISUAL").or_else(|| say("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join(format!("{name}.rs"));
    std::fs::write(&file, format!("{old}\n")).map_err(|error| error.to_string())?;
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let ended = Program::new(program)
        .args(words)
        .arg(&file)
        .status()
        .map_err(|error| format!("the editor `{editor}` does not start: {error}; set $EDITOR"))?;
    if !ended.success() {
        return Err(format!("the editor `{editor}` failed: {ended}; the cell is as it was"));
    }
    let new = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    Ok(new.trim_end().to_owned())
}
