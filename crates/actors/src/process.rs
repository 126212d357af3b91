//! What a process can do: OTP's words as free functions that act for the running process.
//!
//! They work on the node that the process runs on. Called outside of a process they panic and say so;
//! [`crate::Node`] has the same for plain threads.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::core::{Current, Due, Inner};
use crate::mailbox::Envelope;
use crate::message::{Down, Message, Target};
use crate::pid::{LocalPid, NodeId, Pid, Ref};
use crate::reason::{ExitReason, Outcome};
use crate::runner::ExitSelf;
use crate::signal::RegisterError;
use crate::table::{Slot, flag};
use crate::timer::TimerKey;
use crate::tree::ChildKind;

#[track_caller]
pub(crate) fn outside(what: &str) -> ! {
    panic!("`{what}` was called outside of a process: run it within `greenroom::run` or `Node::block_on`")
}

/// Does something for the running process.
#[track_caller]
fn running<R>(what: &str, work: impl FnOnce(&Current<'_>, &Slot, LocalPid) -> R) -> R {
    Current::with(|current| {
        let process = current.and_then(|current| Some((current, current.process()?)));
        let Some((current, (slot, id))) = process else { outside(what) };
        work(current, slot, id)
    })
}

/// The identifier of the running process: OTP's `self()`.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn self_pid() -> Pid {
    running("self_pid", |current, _, id| current.inner.pid(id))
}

/// The identifier of the running process, or `None` outside of one.
pub fn try_self_pid() -> Option<Pid> {
    Current::with(|current| current?.pid())
}

/// The node that the running process runs on: OTP's `node()`.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn node() -> NodeId {
    running("node", |current, _, _| current.inner.id)
}

/// Starts a process that runs `future`, and returns its identifier.
///
/// It ends `Normal` when the future returns `()`, with `Error` when that returns `Err`, with `Panic`
/// when it panics.
///
/// # Panics
/// Outside of a process.
///
/// ```
/// use greenroom::{receive, self_pid, send, spawn};
///
/// greenroom::run(async {
///     let parent = self_pid();
///     spawn(async move { send(parent, 42_u32) });
///     assert_eq!(receive::<u32>().await, 42);
/// });
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> Pid
where
    F: Future<Output: Outcome> + Send + 'static,
{
    let at = Location::caller();
    running("spawn", |current, _, _| current.inner.spawn(at, |_| (), future))
}

/// Starts a process that is linked to the running one from its first moment.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn spawn_link<F>(future: F) -> Pid
where
    F: Future<Output: Outcome> + Send + 'static,
{
    let at = Location::caller();
    running("spawn_link", |current, _, id| {
        let inner = current.inner;
        inner.spawn(at, |child| inner.link(inner.pid(id), child), future)
    })
}

/// Starts a process that the running one monitors from its first moment.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn spawn_monitor<F>(future: F) -> (Pid, Ref)
where
    F: Future<Output: Outcome> + Send + 'static,
{
    let at = Location::caller();
    running("spawn_monitor", |current, _, id| {
        let inner = current.inner;
        let mut reference = None;
        let child = inner.spawn(at, |child| reference = Some(inner.monitor(inner.pid(id), Target::Pid(child))), future);
        // Only a process that is dead already gets none, and it will never look at it.
        (child, reference.unwrap_or_else(Ref::new))
    })
}

/// Starts a process that is linked to the running one and monitored by it under this reference.
#[track_caller]
pub(crate) fn spawn_task<F>(reference: Ref, future: F) -> Pid
where
    F: Future<Output: Outcome> + Send + 'static,
{
    let at = Location::caller();
    running("Task::spawn", |current, _, id| {
        let inner = current.inner;
        let introduce = |child| {
            inner.link(inner.pid(id), child);
            inner.monitor_as(reference, inner.pid(id), Target::Pid(child));
        };
        inner.spawn(at, introduce, future)
    })
}

/// Starts a process that is linked to the running one and has a name, or says who has the name.
#[track_caller]
pub(crate) fn spawn_link_named<F>(name: &str, future: F) -> Result<Pid, RegisterError>
where
    F: Future<Output: Outcome> + Send + 'static,
{
    let at = Location::caller();
    running("spawn_link", |current, _, id| {
        let inner = current.inner;
        let mut registered = Ok(());
        let introduce = |child: Pid| {
            registered = inner.register(name, child.id);
            if registered.is_ok() {
                inner.link(inner.pid(id), child);
            } else {
                inner.end(child.id, ExitReason::Shutdown);
            }
        };
        let child = inner.spawn(at, introduce, future);
        registered.map(|()| child)
    })
}

/// Ends a monitor on the running process: it has answered.
#[track_caller]
pub(crate) fn dismiss_watcher(reference: Ref) {
    running("reply", |current, _, _| current.inner.dismiss_watcher(reference));
}

/// Where a message can go: a [`Pid`], a registered name, or a name on another node.
pub trait Destination {
    /// What sending there returns.
    type Sent<M>;

    #[doc(hidden)]
    fn accept<M: Message>(self, from: Sender<'_>, message: M) -> Self::Sent<M>;
}

/// The node that a message is sent from; for [`Destination`].
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Sender<'a>(&'a Inner);

impl Destination for Pid {
    type Sent<M> = ();

    fn accept<M: Message>(self, from: Sender<'_>, message: M) {
        from.0.send(self, message);
    }
}

impl Destination for &str {
    type Sent<M> = Result<(), SendError<M>>;

    fn accept<M: Message>(self, from: Sender<'_>, message: M) -> Self::Sent<M> {
        match from.0.whereis(self) {
            Some(id) => {
                from.0.send(from.0.pid(id), message);
                Ok(())
            }
            None => Err(SendError { name: self.to_owned(), message }),
        }
    }
}

impl Destination for (&str, NodeId) {
    type Sent<M> = ();

    fn accept<M: Message>(self, from: Sender<'_>, message: M) {
        let target = Target::Name(self.0.to_owned(), self.1);
        from.0.send_envelope(&target, Envelope::new(message));
    }
}

/// Nobody is registered under the name; the message comes back.
#[derive(Clone, PartialEq, Eq)]
pub struct SendError<M> {
    /// The name that was tried.
    pub name: String,
    /// The message.
    pub message: M,
}

impl<M> std::fmt::Debug for SendError<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendError").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<M> std::fmt::Display for SendError<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "nobody is registered as `{}`", self.name)
    }
}

impl<M> std::error::Error for SendError<M> {}

/// Sends a message. It never waits.
///
/// To a [`Pid`] it always succeeds: what is sent to a process that has ended is dropped, and the same
/// holds for a name on another node. For a name on this node it is an error if nobody has it.
///
/// # Errors
/// [`SendError`] with the message, for an unregistered name on this node.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn send<D: Destination, M: Message>(to: D, message: M) -> D::Sent<M> {
    running("send", |current, _, _| to.accept(Sender(current.inner), message))
}

/// Sends a message after a while, and returns a handle to cancel that.
///
/// The timer outlives its creator. If the receiver is gone when the time has come, nothing happens.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn send_after<M: Message>(to: Pid, message: M, delay: Duration) -> Timer {
    running("send_after", |current, _, _| {
        let inner = current.inner;
        let due = Due::Send(Target::Pid(to), Envelope::new(message));
        Timer { node: inner.downgrade(), key: inner.timers.insert(inner.now().saturating_add(delay), due) }
    })
}

/// A message that is on its way: see [`send_after`].
#[derive(Clone)]
pub struct Timer {
    node: std::sync::Weak<Inner>,
    key: TimerKey,
}

impl Timer {
    /// Stops the timer and says how much time was left; `None` if it was due already or was stopped.
    pub fn cancel(&self) -> Option<Duration> {
        let inner = self.node.upgrade()?;
        let (due, entry) = inner.timers.remove(self.key)?;
        crate::mailbox::drop_quietly(match entry {
            Due::Send(_, envelope) => Some(envelope),
            Due::Wake(_) => None,
        });
        Some(due.saturating_sub(inner.now()))
    }
}

/// Sends an exit signal to a process: OTP's `exit/2`.
///
/// `Kill` ends it in any case, and others see `Killed`. Any other reason becomes a
/// [`Exit`](crate::message::Exit) message if it traps exits; if not, it ends with that reason, except
/// that `Normal` has no effect on others. When this returns, a process that dies of it is dead to
/// everyone; its future is dropped when it next returns to the scheduler, so that a loop that never
/// awaits burns on. Destructors run then; asynchronous clean-up does not.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn exit(pid: Pid, reason: impl Into<ExitReason>) {
    running("exit", |current, _, id| current.inner.exit(Some(current.inner.pid(id)), pid, reason.into()));
}

/// Ends the running process with this reason: OTP's `exit/1`.
///
/// It is dead to everyone at once; its stack is then unwound. Differs from OTP: `catch_unwind` can stop
/// the unwinding, but not the death: the process never continues after its next await. As in OTP, peers of
/// a process that ends itself with `Kill` see `Kill`, and may trap it.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn exit_self(reason: impl Into<ExitReason>) -> ! {
    let reason = reason.into();
    running("exit_self", |current, _, id| current.inner.end(id, reason.clone()));
    std::panic::resume_unwind(Box::new(ExitSelf(reason)))
}

/// Links the running process with another: when one ends, the other gets an exit signal.
///
/// If there is no such process, the running one gets an exit signal `NoProc`. Linking twice is linking
/// once; linking to oneself does nothing.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn link(pid: Pid) {
    running("link", |current, _, id| current.inner.link(current.inner.pid(id), pid));
}

/// Removes a link. Once it has returned, no exit signal comes from there because of it.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn unlink(pid: Pid) {
    running("unlink", |current, _, id| current.inner.unlink(current.inner.pid(id), pid));
}

/// Asks for a [`Down`] message when `target` ends, or at once with `NoProc` if it is not there.
///
/// # Panics
/// Outside of a process.
///
/// ```
/// use greenroom::{ExitReason, message::Down, monitor, receive, spawn};
///
/// greenroom::run(async {
///     let child = spawn(async {});
///     let reference = monitor(child);
///     let down = receive::<Down>().await;
///     assert_eq!(down.reference, reference);
///     assert!(matches!(down.reason, ExitReason::Normal | ExitReason::NoProc));
/// });
/// ```
#[track_caller]
pub fn monitor(target: impl Watchable) -> Ref {
    running("monitor", |current, _, id| {
        let inner = current.inner;
        inner.monitor(inner.pid(id), target.target(inner.id))
    })
}

/// What can be monitored: a [`Pid`], a name, or a name on another node.
pub trait Watchable {
    #[doc(hidden)]
    fn target(self, home: NodeId) -> Target;
}

impl Watchable for Pid {
    fn target(self, _: NodeId) -> Target {
        Target::Pid(self)
    }
}

impl Watchable for &str {
    fn target(self, home: NodeId) -> Target {
        Target::Name(self.to_owned(), home)
    }
}

impl Watchable for (&str, NodeId) {
    fn target(self, _: NodeId) -> Target {
        Target::Name(self.0.to_owned(), self.1)
    }
}

/// Ends a monitor of the running process. True if it was active: then no [`Down`] will come. False if
/// it had fired, then its message is in the mailbox or was received, or was not the caller's.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn demonitor(reference: Ref) -> bool {
    running("demonitor", |current, _, id| current.inner.demonitor(current.inner.pid(id), reference))
}

/// Ends a monitor and removes its [`Down`] message, should it be waiting: OTP's `flush` option.
///
/// # Panics
/// Outside of a process.
pub async fn demonitor_flush(reference: Ref) -> bool {
    let was_active = demonitor(reference);
    if !was_active {
        crate::receive! {
            _down: Down if _down.reference == reference => (),
            after Duration::ZERO => (),
        }
    }
    was_active
}

/// Whether exit signals to the running process become messages from now on; returns how it was before.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn trap_exit(trap: bool) -> bool {
    running("trap_exit", |_, slot, id| {
        let before = slot.flags(id).unwrap_or_default() & flag::TRAPS_EXITS != 0;
        if trap {
            slot.raise(flag::TRAPS_EXITS);
        } else {
            slot.lower(flag::TRAPS_EXITS);
        }
        before
    })
}

/// Gives a local process a name. A name has one process and a process one name.
///
/// # Errors
/// [`RegisterError`] says which of the two is taken, or that there is no such process here.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn register(name: &str, pid: Pid) -> Result<(), RegisterError> {
    running("register", |current, _, _| {
        if pid.node != current.inner.id {
            return Err(RegisterError::NoProcess { pid });
        }
        current.inner.register(name, pid.id)
    })
}

/// Frees a name; false if nobody had it. (In OTP that is an error.)
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn unregister(name: &str) -> bool {
    running("unregister", |current, _, _| current.inner.unregister(name))
}

/// The process that has this name.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn whereis(name: &str) -> Option<Pid> {
    running("whereis", |current, _, _| current.inner.whereis(name).map(|id| current.inner.pid(id)))
}

/// Whether a process of this node is alive.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn is_alive(pid: Pid) -> bool {
    running("is_alive", |current, _, _| pid.node == current.inner.id && current.inner.is_alive(pid.id))
}

/// Every process of the node.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn list() -> Vec<Pid> {
    running("process::list", |current, _, _| {
        current.inner.table.residents().map(|(_, id)| current.inner.pid(id)).collect()
    })
}

/// Gives the running process a label, for people who look at it. It need not be unique.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn set_label(label: impl Into<String>) {
    running("set_label", |_, slot, id| {
        if let Some(mut locked) = slot.lock(id) {
            locked.cold().label = Some(Arc::from(label.into()));
        }
    });
}

/// The process that output of the running one goes to, inherited from the one that started it.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn group_leader() -> Option<Pid> {
    running("group_leader", |current, _, _| current.leader())
}

/// Starts a process whose output, and that of all that it starts, goes to `leader`.
///
/// Differs from OTP: a group leader is given at the start and does not change.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn spawn_led<F>(leader: Pid, future: F) -> Pid
where
    F: Future<Output: Outcome> + Send + 'static,
{
    let at = Location::caller();
    running("spawn_led", |current, _, _| current.inner.spawn_led(at, Some(leader), |_| (), future))
}

/// Lets other processes run first.
pub async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Waits. Messages that arrive meanwhile stay in the mailbox.
///
/// # Panics
/// When polled outside of a process.
pub async fn sleep(duration: Duration) {
    // Nothing is wanted, so this ends by its time-out.
    let nothing = crate::receive::select(&mut |_| None, Some(duration)).await;
    debug_assert!(nothing.is_none());
}

/// What can be known about a process of this node: see [`info`].
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// The process.
    pub pid: Pid,
    /// Whether it is a supervisor.
    pub kind: ChildKind,
    /// What it does at the moment.
    pub status: Status,
    /// The name that it is registered under.
    pub registered_name: Option<String>,
    /// The label that it gave itself.
    pub label: Option<String>,
    /// How many messages wait in its mailbox.
    pub message_queue_len: usize,
    /// The processes it is linked to, in no particular order.
    pub links: Vec<Pid>,
    /// What it monitors.
    pub monitors: Vec<Target>,
    /// Who monitors it.
    pub monitored_by: Vec<Pid>,
    /// Whether exit signals become messages.
    pub trap_exit: bool,
    /// The process that started it.
    pub parent: Option<Pid>,
    /// The process that its output goes to.
    pub group_leader: Option<Pid>,
    /// Where in the source it was started.
    pub spawned_at: Option<crate::reason::Location>,
    /// Bytes of its place in the table and of its future. What it has allocated itself is not counted.
    pub memory: usize,
}

/// What a process does at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It is the one that asks, or it runs elsewhere, or waits for its turn to run.
    Running,
    /// It waits for a message, a timer or input.
    Waiting,
}

/// What can be known about a process of this node, or `None` if it is not alive.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn info(pid: Pid) -> Option<Info> {
    running("process::info", |current, _, _| current.inner.info(pid))
}

impl Inner {
    pub(crate) fn info(&self, pid: Pid) -> Option<Info> {
        if pid.node != self.id {
            return None;
        }
        let slot = self.slot(pid.id)?;
        let locked = slot.lock(pid.id)?;
        let origin = locked.origin();
        let cold = locked.view();
        let flags = slot.flags(pid.id).unwrap_or_default();
        let is_parked = slot.inbox.is_parked(slot.tag());
        Some(Info {
            pid,
            kind: if flags & flag::SUPERVISES != 0 { ChildKind::Supervisor } else { ChildKind::Worker },
            status: if is_parked { Status::Waiting } else { Status::Running },
            registered_name: cold.and_then(|cold| cold.name.as_deref().map(str::to_owned)),
            label: cold.and_then(|cold| cold.label.as_deref().map(str::to_owned)),
            message_queue_len: slot.messages() as usize,
            links: cold.map(|cold| cold.links.iter().copied().collect()).unwrap_or_default(),
            monitors: cold.map(|cold| cold.watching.values().cloned().collect()).unwrap_or_default(),
            monitored_by: cold.map(|cold| cold.watchers.values().copied().collect()).unwrap_or_default(),
            trap_exit: flags & flag::TRAPS_EXITS != 0,
            parent: origin.and_then(|origin| origin.parent),
            group_leader: origin.and_then(|origin| origin.leader),
            spawned_at: origin.map(|origin| origin.spawned_at.into()),
            memory: size_of::<Slot>() + locked.body_size(),
        })
    }
}

/// Sets the trace token of the running process and returns the one before.
#[track_caller]
pub(crate) fn set_token(token: Option<Box<crate::trace::Token>>) -> Option<Box<crate::trace::Token>> {
    running("trace", |current, _, _| current.with_own(|own| std::mem::replace(&mut own.token, token)))
}
