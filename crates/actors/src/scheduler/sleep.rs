//! How workers sleep when there is nothing to do, and who wakes them: one at a time, who then wakes the next. While all
//! of them sleep, the watchdog does, too.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{LOOKS, Scheduler, Worker};

impl<T> Scheduler<T> {
    /// Sleeps until there may be something; `roused` is called before anything is run if the watchdog slept, too.
    pub(super) fn sleep(&self, worker: &Worker<T>, roused: impl Fn()) {
        if self.look_out() {
            return;
        }
        self.searching.store(false, Ordering::SeqCst);
        *self.workers[worker.index].sleeper.lock() = Some(std::thread::current());
        self.asleep.fetch_add(1, Ordering::SeqCst);
        // What is queued after this look finds `asleep` raised and wakes someone.
        if !self.has_work() && !self.stopped.load(Ordering::SeqCst) {
            std::thread::park();
        }
        self.asleep.fetch_sub(1, Ordering::SeqCst);
        *self.workers[worker.index].sleeper.lock() = None;
        // Whoever else wakes meanwhile either finds this raised, or what `roused` does done.
        if self.dozing.load(Ordering::SeqCst) {
            roused();
            if self.dozing.swap(false, Ordering::SeqCst)
                && let Some(watchdog) = self.watchdog.get()
            {
                watchdog.unpark();
            }
        }
    }

    /// Sleeps until a worker wakes, but no longer than `most`. False if one is awake: then it has not slept. For the
    /// watchdog, to which the last words of [`Scheduler::sleep`] hold, too.
    pub(crate) fn doze(&self, most: Duration, roused: impl Fn()) -> bool {
        self.watchdog.get_or_init(std::thread::current);
        self.dozing.store(true, Ordering::SeqCst);
        // A worker that wakes after this look finds `dozing` raised.
        let all_sleep = self.asleep.load(Ordering::SeqCst) == self.active.load(Ordering::SeqCst);
        if all_sleep {
            std::thread::park_timeout(most);
        }
        roused();
        self.dozing.store(false, Ordering::SeqCst);
        all_sleep
    }

    /// Looks for work a little longer before it is worth to sleep: to be woken takes tens of microseconds on a machine
    /// that has nothing else to do, and an answer is often there by then. One worker does so at a time; it counts as
    /// one that is on its way. True if there is something, or everything stops.
    fn look_out(&self) -> bool {
        if self.looking_out.swap(true, Ordering::SeqCst) {
            return false;
        }
        self.searching.store(true, Ordering::SeqCst);
        let found = (0..LOOKS).any(|_| {
            std::thread::yield_now(); // Whoever else wants the processor goes first.
            self.has_work() || self.is_stopped()
        });
        self.looking_out.store(false, Ordering::SeqCst);
        found
    }

    /// Wakes a sleeping worker, unless one is already on its way.
    pub(crate) fn wake_one(&self) {
        std::sync::atomic::fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) == 0 || self.searching.swap(true, Ordering::SeqCst) {
            return;
        }
        let started = self.started.load(Ordering::Acquire);
        let sleeper = self.workers[..started].iter().find_map(|worker| worker.sleeper.lock().take());
        match sleeper {
            Some(thread) => thread.unpark(),
            None => self.searching.store(false, Ordering::SeqCst),
        }
    }

    /// To be called by a worker that found work: others may be woken again.
    #[inline]
    pub(crate) fn found_work(&self) {
        if self.searching.load(Ordering::Relaxed) {
            self.searching.store(false, Ordering::SeqCst);
            if self.has_work() {
                self.wake_one();
            }
        }
    }
}
