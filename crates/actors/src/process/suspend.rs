//! Suspending other processes, and letting them go on.

use std::fmt;

use crate::current::running;
use crate::pid::Pid;
use crate::suspension::{Holder, Released};

/// Suspends a process: OTP's `suspend_process/1`. When this is ready, it has given up its turn and gets no other one.
///
/// Messages queue up meanwhile, exit signals end it as ever, and so do its timers send it what they have to send; a
/// receive whose time is up returns when it goes on. It does that when everyone who has suspended it has called
/// [`resume`] as often, or has ended.
///
/// Differs from OTP: a process that never gives up its turn is not suspended, and this never ready.
///
/// # Cancel safety
/// It is suspended from the first poll on.
///
/// # Errors
/// [`SuspendError`], if it is the running process, one of another node, or has ended.
///
/// # Panics
/// When polled outside of a process.
///
/// ```
/// use greenroom::process::{Status, info, resume, suspend};
/// use greenroom::{receive, spawn};
///
/// greenroom::run(async {
///     let child = spawn(async { receive::<()>().await });
///     suspend(child).await.unwrap();
///     assert_eq!(info(child).unwrap().status, Status::Suspended);
///     resume(child).unwrap();
/// });
/// ```
pub async fn suspend(pid: Pid) -> Result<(), SuspendError> {
    running("suspend", |current, _, id| {
        let inner = current.inner;
        if pid == inner.pid(id) {
            return Err(SuspendError::Myself);
        }
        if pid.node() != inner.id {
            return Err(SuspendError::Elsewhere { pid });
        }
        let held = current.unless_dead(|| inner.suspend(pid.id, Holder::Process(id))).unwrap_or(false);
        crate::barrier::heavy(); // Whoever runs it has seen the flag, or shows as running from here on.
        if held { Ok(()) } else { Err(SuspendError::NoProcess { pid }) }
    })?;
    let is_running = || {
        running("suspend", |current, _, _| current.inner.scheduler.turns().any(|turn| turn.running == pid.id.as_u64()))
    };
    while is_running() {
        std::thread::yield_now(); // It may need this very processor.
        super::yield_now().await;
    }
    Ok(())
}

/// Takes one [`suspend`] of the running process back: OTP's `resume_process/1`.
///
/// # Errors
/// [`SuspendError::NotSuspended`], if there is none: it has not suspended that process, or that has ended.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn resume(pid: Pid) -> Result<(), SuspendError> {
    running("resume", |current, _, id| {
        let inner = current.inner;
        let is_local = pid.node() == inner.id;
        let released = is_local.then(|| current.unless_dead(|| inner.resume(pid.id, Holder::Process(id)))).flatten();
        match released {
            Some(Released::StillHeld | Released::Free) => Ok(()),
            Some(Released::NotHeld) | None => Err(SuspendError::NotSuspended { pid }),
        }
    })
}

/// Why a process could not be suspended or resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuspendError {
    /// A process cannot suspend itself.
    Myself,
    /// It is on another node.
    Elsewhere {
        /// The process.
        pid: Pid,
    },
    /// It has ended.
    NoProcess {
        /// The process.
        pid: Pid,
    },
    /// The caller has not suspended it.
    NotSuspended {
        /// The process.
        pid: Pid,
    },
}

impl fmt::Display for SuspendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SuspendError::Myself => f.write_str("a process cannot suspend itself: let it receive a message instead"),
            SuspendError::Elsewhere { pid } => write!(f, "{pid} is on another node: have a process there suspend it"),
            SuspendError::NoProcess { pid } => write!(f, "{pid} is no live process"),
            SuspendError::NotSuspended { pid } => write!(f, "{pid} is not suspended by this process"),
        }
    }
}

impl std::error::Error for SuspendError {}
