//! Asking another process for a value: a task that computes one, and a call that waits for an answer.

use std::any::Any;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;

use crate::message::{Answer, Call, Down, Value};
use crate::pid::{Pid, Ref};
use crate::process::{demonitor_flush, monitor, self_pid, send, spawn_task};
use crate::reason::ExitReason;
use crate::receive;
use crate::receive::{Mark, mark};

/// A process that computes a value for the one that started it, and is linked to it.
///
/// ```
/// use greenroom::Task;
///
/// greenroom::run(async {
///     let task = Task::spawn(async { 6 * 7 });
///     assert_eq!(task.await, 42);
/// });
/// ```
#[derive(Debug)]
#[must_use = "a task does its work for a value: await it"]
pub struct Task<T> {
    pid: Pid,
    reference: Ref,
    owner: Pid,
    mark: Mark,
    _value: PhantomData<fn() -> T>,
}

impl<T: fmt::Debug + Send + 'static> Task<T> {
    /// Starts a task. If it crashes, so does the process that started it, unless that traps exits.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn spawn<F>(future: F) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (mark, reference, owner) = (mark(), Ref::new(), self_pid());
        let pid = spawn_task(reference, async move {
            let value = future.await;
            reply(owner, reference, value);
        });
        Task { pid, reference, owner, mark, _value: PhantomData }
    }

    /// The process that works on it.
    pub fn pid(&self) -> Pid {
        self.pid
    }
}

impl<T: fmt::Debug + Send + 'static> IntoFuture for Task<T> {
    type Output = T;
    type IntoFuture = Pin<Box<dyn Future<Output = T> + Send>>;

    /// Waits for the value. If the task ends without one, so does the waiting process, for the same reason.
    ///
    /// # Panics
    /// When awaited by another process than the one that started the task.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            assert!(
                self.owner == self_pid(),
                "a task is awaited by the process that started it: {}, not {}",
                self.owner,
                self_pid()
            );
            match result_of(self.reference, self.mark).await {
                Ok(value) => value,
                Err(reason) => crate::process::exit_self(reason),
            }
        })
    }
}

/// Waits for the answer with this reference, which is also that of a monitor on whoever gives it.
pub(crate) async fn result_of<A: Any>(reference: Ref, mark: Mark) -> Result<A, ExitReason> {
    let answer = receive! {
        since mark;
        answer: Answer if answer.reference == reference => answer,
        down: Down if down.reference == reference => return Err(down.reason),
    };
    demonitor_flush(reference).await;
    let value: Box<dyn Any> = answer.value;
    match value.downcast::<A>() {
        Ok(value) => Ok(*value),
        Err(_) => unreachable!("the answer to a request has the type that the request says"),
    }
}

/// Sends a request and waits for the answer.
///
/// # Errors
/// The reason for which the server ended, or `NoProc`, if it did before it answered.
pub(crate) async fn call<Q: Value, A: Any>(server: Pid, request: Q) -> Result<A, ExitReason> {
    let (mark, reference) = (mark(), monitor(server));
    send(server, Call { from: self_pid(), reference, request: Box::new(request) });
    result_of(reference, mark).await
}

/// Answers a request. Whoever answers and then ends is not worth a DOWN message: the monitor is over.
pub(crate) fn reply<A: Value>(to: Pid, reference: Ref, answer: A) {
    crate::process::dismiss_watcher(reference);
    send(to, Answer { reference, value: Box::new(answer) });
}
