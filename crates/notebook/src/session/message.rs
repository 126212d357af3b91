//! What the processes of a session tell each other, and how they tell the session what has happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use greenroom::message::Down;
use greenroom::process::demonitor_flush;
use greenroom::{Local, Message, Pid, Ref, monitor, receive, self_pid, send, sleep, whereis};
use greenroom_stage::last_words::Kept;
use greenroom_stage::protocol::{ContainerId, Evaluate, EvaluationId};
use serde::{Deserialize, Serialize};

use super::data::{Data, Refusal};
use super::operation::{CellId, InputId, Operation, RuntimeId, RuntimeSettings, SectionId};
use crate::compiler::Scope;
use crate::plan::PlannedCell;

/// The name of the session's process.
pub(super) const SESSION: &str = "session";
/// The name of the supervisor of all cells.
pub(super) const CELLS: &str = "cells";
/// The name of the process that has cells compiled.
pub(super) const COMPILER: &str = "compiler";
/// The name of the process that asks rust-analyzer.
pub(super) const ANALYST: &str = "analyst";
/// The name of the process that owns the runtime.
pub(super) const RUNTIME: &str = "runtime";

/// To the session: this has happened, or shall.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Submit {
    pub from: Pid,
    /// Who says so, and how much it had said before.
    pub speaker: u64,
    pub number: u64,
    pub operation: Operation,
}

/// The session's answer to what this speaker has said under this number.
pub(super) type Answer = Local<(u64, u64, Result<(), Refusal>)>;

/// To the session: tell this process what happens. It is told the data first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Join(pub Pid);

/// To the session: tell this process the data as it is now, and no more.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Peek(pub Pid);

/// The session's data at the moment that somebody has asked for it.
pub(super) type Welcome = Local<Box<Data>>;

/// The session to its clients: this was applied.
pub(super) type Happened = Local<Arc<Operation>>;

/// To the session: which cells below this one define these names?
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WhoDefines {
    pub from: Pid,
    pub cell: CellId,
    pub names: Vec<String>,
}

/// To the session: what would this compile with, as a cell at the end of a section? Without anybody to tell, have it
/// compiled: it may soon be one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Imagine {
    pub for_whom: Option<(Pid, Ref)>,
    pub section: SectionId,
    pub source: String,
}

/// The session's answer, under the reference of the question.
pub(super) type Imagined = Local<(Ref, Option<Arc<Job>>)>;

/// To the session: what is this input to this evaluation, which has read it?
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WhatIs {
    pub from: Pid,
    pub cell: CellId,
    pub evaluation: EvaluationId,
    pub input: InputId,
}

/// The names with the cells, as messages call them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Definers(pub Vec<(String, String)>);

/// To a cell: compile and evaluate yourself.
pub(super) type Begin = Local<Arc<Job>>;

/// To a cell: say that the examples of this evaluation are through, unless they are being run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AreExamined(pub EvaluationId);

/// To a cell: stop this evaluation, or running the examples that belong to it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Halt(pub EvaluationId);

/// To the owner of the runtime.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Start this one, for what this cell asks for, instead of any other; or join it, if it is that of a node.
    Connect {
        runtime: RuntimeId,
        setup: Local<Option<Box<PlannedCell>>>,
        settings: RuntimeSettings,
        node: Option<String>,
    },
    /// End it.
    Disconnect,
    /// Run this in this runtime, or in any. Whoever is to get the answer hears if that is gone.
    Run { runtime: Option<RuntimeId>, request: Evaluate },
    /// Nobody waits for this evaluation any more; its values stay.
    Over(EvaluationId),
    /// Drop the values of this evaluation.
    Forget(EvaluationId),
    /// Drop the values of all evaluations but these; say so if the runtime is gone.
    Keep { runtime: RuntimeId, evaluations: Vec<EvaluationId> },
}

/// The owner of the runtime to whoever has asked for an evaluation: it will not come to its end.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Lost {
    pub id: EvaluationId,
    pub end: Ended,
}

/// The owner of the runtime to whoever has asked for an evaluation: this is what it has shown before the runtime died.
/// Some of that was heard before.
pub(super) type LastWords = Local<Vec<Kept>>;

/// Evaluations with this number and above are those of examples, which the session's data knows nothing of.
const EXAMPLES: u64 = 1 << 48;

/// Whether this is the evaluation of an example.
pub(super) fn is_example(id: EvaluationId) -> bool {
    id.0 >= EXAMPLES
}

/// A name for the evaluation of an example.
pub(super) fn example() -> EvaluationId {
    static LAST: AtomicU64 = AtomicU64::new(0);
    EvaluationId(EXAMPLES + LAST.fetch_add(1, Ordering::Relaxed))
}

/// How a runtime has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Ended {
    /// It was stopped.
    Stopped,
    /// It has died of this.
    Died(String),
}

/// What a cell needs to know to be evaluated.
#[derive(Debug)]
pub(super) struct Job {
    pub id: CellId,
    pub evaluation: EvaluationId,
    /// The runtime that it belongs into.
    pub runtime: RuntimeId,
    pub container: ContainerId,
    pub stands_on: Vec<EvaluationId>,
    /// The cell in the words of messages.
    pub cell: PlannedCell,
    /// What messages call the text that is compiled.
    pub name: String,
    /// The text that is compiled.
    pub source: String,
    /// What it can use.
    pub scope: Scope,
    /// The evaluations that hold the values of the cells in `scope`, where they have some.
    pub values: Vec<Option<EvaluationId>>,
}

/// Tells the session what happens, each thing once, also if the session is killed meanwhile.
#[derive(Debug)]
pub(super) struct Speaker {
    id: u64,
    number: u64,
}

/// How long to wait for a process that is just being started again.
const MOMENT: Duration = Duration::from_millis(1);

impl Speaker {
    pub(super) fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Speaker { id: LAST.fetch_add(1, Ordering::Relaxed) + 1, number: 0 }
    }

    /// Tells the session. Returns when it has applied the operation, or refused it.
    pub(super) async fn say(&mut self, operation: impl Into<Operation>) -> Result<(), Refusal> {
        let operation = operation.into();
        self.number += 1;
        let (from, speaker, number) = (self_pid(), self.id, self.number);
        let submit = || Submit { from, speaker, number, operation: operation.clone() };
        let is_it = |Local((to, about, _)): &Answer| *to == speaker && *about == number;
        let Local((_, _, answer)) = ask(SESSION, submit, is_it).await;
        answer
    }
}

/// Asks the process of a name, and the next one of that name if it is killed before it answers.
pub(super) async fn ask<Q: Message, A: Message>(
    name: &str,
    question: impl Fn() -> Q + Send + Sync,
    is_answer: impl Fn(&A) -> bool + Send + Sync,
) -> A {
    let (answer, watch) = ask_and_watch(name, question, is_answer).await;
    demonitor_flush(watch).await;
    answer
}

/// The same. Returns the monitor on the process that has answered, too, which is the caller's to end.
pub(super) async fn ask_and_watch<Q: Message, A: Message>(
    name: &str,
    question: impl Fn() -> Q + Send + Sync,
    is_answer: impl Fn(&A) -> bool + Send + Sync,
) -> (A, Ref) {
    loop {
        let Some(process) = whereis(name) else {
            sleep(MOMENT).await;
            continue;
        };
        let watch = monitor(process);
        send(process, question());
        let answer = receive! {
            answer: A if is_answer(&answer) => Some(answer),
            down: Down if down.reference == watch => None,
        };
        match answer {
            Some(answer) => return (answer, watch),
            None => drop(demonitor_flush(watch).await),
        }
    }
}
