//! A network within this operating-system process.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Boxed, Channel, Incoming, Listener, Transport};
use crate::cookie::random_bytes;
use crate::protocol::Binding;

/// Bytes that are on their way at most.
const WINDOW: usize = 256 << 10;

/// A network of its own, for nodes of one operating-system process: no sockets, no ports of the machine, no one else.
///
/// Clones are the same network. Its addresses look like others and mean nothing outside.
#[derive(Clone, Default)]
pub struct MemoryNetwork {
    listeners: Arc<Mutex<HashMap<SocketAddr, UnboundedSender<Channel>>>>,
}

impl MemoryNetwork {
    /// A network without nodes.
    pub fn new() -> Self {
        MemoryNetwork::default()
    }
}

impl std::fmt::Debug for MemoryNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.listeners.lock().keys()).finish()
    }
}

fn channel(stream: tokio::io::DuplexStream, binding: Binding) -> Channel {
    let (reader, writer) = tokio::io::split(stream);
    Channel { reader: Box::new(reader), writer: Box::new(writer), binding }
}

impl Transport for MemoryNetwork {
    fn call(&self, address: SocketAddr) -> Boxed<'static, io::Result<Channel>> {
        let (near, far) = tokio::io::duplex(WINDOW);
        let binding = random_bytes();
        let heard = match self.listeners.lock().get(&address) {
            Some(listener) => listener.send(channel(far, binding)).is_ok(),
            None => false,
        };
        let called = match heard {
            true => Ok(channel(near, binding)),
            false => Err(io::Error::new(io::ErrorKind::ConnectionRefused, "nobody listens there")),
        };
        Box::pin(std::future::ready(called))
    }

    fn listen(&self, address: SocketAddr) -> io::Result<(SocketAddr, Box<dyn Listener>)> {
        let mut listeners = self.listeners.lock();
        let is_free = |address: &SocketAddr| listeners.get(address).is_none_or(UnboundedSender::is_closed);
        let ports = if address.port() == 0 { 1..=u16::MAX } else { address.port()..=address.port() };
        let free = ports.map(|port| SocketAddr::new(address.ip(), port)).find(is_free);
        let address = free.ok_or_else(|| io::Error::from(io::ErrorKind::AddrInUse))?;
        let (listener, calls) = unbounded_channel();
        listeners.insert(address, listener);
        Ok((address, Box::new(Calls { calls, address: address.ip() })))
    }
}

struct Calls {
    calls: UnboundedReceiver<Channel>,
    address: IpAddr,
}

impl Listener for Calls {
    fn accept(&mut self) -> Boxed<'_, io::Result<Incoming>> {
        Box::pin(async {
            let channel = self.calls.recv().await.ok_or(io::ErrorKind::NotConnected)?;
            Ok(Incoming { address: self.address, opening: Box::pin(std::future::ready(Ok(channel))) })
        })
    }
}
