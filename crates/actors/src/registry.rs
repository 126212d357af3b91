//! Registries: processes by keys of any type, with a value beside each, forgotten when they end.
//!
//! In a [`unique`] registry a key is one process's, so that it can be used as a name: [`Registry::via`]. In a
//! [`duplicate`] one there may be any number under a key, for publishing: [`Registry::dispatch`].
//!
//! ```
//! use greenroom::{receive, registry, self_pid, send};
//!
//! greenroom::run(async {
//!     let rooms = registry::unique::<u32, &str>();
//!     rooms.register(7, "the green room").unwrap();
//!     assert_eq!(rooms.lookup(&7), [(self_pid(), "the green room")]);
//!     send(rooms.via(7), String::from("knock")).unwrap();
//!     assert_eq!(receive::<String>().await, "knock");
//! });
//! ```
//!
//! A registry is a value, to be cloned and handed to whoever needs it; it lives as long as its last clone. What waits
//! for what is as for names: the dead are never found, not even between their death and the moment at which others
//! are told of it, and before anyone is told, their keys are free.
//!
//! Differs from Elixir: it is no process, so there is nothing to supervise and no name; the dead are never found, where
//! Elixir's may find them for a moment; any process of the node can be entered by any other. What a
//! [`select`](Registry::select) or a [`dispatch`](Registry::dispatch) calls runs without a lock. How many partitions it
//! has follows from the number of workers.

mod table;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::current::running;
use crate::message::{Message, Target};
use crate::pid::{LocalPid, NodeId, Pid};
use crate::process::{Destination, Sender, Watchable, self_pid};
pub use table::{Key, Value, Why};
use table::{Limit, Table};

/// Processes by key: see the [module](self).
pub struct Registry<K, V, Kind = Unique> {
    table: Arc<Table<K, V>>,
    _kind: PhantomData<fn() -> Kind>,
}

/// The kind of a [`Registry`] in which a key is one process's.
#[derive(Clone, Copy, Debug)]
pub enum Unique {}

/// The kind of a [`Registry`] in which there may be many under a key.
#[derive(Clone, Copy, Debug)]
pub enum Duplicate {}

/// A new registry in which a key is one process's.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn unique<K: Key, V: Value>() -> Registry<K, V, Unique> {
    Registry { table: Table::new(), _kind: PhantomData }
}

/// A new registry in which there may be any number of entries under a key, also of the same process.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn duplicate<K: Key, V: Value>() -> Registry<K, V, Duplicate> {
    Registry { table: Table::new(), _kind: PhantomData }
}

impl<K: Key, V: Value> Registry<K, V, Unique> {
    /// Enters the running process under a key.
    ///
    /// # Errors
    /// [`RegisterError`] says whose the key is, and hands key and value back.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn register(&self, key: K, value: V) -> Result<(), RegisterError<K, V>> {
        self.register_pid(self_pid(), key, value)
    }

    /// Enters another process of the node.
    ///
    /// # Errors
    /// As [`Registry::register`], and if there is no such process.
    pub fn register_pid(&self, pid: Pid, key: K, value: V) -> Result<(), RegisterError<K, V>> {
        self.enter(pid, key, value, Limit::One)
    }

    /// The process that has this key.
    pub fn whereis(&self, key: &K) -> Option<Pid> {
        self.table.first(key)
    }

    /// The key as a name to send to, and to monitor: whose it is, is looked up each time.
    pub fn via(&self, key: K) -> Via<K, V> {
        Via { registry: self.clone(), key }
    }

    /// Changes the value of the running process under a key; false if that is not its key.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn update_value(&self, key: &K, change: impl FnOnce(&mut V)) -> bool {
        let id = self_pid().id;
        // Only the process itself changes it, so nothing is lost in between.
        let Some(mut value) = self.table.value(id, key).filter(|_| self.is_mine()) else { return false };
        change(&mut value);
        self.table.replace(id, key, value)
    }
}

impl<K: Key, V: Value> Registry<K, V, Duplicate> {
    /// Enters the running process under a key, once more if it is there already.
    ///
    /// # Panics
    /// Outside of a process of the registry's node.
    #[track_caller]
    pub fn register(&self, key: K, value: V) {
        assert!(self.is_mine(), "a process can be entered in a registry of its own node only");
        // A process that has just been killed is entered nowhere.
        let _ = self.enter(self_pid(), key, value, Limit::Many);
    }

    /// Enters another process of the node.
    ///
    /// # Errors
    /// If there is no such process, with key and value.
    pub fn register_pid(&self, pid: Pid, key: K, value: V) -> Result<(), RegisterError<K, V>> {
        self.enter(pid, key, value, Limit::Many)
    }

    /// Calls `tell` for each process under a key, and says how many there were.
    ///
    /// ```
    /// use greenroom::{receive, registry, send};
    ///
    /// greenroom::run(async {
    ///     let topics = registry::duplicate();
    ///     topics.register("news", ());
    ///     topics.dispatch(&"news", |pid, ()| send(pid, 'n'));
    ///     assert_eq!(receive::<char>().await, 'n');
    /// });
    /// ```
    pub fn dispatch(&self, key: &K, mut tell: impl FnMut(Pid, V)) -> usize {
        let entries = self.lookup(key);
        let count = entries.len();
        entries.into_iter().for_each(|(pid, value)| tell(pid, value));
        count
    }
}

impl<K: Key, V: Value, Kind> Registry<K, V, Kind> {
    fn enter(&self, pid: Pid, key: K, value: V, limit: Limit) -> Result<(), RegisterError<K, V>> {
        self.table.enter(pid, key, value, limit).map_err(|(key, value, why)| RegisterError { key, value, why })
    }

    fn is_mine(&self) -> bool {
        self_pid().node == self.table.id
    }

    /// Strikes the running process off under a key, and says how many entries that were.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn unregister(&self, key: &K) -> usize {
        let id = running("unregister", |_, _, id| id);
        if self.is_mine() { self.table.leave(id, key) } else { 0 }
    }

    /// Who is entered under a key, with the values, the oldest entry first.
    pub fn lookup(&self, key: &K) -> Vec<(Pid, V)> {
        self.table.lookup(key)
    }

    /// The keys of a process, in the order in which it was entered under them.
    pub fn keys(&self, pid: Pid) -> Vec<K> {
        self.table.keys(pid)
    }

    /// How many entries there are.
    pub fn count(&self) -> usize {
        self.table.count()
    }

    /// The entries for which `wanted` is true, in no particular order.
    pub fn select(&self, mut wanted: impl FnMut(&K, Pid, &V) -> bool) -> Vec<(K, Pid, V)> {
        let mut all = self.table.all();
        all.retain(|(key, pid, value)| wanted(key, *pid, value));
        all
    }
}

impl<K, V, Kind> Clone for Registry<K, V, Kind> {
    fn clone(&self) -> Self {
        Registry { table: self.table.clone(), _kind: PhantomData }
    }
}

impl<K: Key, V: Value, Kind> fmt::Debug for Registry<K, V, Kind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("count", &self.count()).finish_non_exhaustive()
    }
}

/// A process could not be entered in a [`Registry`].
#[derive(Clone, PartialEq, Eq)]
pub struct RegisterError<K, V> {
    /// The key that was wanted.
    pub key: K,
    /// The value that was to be kept beside it.
    pub value: V,
    /// Why.
    pub why: Why,
}

impl<K: fmt::Debug, V> fmt::Debug for RegisterError<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterError").field("key", &self.key).field("why", &self.why).finish_non_exhaustive()
    }
}

impl<K: fmt::Debug, V> fmt::Display for RegisterError<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.why {
            Why::Taken(pid) => write!(f, "the key {:?} is that of {pid}; it has to unregister first", self.key),
            Why::NoProcess(pid) => write!(f, "{pid} is no live process of the registry's node"),
        }
    }
}

impl<K: fmt::Debug, V> std::error::Error for RegisterError<K, V> {}

/// A key of a [`Registry`] as a name: see [`Registry::via`].
pub struct Via<K, V> {
    registry: Registry<K, V>,
    key: K,
}

impl<K: Key, V: Value> Via<K, V> {
    /// The process that has the key now.
    pub fn whereis(&self) -> Option<Pid> {
        self.registry.whereis(&self.key)
    }
}

impl<K: Clone, V> Clone for Via<K, V> {
    fn clone(&self) -> Self {
        Via { registry: self.registry.clone(), key: self.key.clone() }
    }
}

impl<K: fmt::Debug, V> fmt::Debug for Via<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Via").field(&self.key).finish()
    }
}

impl<K: Key, V: Value> Destination for &Via<K, V> {
    type Sent<M> = Result<(), ViaError<K, M>>;

    fn accept<M: Message>(self, from: Sender<'_, '_>, message: M) -> Self::Sent<M> {
        match self.whereis() {
            Some(pid) => {
                pid.accept(from, message);
                Ok(())
            }
            None => Err(ViaError { key: self.key.clone(), message }),
        }
    }
}

impl<K: Key, V: Value> Destination for Via<K, V> {
    type Sent<M> = Result<(), ViaError<K, M>>;

    fn accept<M: Message>(self, from: Sender<'_, '_>, message: M) -> Self::Sent<M> {
        (&self).accept(from, message)
    }
}

impl<K: Key, V: Value> Watchable for &Via<K, V> {
    fn target(self, home: NodeId) -> Target {
        // If there is none, a process that there never is.
        Target::Pid(self.whereis().unwrap_or(Pid::new(home, LocalPid::NOBODY)))
    }
}

impl<K: Key, V: Value> Watchable for Via<K, V> {
    fn target(self, home: NodeId) -> Target {
        (&self).target(home)
    }
}

/// Nobody has the key; the message comes back.
#[derive(Clone, PartialEq, Eq)]
pub struct ViaError<K, M> {
    /// The key that was tried.
    pub key: K,
    /// The message.
    pub message: M,
}

impl<K: fmt::Debug, M> fmt::Debug for ViaError<K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViaError").field("key", &self.key).finish_non_exhaustive()
    }
}

impl<K: fmt::Debug, M> fmt::Display for ViaError<K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nobody is registered under the key {:?}", self.key)
    }
}

impl<K: fmt::Debug, M> std::error::Error for ViaError<K, M> {}
