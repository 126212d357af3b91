//! All that one worker has seen, with the text of every message in one long string.
//!
//! A message is written down when it is sent. When it is received, its address says which one it was: that is
//! not used again before.

use std::ops::Range;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::mailbox::{Envelope, write_bounded};
use crate::message::{Answer, Call, Down, Exit, short_name};
use crate::pid::Pid;
use crate::trace::{EventKind, ProcessName, Signal, Trace, TraceEvent};

#[derive(Default)]
pub(super) struct Page {
    /// Those that are full, and the one that is being written: nothing is ever moved.
    chunks: Vec<Chunk>,
    /// How many entries there are.
    count: usize,
    /// The two who were named last: most messages go to and fro.
    last: Option<(Pid, Pid)>,
    names: FxHashMap<Pid, ProcessName>,
    lost: u64,
}

struct Chunk {
    entries: Vec<Entry>,
    text: String,
}

/// How many entries a chunk holds, and how many bytes of text it is made for.
const ENTRIES: usize = 1024;
const TEXT: usize = 32 * 1024;

struct Entry {
    at: Duration,
    what: What,
}

enum What {
    Send { from: Pid, to: Pid, address: usize, sort: Sort, text: Range<u32> },
    Receive { by: Pid, address: usize, type_name: fn() -> &'static str },
    Other(Box<EventKind>),
}

pub(super) enum Sort {
    Info(fn() -> &'static str),
    Call,
    Reply,
    /// It says by itself what it is.
    Other(Box<Signal>),
}

impl Page {
    pub(super) fn send(
        &mut self,
        limit: usize,
        at: Duration,
        (from, to): (Pid, Pid),
        (address, sort, text): (usize, Sort, &str),
        names: &dyn Fn(Pid) -> ProcessName,
    ) {
        if !self.has_room(limit) {
            return;
        }
        if !self.last.is_some_and(|last| last == (from, to) || last == (to, from)) {
            self.name([Some(from), Some(to)], names);
            self.last = Some((from, to));
        }
        let chunk = self.chunk();
        // A chunk has far less text than four gigabytes: a thousand entries of some thousand bytes.
        let start = chunk.text.len() as u32;
        chunk.text.push_str(text);
        let text = start..chunk.text.len() as u32;
        chunk.entries.push(Entry { at, what: What::Send { from, to, address, sort, text } });
    }

    pub(super) fn receive(&mut self, limit: usize, at: Duration, by: Pid, envelope: &Envelope) {
        if self.has_room(limit) {
            let what = What::Receive { by, address: envelope.address(), type_name: envelope.type_number().1 };
            self.chunk().entries.push(Entry { at, what });
        }
    }

    pub(super) fn other(&mut self, limit: usize, at: Duration, kind: &EventKind, names: &dyn Fn(Pid) -> ProcessName) {
        if self.has_room(limit) {
            let (one, other) = kind.participants();
            self.name([Some(one), other], names);
            self.chunk().entries.push(Entry { at, what: What::Other(Box::new(kind.clone())) });
        }
    }

    fn has_room(&mut self, limit: usize) -> bool {
        let has_room = self.count < limit;
        self.count += usize::from(has_room);
        self.lost += u64::from(!has_room);
        has_room
    }

    /// The chunk to write to.
    fn chunk(&mut self) -> &mut Chunk {
        let is_full = self.chunks.last().is_none_or(|chunk| chunk.entries.len() == ENTRIES);
        if is_full {
            self.chunks.push(Chunk { entries: Vec::with_capacity(ENTRIES), text: String::with_capacity(TEXT) });
        }
        let last = self.chunks.len() - 1;
        &mut self.chunks[last]
    }

    fn name(&mut self, pids: [Option<Pid>; 2], names: &dyn Fn(Pid) -> ProcessName) {
        for pid in pids.into_iter().flatten() {
            self.names.entry(pid).or_insert_with(|| names(pid));
        }
    }
}

/// What kind of message this is; its text goes to the end of `text`.
pub(super) fn sort(envelope: &Envelope, text: &mut String) -> Sort {
    if let Some(call) = envelope.peek::<Call>() {
        write_bounded(&call.request, text);
        Sort::Call
    } else if let Some(answer) = envelope.peek::<Answer>() {
        write_bounded(&answer.value, text);
        Sort::Reply
    } else if envelope.is::<Down>() || envelope.is::<Exit>() {
        Sort::Other(Box::new(envelope.signal()))
    } else {
        write_bounded(envelope, text);
        Sort::Info(envelope.type_number().1)
    }
}

/// The pages of all workers, to be put together.
#[derive(Default)]
pub(super) struct Whose {
    entries: Vec<(Entry, usize)>,
    texts: Vec<String>,
    names: FxHashMap<Pid, ProcessName>,
    lost: u64,
}

impl Whose {
    pub(super) fn add(&mut self, page: Page) {
        let Page { chunks, names, lost, .. } = page;
        for Chunk { entries, text } in chunks {
            let number = self.texts.len();
            self.entries.extend(entries.into_iter().map(|entry| (entry, number)));
            self.texts.push(text);
        }
        for (pid, name) in names {
            // Whoever saw it first may have seen it before it had a name.
            let known = self.names.entry(pid).or_default();
            known.registered = known.registered.take().or(name.registered);
            known.label = known.label.take().or(name.label);
        }
        self.lost += lost;
    }

    pub(super) fn finish(mut self, caller: Pid) -> Trace {
        self.entries.sort_by_key(|(entry, _)| entry.at);
        let mut on_the_way: FxHashMap<usize, Signal> = FxHashMap::default();
        let mut events = Vec::with_capacity(self.entries.len());
        for (Entry { at, what }, page) in self.entries {
            let kind = match what {
                What::Send { from, to, address, sort, text } => {
                    let signal = signal(sort, &self.texts[page][text.start as usize..text.end as usize]);
                    on_the_way.insert(address, signal.clone());
                    EventKind::Send { from, to, signal }
                }
                What::Receive { by, address, type_name } => {
                    let unseen = || Signal::Info { name: short_name(type_name()), text: String::new() };
                    EventKind::Receive { by, signal: on_the_way.remove(&address).unwrap_or_else(unseen) }
                }
                What::Other(kind) => *kind,
            };
            events.push(TraceEvent { at, kind, serial: None });
        }
        let names = self.names.into_iter().filter(|(_, name)| *name != ProcessName::default()).collect();
        Trace { caller, events, names, lost: self.lost }
    }
}

fn signal(sort: Sort, text: &str) -> Signal {
    match sort {
        Sort::Info(name) => Signal::Info { name: short_name(name()), text: text.to_owned() },
        Sort::Call => {
            let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
            Signal::Call { name: text[..end].to_owned(), text: text.to_owned() }
        }
        Sort::Reply => Signal::Reply { text: text.to_owned() },
        Sort::Other(signal) => *signal,
    }
}
