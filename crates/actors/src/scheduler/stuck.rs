//! Turns, and workers that are stuck in one: what the watchdog does about a process that does not come back.

use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use super::{Scheduler, Turn, Worker, barrier, state};

impl<T> Scheduler<T> {
    /// This worker begins a turn for `running`.
    #[inline]
    pub(crate) fn begin_turn(&self, worker: &Worker<T>, running: u64, now: u64) {
        let shared = &self.workers[worker.index];
        shared.running.store(running, Ordering::Relaxed);
        shared.since.store(now, Ordering::Relaxed);
        shared.turn.store(shared.turn.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// The turn has ended. Where another has taken this worker's place meanwhile, this waits until it is
    /// needed again.
    #[inline]
    pub(crate) fn end_turn(&self, worker: &Worker<T>) {
        let shared = &self.workers[worker.index];
        shared.turn.store(shared.turn.load(Ordering::Relaxed) + 1, Ordering::Release);
        if shared.state.load(Ordering::Relaxed) != state::ACTIVE {
            self.come_back(worker);
        }
    }

    #[cold]
    fn come_back(&self, worker: &Worker<T>) {
        let shared = &self.workers[worker.index];
        shared.shorten();
        let room = |active: usize| (active < self.places).then_some(active + 1);
        if self.active.fetch_update(Ordering::SeqCst, Ordering::SeqCst, room).is_ok() {
            shared.state.store(state::ACTIVE, Ordering::SeqCst);
            return;
        }
        while let Some(work) = self.take_next(worker).or_else(|| worker.deque.pop()) {
            self.injected.push(work);
        }
        self.wake_one();
        *shared.retired.lock() = Some(std::thread::current());
        shared.state.store(state::RETIRED, Ordering::SeqCst);
        while shared.state.load(Ordering::SeqCst) == state::RETIRED && !self.stopped.load(Ordering::SeqCst) {
            std::thread::park();
        }
    }

    /// The workers that are in a turn, stuck ones included.
    pub(crate) fn turns(&self) -> impl Iterator<Item = Turn> {
        let started = self.started.load(Ordering::Acquire);
        self.workers[..started].iter().enumerate().filter_map(|(worker, shared)| {
            let number = shared.turn.load(Ordering::Acquire);
            let (running, since) = (shared.running.load(Ordering::Acquire), shared.since.load(Ordering::Acquire));
            // A turn that ended meanwhile may have left the figures of another one there.
            let lasts = number % 2 == 1 && shared.turn.load(Ordering::Relaxed) == number;
            lasts.then_some(Turn { worker, number, running, since })
        })
    }

    /// How many turns have begun.
    pub(crate) fn turns_begun(&self) -> u64 {
        let started = self.started.load(Ordering::Acquire);
        self.workers[..started].iter().map(|shared| shared.turn.load(Ordering::Acquire).div_ceil(2)).sum()
    }

    /// Declares a worker stuck whose turn has lasted too long: what it was to run next is for others now.
    /// For the watchdog.
    pub(crate) fn rescue(&self, turn: Turn) {
        let shared = &self.workers[turn.worker];
        // Most often it was declared stuck before, and its process wakes nobody. Barriers interrupt everyone.
        let is_stuck = shared.state.load(Ordering::SeqCst) == state::STUCK;
        if is_stuck && shared.next.load(Ordering::SeqCst).is_null() {
            return self.wake_one(); // There may be something in its queue.
        }
        shared.rescue.store(true, Ordering::SeqCst);
        barrier::heavy();
        // If the turn still lasts, its worker will see `rescue` before it touches the slot without a fence.
        if shared.turn.load(Ordering::SeqCst) == turn.number {
            let was = shared.state.compare_exchange(state::ACTIVE, state::STUCK, Ordering::SeqCst, Ordering::SeqCst);
            if was.is_ok() {
                self.active.fetch_sub(1, Ordering::SeqCst);
            }
            if let Some(work) = NonNull::new(shared.next.swap(std::ptr::null_mut(), Ordering::SeqCst)) {
                self.injected.push(work);
            }
        }
        shared.rescue.store(false, Ordering::SeqCst);
        self.wake_one();
    }

    /// Lets everyone else's thread go first while this turn of a stuck worker lasts. For the watchdog.
    pub(crate) fn let_others_first(&self, turn: Turn) {
        let shared = &self.workers[turn.worker];
        if shared.state.load(Ordering::SeqCst) != state::STUCK {
            return;
        }
        if let Some(thread) = shared.thread.get() {
            thread.lengthen();
        }
        // If the turn still lasts, its worker undoes this when it comes back; if not, it may have come back before.
        if shared.turn.load(Ordering::SeqCst) != turn.number {
            shared.shorten();
        }
    }

    /// How many workers are missing.
    pub(crate) fn missing(&self) -> usize {
        self.places.saturating_sub(self.active.load(Ordering::SeqCst))
    }

    /// Puts a retired worker back to work. False if there is none: then a thread has to be started for
    /// another end, and [`Scheduler::joined`] be called.
    pub(crate) fn replace(&self) -> bool {
        let started = self.started.load(Ordering::Acquire);
        let retired = self.workers[..started].iter().find(|shared| {
            let (from, to) = (state::RETIRED, state::ACTIVE);
            shared.state.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
        });
        let Some(shared) = retired else { return false };
        self.active.fetch_add(1, Ordering::SeqCst);
        if let Some(thread) = shared.retired.lock().take() {
            thread.unpark();
        }
        true
    }

    /// One more worker has a thread, which is about to begin.
    pub(crate) fn joined(&self) {
        self.started.fetch_add(1, Ordering::SeqCst);
        self.active.fetch_add(1, Ordering::SeqCst);
    }
}
