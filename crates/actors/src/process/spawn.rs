//! Starting processes: alone, or in some relation to the running one that holds from their first moment.

use std::future::Future;
use std::panic::Location;

use crate::current::running;
use crate::message::Target;
use crate::names::RegisterError;
use crate::pid::{Pid, Ref};
use crate::reason::{ExitReason, Outcome};

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

/// Starts a process that is linked to the running one, which waits for its first answer under this reference.
#[track_caller]
pub(crate) fn spawn_asked<F>(reference: Ref, future: F) -> Pid
where
    F: Future<Output: Outcome> + Send + 'static,
{
    let at = Location::caller();
    running("start_link", |current, _, id| {
        let inner = current.inner;
        let introduce = |child: Pid| {
            inner.link(inner.pid(id), child);
            inner.note_caller(child.id, reference, inner.pid(id));
        };
        inner.spawn(at, introduce, future)
    })
}

/// Starts a process that is linked to the running one, and says that it was started at `at`.
pub(crate) fn spawn_link_at<F>(at: &'static Location<'static>, future: F) -> Pid
where
    F: Future<Output: Outcome> + Send + 'static,
{
    running("spawn_link", |current, _, id| {
        let inner = current.inner;
        inner.spawn(at, |child| inner.link(inner.pid(id), child), future)
    })
}

/// The same for a process that has a name, unless somebody else has it.
pub(crate) fn spawn_link_named_at<F>(
    at: &'static Location<'static>,
    name: &str,
    future: F,
) -> Result<Pid, RegisterError>
where
    F: Future<Output: Outcome> + Send + 'static,
{
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

/// Starts a process that is linked to the running one and has a name, unless somebody else has it.
#[track_caller]
pub(crate) fn spawn_link_named<F>(name: &str, future: F) -> Result<Pid, RegisterError>
where
    F: Future<Output: Outcome> + Send + 'static,
{
    spawn_link_named_at(Location::caller(), name, future)
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
