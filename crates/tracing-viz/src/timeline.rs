//! Who lived and worked when: a lane for each process, with its messages and how many waited.
//!
//! What is on a lane is decided here; `svg` draws it, `perfetto` writes it for the viewer of that name.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use greenroom::Pid;
use greenroom::trace::{EventKind, Signal, Trace, TraceEvent};

use crate::words;

mod perfetto;
mod svg;

/// The lanes of a trace, ready to be drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// A lane for each process, in order of first appearance.
    pub lanes: Vec<Lane>,
    /// Messages, in order of time.
    pub messages: Vec<Message>,
    /// When the first event was.
    pub start: Duration,
    /// When the last event was.
    pub end: Duration,
    /// How many events of the trace could not be kept.
    pub lost: u64,
}

/// What a process went through.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// The process.
    pub pid: Pid,
    /// What to call it.
    pub title: String,
    /// When it was started, if that was seen.
    pub born: Option<Duration>,
    /// When and why it ended, if that was seen.
    pub ended: Option<End>,
    /// Calls that it worked on.
    pub calls: Vec<Busy>,
    /// How many messages waited in its mailbox from when on, as far as the trace knows.
    pub waiting: Vec<(Duration, u64)>,
}

/// The end of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// When.
    pub at: Duration,
    /// Why, on one line.
    pub reason: String,
    /// Whether nobody need worry about it.
    pub is_orderly: bool,
}

/// A span of time in which a process worked on something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busy {
    /// From when.
    pub start: Duration,
    /// Until when.
    pub end: Duration,
    /// On what.
    pub label: String,
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The sender's lane, as an index into [`Timeline::lanes`].
    pub from: usize,
    /// The receiver's lane, as an index into [`Timeline::lanes`].
    pub to: usize,
    /// When it was sent.
    pub sent: Duration,
    /// When it was received, if that was seen.
    pub received: Option<Duration>,
    /// What it says, on one line.
    pub label: String,
    /// Whether it is the signal of an end.
    pub is_end: bool,
}

impl Timeline {
    /// The lanes of all processes of `trace`.
    pub fn from_trace(trace: &Trace) -> Timeline {
        let mut events: Vec<&TraceEvent> = trace.events.iter().collect();
        events.sort_by_key(|event| event.at);
        let mut builder = Builder {
            trace,
            numbers: HashMap::new(),
            unread: HashMap::new(),
            calls: HashMap::new(),
            line: Timeline::default(),
        };
        if let (Some(first), Some(last)) = (events.first(), events.last()) {
            (builder.line.start, builder.line.end) = (first.at, last.at);
        }
        builder.line.lost = trace.lost;
        for event in events {
            builder.event(event.at, &event.kind);
        }
        builder.line
    }
}

struct Builder<'a> {
    trace: &'a Trace,
    numbers: HashMap<Pid, usize>,
    /// Messages by receiver and text that were not received yet.
    unread: HashMap<(usize, String), VecDeque<usize>>,
    /// Calls by caller and callee that were not answered yet.
    calls: HashMap<(usize, usize), Vec<usize>>,
    line: Timeline,
}

impl Builder<'_> {
    fn event(&mut self, at: Duration, kind: &EventKind) {
        match kind {
            EventKind::Spawn { parent, child } | EventKind::Restart { supervisor: parent, new: child, .. } => {
                self.lane(*parent);
                let child = self.lane(*child);
                self.line.lanes[child].born.get_or_insert(at);
            }
            EventKind::Send { from, to, signal } => self.send(at, *from, *to, signal),
            EventKind::Receive { by, signal } => self.receive(at, *by, signal),
            EventKind::Exit { pid, reason } => {
                let lane = self.lane(*pid);
                let reason_words = words::one_line(&reason.to_string());
                self.line.lanes[lane].ended = Some(End { at, reason: reason_words, is_orderly: reason.is_orderly() });
            }
            EventKind::Link { from: one, to: other } | EventKind::Monitor { watcher: one, target: other } => {
                self.lane(*one);
                self.lane(*other);
            }
            EventKind::Timer { by, .. } | EventKind::Timeout { by, .. } => {
                self.lane(*by);
            }
        }
    }

    fn send(&mut self, at: Duration, from: Pid, to: Pid, signal: &Signal) {
        let (from, to) = (self.lane(from), self.lane(to));
        let label = label(signal);
        let index = self.line.messages.len();
        match signal {
            Signal::Call { .. } => self.calls.entry((from, to)).or_default().push(index),
            Signal::Reply { .. } => {
                if let Some(call) = self.calls.get_mut(&(to, from)).and_then(Vec::pop) {
                    let call = &self.line.messages[call];
                    let start = call.received.unwrap_or(call.sent);
                    let busy = Busy { start, end: at, label: call.label.clone() };
                    self.line.lanes[from].calls.push(busy);
                }
            }
            Signal::Info { .. } | Signal::Cast { .. } | Signal::Exit(_) | Signal::Down(_) => {}
        }
        self.unread.entry((to, label.clone())).or_default().push_back(index);
        self.line.messages.push(Message { from, to, sent: at, received: None, label, is_end: crate::is_end(signal) });
    }

    fn receive(&mut self, at: Duration, by: Pid, signal: &Signal) {
        let by = self.lane(by);
        let sent = self.unread.get_mut(&(by, label(signal))).and_then(VecDeque::pop_front);
        let Some(message) = sent.map(|index| &mut self.line.messages[index]) else { return };
        message.received = Some(at);
        let sent = message.sent;
        // What is never seen to be received is not known to wait, so only pairs count.
        self.line.lanes[by].wait(sent, at);
    }

    fn lane(&mut self, pid: Pid) -> usize {
        *self.numbers.entry(pid).or_insert_with(|| {
            let title = crate::title(self.trace, pid);
            self.line.lanes.push(Lane { pid, title, born: None, ended: None, calls: Vec::new(), waiting: Vec::new() });
            self.line.lanes.len() - 1
        })
    }
}

impl Lane {
    /// Counts a message that waited from `sent` until `received`.
    fn wait(&mut self, sent: Duration, received: Duration) {
        let start = self.change_at(sent);
        let end = self.change_at(received);
        for (_, depth) in &mut self.waiting[start..end] {
            *depth += 1;
        }
    }

    /// The place in `waiting` for what happens at that time, made if there is none.
    fn change_at(&mut self, at: Duration) -> usize {
        let place = self.waiting.partition_point(|(time, _)| *time < at);
        if self.waiting.get(place).is_none_or(|(time, _)| *time != at) {
            let before = place.checked_sub(1).map_or(0, |before| self.waiting[before].1);
            self.waiting.insert(place, (at, before));
        }
        place
    }

    /// The most that waited at once.
    pub fn deepest(&self) -> u64 {
        self.waiting.iter().map(|(_, depth)| *depth).max().unwrap_or(0)
    }
}

fn label(signal: &Signal) -> String {
    words::one_line(&match signal {
        Signal::Info { name, text } => {
            if text.is_empty() {
                name.clone()
            } else {
                text.clone()
            }
        }
        Signal::Call { name, text } => format!("CALL {}", if text.is_empty() { name } else { text }),
        Signal::Cast { name, text } => format!("CAST {}", if text.is_empty() { name } else { text }),
        Signal::Reply { text } => format!("REPLY {text}"),
        Signal::Exit(reason) => format!("EXIT {reason}"),
        Signal::Down(reason) => format!("DOWN {reason}"),
    })
}
