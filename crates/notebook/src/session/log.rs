//! The log of a session: everything that was applied, in order, from some state on. It outlives the session's
//! process, so that the next one comes to the same data.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::data::Data;
use super::operation::{Evaluation, Operation, Runtime};

/// The log of a session.
pub(super) struct Log {
    /// Locked by the session's process, for moments.
    state: Mutex<State>,
}

struct State {
    /// Who may write: the last process that has opened it. One that was killed can run on for a moment.
    epoch: u64,
    /// What the operations start from.
    base: Data,
    operations: Vec<Arc<Operation>>,
    /// About how many bytes they hold.
    size: usize,
    /// The last thing that each speaker has said: what is said again was heard.
    heard: HashMap<u64, u64>,
}

/// The log is cut when it holds so many operations, or so many bytes.
const OPERATIONS: usize = 10_000;
/// See [`OPERATIONS`].
const BYTES: usize = 4 << 20;

impl Log {
    pub(super) fn new(base: Data) -> Self {
        let state = State { epoch: 0, base, operations: Vec::new(), size: 0, heard: HashMap::new() };
        Log { state: Mutex::new(state) }
    }

    /// Begins a new epoch: returns its number and the data as of now.
    pub(super) fn open(&self) -> (u64, Data) {
        let mut state = self.lock();
        state.epoch += 1;
        let mut data = state.base.clone();
        for operation in &state.operations {
            // It was applied before, to the same data.
            let replayed = data.apply(operation);
            debug_assert!(replayed.is_ok(), "{operation:?}");
        }
        (state.epoch, data)
    }

    /// Whether a speaker has said this before.
    pub(super) fn has_heard(&self, speaker: u64, number: u64) -> bool {
        self.lock().heard.get(&speaker).is_some_and(|last| *last >= number)
    }

    /// Adds what was just applied, which has led to `data`. False if another process keeps the log now.
    pub(super) fn append(
        &self,
        epoch: u64,
        (speaker, number): (u64, u64),
        operation: &Arc<Operation>,
        data: &Data,
    ) -> bool {
        let mut state = self.lock();
        if state.epoch != epoch {
            return false;
        }
        state.heard.insert(speaker, number);
        state.size += size(operation);
        state.operations.push(operation.clone());
        if state.operations.len() >= OPERATIONS || state.size >= BYTES {
            state.base = data.clone();
            state.operations.clear();
            state.size = 0;
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an operation holds beside a little: only outputs are large.
fn size(operation: &Operation) -> usize {
    match operation {
        Operation::Evaluation(Evaluation::Output { output, .. }) => output.size(),
        Operation::Runtime(Runtime::Printed(text)) => text.len(),
        Operation::Structure(_)
        | Operation::Undo
        | Operation::Redo
        | Operation::Evaluation(_)
        | Operation::Input(_)
        | Operation::Client(_)
        | Operation::Runtime(_)
        | Operation::File(_) => 0,
    }
}
