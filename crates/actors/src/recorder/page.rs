//! All that one worker has seen, with the text of every message: words that it appends, read by whoever asks.
//!
//! A message is written down when it is sent. When it is received, its address says which one it was: that is
//! not used again before. What is no message is rare and kept as it is.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::ring::{NODE_SHIFT, NUMBER};
use crate::lock::Mutex;
use crate::message::short_name;
use crate::pid::{LocalPid, NodeId, Pid};
use crate::request::signal;
use crate::trace::{EventKind, ProcessName, Signal, Trace, TraceEvent};

/// What one worker has written in this recording.
#[derive(Default)]
pub(super) struct Page {
    shelf: Mutex<Shelf>,
    apart: Mutex<Vec<Apart>>,
    names: Mutex<FxHashMap<Pid, ProcessName>>,
    /// How many events there were in all, and how many did not fit. Written by the worker.
    written: AtomicUsize,
    lost: AtomicU64,
    /// How many of the first were taken. Written by readers.
    taken: AtomicUsize,
    /// Which recording this is, so that the worker notices when another one begins.
    recording: AtomicU32,
}

/// The sheets that are not read to their ends, the last of which the worker writes to.
#[derive(Default)]
struct Shelf {
    sheets: VecDeque<Arc<Sheet>>,
    /// How many words of the first were read.
    read: usize,
    /// How many lost events were reported.
    reported: u64,
}

/// Words that are written once. The worker publishes them by their number; nothing that is published changes.
struct Sheet {
    words: Box<[AtomicU64]>,
    written: AtomicUsize,
}

/// How many words a sheet has: several of the longest texts, and few enough to stay in a processor's cache.
const WORDS: usize = 2048;

/// What stands apart from the words, with the address of the message if it is one.
struct Apart {
    at: Duration,
    kind: EventKind,
    address: usize,
}

/// A worker's own end of its page.
pub(super) struct Pen {
    sheet: RefCell<Option<Arc<Sheet>>>,
    /// Processes of this node whose names are on the page, each in the place that its low bits say.
    named: [Cell<LocalPid>; 64],
    recording: Cell<u32>,
}

/// The words of a message that is sent, or with fewer of one that is received.
const SENT: usize = 5;
const RECEIVED: usize = 4;

impl Default for Pen {
    fn default() -> Self {
        let named = [const { Cell::new(LocalPid::NOBODY) }; 64];
        Pen { sheet: RefCell::default(), named, recording: Cell::new(0) }
    }
}

/// A message that is sent.
pub(super) struct Sent<'a> {
    pub(super) at: Duration,
    pub(super) from: Pid,
    pub(super) to: Pid,
    pub(super) address: usize,
    /// The number of its type.
    pub(super) number: u64,
    pub(super) text: &'a str,
}

impl Page {
    /// For the worker.
    pub(super) fn send(&self, pen: &Pen, limit: usize, sent: &Sent<'_>, names: &dyn Fn(Pid) -> ProcessName) {
        let Sent { at, from, to, address, number, text } = *sent;
        if !self.has_room(limit) {
            return;
        }
        self.name(pen, from, from.node, names);
        self.name(pen, to, from.node, names);
        let head: [u64; SENT] = [
            (at.as_nanos() as u64) << 1,
            from.id.as_u64(),
            to.id.as_u64(),
            address as u64 & NUMBER | u64::from(to.node.short()) << NODE_SHIFT,
            // The text is bounded in length, by less than this has room for.
            number & NUMBER | (text.len() as u64) << NODE_SHIFT,
        ];
        self.append(pen, &head, text.as_bytes());
    }

    /// For the worker.
    pub(super) fn receive(&self, pen: &Pen, limit: usize, at: u64, by: Pid, address: usize, number: u64) {
        if self.has_room(limit) {
            let head: [u64; RECEIVED] = [at << 1 | 1, by.id.as_u64(), address as u64, number];
            self.append(pen, &head, &[]);
        }
    }

    /// Anything else, or a message that says by itself what it is. For anyone.
    pub(super) fn other(
        &self,
        limit: usize,
        at: Duration,
        kind: EventKind,
        address: usize,
        names: &dyn Fn(Pid) -> ProcessName,
    ) {
        let mut apart = self.apart.lock();
        if !self.has_room(limit) {
            return;
        }
        let (one, other) = kind.participants();
        for pid in [Some(one), other].into_iter().flatten() {
            self.names.lock().entry(pid).or_insert_with(|| names(pid));
        }
        apart.push(Apart { at, kind, address });
    }

    #[inline]
    fn has_room(&self, limit: usize) -> bool {
        let written = self.written.load(Ordering::Relaxed);
        let has_room = written.wrapping_sub(self.taken.load(Ordering::Relaxed)) < limit;
        match has_room {
            true => self.written.store(written.wrapping_add(1), Ordering::Relaxed),
            false => self.lost.store(self.lost.load(Ordering::Relaxed) + 1, Ordering::Relaxed),
        }
        has_room
    }

    #[inline]
    fn append(&self, pen: &Pen, head: &[u64], text: &[u8]) {
        let count = head.len() + text.len().div_ceil(8);
        let mut sheet = pen.sheet.borrow_mut();
        let has_room = |sheet: &Arc<Sheet>| sheet.written.load(Ordering::Relaxed) + count <= WORDS;
        if !sheet.as_ref().is_some_and(has_room) {
            *sheet = Some(self.turn_over());
        }
        let Some(sheet) = &*sheet else { return };
        let start = sheet.written.load(Ordering::Relaxed);
        let (head_words, text_words) = sheet.words[start..start + count].split_at(head.len());
        for (word, value) in head_words.iter().zip(head) {
            word.store(*value, Ordering::Relaxed);
        }
        for (word, bytes) in text_words.iter().zip(text.chunks(8)) {
            let mut eight = [0; 8];
            eight[..bytes.len()].copy_from_slice(bytes);
            word.store(u64::from_le_bytes(eight), Ordering::Relaxed);
        }
        sheet.written.store(start + count, Ordering::Release);
    }

    #[cold]
    fn turn_over(&self) -> Arc<Sheet> {
        let words = std::iter::repeat_with(AtomicU64::default).take(WORDS).collect();
        let sheet = Arc::new(Sheet { words, written: AtomicUsize::new(0) });
        self.shelf.lock().sheets.push_back(sheet.clone());
        sheet
    }

    /// Sees to it that the name of a process is known.
    #[inline]
    fn name(&self, pen: &Pen, pid: Pid, home: NodeId, names: &dyn Fn(Pid) -> ProcessName) {
        let recording = self.recording.load(Ordering::Relaxed);
        if pen.recording.replace(recording) != recording {
            pen.named.iter().for_each(|place| place.set(LocalPid::NOBODY));
        }
        let place = &pen.named[pid.id.index() as usize % pen.named.len()];
        if pid.node != home || place.get() != pid.id {
            self.learn(pid, names);
            if pid.node == home {
                place.set(pid.id);
            }
        }
    }

    #[cold]
    fn learn(&self, pid: Pid, names: &dyn Fn(Pid) -> ProcessName) {
        let mut known = self.names.lock();
        known.entry(pid).or_insert_with(|| names(pid));
    }

    /// Throws everything away, for another recording.
    pub(super) fn clear(&self) {
        self.recording.fetch_add(1, Ordering::Relaxed);
        self.names.lock().clear();
        self.take();
    }

    fn take(&self) -> (Vec<Words>, Vec<Apart>, u64) {
        let mut taken = Vec::new();
        let mut shelf = self.shelf.lock();
        while let Some(sheet) = shelf.sheets.front().cloned() {
            let is_last = shelf.sheets.len() == 1;
            let end = sheet.written.load(Ordering::Acquire);
            taken.extend(sheet.entries(shelf.read, end));
            if is_last {
                shelf.read = end;
                break;
            }
            // The worker is at the next one, so this one is as it will stay.
            shelf.sheets.pop_front();
            shelf.read = 0;
        }
        let apart = std::mem::take(&mut *self.apart.lock());
        self.taken.fetch_add(taken.len() + apart.len(), Ordering::Relaxed);
        let lost = self.lost.load(Ordering::Relaxed);
        let unreported = lost - std::mem::replace(&mut shelf.reported, lost);
        (taken, apart, unreported)
    }
}

/// What the words say of one message.
struct Words {
    at: u64,
    /// Who sent it to whom, and what it said; or who received it.
    what: Result<(u64, u64, u16, String), u64>,
    address: usize,
    number: u64,
}

impl Sheet {
    fn entries(&self, mut start: usize, end: usize) -> Vec<Words> {
        let word = |index: usize| self.words[index].load(Ordering::Relaxed);
        let mut entries = Vec::new();
        while start < end {
            let (first, one, at) = (word(start), word(start + 1), word(start) >> 1);
            if first & 1 == 1 {
                let (address, number) = (word(start + 2) as usize, word(start + 3));
                entries.push(Words { at, what: Err(one), address, number });
                start += RECEIVED;
                continue;
            }
            let (two, third, fourth) = (word(start + 2), word(start + 3), word(start + 4));
            let length = (fourth >> NODE_SHIFT) as usize;
            start += SENT;
            let words = length.div_ceil(8);
            let bytes: Vec<u8> =
                (start..start + words).flat_map(|index| word(index).to_le_bytes()).take(length).collect();
            start += words;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let what = Ok((one, two, (third >> NODE_SHIFT) as u16, text));
            entries.push(Words { at, what, address: (third & NUMBER) as usize, number: fourth & NUMBER });
        }
        entries
    }
}

/// The pages of all workers, to be put together.
#[derive(Default)]
pub(super) struct Whose {
    words: Vec<Words>,
    apart: Vec<Apart>,
    names: FxHashMap<Pid, ProcessName>,
    lost: u64,
}

enum Either {
    Words(Words),
    Apart(Apart),
}

impl Whose {
    pub(super) fn add(&mut self, page: &Page) {
        let (words, apart, lost) = page.take();
        self.words.extend(words);
        self.apart.extend(apart);
        self.lost += lost;
        for (pid, name) in page.names.lock().iter() {
            // Whoever saw it first may have seen it before it had a name.
            let known = self.names.entry(*pid).or_default();
            known.registered = known.registered.take().or(name.registered.clone());
            known.label = known.label.take().or(name.label.clone());
        }
    }

    /// The events in order of time. A type's name is looked up by its number.
    pub(super) fn finish(self, caller: Pid, home: NodeId, type_name: impl Fn(u64) -> Option<&'static str>) -> Trace {
        let Whose { words, apart, names, lost } = self;
        let words = words.into_iter().map(|one| (Duration::from_nanos(one.at), Either::Words(one)));
        let mut all: Vec<(Duration, Either)> =
            words.chain(apart.into_iter().map(|one| (one.at, Either::Apart(one)))).collect();
        all.sort_by_key(|(at, _)| *at);
        let mut on_the_way: FxHashMap<usize, Signal> = FxHashMap::default();
        let mut event = |one: Either| match one {
            Either::Apart(Apart { kind, address, .. }) => {
                if let (EventKind::Send { signal, .. }, true) = (&kind, address != 0) {
                    on_the_way.insert(address, signal.clone());
                }
                kind
            }
            Either::Words(Words { what: Ok((from, to, node, text)), address, number, .. }) => {
                let signal = signal(type_name(number).unwrap_or("?"), text);
                on_the_way.insert(address, signal.clone());
                let from = Pid::new(home, LocalPid::from_u64(from));
                let to = Pid::new(NodeId::of_short(node).unwrap_or(home), LocalPid::from_u64(to));
                EventKind::Send { from, to, signal }
            }
            Either::Words(Words { what: Err(by), address, number, .. }) => {
                let unseen = || {
                    let name = short_name(type_name(number).unwrap_or("?"));
                    Signal::Info { name, text: String::new() }
                };
                let signal = on_the_way.remove(&address).unwrap_or_else(unseen);
                EventKind::Receive { by: Pid::new(home, LocalPid::from_u64(by)), signal }
            }
        };
        let events = all.into_iter().map(|(at, one)| TraceEvent { at, kind: event(one), serial: None }).collect();
        let names = names.into_iter().filter(|(_, name)| *name != ProcessName::default()).collect();
        Trace { caller, events, names, lost }
    }
}
