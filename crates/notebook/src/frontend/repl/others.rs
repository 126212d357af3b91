//! What those at other terminals do to the notebook, as lines for this one: who comes and goes, what they evaluate, and
//! what they change. Functions of the document as it was and as it is.

use console::Style;

use crate::frontend::paint;
use crate::frontend::view::{Manner, View};
use crate::livemd::Cell;
use crate::session::data::{Document, text};
use crate::session::operation::{CellId, Operation, SectionId};

/// What an operation of somebody else has changed that is not seen otherwise. The texts of cells are shown when they are
/// evaluated, so that nobody sees every stroke of a key; what is taken back or done again is said at once.
pub(super) fn changes(before: &Document, after: &Document, operation: &Operation) -> Vec<String> {
    let mut said = Vec::new();
    if before.name != after.name {
        said.push(format!("the notebook is called “{}” now", after.name));
    }
    for section in after.sections() {
        let name = &section.head.name;
        match before.section(section.head.id) {
            None => said.push(format!("a new section: {name}")),
            Some(old) if old.head.name != *name => {
                said.push(format!("the section {} is called {name} now", old.head.name))
            }
            Some(_) => {}
        }
    }
    let is_gone = |section: &SectionId| after.section(*section).is_none();
    let gone = before.sections().iter().filter(|section| is_gone(&section.head.id));
    said.extend(gone.map(|section| format!("the section {} is gone", section.head.name)));
    let is_code = |document: &Document, cell: CellId| document.cell(cell).and_then(Cell::code).is_some();
    let lost = before.cells().filter(|cell| after.cell(*cell).is_none() && is_code(before, *cell));
    said.extend(lost.map(|cell| format!("{} is gone", before.label(cell))));
    let how = match operation {
        Operation::Undo => "is as it was",
        Operation::Redo => "is changed again",
        _ => return said,
    };
    for cell in after.cells().filter(|cell| is_code(after, *cell)) {
        match (before.cell(cell).map(text), after.cell(cell).map(text)) {
            (None, Some(_)) => said.push(format!("{} is back", after.label(cell))),
            (Some(old), Some(new)) if old != new => said.push(format!("{} {how}", after.label(cell))),
            _ => {}
        }
    }
    said
}

/// A remark on what somebody else does.
pub(super) fn remark(view: &View, text: &str) -> String {
    match view.manner {
        Manner::Seen => format!("{}\n", view.look.paint(Style::new().dim(), &format!("· {text}"))),
        Manner::Heard => format!("{text}\n"),
        Manner::Piped => String::new(),
    }
}

/// The text of a cell that somebody else has evaluated.
pub(super) fn entered(view: &View, number: usize, source: &str) -> String {
    let (sign, indent) = match view.manner {
        Manner::Seen => (format!("[{number}] "), " ".repeat(number.to_string().len() + 3)),
        Manner::Heard => (format!("cell {number}: "), String::new()),
        Manner::Piped => return String::new(),
    };
    let mut said = String::new();
    for (place, line) in paint::source(source.trim_end(), None, view.look).lines().enumerate() {
        let before = if place == 0 { view.look.paint(Style::new().dim(), &sign) } else { indent.clone() };
        said.push_str(&format!("{before}{line}\n"));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::data::Data;
    use crate::session::operation::Structure;

    const TEXT: &str = "# N\n\n## S\n\n```rust\n1\n```\n\n```rust\n2\n```\n";

    fn said(operations: &[Operation]) -> Vec<String> {
        let mut data = Data::new(&crate::livemd::parse(TEXT).0);
        let mut said = Vec::new();
        for operation in operations {
            let before = data.document().clone();
            data.apply(operation).expect("it can happen");
            said.extend(changes(&before, data.document(), operation));
        }
        said
    }

    #[test]
    fn what_others_change_is_said_once() {
        let edit = Structure::Edit { cell: CellId(2), at: 0, removed: 1, inserted: "3".to_owned() };
        let done = [
            Structure::Rename("M".to_owned()).into(),
            edit.into(),
            Structure::DeleteCell(CellId(1)).into(),
            Operation::Undo,
            Operation::Undo,
            Operation::Redo,
            Structure::RenameSection { section: SectionId(1), name: "T".to_owned() }.into(),
        ];
        let expected = [
            "the notebook is called “M” now",
            "cell 1 is gone",
            "cell 1 is back",
            "cell 2 is as it was",
            "cell 2 is changed again",
            "the section S is called T now",
        ];
        assert_eq!(said(&done), expected);
    }
}
