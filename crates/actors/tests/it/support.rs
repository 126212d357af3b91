//! What the tests share: nodes to run on, and ways to wait for what happens.

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use greenroom::message::{Down, Exit};
use greenroom::process::Totals;
use greenroom::reason::{Outcome, Panic};
use greenroom::{
    Clock, ExitReason, Message, Node, NodeBuilder, Pid, Ref, monitor, receive, receive_timeout, self_pid, spawn_monitor,
};

/// How long a test may take before it counts as one that hangs.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Runs a test on a node with several workers.
pub fn on_node<F>(test: F) -> F::Output
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    on(&Node::builder().workers(4).start().unwrap(), test)
}

/// The same, for tests in which processes are meant to panic.
pub fn on_quiet_node<F>(test: F) -> F::Output
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let (_shown_if_it_fails, note) = panics();
    on(&Node::builder().workers(4).on_panic(note).start().unwrap(), test)
}

/// Runs a test on this node, and shows what its processes do if it hangs.
pub fn on<F>(node: &Node, test: F) -> F::Output
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let (done, finished) = mpsc::channel();
    let runs_on = node.clone();
    let runner = std::thread::spawn(move || {
        let output = runs_on.block_on(test);
        let _ = done.send(());
        output
    });
    if finished.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        let processes: Vec<_> = node.list().into_iter().take(20).filter_map(|pid| node.info(pid)).collect();
        eprintln!(
            "{} hangs; these are some of its processes: {processes:#?}",
            std::thread::current().name().unwrap_or_default()
        );
        std::process::exit(1);
    }
    runner.join().unwrap_or_else(|payload| resume_unwind(payload))
}

/// Runs a test with a clock that it drives by hand, and sees to it that nothing of it is left: no other process, link,
/// monitor or message when it is done; no timer or name when its process is gone.
pub fn leaving_nothing<F>(test: impl FnOnce(Clock) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (_shown_if_it_fails, note) = panics();
    let node = Node::builder().workers(2).manual_clock().on_panic(note).start().unwrap();
    let test = test(node.clock());
    on(&node, async move {
        test.await;
        nothing_is_left().await;
    });
    node.shutdown();
    assert_eq!((node.timers(), node.registered()), (0, vec![]), "timers or names are left");
}

/// Runs a test on a node of its own, and makes sure that nothing of it is left: no process, so no link, no name, no
/// timer.
pub fn clean<F>(test: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    leave_nothing(Node::builder(), |_| test);
}

/// The same with a clock that only the test moves.
pub fn by_clock<F>(test: impl FnOnce(Clock) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    leave_nothing(Node::builder().manual_clock(), test);
}

fn leave_nothing<F>(node: NodeBuilder, test: impl FnOnce(Clock) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (_shown_if_it_fails, note) = panics();
    let node = node.workers(4).on_panic(note).start().unwrap();
    on(&node, test(node.clock()));
    // The supervisors end with the test's process, and their children with them.
    let start = Instant::now();
    let left = || {
        let Totals { processes, names, timers, .. } = node.totals();
        (processes, names, timers)
    };
    while left() != (0, 0, 0) {
        assert!(start.elapsed() < PATIENCE, "processes, names, timers: {:?}", left());
        std::thread::yield_now();
    }
}

/// Keeps quiet about the panics of a node, unless one of them was the test's: then it shows all of them.
#[derive(Default)]
pub struct Panics(Arc<Mutex<Vec<Panic>>>);

/// What to hold for as long as the test takes, and what to hand to [`greenroom::NodeBuilder::on_panic`].
pub fn panics() -> (Panics, impl Fn(&Panic) + Send + Sync + 'static) {
    let panics = Panics::default();
    let seen = panics.0.clone();
    (panics, move |panic: &Panic| seen.lock().unwrap().push(panic.clone()))
}

impl Drop for Panics {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("these panicked: {:#?}", self.0.lock().unwrap());
        }
    }
}

/// How a process that is monitored already ends.
pub async fn end_of((_, watch): (Pid, Ref)) -> ExitReason {
    receive! { down: Down if down.reference == watch => down.reason }
}

/// How a new process ends.
pub async fn end_of_new<F>(future: F) -> ExitReason
where
    F: Future<Output: Outcome> + Send + 'static,
{
    end_of(spawn_monitor(future)).await
}

/// Waits until a process is gone, however it ends.
pub async fn gone(pid: Pid) {
    let watch = monitor(pid);
    receive! { down: Down if down.reference == watch => drop(down) }
}

/// The next exit signal that became a message.
pub async fn next_exit() -> (Pid, ExitReason) {
    let exit = receive::<Exit>().await;
    (exit.from, exit.reason)
}

/// Whether a message of this type is in the mailbox now; takes it.
pub async fn has<M: Message>() -> bool {
    receive_timeout::<M>(Duration::ZERO).await.is_some()
}

/// A body that waits until it is ended.
pub async fn forever() {
    receive! { never: Never => match never {} }
}

/// A message that there is none of.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub enum Never {}

/// Makes sure that everything this process has sent to `pid` by now has been handled there, if that is
/// a process that answers [`Ping`] in order.
pub async fn round_trip(pid: Pid) {
    greenroom::send(pid, Ping(self_pid()));
    receive::<Pong>().await;
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Ping(pub Pid);
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Pong;

/// A body that answers every [`Ping`].
pub async fn echo() {
    loop {
        let Ping(from) = receive::<Ping>().await;
        greenroom::send(from, Pong);
    }
}

pub fn other(text: &str) -> ExitReason {
    ExitReason::from(text)
}

/// Makes sure that the running process is alone, with an empty mailbox.
pub async fn nothing_is_left() {
    // What has done its work may be about to end; what has not hangs this test.
    while greenroom::process::list() != [self_pid()] {
        greenroom::yield_now().await;
    }
    let info = greenroom::process::info(self_pid()).unwrap();
    assert_eq!((info.links, info.monitors, info.monitored_by, info.message_queue_len), (vec![], vec![], vec![], 0));
}
