//! What a notebook and its runtime tell each other: messages between processes of two nodes.

use std::fmt;
use std::path::PathBuf;

use greenroom::reason::{ExitReason, Location, Panic};
use greenroom::{NodeId, Pid, Ref};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

use crate::cell::Output;
use crate::input::Value;
use crate::launch::Fit;

/// Names one evaluation of a cell. The notebook chooses it; a cell that is evaluated again gets a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EvaluationId(pub u64);

/// Names a flow of cells that run one after the other: the main flow, or a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContainerId(pub u64);

/// The name of the process of a runtime that takes requests.
pub const SERVER: &str = "runtime_server";

/// The runtime to its owner: it is ready, and this process takes requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The runtime server.
    pub server: Pid,
}

/// The notebook to the runtime server: run this cell. Answered by [`Shown`]s and one [`Finished`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluate {
    /// Names the evaluation in the answers.
    pub id: EvaluationId,
    /// Who gets the answers.
    pub reply_to: Pid,
    /// Which flow it belongs to.
    pub container: ContainerId,
    /// The cell's library, where the notebook has it.
    pub library: PathBuf,
    /// The SHA-256 of the library, in hexadecimal digits: by it, a node that cannot read the file asks for its bytes.
    pub sha256: String,
    /// The symbol of its entry.
    pub symbol: String,
    /// The evaluations whose bindings it sees; of two of the same name, the later one's.
    pub stands_on: Vec<EvaluationId>,
    /// The values that it sees beside, each by the name that it has for it.
    pub values: Vec<(String, EvaluationId)>,
}

/// The notebook to the runtime server: what becomes of the evaluations of an owner. There is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The owner's node.
    pub owner: NodeId,
    /// What becomes of them.
    pub fate: Fate,
}

/// What becomes of evaluations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// Drop the values of this one and end whatever it has started, itself included.
    Forget(EvaluationId),
    /// Forget all but these.
    Keep(Vec<EvaluationId>),
    /// Forget all, and the owner: it goes.
    Leave,
}

/// The process that owns a runtime, by its name: if it is killed, the next one of that name owns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// Its name.
    pub name: String,
    /// The owner's node, by which the owner's evaluations are known.
    pub node: NodeId,
}

/// A notebook to the runtime server of a node: what must cells be compiled with to run there?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Who gets the answer.
    pub from: Pid,
    /// What the answer will bear.
    pub tag: Ref,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// That of the question.
    pub tag: Ref,
    /// What cells must be compiled with; absent if the runtime belongs to one notebook alone.
    pub fit: Option<Fit>,
}

/// A notebook to the runtime server of a node: this owner wants cells to run there. Answered by [`Ready`], as often as
/// there is another server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join(pub Waiter);

/// A node to the owner of an evaluation: it does not have the library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lacks {
    /// The evaluation.
    pub id: EvaluationId,
    /// Who waits for the library.
    pub from: Pid,
}

/// The owner's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// The evaluation.
    pub id: EvaluationId,
    /// The library as it is now, or why it cannot be sent, for people.
    pub code: Result<Code, String>,
}

/// A library on its way.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Its SHA-256, in hexadecimal digits. It is not that of the request if the same cell was compiled once more since.
    pub sha256: String,
    /// Its bytes.
    pub bytes: ByteBuf,
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Traces have the text of every message.
        write!(f, "Code({} bytes)", self.bytes.len())
    }
}

impl Code {
    /// These bytes.
    pub fn new(bytes: Vec<u8>) -> Code {
        Code { sha256: sha256(&bytes), bytes: bytes.into() }
    }

    /// Whether the bytes are those that were sent.
    pub fn is_whole(&self) -> bool {
        sha256(&self.bytes) == self.sha256
    }
}

/// The SHA-256 of something, in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The largest library that goes to a node, in bytes.
pub const LARGEST_LIBRARY: u64 = 64 << 20;

/// What is wrong with a library of this size, if anything is.
///
/// # Errors
/// If it is too large to be sent.
pub fn check_size(size: u64) -> Result<(), String> {
    let megabytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    if size <= LARGEST_LIBRARY {
        return Ok(());
    }
    Err(format!(
        "the cell's library has {:.1} MB, and at most {:.0} MB are sent to another node: what the cell includes \
         (`include_bytes!`, large constants) should be read from a file there",
        megabytes(size),
        megabytes(LARGEST_LIBRARY)
    ))
}

/// An evaluation has reached the runtime. Whoever watches this process learns if it is killed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Began {
    /// The evaluation.
    pub id: EvaluationId,
    /// The process that its output goes to.
    pub leader: Pid,
}

/// What the runtime uses: told to its owner every second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Its memory, in bytes; zero where the system does not tell.
    pub memory: u64,
    /// How many processes it has.
    pub processes: u64,
}

/// A running cell keeps its thread and lets no other run: told to its owner a few times a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotYielding {
    /// The evaluation.
    pub id: EvaluationId,
    /// For how long, in milliseconds.
    pub for_ms: u64,
}

/// A running cell, or a process that it started, has shown something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The evaluation.
    pub id: EvaluationId,
    /// How many outputs of the evaluation were shown with this one; 0 if it is not counted. Texts may come as one.
    pub number: u64,
    /// What was shown.
    pub output: Output,
}

/// A running cell reads an input. Answered by [`InputRead`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadInput {
    /// The evaluation.
    pub id: EvaluationId,
    /// Who waits for the answer.
    pub from: Pid,
    /// The input: see [`Form::id`](crate::input::Form::id).
    pub input: u64,
}

/// What an input was set to when the evaluation that reads it began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputRead {
    /// The input.
    pub input: u64,
    /// Its value; none if no cell shows it.
    pub value: Option<Value>,
}

/// A process that a cell started has panicked. The cell itself may go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crashed {
    /// The evaluation.
    pub id: EvaluationId,
    /// The process.
    pub pid: Pid,
    /// What it said.
    pub panic: Panic,
}

/// The name of the process on the owner's node that gets [`Traced`].
pub const TRACE_KEEPER: &str = "trace_keeper";

/// What has happened in the runtime since the last time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traced(pub greenroom::trace::Trace);

/// A cell has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// The evaluation.
    pub id: EvaluationId,
    /// How long it ran, in milliseconds.
    pub run_ms: f64,
    /// How it ended.
    pub outcome: Outcome,
    /// The bindings that it has exported.
    pub exports: Vec<Exported>,
    /// Its process, if that lives on.
    pub process: Option<Pid>,
}

/// A binding that an evaluation has exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// Its name.
    pub name: String,
    /// The same number stands for an equal value of the same type; absent where nobody can tell.
    pub version: Option<u64>,
}

/// How a cell has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Its bindings can be used by others.
    Ok,
    /// An error left it through `?`.
    Error {
        /// The error, with its causes.
        message: String,
        /// Where, in the generated file.
        location: Location,
    },
    /// Its process has ended before its code was through.
    Exit(ExitReason),
    /// Its library could not be loaded.
    Load(String),
}

/// The exit code of a runtime that used more memory than it may.
pub const OUT_OF_MEMORY: i32 = 86;

/// The line that separates what one evaluation has written to the runtime's own standard output and
/// error from what comes after it.
pub fn output_mark(id: EvaluationId) -> String {
    format!("\u{1e}greenroom {}\u{1e}\n", id.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_too_large_is_told_with_the_limit() {
        assert_eq!(check_size(LARGEST_LIBRARY), Ok(()));
        let error = check_size(LARGEST_LIBRARY + (1 << 20)).unwrap_err();
        assert!(error.starts_with("the cell's library has 65.0 MB, and at most 64 MB are sent"), "{error}");
    }
}
