//! What a notebook and its runtime tell each other: messages between processes of two nodes.

use std::path::{Path, PathBuf};

use greenroom::Pid;
use greenroom::reason::{ExitReason, Location, Panic};
use serde::{Deserialize, Serialize};

use crate::cell::Output;
use crate::input::Value;

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
    /// The cell's library.
    pub library: PathBuf,
    /// The symbol of its entry.
    pub symbol: String,
    /// The evaluations whose bindings it sees; of two of the same name, the later one's.
    pub stands_on: Vec<EvaluationId>,
    /// The values that it sees beside, each by the name that it has for it.
    pub values: Vec<(String, EvaluationId)>,
}

/// The notebook to the runtime server: what becomes of evaluations. There is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Drop the values of an evaluation and end whatever it has started, itself included.
    Forget(EvaluationId),
    /// Forget all evaluations but these.
    Keep(Vec<EvaluationId>),
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

/// How a runtime finds its owner: the one line that it reads from its standard input, which the owner
/// then keeps open for as long as the runtime is to live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Where the owner's node listens.
    pub address: std::net::SocketAddr,
    /// The cookie, as `Cookie::reveal` gives it.
    pub cookie: String,
    /// The name of the process that waits for [`Ready`].
    pub waiter: String,
    /// The name that the runtime's node shall have.
    pub name: String,
    /// How wide pictures in text may be.
    pub columns: usize,
    /// How many events each of its workers may record at once; none if 0. They come to the owner's node as
    /// [`Traced`].
    pub events: usize,
    /// The file for what the owner may not have heard when the runtime dies: see [`crate::last_words`].
    pub last_words: Option<PathBuf>,
}

impl Owner {
    /// The line, with its end.
    pub fn to_line(&self) -> String {
        let Owner { address, cookie, waiter, name, columns, events, last_words } = self;
        let last_words = last_words.as_deref().unwrap_or(Path::new("")).display();
        format!("{address} {cookie} {waiter} {name} {columns} {events} {last_words}\n")
    }

    /// Reads the line; `None` if it is not one.
    pub fn from_line(line: &str) -> Option<Owner> {
        // A path may have spaces.
        let mut words = line.strip_suffix('\n').unwrap_or(line).splitn(7, ' ');
        Some(Owner {
            address: words.next()?.parse().ok()?,
            cookie: words.next()?.to_owned(),
            waiter: words.next()?.to_owned(),
            name: words.next()?.to_owned(),
            columns: words.next()?.parse().ok()?,
            events: words.next()?.parse().ok()?,
            last_words: Some(words.next()?).filter(|path| !path.is_empty()).map(PathBuf::from),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_as_it_was_written() {
        let owner = Owner {
            address: ([127, 0, 0, 1], 4711).into(),
            cookie: "00ff".to_owned(),
            waiter: "waiter-1".to_owned(),
            name: "runtime-1".to_owned(),
            columns: 80,
            events: 0,
            last_words: None,
        };
        assert_eq!(Owner::from_line(&owner.to_line()), Some(owner.clone()));
        let owner = Owner { last_words: Some("/tmp/a folder/file".into()), ..owner };
        assert_eq!(Owner::from_line(&owner.to_line()), Some(owner));
        assert_eq!(Owner::from_line("127.0.0.1:1 x"), None);
    }
}
