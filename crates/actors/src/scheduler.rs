//! Whose turn it is: a run queue for each worker thread, stealing between them, and sleep when there is
//! nothing to do.
//!
//! Generic in what is queued; what running it means is [`crate::runner`]'s affair.
//!
//! A process that was just woken goes into its waker's *next* slot, so that two processes in
//! conversation stay on one worker with their data in its cache.
//!
//! A worker whose process does not come back is *stuck*. The [`watchdog`](crate::watchdog) finds that
//! out, takes what lies in the next slot, and has another thread work in its place; a worker that comes
//! back and finds its place taken *retires* until it is needed again. So of all threads, at most as many
//! as there are places compete for what can be run, and the operating system shares the processors
//! between them and the stuck ones, which run for longer at a time and let those go first that were woken
//! ([`slice`](crate::slice)).

mod sleep;
mod stuck;

use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::thread::Thread;

use crossbeam_deque::{Injector, Steal, Stealer, Worker as Deque};

use crate::barrier;
use crate::lock::Mutex;
use crate::slice::ThreadId;

/// What all workers of a node share.
pub(crate) struct Scheduler<T> {
    injected: Injector<NonNull<T>>,
    /// The workers, and after them room for those that take the place of stuck ones.
    workers: Vec<Shared<T>>,
    /// How many of `workers` have a thread.
    started: AtomicUsize,
    /// How many workers there shall be that are not stuck.
    places: usize,
    /// How many there are.
    active: AtomicUsize,
    /// Workers that sleep or are about to.
    asleep: AtomicUsize,
    /// Whether someone who was woken is still looking for work: then nobody else need be woken.
    searching: AtomicBool,
    /// Whether a worker that has found nothing keeps looking for a moment.
    looking_out: AtomicBool,
    /// Whether the watchdog sleeps until a worker wakes, and who that is.
    dozing: AtomicBool,
    watchdog: OnceLock<Thread>,
    stopped: AtomicBool,
}

struct Shared<T> {
    stealer: Stealer<NonNull<T>>,
    /// The owner puts work here and takes it, between turns also without a fence: see `take_next`.
    next: AtomicPtr<T>,
    /// Odd while a turn lasts. Written by the owner.
    turn: AtomicU64,
    /// What the turn is for, and when it began. Written by the owner.
    running: AtomicU64,
    since: AtomicU64,
    /// Raised while the watchdog takes what is in `next`.
    rescue: AtomicBool,
    /// One of `state`.
    state: AtomicU8,
    /// The worker's thread, once it has begun.
    thread: OnceLock<ThreadId>,
    sleeper: Mutex<Option<Thread>>,
    retired: Mutex<Option<Thread>>,
}

impl<T> Shared<T> {
    /// The worker is not stuck, or not any more.
    fn shorten(&self) {
        if let Some(thread) = self.thread.get() {
            thread.shorten();
        }
    }
}

/// What a worker is at the moment.
mod state {
    /// It works, or sleeps and can be woken to work.
    pub(super) const ACTIVE: u8 = 0;
    /// Its turn does not end; another works in its place.
    pub(super) const STUCK: u8 = 1;
    /// Its turn has ended, and its place was taken; it waits to be needed.
    pub(super) const RETIRED: u8 = 2;
}

/// A worker in the middle of a turn, as the watchdog sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The worker.
    pub(crate) worker: usize,
    /// Which of its turns.
    pub(crate) number: u64,
    /// What it is for, and when it began, as given to [`Scheduler::begin_turn`].
    pub(crate) running: u64,
    pub(crate) since: u64,
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
}

impl<T> Worker<T> {
    /// The number of the present turn, and whether it came right after another from the next slot.
    #[inline]
    pub(crate) fn turn(&self) -> (u32, bool) {
        (self.turns.get(), self.streak.get() > 0)
    }
}

// SAFETY: as above.
unsafe impl<T: Sync> Send for Worker<T> {}

/// How many turns in a row may come from the next slot while others wait in the queue.
const LONGEST_STREAK: u32 = 64;
/// Every so many turns, the injected work is looked at first, so that it cannot starve.
const INJECTED_EVERY: u32 = 61;
/// How often a worker that has found nothing looks again before it sleeps: for some 50 microseconds.
const LOOKS: u32 = if cfg!(miri) { 1 } else { 100 };
/// How many threads a node may have beyond its places, for stuck workers.
const SPARES: usize = 256;

impl<T> Scheduler<T> {
    /// A scheduler for `count` workers, and their own ends; behind those, ends for the ones that may have
    /// to take the place of stuck ones.
    pub(crate) fn new(count: usize) -> (Self, Vec<Worker<T>>) {
        let ends: Vec<Worker<T>> = (0..count + SPARES)
            .map(|index| Worker { index, deque: Deque::new_fifo(), turns: 0.into(), streak: 0.into() })
            .collect();
        let workers = ends
            .iter()
            .map(|end| Shared {
                stealer: end.deque.stealer(),
                next: AtomicPtr::default(),
                turn: AtomicU64::new(0),
                running: AtomicU64::new(0),
                since: AtomicU64::new(0),
                rescue: AtomicBool::new(false),
                state: AtomicU8::new(state::ACTIVE),
                thread: OnceLock::new(),
                sleeper: Mutex::new(None),
                retired: Mutex::new(None),
            })
            .collect();
        let scheduler = Scheduler {
            injected: Injector::new(),
            workers,
            started: AtomicUsize::new(count),
            places: count,
            active: AtomicUsize::new(count),
            asleep: AtomicUsize::new(0),
            searching: AtomicBool::new(false),
            looking_out: AtomicBool::new(false),
            dozing: AtomicBool::new(false),
            watchdog: OnceLock::new(),
            stopped: AtomicBool::new(false),
        };
        (scheduler, ends)
    }

    /// This worker's thread begins to work.
    pub(crate) fn begin(&self, worker: &Worker<T>) {
        self.workers[worker.index].thread.get_or_init(ThreadId::of_this);
    }

    /// How many workers run processes.
    pub(crate) fn workers(&self) -> usize {
        self.places
    }

    /// Queues work from outside of any worker.
    pub(crate) fn inject(&self, work: &T) {
        self.injected.push(NonNull::from(work));
        self.wake_one();
    }

    /// Queues work that a worker just woke: it runs next, on the same worker if nobody steals it.
    #[inline]
    pub(crate) fn push_next(&self, worker: &Worker<T>, work: &T) {
        let next = &self.workers[worker.index].next;
        let work = NonNull::from(work);
        // Only this worker puts something here, so an empty slot stays empty until it does. This is
        // within a turn, in which the watchdog may take it out.
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
    #[inline]
    pub(crate) fn push_back(&self, worker: &Worker<T>, work: &T) {
        worker.deque.push(NonNull::from(work));
        self.wake_one();
    }

    /// Queues work that a worker just made. The first such work waits for the worker itself, which most often has
    /// nothing else to do soon; what comes on top of it is worth waking another for.
    #[inline]
    pub(crate) fn push_new(&self, worker: &Worker<T>, work: &T) {
        let is_first = worker.deque.is_empty();
        worker.deque.push(NonNull::from(work));
        if !is_first {
            self.wake_one();
        }
    }

    /// What this worker should run next; sleeps until there is something. `None` when stopped, and
    /// nothing is left to do.
    ///
    /// `roused` is called when this wakes the watchdog.
    pub(crate) fn next(&self, worker: &Worker<T>, roused: impl Fn()) -> Option<NonNull<T>> {
        loop {
            // Stopped before the look: then what is found is the rest.
            let is_stopped = self.stopped.load(Ordering::SeqCst);
            if let Some(work) = self.find(worker) {
                return Some(work);
            }
            if is_stopped {
                return None;
            }
            self.sleep(worker, &roused);
        }
    }

    #[inline]
    fn find(&self, worker: &Worker<T>) -> Option<NonNull<T>> {
        let turn = worker.turns.get().wrapping_add(1);
        worker.turns.set(turn);
        if turn.is_multiple_of(INJECTED_EVERY)
            && let Some(work) = self.take_injected(worker)
        {
            return Some(work);
        }
        if worker.streak.get() < LONGEST_STREAK
            && let Some(work) = self.take_next(worker)
        {
            worker.streak.set(worker.streak.get() + 1);
            return Some(work);
        }
        worker.streak.set(0);
        worker
            .deque
            .pop()
            .or_else(|| self.take_next(worker))
            .or_else(|| self.take_injected(worker))
            .or_else(|| self.steal(worker))
    }

    /// Takes what this worker was to run next. Between turns only.
    ///
    /// The watchdog may be about to take it, too, if it has seen this worker in a turn: the two agree by
    /// `turn` and `rescue`, in a Dekker pair of which [`Scheduler::rescue`] has the costly side.
    #[inline]
    fn take_next(&self, worker: &Worker<T>) -> Option<NonNull<T>> {
        let shared = &self.workers[worker.index];
        let work = NonNull::new(shared.next.load(Ordering::Relaxed))?;
        barrier::light();
        if shared.rescue.load(Ordering::Acquire) {
            return NonNull::new(shared.next.swap(std::ptr::null_mut(), Ordering::AcqRel));
        }
        shared.next.store(std::ptr::null_mut(), Ordering::Relaxed);
        Some(work)
    }

    fn take_injected(&self, worker: &Worker<T>) -> Option<NonNull<T>> {
        retry(|| self.injected.steal_batch_and_pop(&worker.deque))
    }

    fn steal(&self, worker: &Worker<T>) -> Option<NonNull<T>> {
        let count = self.started.load(Ordering::Acquire);
        (1..count)
            .map(|step| (worker.index + step) % count)
            .find_map(|other| retry(|| self.workers[other].stealer.steal_batch_and_pop(&worker.deque)))
    }

    /// Whether there is something that any worker could take.
    pub(crate) fn has_work(&self) -> bool {
        let started = self.started.load(Ordering::Acquire);
        !self.injected.is_empty() || self.workers[..started].iter().any(|worker| !worker.stealer.is_empty())
    }

    /// Makes every worker return from [`Scheduler::next`] with `None` once nothing is queued any more.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        for worker in &self.workers {
            for thread in [worker.sleeper.lock().take(), worker.retired.lock().take()].into_iter().flatten() {
                thread.unpark();
            }
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
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
