//! The writing end of a channel, and what of the protocol's bytes is on its way into it. Whoever holds it writes:
//! see [`crate::flush`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::AsyncWrite;

use crate::transport::Writer;

/// The writing end of a channel.
pub(crate) struct Pen {
    writer: Writer,
    out: Vec<u8>,
    written: usize,
    is_flushed: bool,
    /// The writing task, which is woken when there is room, whoever has found that there is none.
    task: Option<Waker>,
}

impl Pen {
    pub(crate) fn new(writer: Writer) -> Self {
        Pen { writer, out: Vec::new(), written: 0, is_flushed: true, task: None }
    }

    /// The writing task looks.
    pub(crate) fn be_held_by(&mut self, task: &Waker) {
        match &mut self.task {
            Some(known) => known.clone_from(task),
            None => self.task = Some(task.clone()),
        }
    }

    /// The writing task, if it has looked yet.
    pub(crate) fn task(&self) -> Option<Waker> {
        self.task.clone()
    }

    /// Writes until `next`, which appends what comes next, has nothing more.
    pub(crate) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        mut next: impl FnMut(&mut Vec<u8>) -> bool,
    ) -> Poll<io::Result<()>> {
        loop {
            while self.written < self.out.len() {
                self.is_flushed = false;
                match ready!(Pin::new(&mut self.writer).poll_write(context, &self.out[self.written..]))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    written => self.written += written,
                }
            }
            self.out.clear();
            self.written = 0;
            if next(&mut self.out) {
                continue;
            }
            if !self.is_flushed {
                ready!(Pin::new(&mut self.writer).poll_flush(context))?;
                self.is_flushed = true;
            }
            return Poll::Ready(Ok(()));
        }
    }

    /// Ends the channel in this direction.
    pub(crate) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_shutdown(context)
    }
}

/// The end of a stream in words; none for the end that comes when a program ends.
pub(crate) fn end_of(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => String::new(),
        _ => error.to_string(),
    }
}
