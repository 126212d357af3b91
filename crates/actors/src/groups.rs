//! Process groups: processes under a name that they share, on one node or several. OTP's `pg`.
//!
//! A [`Scope`] holds groups that have nothing to do with those of other scopes. It is served by a process, which is
//! best started by a supervisor; a scope whose process is restarted still knows its groups.
//!
//! ```
//! use greenroom::groups::Scope;
//! use greenroom::{receive, self_pid};
//!
//! greenroom::run(async {
//!     let rooms: Scope<String> = Scope::new("rooms");
//!     rooms.start_link().unwrap();
//!     rooms.join("green".into(), self_pid()).await.unwrap();
//!     assert_eq!(rooms.broadcast(&"green".into(), 'a'), 1);
//!     assert_eq!(receive::<char>().await, 'a');
//! });
//! ```
//!
//! A process that joins twice is a member twice, and leaves twice; one that ends leaves all its groups, and local ones
//! are not listed from that moment on. Scopes of the same name on several nodes have their members in common as long as
//! the nodes are connected: they find each other, tell each other who joins and leaves, and when one of them or its
//! node is gone, so are its members. Hidden nodes have groups of their own.
//!
//! Differs from OTP: groups are of one type, any message that can be compared; and the scope is a value, from which
//! members are read without asking its process.

#[doc(hidden)]
pub mod state;

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use crate::ask::{Asked, ask};
use crate::core::Inner;
use crate::current::running;
use crate::lock::RwLock;
use crate::message::{Down, Message};
use crate::names::RegisterError;
use crate::pid::{NodeId, Pid, Ref};
use crate::process::{demonitor, monitor, self_pid, send, spawn_link_named, whereis};
use crate::reason::ExitReason;
use crate::receive;
use crate::receive::{Mark, drop_messages};
use crate::router::Met;
use crate::supervisor::ChildSpec;
pub use state::{Change, GroupEvent};
use state::{Input, Members, Output, Protocol, State};

/// What a group can be: a message that can be compared.
pub trait Group: Message + Clone + Eq + Hash + Sync {}
impl<G: Message + Clone + Eq + Hash + Sync> Group for G {}

/// Groups of processes: see the [module](self).
#[derive(Clone)]
pub struct Scope<G> {
    name: Arc<str>,
    /// Written by the scope's process alone.
    state: Arc<RwLock<State<G>>>,
}

/// What the process of a scope is asked.
#[derive(Debug)]
enum Request<G> {
    Change(Input<G>),
    /// And the members of a group, or all.
    Watch(Input<G>, Option<G>),
}

impl<G: Group> Scope<G> {
    /// A scope without groups. It is served once its process is started, by [`Scope::spec`] in a supervisor or by
    /// [`Scope::start_link`].
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Scope { name: name.into(), state: Arc::default() }
    }

    /// Its name, which is also that of its process.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The scope's process as a child of a supervisor.
    pub fn spec(&self) -> ChildSpec {
        let scope = self.clone();
        ChildSpec::named(&*self.name, move || scope.clone().serve())
    }

    /// Starts the scope's process, linked to the running one.
    ///
    /// # Errors
    /// If its name is taken, or empty.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn start_link(&self) -> Result<Pid, RegisterError> {
        spawn_link_named(&self.name, self.clone().serve())
    }

    /// Lets a process of this node join a group. When this returns, it is a member.
    ///
    /// # Errors
    /// [`ScopeError`], if the process is of another node, or nobody serves the scope.
    pub async fn join(&self, group: G, pid: Pid) -> Result<(), ScopeError> {
        self.join_many(group, vec![pid]).await
    }

    /// Lets several join at once, so that others are told at once.
    ///
    /// # Errors
    /// As [`Scope::join`].
    pub async fn join_many(&self, group: G, pids: Vec<Pid>) -> Result<(), ScopeError> {
        if let Some(pid) = pids.iter().find(|pid| pid.node != self_pid().node) {
            return Err(ScopeError::NotLocal { scope: self.name.to_string(), pid: *pid });
        }
        self.change(Input::Join(group, pids)).await
    }

    /// Lets a process leave a group, once; one that is no member does not mind.
    ///
    /// # Errors
    /// If nobody serves the scope.
    pub async fn leave(&self, group: G, pid: Pid) -> Result<(), ScopeError> {
        self.change(Input::Leave(group, vec![pid])).await
    }

    async fn change(&self, input: Input<G>) -> Result<(), ScopeError> {
        self.ask(Request::Change(input)).await.map(drop)
    }

    async fn ask(&self, request: Request<G>) -> Result<Vec<(G, Vec<Pid>)>, ScopeError> {
        let not_served = |reason| ScopeError::NotServed { scope: self.name.to_string(), reason };
        let server = whereis(&self.name).ok_or(not_served(ExitReason::NoProc))?;
        ask(server, request).await.map_err(not_served)
    }

    /// The members of a group that are alive as far as this node knows, in the order in which they have joined, those
    /// of this node first; as often as they have joined.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn members(&self, group: &G) -> Vec<Pid> {
        running("members", |current, _, _| {
            self.state.read().members(group).filter(|pid| may_live(current.inner, *pid)).collect()
        })
    }

    /// Those of this node.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn local_members(&self, group: &G) -> Vec<Pid> {
        let mut members = self.members(group);
        members.retain(|pid| pid.node == self_pid().node);
        members
    }

    /// The groups that have members, in no particular order.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn groups(&self) -> Vec<G> {
        running("groups", |current, _, _| self.everyone(current.inner)).into_iter().map(|(group, _)| group).collect()
    }

    fn everyone(&self, inner: &Inner) -> Vec<(G, Vec<Pid>)> {
        let state = self.state.read();
        let mut all: Members<G> = Members::default();
        for (group, members) in std::iter::once(&state.local).chain(state.remote.values()).flatten() {
            let mut living = members.iter().copied().filter(|pid| may_live(inner, *pid)).peekable();
            if living.peek().is_some() {
                all.entry(group.clone()).or_default().extend(living);
            }
        }
        all.into_iter().collect()
    }

    /// Sends a message to each member of a group, once, and says how many those are.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn broadcast<M: Message + Clone>(&self, group: &G, message: M) -> usize {
        let mut members = self.members(group);
        members.sort_unstable();
        members.dedup();
        for pid in &members {
            send(*pid, message.clone());
        }
        members.len()
    }

    /// Sends the running process a [`GroupEvent`] for whatever happens in any group from now on. Returns the reference
    /// that they will carry, and all groups as they are now.
    ///
    /// # Errors
    /// If nobody serves the scope.
    pub async fn monitor(&self) -> Result<(Ref, Vec<(G, Vec<Pid>)>), ScopeError> {
        self.watch(None).await
    }

    /// The same for one group; returns its members.
    ///
    /// # Errors
    /// If nobody serves the scope.
    pub async fn monitor_group(&self, group: G) -> Result<(Ref, Vec<Pid>), ScopeError> {
        let (reference, groups) = self.watch(Some(group)).await?;
        Ok((reference, groups.into_iter().flat_map(|(_, members)| members).collect()))
    }

    async fn watch(&self, group: Option<G>) -> Result<(Ref, Vec<(G, Vec<Pid>)>), ScopeError> {
        let reference = Ref::new();
        let input = Input::Watch(reference, self_pid(), group.clone());
        let groups = self.ask(Request::Watch(input, group)).await?;
        Ok((reference, groups))
    }

    /// Ends a monitor, and removes the events that are waiting: none comes any more.
    ///
    /// # Errors
    /// If nobody serves the scope.
    pub async fn demonitor(&self, reference: Ref) -> Result<(), ScopeError> {
        self.change(Input::Unwatch(reference)).await?;
        drop_messages(Mark::default(), |message| {
            message.peek::<GroupEvent<G>>().is_some_and(|event| event.reference == reference)
        });
        Ok(())
    }

    /// The life of the scope's process.
    async fn serve(self) {
        let mut watches = Watches::default();
        let outputs = self.state.write().restart();
        self.carry_out(&mut watches, outputs);
        running("groups", |current, _, _| current.inner.meet_nodes(self_pid()))
            .into_iter()
            .for_each(|node| self.greet(node));
        loop {
            receive! {
                Met(node): Met => self.greet(node),
                request: Asked<Request<G>> => self.answer(&mut watches, request),
                message: Protocol<G> => self.take_in(&mut watches, Input::Peer(message)),
                down: Down => {
                    if let crate::message::Target::Pid(pid) = down.target {
                        watches.0.remove(&pid);
                        self.take_in(&mut watches, Input::Down(pid));
                    }
                },
            }
        }
    }

    /// Introduces itself to the scope of another node, if there is one.
    fn greet(&self, node: NodeId) {
        send((&*self.name, node), Protocol::<G>::Discover(self_pid()));
    }

    fn take_in(&self, watches: &mut Watches, input: Input<G>) {
        let outputs = self.state.write().apply(self_pid(), input);
        self.carry_out(watches, outputs);
    }

    fn carry_out(&self, watches: &mut Watches, outputs: Vec<Output<G>>) {
        for output in outputs {
            match output {
                Output::Tell(watcher, event) => send(watcher, event),
                Output::Send(peer, message) => send(peer, message),
                Output::Monitor(pid) => {
                    watches.0.entry(pid).or_insert_with(|| monitor(pid));
                }
            }
        }
    }

    fn answer(&self, watches: &mut Watches, asked: Asked<Request<G>>) {
        let (asker, request) = asked.open();
        let mut answer = Vec::new();
        match request {
            Request::Change(input) => {
                let parting = match &input {
                    Input::Leave(_, pids) => pids.clone(),
                    Input::Unwatch(_) => vec![asker.pid()],
                    Input::Join(..) | Input::Watch(..) | Input::Down(_) | Input::Peer(_) => Vec::new(),
                };
                self.take_in(watches, input);
                watches.end(parting, &self.state.read());
            }
            Request::Watch(input, group) => {
                answer = running("monitor", |current, _, _| self.everyone(current.inner));
                answer.retain(|(known, _)| group.as_ref().is_none_or(|group| group == known));
                self.take_in(watches, input);
            }
        }
        asker.reply(answer);
    }
}

/// Whom the scope's process monitors: members, watchers and the scopes of other nodes, each once.
#[derive(Default)]
struct Watches(rustc_hash::FxHashMap<Pid, Ref>);

impl Watches {
    /// Ends the monitors of those whose end matters no more.
    fn end<G: Group>(&mut self, pids: Vec<Pid>, state: &State<G>) {
        for pid in pids {
            if !state.minds(pid)
                && let Some(reference) = self.0.remove(&pid)
            {
                // If it has fired, its message says nothing new.
                demonitor(reference);
            }
        }
    }
}

/// Whether a process is alive, as far as its node is this one.
fn may_live(inner: &Inner, pid: Pid) -> bool {
    pid.node != inner.id || inner.is_alive(pid.id)
}

impl<G> fmt::Debug for Scope<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scope").field(&self.name).finish()
    }
}

/// A [`Scope`] could not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeError {
    /// Its process is not running.
    NotServed {
        /// The scope.
        scope: String,
        /// Why it has ended, or `NoProc`.
        reason: ExitReason,
    },
    /// The process that was to join is of another node.
    NotLocal {
        /// The scope.
        scope: String,
        /// The process.
        pid: Pid,
    },
}

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScopeError::NotServed { scope, reason } => {
                write!(f, "nobody serves the scope `{scope}` ({reason}): start it with `spec` or `start_link`")
            }
            ScopeError::NotLocal { scope, pid } => {
                write!(f, "{pid} is of another node: it joins a group of `{scope}` there")
            }
        }
    }
}

impl std::error::Error for ScopeError {}
