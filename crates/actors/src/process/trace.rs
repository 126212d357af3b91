//! Recording the conversation that a future takes part in.

use std::sync::Arc;

use crate::current::running;
use crate::trace::{Recorder, Recording, Riding, Token, Trace, Tracer};

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
    let before = record_with(&recorder);
    let value = future.await;
    running("trace", |current, _, _| current.inner.exchange_token(before));
    (value, recorder.take(super::self_pid()))
}

/// Lets a recorder see the conversation of the running process from now on. Returns the token that it had.
#[track_caller]
pub(crate) fn record_with(recorder: &Arc<Recorder>) -> Option<Box<Riding>> {
    running("trace", |current, _, _| {
        let inner = current.inner;
        let tracer: Arc<dyn Tracer> = recorder.clone();
        let reference = inner.conversations.admit(&tracer);
        let recording = Recording { node: inner.id, reference, tracer: Some(tracer) };
        inner.exchange_token(Some(inner.conversations.riding(Token::default(), Some(recording))))
    })
}
