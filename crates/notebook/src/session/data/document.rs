//! The document of a live notebook: sections, cells and their order, with names that stay when places change.
//!
//! Owns what stands where, and which cell can see which. What cells evaluate to is for its siblings.

use std::cmp::Ordering;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::livemd::{self, Cell, Code, Language, Metadata, Notebook};
use crate::session::operation::{CellId, NotebookAttributes, SectionHead, SectionId};

/// The document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Its name.
    pub name: String,
    /// What else is said about it.
    pub attributes: NotebookAttributes,
    comments: Vec<String>,
    #[serde(with = "crate::livemd::plain")]
    stamp: Option<Metadata>,
    /// The setup, then the sections.
    sections: Vec<Section>,
    section_places: FxHashMap<SectionId, usize>,
    cells: FxHashMap<CellId, Placed>,
}

/// A section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Everything but its cells.
    pub head: SectionHead,
    /// Its cells, in order.
    pub cells: Vec<CellId>,
}

/// Where a cell stands: ordered as in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Its section's place; the setup's is 0.
    pub section: usize,
    /// Its place in the section, from 0.
    pub index: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Placed {
    place: Place,
    cell: Cell,
}

impl Document {
    /// The document of a notebook. Sections and cells are numbered from 1, in order.
    pub fn new(notebook: &Notebook) -> Document {
        let mut document = Document {
            name: notebook.name.clone(),
            attributes: NotebookAttributes {
                persist_outputs: notebook.persist_outputs,
                metadata: notebook.metadata.clone(),
            },
            comments: notebook.comments.clone(),
            stamp: notebook.stamp.clone(),
            sections: Vec::new(),
            section_places: FxHashMap::default(),
            cells: FxHashMap::default(),
        };
        let setup =
            SectionHead { id: SectionId::SETUP, name: String::new(), parent: None, metadata: Metadata::default() };
        document.push_section(setup, notebook.setup.iter().cloned().map(Cell::Code));
        for (index, section) in notebook.sections.iter().enumerate() {
            let id = |index: usize| SectionId(index as u64 + 1);
            let head = SectionHead {
                id: id(index),
                name: section.name.clone(),
                parent: section.branch_parent_index.map(id),
                metadata: section.metadata.clone(),
            };
            document.push_section(head, section.cells.iter().cloned());
        }
        document
    }

    fn push_section(&mut self, head: SectionHead, cells: impl Iterator<Item = Cell>) {
        let place = self.sections.len();
        self.section_places.insert(head.id, place);
        self.sections.push(Section { head, cells: Vec::new() });
        for cell in cells {
            let id = CellId(self.cells.len() as u64 + 1);
            self.insert_cell(place, usize::MAX, id, cell);
        }
    }

    /// The notebook as it is to be saved.
    pub fn to_notebook(&self) -> Notebook {
        let cells = |section: &Section| -> Vec<Cell> {
            section.cells.iter().filter_map(|&id| self.cell(id)).cloned().collect()
        };
        let setup = cells(&self.sections[0]).into_iter().filter_map(|cell| match cell {
            Cell::Code(code) => Some(code),
            Cell::Markdown(_) | Cell::Smart(_) => None,
        });
        let sections = self.sections().iter().map(|section| livemd::Section {
            name: section.head.name.clone(),
            line: 0,
            branch_parent_index: section.head.parent.and_then(|parent| Some(self.section_place(parent)? - 1)),
            metadata: section.head.metadata.clone(),
            cells: cells(section),
        });
        Notebook {
            name: self.name.clone(),
            comments: self.comments.clone(),
            persist_outputs: self.attributes.persist_outputs,
            metadata: self.attributes.metadata.clone(),
            setup: setup.collect(),
            sections: sections.collect(),
            stamp: self.stamp.clone(),
        }
    }

    /// The sections, without the setup.
    pub fn sections(&self) -> &[Section] {
        &self.sections[1..]
    }

    /// The setup, then the sections: what a [`Place`] counts.
    pub fn all_sections(&self) -> &[Section] {
        &self.sections
    }

    /// A section's place; the setup's is 0.
    pub fn section_place(&self, id: SectionId) -> Option<usize> {
        self.section_places.get(&id).copied()
    }

    /// A section.
    pub fn section(&self, id: SectionId) -> Option<&Section> {
        Some(&self.sections[self.section_place(id)?])
    }

    /// All cells, from the top.
    pub fn cells(&self) -> impl DoubleEndedIterator<Item = CellId> {
        self.sections.iter().flat_map(|section| section.cells.iter().copied())
    }

    /// What a cell is and says.
    pub fn cell(&self, id: CellId) -> Option<&Cell> {
        self.cells.get(&id).map(|placed| &placed.cell)
    }

    pub(super) fn cell_mut(&mut self, id: CellId) -> Option<&mut Cell> {
        self.cells.get_mut(&id).map(|placed| &mut placed.cell)
    }

    /// Where a cell stands.
    pub fn place(&self, id: CellId) -> Option<Place> {
        self.cells.get(&id).map(|placed| placed.place)
    }

    /// The code of a cell that can be evaluated: it is Rust, and no manifest.
    pub fn runnable(&self, id: CellId) -> Option<&Code> {
        self.cell(id)?.code().filter(|code| code.language == Language::Rust)
    }

    /// The section that a cell stands in.
    pub fn section_of(&self, id: CellId) -> Option<&Section> {
        Some(&self.sections[self.place(id)?.section])
    }

    /// The manifest of the setup.
    pub fn manifest(&self) -> Option<CellId> {
        let is_manifest =
            |id: &CellId| self.cell(*id).and_then(Cell::code).is_some_and(|code| code.language == Language::Toml);
        self.sections[0].cells.iter().copied().find(is_manifest)
    }

    /// What messages call a cell: its number among the code cells of the sections.
    pub fn label(&self, id: CellId) -> String {
        match self.number(id) {
            0 => "the setup cell".to_owned(),
            number => format!("cell {number}"),
        }
    }

    /// The cell of code with a number.
    pub(super) fn numbered(&self, number: usize) -> Option<CellId> {
        let cells = self.sections.get(1..)?.iter().flat_map(|section| section.cells.iter().copied());
        cells.filter(|id| self.cell(*id).and_then(Cell::code).is_some()).nth(number.checked_sub(1)?)
    }

    /// The number of the cell that stands at a place.
    pub(super) fn number_at(&self, place: Place) -> usize {
        let id = self.sections.get(place.section).and_then(|section| section.cells.get(place.index));
        id.map_or(0, |id| self.number(*id))
    }

    /// A cell's number among the code cells of the sections, from 1; 0 in the setup.
    pub fn number(&self, id: CellId) -> usize {
        let Some(place) = self.place(id).filter(|place| place.section > 0) else { return 0 };
        let is_code = |id: &&CellId| self.cell(**id).and_then(Cell::code).is_some();
        let above: usize =
            self.sections[1..place.section].iter().map(|section| section.cells.iter().filter(is_code).count()).sum();
        above + self.sections[place.section].cells[..=place.index].iter().filter(is_code).count()
    }

    /// Whether a cell that stands at `reader` sees what a cell at `definer` defines: that one is in the same section
    /// above it, or in an earlier section of the main flow, down to the one that the reader's branches from.
    pub fn sees(&self, reader: Place, definer: Place) -> bool {
        if definer.section == reader.section {
            return definer.index < reader.index;
        }
        self.sections[definer.section].head.parent.is_none() && definer.section <= self.last_visible(reader.section)
    }

    /// The last section of the main flow, other than itself, that cells of a section see.
    pub(super) fn last_visible(&self, section: usize) -> usize {
        match self.sections[section].head.parent.and_then(|parent| self.section_place(parent)) {
            Some(parent) => parent,
            None => section.saturating_sub(1),
        }
    }

    /// The cells that a cell sees, from the top.
    pub fn ancestors(&self, id: CellId) -> impl DoubleEndedIterator<Item = CellId> {
        let place = self.place(id).unwrap_or(Place { section: 0, index: 0 });
        let above = match place.section {
            0 => &self.sections[..0],
            section => &self.sections[..=self.last_visible(section)],
        };
        let main = above.iter().filter(|section| section.head.parent.is_none());
        let own = self.sections[place.section].cells[..place.index].iter();
        main.flat_map(|section| section.cells.iter()).chain(own).copied()
    }

    /// Orders cells as they stand in the document; what is not there comes first.
    pub fn compare(&self, one: CellId, other: CellId) -> Ordering {
        self.place(one).cmp(&self.place(other))
    }

    /// Whether some section branches from this one.
    pub fn has_branches(&self, id: SectionId) -> bool {
        self.sections.iter().any(|section| section.head.parent == Some(id))
    }

    pub(super) fn section_mut(&mut self, id: SectionId) -> Option<&mut Section> {
        let place = self.section_place(id)?;
        Some(&mut self.sections[place])
    }

    /// Inserts a section without cells at a place; the setup's is 0.
    pub(super) fn insert_section(&mut self, place: usize, section: Section) {
        let place = place.clamp(1, self.sections.len());
        self.sections.insert(place, section);
        self.renumber_sections(place);
    }

    pub(super) fn remove_section(&mut self, place: usize) -> Section {
        let section = self.sections.remove(place);
        self.section_places.remove(&section.head.id);
        self.renumber_sections(place);
        section
    }

    pub(super) fn insert_cell(&mut self, section: usize, index: usize, id: CellId, cell: Cell) {
        let cells = &mut self.sections[section].cells;
        let index = index.min(cells.len());
        cells.insert(index, id);
        self.cells.insert(id, Placed { place: Place { section, index }, cell });
        self.renumber_cells(section, index);
    }

    pub(super) fn remove_cell(&mut self, id: CellId) -> Option<(Place, Cell)> {
        let Placed { place, cell } = self.cells.remove(&id)?;
        self.sections[place.section].cells.remove(place.index);
        self.renumber_cells(place.section, place.index);
        Some((place, cell))
    }

    fn renumber_sections(&mut self, from: usize) {
        for place in from..self.sections.len() {
            self.section_places.insert(self.sections[place].head.id, place);
            self.renumber_cells(place, 0);
        }
    }

    fn renumber_cells(&mut self, section: usize, from: usize) {
        for (index, id) in self.sections[section].cells.iter().enumerate().skip(from) {
            if let Some(placed) = self.cells.get_mut(id) {
                placed.place = Place { section, index };
            }
        }
    }
}

/// The text that a person edits in a cell.
pub fn text(cell: &Cell) -> &str {
    match cell {
        Cell::Markdown(markdown) => &markdown.text,
        Cell::Code(code) => &code.source,
        Cell::Smart(smart) => &smart.code.source,
    }
}

pub(super) fn text_mut(cell: &mut Cell) -> &mut String {
    match cell {
        Cell::Markdown(markdown) => &mut markdown.text,
        Cell::Code(code) => &mut code.source,
        Cell::Smart(smart) => &mut smart.code.source,
    }
}
