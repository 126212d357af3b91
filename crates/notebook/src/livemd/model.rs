//! The document as data: a notebook, its sections and their cells.
//!
//! Owns what a `.livemd` file can say. Reading and writing the file is for its siblings;
//! what a cell means is for the session.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Keys and values of a metadata comment, sorted by key.
pub type Metadata = BTreeMap<String, serde_json::Value>;

/// The name of a notebook that does not say its own.
pub const DEFAULT_NAME: &str = "Untitled notebook";

/// The name of the section that holds what stands before the first one.
pub const DEFAULT_SECTION: &str = "Section";

/// A whole document.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Notebook {
    /// The text of its first-level heading.
    pub name: String,
    /// The comments above that heading, without their marks.
    pub comments: Vec<String>,
    /// Whether outputs are saved with the document.
    pub persist_outputs: bool,
    /// Metadata that nothing here interprets, kept for whoever does.
    #[serde(with = "super::plain")]
    pub metadata: Metadata,
    /// What stands before the first section: a manifest, code, both or neither.
    pub setup: Vec<Code>,
    /// The sections, in order.
    pub sections: Vec<Section>,
    /// The stamp that closes the file.
    #[serde(with = "super::plain")]
    pub stamp: Option<Metadata>,
}

/// A section: a second-level heading and the cells below it.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Section {
    /// The text of its heading.
    pub name: String,
    /// The line of that heading in the file, from 1.
    pub line: usize,
    /// The earlier section that it branches from. That one does not branch itself.
    pub branch_parent_index: Option<usize>,
    /// Metadata that nothing here interprets, kept for whoever does.
    #[serde(with = "super::plain")]
    pub metadata: Metadata,
    /// The cells, in order.
    pub cells: Vec<Cell>,
}

/// One cell of a section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cell {
    /// Prose.
    Markdown(Markdown),
    /// Code.
    Code(Code),
    /// Code that a form writes.
    Smart(Smart),
}

/// Prose, as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Markdown {
    /// The text, without blank lines around it.
    pub text: String,
    /// The line in the file on which it starts, from 1.
    pub line: usize,
}

/// A code cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// What it is written in.
    pub language: Language,
    /// The code, without the line break that ends it.
    pub source: String,
    /// The line in the file on which the source starts, from 1.
    pub line: usize,
    /// How it is to be run and shown.
    pub attributes: CodeAttributes,
    /// Outputs saved with the document.
    pub outputs: Vec<SavedOutput>,
}

/// A smart cell: the code that its form wrote, and the form's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Smart {
    /// Which form.
    pub kind: String,
    /// The form's state, encoded or plain, as the file has it.
    #[serde(with = "super::plain")]
    pub attrs: serde_json::Value,
    /// Which parts of the source run as expressions of their own, as the file has it.
    #[serde(with = "super::plain")]
    pub chunks: serde_json::Value,
    /// The code that the form wrote.
    pub code: Code,
}

/// How a code cell is to be run and shown.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CodeAttributes {
    /// Cells below run even if this one fails.
    pub continue_on_error: bool,
    /// The cell runs again by itself when it is stale.
    pub reevaluate_automatically: bool,
    /// How much room its outputs take.
    pub output_size: OutputSize,
    /// Metadata that nothing here interprets, kept for whoever does.
    #[serde(with = "super::plain")]
    pub metadata: Metadata,
}

/// How much room a cell's outputs take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum OutputSize {
    /// As wide as the text.
    #[default]
    Default,
    /// Wider than the text.
    Wide,
    /// As wide as there is room.
    Full,
}

/// An output saved with the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedOutput {
    /// The info string of its fence: empty for text.
    pub info: String,
    /// The output.
    pub text: String,
    /// Whether the cell must show it again.
    pub expected: bool,
}

impl SavedOutput {
    /// An output that may differ the next time.
    pub fn new(info: impl Into<String>, text: impl Into<String>) -> Self {
        SavedOutput { info: info.into(), text: text.into(), expected: false }
    }
}

/// The languages whose fences are cells. Only Rust runs; the others are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// Rust.
    Rust,
    /// The manifest of the setup, as Cargo reads it.
    Toml,
    /// Elixir.
    Elixir,
    /// Erlang.
    Erlang,
    /// Python.
    Python,
    /// The manifest of a Python setup.
    PyprojectToml,
}

impl Language {
    /// The language of a fence with this info string, if such a fence is a cell anywhere.
    pub fn of_fence(info: &str) -> Option<Self> {
        Some(match info {
            "rust" => Language::Rust,
            "toml" => Language::Toml,
            "elixir" => Language::Elixir,
            "erlang" => Language::Erlang,
            "python" => Language::Python,
            "pyproject.toml" => Language::PyprojectToml,
            _ => return None,
        })
    }

    /// The info string of its fences.
    pub fn info(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::Toml => "toml",
            Language::Elixir => "elixir",
            Language::Erlang => "erlang",
            Language::Python => "python",
            Language::PyprojectToml => "pyproject.toml",
        }
    }

    /// Whether it declares dependencies, and so has its place in the setup alone.
    pub fn is_manifest(self) -> bool {
        matches!(self, Language::Toml | Language::PyprojectToml)
    }
}

impl Code {
    /// A cell of plain code, as if written on `line` of a file.
    pub fn new(language: Language, source: impl Into<String>, line: usize) -> Self {
        Code { language, source: source.into(), line, attributes: CodeAttributes::default(), outputs: Vec::new() }
    }
}

impl Cell {
    /// The cell's code, if it is one that runs.
    pub fn code(&self) -> Option<&Code> {
        match self {
            Cell::Markdown(_) => None,
            Cell::Code(code) => Some(code),
            Cell::Smart(smart) => Some(&smart.code),
        }
    }
}

impl Notebook {
    /// The Cargo manifest of the setup.
    pub fn manifest(&self) -> Option<&Code> {
        self.setup.iter().find(|code| code.language == Language::Toml)
    }

    /// The code of the setup, which runs before every section.
    pub fn setup_code(&self) -> Option<&Code> {
        self.setup.iter().find(|code| !code.language.is_manifest())
    }

    /// The code cells of the sections in order, each with the index of its section.
    pub fn code_cells(&self) -> impl Iterator<Item = (usize, &Code)> {
        self.sections
            .iter()
            .enumerate()
            .flat_map(|(index, section)| section.cells.iter().filter_map(move |cell| Some((index, cell.code()?))))
    }
}
