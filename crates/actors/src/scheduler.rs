//! Whose turn it is: a run queue for each worker thread, stealing between them, and sleep when there is
//! nothing to do.
//!
//! Generic in what is queued; what running it means is [`crate::runner`]'s affair.
//!
//! A process that was just woken goes into its waker's *next* slot, so that two processes in
//! conversation stay on one worker with their data in its cache. Others may steal from that slot too, so
//! a worker that is stuck does not hold on to what it woke last.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::thread::Thread;

use crossbeam_deque::{Injector, Steal, Stealer, Worker as Deque};
use parking_lot::Mutex;

/// What all workers of a node share.
pub(crate) struct Scheduler<T> {
    injected: Injector<NonNull<T>>,
    workers: Vec<Shared<T>>,
    /// Workers that sleep or are about to.
    asleep: AtomicUsize,
    /// Whether someone who was woken is still looking for work: then nobody else need be woken.
    searching: AtomicBool,
    stopped: AtomicBool,
}

struct Shared<T> {
    stealer: Stealer<NonNull<T>>,
    next: AtomicPtr<T>,
    sleeper: Mutex<Option<Thread>>,
}

// SAFETY: the pointers are to places of a table that outlives the scheduler and is `Sync`.
unsafe impl<T: Sync> Send for Scheduler<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Scheduler<T> {}

/// A worker's own end of its queue.
pub(crate) struct Worker<T> {
    index: usize,
    deque: Deque<NonNull<T>>,
    turns: std::cell::Cell<u32>,
    /// How many turns in a row came from the next slot.
    streak: std::cell::Cell<u32>,
    slept: std::cell::Cell<bool>,
}

impl<T> Worker<T> {
    /// Whether it has slept since it was last asked.
    pub(crate) fn has_slept(&self) -> bool {
        self.slept.take()
    }
}

// SAFETY: as above.
unsafe impl<T: Sync> Send for Worker<T> {}

/// How many turns in a row may come from the next slot while others wait in the queue.
const LONGEST_STREAK: u32 = 64;
/// Every so many turns, the injected work is looked at first, so that it cannot starve.
const INJECTED_EVERY: u32 = 61;

impl<T> Scheduler<T> {
    /// A scheduler for `count` workers, and their own ends.
    pub(crate) fn new(count: usize) -> (Self, Vec<Worker<T>>) {
        let ends: Vec<Worker<T>> = (0..count)
            .map(|index| Worker {
                index,
                deque: Deque::new_fifo(),
                turns: 0.into(),
                streak: 0.into(),
                slept: false.into(),
            })
            .collect();
        let workers = ends
            .iter()
            .map(|end| Shared { stealer: end.deque.stealer(), next: AtomicPtr::default(), sleeper: Mutex::new(None) })
            .collect();
        let scheduler = Scheduler {
            injected: Injector::new(),
            workers,
            asleep: AtomicUsize::new(0),
            searching: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        };
        (scheduler, ends)
    }

    /// Queues work from outside of any worker.
    pub(crate) fn inject(&self, work: &T) {
        self.injected.push(NonNull::from(work));
        self.wake_one();
    }

    /// Queues work that a worker just woke: it runs next, on the same worker if nobody steals it.
    pub(crate) fn push_next(&self, worker: &Worker<T>, work: &T) {
        let next = &self.workers[worker.index].next;
        let work = NonNull::from(work);
        // Only this worker puts something here, so an empty slot stays empty until it does.
        if next.load(Ordering::Relaxed).is_null() {
            next.store(work.as_ptr(), Ordering::Release);
            return;
        }
        if let Some(displaced) = NonNull::new(next.swap(work.as_ptr(), Ordering::AcqRel)) {
            worker.deque.push(displaced);
            self.wake_one();
        }
    }

    /// Queues work behind everything else that waits on this worker.
    pub(crate) fn push_back(&self, worker: &Worker<T>, work: &T) {
        worker.deque.push(NonNull::from(work));
        self.wake_one();
    }

    /// What this worker should run next; sleeps until there is something. `None` when stopped, and
    /// nothing is left to do.
    pub(crate) fn next(&self, worker: &Worker<T>) -> Option<NonNull<T>> {
        loop {
            // Stopped before the look: then what is found is the rest.
            let is_stopped = self.stopped.load(Ordering::SeqCst);
            if let Some(work) = self.find(worker) {
                return Some(work);
            }
            if is_stopped {
                return None;
            }
            self.sleep(worker);
        }
    }

    fn find(&self, worker: &Worker<T>) -> Option<NonNull<T>> {
        let turn = worker.turns.get().wrapping_add(1);
        worker.turns.set(turn);
        if turn.is_multiple_of(INJECTED_EVERY)
            && let Some(work) = self.take_injected(worker)
        {
            return Some(work);
        }
        if worker.streak.get() < LONGEST_STREAK
            && let Some(work) = self.take_next(worker.index)
        {
            worker.streak.set(worker.streak.get() + 1);
            return Some(work);
        }
        worker.streak.set(0);
        worker
            .deque
            .pop()
            .or_else(|| self.take_next(worker.index))
            .or_else(|| self.take_injected(worker))
            .or_else(|| self.steal(worker))
    }

    fn take_next(&self, index: usize) -> Option<NonNull<T>> {
        let next = &self.workers[index].next;
        if next.load(Ordering::Relaxed).is_null() {
            return None;
        }
        NonNull::new(next.swap(std::ptr::null_mut(), Ordering::AcqRel))
    }

    fn take_injected(&self, worker: &Worker<T>) -> Option<NonNull<T>> {
        retry(|| self.injected.steal_batch_and_pop(&worker.deque))
    }

    fn steal(&self, worker: &Worker<T>) -> Option<NonNull<T>> {
        let count = self.workers.len();
        let others = (1..count).map(|step| (worker.index + step) % count);
        others
            .clone()
            .find_map(|other| retry(|| self.workers[other].stealer.steal_batch_and_pop(&worker.deque)))
            .or_else(|| others.clone().find_map(|other| self.take_next(other)))
    }

    fn has_work(&self) -> bool {
        !self.injected.is_empty()
            || self
                .workers
                .iter()
                .any(|worker| !worker.stealer.is_empty() || !worker.next.load(Ordering::SeqCst).is_null())
    }

    fn sleep(&self, worker: &Worker<T>) {
        worker.slept.set(true);
        self.searching.store(false, Ordering::SeqCst);
        *self.workers[worker.index].sleeper.lock() = Some(std::thread::current());
        self.asleep.fetch_add(1, Ordering::SeqCst);
        // What is queued after this look finds `asleep` raised and wakes someone.
        if !self.has_work() && !self.stopped.load(Ordering::SeqCst) {
            std::thread::park();
        }
        self.asleep.fetch_sub(1, Ordering::SeqCst);
        *self.workers[worker.index].sleeper.lock() = None;
    }

    /// Wakes a sleeping worker, unless one is already on its way.
    pub(crate) fn wake_one(&self) {
        std::sync::atomic::fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) == 0 || self.searching.swap(true, Ordering::SeqCst) {
            return;
        }
        let sleeper = self.workers.iter().find_map(|worker| worker.sleeper.lock().take());
        match sleeper {
            Some(thread) => thread.unpark(),
            None => self.searching.store(false, Ordering::SeqCst),
        }
    }

    /// To be called by a worker that found work: others may be woken again.
    pub(crate) fn found_work(&self) {
        if self.searching.load(Ordering::Relaxed) {
            self.searching.store(false, Ordering::SeqCst);
            if self.has_work() {
                self.wake_one();
            }
        }
    }

    /// Makes every worker return from [`Scheduler::next`] with `None` once nothing is queued any more.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        for worker in &self.workers {
            if let Some(thread) = worker.sleeper.lock().take() {
                thread.unpark();
            }
        }
    }
}

fn retry<T>(mut steal: impl FnMut() -> Steal<T>) -> Option<T> {
    loop {
        match steal() {
            Steal::Success(work) => return Some(work),
            Steal::Empty => return None,
            Steal::Retry => std::hint::spin_loop(),
        }
    }
}
