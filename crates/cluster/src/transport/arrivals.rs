//! The reading half of an encrypted channel that leaves it alone while nothing has arrived.
//!
//! Both halves of a channel need its keys, one at a time. A reader that looks into it only to find that there is nothing
//! would stand in the way of whoever writes, and wait for them. So this one waits at the socket.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, ReadHalf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// A socket that the channel over it and the reader of that channel know.
pub(super) struct Socket {
    reader: Arc<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Socket {
    pub(super) fn new(tcp: TcpStream) -> Self {
        let (reader, writer) = tcp.into_split();
        Socket { reader: Arc::new(reader), writer }
    }

    /// A reader of the channel over this socket, whose reading half that is.
    pub(super) fn arrivals<S>(&self) -> impl FnOnce(ReadHalf<S>) -> Arrivals<S> + use<S> {
        let socket = self.reader.clone();
        |half| Arrivals { socket, half, is_empty: false }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let socket: &TcpStream = (*self.reader).as_ref();
        let room = buffer.initialize_unfilled();
        loop {
            ready!(socket.poll_read_ready(context))?;
            // Where less has come than there was room for, the socket is empty: it need not be asked to know that.
            let mut rest = None;
            let read = socket.try_io(Interest::READABLE, || match socket.try_read(room) {
                Ok(read) if (1..room.len()).contains(&read) => {
                    rest = Some(read);
                    Err(io::ErrorKind::WouldBlock.into())
                }
                other => other,
            });
            match (rest, read) {
                (Some(read), _) | (None, Ok(read)) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                (None, Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
                (None, Err(error)) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.writer.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_shutdown(context)
    }
}

/// The reading half of a channel over a [`Socket`].
pub(super) struct Arrivals<S> {
    socket: Arc<OwnedReadHalf>,
    half: ReadHalf<S>,
    /// Whether all that has arrived was read, so that there is nothing before the socket has more.
    is_empty: bool,
}

impl<S: AsyncRead + AsyncWrite> AsyncRead for Arrivals<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_empty {
            let socket: &TcpStream = (*self.socket).as_ref();
            ready!(socket.poll_read_ready(context))?;
        }
        let read = Pin::new(&mut self.half).poll_read(context, buffer);
        // A channel gives all that it has, as far as there is room.
        self.is_empty = read.is_pending() || buffer.remaining() > 0;
        read
    }
}
