//! Global names: one process a name on all nodes that are connected. OTP's `global`.
//!
//! Each node has a process that serves its [`Names`]; `greenroom-cluster` starts it. A name is registered once all nodes
//! agree, and when that has returned, all of them know it. It is nobody's again when its process ends, or is killed, or
//! its node is lost; who has seen the `Down` can register it anew.
//!
//! ```
//! use greenroom::global::Names;
//! use greenroom::{Node, receive, self_pid, send};
//!
//! let node = Node::builder().start().unwrap();
//! let names = Names::start(&node);
//! node.block_on(async move {
//!     names.register("printer", self_pid()).await.unwrap();
//!     assert_eq!(names.whereis("printer"), Some(self_pid()));
//!     send(names.at("printer"), 'a').unwrap();
//!     assert_eq!(receive::<char>().await, 'a');
//! });
//! ```
//!
//! Nodes that were apart may have given the same name to two processes. When they meet, this is resolved as whoever has
//! registered the name wants it: see [`Resolve`].
//!
//! Differs from OTP: there is no lock that all nodes hold in turn; of several nodes that register a name at once, the one
//! whose name comes first gets it. A process is registered on its own node. Which of two processes keeps a name is not
//! left to chance: that of the node whose name comes first, unless a function says otherwise. Nodes that are not all
//! connected with each other may have several processes of a name for as long as that lasts.

#[doc(hidden)]
pub mod protocol;
#[doc(hidden)]
pub mod state;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::ask::{self, Asked, ask};
use crate::current::Current;
use crate::lock::RwLock;
use crate::message::{Down, Message, Target};
use crate::node::Node;
use crate::pid::{LocalPid, NodeId, Pid, Ref};
use crate::process::{Destination, Sender, Watchable, demonitor, exit, is_alive, monitor, register, self_pid, send};
use crate::reason::ExitReason;
use crate::receive;
use crate::registry::ViaError;
use crate::router::Met;
pub use protocol::NameConflict;
use protocol::{Asker, Input, Output, Protocol, Wish};
use state::State;

/// The name of the process on each node.
const SERVER: &str = "greenroom_global";

/// What becomes of two processes on nodes that were apart and meet, which have the same name.
///
/// The server of the node whose name comes first decides, by what its own process was registered with.
#[derive(Clone, Copy, Debug, Default)]
pub enum Resolve {
    /// The process of that node keeps the name; the other one is killed.
    #[default]
    Kill,
    /// The process of that node keeps the name; the other one is sent a [`NameConflict`].
    Notify,
    /// Neither keeps it, and both are sent a [`NameConflict`].
    NotifyBoth,
    /// This function is given the name, the process of that node and the other one, and says which of them keeps the
    /// name, if any. It runs in the server, which waits for it; if it panics, neither does.
    With(fn(&str, Pid, Pid) -> Option<Pid>),
}

impl Resolve {
    /// Who keeps the name.
    fn decide(self, name: &str, first: Pid, other: Pid) -> Option<Pid> {
        match self {
            Resolve::Kill | Resolve::Notify => Some(first),
            Resolve::NotifyBoth => None,
            Resolve::With(decide) => catch_unwind(AssertUnwindSafe(|| decide(name, first, other))).ok().flatten(),
        }
    }
}

/// The global names as a node knows them: see the [module](self). Clones are the same.
#[derive(Clone)]
pub struct Names {
    node: NodeId,
    server: Arc<OnceLock<Pid>>,
    /// Written by the server alone.
    state: Arc<RwLock<State>>,
}

impl Names {
    /// Serves the global names at `node`: for whoever connects it with others. A node has one server; a second one
    /// ends at once.
    pub fn start(node: &Node) -> Names {
        let names = Names { node: node.id(), server: Arc::default(), state: Arc::default() };
        let server = node.spawn(names.clone().serve());
        names.server.get_or_init(|| server);
        names
    }

    /// Gives a process of this node a name, if nobody has it. When this returns, all connected nodes know it.
    ///
    /// # Errors
    /// [`NameError`], if the name is another's, or this one's already, or the process has ended or is of another node.
    ///
    /// # Cancel safety
    /// If it is dropped, the process may still get the name.
    pub async fn register(&self, name: impl Into<Arc<str>>, pid: Pid) -> Result<(), NameError> {
        self.register_with(name, pid, Resolve::default()).await
    }

    /// The same, and says what is to happen should a node that was not connected have given the name, too.
    ///
    /// # Errors
    /// As [`Names::register`].
    pub async fn register_with(&self, name: impl Into<Arc<str>>, pid: Pid, resolve: Resolve) -> Result<(), NameError> {
        self.ask(Request::Register(name.into(), pid, resolve)).await
    }

    /// Gives a process of this node a name, whoever has it. Who loses it is not told.
    ///
    /// # Errors
    /// [`NameError`], if the process is of another node.
    pub async fn re_register(&self, name: impl Into<Arc<str>>, pid: Pid) -> Result<(), NameError> {
        self.ask(Request::Replace(name.into(), pid)).await
    }

    /// Takes a name from whoever has it, on any node. If nobody has it, that is fine.
    ///
    /// # Errors
    /// [`NameError::NotServed`].
    pub async fn unregister(&self, name: impl Into<Arc<str>>) -> Result<(), NameError> {
        self.ask(Request::Unregister(name.into())).await
    }

    /// Waits until this node knows all names that the nodes which are connected now have given: `global:sync`.
    ///
    /// Right after a node was connected its names are not known yet. A node that is lost meanwhile is not waited for,
    /// nor is one that serves no names.
    ///
    /// # Errors
    /// [`NameError::NotServed`].
    pub async fn sync(&self) -> Result<(), NameError> {
        self.ask(Request::Sync).await
    }

    /// Whose a name is, as far as this node knows.
    pub fn whereis(&self, name: &str) -> Option<Pid> {
        let state = self.state.read();
        Current::with(|current| {
            let may_live = |pid: &Pid| match &current {
                Some(current) if current.inner.id == pid.node => current.inner.is_alive(pid.id),
                _ => true,
            };
            state.holders(name).find(may_live)
        })
    }

    /// All names that are somebody's, as far as this node knows, in order.
    pub fn registered(&self) -> Vec<Arc<str>> {
        let mut names: Vec<_> = self.state.read().names().cloned().collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| self.whereis(name).is_some());
        names
    }

    /// The process that has a name whenever it is used: to send to, to monitor, or as the address of a server.
    pub fn at(&self, name: impl Into<Arc<str>>) -> GlobalName {
        GlobalName { names: self.clone(), name: name.into() }
    }

    async fn ask(&self, request: Request) -> Result<(), NameError> {
        let pid = match &request {
            Request::Register(_, pid, _) | Request::Replace(_, pid) => *pid,
            Request::Unregister(_) | Request::Sync => self_pid(),
        };
        if pid.node != self.node {
            return Err(NameError::NotLocal { pid });
        }
        let name = request.name().to_string();
        let server = self.server.get().copied().unwrap_or(Pid::new(self.node, LocalPid::NOBODY));
        match ask::<Request, Result<(), Option<Pid>>>(server, request).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Some(holder))) => Err(NameError::Taken { name, pid: holder }),
            Ok(Err(None)) => Err(NameError::NoProcess { pid }),
            Err(reason) => Err(NameError::NotServed { reason }),
        }
    }

    /// The life of the server.
    async fn serve(self) {
        if register(SERVER, self_pid()).is_err() {
            return; // The node has one.
        }
        let mut watched = FxHashSet::default();
        // The servers that are asked what they own, until they have said it.
        let mut asked_nodes: FxHashMap<NodeId, Ref> = FxHashMap::default();
        let nodes = Current::with(|current| current.map(|current| current.inner.meet_nodes(self_pid())));
        nodes.into_iter().flatten().for_each(greet);
        loop {
            receive! {
                Met(node): Met => greet(node),
                message: Protocol => {
                    if let Protocol::Sync(server, _) = &message
                        && let Some(watch) = asked_nodes.remove(&server.node())
                    {
                        demonitor(watch);
                    }
                    self.take_in(&mut watched, &mut asked_nodes, Input::Peer(message));
                },
                asked: Asked<Request> => {
                    let (asker, request) = asked.open();
                    let input = request.of((asker.pid(), asker.reference()));
                    self.take_in(&mut watched, &mut asked_nodes, input);
                },
                down: Down => match down.target {
                    Target::Pid(pid) => {
                        watched.remove(&pid);
                        self.take_in(&mut watched, &mut asked_nodes, Input::Down(pid));
                    }
                    Target::Name(_, node) => {
                        asked_nodes.remove(&node);
                        self.take_in(&mut watched, &mut asked_nodes, Input::Lost(node));
                    }
                    Target::Alias(..) => {}
                },
            }
        }
    }

    fn take_in(&self, watched: &mut FxHashSet<Pid>, asked: &mut FxHashMap<NodeId, Ref>, input: Input) {
        let outputs = self.state.write().apply(self_pid(), &is_alive, input);
        for output in outputs {
            match output {
                Output::Reply((caller, reference), answer) => ask::Asker::noted_here(caller, reference).reply(answer),
                Output::Send(server, message) => send(server, message),
                Output::Ask(node) => {
                    asked.entry(node).or_insert_with(|| monitor((SERVER, node)));
                    greet(node);
                }
                Output::Monitor(pid) => {
                    if watched.insert(pid) {
                        monitor(pid);
                    }
                }
                Output::Kill(pid) => exit(pid, ExitReason::Kill),
                Output::Tell(pid, conflict) => send(pid, conflict),
            }
        }
    }
}

/// Introduces the server to that of another node, if there is one.
fn greet(node: NodeId) {
    send((SERVER, node), Protocol::Discover(self_pid()));
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Names").field(&self.node).finish()
    }
}

/// What the server is asked.
#[derive(Debug)]
enum Request {
    Register(Arc<str>, Pid, Resolve),
    Replace(Arc<str>, Pid),
    Unregister(Arc<str>),
    Sync,
}

impl Request {
    fn name(&self) -> &str {
        match self {
            Request::Register(name, ..) | Request::Replace(name, _) | Request::Unregister(name) => name,
            Request::Sync => "",
        }
    }

    fn of(self, asker: Asker) -> Input {
        match self {
            Request::Register(name, pid, resolve) => Input::Register(Wish { name, pid, resolve, asker }),
            Request::Replace(name, pid) => Input::Replace(Wish { name, pid, resolve: Resolve::default(), asker }),
            Request::Unregister(name) => Input::Unregister(name, asker),
            Request::Sync => {
                let connected = Current::with(|current| current.map(|current| current.inner.connected_nodes()));
                Input::Sync(asker, connected.unwrap_or_default())
            }
        }
    }
}

/// A global name, as an address: see [`Names::at`].
#[derive(Clone)]
pub struct GlobalName {
    names: Names,
    name: Arc<str>,
}

impl fmt::Debug for GlobalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GlobalName").field(&self.name).finish()
    }
}

impl Destination for &GlobalName {
    type Sent<M> = Result<(), ViaError<Arc<str>, M>>;

    fn accept<M: Message>(self, from: Sender<'_, '_>, message: M) -> Self::Sent<M> {
        match self.names.whereis(&self.name) {
            Some(pid) => {
                pid.accept(from, message);
                Ok(())
            }
            None => Err(ViaError { key: self.name.clone(), message }),
        }
    }
}

impl Destination for GlobalName {
    type Sent<M> = Result<(), ViaError<Arc<str>, M>>;

    fn accept<M: Message>(self, from: Sender<'_, '_>, message: M) -> Self::Sent<M> {
        (&self).accept(from, message)
    }
}

impl Watchable for &GlobalName {
    fn target(self, home: NodeId) -> Target {
        // If there is none, a process that there never is.
        Target::Pid(self.names.whereis(&self.name).unwrap_or(Pid::new(home, LocalPid::NOBODY)))
    }
}

/// Why a global name was not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameError {
    /// It is this process's.
    Taken {
        /// The name.
        name: String,
        /// The process.
        pid: Pid,
    },
    /// The process has ended.
    NoProcess {
        /// The process.
        pid: Pid,
    },
    /// The process is of another node.
    NotLocal {
        /// The process.
        pid: Pid,
    },
    /// The server of this node has ended.
    NotServed {
        /// Why.
        reason: ExitReason,
    },
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameError::Taken { name, pid } => write!(f, "the global name `{name}` is {pid}'s"),
            NameError::NoProcess { pid } => write!(f, "{pid} has ended"),
            NameError::NotLocal { pid } => {
                write!(f, "{pid} is of another node: give it a global name there")
            }
            NameError::NotServed { reason } => {
                write!(f, "nobody serves global names on this node ({reason}): it is done by its cluster")
            }
        }
    }
}

impl std::error::Error for NameError {}
