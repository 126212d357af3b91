//! What each thing that a key of the document view asks for comes to: what the notebook shall do, and what the view shows.

use super::Leaving;
use super::edit::Edited;
use super::keys::Asked;
use super::state::{Question, State, Wish};
use crate::frontend::others;
use crate::livemd::{Cell, Code, Language, Markdown};
use crate::session::data::{Status, text};
use crate::session::operation::{Evaluation, Operation, Runtime, SectionHead, SectionId, Structure};

impl State {
    pub(super) fn ask(&mut self, asked: Asked) {
        if asked != Asked::Quit {
            self.asked_to_leave = false;
        }
        match asked {
            Asked::Next => self.step(1),
            Asked::Previous => self.step(-1),
            Asked::First => self.focus = self.cells().first().copied(),
            Asked::Last => self.focus = self.cells().last().copied(),
            Asked::NextSection => self.section(1),
            Asked::PreviousSection => self.section(-1),
            Asked::Edit => {
                let cell = self.focus.and_then(|focus| self.data().document().cell(focus));
                self.edited = cell.map(|cell| Edited::new(text(cell)));
            }
            Asked::CodeBelow => self.insert(code(""), 1),
            Asked::CodeAbove => self.insert(code(""), 0),
            Asked::ProseBelow => self.insert(Cell::Markdown(Markdown { text: String::new(), line: 0 }), 1),
            Asked::ProseAbove => self.insert(Cell::Markdown(Markdown { text: String::new(), line: 0 }), 0),
            Asked::SectionBelow => self.question = Some((Question::Section, String::new())),
            Asked::BranchBelow => self.question = Some((Question::Branch, String::new())),
            Asked::Delete => {
                if let Some(cell) = self.focus {
                    self.apply(Structure::DeleteCell(cell));
                    self.said = Some("deleted; u brings it back".to_owned());
                }
            }
            Asked::MoveDown => self.shift(1),
            Asked::MoveUp => self.shift(-1),
            Asked::Undo => self.apply(Operation::Undo),
            Asked::Redo => self.apply(Operation::Redo),
            Asked::Evaluate => match self.focus {
                Some(cell) if self.data().document().runnable(cell).is_some() => {
                    self.apply(Evaluation::Queue(vec![cell]));
                }
                _ => self.said = Some("only cells of Rust are evaluated".to_owned()),
            },
            Asked::EvaluateSection => {
                let section = self.focus.and_then(|focus| self.data().document().section_of(focus));
                if let Some(id) = section.map(|section| section.head.id) {
                    self.apply(Evaluation::QueueSection(id));
                }
            }
            Asked::EvaluateAll => self.apply(Evaluation::QueueAll),
            Asked::EvaluateOutdated => self.apply(Evaluation::QueueFull { forced: Vec::new() }),
            Asked::Stop => match self
                .focus
                .filter(|focus| self.data().info(*focus).is_some_and(|info| info.status != Status::Ready))
            {
                Some(cell) => self.apply(Evaluation::Cancel(cell)),
                None => self.wishes.push(Wish::Interrupt),
            },
            Asked::Restart => self.apply(Runtime::Restart),
            Asked::Save => self.save(),
            Asked::Inputs => self.ask_for_inputs(),
            Asked::Outline => self.has_outline = !self.has_outline,
            Asked::Unfold => {
                if let Some(cell) = self.focus
                    && !self.unfolded.remove(&cell)
                {
                    self.unfolded.insert(cell);
                }
            }
            Asked::Help => self.has_help = true,
            Asked::Quit => self.quit(),
        }
    }

    fn quit(&mut self) {
        let others = others(self.data());
        let why = match (self.leaving, self.data().is_dirty(), others.as_slice()) {
            (Leaving::Closes, true, []) => Some("not saved: s saves, q once more leaves without".to_owned()),
            (Leaving::Closes, true, _) => Some(format!(
                "not saved, and closed for {}, too: s saves, q once more leaves without",
                others.join(", ")
            )),
            (Leaving::Closes, false, [_, ..]) => {
                Some(format!("this closes the notebook for {}, too: q once more closes it", others.join(", ")))
            }
            (Leaving::Closes, false, []) | (Leaving::Stays, ..) => None,
        };
        match why.filter(|_| !self.asked_to_leave) {
            Some(why) => {
                self.asked_to_leave = true;
                self.said = Some(why);
            }
            None => self.wishes.push(Wish::Leave),
        }
    }

    pub(super) fn save(&mut self) {
        self.tell();
        self.wishes.push(Wish::Save);
    }

    pub(super) fn apply(&mut self, operation: impl Into<Operation>) {
        self.wishes.push(Wish::Apply(operation.into()));
    }

    fn step(&mut self, by: isize) {
        let cells = self.cells();
        let place = self.focus.and_then(|focus| cells.iter().position(|cell| *cell == focus)).unwrap_or(0);
        self.focus = cells.get(place.saturating_add_signed(by).min(cells.len().saturating_sub(1))).copied();
    }

    fn section(&mut self, by: isize) {
        let document = self.data().document();
        let place = self.focus.and_then(|focus| document.place(focus)).map_or(0, |place| place.section);
        let sections = document.all_sections();
        let mut next = place.checked_add_signed(by);
        while let Some(section) = next.and_then(|next| sections.get(next)) {
            if let Some(first) = section.cells.first() {
                self.focus = Some(*first);
                return;
            }
            next = next.and_then(|next| next.checked_add_signed(by));
        }
    }

    fn insert(&mut self, cell: Cell, below: usize) {
        let document = self.data().document();
        let place = self.focus.and_then(|focus| document.place(focus)).filter(|place| place.section > 0);
        let (section, index) = match place {
            Some(place) => (document.all_sections()[place.section].head.id, place.index + below),
            None => match document.sections().first() {
                Some(section) => (section.head.id, 0),
                None => return self.said = Some("there is no section yet: S begins one".to_owned()),
            },
        };
        let id = self.data().unused_cell_id();
        self.apply(Structure::InsertCell { section, index, id, cell: Box::new(cell) });
        self.focus = Some(id);
        self.coming = Some(id);
        self.edited = Some(Edited::new(""));
    }

    fn shift(&mut self, by: isize) {
        let document = self.data().document();
        let Some((cell, place)) = self.focus.and_then(|focus| Some((focus, document.place(focus)?))) else { return };
        let sections = document.all_sections();
        let length = sections[place.section].cells.len();
        let target = match place.index.checked_add_signed(by) {
            Some(index) if index < length => Some((place.section, index)),
            // Over the edge of its section.
            Some(_) => sections.get(place.section + 1).map(|_| (place.section + 1, 0)),
            None => place.section.checked_sub(1).filter(|section| *section > 0).map(|section| (section, usize::MAX)),
        };
        if let Some((section, index)) = target {
            self.apply(Structure::MoveCell { cell, section: sections[section].head.id, index });
        }
    }

    pub(super) fn begin_section(&mut self, question: Question, name: String) {
        let document = self.data().document();
        let sections = document.sections();
        let here = self.focus.and_then(|focus| document.section_of(focus)).map(|section| section.head.id);
        let place = sections.iter().position(|section| Some(section.head.id) == here);
        let id = SectionId(sections.iter().map(|section| section.head.id.0).max().unwrap_or(0) + 1);
        let parent = match question {
            Question::Section | Question::Input(_) => None,
            Question::Branch => here.and_then(|here| {
                let head = &document.section(here)?.head;
                Some(head.parent.unwrap_or(head.id))
            }),
        };
        let head = SectionHead { id, name, parent, metadata: Default::default() };
        let index = place.map_or(sections.len(), |place| place + 1);
        self.apply(Structure::InsertSection { index, section: head });
        let cell = self.data().unused_cell_id();
        self.apply(Structure::InsertCell { section: id, index: 0, id: cell, cell: Box::new(code("")) });
        self.focus = Some(cell);
        self.coming = Some(cell);
    }
}

fn code(source: &str) -> Cell {
    Cell::Code(Code::new(Language::Rust, source, 0))
}
