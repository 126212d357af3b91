//! Recording the conversation that a future takes part in.

use std::sync::Arc;

use crate::current::running;
use crate::trace::{Recorder, Serial, Token, Trace};

/// Runs a future and records the conversation that it takes part in: what the running process and
/// everyone that it starts or talks to send each other, until the future is done.
///
/// ```
/// use greenroom::{self_pid, send, spawn, receive};
///
/// let (answer, trace) = greenroom::run(async {
///     greenroom::trace(async {
///         let parent = self_pid();
///         spawn(async move { send(parent, 42_u32) });
///         receive::<u32>().await
///     })
///     .await
/// });
/// assert_eq!(answer, 42);
/// assert!(trace.events.len() >= 2);
/// ```
///
/// # Panics
/// When polled outside of a process.
pub async fn trace<F: std::future::Future>(future: F) -> (F::Output, Trace) {
    let recorder = Arc::new(Recorder::default());
    let start = Token { tracer: recorder.clone(), serial: Serial { previous: 0, current: 0 } };
    let before = set_token(Some(Box::new(start)));
    let value = future.await;
    set_token(before);
    (value, recorder.take(super::self_pid()))
}

/// Sets the trace token of the running process and returns the one before.
#[track_caller]
fn set_token(token: Option<Box<Token>>) -> Option<Box<Token>> {
    running("trace", |current, _, _| current.with_own(|own| std::mem::replace(&mut own.token, token)))
}
