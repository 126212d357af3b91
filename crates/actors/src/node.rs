//! A node: the object that processes run on. Several can live in one operating-system process.

mod builder;
mod life;

use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc;
use std::task::Poll;

use crate::clock::Clock;
use crate::core::Inner;
use crate::current::Current;
use crate::mailbox::Envelope;
use crate::message::{Message, Private, Target};
use crate::pid::{NodeId, Pid};
use crate::process::{Info, Totals};
use crate::reason::{ExitReason, Outcome};
use crate::recorder::wanted;
use crate::router::{Met, Payload, RemoteSignal, Router};
use crate::seq_trace::NoSuchTracer;
use crate::trace::Tracer;
pub use builder::NodeBuilder;
use life::Life;

/// A running node: worker threads, a table of processes, names, timers.
///
/// Clones are handles to the same node. It stops when [`Node::shutdown`] is called or the last handle
/// made by [`NodeBuilder::start`] or cloned from it is dropped; a handle from [`Node::current`] does not
/// keep it running.
///
/// ```
/// let node = greenroom::Node::builder().workers(2).start().unwrap();
/// let sum = node.block_on(async { 1 + 2 });
/// assert_eq!(sum, 3);
/// ```
#[derive(Clone)]
pub struct Node {
    inner: Arc<Inner>,
    _life: Option<Arc<Life>>,
}

impl Node {
    /// A builder with everything at its default.
    pub fn builder() -> NodeBuilder {
        NodeBuilder::default()
    }

    /// The node of the running process, if the caller is one.
    pub fn current() -> Option<Node> {
        Current::with(|current| current?.inner.myself()).map(|inner| Node { inner, _life: None })
    }

    /// A handle that does not keep the node running.
    pub fn downgrade(&self) -> Node {
        Node { inner: self.inner.clone(), _life: None }
    }

    /// What the node's processes have done so far, all together.
    pub fn totals(&self) -> Totals {
        self.inner.totals()
    }

    /// The clock that everything in the node goes by.
    pub fn clock(&self) -> Clock {
        Clock::of(&self.inner)
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    /// The node's identity.
    pub fn id(&self) -> NodeId {
        self.inner.id
    }

    /// Starts a process.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Pid
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        self.inner.spawn(Location::caller(), |_| (), future)
    }

    /// Sends a message to a process.
    pub fn send<M: Message>(&self, to: Pid, message: M) {
        self.inner.send(to, message);
    }

    /// Sends a message past all tracers, and without the token of a traced conversation.
    ///
    /// For what observes and what prints: a picture of a conversation should not show its own frame.
    pub fn send_untraced<M: Message>(&self, to: Pid, message: M) {
        self.inner.send_untraced(&Target::Pid(to), Envelope::new(message));
    }

    /// Sends an exit signal to a process.
    pub fn exit(&self, pid: Pid, reason: impl Into<ExitReason>) {
        self.inner.exit(None, pid, reason.into());
    }

    /// The process that has this name.
    pub fn whereis(&self, name: &str) -> Option<Pid> {
        self.inner.whereis(name).map(|id| self.inner.pid(id))
    }

    /// Whether a process of this node is alive.
    pub fn is_alive(&self, pid: Pid) -> bool {
        pid.node == self.inner.id && self.inner.is_alive(pid.id)
    }

    /// Every process of the node.
    pub fn list(&self) -> Vec<Pid> {
        self.inner.table.residents().map(|(_, id)| self.inner.pid(id)).collect()
    }

    /// Every name that is registered, in no particular order: OTP's `registered/0`.
    pub fn registered(&self) -> Vec<String> {
        self.inner.names.read().keys().map(|name| name.to_string()).collect()
    }

    /// How many timers run: messages that are to be sent later, and receives and calls that wait with a limit.
    pub fn timers(&self) -> usize {
        self.inner.timers.len()
    }

    /// What can be known about a process, or `None` if it is not alive.
    pub fn info(&self, pid: Pid) -> Option<Info> {
        self.inner.info(pid)
    }

    /// Runs a future as a process and blocks the calling thread until it is done.
    ///
    /// # Panics
    /// With the future's panic, if that panics; if the process is ended by a signal; and on a worker
    /// thread, which must not block.
    pub fn block_on<F>(&self, future: F) -> F::Output
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        assert!(
            Current::with(|current| current.is_none()),
            "`block_on` was called within a process, which would block its worker: await the future instead"
        );
        let (sender, receiver) = mpsc::sync_channel(1);
        self.spawn(async move {
            let mut future = pin!(future);
            let outcome = std::future::poll_fn(|context| {
                match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
                    Ok(Poll::Pending) => Poll::Pending,
                    Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
                    Err(payload) => Poll::Ready(Err(payload)),
                }
            })
            .await;
            let reason = match &outcome {
                Ok(_) => ExitReason::Normal,
                Err(_) => ExitReason::Error("the future that was blocked on panicked".into()),
            };
            // Nobody waits any more only if the waiting thread has panicked.
            let _ = sender.send(outcome);
            reason
        });
        match receiver.recv() {
            Ok(Ok(value)) => value,
            Ok(Err(payload)) if payload.is::<crate::runner::ExitSelf>() => {
                panic!("the process that was blocked on exited")
            }
            Ok(Err(payload)) => resume_unwind(payload),
            Err(_) => panic!("the process that was blocked on was ended by a signal"),
        }
    }

    /// Lets `tracer` see every event of this node, or nobody.
    pub fn set_tracer(&self, tracer: Option<Arc<dyn Tracer>>) {
        let mut current = self.inner.tracer.write();
        self.inner.recorders.want(wanted::TRACER, tracer.is_some());
        *current = tracer;
    }

    /// Whoever is told of conversations in [`seq_trace`](crate::seq_trace): this process, or nobody. Returns the
    /// one before.
    ///
    /// # Errors
    /// [`NoSuchTracer`], if the process is not alive on this node.
    pub fn set_system_tracer(&self, tracer: Option<Pid>) -> Result<Option<Pid>, NoSuchTracer> {
        crate::seq_trace::set_tracer_of(&self.inner, tracer)
    }

    /// The tokio runtime that the workers have entered: timers, sockets and blocking threads of the node.
    pub fn tokio(&self) -> &tokio::runtime::Handle {
        &self.inner.tokio
    }

    /// Ends all processes and stops the node's threads.
    ///
    /// Called by a process of the node itself, it does not wait for the threads.
    pub fn shutdown(&self) {
        match &self._life {
            Some(life) => life.end(),
            None => self.inner.end_all(),
        }
    }
}

/// For whoever connects this node to others.
impl Node {
    /// Sends and signals to other nodes go through `router` from now on.
    pub fn set_router(&self, router: Arc<dyn Router>) {
        *self.inner.router.write() = Some(router);
    }

    /// A message has come from another node.
    pub fn deliver(&self, to: &Target, payload: Box<dyn Payload>) {
        let token = payload.token().map(|passport| self.inner.welcome(passport));
        let mut envelope = Envelope::new(Private(payload));
        envelope.set_token(token);
        self.inner.send_untraced(to, envelope);
    }

    /// A signal has come from the node `from`.
    pub fn receive_signal(&self, from: NodeId, signal: RemoteSignal) {
        self.inner.receive_signal(from, signal);
    }

    /// `node` is connected and wants to be seen: process groups and global names are shared with it from now on.
    pub fn connected(&self, node: NodeId) {
        self.inner.connected(node);
    }

    /// Whether a process is told of each node that is connected, as it shares something with all of them.
    pub fn meets_nodes(&self, pid: Pid) -> bool {
        self.inner.remote.lock().meeting.contains(&pid)
    }

    /// The connection to `node` is lost: whoever is linked to or monitors a process there is told.
    pub fn disconnected(&self, node: NodeId) {
        self.inner.disconnected(node);
    }
}

impl Inner {
    fn receive_signal(&self, sender: NodeId, signal: RemoteSignal) {
        match signal {
            RemoteSignal::Exit { from, to, reason } => {
                if to.node == self.id {
                    self.exit(Some(from), to, reason);
                }
            }
            RemoteSignal::Link { from, to } => self.accept_link(from, to),
            RemoteSignal::Unlink { from, to } => self.drop_link(from, to),
            RemoteSignal::LinkBroken { from, to, reason } => self.remote_link_broken(from, to, &reason),
            RemoteSignal::Monitor { reference, watcher, target } => {
                if target.node() == self.id {
                    self.watch(reference, watcher, target);
                }
            }
            RemoteSignal::Demonitor { reference, target, .. } => {
                self.remove_watcher(reference, &target);
            }
            RemoteSignal::Down { reference, reason, .. } => self.remote_down(sender, reference, &reason),
        }
    }
}

/// Starts a node, runs `future` on it as its first process, and stops it when that is done.
///
/// ```
/// assert_eq!(greenroom::run(async { 6 * 7 }), 42);
/// ```
///
/// # Panics
/// As for [`Node::block_on`], and if the node cannot be started.
pub fn run<F>(future: F) -> F::Output
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let node = match Node::builder().start() {
        Ok(node) => node,
        Err(error) => panic!("a node could not be started: {error}"),
    };
    let value = node.block_on(future);
    node.shutdown();
    value
}

impl Inner {
    fn connected(&self, node: NodeId) {
        let mut remote = self.remote.lock();
        remote.up.push(node);
        remote.meeting.retain(|pid| self.is_alive(pid.id));
        let meeting = remote.meeting.clone();
        drop(remote);
        for pid in meeting {
            self.send_untraced(&Target::Pid(pid), Envelope::new(Met(node)));
        }
    }

    /// The nodes that are connected and want to be seen.
    pub(crate) fn connected_nodes(&self) -> Vec<NodeId> {
        self.remote.lock().up.clone()
    }

    /// From now on a process is told [`Met`] of each node that is connected; those that are already are returned.
    pub(crate) fn meet_nodes(&self, pid: Pid) -> Vec<NodeId> {
        let mut remote = self.remote.lock();
        remote.meeting.push(pid);
        remote.up.clone()
    }

    fn disconnected(&self, node: NodeId) {
        let (watching, links) = {
            let mut remote = self.remote.lock();
            remote.up.retain(|up| *up != node);
            (remote.watching.remove(&node).unwrap_or_default(), remote.links.remove(&node).unwrap_or_default())
        };
        for (reference, (watcher, target)) in watching {
            self.fire(reference, watcher, &target, &ExitReason::NoConnection);
        }
        for (local, gone) in links {
            self.remote_link_broken(gone, local, &ExitReason::NoConnection);
        }
        self.forget_watchers_of(node);
    }

    /// Monitors that processes of a lost node had on ours are forgotten.
    fn forget_watchers_of(&self, node: NodeId) {
        for (slot, id) in self.table.residents() {
            if let Some(mut locked) = slot.lock(id)
                && let Some(cold) = locked.known()
            {
                cold.watchers.retain(|_, watcher| watcher.node != node);
            }
        }
    }
}
