//! Everything that can happen to a live notebook, and everything that it asks for in return: closed lists of plain
//! data. What they do is for [`super::data`]; who sends them and who obeys is for the processes of the session.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use greenroom_stage::input::{Form, Value};
use greenroom_stage::protocol::{ContainerId, EvaluationId};
use serde::{Deserialize, Serialize};

pub use crate::analysis::Kind;
use crate::event::Output;
use crate::livemd::{Cell, CodeAttributes, Metadata};
use crate::prelude::Progress;
pub use crate::runtime::{Backtrace, RuntimeSettings};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "-{}"), self.0)
            }
        }
    };
}

id!(
    /// Names a cell for as long as it lives, wherever it is moved. Whoever inserts a cell chooses it.
    CellId,
    "cell"
);
id!(
    /// Names a section. Whoever inserts it chooses it; 0 is the setup, which is always there.
    SectionId,
    "section"
);
id!(
    /// Names a client: one front end of one person.
    ClientId,
    "client"
);
id!(
    /// Names an input that a cell shows.
    InputId,
    "input"
);
id!(
    /// Names one of the runtimes that a notebook has had: they are counted from 1.
    RuntimeId,
    "runtime"
);

impl SectionId {
    /// What stands before the first section: the manifest, and code that runs before everything else.
    pub const SETUP: SectionId = SectionId(0);
}

/// One thing that happens to a notebook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Operation {
    /// To its sections, cells and texts.
    Structure(Structure),
    /// Takes back the last change to sections, cells and texts that was not taken back yet.
    Undo,
    /// Does again what was taken back last.
    Redo,
    /// To what is or shall be evaluated.
    Evaluation(Evaluation),
    /// To the inputs that its cells show.
    Input(Input),
    /// To those who look at it.
    Client(Client),
    /// To the runtime that its cells run in.
    Runtime(Runtime),
    /// To the file that it is saved in.
    File(File),
}

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

/// What is or shall be evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Evaluation {
    /// Evaluates these cells, and before them the outdated ones that they stand on.
    Queue(Vec<CellId>),
    /// Evaluates all cells of a section.
    QueueSection(SectionId),
    /// Evaluates what is outdated, these cells, and whatever uses what they define.
    QueueFull {
        /// Cells to evaluate even if they are up to date.
        forced: Vec<CellId>,
    },
    /// Evaluates the stale cells of each flow, down to the first that was never evaluated.
    QueueStale,
    /// Evaluates everything.
    QueueAll,
    /// Stops a cell, or takes it out of the queue, and with it the queued cells that use what it defines.
    Cancel(CellId),
    /// Stops everything that runs or waits.
    CancelAll,
    /// An evaluation has shown something, perhaps after it has ended.
    Output {
        /// The cell.
        cell: CellId,
        /// The evaluation; that of an earlier one is ignored.
        evaluation: EvaluationId,
        /// What was shown.
        output: Output,
    },
    /// The cell's code is compiled and begins to run.
    Started {
        /// The cell.
        cell: CellId,
        /// The evaluation.
        evaluation: EvaluationId,
        /// How the compilation went.
        compiled: Compiled,
    },
    /// An evaluation is over.
    Finished {
        /// The cell.
        cell: CellId,
        /// The evaluation; that of an earlier one is ignored.
        evaluation: EvaluationId,
        /// How it ended.
        outcome: Outcome,
    },
    /// The examples in a cell's doc comments, which are run after it, are through.
    Examined {
        /// The cell.
        cell: CellId,
        /// The evaluation.
        evaluation: EvaluationId,
    },
    /// A running cell keeps its thread and lets no other run.
    NotYielding {
        /// The cell.
        cell: CellId,
        /// The evaluation.
        evaluation: EvaluationId,
        /// For how long, in milliseconds.
        for_ms: u64,
    },
    /// Removes all outputs; what was evaluated counts as fresh.
    EraseOutputs,
    /// Forgets what a cell has evaluated to, and its outputs.
    Forget(CellId),
}

/// A compilation that went well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compiled {
    /// The name of the cell's crate, by which the cache knows it.
    pub library: Arc<str>,
    /// How long it took, in milliseconds; zero if it was found in the cache.
    pub compile_ms: f64,
    /// Whether it was found in the cache.
    pub cached: bool,
    /// Whether there are examples in its doc comments, to be run when it has succeeded.
    pub has_examples: bool,
    /// What cells below can name of it.
    pub names: Arc<[Named]>,
}

/// A name that a compiled cell has for those below.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The name.
    pub name: Arc<str>,
    /// What it stands for.
    pub kind: Kind,
    /// The type of a binding.
    pub ty: Option<Arc<str>>,
}

/// How an evaluation has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// Its definitions can be used.
    Ok {
        /// What it defines.
        defines: Vec<Definition>,
        /// How long it ran, in milliseconds.
        run_ms: f64,
    },
    /// It does not compile, or its code has failed.
    Failed {
        /// Why, for people.
        why: String,
        /// How long it ran, in milliseconds.
        run_ms: f64,
    },
    /// It was not run, because it uses a name of a cell that has not succeeded.
    Blocked {
        /// Why, for people.
        why: String,
    },
    /// It was stopped, or whoever ran it has died.
    Stopped {
        /// Why, for people.
        why: String,
        /// How long it ran, in milliseconds.
        run_ms: f64,
    },
}

/// A name that an evaluation has given a meaning to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The name.
    pub name: Arc<str>,
    /// What stands for its meaning: the same number means that nobody who uses the name need run again.
    pub version: u64,
    /// How cells below come to use it.
    pub reach: Reach,
}

/// How cells come to use a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reach {
    /// By its name.
    Named,
    /// By its name, and without it: methods of a trait are found wherever the trait is.
    Ambient,
}

/// Inputs: values that people set and cells read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// A cell shows an input.
    Show {
        /// The cell.
        cell: CellId,
        /// The evaluation that shows it.
        evaluation: EvaluationId,
        /// What it asks for; that names it, too.
        form: Form,
    },
    /// Somebody sets it.
    Set {
        /// The input.
        input: InputId,
        /// Its new value.
        value: Value,
    },
    /// A running cell has read it.
    Read {
        /// The cell.
        cell: CellId,
        /// The evaluation.
        evaluation: EvaluationId,
        /// The input.
        input: InputId,
    },
}

/// Those who look at the notebook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Client {
    /// Somebody comes.
    Join {
        /// The client.
        client: ClientId,
        /// Who that is.
        visitor: Visitor,
    },
    /// Somebody changes their name.
    Rename {
        /// The client.
        client: ClientId,
        /// What to call them.
        name: String,
    },
    /// Somebody goes.
    Leave(ClientId),
}

/// Somebody who looks at the notebook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// What to call them.
    pub name: String,
    /// Their program.
    pub process: u32,
}

/// The runtime that cells run in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Runtime {
    /// Start it.
    Connect,
    /// What it stands on is being built.
    Building {
        /// Which one.
        runtime: RuntimeId,
        /// How far that has come.
        progress: Progress,
    },
    /// It is ready.
    Connected(RuntimeId),
    /// It did not start.
    Failed {
        /// Which one.
        runtime: RuntimeId,
        /// Why, for people.
        why: String,
    },
    /// End it, whatever its cells do.
    Disconnect,
    /// End it and start another.
    Restart,
    /// End it, or leave it, and have cells run on the node of this name; without one, in a runtime of their own.
    Move(Option<String>),
    /// It has died.
    Down {
        /// Which one.
        runtime: RuntimeId,
        /// Of what, for people.
        why: String,
    },
    /// How the next one is started.
    SetOptions(RuntimeSettings),
    /// What it uses at this moment.
    Usage(Usage),
    /// Text that libraries wrote past every cell.
    Printed(String),
}

/// What a runtime uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Its memory, in bytes.
    pub memory: u64,
    /// Its processes.
    pub processes: usize,
}

/// The file that the notebook is saved in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum File {
    /// It is saved there from now on.
    Attach(PathBuf),
    /// It is saved nowhere from now on.
    Detach,
    /// What the document said at this revision is on the disk.
    Saved {
        /// See [`super::data::Data::document_revision`].
        revision: u64,
    },
    /// It could not be saved.
    NotSaved {
        /// Why, for people.
        why: String,
    },
    /// Another program has changed the file in a way that does not go together with what was changed here.
    Conflict {
        /// The cells that both have changed.
        cells: Vec<CellId>,
    },
    /// Somebody has looked at the conflict.
    Resolved,
    /// What the document says is in no file of its own: it was left by another program, saved aside.
    Recovered,
}

/// What the notebook asks for when something has happened to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Start a runtime.
    Connect,
    /// End the runtime.
    Disconnect,
    /// Compile and evaluate a cell.
    Evaluate {
        /// The cell.
        cell: CellId,
        /// Names this evaluation.
        evaluation: EvaluationId,
        /// The flow that it belongs to.
        container: ContainerId,
        /// The evaluations whose values it may import, from the top.
        stands_on: Vec<EvaluationId>,
    },
    /// Stop an evaluation.
    Stop {
        /// The cell.
        cell: CellId,
        /// The evaluation.
        evaluation: EvaluationId,
    },
    /// Stop running the examples of a cell; its evaluation stands.
    StopExamples {
        /// The cell.
        cell: CellId,
        /// The evaluation.
        evaluation: EvaluationId,
    },
    /// Drop the values of an evaluation, and end what it has started.
    Forget(EvaluationId),
    /// The cell is gone.
    Abandon(CellId),
}

impl From<Structure> for Operation {
    fn from(operation: Structure) -> Self {
        Operation::Structure(operation)
    }
}

impl From<Evaluation> for Operation {
    fn from(operation: Evaluation) -> Self {
        Operation::Evaluation(operation)
    }
}

impl From<Input> for Operation {
    fn from(operation: Input) -> Self {
        Operation::Input(operation)
    }
}

impl From<Client> for Operation {
    fn from(operation: Client) -> Self {
        Operation::Client(operation)
    }
}

impl From<Runtime> for Operation {
    fn from(operation: Runtime) -> Self {
        Operation::Runtime(operation)
    }
}

impl From<File> for Operation {
    fn from(operation: File) -> Self {
        Operation::File(operation)
    }
}
