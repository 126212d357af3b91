//! Channels of bytes between two nodes, which nobody else can read or change: over TCP with TLS, or within this
//! operating-system process.
//!
//! A channel comes with a value that its two ends, and nobody else, share; the handshake binds its proofs to it.

mod memory;
mod tls;

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

pub use memory::MemoryNetwork;
pub(crate) use tls::Tls;

use crate::protocol::Binding;

/// A future that can be kept.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A stream of bytes in both directions.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// A channel that is ready for use.
pub(crate) struct Channel {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) binding: Binding,
}

/// Somebody has called; what it takes to have a channel with them.
pub(crate) struct Incoming {
    pub(crate) address: IpAddr,
    pub(crate) opening: Boxed<'static, io::Result<Channel>>,
}

/// Where others call.
pub(crate) trait Listener: Send {
    /// Waits for the next call. Dropped before it is ready, it has taken none.
    fn accept(&mut self) -> Boxed<'_, io::Result<Incoming>>;
}

/// A way to make channels.
pub(crate) trait Transport: Send + Sync {
    /// Calls whoever listens at `address`.
    fn call(&self, address: SocketAddr) -> Boxed<'static, io::Result<Channel>>;

    /// Listens at `address`; gives the one that it has become, if its port was 0. Within a tokio runtime.
    fn listen(&self, address: SocketAddr) -> io::Result<(SocketAddr, Box<dyn Listener>)>;
}
