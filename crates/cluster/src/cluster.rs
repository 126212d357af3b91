//! A node's membership, as its users see it: start it, listen, connect, ask who is there.

mod builder;
mod calls;
mod error;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use greenroom::global::Names;
use greenroom::{Node, NodeId, self_pid};

pub use self::builder::Builder;
pub use self::error::{ConnectError, ListenError, StartError};
use crate::address::Address;
use crate::cookie::Cookie;
use crate::events::NodeKind;
use crate::hub::Hub;
use crate::protocol::Counters;

/// How long a handshake may take, from the first byte to the last.
const HANDSHAKE_TIME: Duration = Duration::from_secs(5);

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

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cluster").field(&self.0.node.id()).finish()
    }
}

impl Cluster {
    /// A builder with everything at its default.
    pub fn builder(node: &Node) -> Builder {
        Builder::new(node)
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
        self.connect_by(address.into(), None).await
    }

    /// Connects to the node that is at `address` with this cookie instead of the node's own. If that succeeds, it is
    /// the cookie for this node from then on, as after [`set_cookie`](Cluster::set_cookie).
    ///
    /// # Errors
    /// As [`connect`](Cluster::connect).
    pub async fn connect_with(&self, address: impl Into<Address>, cookie: Cookie) -> Result<NodeId, ConnectError> {
        self.connect_by(address.into(), Some(cookie)).await
    }

    async fn connect_by(&self, address: Address, cookie: Option<Cookie>) -> Result<NodeId, ConnectError> {
        let joined = self.0.node.tokio().spawn(self.clone().call(address.clone(), cookie));
        let node = joined.await.unwrap_or(Err(ConnectError::TimedOut(address)))?; // The node is stopping.
        self.0.parted.lock().retain(|name| *name != node.name().name);
        Ok(node)
    }

    /// From now on, the node of this name and this one prove to each other that they know this cookie, whoever of them
    /// calls; it is used for no other node. A connection that stands is left as it is. `erlang:set_cookie/2`.
    ///
    /// ```
    /// # use greenroom::Node;
    /// # use greenroom_cluster::{Cluster, Cookie};
    /// # let node = Node::builder().start().unwrap();
    /// # let cluster = Cluster::builder(&node).cookie(Cookie::random()).start().unwrap();
    /// cluster.set_cookie("shop@10.0.0.7", Cookie::random());
    /// ```
    pub fn set_cookie(&self, name: &str, cookie: Cookie) {
        self.0.cookies.lock().insert(name.into(), cookie);
    }

    /// Where the node of this name is, as far as this one knows: from having connected to it, or from its peers.
    pub fn address_of(&self, name: &str) -> Option<Address> {
        self.0.directory.lock().address(name).cloned()
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
}
