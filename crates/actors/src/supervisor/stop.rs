//! Stopping children: each in its own time.

use std::time::Duration;

use super::spec::Shutdown;
use crate::message::{Down, Exit};
use crate::pid::Pid;
use crate::process::{exit, monitor, unlink};
use crate::reason::ExitReason;
use crate::receive;
use crate::receive::{Mark, mark};

/// Asks a process to end and waits until it has, or kills it.
///
/// It is watched, so that it does not matter whether it has removed the link to its supervisor. If not,
/// the link stays, so that it ends also if its supervisor is killed meanwhile.
pub(super) async fn stop(pid: Pid, shutdown: Shutdown) {
    let (mark, watch) = (mark(), monitor(pid));
    let patience = ask(pid, shutdown);
    let ended = receive! {
        since mark;
        down: Down if down.reference == watch => { drop(down); true },
        after patience => false,
    };
    if !ended {
        exit(pid, ExitReason::Kill);
        receive! {
            since mark;
            down: Down if down.reference == watch => drop(down),
        }
    }
    forget(pid, mark).await;
}

/// Ends a process at once and waits until everyone can see that.
pub(super) async fn kill(pid: Pid) {
    stop(pid, Shutdown::BrutalKill).await;
}

/// Sends the signal, and says how long to wait.
fn ask(pid: Pid, shutdown: Shutdown) -> Duration {
    match shutdown {
        Shutdown::BrutalKill => {
            exit(pid, ExitReason::Kill);
            Duration::MAX
        }
        Shutdown::Within(patience) => {
            exit(pid, ExitReason::Shutdown);
            patience
        }
        Shutdown::Infinity => {
            exit(pid, ExitReason::Shutdown);
            Duration::MAX
        }
    }
}

/// Takes the message that the link with a dead process has caused, if it is there: nobody else will want it.
async fn forget(pid: Pid, mark: Mark) {
    unlink(pid);
    receive! {
        since mark;
        exit: Exit if exit.from == pid => drop(exit),
        after Duration::ZERO => (),
    }
}
