//! What can be known about processes from outside.

use std::time::Duration;

use crate::core::Inner;
use crate::current::{Current, running};
use crate::message::Target;
use crate::pid::Pid;
use crate::slot::{Slot, flag};
use crate::tree::ChildKind;

/// What can be known about a process of this node: see [`info`].
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// The process.
    pub pid: Pid,
    /// Whether it is a supervisor.
    pub kind: ChildKind,
    /// Whether it is a server, whose state [`gen_server::state`](crate::gen_server::state) shows.
    pub is_server: bool,
    /// What it does at the moment.
    pub status: Status,
    /// The name that it is registered under.
    pub registered_name: Option<String>,
    /// The label that it gave itself.
    pub label: Option<String>,
    /// How many messages wait in its mailbox.
    pub message_queue_len: usize,
    /// How many there may be: see [`Builder::mailbox_limit`](super::Builder::mailbox_limit).
    pub mailbox_limit: Option<usize>,
    /// How many were dropped because there were so many already.
    pub dropped: u64,
    /// Timers that will send it something.
    pub timers: usize,
    /// The processes it is linked to, in no particular order.
    pub links: Vec<Pid>,
    /// What it monitors.
    pub monitors: Vec<Target>,
    /// Who monitors it, or waits for an answer of it.
    pub monitored_by: Vec<Pid>,
    /// Whether exit signals become messages.
    pub trap_exit: bool,
    /// The process that started it.
    pub parent: Option<Pid>,
    /// The process that its output goes to.
    pub group_leader: Option<Pid>,
    /// Where in the source it was started.
    pub spawned_at: Option<crate::reason::Location>,
    /// Bytes of its place in the table, of its future and of its mailbox. What it has allocated itself is not
    /// counted: see `heap`.
    pub memory: usize,
    /// Bytes of the envelopes in its mailbox, each with its message, without what that has allocated.
    pub mailbox_memory: usize,
    /// Bytes that it has allocated and that are not freed, if the program uses a
    /// [`TrackingAllocator`](crate::TrackingAllocator), which says how far to trust this.
    pub heap: Option<usize>,
    /// How much it has done: turns, sends, receives, spawns. This figure and the ones below are brought up to
    /// date when a turn ends, and when the process looks at itself.
    pub reductions: u64,
    /// Messages that it has received: not those that wait.
    pub messages_in: u64,
    /// Messages that it has sent, also to the dead.
    pub messages_out: u64,
    /// Real time that it was running for. By a clock of some milliseconds, so that it is right on average, over
    /// many turns or a long one.
    pub busy: Duration,
    /// For how long it has been running without giving up its turn, in real time, if it is running right now.
    pub running_for: Option<Duration>,
}

/// What a process does at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It is the one that asks, or it runs elsewhere, or waits for its turn to run.
    Running,
    /// It waits for a message, a timer or input.
    Waiting,
    /// It gets no turn: see [`suspend`](super::suspend) and [`Overflow::Block`](super::Overflow::Block).
    Suspended,
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
        if let Some(current) = Current::of(self)
            && let Some((slot, id)) = current.process()
            && self.pid(id) == pid
        {
            current.publish(slot);
        }
        if pid.node != self.id {
            return None;
        }
        let slot = self.slot(pid.id)?;
        let locked = slot.lock(pid.id)?;
        let origin = locked.origin();
        let cold = locked.view();
        let flags = slot.flags(pid.id).unwrap_or_default();
        let is_parked = slot.inbox.is_parked(slot.tag());
        let limit = self.limit_of(slot, pid.id);
        let figures = locked.figures();
        let (message_queue_len, mailbox_memory) = slot.mailbox();
        Some(Info {
            pid,
            kind: if flags & flag::SUPERVISES != 0 { ChildKind::Supervisor } else { ChildKind::Worker },
            is_server: flags & flag::SERVES != 0,
            status: match (flags & flag::SUSPENDED != 0, is_parked) {
                (true, _) => Status::Suspended,
                (false, true) => Status::Waiting,
                (false, false) => Status::Running,
            },
            mailbox_limit: limit.map(|(most, _)| most),
            dropped: limit.map_or(0, |(_, dropped)| dropped),
            timers: self.timers.len_of(pid.id),
            registered_name: cold.and_then(|cold| cold.name.as_deref().map(str::to_owned)),
            label: cold.and_then(|cold| cold.label.as_deref().map(str::to_owned)),
            message_queue_len,
            links: cold.map(|cold| cold.links.iter().map(|(pid, ())| *pid).collect()).unwrap_or_default(),
            monitors: cold
                .map(|cold| cold.watching.iter().map(|(_, target)| target.clone()).collect())
                .unwrap_or_default(),
            monitored_by: cold
                .map(|cold| cold.watchers.iter().chain(cold.callers.iter()).map(|(_, watcher)| *watcher).collect())
                .unwrap_or_default(),
            trap_exit: flags & flag::TRAPS_EXITS != 0,
            parent: origin.and_then(|origin| origin.parent),
            group_leader: origin.and_then(|origin| origin.leader),
            spawned_at: origin.map(|origin| origin.spawned_at.into()),
            memory: size_of::<Slot>() + locked.body_size() + mailbox_memory,
            mailbox_memory,
            heap: crate::heap::is_used().then(|| usize::try_from(figures.heap).unwrap_or(0)),
            reductions: figures.reductions,
            messages_in: figures.received,
            messages_out: figures.sent,
            busy: Duration::from_micros(figures.busy_micros),
            running_for: self.running_for(pid.id),
        })
    }
}
