//! Who is out of date. A cell that was evaluated keeps a number that stands for the meaning of every name that it
//! uses, as it was when the evaluation began; it is stale when that number would be another now, or when a cell
//! that defines one of those names is stale itself.
//!
//! Differs from Livebook in one thing: the number is made of the *versions* of the names, not of the snapshots of the
//! cells that define them. So a cell that is evaluated again with the same result leaves those below it valid.
//!
//! Only cells that a change can concern are looked at again: [`Index`] knows who defines and who uses a name.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};
use serde::{Deserialize, Serialize};

use super::Data;
use super::document::{Document, Place, text};
use super::info::{Info, Outline, Uses, Validity};
use crate::analysis::{self, Kind, LAST, Past};
use crate::session::operation::{CellId, Definition, InputId, Reach};

/// Who defines a name, and who uses it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Index {
    names: FxHashMap<Arc<str>, Sites>,
    /// What is used without being named: every one counts for all cells that see it.
    ambient: Vec<(CellId, Arc<str>, u64)>,
    /// The cells of which it is not known what they use.
    unknown: BTreeSet<CellId>,
    /// Those that ask for values by the numbers of cells, which change when cells come and go.
    counting: BTreeSet<CellId>,
    /// All cells with a record.
    evaluated: BTreeSet<CellId>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sites {
    /// Ordered as they stand in the document, with the versions.
    definers: Vec<(CellId, u64)>,
    readers: BTreeSet<CellId>,
}

impl Index {
    pub(super) fn evaluated(&self) -> impl Iterator<Item = CellId> {
        self.evaluated.iter().copied()
    }

    /// The nearest evaluated cell above that defines a name, with the version.
    fn definer(&self, document: &Document, name: &str, reader: Place) -> Option<(CellId, u64)> {
        if let Some(number) = Past::number(name) {
            let wanted = document.numbered(Past::cell(number, document.number_at(reader))?)?;
            let definer = self.names.get(LAST)?.definers.iter().find(|(id, _)| *id == wanted)?;
            return document.place(wanted).filter(|place| document.sees(reader, *place)).map(|_| *definer);
        }
        let definers = &self.names.get(name)?.definers;
        let above = definers.partition_point(|(id, _)| document.place(*id).is_some_and(|place| place < reader));
        let sees = |(id, _): &&(CellId, u64)| document.place(*id).is_some_and(|place| document.sees(reader, place));
        definers[..above].iter().rev().find(sees).copied()
    }

    fn define(&mut self, document: &Document, cell: CellId, definition: &Definition) {
        let sites = self.names.entry(definition.name.clone()).or_default();
        let place = document.place(cell);
        let at = sites.definers.partition_point(|(id, _)| document.place(*id) < place);
        sites.definers.insert(at, (cell, definition.version));
        if definition.reach == Reach::Ambient {
            let at = self.ambient.partition_point(|(id, _, _)| document.place(*id) < place);
            self.ambient.insert(at, (cell, definition.name.clone(), definition.version));
        }
    }

    fn undefine(&mut self, cell: CellId, definition: &Definition) {
        if let Some(sites) = self.names.get_mut(&definition.name) {
            sites.definers.retain(|(id, _)| *id != cell);
        }
        if definition.reach == Reach::Ambient {
            self.ambient.retain(|(id, _, _)| *id != cell);
        }
    }
}

impl Data {
    /// What a cell's text says by itself.
    pub(super) fn outline(&mut self, cell: CellId) -> Arc<Outline> {
        let Some(info) = self.infos.get_mut(&cell) else { return Arc::default() };
        match &info.outline {
            Some(outline) => outline.clone(),
            None => {
                let outline = Arc::new(self.document.cell(cell).map_or_else(Outline::default, |cell| read(text(cell))));
                info.outline = Some(outline.clone());
                outline
            }
        }
    }

    /// The cell whose value a name means, seen from a place.
    pub(super) fn definer(&self, name: &str, reader: Place) -> Option<CellId> {
        self.index.definer(&self.document, name, reader).map(|(cell, _)| cell)
    }

    /// What names mean, seen from a place, as a number.
    pub(super) fn meaning(&self, uses: &Uses, reader: Place) -> u64 {
        let mut hash = FxHasher::default();
        match uses {
            Uses::Names(names) => {
                for name in names.iter() {
                    let version = self.index.definer(&self.document, name, reader).map(|(_, version)| version);
                    version.hash(&mut hash);
                }
                for (cell, name, version) in &self.index.ambient {
                    if self.document.place(*cell).is_some_and(|place| self.document.sees(reader, place)) {
                        (name, version).hash(&mut hash);
                    }
                }
            }
            Uses::Unknown => {
                for id in &self.index.evaluated {
                    let Some(place) = self.document.place(*id) else { continue };
                    let Some(record) = self.infos.get(id).and_then(|info| info.record.as_ref()) else { continue };
                    if self.document.sees(reader, place) {
                        record.defines.iter().for_each(|definition| {
                            (&definition.name, definition.version).hash(&mut hash);
                        });
                    }
                }
            }
        }
        hash.finish()
    }

    /// What a cell sees: names, and the inputs that it has read.
    pub(super) fn snapshot(names: u64, read: &[InputId], value: impl Fn(InputId) -> Option<u64>) -> u64 {
        let mut hash = FxHasher::default();
        names.hash(&mut hash);
        for &input in read {
            (input, value(input)).hash(&mut hash);
        }
        hash.finish()
    }

    /// The cells of which a cell that stands here, and uses these names, imports something.
    pub(super) fn definers(&self, uses: &Uses, reader: Place) -> Vec<CellId> {
        let mut definers: Vec<CellId> = match uses {
            Uses::Names(names) => names.iter().filter_map(|name| self.definer(name, reader)).collect(),
            Uses::Unknown => self.index.evaluated.iter().copied().filter(|id| self.is_seen(*id, reader)).collect(),
        };
        definers.extend(self.index.ambient.iter().map(|(id, _, _)| *id).filter(|id| self.is_seen(*id, reader)));
        definers.sort_unstable_by(|one, other| self.document.compare(*one, *other));
        definers.dedup();
        definers
    }

    fn is_seen(&self, definer: CellId, reader: Place) -> bool {
        self.document.place(definer).is_some_and(|place| self.document.sees(reader, place))
    }

    /// Enters a cell's record into the index.
    pub(super) fn enter(&mut self, cell: CellId, touched: &mut Touched) {
        let Some(record) = self.infos.get(&cell).and_then(|info| info.record.as_ref()) else { return };
        self.index.evaluated.insert(cell);
        touched.cells.push(cell);
        match &record.uses {
            Uses::Names(names) => {
                for name in names.iter() {
                    self.index.names.entry(name.clone()).or_default().readers.insert(cell);
                }
                if names.iter().any(|name| Past::number(name).is_some()) {
                    self.index.counting.insert(cell);
                }
            }
            Uses::Unknown => {
                self.index.unknown.insert(cell);
            }
        }
        for definition in &record.defines {
            self.index.define(&self.document, cell, definition);
            touched.define(definition);
        }
    }

    /// Takes a cell's record out of the index.
    pub(super) fn leave(&mut self, cell: CellId, touched: &mut Touched) {
        let Some(record) = self.infos.get(&cell).and_then(|info| info.record.as_ref()) else { return };
        self.index.evaluated.remove(&cell);
        self.index.unknown.remove(&cell);
        self.index.counting.remove(&cell);
        if let Uses::Names(names) = &record.uses {
            for name in names.iter() {
                if let Some(sites) = self.index.names.get_mut(name) {
                    sites.readers.remove(&cell);
                }
            }
        }
        for definition in &record.defines {
            self.index.undefine(cell, definition);
            touched.define(definition);
        }
    }

    /// Puts all definers in order again, after sections have changed places.
    pub(super) fn reorder(&mut self) -> Touched {
        let document = &self.document;
        for sites in self.index.names.values_mut() {
            sites.definers.sort_unstable_by_key(|(id, _)| document.place(*id));
        }
        self.index.ambient.sort_by_key(|(id, _, _)| document.place(*id));
        Touched { cells: self.index.evaluated.iter().copied().collect(), ..Touched::default() }
    }

    /// Looks again at whom a change can concern.
    pub(super) fn refresh(&mut self, touched: Touched) {
        let mut open: Vec<CellId> = touched.cells;
        open.extend(&self.index.counting);
        if touched.is_ambient {
            open.extend(self.index.evaluated.iter());
        }
        open.extend(touched.names.iter().filter_map(|name| self.index.names.get(name)).flat_map(|site| &site.readers));
        if !touched.names.is_empty() {
            open.extend(&self.index.unknown);
        }
        // From the top, so that nearly every cell is looked at once.
        open.sort_unstable_by(|one, other| self.document.compare(*other, *one));
        open.dedup();
        while let Some(cell) = open.pop() {
            let validity = self.validity(cell);
            let info = self.info_mut(cell);
            if info.record.is_some() && info.validity != validity {
                info.validity = validity;
                self.add_users(cell, &mut open);
            }
        }
    }

    fn add_users(&self, cell: CellId, open: &mut Vec<CellId>) {
        let Some(record) = self.infos.get(&cell).and_then(|info| info.record.as_ref()) else { return };
        for definition in &record.defines {
            if let Some(sites) = self.index.names.get(&definition.name) {
                open.extend(&sites.readers);
            }
        }
        if !record.defines.is_empty() {
            open.extend(&self.index.unknown);
            open.extend(&self.index.counting);
        }
        if record.defines.iter().any(|definition| definition.reach == Reach::Ambient) {
            open.extend(&self.index.evaluated);
        }
    }

    fn validity(&self, cell: CellId) -> Validity {
        let (Some(info), Some(place)) = (self.infos.get(&cell), self.document.place(cell)) else {
            return Validity::Fresh;
        };
        let Some(record) = &info.record else { return info.validity };
        let value = |input: InputId| self.inputs.get(&input).map(|state| state.digest);
        let now = Self::snapshot(self.meaning(&record.uses, place), &record.read, value);
        let is_stale = |id: &CellId| self.infos.get(id).is_some_and(|info| info.validity == Validity::Stale);
        match now != record.snapshot || self.definers(&record.uses, place).iter().any(is_stale) {
            true => Validity::Stale,
            false => Validity::Evaluated,
        }
    }

    /// Drops what a cell has evaluated to.
    pub(super) fn drop_record(&mut self, cell: CellId, validity: Validity, touched: &mut Touched) {
        self.leave(cell, touched);
        let info = self.info_mut(cell);
        info.record = None;
        info.validity = validity;
        info.freeze();
    }
}

/// What a change concerns directly.
#[derive(Default)]
pub(super) struct Touched {
    pub(super) cells: Vec<CellId>,
    pub(super) names: BTreeSet<Arc<str>>,
    pub(super) is_ambient: bool,
}

impl Touched {
    fn define(&mut self, definition: &Definition) {
        self.names.insert(definition.name.clone());
        self.is_ambient |= definition.reach == Reach::Ambient;
    }
}

/// Stands for a text.
pub(super) fn digest(text: &str) -> u64 {
    let mut hash = FxHasher::default();
    text.hash(&mut hash);
    hash.finish()
}

/// How others come to use a definition of this kind.
pub fn reach(kind: Kind) -> Reach {
    match kind {
        Kind::Trait | Kind::Import => Reach::Ambient,
        Kind::Binding | Kind::Function | Kind::Type | Kind::Macro | Kind::Constant | Kind::Module => Reach::Named,
    }
}

/// Reads a cell's text. What does not parse uses everything, as nobody knows what it uses.
fn read(source: &str) -> Outline {
    let name = |name: &str| -> Arc<str> { Arc::from(name) };
    match analysis::analyse(source) {
        Ok(analysis) => Outline {
            certain: analysis.uses.iter().filter(|used| used.certain).map(|used| name(&used.name)).collect(),
            uses: {
                let in_macros = analysis.macro_uses.iter().flat_map(|(_, names)| names);
                let names: BTreeSet<&str> =
                    analysis.uses.iter().map(|used| &used.name).chain(in_macros).map(String::as_str).collect();
                Uses::Names(names.into_iter().map(name).collect())
            },
            defines: analysis.defines.iter().map(|defined| (name(&defined.name), reach(defined.kind))).collect(),
        },
        Err(_) => Outline {
            uses: Uses::Unknown,
            certain: Vec::new(),
            defines: analysis::defines(source)
                .iter()
                .map(|defined| (name(&defined.name), reach(defined.kind)))
                .collect(),
        },
    }
}

impl Info {
    /// Whether its values can be imported.
    pub fn has_values(&self) -> bool {
        self.record.is_some() && !self.failed
    }
}
