//! What all connections of a node share: who is connected, what is decided, whom to tell.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::{Duration, Instant};

use greenroom::global::Names;
use greenroom::{Node, NodeId, Pid};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use crate::events::Watchers;
use crate::notice::{Log, Notice};
use crate::protocol::{Connection, ConnectionId, Endpoint, Length, Peer, Settings};
use crate::transport::Transport;

/// The state of a node's membership.
///
/// Locks are taken in this order: `core` of a link, then any other, of which only one at a time.
pub(crate) struct Hub {
    pub(crate) node: Node,
    /// The global names, which are served as long as the node is in a cluster.
    pub(crate) names: Names,
    pub(crate) settings: Arc<Settings>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) endpoint: Mutex<Endpoint>,
    /// The connections that are in use.
    pub(crate) up: RwLock<HashMap<NodeId, Arc<Link>>>,
    /// All that have shaken hands or are about to.
    pub(crate) open: Mutex<HashMap<ConnectionId, Arc<Link>>>,
    /// The tasks of callers that are not let in yet.
    pub(crate) strangers: Mutex<HashMap<ConnectionId, AbortHandle>>,
    pub(crate) watchers: Watchers,
    /// The names of nodes that were disconnected on purpose.
    pub(crate) parted: Mutex<Vec<Arc<str>>>,
    /// Whether the node can run functions for others: nobody is let in before.
    pub(crate) served: watch::Receiver<bool>,
    /// Told whenever a connection has come up or has ended.
    pub(crate) changed: watch::Sender<()>,
    pub(crate) log: Log,
    pub(crate) started: Instant,
}

/// One connection.
pub(crate) struct Link {
    pub(crate) id: ConnectionId,
    pub(crate) core: Mutex<Connection>,
    /// There is something to write.
    pub(crate) writable: Notify,
    /// The reading task has something else to see to than its input.
    pub(crate) nudge: Notify,
    /// Processes that wait for room among operations of a length.
    pub(crate) room: Mutex<HashMap<Pid, (Length, Waker)>>,
    /// Those of them that have sent something long.
    pub(crate) long: Mutex<HashSet<Pid>>,
    /// Who is at the other end, once it is in use.
    pub(crate) peer: OnceLock<(NodeId, Peer)>,
    /// Whether everything about its end has been done.
    pub(crate) ended: watch::Sender<bool>,
}

impl Link {
    pub(crate) fn new(id: ConnectionId, core: Connection) -> Self {
        let (writable, nudge) = Default::default();
        let (room, long) = Default::default();
        let (peer, ended) = (OnceLock::new(), watch::Sender::new(false));
        Link { id, core: Mutex::new(core), writable, nudge, room, long, peer, ended }
    }

    /// Says goodbye; the tasks do the rest.
    pub(crate) fn close(&self) {
        self.core.lock().close();
        self.nudge.notify_one();
        self.writable.notify_one();
    }

    /// Wakes those who wait for room, if there is.
    pub(crate) fn make_room(&self) {
        let mut room = self.room.lock();
        if room.is_empty() {
            return;
        }
        let mut waiting = std::mem::take(&mut *room);
        drop(room);
        let core = self.core.lock();
        let (short, long) = (core.has_room(Length::Short), core.has_room(Length::Long));
        drop(core);
        let is_free = |length| if length == Length::Short { short } else { long };
        let free: Vec<_> = waiting.extract_if(|_, (length, _)| is_free(*length)).collect();
        self.room.lock().extend(waiting);
        free.into_iter().for_each(|(_, (_, waker))| waker.wake());
    }
}

impl Hub {
    /// The time that the protocol goes by.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// The connection to a node.
    pub(crate) fn link(&self, node: NodeId) -> Option<Arc<Link>> {
        self.up.read().get(&node).cloned()
    }

    pub(crate) fn is_hidden(&self, peer: &Peer) -> bool {
        self.settings.myself.hidden || peer.hidden
    }

    pub(crate) fn tell(&self, notice: &Notice) {
        self.log.tell(notice, self.now());
    }

    /// Closes a connection and waits until everyone has been told.
    pub(crate) async fn end(&self, id: ConnectionId) {
        let Some(link) = self.open.lock().get(&id).cloned() else { return };
        link.close();
        // An error means that its task is gone, with the node.
        let _ = link.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Waits until the node of this name is connected.
    pub(crate) async fn wait_for(&self, name: &str) -> NodeId {
        let mut changed = self.changed.subscribe();
        loop {
            let found = self.up.read().values().find_map(|link| {
                let (node, peer) = link.peer.get()?;
                (&*peer.name.name == name).then_some(*node)
            });
            if let Some(node) = found {
                return node;
            }
            if changed.changed().await.is_err() {
                std::future::pending::<()>().await; // The node is stopping.
            }
        }
    }
}
