//! The threads of a node: how they start, and how they end.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::core::Inner;
use crate::lock::Mutex;
use crate::scheduler::Worker;
use crate::slot::Slot;

/// The threads of a node, which end when this is dropped.
pub(super) struct Life {
    inner: Arc<Inner>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    tokio: Mutex<Option<tokio::runtime::Runtime>>,
}

impl Life {
    /// Starts the threads that a node has: one that keeps the time, its workers, and one that watches over these. If one
    /// cannot be had, those before it end.
    pub(super) fn start(
        inner: &Arc<Inner>,
        tokio: tokio::runtime::Runtime,
        ends: Vec<Worker<Slot>>,
    ) -> std::io::Result<Life> {
        let workers = inner.scheduler.workers();
        let life = Life { inner: inner.clone(), threads: Mutex::default(), tokio: Mutex::new(Some(tokio)) };
        let keeper = inner.clone();
        life.start_thread("greenroom-timer".to_owned(), move || crate::runner::keep_time(&keeper))?;
        let mut ends = ends.into_iter();
        for end in ends.by_ref().take(workers) {
            life.threads.lock().push(start_worker(inner, end)?);
        }
        let watched = inner.clone();
        life.start_thread("greenroom-watchdog".to_owned(), move || {
            let spares = crate::watchdog::watch(&watched, ends, |end| start_worker(&watched, end));
            wait_for(spares);
        })?;
        Ok(life)
    }

    fn start_thread(&self, name: String, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        let thread = std::thread::Builder::new().name(name).spawn(work)?;
        self.threads.lock().push(thread);
        Ok(())
    }

    pub(super) fn end(&self) {
        self.inner.end_all();
        self.inner.scheduler.stop();
        self.inner.timers.stop();
        *self.inner.router.write() = None; // It holds the node.
        let myself = std::thread::current().id();
        let threads = std::mem::take(&mut *self.threads.lock());
        if !threads.iter().any(|thread| thread.thread().id() == myself) {
            for thread in &threads {
                thread.thread().unpark(); // The watchdog may be between two looks.
            }
            wait_for(threads);
        }
        if let Some(tokio) = self.tokio.lock().take() {
            tokio.shutdown_background();
        }
    }
}

/// Starts the thread of a worker.
fn start_worker(inner: &Arc<Inner>, end: Worker<Slot>) -> std::io::Result<JoinHandle<()>> {
    let inner = inner.clone();
    std::thread::Builder::new().name("greenroom-worker".to_owned()).spawn(move || crate::runner::work(&inner, &end))
}

/// Waits until threads have ended; but not for ever: a process that never lets go keeps its thread.
fn wait_for(threads: Vec<JoinHandle<()>>) {
    let patience = Instant::now() + LAST_TURNS;
    for thread in threads {
        while !thread.is_finished() && Instant::now() < patience {
            std::thread::park_timeout(Duration::from_micros(200));
        }
        if thread.is_finished() {
            // A thread of ours does not panic; if one did, its hook has said so.
            let _ = thread.join();
        }
    }
}

/// How long the last turns of processes may take when a node stops.
const LAST_TURNS: Duration = Duration::from_secs(2);

impl Drop for Life {
    fn drop(&mut self) {
        self.end();
    }
}
