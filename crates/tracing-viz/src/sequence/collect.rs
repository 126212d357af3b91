//! From events to steps: which of them are drawn, in which order, and which belong together.
//!
//! One pass over the events in order of time. Steps still name processes by their identifiers and carry
//! what they will say unworded, so that a million of them cost little before most are folded or left out.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use greenroom::trace::{EventKind, Signal, Trace, TraceEvent};
use greenroom::{ExitReason, Pid};

use super::{MarkKind, Options};

/// A step, before it is worded.
pub(super) struct Raw<'a> {
    pub(super) at: Duration,
    pub(super) what: What<'a>,
}

pub(super) enum What<'a> {
    Spawn {
        from: Pid,
        to: Pid,
        ties: Ties,
    },
    Restart {
        from: Pid,
        to: Pid,
        id: &'a str,
    },
    Message {
        from: Pid,
        to: Pid,
        signal: &'a Signal,
        latency: Option<Duration>,
        pair: Option<usize>,
        waited: Option<Duration>,
    },
    Exit {
        pid: Pid,
        reason: &'a ExitReason,
        told: bool,
    },
    Mark {
        by: Pid,
        with: Option<Pid>,
        kind: MarkKind,
        after: Option<Duration>,
    },
    /// It was moved further down, or has become part of another one.
    Nothing,
}

/// How a child hangs together with its parent from the first moment.
#[derive(Clone, Copy, Default)]
pub(super) struct Ties {
    pub(super) linked: bool,
    pub(super) monitored: bool,
}

/// The steps of a trace, as far as `options` ask for them; holes and all, so that indices hold.
pub(super) fn collect<'a>(trace: &'a Trace, options: &'a Options) -> Vec<Raw<'a>> {
    let mut events: Vec<&TraceEvent> = trace.events.iter().collect();
    events.sort_by_key(|event| event.at);
    let mut collector = Collector { options, ..Collector::new(options) };
    for event in events.into_iter().filter(|event| options.is_within(event.at)) {
        collector.event(event);
    }
    collector.steps
}

struct Collector<'a> {
    options: &'a Options,
    steps: Vec<Raw<'a>>,
    /// Who has a part in what was kept.
    present: HashSet<Pid>,
    /// Every start seen, with its step unless that was left out.
    spawns: HashMap<(Pid, Pid), Option<usize>>,
    /// Links and monitors that may turn out to be part of a start or a call: they were the last step of all.
    loose: Vec<usize>,
    /// For each pair, the calls not yet answered.
    calls: HashMap<(Pid, Pid), Vec<usize>>,
    /// What was sent to whom and not yet received, by a hash of the message.
    unread: HashMap<(Pid, u64), VecDeque<usize>>,
    /// The step of each exit.
    exits: HashMap<Pid, usize>,
    /// The exits that arrows told of: who, and why.
    told: HashSet<(Pid, &'a ExitReason)>,
}

impl<'a> Collector<'a> {
    fn new(options: &'a Options) -> Self {
        Collector {
            options,
            steps: Vec::new(),
            present: HashSet::new(),
            spawns: HashMap::new(),
            loose: Vec::new(),
            calls: HashMap::new(),
            unread: HashMap::new(),
            exits: HashMap::new(),
            told: HashSet::new(),
        }
    }

    fn event(&mut self, event: &'a TraceEvent) {
        let at = event.at;
        match &event.kind {
            EventKind::Spawn { parent, child } => self.spawn(at, *parent, *child),
            EventKind::Send { from, to, signal } => self.send(at, (*from, *to), signal),
            EventKind::Receive { by, signal } => self.receive(at, *by, signal),
            EventKind::Restart { supervisor, old, new, id } => self.restart(at, *old, (*supervisor, *new), id),
            EventKind::Exit { pid, reason } => self.exit(at, *pid, reason),
            EventKind::Link { from, to } => self.mark(at, *from, Some(*to), MarkKind::Link, None),
            EventKind::Monitor { watcher, target } => self.mark(at, *watcher, Some(*target), MarkKind::Monitor, None),
            EventKind::Timer { by, to, after } => self.mark(at, *by, *to, MarkKind::Timer, Some(*after)),
            EventKind::Timeout { by, after } => self.mark(at, *by, None, MarkKind::Timeout, Some(*after)),
        }
    }

    /// Whether an arrow between these is kept.
    fn wants(&self, from: Pid, to: Pid) -> bool {
        let targets = &self.options.targets;
        from != to && (targets.contains(from) || targets.contains(to))
    }

    fn spawn(&mut self, at: Duration, parent: Pid, child: Pid) {
        if !self.wants(parent, child) || !self.options.wants_others() {
            self.spawns.insert((parent, child), None);
            return;
        }
        // What ties a child to its parent from its first moment on is told before its start.
        let mut ties = Ties::default();
        for step in std::mem::take(&mut self.loose) {
            match &self.steps[step].what {
                What::Mark { by, with: Some(with), kind: MarkKind::Link, .. }
                    if [(*by, *with), (*with, *by)].contains(&(parent, child)) =>
                {
                    ties.linked = true;
                }
                What::Mark { by, with: Some(with), kind: MarkKind::Monitor, .. } if (*by, *with) == (parent, child) => {
                    ties.monitored = true;
                }
                _ => continue,
            }
            self.steps[step].what = What::Nothing;
        }
        let step = self.step(at, What::Spawn { from: parent, to: child, ties }, [parent, child]);
        self.spawns.insert((parent, child), Some(step));
    }

    fn send(&mut self, at: Duration, (from, to): (Pid, Pid), signal: &'a Signal) {
        if !self.wants(from, to) || !self.options.wants(signal) {
            return;
        }
        let call = match signal {
            Signal::Reply { .. } => self.calls.get_mut(&(to, from)).and_then(Vec::pop),
            Signal::Info { .. } | Signal::Call { .. } | Signal::Cast { .. } | Signal::Exit(_) | Signal::Down(_) => None,
        };
        if matches!(signal, Signal::Call { .. }) {
            // A caller monitors whom it asks; that goes without saying.
            for step in std::mem::take(&mut self.loose) {
                if matches!(self.steps[step].what, What::Mark { by, with, kind: MarkKind::Monitor, .. }
                    if (by, with) == (from, Some(to)))
                {
                    self.steps[step].what = What::Nothing;
                }
            }
        }
        let latency = call.map(|call| at.saturating_sub(self.steps[call].at));
        let step = self.step(at, What::Message { from, to, signal, latency, pair: call, waited: None }, [from, to]);
        match signal {
            Signal::Call { .. } => self.calls.entry((from, to)).or_default().push(step),
            Signal::Reply { .. } => {
                if let Some(What::Message { pair, .. }) = call.map(|call| &mut self.steps[call].what) {
                    *pair = Some(step);
                }
            }
            Signal::Exit(reason) | Signal::Down(reason) => {
                self.told.insert((from, reason));
                self.move_exit_down(from, reason);
            }
            Signal::Info { .. } | Signal::Cast { .. } => {}
        }
        self.unread.entry((to, fingerprint(signal))).or_default().push_back(step);
    }

    /// The first of the same messages that were sent is the first to be received.
    fn receive(&mut self, at: Duration, by: Pid, signal: &Signal) {
        let Entry::Occupied(mut sent) = self.unread.entry((by, fingerprint(signal))) else { return };
        let Some(step) = sent.get_mut().pop_front() else { return };
        if let Raw { at: sent, what: What::Message { waited, .. } } = &mut self.steps[step] {
            *waited = Some(at.saturating_sub(*sent));
        }
    }

    /// A supervisor starts a child as anyone does, and says afterwards that it was a restart. It belongs to the story of
    /// the old process, too.
    fn restart(&mut self, at: Duration, old: Pid, (from, to): (Pid, Pid), id: &'a str) {
        let (is_old_ones, is_theirs) = (from != to && self.options.targets.contains(old), self.wants(from, to));
        match self.spawns.get(&(from, to)) {
            Some(Some(step)) => self.steps[*step].what = What::Restart { from, to, id },
            was if (is_old_ones || was.is_none() && is_theirs) && self.options.wants_others() => {
                self.step(at, What::Restart { from, to, id }, [from, to]);
            }
            Some(None) | None => {}
        }
    }

    /// Adds the exit of a process that takes part; a process ends once.
    fn exit(&mut self, at: Duration, pid: Pid, reason: &'a ExitReason) {
        let is_asked_for = self.options.targets.contains(pid) && self.options.wants_others();
        if !(self.present.contains(&pid) || is_asked_for) || self.exits.contains_key(&pid) {
            return;
        }
        let told = self.told.contains(&(pid, reason));
        let step = self.step(at, What::Exit { pid, reason, told }, [pid]);
        self.exits.insert(pid, step);
    }

    /// The signals of an end may be recorded after it, yet they are the last thing a process says.
    fn move_exit_down(&mut self, pid: Pid, why: &ExitReason) {
        let Some(&step) = self.exits.get(&pid) else { return };
        let Raw { at, what: What::Exit { reason, .. } } = self.steps[step] else { return };
        if reason != why {
            return;
        }
        self.steps[step].what = What::Nothing;
        let step = self.step(at, What::Exit { pid, reason, told: true }, [pid]);
        self.exits.insert(pid, step);
    }

    fn mark(&mut self, at: Duration, by: Pid, with: Option<Pid>, kind: MarkKind, after: Option<Duration>) {
        let targets = &self.options.targets;
        let is_target = targets.contains(by) || with.is_some_and(|with| targets.contains(with));
        if !is_target || !self.options.wants_marks() {
            return;
        }
        let loose = std::mem::take(&mut self.loose);
        let with = with.filter(|with| *with != by);
        let step = self.step(at, What::Mark { by, with, kind, after }, std::iter::once(by).chain(with));
        if matches!(kind, MarkKind::Link | MarkKind::Monitor) {
            self.loose = loose;
            self.loose.push(step);
        }
    }

    fn step(&mut self, at: Duration, what: What<'a>, who: impl IntoIterator<Item = Pid>) -> usize {
        self.loose.clear();
        self.present.extend(who);
        self.steps.push(Raw { at, what });
        self.steps.len() - 1
    }
}

fn fingerprint(signal: &Signal) -> u64 {
    let mut hasher = DefaultHasher::new();
    match signal {
        Signal::Info { name, text } => (0, name, text).hash(&mut hasher),
        Signal::Call { name, text } => (1, name, text).hash(&mut hasher),
        Signal::Cast { name, text } => (2, name, text).hash(&mut hasher),
        Signal::Reply { text } => (3, text).hash(&mut hasher),
        Signal::Exit(reason) => (4, reason).hash(&mut hasher),
        Signal::Down(reason) => (5, reason).hash(&mut hasher),
    }
    hasher.finish()
}
