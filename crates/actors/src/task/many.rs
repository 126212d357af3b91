//! Waiting for several tasks at once.

use std::fmt;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::tie::{self, Outcome};
use super::{Task, time_out};
use crate::current::running;
use crate::mailbox::Cursor;
use crate::pid::Ref;
use crate::process::exit_self;
use crate::receive::select_from;

/// Waits for the values of several tasks, for no longer than `timeout` in all, and returns them in the order of the
/// tasks.
///
/// If one ends without a value, or the time is up, so does the waiting process.
///
/// # Panics
/// When polled by another process than the one that started the tasks.
///
/// ```
/// use std::time::Duration;
/// use greenroom::{Task, task};
///
/// greenroom::run(async {
///     let tasks = (1..=3_u64).map(|n| Task::spawn(async move { n * n }));
///     assert_eq!(task::await_many(tasks, Duration::from_secs(5)).await, [1, 4, 9]);
/// });
/// ```
pub async fn await_many<T>(tasks: impl IntoIterator<Item = Task<T>>, timeout: Duration) -> Vec<T>
where
    T: fmt::Debug + Send + 'static,
{
    let mut tasks: Vec<Task<T>> = tasks.into_iter().collect();
    let mut values: Vec<Option<T>> = tasks.iter().map(|_| None).collect();
    gather(&mut tasks, timeout, |index, outcome| match outcome {
        Ok(value) => values[index] = Some(value),
        Err(reason) => exit_self(reason),
    })
    .await;
    match tasks.iter().find(|task| !task.is_over) {
        None => values.into_iter().flatten().collect(),
        Some(late) => exit_self(time_out(late.pid, timeout)),
    }
}

/// Waits for at most `timeout` for what comes of several tasks, and returns that in their order: `None` for those of
/// which nothing has come yet. Elixir's `yield_many`.
///
/// # Panics
/// When polled by another process than the one that started the tasks.
pub async fn poll_many<T>(tasks: &mut [Task<T>], timeout: Duration) -> Vec<Option<Outcome<T>>>
where
    T: fmt::Debug + Send + 'static,
{
    let mut outcomes: Vec<Option<Outcome<T>>> = tasks.iter().map(|_| None).collect();
    gather(tasks, timeout, |index, outcome| outcomes[index] = Some(outcome)).await;
    outcomes
}

/// Tells `each` what comes of which task, until nothing more can come or the time is up.
async fn gather<T>(tasks: &mut [Task<T>], timeout: Duration, mut each: impl FnMut(usize, Outcome<T>))
where
    T: fmt::Debug + Send + 'static,
{
    let now = || running("a task", |current, _, _| current.inner.now());
    let mut waiting: FxHashMap<Ref, usize> = FxHashMap::default();
    for (index, task) in tasks.iter().enumerate().filter(|(_, task)| !task.is_over) {
        task.assert_mine();
        waiting.insert(task.order.reference, index);
    }
    let until = now().saturating_add(timeout);
    let mut cursor = Cursor::default();
    while !waiting.is_empty() {
        let wanted = &mut |message: &mut crate::receive::Candidate<'_>| {
            tie::wanted(message, |reference| waiting.contains_key(&reference))
        };
        let left = until.saturating_sub(now());
        let Some((arm, received)) = select_from(&mut cursor, wanted, Some(left)).await else { return };
        let (reference, outcome) = tie::read::<T>(arm, received);
        let Some(index) = waiting.remove(&reference) else { unreachable!("only what is waited for is wanted") };
        tasks[index].is_over = true;
        if let Err(reason) = &outcome {
            tie::bury(tasks[index].pid, tasks[index].order.mark, reason);
        }
        each(index, outcome);
    }
}
