//! Everything that can happen to a live notebook, and everything that it asks for in return: closed lists of plain
//! data. What they do is for [`super::data`]; who sends them and who obeys is for the processes of the session.

mod evaluation;
mod structure;

use std::fmt;
use std::path::PathBuf;

use greenroom_stage::input::{Form, Value};
use greenroom_stage::protocol::{ContainerId, EvaluationId};
use serde::{Deserialize, Serialize};

pub use crate::analysis::Kind;
use crate::prelude::Progress;
pub use crate::runtime::{Backtrace, RuntimeSettings};
pub use evaluation::{Compiled, Definition, Evaluation, Named, Outcome, Reach};
pub use structure::{CellsOfDeleted, NotebookAttributes, SectionHead, Structure};

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
