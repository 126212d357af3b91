//! What processes and workers have done, counted where it happens.
//!
//! A worker counts in its own cells during a turn ([`crate::core::Current`]); at the end of the turn it adds
//! that to the account of the process and to its own desk. Only one thread writes to an account at any time, so
//! plain loads and stores are enough; anyone may read. Numbers of a turn that is under way are not seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::pid::LocalPid;

/// What was done, at one moment or in one turn.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    pub(crate) reductions: u64,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) busy_micros: u64,
    /// Bytes allocated less bytes freed.
    pub(crate) heap: i64,
}

impl Figures {
    pub(crate) fn plus(self, other: Figures) -> Figures {
        Figures {
            reductions: self.reductions.wrapping_add(other.reductions),
            received: self.received.wrapping_add(other.received),
            sent: self.sent.wrapping_add(other.sent),
            busy_micros: self.busy_micros.wrapping_add(other.busy_micros),
            heap: self.heap.wrapping_add(other.heap),
        }
    }
}

/// What a process has done, in half the room, as there may be millions of them. What no longer fits goes to
/// [`crate::table::Cold`].
#[derive(Default)]
pub(crate) struct Account {
    reductions: AtomicU32,
    received: AtomicU32,
    sent: AtomicU32,
    busy_micros: AtomicU32,
    heap: AtomicI32,
}

impl Account {
    /// Adds what was done in a turn. For the running thread.
    ///
    /// # Errors
    /// The sum, if it does not fit: then the account is as it was.
    pub(crate) fn add(&self, turn: &Figures) -> Result<(), Figures> {
        let sum = |total: &AtomicU32, some: u64| u64::from(total.load(Ordering::Relaxed)).wrapping_add(some);
        let reductions = sum(&self.reductions, turn.reductions);
        let received = sum(&self.received, turn.received);
        let sent = sum(&self.sent, turn.sent);
        if (reductions | received | sent) >> 32 != 0 {
            return Err(self.read().plus(*turn));
        }
        // Most turns are short and, without a tracking allocator, all heaps are empty.
        if turn.busy_micros != 0 || turn.heap != 0 {
            let Figures { busy_micros, heap, .. } = self.read().plus(*turn);
            let (Ok(busy_micros), Ok(heap)) = (u32::try_from(busy_micros), i32::try_from(heap)) else {
                return Err(self.read().plus(*turn));
            };
            self.busy_micros.store(busy_micros, Ordering::Relaxed);
            self.heap.store(heap, Ordering::Relaxed);
        }
        self.reductions.store(reductions as u32, Ordering::Relaxed);
        self.received.store(received as u32, Ordering::Relaxed);
        self.sent.store(sent as u32, Ordering::Relaxed);
        Ok(())
    }

    /// Starts anew.
    pub(crate) fn clear(&self) {
        for total in [&self.reductions, &self.received, &self.sent, &self.busy_micros] {
            total.store(0, Ordering::Relaxed);
        }
        self.heap.store(0, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Figures {
        Figures {
            reductions: self.reductions.load(Ordering::Relaxed).into(),
            received: self.received.load(Ordering::Relaxed).into(),
            sent: self.sent.load(Ordering::Relaxed).into(),
            busy_micros: self.busy_micros.load(Ordering::Relaxed).into(),
            heap: self.heap.load(Ordering::Relaxed).into(),
        }
    }
}

/// What a worker does at the moment, and has done.
#[derive(Default)]
#[repr(align(128))]
pub(crate) struct Desk {
    /// The running process, as one number; `IDLE` between two turns.
    process: AtomicU64,
    since: AtomicU64,
    turns: AtomicU64,
    reductions: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
    busy_micros: AtomicU64,
    heap: AtomicI64,
}

const IDLE: u64 = u64::MAX;

impl Desk {
    /// A turn begins. For the worker.
    pub(crate) fn begin(&self, id: LocalPid, at: u64) {
        self.turns.store(self.turns.load(Ordering::Relaxed) + 1, Ordering::Release);
        self.since.store(at, Ordering::Relaxed);
        self.process.store(id.as_u64(), Ordering::Release);
    }

    /// A turn ends. For the worker.
    pub(crate) fn end(&self) {
        self.process.store(IDLE, Ordering::Relaxed);
    }

    /// Something was done. For the worker.
    pub(crate) fn add(&self, turn: &Figures) {
        let add = |total: &AtomicU64, some: u64| {
            if some != 0 {
                total.store(total.load(Ordering::Relaxed).wrapping_add(some), Ordering::Relaxed);
            }
        };
        add(&self.reductions, turn.reductions);
        add(&self.received, turn.received);
        add(&self.sent, turn.sent);
        add(&self.busy_micros, turn.busy_micros);
        if turn.heap != 0 {
            self.heap.store(self.heap.load(Ordering::Relaxed).wrapping_add(turn.heap), Ordering::Relaxed);
        }
    }

    fn read(&self) -> Figures {
        Figures {
            reductions: self.reductions.load(Ordering::Relaxed),
            received: self.received.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
            busy_micros: self.busy_micros.load(Ordering::Relaxed),
            heap: self.heap.load(Ordering::Relaxed),
        }
    }
}

/// The desks of all workers there have ever been, and the clock by which they know how long a turn lasts.
///
/// That clock is coarse: the watchdog sets it whenever it looks, every few milliseconds. A turn, which is much
/// shorter, is charged with the steps that fall into it, so that sums are right on average; to read the clock
/// costs next to nothing.
#[derive(Default)]
pub(crate) struct Desks {
    desks: Mutex<Vec<Arc<Desk>>>,
    /// Microseconds.
    now: AtomicU64,
}

impl Desks {
    /// Sets the clock to the real time that has passed since the node started.
    pub(crate) fn tick(&self, passed: Duration) {
        self.now.store(passed.as_micros() as u64, Ordering::Relaxed);
    }

    /// What the clock says, in microseconds.
    pub(crate) fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    /// A desk for a new worker.
    pub(crate) fn open(&self) -> Arc<Desk> {
        let desk = Arc::new(Desk { process: AtomicU64::new(IDLE), ..Desk::default() });
        self.desks.lock().push(desk.clone());
        desk
    }

    /// How many turns have begun.
    pub(crate) fn turns(&self) -> u64 {
        self.desks.lock().iter().map(|desk| desk.turns.load(Ordering::Acquire)).sum()
    }

    /// For how long this process has been running without giving up its turn, if it runs now.
    pub(crate) fn running_for(&self, id: LocalPid) -> Option<Duration> {
        let now = self.now();
        self.desks.lock().iter().find_map(|desk| {
            let runs = || desk.process.load(Ordering::Acquire) == id.as_u64();
            let since = runs().then(|| desk.since.load(Ordering::Acquire))?;
            // A turn that ended meanwhile may have left the start of another one there.
            runs().then(|| Duration::from_micros(now.saturating_sub(since)))
        })
    }

    /// What all workers have done.
    pub(crate) fn total(&self) -> Figures {
        self.desks.lock().iter().map(|desk| desk.read()).fold(Figures::default(), Figures::plus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_refuses_what_does_not_fit_and_stays_as_it_was() {
        let account = Account::default();
        let most = Figures { reductions: u32::MAX.into(), heap: i32::MIN.into(), ..Figures::default() };
        assert_eq!(account.add(&most), Ok(()));
        let more = Figures { reductions: 1, heap: -1, ..Figures::default() };
        assert_eq!(account.add(&more), Err(most.plus(more)));
        assert_eq!(account.read(), most);
        account.clear();
        assert_eq!(account.read(), Figures::default());
    }

    #[test]
    fn a_desk_knows_who_runs() {
        let desks = Desks::default();
        let desk = desks.open();
        let (one, other) = (LocalPid::new(1, 2), LocalPid::new(2, 1));
        desk.begin(one, desks.now());
        desks.tick(Duration::from_millis(3));
        assert!(desks.running_for(one) == Some(Duration::from_millis(3)) && desks.running_for(other).is_none());
        desk.add(&Figures { sent: 3, ..Figures::default() });
        desk.end();
        assert!(desks.running_for(one).is_none());
        assert_eq!((desks.turns(), desks.total().sent), (1, 3));
    }
}
