//! What a registry knows: who is entered under which key, and with which value.
//!
//! Keys are spread over shards by their hash, and so are processes. A process is entered while it is known to be
//! alive, under its lock, and struck off before anyone is told of its end; in between, whoever looks sees to it that
//! the dead are passed over. Locks are taken in one order: the process's keys, the shard of a key, the process.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, Weak};

use rustc_hash::FxHashMap;

use crate::cold::Ledger;
use crate::core::Inner;
use crate::current::{Current, running};
use crate::lock::{Mutex, RwLock};
use crate::mailbox::drop_quietly;
use crate::pid::{LocalPid, NodeId, Pid};

/// What a key can be: anything that can be compared and shared.
pub trait Key: Hash + Eq + Clone + Send + Sync + 'static {}
impl<K: Hash + Eq + Clone + Send + Sync + 'static> Key for K {}

/// What can be kept beside a key.
pub trait Value: Clone + Send + Sync + 'static {}
impl<V: Clone + Send + Sync + 'static> Value for V {}

pub(super) struct Table<K, V> {
    node: Weak<Inner>,
    pub(super) id: NodeId,
    shards: Box<[RwLock<Shard<K, V>>]>,
    /// The keys of each process, by its number.
    held: Box<[Mutex<Held<K>>]>,
    hasher: RandomState,
    myself: Weak<Table<K, V>>,
}

type Shard<K, V> = HashMap<K, Vec<Entry<V>>, RandomState>;

type Held<K> = FxHashMap<LocalPid, Vec<K>>;

struct Entry<V> {
    id: LocalPid,
    value: V,
}

/// How many processes may be entered under one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    One,
    Many,
}

/// Why a process was not entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The key is this process's.
    Taken(Pid),
    /// There is no such process on the registry's node.
    NoProcess(Pid),
}

impl<K: Key, V: Value> Table<K, V> {
    /// A table of the running process's node, with some shards for each worker.
    #[track_caller]
    pub(super) fn new() -> Arc<Self> {
        let (node, id, workers) = running("a registry", |current, _, _| {
            let inner = current.inner;
            (inner.downgrade(), inner.id, inner.scheduler.workers())
        });
        let shards = (4 * workers).next_power_of_two();
        Arc::new_cyclic(|myself| Table {
            node,
            id,
            shards: (0..shards).map(|_| RwLock::default()).collect(),
            held: (0..shards).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            myself: myself.clone(),
        })
    }

    fn shard(&self, key: &K) -> &RwLock<Shard<K, V>> {
        // The map within a shard goes by a hash of its own, so that this one need not be shared out between them.
        &self.shards[self.hasher.hash_one(key) as usize & (self.shards.len() - 1)]
    }

    fn held(&self, id: LocalPid) -> &Mutex<Held<K>> {
        &self.held[id.index() as usize & (self.held.len() - 1)]
    }

    /// Gives `work` the node, if it is still there.
    fn on_node<R: Default>(&self, work: impl FnOnce(&Inner) -> R) -> R {
        Current::with(|current| match current.filter(|current| current.inner.id == self.id) {
            Some(current) => work(current.inner),
            None => self.node.upgrade().map(|inner| work(&inner)).unwrap_or_default(),
        })
    }

    /// Enters a process, or hands back what it was to be entered with.
    pub(super) fn enter(&self, pid: Pid, key: K, value: V, limit: Limit) -> Result<(), (K, V, Why)> {
        let mut arguments = Some((key, value));
        let refused = self.on_node(|inner| Some(self.enter_on(inner, pid, &mut arguments, limit).err()));
        match (refused.unwrap_or(Some(Why::NoProcess(pid))), arguments) {
            (Some(why), Some((key, value))) => Err((key, value, why)),
            (_, None) | (None, _) => Ok(()),
        }
    }

    fn enter_on(&self, inner: &Inner, pid: Pid, new: &mut Option<(K, V)>, limit: Limit) -> Result<(), Why> {
        if pid.node != self.id {
            return Err(Why::NoProcess(pid));
        }
        let Some((key, _)) = new else { return Ok(()) };
        let mut held = self.held(pid.id).lock();
        let mut shard = self.shard(key).write();
        let holder = || shard.get(key)?.iter().map(|entry| entry.id).find(|id| inner.is_alive(*id));
        if limit == Limit::One
            && let Some(holder) = holder()
        {
            return Err(Why::Taken(inner.pid(holder)));
        }
        let mut locked = inner.slot(pid.id).and_then(|slot| slot.lock(pid.id)).ok_or(Why::NoProcess(pid))?;
        let Some((key, value)) = new.take() else { return Ok(()) };
        let keys = held.entry(pid.id).or_insert_with(|| {
            let entered = &mut locked.cold().entered;
            entered.retain(|ledger| ledger.strong_count() > 0 && !std::ptr::addr_eq(ledger.as_ptr(), self));
            entered.push(self.myself.clone());
            Vec::new()
        });
        keys.push(key.clone());
        shard.entry(key).or_default().push(Entry { id: pid.id, value });
        Ok(())
    }

    /// Strikes a process off under a key; how many entries that were.
    pub(super) fn leave(&self, id: LocalPid, key: &K) -> usize {
        let mut held = self.held(id).lock();
        if let Some(keys) = held.get_mut(&id) {
            keys.retain(|known| known != key);
            if keys.is_empty() {
                held.remove(&id);
            }
        }
        let gone = self.remove(id, key);
        drop(held);
        let count = gone.len();
        drop(gone);
        count
    }

    /// Removes the entries of a process under a key, to be dropped without a lock.
    fn remove(&self, id: LocalPid, key: &K) -> Vec<Entry<V>> {
        let mut shard = self.shard(key).write();
        let Some(entries) = shard.get_mut(key) else { return Vec::new() };
        let gone = entries.extract_if(.., |entry| entry.id == id).collect();
        if entries.is_empty() {
            shard.remove(key);
        }
        gone
    }

    /// The keys of a process, in the order in which it was entered under them.
    pub(super) fn keys(&self, pid: Pid) -> Vec<K> {
        let is_alive = pid.node == self.id && self.on_node(|inner| inner.is_alive(pid.id));
        let keys = || self.held(pid.id).lock().get(&pid.id).cloned();
        is_alive.then(keys).flatten().unwrap_or_default()
    }

    /// Who is entered under a key and is alive, the oldest entry first.
    pub(super) fn lookup(&self, key: &K) -> Vec<(Pid, V)> {
        self.on_node(|inner| {
            let shard = self.shard(key).read();
            let living = shard.get(key).into_iter().flatten().filter(|entry| inner.is_alive(entry.id));
            living.map(|entry| (inner.pid(entry.id), entry.value.clone())).collect()
        })
    }

    /// The first of those.
    pub(super) fn first(&self, key: &K) -> Option<Pid> {
        self.on_node(|inner| {
            let shard = self.shard(key).read();
            let id = shard.get(key)?.iter().map(|entry| entry.id).find(|id| inner.is_alive(*id))?;
            Some(inner.pid(id))
        })
    }

    /// The value of a process under a key.
    pub(super) fn value(&self, id: LocalPid, key: &K) -> Option<V> {
        let shard = self.shard(key).read();
        shard.get(key)?.iter().find(|entry| entry.id == id).map(|entry| entry.value.clone())
    }

    /// Replaces it; false if there is none.
    pub(super) fn replace(&self, id: LocalPid, key: &K, value: V) -> bool {
        let mut shard = self.shard(key).write();
        let entry = shard.get_mut(key).and_then(|entries| entries.iter_mut().find(|entry| entry.id == id));
        let Some(entry) = entry else { return false };
        let before = std::mem::replace(&mut entry.value, value);
        drop(shard);
        drop(before);
        true
    }

    /// How many entries of the living there are.
    pub(super) fn count(&self) -> usize {
        self.on_node(|inner| {
            let of_shard = |shard: &RwLock<Shard<K, V>>| {
                let shard = shard.read();
                shard.values().flatten().filter(|entry| inner.is_alive(entry.id)).count()
            };
            self.shards.iter().map(of_shard).sum()
        })
    }

    /// All entries of the living, in no particular order.
    pub(super) fn all(&self) -> Vec<(K, Pid, V)> {
        self.on_node(|inner| {
            let mut all = Vec::new();
            for shard in &self.shards {
                for (key, entries) in &*shard.read() {
                    let living = entries.iter().filter(|entry| inner.is_alive(entry.id));
                    all.extend(living.map(|entry| (key.clone(), inner.pid(entry.id), entry.value.clone())));
                }
            }
            all
        })
    }
}

impl<K: Key, V: Value> Ledger for Table<K, V> {
    fn strike_off(&self, id: LocalPid) {
        let keys = self.held(id).lock().remove(&id);
        for key in keys.into_iter().flatten() {
            drop_quietly(self.remove(id, &key));
            drop_quietly(key);
        }
    }
}
