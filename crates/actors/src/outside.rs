//! Between processes and what is none: work that blocks, and callers on plain threads and plain tokio tasks.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::current::running;
use crate::lock::Mutex;
use crate::message::{Down, Message};
use crate::node::Node;
use crate::pid::Pid;
use crate::process::spawn_monitor;
use crate::reason::{ExitReason, Panic};
use crate::runner::text_of;
use crate::stream::SinkInto;

/// Runs `work`, which may block, on a thread for such, and waits for what it returns.
///
/// `work` runs in no process: to send something from there, take a [`Node`] along. If the caller is killed or stops
/// waiting, it runs on, and what it returns is dropped.
///
/// # Errors
/// If `work` panics: [`ExitReason::Panic`] with the message, but without the place.
///
/// # Panics
/// Outside of a process.
///
/// ```
/// greenroom::run(async {
///     let text = greenroom::spawn_blocking(|| std::fs::read_to_string("/dev/null")).await.unwrap();
///     assert_eq!(text.unwrap(), "");
/// });
/// ```
#[track_caller]
pub fn spawn_blocking<F, T>(work: F) -> impl Future<Output = Result<T, ExitReason>> + Send
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let handle = running("spawn_blocking", |current, _, _| current.inner.tokio.spawn_blocking(work));
    async move {
        handle.await.map_err(|error| match error.try_into_panic() {
            Ok(payload) => {
                let message = text_of(&*payload);
                crate::mailbox::drop_quietly(payload);
                ExitReason::Panic(Arc::new(Panic { message, location: None }))
            }
            Err(_) => ExitReason::Shutdown, // The node is stopping.
        })
    }
}

/// What a process started by [`Node::run`] comes to.
#[must_use = "the process runs in any case, but this is how to learn what it returns"]
#[derive(Debug)]
pub struct Run<T> {
    outcome: oneshot::Receiver<Result<T, ExitReason>>,
}

impl<T> Future for Run<T> {
    type Output = Result<T, ExitReason>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = Pin::new(&mut self.outcome).poll(context);
        // Nobody will say anything only if the node has stopped.
        outcome.map(|told| told.unwrap_or(Err(ExitReason::Killed)))
    }
}

impl Node {
    /// Runs a future as a process; what this returns can be awaited anywhere: in a tokio task, in another
    /// executor, in a process of another node.
    ///
    /// If it is dropped, the process goes on. On a plain thread there is [`Node::block_on`].
    ///
    /// ```
    /// let node = greenroom::Node::builder().workers(1).start().unwrap();
    /// let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// let answer = tokio.block_on(async { node.run(async { greenroom::self_pid() }).await });
    /// assert!(answer.is_ok());
    /// ```
    ///
    /// # Errors
    /// Awaiting it gives the reason for which the process ended, if that was before it returned.
    #[track_caller]
    pub fn run<F>(&self, future: F) -> Run<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let (teller, outcome) = oneshot::channel();
        let value = Arc::new(Mutex::new(None));
        let kept = value.clone();
        let body = async move {
            let returned = future.await;
            *kept.lock() = Some(returned);
        };
        self.inner().spawn(Location::caller(), |_| (), async move {
            // Another process does the work, as only who watches learns in any case how it ends.
            let (_, watch) = spawn_monitor(body);
            let down = crate::receive! { down: Down if down.reference == watch => down };
            let returned = value.lock().take();
            // Whoever no longer waits does not want to know.
            let _ = teller.send(returned.ok_or(down.reason));
        });
        Run { outcome }
    }

    /// A sink whose items are sent to `to`, from anywhere.
    pub fn sink<T: Message>(&self, to: Pid) -> SinkInto<T> {
        self.inner().sink(to)
    }
}
