//! The cells of a live notebook as messages speak of them.

use rustc_hash::FxHashMap;

use super::data::Document;
use super::operation::CellId;
use crate::event::heading;
use crate::livemd::Cell;
use crate::plan::PlannedCell;

/// The numbers of all cells of code.
pub(super) fn numbers(document: &Document) -> FxHashMap<CellId, usize> {
    let sections = document.sections().iter().flat_map(|section| section.cells.iter().copied());
    let is_code = |id: &CellId| document.cell(*id).and_then(Cell::code).is_some();
    sections.filter(is_code).zip(1..).collect()
}

/// What messages call the cell with a number; that of the setup is 0.
pub(super) fn label(number: usize) -> String {
    if number == 0 { "the setup cell".to_owned() } else { format!("cell {number}") }
}

/// A cell in the words of messages.
pub(super) fn planned(document: &Document, id: CellId) -> Option<PlannedCell> {
    let code = document.cell(id)?.code()?;
    Some(PlannedCell {
        index: document.number(id),
        section: document.section_of(id)?.head.name.clone(),
        heading: heading(&code.source),
        line: code.line,
        language: code.language,
        source: code.source.clone(),
        container: 0,
        ancestors: Vec::new(),
    })
}
