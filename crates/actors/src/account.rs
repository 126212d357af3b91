//! What processes and workers have done, counted where it happens.
//!
//! A worker counts in its own cells during a turn ([`crate::current::Current`]); at the end of the turn it adds
//! that to the account of the process and to its own desk. Only one thread writes to an account at any time, so
//! plain loads and stores are enough; anyone may read. Numbers of a turn that is under way are not seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use crate::lock::Mutex;

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
/// [`crate::cold::Cold`].
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
    #[inline]
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
            self.add_rare(turn)?;
        }
        self.reductions.store(reductions as u32, Ordering::Relaxed);
        self.received.store(received as u32, Ordering::Relaxed);
        self.sent.store(sent as u32, Ordering::Relaxed);
        Ok(())
    }

    #[cold]
    fn add_rare(&self, turn: &Figures) -> Result<(), Figures> {
        let sum = self.read().plus(*turn);
        let (Ok(busy_micros), Ok(heap)) = (u32::try_from(sum.busy_micros), i32::try_from(sum.heap)) else {
            return Err(sum);
        };
        self.busy_micros.store(busy_micros, Ordering::Relaxed);
        self.heap.store(heap, Ordering::Relaxed);
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

/// What a worker has done.
#[derive(Default)]
#[repr(align(128))]
pub(crate) struct Desk {
    reductions: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
    busy_micros: AtomicU64,
    heap: AtomicI64,
    exited: AtomicU64,
}

impl Desk {
    /// A process has ended. For the worker.
    #[inline]
    pub(crate) fn count_exit(&self) {
        self.exited.store(self.exited.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Something was done. For the worker.
    #[inline]
    pub(crate) fn add(&self, turn: &Figures) {
        let add = |total: &AtomicU64, some: u64| {
            total.store(total.load(Ordering::Relaxed).wrapping_add(some), Ordering::Relaxed);
        };
        add(&self.reductions, turn.reductions);
        add(&self.received, turn.received);
        add(&self.sent, turn.sent);
        if turn.busy_micros != 0 || turn.heap != 0 {
            add(&self.busy_micros, turn.busy_micros);
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
/// That clock is coarse: the watchdog sets it whenever it looks, every few milliseconds, and the first worker that wakes
/// after all of them have slept. A turn, which is much shorter, is charged with the steps that fall into it, so that sums
/// are right on average; to read the clock costs next to nothing.
pub(crate) struct Desks {
    desks: Mutex<Vec<Arc<Desk>>>,
    started: Instant,
    /// Microseconds.
    now: AtomicU64,
}

impl Desks {
    /// Of a node that starts.
    pub(crate) fn new() -> Self {
        Desks { desks: Mutex::default(), started: Instant::now(), now: AtomicU64::new(0) }
    }

    /// Sets the clock to the real time that has passed since the node started.
    pub(crate) fn tick(&self) {
        self.now.store(self.started.elapsed().as_micros() as u64, Ordering::Relaxed);
    }

    /// What the clock says, in microseconds.
    pub(crate) fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    /// A desk for a new worker.
    pub(crate) fn open(&self) -> Arc<Desk> {
        let desk = Arc::new(Desk::default());
        self.desks.lock().push(desk.clone());
        desk
    }

    /// How many processes workers have ended.
    pub(crate) fn exited(&self) -> u64 {
        self.desks.lock().iter().map(|desk| desk.exited.load(Ordering::Relaxed)).sum()
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
}
