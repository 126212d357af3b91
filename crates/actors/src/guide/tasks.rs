//! Tasks and agents: values that are computed, and values that are kept.
//!
//! A [`Task`](crate::Task) computes one value for the process that started it:
//!
//! ```
//! use greenroom::Task;
//!
//! greenroom::run(async {
//!     let (left, right) = (Task::spawn(async { 6 }), Task::spawn(async { 7 }));
//!     assert_eq!(left.await * right.await, 42);
//! });
//! ```
//!
//! It is linked, so that neither goes on without the other. [`Task::spawn_nolink`](crate::Task::spawn_nolink) is for
//! what may fail, and [`outcome`](crate::Task::outcome) tells how it went. A task that others start on behalf of
//! somebody else belongs to a [`TaskSupervisor`](crate::supervisor::TaskSupervisor).
//!
//! # Many inputs
//! [`async_stream`](crate::task::async_stream) runs one for each, so many at a time, and gives the values in order:
//!
//! ```
//! use greenroom::task;
//!
//! greenroom::run(async {
//!     let mut squares = task::async_stream(1..=4_u64, |n| async move { n * n }).max_concurrency(2);
//!     let mut sum = 0;
//!     while let Some(square) = squares.next().await {
//!         sum += square.unwrap();
//!     }
//!     assert_eq!(sum, 30);
//! });
//! ```
//!
//! # Agents
//! An [`Agent`](crate::Agent) keeps a value that others look at and change with closures. They run in the agent, one
//! after the other, so that a change that depends on the value is not lost:
//!
//! ```
//! use greenroom::{Agent, Task, task};
//! use std::time::Duration;
//!
//! greenroom::run(async {
//!     let tally = Agent::start_link(|| 0_u32).await.unwrap();
//!     let voters = (0..10).map(|_| Task::spawn(async move { tally.update(|n| *n += 1).await.unwrap() }));
//!     task::await_many(voters.collect::<Vec<_>>(), Duration::from_secs(5)).await;
//!     assert_eq!(tally.get(|n| *n).await, Ok(10));
//! });
//! ```
//!
//! # Where it differs from OTP
//! - Both are Elixir's. An await has no limit unless it is given one, with [`within`](crate::Task::within).
//! - What was awaited or given up leaves nothing in the mailbox.
//! - Closures do not travel, so an agent serves its own node.
//!
//! More: [`task`](crate::task), [`agent`](crate::agent). Next: [names, registries and groups](super::naming).
