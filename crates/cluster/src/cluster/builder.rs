//! How a node's membership is to be, and its start.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom::Node;
use greenroom::global::Names;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, mpsc, watch};

use super::error::StartError;
use super::{Cluster, HANDSHAKE_TIME};
use crate::address::{Address, read_peers};
use crate::cookie::Cookie;
use crate::directory::Directory;
use crate::events::Watchers;
use crate::flush::flush_after_turns;
use crate::hub::Hub;
use crate::notice::{self, Log, Notice};
use crate::protocol::{Endpoint, Limits, Peer, Settings};
use crate::transport::{MemoryNetwork, Tls, Transport};
use crate::wires::Wires;

/// After how much silence a node is taken for lost, unless said otherwise.
const TICK: Duration = Duration::from_secs(15);
/// How much may wait for a node before its senders are held back, unless said otherwise.
const QUEUE: usize = 8 << 20;
/// How much may wait for a node at most, as a multiple of that.
const QUEUES: usize = 64;

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
    pub(super) fn new(node: &Node) -> Builder {
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
        let (open, strangers, parted, cookies) = Default::default();
        let mut directory = Directory::default();
        for peer in &peers {
            if let Some(name) = peer.name() {
                directory.learn(&name.into(), peer);
            }
        }
        let (wanted, calls) = mpsc::unbounded_channel();
        let (ready, served) = watch::channel(false);
        node.spawn(crate::erpc::serve(ready));
        let hub = Arc::new(Hub {
            node: node.clone(),
            names: Names::start(&node),
            settings,
            transport,
            endpoint,
            cookies,
            up: RwLock::default(),
            open,
            strangers,
            watchers: Watchers::default(),
            due: Mutex::default(),
            flush_wanted: Notify::new(),
            directory: Mutex::new(directory),
            wanted,
            parted,
            served,
            changed: watch::Sender::new(()),
            log: Log::new(self.on_notice),
            started: Instant::now(),
        });
        node.spawn(flush_after_turns(hub.clone()));
        let cluster = Cluster(hub.clone());
        if let Some(address) = self.listen {
            cluster.listen(address).map_err(StartError::Listen)?;
        }
        node.tokio().spawn(cluster.clone().reach_all(calls));
        node.set_router(Arc::new(Wires(hub)));
        for peer in peers {
            node.tokio().spawn(cluster.clone().stay_connected(peer));
        }
        Ok(cluster)
    }
}
