//! Puts a sequence together: folds and cuts the steps, words them, and gives everyone a place.

use std::collections::HashMap;
use std::time::Duration;

use greenroom::Pid;
use greenroom::trace::Trace;

use super::collect::{Raw, What, collect};
use super::group::{Run, runs};
use super::{
    Action, Arrow, ArrowKind, Called, Exit, Group, Mark, NodeColumns, Options, Participant, Sequence, Step, label,
};
use crate::words;

impl Sequence {
    /// The sequence of what was sent and started in `trace`, as far as `options` ask for it.
    ///
    /// Messages of a process to itself are left out. A supervisor's restart is one arrow, from the
    /// supervisor to the new child.
    pub fn from_trace(trace: &Trace, options: &Options) -> Sequence {
        let raw = collect(trace, options);
        let mut builder = Builder::default();
        builder.steps(&raw, options);
        builder.finish(trace)
    }
}

#[derive(Default)]
struct Builder {
    /// The participants in order of first appearance, and where each stands there.
    order: Vec<Pid>,
    numbers: HashMap<Pid, usize>,
    steps: Vec<Step>,
    groups: Vec<Group>,
    omitted: usize,
}

impl Builder {
    /// Words what is drawn: up to the limit, each exchange once.
    fn steps(&mut self, raw: &[Raw<'_>], options: &Options) {
        let kept: Vec<usize> = (0..raw.len()).filter(|&index| !matches!(raw[index].what, What::Nothing)).collect();
        let steps: Vec<&Raw<'_>> = kept.iter().map(|&index| &raw[index]).collect();
        // Where each step is drawn, to join calls and replies afterwards.
        let mut places: HashMap<usize, usize> = HashMap::new();
        let mut arrows = 0;
        let mut at = 0;
        for Run { len, times } in runs(&steps, options.repeats) {
            let all = &steps[at..at + len * times];
            let first = self.steps.len();
            for index in 0..len {
                let is_arrow = is_arrow(&all[index].what);
                if self.omitted > 0 || is_arrow && arrows == options.limit {
                    self.omitted += if is_arrow { times } else { 0 };
                    continue;
                }
                arrows += usize::from(is_arrow);
                places.insert(kept[at + index], self.steps.len());
                let repetitions: Vec<&Raw<'_>> = all.iter().skip(index).step_by(len).copied().collect();
                let action = self.action(&repetitions);
                self.steps.push(Step { at: all[index].at, action });
            }
            let drawn = self.steps.len() - first;
            if times > 1 && drawn > 0 {
                let took = all[all.len() - 1].at.saturating_sub(all[0].at);
                self.groups.push(Group { first, len: drawn, times, took });
            }
            at += len * times;
        }
        for step in &mut self.steps {
            if let Action::Arrow(arrow) = &mut step.action {
                arrow.pair = arrow.pair.and_then(|pair| places.get(&pair).copied());
            }
        }
    }

    /// What is drawn for a step and its repetitions.
    fn action(&mut self, repetitions: &[&Raw<'_>]) -> Action {
        let mut arrow = |from: Pid, to: Pid, kind, label| {
            let (from, to) = (self.number(from), self.number(to));
            Arrow { from, to, kind, label, whole: None, activates: false, pair: None, waited: None }
        };
        match repetitions[0].what {
            What::Spawn { from, to, ties } => Action::Arrow(arrow(from, to, ArrowKind::Spawn, label::spawn(ties))),
            What::Restart { from, to, id } => Action::Arrow(arrow(from, to, ArrowKind::Restart, label::restart(id))),
            What::Message { from, to, signal, pair, .. } => {
                let texts = repetitions.iter().filter_map(|raw| match raw.what {
                    What::Message { signal, .. } => Some(label::shown(signal)),
                    _ => None,
                });
                let latency = mean(repetitions, |what| match what {
                    What::Message { latency, .. } => *latency,
                    _ => None,
                });
                let waited = mean(repetitions, |what| match what {
                    What::Message { waited, .. } => *waited,
                    _ => None,
                });
                let (kind, label) = label::of(signal, &label::common(texts), latency);
                let whole = label::whole(signal, &label);
                Action::Arrow(Arrow { whole, pair, waited, ..arrow(from, to, kind, label) })
            }
            What::Exit { pid, reason, told } => Action::Exit(Exit {
                participant: self.number(pid),
                reason: reason.clone(),
                label: label::exit(reason),
                place: label::place(reason),
                told,
                deactivates: false,
            }),
            What::Mark { by, with, kind, after } => Action::Mark(Mark {
                participant: self.number(by),
                with: with.map(|with| self.number(with)),
                kind,
                label: label::mark(kind, after),
            }),
            What::Nothing => unreachable!("what is nothing was left out"),
        }
    }

    fn number(&mut self, pid: Pid) -> usize {
        *self.numbers.entry(pid).or_insert_with(|| {
            self.order.push(pid);
            self.order.len() - 1
        })
    }

    fn finish(self, trace: &Trace) -> Sequence {
        let Builder { order, mut steps, groups, omitted, .. } = self;
        let (places, nodes) = arrange(&order, trace.caller);
        let mut participants: Vec<Option<Participant>> = vec![None; order.len()];
        for (number, &pid) in order.iter().enumerate() {
            participants[places[number]] = Some(called(trace, pid));
        }
        let mut participants: Vec<Participant> = participants.into_iter().flatten().collect();
        settle(&mut steps, &mut participants, &places);
        Sequence { participants, steps, groups, nodes, omitted, lost: trace.lost }
    }
}

/// Where each participant stands: the caller first, those of a node together; and the nodes, if there are several.
fn arrange(order: &[Pid], caller: Pid) -> (Vec<usize>, Vec<NodeColumns>) {
    let mut sorted: Vec<usize> = (0..order.len()).collect();
    sorted.sort_by_key(|&number| order[number] != caller);
    let mut nodes: Vec<greenroom::NodeId> = Vec::new();
    for &number in &sorted {
        if !nodes.contains(&order[number].node()) {
            nodes.push(order[number].node());
        }
    }
    let rank: HashMap<_, _> = nodes.iter().enumerate().map(|(rank, node)| (*node, rank)).collect();
    sorted.sort_by_key(|&number| rank[&order[number].node()]);
    let mut places = vec![0; order.len()];
    for (place, &number) in sorted.iter().enumerate() {
        places[number] = place;
    }
    let columns = |node: &greenroom::NodeId| {
        let is_here = |&&number: &&usize| order[number].node() == *node;
        let first = sorted.iter().position(|number| is_here(&number)).unwrap_or(0);
        let len = sorted.iter().filter(is_here).count();
        NodeColumns { name: words::one_line(&node.to_string()), first, len }
    };
    let nodes = if nodes.len() > 1 { nodes.iter().map(columns).collect() } else { Vec::new() };
    (places, nodes)
}

/// Puts everyone into their place, and finds out who is active when.
fn settle(steps: &mut [Step], participants: &mut [Participant], places: &[usize]) {
    let mut seen = vec![false; participants.len()];
    let mut active = vec![false; participants.len()];
    for (index, step) in steps.iter_mut().enumerate() {
        match &mut step.action {
            Action::Arrow(arrow) => {
                (arrow.from, arrow.to) = (places[arrow.from], places[arrow.to]);
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
                exit.participant = places[exit.participant];
                exit.deactivates = std::mem::take(&mut active[exit.participant]);
                seen[exit.participant] = true;
            }
            Action::Mark(mark) => {
                mark.participant = places[mark.participant];
                mark.with = mark.with.map(|with| places[with]);
                for participant in std::iter::once(mark.participant).chain(mark.with) {
                    seen[participant] = true;
                }
            }
        }
    }
}

fn is_arrow(what: &What<'_>) -> bool {
    match what {
        What::Spawn { .. } | What::Restart { .. } | What::Message { .. } => true,
        What::Exit { .. } | What::Mark { .. } | What::Nothing => false,
    }
}

/// The mean of a time that repetitions took, over those where it is known.
fn mean(repetitions: &[&Raw<'_>], time: impl Fn(&What<'_>) -> Option<Duration>) -> Option<Duration> {
    let times: Vec<Duration> = repetitions.iter().filter_map(|raw| time(&raw.what)).collect();
    let sum = times.iter().sum::<Duration>();
    sum.checked_div(u32::try_from(times.len()).ok()?)
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
    Participant { pid: Some(pid), called, born: None }
}
