//! From a trace to a sequence: which events are steps, in which order, and what follows from them.
//!
//! One pass over the events in order of time collects the steps; a second numbers the participants
//! for good and finds out who is active when.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use greenroom::trace::{EventKind, Signal, Trace, TraceEvent};
use greenroom::{ExitReason, Pid};

use super::{Action, Arrow, ArrowKind, Called, Exit, Options, Participant, Sequence, Step, label};

impl Sequence {
    /// The sequence of what was sent and started in `trace`, as far as `options` ask for it.
    ///
    /// Messages of a process to itself are left out. A supervisor's restart is one arrow, from the
    /// supervisor to the new child.
    pub fn from_trace(trace: &Trace, options: &Options) -> Sequence {
        let mut events: Vec<&TraceEvent> = trace.events.iter().collect();
        events.sort_by_key(|event| event.at);
        let mut builder = Builder::new(options);
        for event in events {
            builder.event(event);
        }
        builder.finish(trace)
    }
}

struct Builder<'a> {
    options: &'a Options,
    /// The participants in order of first appearance, and where each stands there.
    order: Vec<Pid>,
    numbers: HashMap<Pid, usize>,
    /// The steps; a hole is left where a step was moved further down.
    steps: Vec<Option<Step>>,
    arrows: usize,
    omitted: usize,
    /// Every start seen, with its step unless that was left out.
    spawns: HashMap<(Pid, Pid), Option<usize>>,
    /// For each pair, when the calls not yet answered were made.
    calls: HashMap<(Pid, Pid), Vec<Duration>>,
    /// The step of each exit.
    exits: HashMap<Pid, usize>,
    /// The exits that arrows told of: who, and why.
    told: HashSet<(Pid, &'a ExitReason)>,
}

impl<'a> Builder<'a> {
    fn new(options: &'a Options) -> Self {
        Builder {
            options,
            order: Vec::new(),
            numbers: HashMap::new(),
            steps: Vec::new(),
            arrows: 0,
            omitted: 0,
            spawns: HashMap::new(),
            calls: HashMap::new(),
            exits: HashMap::new(),
            told: HashSet::new(),
        }
    }

    fn event(&mut self, event: &'a TraceEvent) {
        match &event.kind {
            EventKind::Spawn { parent, child } => {
                let step = self.arrow(event.at, (*parent, *child), || (ArrowKind::Spawn, "SPAWN".to_owned()));
                self.spawns.insert((*parent, *child), step);
            }
            EventKind::Send { from, to, signal } => self.send(event.at, (*from, *to), signal),
            EventKind::Restart { supervisor, new, id, .. } => {
                self.restart(event.at, (*supervisor, *new), id);
            }
            EventKind::Exit { pid, reason } => self.exit(event.at, *pid, reason),
            EventKind::Receive { .. } | EventKind::Link { .. } | EventKind::Monitor { .. } => {}
        }
    }

    /// Adds an arrow, if it is to be kept, and says which step it is.
    fn arrow(
        &mut self,
        at: Duration,
        (from, to): (Pid, Pid),
        words: impl FnOnce() -> (ArrowKind, String),
    ) -> Option<usize> {
        let targets = &self.options.targets;
        if from == to || !(targets.contains(from) || targets.contains(to)) {
            return None;
        }
        if self.arrows == self.options.limit {
            self.omitted += 1;
            return None;
        }
        self.arrows += 1;
        let (kind, label) = words();
        let (from, to) = (self.number(from), self.number(to));
        Some(self.step(at, Action::Arrow(Arrow { from, to, kind, label, activates: false })))
    }

    fn send(&mut self, at: Duration, (from, to): (Pid, Pid), signal: &'a Signal) {
        let latency = match signal {
            Signal::Call { .. } => {
                self.calls.entry((from, to)).or_default().push(at);
                None
            }
            Signal::Reply { .. } => {
                let open = self.calls.get_mut(&(to, from));
                open.and_then(Vec::pop).map(|called| at.saturating_sub(called))
            }
            Signal::Info { .. } | Signal::Cast { .. } | Signal::Exit(_) | Signal::Down(_) => None,
        };
        let kept = self.arrow(at, (from, to), || label::of(signal, latency));
        if let (Some(_), Signal::Exit(reason) | Signal::Down(reason)) = (kept, signal) {
            self.told.insert((from, reason));
            self.move_exit_down(from, reason);
        }
    }

    /// A supervisor starts a child as anyone does, and says afterwards that it was a restart.
    fn restart(&mut self, at: Duration, pair: (Pid, Pid), id: &str) {
        match self.spawns.get(&pair) {
            Some(Some(step)) => {
                if let Some(Step { action: Action::Arrow(arrow), .. }) = &mut self.steps[*step] {
                    arrow.kind = ArrowKind::Restart;
                    arrow.label = label::restart(id);
                }
            }
            Some(None) => {}
            None => {
                self.arrow(at, pair, || (ArrowKind::Restart, label::restart(id)));
            }
        }
    }

    /// Adds the exit of a process that takes part; a process ends once.
    fn exit(&mut self, at: Duration, pid: Pid, reason: &'a ExitReason) {
        let takes_part = self.numbers.contains_key(&pid) || self.options.targets.contains(pid);
        if !takes_part || self.omitted > 0 || self.exits.contains_key(&pid) {
            return;
        }
        let exit = Exit {
            participant: self.number(pid),
            reason: reason.clone(),
            label: label::exit(reason),
            told: self.told.contains(&(pid, reason)),
            deactivates: false,
        };
        let step = self.step(at, Action::Exit(exit));
        self.exits.insert(pid, step);
    }

    /// The signals of an end may be recorded after it, yet they are the last thing a process says.
    fn move_exit_down(&mut self, pid: Pid, why: &ExitReason) {
        let Some(&step) = self.exits.get(&pid) else {
            return;
        };
        let is_this = |step: &mut Step| matches!(&step.action, Action::Exit(exit) if exit.reason == *why);
        let Some(mut step) = self.steps[step].take_if(is_this) else {
            return;
        };
        if let Action::Exit(exit) = &mut step.action {
            exit.told = true;
        }
        self.exits.insert(pid, self.steps.len());
        self.steps.push(Some(step));
    }

    fn step(&mut self, at: Duration, action: Action) -> usize {
        self.steps.push(Some(Step { at, action }));
        self.steps.len() - 1
    }

    fn number(&mut self, pid: Pid) -> usize {
        *self.numbers.entry(pid).or_insert_with(|| {
            self.order.push(pid);
            self.order.len() - 1
        })
    }

    fn finish(self, trace: &Trace) -> Sequence {
        let caller = self.numbers.get(&trace.caller).copied();
        // The caller moves to the front, those before it one place back.
        let renumber = |number: &mut usize| match caller {
            Some(caller) if *number == caller => *number = 0,
            Some(caller) if *number < caller => *number += 1,
            _ => {}
        };
        let mut order = self.order;
        if let Some(caller) = caller {
            order[..=caller].rotate_right(1);
        }
        let mut participants: Vec<Participant> = order.iter().map(|&pid| called(trace, pid)).collect();
        let mut steps: Vec<Step> = self.steps.into_iter().flatten().collect();
        let mut seen = vec![false; participants.len()];
        let mut active = vec![false; participants.len()];
        for (index, step) in steps.iter_mut().enumerate() {
            match &mut step.action {
                Action::Arrow(arrow) => {
                    renumber(&mut arrow.from);
                    renumber(&mut arrow.to);
                    if matches!(arrow.kind, ArrowKind::Spawn | ArrowKind::Restart) {
                        arrow.activates = !std::mem::replace(&mut active[arrow.to], true);
                        // Whoever starts someone stands to the left, unless the caller was born.
                        if !seen[arrow.to] && arrow.from < arrow.to {
                            participants[arrow.to].born = Some(index);
                        }
                    }
                    seen[arrow.from] = true;
                    seen[arrow.to] = true;
                }
                Action::Exit(exit) => {
                    renumber(&mut exit.participant);
                    exit.deactivates = std::mem::take(&mut active[exit.participant]);
                    seen[exit.participant] = true;
                }
            }
        }
        Sequence { participants, steps, omitted: self.omitted }
    }
}

fn called(trace: &Trace, pid: Pid) -> Participant {
    let name = trace.names.get(&pid);
    let registered = name.and_then(|name| name.registered.clone());
    let label = name.and_then(|name| name.label.clone());
    let called = match (registered, label) {
        _ if pid == trace.caller => Called::Caller,
        (Some(name), _) => Called::Registered(name),
        (None, Some(label)) => Called::Labelled(label),
        (None, None) => Called::Unnamed,
    };
    Participant { pid, called, born: None }
}
