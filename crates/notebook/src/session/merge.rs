//! What another program has done to the file of a notebook, as changes of the live one, cell by cell: what was
//! evaluated stays. Where both have changed the same cell, the live one stays as it is, and the cell is named.
//!
//! A function of data. Reading the file is for the one that saves it.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::data::{Data, Document, text};
use super::operation::{CellId, CellsOfDeleted, SectionHead, SectionId, Structure};
use crate::livemd::{Cell, Notebook};

/// What comes of a merge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merge {
    /// What the file says and the notebook did not: to be applied in order.
    pub changes: Vec<Structure>,
    /// The cells that both have changed.
    pub conflicts: Vec<CellId>,
}

/// Merges what the file says now into the notebook. `saved` is the document as it was when both agreed.
///
/// # Examples
/// ```
/// use greenroom_notebook::livemd;
/// use greenroom_notebook::session::data::Data;
/// use greenroom_notebook::session::merge::merge;
///
/// let text = "# N\n\n## S\n\n```rust\n1\n```\n";
/// let mut data = Data::new(&livemd::parse(text).0);
/// let saved = data.document().clone();
/// let merge = merge(&data, &saved, &livemd::parse(&text.replace('1', "2")).0);
/// for change in merge.changes {
///     data.apply(&change.into()).unwrap();
/// }
/// assert_eq!(livemd::print(&data.document().to_notebook()), text.replace('1', "2"));
/// ```
pub fn merge(data: &Data, saved: &Document, disk: &Notebook) -> Merge {
    let disk = Document::new(disk);
    let (old, new) = (items(saved), items(&disk));
    let keys = |items: &[Item]| items.iter().map(|item| item.key.clone()).collect::<Vec<_>>();
    let operations = capture_diff_slices(Algorithm::Myers, &keys(&old), &keys(&new));
    let mut merging = Merging {
        live: data.clone(),
        merge: Merge::default(),
        section: SectionId::SETUP,
        after: None,
        sections: Vec::new(),
    };
    if saved.name != disk.name && data.document().name == saved.name {
        merging.apply(Structure::Rename(disk.name.clone()));
    }
    for operation in operations {
        let (gone, come) = (&old[operation.old_range()], &new[operation.new_range()]);
        match operation {
            DiffOp::Equal { .. } => gone.iter().for_each(|item| merging.pass(item)),
            DiffOp::Delete { .. } | DiffOp::Insert { .. } | DiffOp::Replace { .. } => merging.replace(gone, come),
        }
    }
    merging.merge
}

/// A heading or a cell.
struct Item {
    what: What,
    /// What it says: the same for the same.
    key: String,
}

enum What {
    Section(SectionHead),
    Cell(CellId, Cell),
}

fn items(document: &Document) -> Vec<Item> {
    let mut items = Vec::new();
    for section in document.all_sections() {
        let parent = section.head.parent.and_then(|parent| document.section(parent)).map(|parent| &parent.head.name);
        let key = format!("{:?}", (&section.head.name, parent, &section.head.metadata));
        items.push(Item { what: What::Section(section.head.clone()), key });
        for &id in &section.cells {
            let Some(cell) = document.cell(id) else { continue };
            let cell = without_lines(cell.clone());
            items.push(Item { key: format!("{cell:?}"), what: What::Cell(id, cell) });
        }
    }
    items
}

fn without_lines(mut cell: Cell) -> Cell {
    match &mut cell {
        Cell::Markdown(markdown) => markdown.line = 0,
        Cell::Code(code) => code.line = 0,
        Cell::Smart(smart) => smart.code.line = 0,
    }
    cell
}

struct Merging {
    /// The notebook with the changes so far.
    live: Data,
    merge: Merge,
    /// Where in the notebook the next cell of the file belongs: in this section, behind this cell.
    section: SectionId,
    after: Option<CellId>,
    /// The sections of the file so far, by their names there.
    sections: Vec<(SectionId, SectionId)>,
}

impl Merging {
    fn apply(&mut self, change: Structure) -> bool {
        let is_applied = self.live.apply(&change.clone().into()).is_ok();
        if is_applied {
            self.merge.changes.push(change);
        }
        is_applied
    }

    fn pass(&mut self, item: &Item) {
        match &item.what {
            What::Section(head) => (self.section, self.after) = (head.id, None),
            What::Cell(id, _) => self.after = Some(*id),
        }
    }

    /// What stood there has become something else: the first the first, and so on, as far as they are of a kind.
    fn replace(&mut self, gone: &[Item], come: &[Item]) {
        let mut gone = gone.iter().peekable();
        for new in come {
            match (gone.peek().map(|old| &old.what), &new.what) {
                (Some(What::Cell(id, old)), What::Cell(_, new)) => {
                    self.change(*id, old, new);
                    gone.next();
                }
                (Some(What::Section(old)), What::Section(new)) => {
                    self.rename(old, new);
                    gone.next();
                }
                (_, What::Cell(_, new)) => self.insert(new),
                (_, What::Section(new)) => self.insert_section(new),
            }
        }
        for old in gone {
            match &old.what {
                What::Cell(id, old) => self.delete(*id, old),
                What::Section(head) => {
                    self.apply(Structure::DeleteSection { section: head.id, cells: CellsOfDeleted::Previous });
                }
            }
        }
    }

    fn change(&mut self, id: CellId, old: &Cell, new: &Cell) {
        let Some(live) = self.live.document().cell(id).cloned() else {
            return self.merge.conflicts.push(id);
        };
        self.after = Some(id);
        let live = without_lines(live);
        let is_applied = match (&live, new) {
            _ if live == *new => true,
            _ if live != *old => false,
            (Cell::Code(live), Cell::Code(new)) if live.language == new.language => {
                let attributes = Box::new(new.attributes.clone());
                (live.attributes == new.attributes || self.apply(Structure::SetCodeAttributes { cell: id, attributes }))
                    && self.write(id, &live.source, &new.source)
            }
            (Cell::Markdown(live), Cell::Markdown(new)) => self.write(id, &live.text, &new.text),
            _ => self.apply(Structure::Replace { cell: id, content: Box::new(new.clone()) }),
        };
        if !is_applied {
            self.merge.conflicts.push(id);
        }
    }

    fn write(&mut self, cell: CellId, live: &str, new: &str) -> bool {
        live == new || self.apply(Structure::Edit { cell, at: 0, removed: live.len(), inserted: new.to_owned() })
    }

    fn rename(&mut self, old: &SectionHead, new: &SectionHead) {
        (self.section, self.after) = (old.id, None);
        self.sections.push((new.id, old.id));
        if old.name != new.name {
            self.apply(Structure::RenameSection { section: old.id, name: new.name.clone() });
        }
        if old.parent.is_some() != new.parent.is_some() {
            let parent = self.parent(new);
            self.apply(Structure::SetParent { section: old.id, parent });
        }
    }

    /// The section of the notebook that one of the file branches from.
    fn parent(&self, head: &SectionHead) -> Option<SectionId> {
        let there = head.parent?;
        let known = self.sections.iter().find(|(name, _)| *name == there).map(|(_, id)| *id);
        Some(known.unwrap_or(there))
    }

    fn insert_section(&mut self, head: &SectionHead) {
        let document = self.live.document();
        let unused = document.all_sections().iter().map(|section| section.head.id.0).max().unwrap_or(0) + 1;
        let index = document.section_place(self.section).unwrap_or(0);
        let section = SectionHead { id: SectionId(unused), parent: self.parent(head), ..head.clone() };
        if self.apply(Structure::InsertSection { index, section }) {
            self.sections.push((head.id, SectionId(unused)));
            (self.section, self.after) = (SectionId(unused), None);
        }
    }

    fn insert(&mut self, cell: &Cell) {
        let document = self.live.document();
        let after = self.after.and_then(|after| document.place(after));
        let index = after.map_or(0, |place| place.index + 1);
        let id = self.live.unused_cell_id();
        if self.apply(Structure::InsertCell { section: self.section, index, id, cell: Box::new(cell.clone()) }) {
            self.after = Some(id);
        }
    }

    fn delete(&mut self, id: CellId, old: &Cell) {
        match self.live.document().cell(id).map(|live| text(live) == text(old)) {
            Some(true) => drop(self.apply(Structure::DeleteCell(id))),
            Some(false) => self.merge.conflicts.push(id),
            None => {}
        }
    }
}
