//! What a runtime knows of its owners and their evaluations: the values, and the processes that belong to them. It
//! outlives every process of the runtime, so that whichever of them is killed, nothing that was computed is lost.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Instant;

use greenroom::{Node, NodeId, Pid};

use crate::arrivals::Folders;
use crate::cell::{Bindings, LAST};
use crate::launch::Fit;
use crate::protocol::{EvaluationId, Waiter};

/// An evaluation of an owner: each notebook counts its own.
pub(crate) type Key = (NodeId, EvaluationId);

/// Whom a runtime serves.
#[derive(Clone, Debug)]
pub(crate) enum Serves {
    /// One owner, with which it ends.
    One,
    /// Whoever joins.
    All {
        /// What cells must be compiled with.
        fit: Fit,
        /// Where their libraries are.
        folders: Folders,
    },
}

/// The evaluations of a runtime. Clones are one.
#[derive(Clone)]
pub(crate) struct Store {
    /// Whom the runtime serves.
    pub serves: Arc<Serves>,
    known: Arc<Mutex<Known>>,
    /// Who looks what runs; it sleeps long while nothing does.
    watcher: Arc<OnceLock<Thread>>,
}

/// Locked for moments, by whoever has something to say or to ask.
#[derive(Default)]
struct Known {
    owners: Vec<Waiter>,
    entries: HashMap<Key, Entry>,
    /// The evaluations that were forgotten before they began: their requests are still on the way.
    stillborn: HashSet<Key>,
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
    pub fn new(serves: Serves) -> Self {
        Store { serves: Arc::new(serves), known: Arc::default(), watcher: Arc::default() }
    }

    /// From now on this thread is told when the code of a cell begins to run.
    pub fn watch(&self) {
        // There is one.
        let _ = self.watcher.set(std::thread::current());
    }

    /// The code of a cell begins to run, as this process.
    pub fn run(&self, key: Key, process: Pid, since: Instant) {
        self.update(key, |entry| (entry.process, entry.running_since) = (Some(process), Some(since)));
        if let Some(watcher) = self.watcher.get() {
            watcher.unpark();
        }
    }

    /// From now on this is an owner.
    pub fn join(&self, owner: Waiter) {
        let mut known = self.lock();
        known.owners.retain(|other| other.node != owner.node);
        known.owners.push(owner);
    }

    /// The owners.
    pub fn owners(&self) -> Vec<Waiter> {
        self.lock().owners.clone()
    }

    /// The owner of a node.
    pub fn owner(&self, node: NodeId) -> Option<Waiter> {
        self.lock().owners.iter().find(|owner| owner.node == node).cloned()
    }

    /// Forgets an owner and all that belongs to it.
    pub fn leave(&self, node: &Node, owner: NodeId) {
        self.lock().owners.retain(|other| other.node != owner);
        self.keep(node, owner, &[]);
        // What is still on its way comes from nobody that is known.
        self.lock().stillborn.retain(|(other, _)| *other != owner);
    }

    /// Enters an evaluation, unless it is known already, as whoever has heard no answer asks twice; or its owner is
    /// gone.
    pub fn begin(&self, key: Key, leader: Pid) -> bool {
        let known = &mut *self.lock();
        let is_owned = known.owners.iter().any(|owner| owner.node == key.0);
        let is_new = is_owned && !known.entries.contains_key(&key) && !known.stillborn.contains(&key);
        if is_new {
            known.entries.insert(key, Entry { leader: Some(leader), ..Entry::default() });
        }
        is_new
    }

    /// The leader of an evaluation that has begun.
    pub fn leader(&self, key: Key) -> Option<Pid> {
        self.lock().entries.get(&key)?.leader
    }

    /// Changes what is known of an evaluation, unless it was forgotten meanwhile.
    pub fn update(&self, key: Key, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.lock().entries.get_mut(&key) {
            change(entry);
        }
    }

    /// The bindings of these evaluations of an owner, of two of the same name the later one's; and beside them the
    /// values of these, each under its own name.
    pub fn bindings(&self, owner: NodeId, evaluations: &[EvaluationId], values: &[(String, EvaluationId)]) -> Bindings {
        let known = self.lock();
        let mut bindings = Bindings::default();
        for entry in evaluations.iter().filter_map(|id| known.entries.get(&(owner, *id))) {
            if let Some(more) = &entry.bindings {
                bindings.extend(more);
            }
        }
        for (name, id) in values {
            let entry = known.entries.get(&(owner, *id));
            if let Some(value) = entry.and_then(|entry| entry.bindings.as_ref()?.get(LAST)) {
                bindings.insert(name.clone(), value.clone());
            }
        }
        bindings
    }

    /// The evaluations whose code runs, with their processes.
    pub fn running(&self) -> Vec<(Key, Pid)> {
        let known = self.lock();
        let running = |(key, entry): (&Key, &Entry)| entry.running_since.and(Some((*key, entry.process?)));
        known.entries.iter().filter_map(running).collect()
    }

    /// Drops the values of an evaluation and ends its processes: its own, what that is linked to, and all that print
    /// below its cell.
    pub fn forget(&self, node: &Node, key: Key) {
        let entry = {
            let mut known = self.lock();
            let entry = known.entries.remove(&key);
            if entry.is_none() {
                known.stillborn.insert(key);
            }
            entry
        };
        let Some(entry) = entry else { return };
        end(node, &entry);
        // Destructors are the cell's own code: they run when nothing is locked.
        drop(entry);
    }

    /// Forgets all evaluations of an owner but these.
    pub fn keep(&self, node: &Node, owner: NodeId, kept: &[EvaluationId]) {
        let is_other = |key: &Key| key.0 == owner && !kept.contains(&key.1);
        let others: Vec<Key> = self.lock().entries.keys().copied().filter(is_other).collect();
        others.into_iter().for_each(|key| self.forget(node, key));
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
