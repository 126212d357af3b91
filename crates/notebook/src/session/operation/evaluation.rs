//! What is or shall be evaluated, and what comes of it.

use std::sync::Arc;

use greenroom::Pid;
use greenroom_stage::protocol::EvaluationId;
use serde::{Deserialize, Serialize};

use super::{CellId, Kind, SectionId};
use crate::event::Output;

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
        /// Its process, which lives on in the runtime.
        process: Option<Pid>,
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
