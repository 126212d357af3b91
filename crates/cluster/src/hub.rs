//! What all connections of a node share: who is connected, what is decided, whom to tell.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::{Duration, Instant};

use greenroom::global::Names;
use greenroom::router::RemoteSignal;
use greenroom::{ExitReason, Node, NodeId, Pid};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::AbortHandle;

use crate::cookie::Cookie;
use crate::directory::{Bounds, Directory, Held, Holding, Waiting, Wanted};
use crate::events::Watchers;
use crate::notice::{Log, Notice};
use crate::pen::Pen;
use crate::protocol::{Connection, ConnectionId, Endpoint, Length, Peer, Settings};
use crate::transport::Transport;

/// The state of a node's membership.
///
/// Locks are taken in this order: `pen` and `core` of a link, then any other, of which only one at a time; but
/// `directory` before `up`.
pub(crate) struct Hub {
    pub(crate) node: Node,
    /// The global names, which are served as long as the node is in a cluster.
    pub(crate) names: Names,
    pub(crate) settings: Arc<Settings>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) endpoint: Mutex<Endpoint>,
    /// The cookies of nodes that have one of their own, by their names.
    pub(crate) cookies: Mutex<HashMap<Arc<str>, Cookie>>,
    /// The connections that are in use.
    pub(crate) up: RwLock<HashMap<NodeId, Arc<Link>>>,
    /// All that have shaken hands or are about to.
    pub(crate) open: Mutex<HashMap<ConnectionId, Arc<Link>>>,
    /// The tasks of callers that are not let in yet.
    pub(crate) strangers: Mutex<HashMap<ConnectionId, AbortHandle>>,
    pub(crate) watchers: Watchers,
    /// The links that have something to write since this turn, for the flusher.
    pub(crate) due: Mutex<Vec<Arc<Link>>>,
    pub(crate) flush_wanted: Notify,
    /// Where nodes are, and what waits for those that are being called. An operation waits there only while its node
    /// is not in `up`, so that none overtakes another.
    pub(crate) directory: Mutex<Directory>,
    /// Calls that have to be made, as something was sent.
    pub(crate) wanted: mpsc::UnboundedSender<Wanted>,
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
    /// The writing end, while the writing task is there; taken before `core`.
    pub(crate) pen: Mutex<Option<Pen>>,
    /// There is something to write for the writing task.
    pub(crate) writable: Notify,
    /// Whether the flusher is going to look at it.
    pub(crate) is_due: AtomicBool,
    /// The reading task has something else to see to than its input.
    pub(crate) nudge: Notify,
    /// Processes that wait for room among operations of a length: those that are held back, and those that await it.
    pub(crate) room: Mutex<HashMap<Pid, (Length, Vec<Waker>)>>,
    /// Those of them that have sent something long.
    pub(crate) long: Mutex<HashSet<Pid>>,
    /// Who is at the other end, once it is in use.
    pub(crate) peer: OnceLock<(NodeId, Peer)>,
    /// Whether everything about its end has been done.
    pub(crate) ended: watch::Sender<bool>,
}

impl Link {
    pub(crate) fn new(id: ConnectionId, core: Connection, pen: Pen) -> Self {
        let (core, pen) = (Mutex::new(core), Mutex::new(Some(pen)));
        let (writable, is_due, nudge) = Default::default();
        let (room, long) = Default::default();
        let (peer, ended) = (OnceLock::new(), watch::Sender::new(false));
        Link { id, core, pen, writable, is_due, nudge, room, long, peer, ended }
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
        let mut room = self.room.lock();
        for (pid, (length, wakers)) in waiting {
            room.entry(pid).or_insert_with(|| (length, Vec::new())).1.extend(wakers);
        }
        drop(room);
        free.into_iter().flat_map(|(_, (_, wakers))| wakers).for_each(Waker::wake);
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

    /// How much may wait for a node that is being called: as much as for one that is connected.
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds { high_water: self.settings.high_water, limit: self.settings.limit }
    }

    /// Something is sent to a node that was not connected just now.
    pub(crate) fn hold(&self, held: Held) -> Hold {
        let (to, name) = (held.to, held.to.name().name);
        let mut directory = self.directory.lock();
        if let Some(link) = self.link(to) {
            return Hold::Up(link, held);
        }
        let holding = directory.hold(&name, held, self.bounds());
        let has_room = !directory.is_full(&name, self.bounds());
        drop(directory);
        Hold::Kept(match holding {
            Holding::Waits => Kept::Waits { has_room },
            Holding::Begins(wanted) => {
                self.parted.lock().retain(|parted| *parted != name);
                let _ = self.wanted.send(wanted); // Nobody listens any more when the node is stopping.
                Kept::Waits { has_room }
            }
            Holding::Nowhere(held) => Kept::Nowhere(held.signal),
            Holding::TooMuch(waiting) => {
                self.give_back(waiting);
                Kept::Nowhere(None)
            }
        })
    }

    /// Nothing is waited for any more: what was held does not arrive, and who has to be told is told; whoever waits for
    /// room looks again. Not while a `core` is locked: who is told or woken may look at it.
    pub(crate) fn give_back(&self, waiting: Waiting) {
        for Held { to, signal, .. } in waiting.held {
            signal.into_iter().for_each(|signal| self.answer_for(to, &signal));
        }
        waiting.wakers.into_iter().for_each(Waker::wake);
    }

    /// Tells a process whose signal does not arrive.
    pub(crate) fn answer_for(&self, node: NodeId, signal: &RemoteSignal) {
        if let Some(answer) = answer_of_nobody(signal, self.reason_without(node)) {
            self.node.receive_signal(node, answer);
        }
    }

    /// Whether a later life of a node has been connected.
    pub(crate) fn is_past(&self, node: NodeId) -> bool {
        let name = node.name();
        self.endpoint.lock().latest(&name.name).is_some_and(|latest| latest > name.incarnation)
    }

    /// What somebody is told who asks for a process of a node that is not connected: if a later life of that node has
    /// been seen, the process is known to be gone.
    fn reason_without(&self, node: NodeId) -> ExitReason {
        if self.is_past(node) { ExitReason::NoProc } else { ExitReason::NoConnection }
    }

    /// Waits until there is nothing left of a connection that is being lost, so that there can be another one. False
    /// if there is one meanwhile, so that this call is not needed.
    pub(crate) async fn may_call(&self, wanted: &Wanted) -> bool {
        let mut changed = self.changed.subscribe();
        loop {
            if !self.directory.lock().waits(&wanted.name, wanted.number) || self.node_of(&wanted.name).is_some() {
                return false;
            }
            if self.endpoint.lock().connection_to(&wanted.name).is_none() {
                return true;
            }
            if changed.changed().await.is_err() {
                return false; // The node is stopping.
            }
        }
    }

    /// The node of this name that is connected.
    fn node_of(&self, name: &str) -> Option<NodeId> {
        let up = self.up.read();
        let mut peers = up.values().filter_map(|link| link.peer.get());
        peers.find_map(|(node, peer)| (&*peer.name.name == name).then_some(*node))
    }

    /// Waits until the node of this name is connected.
    pub(crate) async fn wait_for(&self, name: &str) -> NodeId {
        let mut changed = self.changed.subscribe();
        loop {
            if let Some(node) = self.node_of(name) {
                return node;
            }
            if changed.changed().await.is_err() {
                std::future::pending::<()>().await; // The node is stopping.
            }
        }
    }
}

/// What is to be done with something that was sent to a node that was not connected.
pub(crate) enum Hold {
    /// Nothing more.
    Kept(Kept),
    /// The node is connected meanwhile: it goes that way.
    Up(Arc<Link>, Held),
}

/// What has become of something that was sent to a node that is not connected.
pub(crate) enum Kept {
    /// It waits for the connection.
    Waits {
        /// Whether its sender can go on.
        has_room: bool,
    },
    /// It does not arrive. If it is a signal, and nobody has been told of that yet, this is it.
    Nowhere(Option<RemoteSignal>),
}

/// What a process is told when the node that it asks cannot be asked.
fn answer_of_nobody(signal: &RemoteSignal, reason: ExitReason) -> Option<RemoteSignal> {
    match *signal {
        RemoteSignal::Monitor { reference, watcher, .. } => Some(RemoteSignal::Down { reference, watcher, reason }),
        RemoteSignal::Link { from, to } => Some(RemoteSignal::LinkBroken { from: to, to: from, reason }),
        RemoteSignal::Exit { .. }
        | RemoteSignal::Unlink { .. }
        | RemoteSignal::LinkBroken { .. }
        | RemoteSignal::Demonitor { .. }
        | RemoteSignal::Down { .. } => None,
    }
}
