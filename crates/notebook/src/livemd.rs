//! The `.livemd` document: a subset of Markdown that people and programs both read well.
//!
//! A first-level heading names the notebook, a second-level heading begins a section, a fence in a
//! known language is a code cell, and everything else is prose. What Markdown cannot say stands in
//! comments such as `<!-- livebook:{"continue_on_error":true} -->`.
//!
//! Owns the way from text to [`Notebook`] and back. Files, and what a cell means, are for others.

mod blocks;
mod import;
mod markdown;
mod metadata;
mod model;
pub(crate) mod plain;
mod print;
mod scan;

use std::fmt;

pub use model::{
    Cell, Code, CodeAttributes, DEFAULT_NAME, DEFAULT_SECTION, Language, Markdown, Metadata, Notebook, OutputSize,
    SavedOutput, Section, Smart,
};

/// Something in a document that was understood other than it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The line in the file, from 1.
    pub line: usize,
    /// What is odd and what was made of it.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// Reads a document. Every text is one; what is odd about it comes back as warnings.
///
/// # Examples
///
/// ```
/// let text = "# Sums\n\n## One\n\n```rust\n1 + 1\n```\n";
/// let (notebook, warnings) = greenroom_notebook::livemd::parse(text);
/// assert_eq!(notebook.name, "Sums");
/// assert_eq!(notebook.code_cells().next().unwrap().1.source, "1 + 1");
/// assert!(warnings.is_empty());
/// ```
pub fn parse(text: &str) -> (Notebook, Vec<Warning>) {
    import::import(text)
}

/// A fence that holds a text, whatever backticks that has in it, without a line break at the end.
pub fn fence(info: &str, text: &str) -> String {
    let mut fence = String::new();
    blocks::push_fence(&mut fence, info, text);
    fence
}

/// Writes a document in its canonical form: reading that and writing it again gives the same bytes.
///
/// Prose is written as it is, apart from first and second-level headings inside a prose cell, which
/// would begin something else and go.
pub fn print(notebook: &Notebook) -> String {
    print::print(notebook)
}
