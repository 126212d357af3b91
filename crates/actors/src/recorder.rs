//! Recording what a node does: all of it for a while, or the last of it always.
//!
//! A recording keeps every event, with the text of every message, up to a limit. The flight recorder keeps
//! the last events of each worker, with the names of messages only, and costs so little that it can always be
//! on: when something has gone wrong, what happened before can still be drawn.
//!
//! Each worker writes for itself (`page`, `ring`); what they wrote is put together when somebody asks. What a
//! user sees of it is in `recording`; who else looks at events is `trace`'s affair.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::lock::Mutex;
use crate::mailbox::{Envelope, write_bounded};
use crate::message::{Down, Exit};
use crate::pid::{LocalPid, NodeId, Pid};
use crate::trace::{EventKind, ProcessName, Signal, Trace, TraceEvent};

mod page;
mod ring;

use page::{Page, Pen, Sent, Whose};
use ring::{Record, Ring, Sort};

/// Who wants to see events, as bits of [`Recorders::wanted`].
pub(crate) mod wanted {
    /// A tracer of the node.
    pub(crate) const TRACER: u8 = 1;
    /// A recording.
    pub(crate) const RECORDING: u8 = 2;
    /// The flight recorder.
    pub(crate) const FLIGHT: u8 = 4;
}

/// How many crashes, restarts and names of the dead the flight recorder keeps besides its rings.
const NOTABLE: usize = 1024;

/// The clock is read for one event in so many, where a worker goes from process to process without a rest.
const STREAK: u32 = 64;

/// What a node does when one of its supervisors gives up.
pub(crate) type FailureHandler = Arc<dyn Fn(&Trace) + Send + Sync>;

/// All that is recorded on a node.
#[derive(Default)]
pub(crate) struct Recorders {
    /// Who wants to see events: the one branch that costs when nobody does.
    pub(crate) wanted: AtomicU8,
    pub(crate) on_failure: OnceLock<FailureHandler>,
    /// How many events the ring of a worker holds.
    ring: AtomicUsize,
    /// How many events the page of a worker may hold.
    page: AtomicUsize,
    /// What each worker has written, and what was written by no worker.
    journals: Mutex<Vec<Arc<Journal>>>,
    outside: Journal,
    /// The names of the types whose numbers are in the rings.
    types: Mutex<FxHashMap<u64, &'static str>>,
    notable: Mutex<VecDeque<TraceEvent>>,
    /// How those were called who have ended.
    dead: Mutex<VecDeque<(Pid, ProcessName)>>,
}

/// What a worker has written.
#[derive(Default)]
pub(crate) struct Journal {
    ring: OnceLock<Ring>,
    page: Page,
}

/// A worker's own end of its journal.
pub(crate) struct Scribe {
    journal: Arc<Journal>,
    pen: Pen,
    /// When the clock was read last, and how many events have been noted since.
    last: Cell<u64>,
    since: Cell<u32>,
    turn: Cell<u32>,
    tick: Cell<u64>,
    /// The numbers of types that were written down, each in the place that its low bits say.
    known: [Cell<u64>; 64],
    /// Where the text of a message is written before it goes to the page: the user's code that does so may
    /// send messages itself.
    scratch: Cell<String>,
}

/// Where a worker stands: which turn this is, and whether it came right after another.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) number: u32,
    pub(crate) is_in_streak: bool,
    /// What the coarse clock says.
    pub(crate) tick: u64,
}

impl Recorders {
    /// A journal for a new worker.
    pub(crate) fn open(&self) -> Scribe {
        let journal = Arc::<Journal>::default();
        self.journals.lock().push(journal.clone());
        Scribe {
            journal,
            pen: Pen::default(),
            last: Cell::new(0),
            since: Cell::new(STREAK),
            turn: Cell::new(0),
            tick: Cell::new(0),
            known: std::array::from_fn(|_| Cell::new(0)),
            scratch: Cell::default(),
        }
    }

    pub(crate) fn wants(&self, who: u8) -> bool {
        self.wanted.load(Ordering::Relaxed) & who != 0
    }

    pub(crate) fn want(&self, who: u8, is_wanted: bool) {
        match is_wanted {
            true => self.wanted.fetch_or(who, Ordering::Relaxed),
            false => self.wanted.fetch_and(!who, Ordering::Relaxed),
        };
    }

    /// Lets each worker keep its last `events` from now on; none keeps none.
    pub(crate) fn fly(&self, events: usize) {
        if events > 0 {
            self.ring.store(events.next_power_of_two().clamp(64, 1 << 20), Ordering::Relaxed);
        }
        self.want(wanted::FLIGHT, events > 0);
    }

    /// Notes a message for the flight recorder. For the worker whose scribe it is.
    #[inline]
    pub(crate) fn note_send(
        &self,
        scribe: &Scribe,
        now: impl FnOnce() -> Duration,
        turn: Turn,
        (from, to): (LocalPid, Pid),
        envelope: &Envelope,
    ) {
        let number = self.number_of(scribe, envelope);
        let (one, two) = (from.as_u64(), to.id.as_u64());
        self.write(scribe, now, turn, Record { at: 0, sort: Sort::Send, one, two, node: to.node, number });
    }

    /// The number of a message's type, whose name is known then.
    #[inline]
    fn number_of(&self, scribe: &Scribe, envelope: &Envelope) -> u64 {
        let (number, name) = envelope.type_number();
        let place = &scribe.known[(number >> 4) as usize % scribe.known.len()];
        if place.get() != number {
            self.learn(place, number, name);
        }
        number
    }

    #[cold]
    fn learn(&self, place: &Cell<u64>, number: u64, name: fn() -> &'static str) {
        place.set(number);
        self.types.lock().insert(number, name());
    }

    /// Notes an event without a message.
    pub(crate) fn note(&self, scribe: Option<(&Scribe, Turn)>, now: impl FnOnce() -> Duration, kind: &EventKind) {
        let record = ring::record_of(kind);
        if let (Some((scribe, turn)), Some(record)) = (scribe, record) {
            return self.write(scribe, now, turn, record);
        }
        if ring::is_notable(kind) {
            // What the worker notes next goes on from here.
            let at = match scribe {
                Some((scribe, _)) => scribe.exactly(now),
                None => now(),
            };
            push(&self.notable, TraceEvent { at, kind: kind.clone(), serial: None });
        }
    }

    /// Remembers how a process was called that has ended.
    pub(crate) fn bury(&self, pid: Pid, name: Option<&str>, label: Option<&str>) {
        if name.is_some() || label.is_some() {
            let name = ProcessName { registered: name.map(str::to_owned), label: label.map(str::to_owned) };
            push(&self.dead, (pid, name));
        }
    }

    #[inline]
    fn write(&self, scribe: &Scribe, now: impl FnOnce() -> Duration, turn: Turn, mut record: Record) {
        record.at = scribe.about(now, turn);
        scribe.journal.ring.get_or_init(|| Ring::new(self.ring.load(Ordering::Relaxed))).write(&record);
    }

    /// What the flight recorder holds, seen from `caller`.
    pub(crate) fn flight(&self, caller: Pid, home: NodeId, name_of: &dyn Fn(Pid) -> ProcessName) -> Trace {
        let mut trace = Trace { caller, events: Vec::new(), names: Default::default(), lost: 0 };
        for journal in self.journals.lock().iter() {
            let Some(ring) = journal.ring.get() else { continue };
            let (records, lost) = ring.read(home);
            trace.lost += lost;
            let types = self.types.lock();
            trace
                .events
                .extend(records.into_iter().map(|record| record.event(home, |number| types.get(&number).copied())));
        }
        trace.events.extend(self.notable.lock().iter().cloned());
        trace.names.extend(self.dead.lock().iter().cloned());
        finish(&mut trace, name_of);
        trace
    }

    /// Begins a recording of up to so many events of each worker.
    pub(crate) fn begin(&self, events: usize) {
        self.page.store(events, Ordering::Relaxed);
        self.clear();
        self.want(wanted::RECORDING, true);
    }

    /// Ends it.
    pub(crate) fn end(&self) {
        self.want(wanted::RECORDING, false);
        self.clear();
    }

    fn clear(&self) {
        for journal in self.journals.lock().iter() {
            journal.page.clear();
        }
        self.outside.page.clear();
    }

    /// Records a message that is being sent.
    pub(crate) fn record_send(
        &self,
        scribe: &Scribe,
        now: impl FnOnce() -> Duration,
        (from, to): (Pid, Pid),
        envelope: &Envelope,
        names: &dyn Fn(Pid) -> ProcessName,
    ) {
        let (limit, address) = (self.page.load(Ordering::Relaxed), envelope.address());
        if envelope.is::<Down>() || envelope.is::<Exit>() {
            let kind = EventKind::Send { from, to, signal: envelope.signal() };
            return scribe.journal.page.other(limit, scribe.exactly(now), kind, address, names);
        }
        let mut text = scribe.scratch.take();
        text.clear();
        write_bounded(envelope.shown(), &mut text);
        let number = self.number_of(scribe, envelope);
        let sent = Sent { at: scribe.exactly(now), from, to, address, number, text: &text };
        scribe.journal.page.send(&scribe.pen, limit, &sent, names);
        scribe.scratch.set(text);
    }

    /// Records that a message was taken out of a mailbox.
    pub(crate) fn record_receive(
        &self,
        scribe: &Scribe,
        now: impl FnOnce() -> Duration,
        turn: Turn,
        by: Pid,
        envelope: &Envelope,
    ) {
        let limit = self.page.load(Ordering::Relaxed);
        // Most processes receive first of all in a turn: then the clock of the worker is as good.
        let at = scribe.about(now, turn);
        let number = self.number_of(scribe, envelope);
        scribe.journal.page.receive(&scribe.pen, limit, at, by, envelope.address(), number);
    }

    /// Records anything else.
    pub(crate) fn record(
        &self,
        scribe: Option<&Scribe>,
        now: impl FnOnce() -> Duration,
        kind: EventKind,
        names: &dyn Fn(Pid) -> ProcessName,
    ) {
        let limit = self.page.load(Ordering::Relaxed);
        match scribe {
            Some(scribe) => scribe.journal.page.other(limit, scribe.exactly(now), kind, 0, names),
            None => self.outside.page.other(limit, now(), kind, 0, names),
        }
    }

    /// What was recorded so far; the recording goes on, and is empty.
    pub(crate) fn take(&self, caller: Pid, home: NodeId, name_of: &dyn Fn(Pid) -> ProcessName) -> Trace {
        let mut whose = Whose::default();
        for journal in self.journals.lock().iter() {
            whose.add(&journal.page);
        }
        whose.add(&self.outside.page);
        let types = self.types.lock();
        let mut trace = whose.finish(caller, home, |number| types.get(&number).copied());
        drop(types);
        // Whoever ended meanwhile may have had no name yet when it was seen first.
        for (pid, name) in self.dead.lock().iter() {
            trace.names.entry(*pid).or_insert_with(|| name.clone());
        }
        finish(&mut trace, name_of);
        trace
    }
}

fn push<T>(queue: &Mutex<VecDeque<T>>, one: T) {
    let mut queue = queue.lock();
    if queue.len() == NOTABLE {
        queue.pop_front();
    }
    queue.push_back(one);
}

impl Scribe {
    /// The time in nanoseconds, by a clock that is read for one event in [`STREAK`], and whenever the worker may
    /// have rested or worked for some milliseconds.
    #[inline]
    fn about(&self, now: impl FnOnce() -> Duration, turn: Turn) -> u64 {
        let since = self.since.get() + 1;
        let is_fresh = turn.is_in_streak || self.turn.get() == turn.number;
        if since > STREAK || !is_fresh || self.tick.get() != turn.tick {
            self.turn.set(turn.number);
            self.tick.set(turn.tick);
            return self.read(now);
        }
        self.since.set(since);
        // In between, events are told apart by a nanosecond each.
        self.last.get() + u64::from(since)
    }

    #[cold]
    fn read(&self, now: impl FnOnce() -> Duration) -> u64 {
        self.exactly(now).as_nanos() as u64
    }

    /// The time, by the clock.
    #[inline]
    fn exactly(&self, now: impl FnOnce() -> Duration) -> Duration {
        let now = now();
        self.last.set(now.as_nanos() as u64);
        self.since.set(0);
        now
    }
}

/// Puts events in order, and adds the names of those who are still alive.
fn finish(trace: &mut Trace, name_of: &dyn Fn(Pid) -> ProcessName) {
    trace.events.sort_by_key(|event| event.at);
    let mut unnamed = std::collections::BTreeSet::new();
    for event in &trace.events {
        let (one, other) = event.kind.participants();
        unnamed.extend(std::iter::once(one).chain(other));
    }
    trace.names.retain(|pid, _| unnamed.contains(pid));
    for pid in unnamed {
        let name = name_of(pid);
        if name != ProcessName::default() {
            trace.names.insert(pid, name);
        }
    }
    // Rings know that someone was told of an end, but not why; the end itself says so.
    let reasons: FxHashMap<Pid, _> = trace
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Exit { pid, reason } => Some((*pid, reason.clone())),
            _ => None,
        })
        .collect();
    for event in &mut trace.events {
        if let EventKind::Send { from, signal: Signal::Exit(reason) | Signal::Down(reason), .. } = &mut event.kind
            && *reason == ring::unknown()
            && let Some(known) = reasons.get(from)
        {
            *reason = known.clone();
        }
    }
}
