//! Mailboxes and processes as streams and sinks, for the combinators of the `futures` crates.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Weak;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_sink::Sink;

use crate::core::Inner;
use crate::current::running;
use crate::mailbox::Cursor;
use crate::message::Message;
use crate::pid::Pid;
use crate::receive::poll_select;

/// The messages of type `T` that the running process receives, as a stream without an end.
///
/// Each is taken out of the mailbox when the stream is asked for it, as by [`receive`](crate::receive());
/// messages of other types stay where they are. A stream that is dropped has taken nothing that it did not hand
/// out.
///
/// ```
/// use futures_util::StreamExt;
/// use greenroom::{self_pid, send, stream};
///
/// greenroom::run(async {
///     for n in 1..=3_u32 {
///         send(self_pid(), n);
///     }
///     let sum = stream::messages::<u32>().take(3).fold(0, async |sum, n| sum + n).await;
///     assert_eq!(sum, 6);
/// });
/// ```
pub fn messages<T: Message>() -> Messages<T> {
    Messages { cursor: Cursor::default(), _type: PhantomData }
}

/// The stream of [`messages`].
///
/// # Panics
/// When polled outside of a process.
#[must_use = "a stream does nothing unless polled"]
pub struct Messages<T> {
    cursor: Cursor,
    _type: PhantomData<fn() -> T>,
}

impl<T: Message> Stream for Messages<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        poll_select(|candidate| candidate.is::<T>().then_some(0), &mut self.cursor, context)
            .map(|(_, received)| Some(received.open::<T>()))
    }
}

impl<T> fmt::Debug for Messages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Messages")
    }
}

/// A sink whose items are sent to `to`, from the running process.
///
/// # Panics
/// Outside of a process; there is [`Node::sink`](crate::Node::sink).
///
/// ```
/// use futures_util::{SinkExt, StreamExt, stream};
/// use greenroom::{receive, self_pid, stream::sink};
///
/// greenroom::run(async {
///     let numbers = stream::iter(1..=3_u32);
///     numbers.map(Ok).forward(sink::<u32>(self_pid())).await.unwrap();
///     assert_eq!(receive::<u32>().await, 1);
/// });
/// ```
#[track_caller]
pub fn sink<T: Message>(to: Pid) -> SinkInto<T> {
    running("sink", |current, _, _| current.inner.sink(to))
}

/// The sink of [`sink`] and [`Node::sink`](crate::Node::sink).
///
/// It is always ready. It ends with [`Gone`] once it is known that the process has ended, which is known of
/// processes of the own node only.
#[must_use = "a sink does nothing unless something is sent into it"]
pub struct SinkInto<T> {
    node: Weak<Inner>,
    to: Pid,
    _type: PhantomData<fn(T)>,
}

impl Inner {
    pub(crate) fn sink<T>(&self, to: Pid) -> SinkInto<T> {
        SinkInto { node: self.downgrade(), to, _type: PhantomData }
    }
}

/// The process that a sink sends to has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    /// The process.
    pub pid: Pid,
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has ended: nobody is there to receive more", self.pid)
    }
}

impl std::error::Error for Gone {}

impl<T: Message> Sink<T> for SinkInto<T> {
    type Error = Gone;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        let pid = self.to;
        let is_there = self.node.upgrade().is_some_and(|inner| pid.node != inner.id || inner.is_alive(pid.id));
        Poll::Ready(if is_there { Ok(()) } else { Err(Gone { pid }) })
    }

    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), Gone> {
        let inner = self.node.upgrade().ok_or(Gone { pid: self.to })?;
        inner.send(self.to, item);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(())) // What was sent is in the mailbox.
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }
}

impl<T> fmt::Debug for SinkInto<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SinkInto").field(&self.to).finish()
    }
}
