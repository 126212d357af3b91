//! Changes of the document, and what they are about.

use serde::{Deserialize, Serialize};

use super::{CellId, SectionId};
use crate::livemd::{Cell, CodeAttributes, Metadata};

/// Changes of the document. Each can be undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Structure {
    /// Names the notebook.
    Rename(String),
    /// Replaces what else is said about the notebook.
    SetAttributes(NotebookAttributes),
    /// Adds a section; a place behind the last one means the end. The setup does not count.
    InsertSection {
        /// Its place among the sections, from 0.
        index: usize,
        /// The section, without cells.
        section: SectionHead,
    },
    /// Names a section.
    RenameSection {
        /// The section.
        section: SectionId,
        /// Its new name.
        name: String,
    },
    /// Makes a section a branch of an earlier one, or a part of the main flow again.
    SetParent {
        /// The section.
        section: SectionId,
        /// The earlier section that it branches from.
        parent: Option<SectionId>,
    },
    /// Moves a section to another place.
    MoveSection {
        /// The section.
        section: SectionId,
        /// Its place among the others, from 0.
        index: usize,
    },
    /// Removes a section.
    DeleteSection {
        /// The section.
        section: SectionId,
        /// What becomes of its cells.
        cells: CellsOfDeleted,
    },
    /// Adds a cell; a place behind the last one means the end.
    InsertCell {
        /// The section.
        section: SectionId,
        /// Its place in the section, from 0.
        index: usize,
        /// Its name, never used before in this notebook.
        id: CellId,
        /// What it is and says.
        cell: Box<Cell>,
    },
    /// Moves a cell into the bin.
    DeleteCell(CellId),
    /// Takes a cell out of the bin, to where it was; if that section is gone, to the end of the last one.
    RestoreCell(CellId),
    /// Moves a cell to another place.
    MoveCell {
        /// The cell.
        cell: CellId,
        /// The section to move it to.
        section: SectionId,
        /// Its place there, counted without itself, from 0.
        index: usize,
    },
    /// Replaces a part of a cell's text.
    Edit {
        /// The cell.
        cell: CellId,
        /// Where, in bytes of the text.
        at: usize,
        /// How many bytes go.
        removed: usize,
        /// What comes in their place.
        inserted: String,
    },
    /// Says how a code cell is to be run and shown.
    SetCodeAttributes {
        /// The cell.
        cell: CellId,
        /// All of its attributes.
        attributes: Box<CodeAttributes>,
    },
    /// Replaces a cell's content by another, as when a smart cell becomes a plain one.
    Replace {
        /// The cell.
        cell: CellId,
        /// What it is and says from now on.
        content: Box<Cell>,
    },
    /// Removes a cell without a trace: what undoes its insertion.
    Uninsert(CellId),
    /// Moves a cell back into the bin, where it is known by the place that it had before: what undoes its return.
    Unrestore {
        /// The cell.
        cell: CellId,
        /// The section that it had stood in.
        section: SectionId,
        /// What that was called.
        section_name: String,
        /// Its place in that section.
        index: usize,
    },
}

/// What is said about a notebook beside its name.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NotebookAttributes {
    /// Whether outputs are saved with the document.
    pub persist_outputs: bool,
    /// What nothing here interprets.
    #[serde(with = "crate::livemd::plain")]
    pub metadata: Metadata,
}

/// A section without its cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionHead {
    /// Its name for programs.
    pub id: SectionId,
    /// Its name for people.
    pub name: String,
    /// The earlier section of the main flow that it branches from.
    pub parent: Option<SectionId>,
    /// What nothing here interprets.
    #[serde(with = "crate::livemd::plain")]
    pub metadata: Metadata,
}

/// What becomes of the cells of a deleted section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CellsOfDeleted {
    /// They go into the bin.
    Bin,
    /// They go to the end of the section before it.
    Previous,
}
