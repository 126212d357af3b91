//! What a runtime knows of its evaluations: their values, and the processes that belong to them. It outlives every
//! process of the runtime, so that whichever of them is killed, nothing that was computed is lost.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use greenroom::{Node, Pid};

use crate::cell::{Bindings, LAST};
use crate::protocol::EvaluationId;

/// The evaluations of a runtime. Clones are one.
#[derive(Clone, Default)]
pub(crate) struct Store {
    /// Locked for moments, by whoever has something to say or to ask.
    entries: Arc<Mutex<HashMap<EvaluationId, Entry>>>,
    /// The evaluations that were forgotten before they began: their requests are still on the way.
    stillborn: Arc<Mutex<HashSet<EvaluationId>>>,
}

/// An evaluation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    /// What it has exported; absent before it has come to its end, and if it failed.
    pub bindings: Option<Bindings>,
    /// The process that its output goes to.
    pub leader: Option<Pid>,
    /// The cell's own process.
    pub process: Option<Pid>,
    /// When its code began to run; absent when that is through.
    pub running_since: Option<Instant>,
}

impl Store {
    /// Enters an evaluation, unless it is known already: whoever has heard no answer asks twice.
    pub fn begin(&self, id: EvaluationId, leader: Pid) -> bool {
        let mut entries = self.lock();
        let is_new = !entries.contains_key(&id) && !lock(&self.stillborn).contains(&id);
        if is_new {
            entries.insert(id, Entry { leader: Some(leader), ..Entry::default() });
        }
        is_new
    }

    /// The leader of an evaluation that has begun.
    pub fn leader(&self, id: EvaluationId) -> Option<Pid> {
        self.lock().get(&id)?.leader
    }

    /// Changes what is known of an evaluation, unless it was forgotten meanwhile.
    pub fn update(&self, id: EvaluationId, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.lock().get_mut(&id) {
            change(entry);
        }
    }

    /// The bindings of these evaluations, of two of the same name the later one's; and beside them the values of these,
    /// each under its own name.
    pub fn bindings(&self, evaluations: &[EvaluationId], values: &[(String, EvaluationId)]) -> Bindings {
        let entries = self.lock();
        let mut bindings = Bindings::default();
        for entry in evaluations.iter().filter_map(|id| entries.get(id)) {
            if let Some(more) = &entry.bindings {
                bindings.extend(more);
            }
        }
        for (name, id) in values {
            if let Some(value) = entries.get(id).and_then(|entry| entry.bindings.as_ref()?.get(LAST)) {
                bindings.insert(name.clone(), value.clone());
            }
        }
        bindings
    }

    /// The evaluations whose code runs, with their processes, and since when.
    pub fn running(&self) -> Vec<(EvaluationId, Pid, Instant)> {
        let entries = self.lock();
        let running = entries.iter().filter_map(|(id, entry)| Some((*id, entry.process?, entry.running_since?)));
        running.collect()
    }

    /// Drops the values of an evaluation and ends its processes: its own, what that is linked to, and all that print
    /// below its cell.
    pub fn forget(&self, node: &Node, id: EvaluationId) {
        let entry = {
            let mut entries = self.lock();
            let entry = entries.remove(&id);
            if entry.is_none() {
                lock(&self.stillborn).insert(id);
            }
            entry
        };
        let Some(entry) = entry else { return };
        end(node, &entry);
        // Destructors are the cell's own code: they run when nothing is locked.
        drop(entry);
    }

    /// Forgets all evaluations but these.
    pub fn keep(&self, node: &Node, kept: &[EvaluationId]) {
        let others: Vec<EvaluationId> = self.lock().keys().copied().filter(|id| !kept.contains(id)).collect();
        others.into_iter().for_each(|id| self.forget(node, id));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<EvaluationId, Entry>> {
        lock(&self.entries)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn end(node: &Node, entry: &Entry) {
    let Some(leader) = entry.leader else { return };
    if let Some(process) = entry.process {
        node.exit(process, greenroom::ExitReason::Shutdown);
        // A cell that traps exits would only get a message.
        node.exit(process, greenroom::ExitReason::Kill);
    }
    for pid in node.list() {
        if node.info(pid).is_some_and(|info| info.group_leader == Some(leader)) {
            node.exit(pid, greenroom::ExitReason::Kill);
        }
    }
    node.exit(leader, greenroom::ExitReason::Kill);
}
