//! A node's membership: listening, connecting, and the two tasks of each connection.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use greenroom::{Node, NodeId};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::codec;
use crate::cookie::Cookie;
use crate::frame::Frame;
use crate::handshake::{self, Handshake, HandshakeError, PROOF, Role};
use crate::links::{Links, Wires};

/// How long a handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(5);
/// How many connections may be in their handshake at once.
const HALF_OPEN: usize = 64;

/// What connects a node with others. Clones are handles to the same.
#[derive(Clone)]
pub struct Cluster {
    node: Node,
    cookie: Cookie,
    links: Arc<Links>,
}

/// Why a node could not listen.
#[derive(Debug)]
pub enum ListenError {
    /// The address is not one of this machine: connections are not encrypted yet.
    NotLoopback(SocketAddr),
    /// The operating system refuses.
    Io(SocketAddr, io::Error),
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenError::NotLoopback(address) => {
                write!(f, "cannot listen on {address}: connections are not encrypted yet, use 127.0.0.1")
            }
            ListenError::Io(address, error) => write!(f, "cannot listen on {address}: {error}"),
        }
    }
}

impl std::error::Error for ListenError {}

/// Why there is no connection.
#[derive(Debug)]
pub enum ConnectError {
    /// The network says no.
    Io(io::Error),
    /// The nodes do not fit together.
    Handshake(HandshakeError),
    /// The other side did not answer in time.
    TimedOut,
    /// There is a connection to this node already.
    Connected(NodeId),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::Io(error) => error.fmt(f),
            ConnectError::Handshake(error) => error.fmt(f),
            ConnectError::TimedOut => write!(f, "no answer within {} s", HANDSHAKE_TIME.as_secs()),
            ConnectError::Connected(node) => write!(f, "{node} is connected already"),
        }
    }
}

impl std::error::Error for ConnectError {}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        ConnectError::Io(error)
    }
}

impl From<HandshakeError> for ConnectError {
    fn from(error: HandshakeError) -> Self {
        ConnectError::Handshake(error)
    }
}

impl Cluster {
    /// Lets `node` talk to others that know `cookie`.
    pub fn start(node: &Node, cookie: Cookie) -> Cluster {
        let links = Arc::<Links>::default();
        let node = node.downgrade();
        node.set_router(Arc::new(Wires { node: node.clone(), links: links.clone() }));
        Cluster { node, cookie, links }
    }

    /// Accepts connections at `address` and returns the address, with the port that was chosen if it was 0.
    ///
    /// # Errors
    /// If the address is not of this machine, or taken.
    pub fn listen(&self, address: SocketAddr) -> Result<SocketAddr, ListenError> {
        if !address.ip().is_loopback() {
            return Err(ListenError::NotLoopback(address));
        }
        let failed = |error| ListenError::Io(address, error);
        let listener = std::net::TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let _entered = self.node.tokio().enter();
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        self.node.tokio().spawn(self.clone().accept_all(listener));
        Ok(bound)
    }

    /// Connects to the node that listens at `address`.
    ///
    /// # Errors
    /// [`ConnectError`] says whether it is the network, the cookie, the version, or a connection that is there.
    pub async fn connect(&self, address: SocketAddr) -> Result<NodeId, ConnectError> {
        let (this, tokio) = (self.clone(), self.node.tokio().clone());
        let joined = tokio.spawn(async move {
            let stream = TcpStream::connect(address).await?;
            this.join(stream, Role::Caller).await
        });
        joined.await.map_err(|_| ConnectError::TimedOut)?
    }

    /// The nodes that are connected.
    pub fn nodes(&self) -> Vec<NodeId> {
        self.links.nodes()
    }

    async fn accept_all(self, listener: TcpListener) {
        let half_open = Arc::new(tokio::sync::Semaphore::new(HALF_OPEN));
        loop {
            let Ok(permit) = half_open.clone().acquire_owned().await else { return };
            let Ok((stream, peer)) = listener.accept().await else {
                // Out of file descriptors, most likely: wait until some are back.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let this = self.clone();
            tokio::spawn(async move {
                if let Err(error) = this.join(stream, Role::Listener).await {
                    eprintln!("greenroom: refused a connection from {peer}: {error}");
                }
                drop(permit);
            });
        }
    }

    /// Shakes hands, and starts the two tasks of the connection.
    async fn join(&self, mut stream: TcpStream, role: Role) -> Result<NodeId, ConnectError> {
        stream.set_nodelay(true)?;
        let shaking = shake_hands(&mut stream, Handshake::new(role, self.cookie.clone(), self.node.id().name()));
        let peer = tokio::time::timeout(HANDSHAKE_TIME, shaking).await.map_err(|_| ConnectError::TimedOut)??;
        let peer = NodeId::intern(&peer);
        let (queue, frames) = unbounded_channel();
        let entering = self.enter(&mut stream, role, peer, queue);
        tokio::time::timeout(HANDSHAKE_TIME, entering).await.unwrap_or(Err(ConnectError::TimedOut))?;
        let (reader, writer) = stream.into_split();
        let this = self.clone();
        let writing = tokio::spawn(write_frames(writer, frames));
        tokio::spawn(async move {
            let end = this.read_frames(reader, peer).await;
            this.links.remove(peer);
            writing.abort();
            this.node.disconnected(peer);
            if let Err(error) = end {
                eprintln!("greenroom: lost {peer}: {error}");
            }
        });
        Ok(peer)
    }

    /// Takes a connection in. The listener decides and says so, so that both sides are in when `connect`
    /// returns.
    async fn enter(
        &self,
        stream: &mut TcpStream,
        role: Role,
        peer: NodeId,
        queue: UnboundedSender<Vec<u8>>,
    ) -> Result<(), ConnectError> {
        if role == Role::Caller && stream.read_u8().await? == 0 || !self.links.add(peer, queue) {
            if role == Role::Listener {
                stream.write_all(&[0]).await?;
            }
            return Err(ConnectError::Connected(peer));
        }
        if role == Role::Listener
            && let Err(error) = stream.write_all(&[1]).await
        {
            self.links.remove(peer);
            return Err(error.into());
        }
        Ok(())
    }

    /// Hands everything that arrives to the node, until the other side closes the connection.
    async fn read_frames(&self, reader: impl AsyncRead + Unpin, peer: NodeId) -> io::Result<()> {
        let mut reader = tokio::io::BufReader::with_capacity(1 << 16, reader);
        let mut bytes = Vec::new();
        loop {
            match read_block(&mut reader, &mut bytes, codec::LIMIT).await {
                Ok(()) => {}
                Err(error) if is_goodbye(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
            match codec::decode(&bytes)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?
            {
                Frame::Send(to, message) => self.node.deliver(&to, Box::new(message)),
                Frame::Signal(signal) => self.node.receive_signal(peer, signal),
            }
        }
    }
}

/// Whether the other side has simply gone, as it does when its program ends.
fn is_goodbye(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

async fn shake_hands(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    handshake: Handshake,
) -> Result<greenroom::NodeName, ConnectError> {
    let mut hello = (handshake.hello.len() as u32).to_le_bytes().to_vec();
    hello.extend_from_slice(&handshake.hello);
    stream.write_all(&hello).await?;
    let mut theirs = Vec::new();
    read_block(stream, &mut theirs, handshake::LIMIT).await?;
    let proving = handshake.meet(&theirs)?;
    stream.write_all(&proving.proof).await?;
    let mut proof = [0; PROOF];
    match stream.read_exact(&mut proof).await {
        Ok(_) => Ok(proving.check(&proof)?),
        // A node that finds our proof wrong hangs up.
        Err(error) if is_goodbye(&error) => Err(HandshakeError::WrongCookie.into()),
        Err(error) => Err(error.into()),
    }
}

/// Reads a length and that many bytes. Memory grows only as bytes arrive.
async fn read_block(reader: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>, limit: usize) -> io::Result<()> {
    let length = reader.read_u32_le().await? as usize;
    if length > limit {
        let message = format!("a frame of {length} bytes is over the limit of {limit}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    bytes.clear();
    let read = reader.take(length as u64).read_to_end(bytes).await?;
    if read < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

/// Writes what is queued, many frames at a time where many wait.
async fn write_frames(writer: impl AsyncWrite + Unpin, mut frames: UnboundedReceiver<Vec<u8>>) -> io::Result<()> {
    let mut writer = BufWriter::with_capacity(1 << 16, writer);
    while let Some(frame) = frames.recv().await {
        writer.write_all(&frame).await?;
        while let Ok(frame) = frames.try_recv() {
            writer.write_all(&frame).await?;
        }
        writer.flush().await?;
    }
    writer.shutdown().await
}
