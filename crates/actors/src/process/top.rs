//! Who keeps the node busy, and what the node as a whole has done.

use std::time::Duration;

use rustc_hash::FxHashMap;

use super::info::Info;
use crate::core::Inner;
use crate::current::running;
use crate::pid::Pid;
use crate::process::sleep;

/// What [`top`] goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// Reductions within the window.
    Reductions,
    /// Time spent running within the window.
    Busy,
    /// Memory at its end, the mailbox included.
    Memory,
    /// Messages that wait at its end.
    Mailbox,
}

/// A process in [`top`]: what it did in the window, and what it is at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage {
    /// Reductions within the window.
    pub reductions: u64,
    /// Messages received within the window.
    pub messages_in: u64,
    /// Messages sent within the window.
    pub messages_out: u64,
    /// Time spent running within the window.
    pub busy: Duration,
    /// The process at the end of the window.
    pub info: Info,
}

/// Looks at every process of the node now and after `window`, and says what they did in between, the busiest first.
///
/// The window goes by the node's clock, busy times by real time. A process that was started meanwhile counts
/// with all that it did; one that has ended does not appear.
///
/// # Panics
/// When polled outside of a process.
///
/// ```
/// use std::time::Duration;
/// use greenroom::process::{By, top, yield_now};
///
/// greenroom::run(async {
///     let busy = greenroom::spawn(async { loop { yield_now().await } });
///     let usage = top(Duration::from_millis(20), By::Reductions).await;
///     assert_eq!(usage[0].info.pid, busy);
/// });
/// ```
pub async fn top(window: Duration, by: By) -> Vec<Usage> {
    let before: FxHashMap<Pid, Info> = all().into_iter().map(|info| (info.pid, info)).collect();
    sleep(window).await;
    let mut usage: Vec<Usage> = all()
        .into_iter()
        .map(|info| {
            let before = before.get(&info.pid);
            let since = |now: u64, then: fn(&Info) -> u64| now.saturating_sub(before.map_or(0, then));
            Usage {
                reductions: since(info.reductions, |info| info.reductions),
                messages_in: since(info.messages_in, |info| info.messages_in),
                messages_out: since(info.messages_out, |info| info.messages_out),
                busy: info.busy.saturating_sub(before.map_or(Duration::ZERO, |info| info.busy)),
                info,
            }
        })
        .collect();
    usage.sort_by_cached_key(|usage| {
        let amount = match by {
            By::Reductions => usage.reductions.into(),
            By::Busy => usage.busy.as_nanos(),
            By::Memory => usage.info.memory as u128,
            By::Mailbox => usage.info.message_queue_len as u128,
        };
        std::cmp::Reverse(amount)
    });
    usage
}

fn all() -> Vec<Info> {
    running("process::top", |current, _, _| {
        let inner = current.inner;
        inner.table.residents().filter_map(|(_, id)| inner.info(inner.pid(id))).collect()
    })
}

/// What all processes of a node have done since it started, those that have ended included: see
/// [`Node::totals`](crate::Node::totals).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Processes that are alive.
    pub processes: usize,
    /// Processes that were started, about: those that are alive and those that have ended.
    pub spawned: u64,
    /// Processes that have ended.
    pub exited: u64,
    /// Messages that nobody got: sent to the dead, to a full mailbox, or as no data to another node.
    pub dropped: u64,
    /// Names that are taken.
    pub names: usize,
    /// Timers that wait, those of receives with a time-out among them.
    pub timers: usize,
    /// Turns that processes had.
    pub turns: u64,
    /// What they did in them.
    pub reductions: u64,
    /// Messages received.
    pub messages_in: u64,
    /// Messages sent.
    pub messages_out: u64,
    /// Real time that processes were running for, on all workers together.
    pub busy: Duration,
    /// Bytes that processes have allocated and that are not freed, if the program uses a
    /// [`TrackingAllocator`](crate::TrackingAllocator).
    pub heap: Option<usize>,
    /// The node's clock.
    pub uptime: Duration,
}

impl Inner {
    pub(crate) fn totals(&self) -> Totals {
        let figures = self.desks.total();
        let processes = self.table.residents().count();
        let exited = self.desks.exited() + self.counters.exited();
        Totals {
            processes,
            spawned: exited + processes as u64,
            exited,
            dropped: self.counters.dropped(),
            names: self.names.read().len(),
            timers: self.timers.len(),
            turns: self.scheduler.turns_begun(),
            reductions: figures.reductions,
            messages_in: figures.received,
            messages_out: figures.sent,
            busy: Duration::from_micros(figures.busy_micros),
            heap: crate::heap::is_used().then(|| usize::try_from(figures.heap).unwrap_or(0)),
            uptime: self.now(),
        }
    }
}
