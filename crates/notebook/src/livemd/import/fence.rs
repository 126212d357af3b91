//! What a fence is: a cell of code, with or without a form, an output of the cell above, the manifest of the setup, or
//! prose.

use super::Import;
use super::prose::is_blank;
use crate::livemd::blocks::Block;
use crate::livemd::metadata::Fields;
use crate::livemd::model::{Cell, Code, Language, Metadata, SavedOutput, Smart};

impl Import<'_> {
    pub(super) fn fence(&mut self, block: &Block<'_>, info: &str, source: &str, closed: bool, line: usize) {
        let waits = self.pending_for(block);
        let says = |key, value: serde_json::Value| waits.is_some_and(|metadata| metadata.get(key) == Some(&value));
        if says("force_markdown", true.into()) {
            self.pending = None;
            return;
        }
        if says("output", true.into()) {
            let expected = says("expected", true.into());
            self.pending = None;
            self.pass(block);
            let output = SavedOutput { expected, ..SavedOutput::new(info, source) };
            return self.saved_output(block, output, line);
        }
        let is_smart = says("livebook_object", "smart_cell".into());
        let language = Language::of_fence(info)
            .filter(|language| !language.is_manifest() || self.takes_manifest(*language, block, source));
        let Some(language) = language else {
            return;
        };
        let metadata = self.take_pending(block);
        self.pass(block);
        self.end_prose();
        if !closed {
            self.warn(line, "the fence is never closed; everything below it is in the cell");
        }
        let cell = match is_smart {
            true => self.smart(metadata, language, source, line),
            false => Cell::Code(self.code(metadata, language, source, line)),
        };
        self.cells().push(cell);
    }

    pub(super) fn code(&mut self, metadata: Metadata, language: Language, source: &str, line: usize) -> Code {
        if metadata.contains_key("branch_parent_index") {
            self.warn(
                line,
                "`branch_parent_index` stands above a cell; a section branches where it stands above the heading",
            );
        }
        let (attributes, complaints) = Fields::new(metadata).code_attributes();
        for complaint in complaints {
            self.warn(line, complaint);
        }
        Code { attributes, ..Code::new(language, source, line + 1) }
    }

    pub(super) fn smart(&mut self, mut metadata: Metadata, language: Language, source: &str, line: usize) -> Cell {
        metadata.remove("livebook_object");
        let attrs = metadata.remove("attrs").unwrap_or_default();
        let chunks = metadata.remove("chunks").unwrap_or_default();
        let kind = metadata.remove("kind");
        let code = self.code(metadata, language, source, line);
        match kind.as_ref().and_then(|kind| kind.as_str()) {
            Some(kind) => Cell::Smart(Smart { kind: kind.to_owned(), attrs, chunks, code }),
            None => {
                self.warn(line, "the smart cell does not say its kind; it becomes a code cell");
                Cell::Code(code)
            }
        }
    }

    pub(super) fn saved_output(&mut self, block: &Block<'_>, output: SavedOutput, line: usize) {
        let follows_code = is_blank(&self.prose);
        match self.cells().last_mut() {
            Some(Cell::Code(code) | Cell::Smart(Smart { code, .. })) if follows_code => {
                code.outputs.push(output);
            }
            _ => {
                self.warn(line, "a saved output that follows no code cell; it stays as prose");
                let fence = format!("{}\n\n", self.text[block.range.clone()].trim_end());
                self.add_prose(&fence, block.range.start);
            }
        }
    }

    /// A manifest stands before the first section: as the first thing there, or naming dependencies.
    pub(super) fn takes_manifest(&self, language: Language, block: &Block<'_>, source: &str) -> bool {
        let is_there = |cell: &Cell| cell.code().is_some_and(|code| code.language == language);
        let mut lines = source.lines().map(str::trim_start);
        self.notebook.sections.is_empty()
            && !self.preamble.cells.iter().any(is_there)
            && (lines.any(|line| line.starts_with("[dependencies") || line.starts_with("dependencies"))
                || language == Language::PyprojectToml
                || (self.preamble.cells.is_empty()
                    && is_blank(&self.prose)
                    && is_blank(&self.text[self.cursor..block.range.start])))
    }
}
