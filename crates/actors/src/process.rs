//! What a process can do: OTP's words as free functions that act for the running process.
//!
//! They work on the node that the process runs on. Called outside of a process they panic and say so;
//! [`crate::Node`] has the same for plain threads.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

mod alias;
mod builder;
mod info;
mod messages;
mod names;
mod send;
mod spawn;
mod suspend;
mod top;
mod trace;
mod watch;

use crate::current::{Current, running};
use crate::message::{Down, Target};
pub use crate::overload::Overflow;
use crate::pid::{NodeId, Pid, Ref};
use crate::reason::ExitReason;
use crate::runner::ExitSelf;
use crate::slot::flag;
pub use alias::Alias;
pub use builder::{Builder, Started};
pub use info::{Info, Status, info};
pub use messages::{Messages, messages};
pub use names::{register, unregister, whereis};
pub use send::{
    Destination, SendError, Sender, Timeout, Timer, TrySendError, send, send_after, send_async, send_at, start_timer,
    try_send,
};
pub use spawn::{spawn, spawn_led, spawn_link, spawn_monitor};
pub(crate) use spawn::{spawn_asked, spawn_link_at, spawn_link_named, spawn_link_named_at};
pub use suspend::{SuspendError, resume, suspend};
pub use top::{By, Totals, Usage, top};
pub(crate) use trace::record_with;
pub use trace::trace;
pub use watch::{Until, Watch};

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

/// What can be monitored, or sent to by a timer: a [`Pid`], a name, or a name on another node.
pub trait Watchable {
    #[doc(hidden)]
    fn target(self, home: NodeId) -> Target;
}

impl Watchable for Pid {
    fn target(self, _: NodeId) -> Target {
        Target::Pid(self)
    }
}

impl Watchable for Target {
    fn target(self, _: NodeId) -> Target {
        self
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

/// Whether exit signals to the running process become messages.
#[track_caller]
pub(crate) fn traps_exits() -> bool {
    running("trap_exit", |_, slot, id| slot.flags(id).unwrap_or_default() & flag::TRAPS_EXITS != 0)
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

/// Counts one more thing that the running process has done, and says whether its turn is used up; for
/// [`yield_point!`](crate::yield_point!).
#[doc(hidden)]
pub fn is_turn_over() -> bool {
    Current::with(|current| {
        current.is_some_and(|current| {
            current.charge(1);
            current.is_exhausted() || current.process().is_some_and(|(slot, _)| !slot.may_go_on())
        })
    })
}

/// A place in a long computation at which other processes may run: it costs a nanosecond or two unless the turn is
/// used up, which it is after 2,000 sends, receives, spawns and yield points.
///
/// Outside of a process it does nothing.
///
/// ```
/// greenroom::run(async {
///     let mut sum = 0_u64;
///     for n in 0..1_000_000 {
///         sum += n;
///         greenroom::yield_point!();
///     }
///     assert_eq!(sum, 499_999_500_000);
/// });
/// ```
#[macro_export]
macro_rules! yield_point {
    () => {
        if $crate::process::is_turn_over() {
            $crate::yield_now().await;
        }
    };
}

/// Waits. Messages that arrive meanwhile stay in the mailbox.
///
/// # Panics
/// When polled outside of a process.
pub async fn sleep(duration: Duration) {
    crate::receive::pause(duration).await;
}
