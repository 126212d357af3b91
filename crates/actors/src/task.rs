//! Tasks: processes that compute a value for the one that started them.
//!
//! A task is awaited like any future, by the process that started it:
//!
//! ```
//! use greenroom::Task;
//!
//! greenroom::run(async {
//!     let task = Task::spawn(async { 6 * 7 });
//!     assert_eq!(task.await, 42);
//! });
//! ```
//!
//! | Elixir | here | |
//! |---|---|---|
//! | `Task.async` | [`Task::spawn`] | linked: if it crashes, so does the process that waits for it |
//! | `Task.Supervisor.async_nolink` | [`Task::spawn_nolink`] | only [`Task::outcome`] and the like tell of a crash |
//! | `Task.start_link`, `Task.start` | [`spawn_link`](crate::spawn_link), [`spawn`](crate::spawn()) | for its effect, without a value |
//! | `Task.await` | `task.await`, [`Task::within`] | the second ends the waiting process when the time is up |
//! | `Task.await_many` | [`await_many`] | |
//! | `Task.yield`, `Task.yield_many` | [`Task::poll_for`], [`poll_many`] | nothing, or what has come of it |
//! | `Task.shutdown` | [`Task::shutdown`], [`Task::kill`] | |
//! | `Task.ignore` | [`Task::ignore`], or dropping it | |
//! | `Task.async_stream` | [`async_stream`] | |
//!
//! Differs from Elixir: without a time given, an await has no limit, as everything else that is awaited in Rust.
//! A task that was awaited leaves nothing in the mailbox, not even the `Exit` message of its link if the process traps
//! exits, and neither does one that is dropped without being awaited: it runs on, but its value is dropped.
//! A late answer never arrives.

mod many;
mod stream;
mod tie;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::time::Duration;

use crate::current::{Current, running};
use crate::pid::Pid;
use crate::process::{exit, exit_self, self_pid, unlink};
use crate::reason::ExitReason;
use crate::receive::{Candidate, drop_messages, select_since};

pub use many::{await_many, poll_many};
pub use stream::{AsyncStream, Failed, OnTimeout, Why, async_stream};
pub(crate) use tie::{Order, Tie};

/// A process that computes a value for the one that started it: see the [module](self).
///
/// Only that process can wait for it; another panics. Dropping it does not stop it: its value is dropped, too, unless
/// another process drops it, which cannot take out of the first one's mailbox what has come already.
#[must_use = "a task does its work for a value: await it, or ignore it"]
pub struct Task<T> {
    pid: Pid,
    order: Order,
    /// Whether its value was taken, or it was given up.
    is_over: bool,
    _value: PhantomData<fn() -> T>,
}

impl<T: fmt::Debug + Send + 'static> Task<T> {
    /// Starts a task that is linked to the running process: if one crashes, so does the other, unless that traps
    /// exits.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn spawn<F>(future: F) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        Task::start(Tie::Linked, future)
    }

    /// Starts a task that is not linked: its crash leaves the running process alone until that awaits it, and the
    /// task outlives the running process.
    ///
    /// ```
    /// use greenroom::{ExitReason, Task, exit_self};
    ///
    /// greenroom::run(async {
    ///     let task: Task<u32> = Task::spawn_nolink(async { exit_self("no luck") });
    ///     assert_eq!(task.outcome().await, Err(ExitReason::from("no luck")));
    /// });
    /// ```
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn spawn_nolink<F>(future: F) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        Task::start(Tie::Watched, future)
    }

    #[track_caller]
    fn start<F>(tie: Tie, future: F) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (at, order) = (Location::caller(), Order::new(tie));
        let pid = running("Task::spawn", |current, _, _| {
            let inner = current.inner;
            inner.spawn(at, |child| order.adopt(inner, child), order.carry_out(future))
        });
        Task::from_order(order, pid)
    }

    /// The handle of a task that someone has started for the running process: with `order.carry_out(…)`, and
    /// `order.adopt(…)` before it ran.
    pub(crate) fn from_order(order: Order, pid: Pid) -> Self {
        Task { pid, order, is_over: false, _value: PhantomData }
    }

    /// The process that works on it.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Waits for the value, but no longer than `timeout`: then the waiting process ends, and with it the task, if
    /// they are linked. OTP's `await` with a time-out.
    ///
    /// # Panics
    /// When awaited by another process than the one that started the task.
    pub async fn within(mut self, timeout: Duration) -> T {
        match self.settle(Some(timeout)).await {
            Some(Ok(value)) => value,
            Some(Err(reason)) => exit_self(reason),
            None => exit_self(time_out(self.pid, timeout)),
        }
    }

    /// Waits until the task has ended, and says how.
    ///
    /// # Errors
    /// The reason for which it ended without a value. If it is linked, the running process gets to see that only if it
    /// traps exits.
    ///
    /// # Panics
    /// When awaited by another process than the one that started the task.
    pub async fn outcome(mut self) -> Result<T, ExitReason> {
        match self.settle(None).await {
            Some(outcome) => outcome,
            None => unreachable!("a wait without a time-out does not time out"),
        }
    }

    /// Waits for at most `timeout` for what comes of the task: its value, or the reason for which it ended without
    /// one. `None` if nothing has come yet; then it can be waited for again. Elixir's `yield`.
    ///
    /// Once something was returned, nothing comes any more: `None` at once.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it has taken nothing.
    ///
    /// # Panics
    /// When awaited by another process than the one that started the task.
    ///
    /// ```
    /// use std::time::Duration;
    /// use greenroom::{Task, receive, send};
    ///
    /// greenroom::run(async {
    ///     let mut task = Task::spawn(async { receive::<u32>().await + 1 });
    ///     assert_eq!(task.poll_for(Duration::ZERO).await, None);
    ///     send(task.pid(), 1_u32);
    ///     assert_eq!(task.poll_for(Duration::from_secs(5)).await, Some(Ok(2)));
    /// });
    /// ```
    pub async fn poll_for(&mut self, timeout: Duration) -> Option<Result<T, ExitReason>> {
        if self.is_over {
            return None;
        }
        self.settle(Some(timeout)).await
    }

    /// Asks the task to end, and kills it when it has not after `patience`. When this returns, it has ended.
    ///
    /// Returns what has come of it all the same: a value that was on its way, or the reason for which it ended, if
    /// that is another than the one that it was given. A running process that is linked to it does not die of this.
    ///
    /// # Panics
    /// When awaited by another process than the one that started the task.
    pub async fn shutdown(self, patience: Duration) -> Option<Result<T, ExitReason>> {
        self.stop(ExitReason::Shutdown, patience).await
    }

    /// Kills the task; otherwise as [`Task::shutdown`].
    ///
    /// # Panics
    /// When awaited by another process than the one that started the task.
    pub async fn kill(self) -> Option<Result<T, ExitReason>> {
        self.stop(ExitReason::Kill, Duration::MAX).await
    }

    async fn stop(mut self, reason: ExitReason, patience: Duration) -> Option<Result<T, ExitReason>> {
        if self.is_over {
            return None;
        }
        self.assert_mine();
        self.part();
        exit(self.pid, reason.clone());
        let mut outcome = self.settle(Some(patience)).await;
        if outcome.is_none() {
            exit(self.pid, ExitReason::Kill);
            outcome = self.settle(None).await;
        }
        outcome.filter(|outcome| match outcome {
            Ok(_) => true,
            Err(ended) => *ended != reason && *ended != ExitReason::Killed,
        })
    }

    /// Lets the task go on by itself: they are not linked any more, and its value will be dropped. Returns what has
    /// come of it already.
    ///
    /// # Panics
    /// When awaited by another process than the one that started the task.
    pub async fn ignore(mut self) -> Option<Result<T, ExitReason>> {
        if self.is_over {
            return None;
        }
        self.assert_mine();
        self.part();
        if self.give_up() { None } else { self.settle(Some(Duration::ZERO)).await }
    }

    /// Waits for what comes of it; `None` when the time is up.
    async fn settle(&mut self, timeout: Option<Duration>) -> Option<Result<T, ExitReason>> {
        self.assert_mine();
        assert!(!self.is_over, "the value of the task {} was taken before", self.pid);
        let Order { reference, mark, .. } = self.order;
        let mut is_wanted = |message: &mut Candidate<'_>| tie::wanted(message, |of| of == reference);
        let (arm, received) = select_since(mark, &mut is_wanted, timeout).await?;
        self.is_over = true;
        let (_, outcome) = tie::read::<T>(arm, received);
        if let Err(reason) = &outcome {
            tie::bury(self.pid, mark, reason);
        }
        Some(outcome)
    }
}

impl<T> Task<T> {
    fn assert_mine(&self) {
        let (owner, myself) = (self.order.owner, self_pid());
        assert!(owner == myself, "a task is awaited by the process that started it: {owner}, not {myself}");
    }

    /// Removes the link. For the running process, which is the owner.
    fn part(&self) {
        unlink(self.pid);
        tie::drop_exits(self.order.mark, |from| from == self.pid);
    }

    /// Makes sure that nothing comes of the task any more; false if something has come.
    fn give_up(&mut self) -> bool {
        let Order { owner, reference, .. } = self.order;
        let gave_up = |current: Option<&Current<'_>>| {
            current.is_some_and(|current| current.inner.id == owner.node && current.inner.demonitor(owner, reference))
        };
        self.is_over = Current::with(gave_up);
        self.is_over
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        // What has come already is in the mailbox, which only its owner can reach.
        if !self.is_over && !self.give_up() {
            let reference = self.order.reference;
            drop_messages(self.order.mark, |message| tie::wanted(message, |of| of == reference).is_some());
        }
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").field(&self.pid).finish()
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
            match self.outcome().await {
                Ok(value) => value,
                Err(reason) => exit_self(reason),
            }
        })
    }
}

/// Why a process ends that has waited for a task for too long.
fn time_out(task: Pid, timeout: Duration) -> ExitReason {
    format!("the task {task} took longer than {timeout:?}").into()
}
