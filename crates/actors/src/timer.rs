//! Timers of a node: what is due when, and the thread that waits for it.
//!
//! Deadlines are kept in order and can be removed, so that a million calls that were answered in time
//! leave nothing behind. What a timer does is decided by [`crate::core`], which is handed what is due.

use std::collections::BTreeMap;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::lock::{Condvar, Mutex, MutexGuard};
use crate::pid::LocalPid;

/// Names a timer: its deadline, and a number that tells timers of the same deadline apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TimerKey {
    due: Duration,
    number: u64,
}

pub(crate) struct Timers<E> {
    state: Mutex<State<E>>,
    changed: Condvar,
    /// Told when nothing is being fired, for [`Timers::settle`].
    idle: Condvar,
}

struct State<E> {
    waiting: BTreeMap<TimerKey, (E, Option<LocalPid>)>,
    /// The timers that go with a process, by process.
    of: FxHashMap<LocalPid, FxHashSet<TimerKey>>,
    next: u64,
    stopped: bool,
    firing: bool,
}

impl TimerKey {
    /// When it is due, counted from the start of the node.
    pub(crate) fn due(self) -> Duration {
        self.due
    }
}

impl<E> State<E> {
    fn take(&mut self, key: TimerKey) -> Option<E> {
        let (entry, process) = self.waiting.remove(&key)?;
        if let Some(process) = process
            && let Some(keys) = self.of.get_mut(&process)
        {
            keys.remove(&key);
            if keys.is_empty() {
                self.of.remove(&process);
            }
        }
        Some(entry)
    }
}

impl<E> Timers<E> {
    pub(crate) fn new() -> Self {
        Timers {
            state: Mutex::new(State {
                waiting: BTreeMap::new(),
                of: FxHashMap::default(),
                next: 0,
                stopped: false,
                firing: false,
            }),
            changed: Condvar::new(),
            idle: Condvar::new(),
        }
    }

    /// Starts a timer that is due at `due`, counted from the start of the node. If it is for a process, it goes
    /// with that: see [`Timers::forget`].
    pub(crate) fn insert(&self, due: Duration, entry: E, process: Option<LocalPid>) -> TimerKey {
        let mut state = self.state.lock();
        let key = TimerKey { due, number: state.next };
        state.next += 1;
        state.waiting.insert(key, (entry, process));
        if let Some(process) = process {
            state.of.entry(process).or_default().insert(key);
        }
        let is_first = state.waiting.first_key_value().is_some_and(|(first, _)| *first == key);
        drop(state);
        if is_first {
            self.changed.notify_one();
        }
        key
    }

    /// Removes a timer; `None` if it was due already or was removed before.
    pub(crate) fn remove(&self, key: TimerKey) -> Option<(Duration, E)> {
        self.state.lock().take(key).map(|entry| (key.due, entry))
    }

    /// Removes all timers for a process, which has ended.
    pub(crate) fn forget(&self, process: LocalPid) -> Vec<E> {
        let mut state = self.state.lock();
        let keys = state.of.remove(&process).unwrap_or_default();
        keys.iter().filter_map(|key| state.waiting.remove(key)).map(|(entry, _)| entry).collect()
    }

    /// How many timers go with a process.
    pub(crate) fn len_of(&self, process: LocalPid) -> usize {
        self.state.lock().of.get(&process).map_or(0, FxHashSet::len)
    }

    /// How many timers wait.
    pub(crate) fn len(&self) -> usize {
        self.state.lock().waiting.len()
    }

    /// When a timer is due, if it still waits.
    pub(crate) fn due(&self, key: TimerKey) -> Option<Duration> {
        self.state.lock().waiting.contains_key(&key).then_some(key.due)
    }

    /// Waits for what is due and hands it to `fire`, until [`Timers::stop`].
    pub(crate) fn run(&self, now: impl Fn() -> Duration, mut fire: impl FnMut(TimerKey, E)) {
        let mut state = self.state.lock();
        while !state.stopped {
            let Some((&key, _)) = state.waiting.first_key_value() else {
                self.idle.notify_all();
                self.changed.wait(&mut state);
                continue;
            };
            let wait = key.due.saturating_sub(now());
            if wait.is_zero() {
                let Some(entry) = state.take(key) else { continue };
                state.firing = true;
                MutexGuard::unlocked(&mut state, || fire(key, entry));
                state.firing = false;
            } else {
                self.idle.notify_all();
                self.changed.wait_for(&mut state, wait);
            }
        }
    }

    /// Ends [`Timers::run`]; what waits is dropped with the timers.
    pub(crate) fn stop(&self) {
        self.state.lock().stopped = true;
        self.changed.notify_all();
        self.idle.notify_all();
    }

    /// Lets `set` move the time, told of the next deadline, and answers as that does. Everything that was due
    /// before has been fired then, and so has what is due after.
    pub(crate) fn settle(&self, now: impl Fn() -> Duration, set: impl FnOnce(Option<Duration>) -> bool) -> bool {
        let mut state = self.state.lock();
        let until_idle = |state: &mut MutexGuard<'_, State<E>>| {
            let is_due =
                |state: &State<E>| state.waiting.first_key_value().is_some_and(|(first, _)| first.due <= now());
            while !state.stopped && (state.firing || is_due(state)) {
                self.idle.wait(state);
            }
        };
        until_idle(&mut state);
        let moved = set(state.waiting.first_key_value().map(|(first, _)| first.due));
        self.changed.notify_one();
        until_idle(&mut state);
        moved && !state.stopped
    }
}
