//! What a REPL knows of the notebook at this moment, and what it waits for: written by whoever follows the notebook, read
//! by the loop that a person types in.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::prelude::Progress;
use crate::session::End;
use crate::session::data::RuntimeStatus;
use crate::session::operation::{CellId, Operation, SectionId};

/// What a REPL knows of the notebook, and what it waits for. Its clones are one.
#[derive(Clone, Default)]
pub(super) struct Seen {
    shared: Arc<(Mutex<State>, Condvar)>,
}

/// What is known.
#[derive(Default)]
pub(super) struct State {
    /// Whether the notebook is there at all.
    pub(super) is_there: bool,
    /// A name for the next cell.
    pub(super) next_id: Option<CellId>,
    /// How many code cells there are.
    pub(super) count: usize,
    /// The cells by their numbers, from 1.
    pub(super) cells: Vec<CellId>,
    /// The last section of the main flow that is there.
    pub(super) last_section: Option<SectionId>,
    /// How many cells each section has.
    pub(super) lengths: HashMap<SectionId, usize>,
    pub(super) is_dirty: bool,
    /// The node that cells run on, if not in a runtime of their own.
    pub(super) node: Option<String>,
    /// Whether what cells run in is there.
    pub(super) runtime: RuntimeStatus,
    /// The cells that somebody waits for, and whether each was seen to wait or run.
    pub(super) awaited: HashMap<CellId, bool>,
    /// The last one of those that did not compile.
    pub(super) refused: Option<CellId>,
    /// Whether one of those has failed.
    pub(super) has_failed: bool,
    /// What runs now: its number, since when, and what it does.
    pub(super) doing: Option<Doing>,
    pub(super) interrupts: usize,
    /// How many frames may still change.
    pub(super) live_frames: usize,
    /// What is just being done from here, and has not been seen to happen.
    pub(super) own: Option<Operation>,
    /// Those at other terminals.
    pub(super) others: Vec<String>,
    /// Where the notebook is saved.
    pub(super) file: Option<PathBuf>,
    /// Why nothing more happens in a notebook that was joined.
    pub(super) ended: Option<End>,
    /// Whether somebody types.
    is_reading: bool,
    /// Counts what has happened.
    changes: u64,
}

/// What a cell does.
#[derive(Clone, Debug)]
pub(super) struct Doing {
    pub(super) cell: usize,
    pub(super) since: Instant,
    pub(super) what: Work,
}

/// See [`Doing`].
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Work {
    /// And, if what it stands on is being built, for how long still.
    WaitingForRuntime(Option<Progress>),
    Compiling,
    Running,
    NotYielding(f64),
}

impl Seen {
    /// Held for moments.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody is about to ask for these.
    pub(super) fn await_cells(&self, cells: impl IntoIterator<Item = CellId>) {
        let mut state = self.lock();
        state.awaited.extend(cells.into_iter().map(|cell| (cell, false)));
        state.has_failed = false;
    }

    /// Nobody waits any more.
    pub(super) fn give_up(&self) {
        self.lock().awaited.clear();
    }

    /// A person has pressed Ctrl-C.
    pub(super) fn interrupt(&self) {
        let mut state = self.lock();
        state.interrupts += 1;
        self.changed(state);
    }

    /// Another notebook takes the place of this one.
    pub(super) fn renew(&self) {
        *self.lock() = State::default();
    }

    /// Nothing more happens.
    pub(super) fn end(&self, end: End) {
        let mut state = self.lock();
        state.has_failed |= !state.awaited.is_empty();
        state.awaited.clear();
        state.ended = Some(end);
        self.changed(state);
    }

    /// Somebody begins to type.
    ///
    /// # Errors
    /// If there is nothing to type in any more.
    pub(super) fn begin_reading(&self) -> Result<(), End> {
        let mut state = self.lock();
        if let Some(end) = state.ended.clone() {
            return Err(end);
        }
        state.is_reading = true;
        Ok(())
    }

    /// They have.
    pub(super) fn end_reading(&self) {
        self.lock().is_reading = false;
    }

    /// Waits until the notebook ends while somebody types.
    pub(super) fn ended_while_reading(&self) -> End {
        let mut state = self.lock();
        loop {
            match &state.ended {
                Some(end) if state.is_reading => return end.clone(),
                _ => state = self.shared.1.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    pub(super) fn changed(&self, mut state: MutexGuard<'_, State>) {
        state.changes += 1;
        drop(state);
        self.shared.1.notify_all();
    }

    /// Waits until more has happened than was heard of, for a moment at most. What happens between two calls is not
    /// waited for again.
    pub(super) fn wait_for_more(&self, moment: Duration, heard: &mut u64) -> MutexGuard<'_, State> {
        let state = self.wait_until(moment, |state| state.changes != *heard);
        *heard = state.changes;
        state
    }

    /// Waits until it is so, for a moment at most.
    pub(super) fn wait_until(&self, moment: Duration, is_so: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.shared.1.wait_timeout_while(self.lock(), moment, |state| !is_so(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl State {
    pub(super) fn is_awaiting(&self) -> bool {
        !self.awaited.is_empty()
    }

    pub(super) fn has_failed(&self) -> bool {
        self.has_failed
    }

    pub(super) fn is_awaited(&self, cell: CellId) -> bool {
        self.awaited.contains_key(&cell)
    }
}
