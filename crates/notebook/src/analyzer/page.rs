//! A notebook as rust-analyzer is shown it: what is being typed is the root of a crate, and the crates of the cells above
//! that define items are its modules. So it can all change without a change of the project.

use crate::compiler::{CompiledCell, Scope};
use crate::generate::{self, Surroundings};

/// The file of the root.
pub(super) const ROOT: &str = "notebook.rs";

/// What is shown, and where something is to be completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The text of the root.
    pub(super) text: String,
    /// The place in it, in bytes.
    pub(super) place: usize,
    /// The modules beside it: their names and texts.
    pub(super) modules: Vec<(String, String)>,
}

impl Page {
    /// The page for a source that is being typed below the cells of a scope, and the character at or before a place in
    /// it, in bytes.
    pub fn new(source: &str, place: usize, scope: &Scope) -> Page {
        let cells: Vec<_> = scope.cells().iter().filter_map(|cell| cell.state.as_deref().ok()).collect();
        let cells: Vec<_> = cells.into_iter().filter(|cell| !cell.items.is_empty()).collect();
        let names: Vec<String> = cells.iter().map(|cell| generate::crate_name(&cell.key)).collect();
        let module = |(cell, name): (&CompiledCell, &String)| {
            // Among crates each one sees all of the others; modules have to be told.
            let others: Vec<&str> = names.iter().filter(|other| *other != name).map(String::as_str).collect();
            (name.clone(), format!("{}use crate::{{{}}};\n", cell.text, others.join(", ")))
        };
        let modules = cells.iter().copied().zip(&names).map(module).collect();
        let crates: Vec<&str> = names.iter().map(String::as_str).collect();
        let place = source.floor_char_boundary(place);
        let (text, place) = generate::glimpse(source, place, &Surroundings::guess(source, scope), &crates);
        Page { text, place, modules }
    }

    /// The line and the byte in it of the place, both counted from 0.
    pub(super) fn position(&self) -> (u32, u32) {
        let before = &self.text[..self.place];
        let line = before.matches('\n').count() as u32;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        (line, column as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_parse_yet_is_shown_with_its_place() {
        let source = "let a = (1, 2);\nfoo(a.";
        let page = Page::new(source, source.len(), &Scope::default());
        let (line, column) = page.position();
        let shown = page.text.lines().nth(line as usize).expect("the line");
        assert_eq!(&shown[..column as usize], "foo(a.");
        assert!(page.modules.is_empty());
    }
}
