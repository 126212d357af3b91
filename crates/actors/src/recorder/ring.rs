//! The last events of one worker: four words each, written without waiting, read by whoever asks.
//!
//! The worker is the only writer. A reader copies what is there and then throws away what may have been
//! overwritten meanwhile, which the count of events tells.

use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Duration;

use crate::pid::{LocalPid, NodeId, Pid};
use crate::reason::ExitReason;
use crate::request::signal;
use crate::trace::{EventKind, Signal, TraceEvent};

/// The bits of a word that hold a node, and those that hold a number of a type.
pub(super) const NODE_SHIFT: u32 = 48;
pub(super) const NUMBER: u64 = (1 << NODE_SHIFT) - 1;

pub(super) struct Ring {
    records: Box<[[AtomicU64; 4]]>,
    /// How many were written.
    count: AtomicU64,
}

/// An event in few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Nanoseconds since the node started.
    pub(super) at: u64,
    pub(super) sort: Sort,
    /// Who acts: a process of this node.
    pub(super) one: u64,
    /// Who is acted upon, and the node that it is on.
    pub(super) two: u64,
    pub(super) node: NodeId,
    /// The number of a message's type.
    pub(super) number: u64,
}

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Send,
    Spawn,
    Link,
    Monitor,
    EndsWell,
    TellsExit,
    TellsDown,
}

const SORTS: [Sort; 7] =
    [Sort::Send, Sort::Spawn, Sort::Link, Sort::Monitor, Sort::EndsWell, Sort::TellsExit, Sort::TellsDown];

impl Ring {
    /// A ring for so many events, a power of two.
    pub(super) fn new(events: usize) -> Ring {
        let records = (0..events.max(1)).map(|_| Default::default()).collect();
        Ring { records, count: AtomicU64::new(0) }
    }

    /// Adds an event. For the worker.
    #[inline]
    pub(super) fn write(&self, record: &Record) {
        let count = self.count.load(Ordering::Relaxed);
        let [time, one, two, number] = &self.records[count as usize & (self.records.len() - 1)];
        // The count before must be seen before what is overwritten here.
        fence(Ordering::Release);
        time.store(record.at << 8 | record.sort as u64, Ordering::Relaxed);
        one.store(record.one, Ordering::Relaxed);
        two.store(record.two, Ordering::Relaxed);
        number.store(record.number & NUMBER | u64::from(record.node.short()) << NODE_SHIFT, Ordering::Relaxed);
        self.count.store(count + 1, Ordering::Release);
    }

    /// What is there, oldest first, and how many there were before.
    pub(super) fn read(&self, home: NodeId) -> (Vec<Record>, u64) {
        let size = self.records.len() as u64;
        let count = self.count.load(Ordering::Acquire);
        let first = count.saturating_sub(size);
        let copied: Vec<(u64, [u64; 4])> = (first..count)
            .map(|index| {
                let words = &self.records[index as usize & (self.records.len() - 1)];
                (index, std::array::from_fn(|word| words[word].load(Ordering::Relaxed)))
            })
            .collect();
        fence(Ordering::Acquire);
        let overwritten = (self.count.load(Ordering::Relaxed) + 1).saturating_sub(size);
        let whole = copied.iter().filter(|(index, _)| *index >= overwritten || count < size);
        let records: Vec<Record> = whole.filter_map(|(_, words)| decode(*words, home)).collect();
        (records, first.max(if count < size { 0 } else { overwritten.min(count) }))
    }
}

fn decode([time, one, two, number]: [u64; 4], home: NodeId) -> Option<Record> {
    let sort = *SORTS.get((time & 0xff) as usize)?;
    let node = NodeId::of_short((number >> NODE_SHIFT) as u16).unwrap_or(home);
    Some(Record { at: time >> 8, sort, one, two, node, number: number & NUMBER })
}

impl Record {
    /// The event; a type's name is looked up by its number.
    pub(super) fn event(self, home: NodeId, name: impl Fn(u64) -> Option<&'static str>) -> TraceEvent {
        let (one, two) =
            (Pid::new(home, LocalPid::from_u64(self.one)), Pid::new(self.node, LocalPid::from_u64(self.two)));
        let kind = match self.sort {
            Sort::Send => {
                let signal = signal(name(self.number).unwrap_or("?"), String::new());
                EventKind::Send { from: one, to: two, signal }
            }
            Sort::Spawn => EventKind::Spawn { parent: one, child: two },
            Sort::Link => EventKind::Link { from: one, to: two },
            Sort::Monitor => EventKind::Monitor { watcher: one, target: two },
            Sort::EndsWell => EventKind::Exit { pid: one, reason: ExitReason::Normal },
            Sort::TellsExit => EventKind::Send { from: one, to: two, signal: Signal::Exit(unknown()) },
            Sort::TellsDown => EventKind::Send { from: one, to: two, signal: Signal::Down(unknown()) },
        };
        TraceEvent { at: Duration::from_nanos(self.at), kind, serial: None }
    }
}

/// The reason of an end that a ring only knows the fact of.
pub(super) fn unknown() -> ExitReason {
    ExitReason::Other("unknown".into())
}

/// The record of an event that fits into one.
pub(super) fn record_of(kind: &EventKind) -> Option<Record> {
    let (sort, one, two) = match kind {
        EventKind::Spawn { parent, child } => (Sort::Spawn, *parent, *child),
        EventKind::Link { from, to } => (Sort::Link, *from, *to),
        EventKind::Monitor { watcher, target } => (Sort::Monitor, *watcher, *target),
        EventKind::Exit { pid, reason: ExitReason::Normal } => (Sort::EndsWell, *pid, *pid),
        EventKind::Send { from, to, signal: Signal::Exit(_) } => (Sort::TellsExit, *from, *to),
        EventKind::Send { from, to, signal: Signal::Down(_) } => (Sort::TellsDown, *from, *to),
        EventKind::Send { .. }
        | EventKind::Receive { .. }
        | EventKind::Timer { .. }
        | EventKind::Timeout { .. }
        | EventKind::Exit { .. }
        | EventKind::Restart { .. } => return None,
    };
    Some(Record { at: 0, sort, one: one.id.as_u64(), two: two.id.as_u64(), node: two.node, number: 0 })
}

/// Whether an event is worth to be kept in full for long.
pub(super) fn is_notable(kind: &EventKind) -> bool {
    match kind {
        EventKind::Exit { reason, .. } => *reason != ExitReason::Normal,
        EventKind::Restart { .. } => true,
        EventKind::Spawn { .. }
        | EventKind::Send { .. }
        | EventKind::Receive { .. }
        | EventKind::Link { .. }
        | EventKind::Monitor { .. }
        | EventKind::Timer { .. }
        | EventKind::Timeout { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pid::NodeName;

    fn home() -> NodeId {
        NodeId::intern(&NodeName { name: "ring".into(), incarnation: 0 })
    }

    fn record(at: u64) -> Record {
        Record { at, sort: Sort::Send, one: at * 2, two: at * 3, node: home(), number: at }
    }

    #[test]
    fn a_ring_keeps_the_last_and_counts_the_others() {
        let ring = Ring::new(8);
        assert_eq!(ring.read(home()), (Vec::new(), 0));
        (0..5).for_each(|at| ring.write(&record(at)));
        assert_eq!(ring.read(home()), ((0..5).map(record).collect(), 0));
        (5..20).for_each(|at| ring.write(&record(at)));
        // One place is left to a writer who might be at it.
        assert_eq!(ring.read(home()), ((13..20).map(record).collect(), 13));
    }

    #[test]
    fn what_is_read_beside_a_writer_is_whole_and_in_order() {
        const EACH: u64 = if cfg!(miri) { 100 } else { 200_000 };
        let ring = Ring::new(64);
        std::thread::scope(|scope| {
            scope.spawn(|| (0..EACH).for_each(|at| ring.write(&record(at))));
            let mut last = 0;
            while last < EACH - 1 {
                let (records, _) = ring.read(home());
                for pair in records.windows(2) {
                    assert_eq!(pair[1].at, pair[0].at + 1);
                }
                for one in &records {
                    assert_eq!(*one, record(one.at));
                }
                last = records.last().map_or(0, |record| record.at);
            }
        });
    }
}
