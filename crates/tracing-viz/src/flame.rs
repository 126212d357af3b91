//! Where time and messages go: stacks with a weight each, for flamegraphs.
//!
//! Stacks come from a trace (`of_busy`, `of_messages`), from the runtime's own accounts (`of_processes`), or from
//! spans (`spans`). They can be written as folded lines, which every tool for flamegraphs reads,
//! and drawn by inferno, with the feature `flame`.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use greenroom::Pid;
use greenroom::process::Info;
use greenroom::trace::{EventKind, Signal, Trace, TraceEvent};

use crate::words;

#[cfg(feature = "flame")]
mod svg;

#[cfg(feature = "flame")]
pub use svg::{DrawError, draw};

/// Stacks and what each of them weighs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flame {
    /// What is drawn, as its title.
    pub title: String,
    /// What weights are counted in: `ns`, `messages`.
    pub unit: &'static str,
    /// The weight of each stack, outermost frame first.
    pub stacks: BTreeMap<Vec<String>, u64>,
}

/// How many stacks are listed as text.
const HEAVIEST: usize = 40;

/// What of the runtime's accounts is weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The time that a process was running for, in microseconds.
    Busy,
    /// The messages that it received and sent.
    Messages,
    /// Turns, sends, receives, spawns.
    Reductions,
}

impl Flame {
    /// How long each process worked on each kind of message: from when it received one to the last thing that it
    /// did before it received the next.
    pub fn of_busy(trace: &Trace) -> Flame {
        let mut flame = Flame::empty("Busy time", "ns");
        // What each process works on: since when, and until when it was seen to.
        let mut open: HashMap<Pid, (String, Duration, Duration)> = HashMap::new();
        for event in in_order(trace) {
            let (actor, _) = event.kind.participants();
            if let Some((_, _, until)) = open.get_mut(&actor) {
                *until = event.at;
            }
            if let EventKind::Receive { by, signal } = &event.kind {
                let before = open.insert(*by, (handler(signal), event.at, event.at));
                if let Some((handler, since, until)) = before {
                    flame.add(stack(trace, *by, handler), until.saturating_sub(since));
                }
            }
        }
        for (pid, (handler, since, until)) in open {
            flame.add(stack(trace, pid, handler), until.saturating_sub(since));
        }
        flame
    }

    /// How many messages of each kind each process was sent.
    pub fn of_messages(trace: &Trace) -> Flame {
        let mut flame = Flame::empty("Messages", "messages");
        for event in &trace.events {
            if let EventKind::Send { to, signal, .. } = &event.kind {
                *flame.stacks.entry(stack(trace, *to, handler(signal))).or_default() += 1;
            }
        }
        flame
    }

    /// What processes have done by the runtime's own accounts, each below the one that started it.
    pub fn of_processes(processes: &[Info], measure: Measure) -> Flame {
        let (title, unit) = match measure {
            Measure::Busy => ("Busy time by process", "µs"),
            Measure::Messages => ("Messages by process", "messages"),
            Measure::Reductions => ("Reductions by process", "reductions"),
        };
        let mut flame = Flame::empty(title, unit);
        let by_pid: HashMap<Pid, &Info> = processes.iter().map(|info| (info.pid, info)).collect();
        for info in processes {
            let weight = match measure {
                Measure::Busy => u64::try_from(info.busy.as_micros()).unwrap_or(u64::MAX),
                Measure::Messages => info.messages_in + info.messages_out,
                Measure::Reductions => info.reductions,
            };
            let mut stack = Vec::new();
            let mut next = Some(info);
            while let Some(info) = next {
                stack.push(called(info));
                // A parent that has ended is not among them; a stack that long has none that matters.
                next = info.parent.and_then(|parent| by_pid.get(&parent).copied()).filter(|_| stack.len() < 64);
            }
            stack.push(words::one_line(&info.pid.node().to_string()));
            stack.reverse();
            if weight > 0 {
                *flame.stacks.entry(stack).or_default() += weight;
            }
        }
        flame
    }

    /// The stacks as lines `outermost;…;innermost weight`, as every tool for flamegraphs reads them.
    pub fn to_folded(&self) -> String {
        let mut lines = String::new();
        for (stack, weight) in &self.stacks {
            let frames: Vec<String> = stack.iter().map(|frame| cleaned(frame)).collect();
            lines += &format!("{} {weight}\n", frames.join(";"));
        }
        lines
    }

    /// What weighs most, as lines of text none of which takes up more than `width` columns: the part that each stack has
    /// of all, what it weighs, and its frames.
    pub fn to_text(&self, width: usize) -> String {
        let all = self.stacks.values().sum::<u64>().max(1);
        let mut heaviest: Vec<_> = self.stacks.iter().collect();
        heaviest.sort_by_key(|(_, weight)| std::cmp::Reverse(**weight));
        let weight = |weight: u64| match self.unit {
            "ns" => words::duration(Duration::from_nanos(weight)),
            "µs" => words::duration(Duration::from_micros(weight)),
            unit => format!("{} {unit}", words::count(weight)),
        };
        // A node that all of them have in common says nothing.
        let is_common = |stack: &Vec<String>| stack.len() > 1 && Some(&stack[0]) == heaviest[0].0.first();
        let common = usize::from(!heaviest.is_empty() && self.stacks.keys().all(is_common));
        let line = |(stack, one): &(&Vec<String>, &u64)| {
            let part = 100.0 * **one as f64 / all as f64;
            let bar = "█".repeat((part / 10.0).round() as usize);
            let frames = stack[common..].join(" › ");
            words::cut(&format!("{part:5.1} % {bar:<10} {:>10}  {frames}", weight(**one)), width)
        };
        let mut lines: Vec<String> = heaviest.iter().take(HEAVIEST).map(line).collect();
        if heaviest.len() > HEAVIEST {
            lines.push(words::cut(&format!("… {} more", words::count((heaviest.len() - HEAVIEST) as u64)), width));
        }
        if lines.is_empty() {
            lines.push(words::cut("(nothing took any time)", width));
        }
        lines.join("\n")
    }

    pub(crate) fn empty(title: &str, unit: &'static str) -> Flame {
        Flame { title: title.to_owned(), unit, stacks: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, stack: Vec<String>, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        if nanos > 0 {
            *self.stacks.entry(stack).or_default() += nanos;
        }
    }
}

fn in_order(trace: &Trace) -> Vec<&TraceEvent> {
    let mut events: Vec<&TraceEvent> = trace.events.iter().collect();
    events.sort_by_key(|event| event.at);
    events
}

fn stack(trace: &Trace, pid: Pid, handler: String) -> Vec<String> {
    vec![words::one_line(&pid.node().to_string()), crate::title(trace, pid), handler]
}

/// What a process does with a message, by the kind of message.
fn handler(signal: &Signal) -> String {
    words::one_line(&match signal {
        Signal::Info { name, .. } => name.clone(),
        Signal::Call { name, .. } => format!("CALL {name}"),
        Signal::Cast { name, .. } => format!("CAST {name}"),
        Signal::Reply { .. } => "REPLY".to_owned(),
        Signal::Exit(_) => "EXIT".to_owned(),
        Signal::Down(_) => "DOWN".to_owned(),
    })
}

fn called(info: &Info) -> String {
    let name = info.registered_name.as_ref().or(info.label.as_ref());
    name.map_or_else(|| words::pid(info.pid), |name| words::one_line(name))
}

/// A frame without what separates frames, and stacks from their weights.
fn cleaned(frame: &str) -> String {
    let frame: String = words::one_line(frame).chars().map(|c| if c == ';' { ',' } else { c }).collect();
    if frame.is_empty() { "?".to_owned() } else { frame }
}
