//! Stopping children: one, in its own time, or many together; by the clock of the node.

use std::collections::BTreeMap;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::spec::Shutdown;
use crate::current::Current;
use crate::message::{Down, Exit};
use crate::pid::{Pid, Ref};
use crate::process::{exit, monitor};
use crate::reason::ExitReason;
use crate::receive;
use crate::receive::mark;

/// Asks a process to end and waits until it has, or kills it.
///
/// It is watched, so that it does not matter whether it has removed the link to its supervisor. If not,
/// the link stays, so that it ends also if its supervisor is killed meanwhile; the exit message that it causes in the
/// end is of nobody who runs.
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

/// Asks processes to end, all at once, and waits until they have; kills those whose time is up.
pub(super) async fn stop_together(children: impl IntoIterator<Item = (Pid, Shutdown)>) {
    let mark = mark();
    let mut waiting: FxHashMap<Ref, Pid> = FxHashMap::default();
    let mut deadlines: BTreeMap<Duration, Vec<Ref>> = BTreeMap::new();
    for (pid, shutdown) in children {
        let watch = monitor(pid);
        waiting.insert(watch, pid);
        let patience = ask(pid, shutdown);
        if patience != Duration::MAX {
            deadlines.entry(now().saturating_add(patience)).or_default().push(watch);
        }
    }
    while !waiting.is_empty() {
        let next = deadlines.first_key_value().map_or(Duration::MAX, |(due, _)| *due);
        let watch = receive! {
            since mark;
            down: Down if waiting.contains_key(&down.reference) => Some(down.reference),
            // Of the links: it says nothing that the monitors do not.
            _exit: Exit => None,
            after next.saturating_sub(now()) => {
                for watch in deadlines.pop_first().map(|(_, late)| late).unwrap_or_default() {
                    if let Some(pid) = waiting.get(&watch) {
                        exit(*pid, ExitReason::Kill);
                    }
                }
                None
            },
        };
        if let Some(watch) = watch {
            waiting.remove(&watch);
        }
    }
}

/// The time by the node's clock.
pub(super) fn now() -> Duration {
    Current::with(|current| current.map_or(Duration::ZERO, |current| current.inner.now()))
}
