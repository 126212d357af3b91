//! What a supervisor says of children that end as they should not: OTP's supervisor reports.
//!
//! With the feature `tracing` they are events of that crate, with the target `greenroom::supervisor`, inside the span of
//! the supervisor's process. Without it nothing is written: exit reasons, the restarts that
//! [`which_children`](super::Supervisor::which_children) counts and the flight recorder tell. What was decided is
//! `decision`'s affair.

use super::decision::Restart;
use crate::current::running;
use crate::pid::Pid;
use crate::reason::ExitReason;

/// A child has ended by itself. Said of a permanent child always, of others if it was no orderly end, as in OTP.
pub(super) fn child_ended(id: &str, pid: Pid, restart: Restart, reason: &ExitReason) {
    if restart == Restart::Permanent || !reason.is_orderly() {
        say::child_ended(id, pid, restart, reason);
    }
}

/// A child could not be started again; this will be tried once more.
pub(super) fn not_restarted(id: &str, reason: &ExitReason) {
    say::not_restarted(id, reason);
}

/// There were too many restarts: whoever wants to know what happened before is shown. The reason to end for.
pub(super) fn give_up() -> ExitReason {
    say::gave_up();
    running("a supervisor", |current, _, _| current.inner.supervisor_failed());
    ExitReason::Shutdown
}

#[cfg(feature = "tracing")]
mod say {
    use super::{ExitReason, Pid, Restart};

    const TARGET: &str = "greenroom::supervisor";

    pub(super) fn child_ended(id: &str, pid: Pid, restart: Restart, reason: &ExitReason) {
        tracing::error!(target: TARGET, child = id, %pid, ?restart, %reason, "child ended");
    }

    pub(super) fn not_restarted(id: &str, reason: &ExitReason) {
        tracing::error!(target: TARGET, child = id, %reason, "child did not start");
    }

    pub(super) fn gave_up() {
        tracing::error!(target: TARGET, "too many restarts: the supervisor ends");
    }
}

#[cfg(not(feature = "tracing"))]
mod say {
    use super::{ExitReason, Pid, Restart};

    pub(super) fn child_ended(_: &str, _: Pid, _: Restart, _: &ExitReason) {}

    pub(super) fn not_restarted(_: &str, _: &ExitReason) {}

    pub(super) fn gave_up() {}
}
