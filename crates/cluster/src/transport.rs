//! Channels of bytes between two nodes, which nobody else can read or change: over TCP with TLS, or within this
//! operating-system process.
//!
//! A channel comes with a value that its two ends, and nobody else, share; the handshake binds its proofs to it.

mod arrivals;
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

/// The reading half of a channel.
pub(crate) type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// The writing half of a channel.
pub(crate) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// A channel that is ready for use.
pub(crate) struct Channel {
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
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
