//! Who talked to whom, and how often: a map of the processes of a trace.
//!
//! Counting and choosing who is on it is done here; drawing is left to `svg`, `text` and `mermaid`.

use std::collections::HashMap;

use greenroom::Pid;
use greenroom::trace::{EventKind, Trace};

use crate::words;

mod mermaid;
mod svg;
mod text;

/// A map of processes and what went between them, ready to be drawn.
///
/// ```
/// use greenroom_tracing_viz::{Map, Pictures, map};
///
/// let ((), trace) = greenroom::run(async {
///     greenroom::trace(async {
///         let echo = greenroom::spawn(async {
///             let from = greenroom::receive::<greenroom::Pid>().await;
///             greenroom::send(from, 1_u8);
///         });
///         greenroom::send(echo, greenroom::self_pid());
///         greenroom::receive::<u8>().await;
///     })
///     .await
/// });
/// let map: Map = trace.map(&map::Options::default());
/// assert_eq!(map.processes.len(), 2);
/// assert!(map.to_svg().starts_with("<svg"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map {
    /// Those who talked most, in order of first appearance.
    pub processes: Vec<Process>,
    /// What went between them, the busiest first.
    pub flows: Vec<Flow>,
    /// Those who are left out.
    pub folded: Folded,
}

/// A process on a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The process.
    pub pid: Pid,
    /// What to call it.
    pub title: String,
    /// How many messages it sent, also to those who are left out.
    pub sent: u64,
    /// How many messages were sent to it, also by those who are left out.
    pub received: u64,
}

/// What went from one process to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The sender, as an index into [`Map::processes`].
    pub from: usize,
    /// The receiver, as an index into [`Map::processes`].
    pub to: usize,
    /// How many messages.
    pub messages: u64,
    /// How many of them were the signals of an end.
    pub ends: u64,
}

/// Processes that are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// How many.
    pub processes: usize,
    /// How many messages went to or from them.
    pub messages: u64,
}

/// What is on a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many processes at most: those with most messages.
    pub processes: usize,
}

impl Default for Options {
    /// Twenty-four processes.
    fn default() -> Self {
        Options { processes: 24 }
    }
}

impl Map {
    /// The map of what was sent in `trace`. What a process sends to itself is left out.
    pub fn from_trace(trace: &Trace, options: &Options) -> Map {
        let mut order: Vec<Pid> = Vec::new();
        let mut totals: HashMap<Pid, (u64, u64)> = HashMap::new();
        let mut flows: HashMap<(Pid, Pid), (u64, u64)> = HashMap::new();
        for event in &trace.events {
            let EventKind::Send { from, to, signal } = &event.kind else { continue };
            if from == to {
                continue;
            }
            for pid in [*from, *to] {
                totals.entry(pid).or_insert_with(|| {
                    order.push(pid);
                    (0, 0)
                });
            }
            totals.entry(*from).and_modify(|total| total.0 += 1);
            totals.entry(*to).and_modify(|total| total.1 += 1);
            let flow = flows.entry((*from, *to)).or_default();
            flow.0 += 1;
            flow.1 += u64::from(crate::is_end(signal));
        }
        let mut kept: Vec<usize> = (0..order.len()).collect();
        let total = |index: usize| totals[&order[index]].0 + totals[&order[index]].1;
        kept.sort_by_key(|&index| std::cmp::Reverse(total(index)));
        kept.truncate(options.processes);
        kept.sort_unstable();
        let places: HashMap<Pid, usize> =
            kept.iter().enumerate().map(|(place, &index)| (order[index], place)).collect();
        let process = |&index: &usize| {
            let pid = order[index];
            let (sent, received) = totals[&pid];
            Process { pid, title: crate::title(trace, pid), sent, received }
        };
        let processes: Vec<Process> = kept.iter().map(process).collect();
        let mut folded = Folded { processes: order.len() - processes.len(), messages: 0 };
        let mut drawn = Vec::new();
        for ((from, to), (messages, ends)) in flows {
            match (places.get(&from), places.get(&to)) {
                (Some(&from), Some(&to)) => drawn.push(Flow { from, to, messages, ends }),
                _ => folded.messages += messages,
            }
        }
        drawn.sort_by_key(|flow| (std::cmp::Reverse(flow.messages), flow.from, flow.to));
        Map { processes, flows: drawn, folded }
    }
}

impl Folded {
    fn words(self) -> String {
        let (processes, messages) = (words::count(self.processes as u64), words::count(self.messages));
        format!("… {processes} more processes with {messages} messages")
    }
}
