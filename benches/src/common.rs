//! What every contestant measures with: sizes, a gate that opens when all have passed, clocks and memory.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::sync::Notify;

/// Idle processes whose memory is weighed.
pub const IDLE: usize = 500_000;
/// Processes that are started and held.
pub const HELD: usize = 1_000_000;
/// Processes that are started and end.
pub const ENDED: usize = 1_000_000;
/// The same for peers that need many times as long: the figure is a rate.
pub const HEAVY: usize = 100_000;
/// Round trips of a ping-pong.
pub const ROUND_TRIPS: usize = 500_000;
/// Processes in a ring, and how often the token goes round.
pub const RING: usize = 10_000;
/// Laps of the token.
pub const LAPS: usize = 100;
/// Senders of a fan-in, and the messages of each.
pub const SENDERS: usize = 8;
/// Messages of each sender.
pub const ITEMS: usize = 200_000;
/// Processes started, watched and seen to end, one after the other.
pub const SEQUENCE: usize = 200_000;
/// Processes that are killed one by one.
pub const KILLED: usize = 2_000;
/// Messages that wait while others are picked by reference.
pub const BACKLOG: usize = 500_000;
/// Calls made past a backlog, for at most [`PATIENCE`].
pub const CALLS: usize = 20_000;
/// Calls of a server past a backlog, for as long.
pub const ASKED: usize = 200_000;
/// How long one trial tries for the whole of its work, in seconds.
pub const PATIENCE: f64 = 3.0;
/// Linked processes that die together.
pub const LINKED: usize = 100_000;
/// Inputs of a stream of tasks.
pub const STREAMED: u64 = 100_000;
/// Processes that never let others run, and for how long, in milliseconds.
pub const RUNAWAYS: usize = 40;
/// How long a ticker is watched beside them.
pub const RUNAWAY_MS: u64 = 2_000;

/// Restarts that a supervisor tolerates within a second, and supervisors that are used up.
pub const RESTARTS: usize = 500;
/// How many supervisors are used up, one after the other.
pub const SUPERVISORS: usize = 100;
/// Supervisors below the root of a tree, and the workers of each.
pub const BRANCHES: usize = 100;
/// Workers of each.
pub const LEAVES: usize = 1_000;

/// Opens when as many as were announced have passed.
pub struct Gate {
    missing: AtomicUsize,
    open: Notify,
}

impl Gate {
    /// A gate for so many. It is never freed, so that nobody has to count who refers to it: that would cost those more
    /// who run on several threads.
    pub fn new(count: usize) -> &'static Self {
        Box::leak(Box::new(Gate { missing: AtomicUsize::new(count), open: Notify::new() }))
    }

    /// One more has passed.
    pub fn pass(&self) {
        if self.missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.open.notify_one();
        }
    }

    /// Waits until all have.
    pub async fn opened(&self) {
        self.open.notified().await;
    }
}

/// Passes its gate when it is dropped.
pub struct Passing(pub &'static Gate);

impl Drop for Passing {
    fn drop(&mut self) {
        self.0.pass();
    }
}

/// How many a second, the second time: the first time touches the memory.
pub async fn rate<F: Future<Output = ()>>(count: usize, mut work: impl FnMut() -> F) -> f64 {
    work().await;
    let start = Instant::now();
    work().await;
    count as f64 / start.elapsed().as_secs_f64()
}

/// Bytes of this operating-system process that are in memory.
pub fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or(f64::NAN) * 4096.0
}

/// The value that a share of all do not exceed.
pub fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (values.len() as f64 * share) as usize;
    values.get(index.min(values.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// The value in the middle.
pub fn median(values: &[f64]) -> f64 {
    quantile(values.to_vec(), 0.5)
}

/// Microseconds since then.
pub fn micros(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values = || (1..=100).map(f64::from).collect();
        assert_eq!(quantile(values(), 0.5), 51.0);
        assert_eq!(quantile(values(), 0.99), 100.0);
        assert_eq!(quantile(vec![7.0], 1.0), 7.0);
        assert!(quantile(Vec::new(), 0.5).is_nan());
    }
}
