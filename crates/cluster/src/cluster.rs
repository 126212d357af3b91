//! A node's membership, as its users see it: start it, listen, connect, ask who is there.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom::global::Names;
use greenroom::{Node, NodeId, self_pid};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{oneshot, watch};

use crate::address::{Address, PeersError, read_peers};
use crate::cookie::{Cookie, CookieFileError, random_bytes};
use crate::drive::{self, Outcome};
use crate::events::{NodeKind, Watchers};
use crate::hub::Hub;
use crate::notice::{self, Log, Notice};
use crate::protocol::{Admission, Closed, Counters, Endpoint, HandshakeError, Limits, Peer, Refusal, Role, Settings};
use crate::transport::{Channel, Incoming, Listener, MemoryNetwork, Tls, Transport};
use crate::wires::Wires;

/// How long a handshake may take, from the first byte to the last.
const HANDSHAKE_TIME: Duration = Duration::from_secs(5);
/// After how much silence a node is taken for lost, unless said otherwise.
const TICK: Duration = Duration::from_secs(15);
/// How much may wait for a node before its senders are held back, unless said otherwise.
const QUEUE: usize = 8 << 20;
/// How much may wait for a node at most, as a multiple of that.
const QUEUES: usize = 64;
/// How long the first and the longest pause before another attempt to reach a peer are.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// What connects a node with others. Clones are handles to the same.
///
/// ```
/// use greenroom::Node;
/// use greenroom_cluster::{Cluster, Cookie};
///
/// let node = Node::builder().name("a@127.0.0.1").start().unwrap();
/// let cluster = Cluster::builder(&node).cookie(Cookie::random()).listen("127.0.0.1:0".parse().unwrap()).start().unwrap();
/// assert!(cluster.nodes().is_empty());
/// ```
#[derive(Clone)]
pub struct Cluster(Arc<Hub>);

/// How to start a [`Cluster`].
#[must_use = "nothing happens before `start`"]
pub struct Builder {
    node: Node,
    cookie: Option<Cookie>,
    listen: Option<SocketAddr>,
    peers: Vec<Address>,
    peers_file: Option<PathBuf>,
    hidden: bool,
    tick: Duration,
    queue: usize,
    network: Option<MemoryNetwork>,
    on_notice: Option<notice::Listener>,
}

impl Builder {
    /// The cookie that all nodes know: that of the user, [`Cookie::of_user`], if none is given.
    pub fn cookie(mut self, cookie: Cookie) -> Self {
        self.cookie = Some(cookie);
        self
    }

    /// Accepts connections at this address. Without it, others cannot call this node, but it can call them.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = Some(address);
        self
    }

    /// Stays connected to whoever is at this address: connects now, and again whenever the connection is lost.
    pub fn peer(mut self, address: impl Into<Address>) -> Self {
        self.peers.push(address.into());
        self
    }

    /// The same for every address in a file: one a line, as [`Address`] is written; `#` begins a comment.
    pub fn peers_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.peers_file = Some(path.into());
        self
    }

    /// Does not want to be listed: for tools that look in.
    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// After how much silence a node is taken for lost: 15 s, if nothing is said. Those who have nothing to say give a
    /// sign of life four times as often.
    pub fn tick(mut self, tick: Duration) -> Self {
        self.tick = tick.clamp(Duration::from_millis(20), Duration::from_secs(86_400));
        self
    }

    /// How many bytes may wait for a node before those who send to it are held back: 8 MiB, if nothing is said.
    ///
    /// A process that is held back does not run on from its next `receive`, `sleep` or `yield_now` before there is
    /// room. If more than 64 times as much waits, since somebody sends without ever awaiting one of these, the
    /// connection is given up.
    pub fn queue(mut self, bytes: usize) -> Self {
        self.queue = bytes.max(1);
        self
    }

    /// Connects through a network within this operating-system process instead of TCP and TLS.
    pub fn network(mut self, network: &MemoryNetwork) -> Self {
        self.network = Some(network.clone());
        self
    }

    /// Calls `listener` with what is worth a line in a log. Without it, that goes to standard error.
    pub fn on_notice(mut self, listener: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        self.on_notice = Some(Arc::new(listener));
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`StartError`], if the cookie or the peers cannot be read, or the address is taken.
    pub fn start(self) -> Result<Cluster, StartError> {
        let cookie = self.cookie.map_or_else(Cookie::of_user, Ok).map_err(StartError::Cookie)?;
        let mut peers = self.peers;
        if let Some(path) = &self.peers_file {
            peers.extend(read_peers(path).map_err(StartError::Peers)?);
        }
        let transport: Arc<dyn Transport> = match self.network {
            Some(network) => Arc::new(network),
            None => Arc::new(Tls::new().map_err(StartError::Tls)?),
        };
        let node = self.node.downgrade();
        let myself = Peer { name: node.id().name(), hidden: self.hidden, tick: self.tick };
        let endpoint = Mutex::new(Endpoint::new(myself.name.clone(), Limits::default()));
        let (high_water, limit) = (self.queue, self.queue.saturating_mul(QUEUES));
        let settings = Arc::new(Settings { cookie, myself, handshake_time: HANDSHAKE_TIME, high_water, limit });
        let (open, strangers, parted) = Default::default();
        let (ready, served) = watch::channel(false);
        node.spawn(crate::erpc::serve(ready));
        let hub = Arc::new(Hub {
            node: node.clone(),
            names: Names::start(&node),
            settings,
            transport,
            endpoint,
            up: RwLock::default(),
            open,
            strangers,
            watchers: Watchers::default(),
            parted,
            served,
            changed: watch::Sender::new(()),
            log: Log::new(self.on_notice),
            started: Instant::now(),
        });
        let cluster = Cluster(hub.clone());
        if let Some(address) = self.listen {
            cluster.listen(address).map_err(StartError::Listen)?;
        }
        node.set_router(Arc::new(Wires(hub)));
        for peer in peers {
            node.tokio().spawn(cluster.clone().stay_connected(peer));
        }
        Ok(cluster)
    }
}

/// Why a node did not join others.
#[derive(Debug)]
pub enum StartError {
    /// There is no cookie.
    Cookie(CookieFileError),
    /// The file of peers cannot be used.
    Peers(PeersError),
    /// There is no key for TLS.
    Tls(io::Error),
    /// It cannot listen.
    Listen(ListenError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Cookie(error) => error.fmt(f),
            StartError::Peers(error) => error.fmt(f),
            StartError::Tls(error) => error.fmt(f),
            StartError::Listen(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

/// Why a node could not listen.
#[derive(Debug)]
pub struct ListenError {
    /// Where.
    pub address: SocketAddr,
    /// What the operating system says.
    pub error: io::Error,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {}: {}", self.address, self.error)
    }
}

impl std::error::Error for ListenError {}

/// Why there is no connection.
#[derive(Debug)]
pub enum ConnectError {
    /// The network says no.
    Io(Address, io::Error),
    /// Nobody answered in time.
    TimedOut(Address),
    /// The nodes do not fit together.
    Handshake(Address, HandshakeError),
    /// One of them does not want to.
    Refused(Address, Refusal),
    /// Another node than the one that was asked for is there.
    OtherNode(Address, NodeId),
    /// The connection broke before it stood.
    Broken(Address, Closed),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::Io(address, error) => write!(f, "{address}: {error}"),
            ConnectError::TimedOut(address) => {
                write!(f, "{address}: no answer within {} s", HANDSHAKE_TIME.as_secs())
            }
            ConnectError::Handshake(address, error) => write!(f, "{address}: {error}"),
            ConnectError::Refused(address, refusal) => write!(f, "{address}: {refusal}"),
            ConnectError::OtherNode(address, node) => write!(f, "{address}: the node there is {node}"),
            ConnectError::Broken(address, closed) => write!(f, "{address}: {closed}"),
        }
    }
}

impl std::error::Error for ConnectError {}

impl Cluster {
    /// A builder with everything at its default.
    pub fn builder(node: &Node) -> Builder {
        Builder {
            node: node.clone(),
            cookie: None,
            listen: None,
            peers: Vec::new(),
            peers_file: None,
            hidden: false,
            tick: TICK,
            queue: QUEUE,
            network: None,
            on_notice: None,
        }
    }

    /// Accepts connections at `address`, too, and returns the address, with the port that was chosen if it was 0.
    ///
    /// # Errors
    /// If the address is not of this machine, or taken.
    pub fn listen(&self, address: SocketAddr) -> Result<SocketAddr, ListenError> {
        let _entered = self.0.node.tokio().enter();
        let (bound, listener) = self.0.transport.listen(address).map_err(|error| ListenError { address, error })?;
        tokio::spawn(self.clone().accept_all(listener));
        Ok(bound)
    }

    /// Connects to the node that is at `address`; if the two are connected already, that is fine.
    ///
    /// # Errors
    /// [`ConnectError`] says whether it is the network, the cookie, the version or the name.
    pub async fn connect(&self, address: impl Into<Address>) -> Result<NodeId, ConnectError> {
        let address = address.into();
        let joined = self.0.node.tokio().spawn(self.clone().call(address.clone()));
        let node = joined.await.unwrap_or(Err(ConnectError::TimedOut(address)))?; // The node is stopping.
        self.0.parted.lock().retain(|name| *name != node.name().name);
        Ok(node)
    }

    /// Closes the connection to `node`, after what was sent before has gone no further than it is: what waits is
    /// dropped. A peer is not connected to again by itself. False if there is no connection.
    pub fn disconnect(&self, node: NodeId) -> bool {
        let Some(link) = self.0.link(node) else { return false };
        self.0.parted.lock().push(node.name().name);
        link.close();
        true
    }

    /// The visible nodes that are connected.
    pub fn nodes(&self) -> Vec<NodeId> {
        self.nodes_of(NodeKind::Visible)
    }

    /// The nodes of a kind that are connected.
    pub fn nodes_of(&self, kind: NodeKind) -> Vec<NodeId> {
        let up = self.0.up.read();
        let peers = up.values().filter_map(|link| link.peer.get());
        peers.filter(|(_, peer)| kind.includes(self.0.is_hidden(peer))).map(|(node, _)| *node).collect()
    }

    /// The global names of this node and all that it is connected with.
    ///
    /// ```
    /// # use greenroom::{Node, self_pid};
    /// # use greenroom_cluster::{Cluster, Cookie};
    /// # let node = Node::builder().start().unwrap();
    /// # let cluster = Cluster::builder(&node).cookie(Cookie::random()).start().unwrap();
    /// # node.block_on(async move {
    /// cluster.names().register("printer", self_pid()).await.unwrap();
    /// assert_eq!(cluster.names().whereis("printer"), Some(self_pid()));
    /// # });
    /// ```
    pub fn names(&self) -> &Names {
        &self.0.names
    }

    /// From now on the running process gets [`NodeUp`](crate::NodeUp) and [`NodeDown`](crate::NodeDown) for nodes of
    /// this kind. Once is enough; a second call changes the kind.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn monitor_nodes(&self, kind: NodeKind) {
        self.0.watchers.add(self_pid(), kind);
    }

    /// The running process gets no more of them.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn demonitor_nodes(&self) {
        self.0.watchers.remove(self_pid());
    }

    /// What has gone over the connection to `node`.
    pub fn counters(&self, node: NodeId) -> Option<Counters> {
        Some(self.0.link(node)?.core.lock().counters())
    }

    async fn accept_all(self, mut listener: Box<dyn Listener>) {
        loop {
            let Ok(incoming) = listener.accept().await else {
                // Out of file descriptors, most likely: wait until some are back.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            self.hear(incoming);
        }
    }

    fn hear(&self, Incoming { address, opening }: Incoming) {
        let hub = &self.0;
        let began = hub.now();
        let chance = u64::from_le_bytes(random_bytes());
        let admission = hub.endpoint.lock().accept(Some(address), chance, began);
        let (id, evicted) = match admission {
            Admission::Hear(id, evicted) => (id, evicted),
            Admission::TurnAway => {
                return hub.tell(&Notice::Refused(address, "too many handshakes with it have failed".to_owned()));
            }
        };
        if let Some(evicted) = evicted.and_then(|evicted| {
            hub.open.lock().remove(&evicted);
            hub.strangers.lock().remove(&evicted)
        }) {
            evicted.abort();
            hub.tell(&Notice::Refused(address, "too many are half open".to_owned()));
        }
        let task_hub = hub.clone();
        let (begin, begun) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let _ = begun.await;
            let hub = task_hub;
            let opened =
                tokio::time::timeout(HANDSHAKE_TIME, opening).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()));
            match opened {
                Ok(channel) => {
                    let (told, outcome) = oneshot::channel();
                    tokio::spawn(log_outcome(hub.clone(), address, outcome));
                    drive::drive(hub, (id, Role::Listener), channel, began, told).await;
                }
                Err(error) => {
                    hub.endpoint.lock().closed(id, true, hub.now());
                    hub.strangers.lock().remove(&id);
                    hub.tell(&Notice::Refused(address, error.to_string()));
                }
            }
        });
        hub.strangers.lock().insert(id, task.abort_handle());
        let _ = begin.send(());
    }

    /// Calls, and where both call at once, waits for the call that goes on.
    async fn call(self, address: Address) -> Result<NodeId, ConnectError> {
        loop {
            let error = match self.try_call(&address).await? {
                Ok(node) => return self.is_wanted(&address, node),
                Err(error) => error,
            };
            let (closed, peer) = error;
            let (may_fail, peer) = match (closed, peer) {
                (Closed::Refused(Refusal::Connected), Some(peer)) => (false, peer),
                // The other call goes on, and this node has heard of that from the other one or has decided it.
                (Closed::Refused(Refusal::Simultaneous) | Closed::Here, Some(peer)) => (true, peer),
                (closed, _) => return Err(ConnectError::of(address, closed)),
            };
            let other = self.0.wait_for(&peer.name.name);
            match tokio::time::timeout(HANDSHAKE_TIME, other).await {
                Ok(node) => return self.is_wanted(&address, node),
                Err(_) if may_fail => {} // It came to nothing: once more.
                Err(_) => return Err(ConnectError::TimedOut(address)),
            }
        }
    }

    async fn try_call(&self, address: &Address) -> Result<Outcome, ConnectError> {
        let hub = &self.0;
        let began = hub.now();
        let opening = async {
            let mut last = io::Error::new(io::ErrorKind::NotFound, "this name has no address");
            for place in address.resolve().await? {
                match hub.transport.call(place).await {
                    Ok(channel) => return Ok(channel),
                    Err(error) => last = error,
                }
            }
            Err(last)
        };
        let channel: Channel = match tokio::time::timeout(HANDSHAKE_TIME, opening).await {
            Ok(opened) => opened.map_err(|error| ConnectError::Io(address.clone(), error))?,
            Err(_) => return Err(ConnectError::TimedOut(address.clone())),
        };
        let id = hub.endpoint.lock().call();
        let (told, outcome) = oneshot::channel();
        tokio::spawn(drive::drive(hub.clone(), (id, Role::Caller), channel, began, told));
        outcome.await.map_err(|_| ConnectError::TimedOut(address.clone()))
    }

    /// Whether a node is the one that was asked for.
    fn is_wanted(&self, address: &Address, node: NodeId) -> Result<NodeId, ConnectError> {
        match address.name().is_none_or(|name| *node.name().name == *name) {
            true => Ok(node),
            false => {
                self.disconnect(node);
                Err(ConnectError::OtherNode(address.clone(), node))
            }
        }
    }

    /// Connects again and again.
    async fn stay_connected(self, peer: Address) {
        let mut pause = PAUSES.0;
        let mut said = String::new();
        loop {
            match self.clone().call(peer.clone()).await {
                Ok(node) => {
                    (pause, said) = (PAUSES.0, String::new());
                    self.wait_for_loss(node).await;
                }
                Err(error) => {
                    let error = error.to_string();
                    if error != said {
                        self.0.tell(&Notice::Unreachable(error.clone()));
                        said = error;
                    }
                }
            }
            tokio::time::sleep(pause.mul_f64(0.5 + f64::from(random_bytes::<1>()[0]) / 512.0)).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Waits until the connection to `node` is lost, and if that was on purpose, until somebody wants it again.
    async fn wait_for_loss(&self, node: NodeId) {
        let mut changed = self.0.changed.subscribe();
        let name = node.name().name;
        loop {
            let is_up = self.0.up.read().contains_key(&node);
            if !is_up && !self.0.parted.lock().contains(&name) {
                return;
            }
            if changed.changed().await.is_err() {
                return; // The node is stopping.
            }
        }
    }
}

async fn log_outcome(hub: Arc<Hub>, address: std::net::IpAddr, outcome: oneshot::Receiver<Outcome>) {
    if let Ok(Err((why, peer))) = outcome.await {
        let is_duplicate = match &why {
            Closed::Refused(Refusal::Connected | Refusal::Simultaneous) => true,
            Closed::Lost(why) => why.is_empty() && peer.is_some(),
            _ => false,
        };
        if is_duplicate {
            return; // Both called at once, which is no news.
        }
        let who = peer.map(|peer| format!("{}: ", peer.name)).unwrap_or_default();
        hub.tell(&Notice::Refused(address, format!("{who}{why}")));
    }
}

impl ConnectError {
    fn of(address: Address, closed: Closed) -> Self {
        match closed {
            Closed::Handshake(error) => ConnectError::Handshake(address, error),
            Closed::Refused(refusal) => ConnectError::Refused(address, refusal),
            Closed::TooSlow => ConnectError::TimedOut(address),
            other => ConnectError::Broken(address, other),
        }
    }
}
