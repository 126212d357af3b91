//! Names of processes.

use crate::current::running;
use crate::names::RegisterError;
use crate::pid::Pid;

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
