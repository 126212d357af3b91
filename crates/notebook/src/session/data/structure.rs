//! Changes of the document: sections, cells, texts. Each returns what would undo it.

use serde::{Deserialize, Serialize};

use super::document::{Place, Section, text_mut};
use super::info::{Info, Status, Validity};
use super::staleness::Touched;
use super::{Data, Refusal, text};
use crate::livemd::Cell;
use crate::session::operation::{Action, CellId, CellsOfDeleted, SectionHead, SectionId, Structure};

/// A deleted cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Binned {
    /// What it is and says.
    pub cell: Cell,
    /// The section that it stood in.
    pub section: SectionId,
    /// What that section was called.
    pub section_name: String,
    /// Its place in that section.
    pub index: usize,
}

/// What undoes a change: to be applied in order.
pub(super) type Inverse = Vec<Structure>;

impl Data {
    pub(super) fn structure(&mut self, change: &Structure, actions: &mut Vec<Action>) -> Result<Inverse, Refusal> {
        let inverse = self.restructure(change, actions)?;
        // Cells may have other numbers now.
        self.refresh(Touched::default());
        Ok(inverse)
    }

    fn restructure(&mut self, change: &Structure, actions: &mut Vec<Action>) -> Result<Inverse, Refusal> {
        match change {
            Structure::Rename(name) => {
                Ok(vec![Structure::Rename(std::mem::replace(&mut self.document.name, name.clone()))])
            }
            Structure::SetAttributes(attributes) => {
                let old = std::mem::replace(&mut self.document.attributes, attributes.clone());
                Ok(vec![Structure::SetAttributes(old)])
            }
            Structure::InsertSection { index, section } => self.insert_section(*index, section),
            Structure::RenameSection { section, name } => {
                let found = self.movable(*section)?;
                let head = self.document.section_mut(found).map(|section| &mut section.head);
                let old = head.map(|head| std::mem::replace(&mut head.name, name.clone())).unwrap_or_default();
                Ok(vec![Structure::RenameSection { section: *section, name: old }])
            }
            Structure::SetParent { section, parent } => self.set_parent(*section, *parent),
            Structure::MoveSection { section, index } => self.move_section(*section, *index),
            Structure::DeleteSection { section, cells } => self.delete_section(*section, *cells, actions),
            Structure::InsertCell { section, index, id, cell } => self.insert_cell(*section, *index, *id, cell),
            Structure::DeleteCell(cell) => self.delete_cell(*cell, actions),
            Structure::RestoreCell(cell) => self.restore_cell(*cell),
            Structure::MoveCell { cell, section, index } => self.move_cell(*cell, *section, *index),
            Structure::Edit { cell, at, removed, inserted } => {
                self.edit(*cell, *at..at.saturating_add(*removed), inserted)
            }
            Structure::SetCodeAttributes { cell, attributes } => {
                self.known(*cell)?;
                let code = match self.document.cell_mut(*cell) {
                    Some(Cell::Code(code)) => code,
                    Some(Cell::Smart(smart)) => &mut smart.code,
                    Some(Cell::Markdown(_)) | None => return Err(Refusal::NotCode(*cell)),
                };
                let old = std::mem::replace(&mut code.attributes, (**attributes).clone());
                self.admit(*cell);
                Ok(vec![Structure::SetCodeAttributes { cell: *cell, attributes: Box::new(old) }])
            }
            Structure::Replace { cell, content } => self.replace(*cell, content),
            &Structure::Uninsert(id) => {
                let (place, content) = self.take_cell(id, actions)?;
                self.used_ids.remove(&id);
                let section = self.document.all_sections()[place.section].head.id;
                let cell = Box::new(content);
                Ok(vec![Structure::InsertCell { section, index: place.index, id, cell }])
            }
            Structure::Unrestore { cell, section, section_name, index } => {
                let (_, content) = self.take_cell(*cell, actions)?;
                let (section, section_name, index) = (*section, section_name.clone(), *index);
                self.bin.insert(*cell, Binned { cell: content, section, section_name, index });
                Ok(vec![Structure::RestoreCell(*cell)])
            }
        }
    }

    /// A section that is not the setup.
    fn movable(&self, section: SectionId) -> Result<SectionId, Refusal> {
        match section {
            SectionId::SETUP => Err(Refusal::Setup),
            _ if self.document.section_place(section).is_none() => Err(Refusal::NoSuchSection(section)),
            _ => Ok(section),
        }
    }

    fn place_of(&self, section: SectionId) -> Result<usize, Refusal> {
        self.document.section_place(section).ok_or(Refusal::NoSuchSection(section))
    }

    /// Whether a section at `place` can branch from `parent`.
    fn check_parent(&self, place: usize, parent: SectionId) -> Result<(), Refusal> {
        let at = self.place_of(parent)?;
        let is_branch = self.document.all_sections()[at].head.parent.is_some();
        if at == 0 || at >= place || is_branch { Err(Refusal::NotAParent(parent)) } else { Ok(()) }
    }

    fn insert_section(&mut self, index: usize, head: &SectionHead) -> Result<Inverse, Refusal> {
        if self.document.section_place(head.id).is_some() || head.id == SectionId::SETUP {
            return Err(Refusal::NameTaken(head.id.to_string()));
        }
        let place = (index.saturating_add(1)).min(self.document.all_sections().len());
        if let Some(parent) = head.parent {
            self.check_parent(place, parent)?;
        }
        self.document.insert_section(place, Section { head: head.clone(), cells: Vec::new() });
        Ok(vec![Structure::DeleteSection { section: head.id, cells: CellsOfDeleted::Bin }])
    }

    fn set_parent(&mut self, section: SectionId, parent: Option<SectionId>) -> Result<Inverse, Refusal> {
        let place = self.place_of(self.movable(section)?)?;
        if let Some(parent) = parent {
            self.check_parent(place, parent)?;
            if self.document.has_branches(section) {
                return Err(Refusal::HasBranches(section));
            }
        }
        let old = match self.document.section_mut(section) {
            Some(section) => std::mem::replace(&mut section.head.parent, parent),
            None => None,
        };
        let touched = self.reorder();
        self.refresh(touched);
        Ok(vec![Structure::SetParent { section, parent: old }])
    }

    fn move_section(&mut self, section: SectionId, index: usize) -> Result<Inverse, Refusal> {
        let from = self.place_of(self.movable(section)?)?;
        let to = index.saturating_add(1).min(self.document.all_sections().len() - 1);
        let moved = &self.document.all_sections()[from];
        // Counted as if it were taken out, which moves what stands behind it up by one.
        let without = |place: usize| if place > from { place - 1 } else { place };
        if let Some(parent) = moved.head.parent
            && self.document.section_place(parent).is_some_and(|place| without(place) >= to)
        {
            return Err(Refusal::AboveParent(section));
        }
        let branches =
            self.document.all_sections().iter().enumerate().filter(|(_, other)| other.head.parent == Some(section));
        for (place, branch) in branches {
            if without(place) < to {
                return Err(Refusal::AboveParent(branch.head.id));
            }
        }
        let taken = self.document.remove_section(from);
        self.document.insert_section(to, taken);
        let touched = self.reorder();
        self.refresh(touched);
        Ok(vec![Structure::MoveSection { section, index: from - 1 }])
    }

    fn delete_section(
        &mut self,
        section: SectionId,
        cells: CellsOfDeleted,
        actions: &mut Vec<Action>,
    ) -> Result<Inverse, Refusal> {
        let place = self.place_of(self.movable(section)?)?;
        if self.document.has_branches(section) {
            return Err(Refusal::HasBranches(section));
        }
        let Section { head, cells: ids } = self.document.all_sections()[place].clone();
        let mut inverse = vec![Structure::InsertSection { index: place - 1, section: head }];
        match cells {
            CellsOfDeleted::Bin => {
                // None of them is refused: they stand in the document.
                for &cell in ids.iter().rev() {
                    self.delete_cell(cell, actions)?;
                }
                inverse.extend(ids.into_iter().map(Structure::RestoreCell));
            }
            CellsOfDeleted::Previous => {
                if place < 2 && !ids.is_empty() {
                    return Err(Refusal::NothingBefore(section));
                }
                if let Some(&busy) = ids.iter().find(|cell| self.evaluating.contains(*cell)) {
                    return Err(Refusal::Evaluating(busy));
                }
                let before = self.document.all_sections()[place - 1].head.id;
                for &cell in &ids {
                    self.move_cell(cell, before, usize::MAX)?;
                }
                let back = |(index, cell)| Structure::MoveCell { cell, section, index };
                inverse.extend(ids.into_iter().enumerate().map(back));
            }
        }
        self.document.remove_section(place);
        Ok(inverse)
    }

    /// Whether the section can take a cell of this content.
    fn check_room(&self, section: usize, cell: &Cell) -> Result<(), Refusal> {
        let Some(code) = cell.code().filter(|_| section == 0) else {
            return if section == 0 { Err(Refusal::Setup) } else { Ok(()) };
        };
        let is_taken = |id: &CellId| {
            let other = self.document.cell(*id).and_then(Cell::code);
            other.is_some_and(|other| other.language.is_manifest() == code.language.is_manifest())
        };
        let is_full = self.document.all_sections()[0].cells.iter().any(is_taken);
        if is_full || !matches!(cell, Cell::Code(_)) { Err(Refusal::Setup) } else { Ok(()) }
    }

    fn insert_cell(&mut self, section: SectionId, index: usize, id: CellId, cell: &Cell) -> Result<Inverse, Refusal> {
        let place = self.place_of(section)?;
        if self.used_ids.contains(&id) {
            return Err(Refusal::NameTaken(id.to_string()));
        }
        self.check_room(place, cell)?;
        self.used_ids.insert(id);
        self.document.insert_cell(place, index, id, cell.clone());
        self.admit(id);
        Ok(vec![Structure::Uninsert(id)])
    }

    /// Takes a cell out of the document, and whatever it does or has done out of the world.
    fn take_cell(&mut self, cell: CellId, actions: &mut Vec<Action>) -> Result<(Place, Cell), Refusal> {
        self.known(cell)?;
        let mut touched = Touched::default();
        self.release(cell, &mut touched, actions);
        self.infos.remove(&cell);
        self.automatic.remove(&cell);
        let taken = self.document.remove_cell(cell).ok_or(Refusal::NoSuchCell(cell))?;
        self.collect_inputs(cell, &mut touched);
        self.refresh(touched);
        actions.push(Action::Abandon(cell));
        Ok(taken)
    }

    fn delete_cell(&mut self, cell: CellId, actions: &mut Vec<Action>) -> Result<Inverse, Refusal> {
        let (place, content) = self.take_cell(cell, actions)?;
        let Section { head, .. } = &self.document.all_sections()[place.section];
        let binned = Binned { cell: content, section: head.id, section_name: head.name.clone(), index: place.index };
        self.bin.insert(cell, binned);
        Ok(vec![Structure::RestoreCell(cell)])
    }

    fn restore_cell(&mut self, cell: CellId) -> Result<Inverse, Refusal> {
        let binned = self.bin.get(&cell).ok_or(Refusal::NotInBin(cell))?;
        let (section, index) = match self.document.section_place(binned.section) {
            Some(place) => (place, binned.index),
            None if self.document.sections().is_empty() => return Err(Refusal::NoSections),
            None => (self.document.sections().len(), usize::MAX),
        };
        self.check_room(section, &binned.cell)?;
        let Some(binned) = self.bin.remove(&cell) else { return Err(Refusal::NotInBin(cell)) };
        self.document.insert_cell(section, index, cell, binned.cell.clone());
        self.admit(cell);
        let Binned { section, section_name, index, .. } = binned;
        Ok(vec![Structure::Unrestore { cell, section, section_name, index }])
    }

    fn move_cell(&mut self, cell: CellId, section: SectionId, index: usize) -> Result<Inverse, Refusal> {
        let content = self.known(cell)?;
        let to = self.place_of(section)?;
        let from = self.document.place(cell).ok_or(Refusal::NoSuchCell(cell))?;
        if to != from.section {
            self.check_room(to, content)?;
            if self.evaluating.contains(&cell) {
                return Err(Refusal::Evaluating(cell));
            }
        }
        let mut touched = Touched::default();
        self.leave(cell, &mut touched);
        if let Some((_, content)) = self.document.remove_cell(cell) {
            self.document.insert_cell(to, index, cell, content);
        }
        self.enter(cell, &mut touched);
        self.refresh(touched);
        let section = self.document.all_sections()[from.section].head.id;
        Ok(vec![Structure::MoveCell { cell, section, index: from.index }])
    }

    fn edit(&mut self, cell: CellId, range: std::ops::Range<usize>, inserted: &str) -> Result<Inverse, Refusal> {
        let old = text(self.known(cell)?).get(range.clone()).ok_or(Refusal::NoSuchText(cell))?.to_owned();
        if let Some(content) = self.document.cell_mut(cell) {
            text_mut(content).replace_range(range.clone(), inserted);
        }
        self.admit(cell);
        Ok(vec![Structure::Edit { cell, at: range.start, removed: inserted.len(), inserted: old }])
    }

    fn replace(&mut self, cell: CellId, content: &Cell) -> Result<Inverse, Refusal> {
        self.known(cell)?;
        if self.info(cell).is_some_and(|info| info.status != Status::Ready) {
            return Err(Refusal::Evaluating(cell));
        }
        if self.document.place(cell).is_some_and(|place| place.section == 0) {
            return Err(Refusal::Setup);
        }
        let old = match self.document.cell_mut(cell) {
            Some(old) => std::mem::replace(old, content.clone()),
            None => return Err(Refusal::NoSuchCell(cell)),
        };
        self.admit(cell);
        Ok(vec![Structure::Replace { cell, content: Box::new(old) }])
    }

    /// Stops whatever a cell does, and drops whatever it has done.
    fn release(&mut self, cell: CellId, touched: &mut Touched, actions: &mut Vec<Action>) {
        let Info { running, record, .. } = self.info(cell).cloned().unwrap_or_default();
        if let Some(running) = running {
            actions.push(Action::Stop { cell, evaluation: running.id });
        }
        if let Some(record) = record {
            actions.push(Action::Forget(record.id));
            self.drop_record(cell, Validity::Fresh, touched);
        }
        self.queued.remove(&cell);
        self.evaluating.remove(&cell);
        self.examined.remove(&cell);
    }
}
