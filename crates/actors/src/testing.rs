//! Tests of processes: each on a node of its own, with a clock that it drives by hand, and a bound on real time.

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::clock::Clock;
use crate::node::Node;

/// How long a test may take in real time before it counts as one that hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// How many processes are shown of a test that hangs.
const SHOWN: usize = 20;

/// Runs a test as the first process of a new node with two workers and a [`Clock`] that only the test moves.
///
/// Returns what the test returns.
///
/// # Panics
/// With the test's panic, or with a list of its processes if it takes longer than [`PATIENCE`].
///
/// ```
/// use std::time::Duration;
/// use greenroom::{receive_timeout, sleep, spawn_monitor, testing};
/// use greenroom::message::Down;
///
/// testing::run(|clock| async move {
///     spawn_monitor(sleep(Duration::from_secs(3600)));
///     clock.pass(Duration::from_secs(3599)).await;
///     assert!(receive_timeout::<Down>(Duration::ZERO).await.is_none());
///     clock.pass(Duration::from_secs(1)).await;
///     assert!(receive_timeout::<Down>(Duration::ZERO).await.is_some());
/// });
/// ```
pub fn run<F>(test: impl FnOnce(Clock) -> F) -> F::Output
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    run_within(PATIENCE, test)
}

/// The same with another bound on real time.
///
/// # Panics
/// As for [`run`].
pub fn run_within<F>(patience: Duration, test: impl FnOnce(Clock) -> F) -> F::Output
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let node = match Node::builder().workers(2).manual_clock().start() {
        Ok(node) => node,
        Err(error) => panic!("a node for the test could not be started: {error}"),
    };
    let test = test(node.clock());
    let (done, finished) = mpsc::channel::<()>();
    let observed = node.downgrade();
    let runner = std::thread::spawn(move || {
        let _done = done; // Dropped when the test is over, however it ends.
        let output = node.block_on(test);
        node.shutdown();
        output
    });
    if finished.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
        let all = observed.list();
        let shown: Vec<_> = all.iter().take(SHOWN).filter_map(|pid| observed.info(*pid)).collect();
        observed.shutdown();
        panic!("the test hangs after {patience:?}; {} of its {} processes: {shown:#?}", shown.len(), all.len());
    }
    runner.join().unwrap_or_else(|payload| resume_unwind(payload))
}
