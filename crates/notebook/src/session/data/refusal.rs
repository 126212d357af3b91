//! Why something cannot happen to a notebook.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::livemd::Language;
use crate::session::operation::{CellId, ClientId, InputId, RuntimeId, SectionId};

/// Why an operation was refused. The data is as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// There is no such cell.
    NoSuchCell(CellId),
    /// There is no such section.
    NoSuchSection(SectionId),
    /// There is no such client.
    NoSuchClient(ClientId),
    /// There is no such input.
    NoSuchInput(InputId),
    /// The input cannot have this value; it says what it takes.
    NoSuchValue(String),
    /// A cell or section with this name is or was there.
    NameTaken(String),
    /// The list of cells is empty.
    NoCells,
    /// The cell is prose.
    NotCode(CellId),
    /// The cell is written in a language that does not run here.
    NotRust(CellId, Language),
    /// The cell is being evaluated.
    Evaluating(CellId),
    /// The cell neither runs nor waits.
    NotQueued(CellId),
    /// The cell is not in the bin.
    NotInBin(CellId),
    /// There is no section that the cell could go to.
    NoSections,
    /// Other sections branch from it.
    HasBranches(SectionId),
    /// No section stands before it that could take its cells.
    NothingBefore(SectionId),
    /// A section branches only from an earlier section of the main flow.
    NotAParent(SectionId),
    /// A branch would stand above the section that it branches from.
    AboveParent(SectionId),
    /// The setup stays where it is, and holds one manifest and one cell of code.
    Setup,
    /// The text has no such part: it is shorter, or the place is inside of a character.
    NoSuchText(CellId),
    /// There is nothing to undo, or to redo.
    NoHistory,
    /// The client is there already.
    AlreadyJoined(ClientId),
    /// The runtime is already there, or on its way.
    HasRuntime,
    /// There is no runtime, and none on its way.
    NoRuntime,
    /// The notebook has given up this runtime, and has another one.
    OtherRuntime(RuntimeId),
    /// It belongs to an evaluation that is no longer the cell's.
    Outdated(CellId),
    /// Nothing is attached, or there is no conflict.
    NoFile,
    /// The notebook has a file of its own.
    HasFile,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoSuchCell(id) => write!(f, "there is no {id}: it may have been deleted"),
            Refusal::NoSuchSection(id) => write!(f, "there is no {id}: it may have been deleted"),
            Refusal::NoSuchClient(id) => write!(f, "there is no {id}: it has to join first"),
            Refusal::NoSuchInput(id) => write!(f, "no cell shows {id}"),
            Refusal::NoSuchValue(why) => f.write_str(why),
            Refusal::NameTaken(name) => write!(f, "{name} is or was in use: choose another name"),
            Refusal::NoCells => f.write_str("no cells were named"),
            Refusal::NotCode(id) => write!(f, "{id} is prose, which is not evaluated"),
            Refusal::NotRust(id, language) => write!(f, "{id} is {}: only Rust cells run here", language.info()),
            Refusal::Evaluating(id) => write!(f, "{id} is being evaluated: wait for it, or stop it first"),
            Refusal::NotQueued(id) => write!(f, "{id} neither runs nor waits"),
            Refusal::NotInBin(id) => write!(f, "{id} is not in the bin"),
            Refusal::NoSections => f.write_str("there is no section to put the cell into: add one first"),
            Refusal::HasBranches(id) => write!(f, "other sections branch from {id}: move or delete them first"),
            Refusal::NothingBefore(id) => write!(f, "no section stands before {id} that could take its cells"),
            Refusal::NotAParent(id) => {
                write!(f, "{id} cannot be branched from: it has to stand above and not to branch itself")
            }
            Refusal::AboveParent(id) => write!(f, "{id} would stand above the section that it branches from"),
            Refusal::Setup => f.write_str("the setup stays on top, and holds one manifest and one cell of code"),
            Refusal::NoSuchText(id) => write!(f, "the text of {id} has no such part: it has changed meanwhile"),
            Refusal::NoHistory => f.write_str("there is nothing to undo or redo"),
            Refusal::AlreadyJoined(id) => write!(f, "{id} is there already"),
            Refusal::HasRuntime => f.write_str("the runtime is there, or on its way: disconnect it first"),
            Refusal::NoRuntime => f.write_str("there is no runtime: evaluate a cell, or connect one"),
            Refusal::OtherRuntime(id) => write!(f, "{id} was given up: there is another one now"),
            Refusal::Outdated(id) => write!(f, "that evaluation of {id} is over and forgotten"),
            Refusal::NoFile => f.write_str("the notebook has no file, or no conflict with one"),
            Refusal::HasFile => f.write_str("the notebook has a file of its own"),
        }
    }
}

impl std::error::Error for Refusal {}
