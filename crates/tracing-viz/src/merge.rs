//! Traces of several nodes put together, each with a clock of its own.
//!
//! No message is received before it was sent: so each message that one node sent and another received bounds
//! how far apart their clocks are. With messages both ways there is a span between two bounds, whose middle
//! is taken, as NTP does; with messages one way, the fastest of them is taken to have needed no time.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use greenroom::trace::{EventKind, Signal, Trace, TraceEvent};
use greenroom::{NodeId, Pid};

/// The traces of several nodes as one, seen from the first: its caller, and times by its clock.
///
/// Nodes that exchanged no messages with it, or with one that did, are taken to have started at the same moment.
pub fn merge(traces: Vec<Trace>) -> Option<Trace> {
    let shifts = shifts(&traces);
    let earliest = shifts.iter().copied().min().unwrap_or(0).min(0);
    let mut traces = traces.into_iter().zip(shifts);
    let (mut merged, first) = traces.next()?;
    move_by(&mut merged, first - earliest);
    for (mut trace, shift) in traces {
        move_by(&mut trace, shift - earliest);
        merged.events.append(&mut trace.events);
        for (pid, name) in trace.names {
            let known = merged.names.entry(pid).or_default();
            known.registered = known.registered.take().or(name.registered);
            known.label = known.label.take().or(name.label);
        }
        merged.lost += trace.lost;
    }
    merged.events.sort_by_key(|event| event.at);
    Some(merged)
}

fn move_by(trace: &mut Trace, nanos: i128) {
    let by = Duration::from_nanos(u64::try_from(nanos).unwrap_or(0));
    for event in &mut trace.events {
        event.at = event.at.saturating_add(by);
    }
}

/// What has to be added to the times of each trace, in nanoseconds, to have them by the clock of the first.
fn shifts(traces: &[Trace]) -> Vec<i128> {
    let mut shifts: Vec<Option<i128>> = vec![None; traces.len()];
    if let Some(first) = shifts.first_mut() {
        *first = Some(0);
    }
    // From the first to those who talked with it, and on from there.
    let mut waiting = VecDeque::from([0]);
    while let Some(near) = waiting.pop_front() {
        for far in 0..traces.len() {
            if shifts.get(far) == Some(&None)
                && let Some(Some(known)) = shifts.get(near)
                && let Some(between) = offset(&traces[near], &traces[far])
            {
                shifts[far] = Some(known + between);
                waiting.push_back(far);
            }
        }
    }
    shifts.into_iter().map(|shift| shift.unwrap_or(0)).collect()
}

/// What has to be added to the times of `far` to have them by the clock of `near`.
fn offset(near: &Trace, far: &Trace) -> Option<i128> {
    // Sent here, received there: the shift is at least sent - received; and the other way round.
    let least = flights(near, far).map(|(sent, received)| sent - received).max();
    let most = flights(far, near).map(|(sent, received)| received - sent).min();
    match (least, most) {
        (Some(least), Some(most)) => Some((least + most) / 2),
        (one, other) => one.or(other),
    }
}

/// When messages left one node and arrived at the other, each by its own clock in nanoseconds.
fn flights(from: &Trace, to: &Trace) -> impl Iterator<Item = (i128, i128)> {
    let Some(there) = home(to) else { return Vec::new().into_iter() };
    let mut on_the_way: HashMap<(Pid, &str), VecDeque<i128>> = HashMap::new();
    for event in in_order(from) {
        if let EventKind::Send { to, signal, .. } = &event.kind
            && to.node() == there
        {
            on_the_way.entry((*to, name(signal))).or_default().push_back(nanos(event.at));
        }
    }
    // What was sent on the other node itself is no traveller, though it may look like one.
    let mut at_home: HashMap<(Pid, String), usize> = HashMap::new();
    for event in &to.events {
        if let EventKind::Send { to, signal, .. } = &event.kind {
            *at_home.entry((*to, format!("{signal:?}"))).or_default() += 1;
        }
    }
    let mut flights = Vec::new();
    for event in in_order(to) {
        let EventKind::Receive { by, signal } = &event.kind else { continue };
        if let Some(count) = at_home.get_mut(&(*by, format!("{signal:?}"))).filter(|count| **count > 0) {
            *count -= 1;
        } else if let Some(sent) = on_the_way.get_mut(&(*by, name(signal))).and_then(VecDeque::pop_front) {
            flights.push((sent, nanos(event.at)));
        }
    }
    flights.into_iter()
}

/// The node that a trace was made on: that of those who received something, or else of whoever acted first.
fn home(trace: &Trace) -> Option<NodeId> {
    let receiver = trace.events.iter().find_map(|event| match event.kind {
        EventKind::Receive { by, .. } => Some(by.node()),
        _ => None,
    });
    receiver.or_else(|| trace.events.first().map(|event| event.kind.participants().0.node()))
}

fn in_order(trace: &Trace) -> Vec<&TraceEvent> {
    let mut events: Vec<&TraceEvent> = trace.events.iter().collect();
    events.sort_by_key(|event| event.at);
    events
}

/// What is known of a message on both sides: one that arrives as bytes has a type, but no text until it is opened.
fn name(signal: &Signal) -> &str {
    match signal {
        Signal::Info { name, .. } | Signal::Call { name, .. } | Signal::Cast { name, .. } => name,
        Signal::Reply { .. } => "REPLY",
        Signal::Exit(_) => "EXIT",
        Signal::Down(_) => "DOWN",
    }
}

fn nanos(time: Duration) -> i128 {
    i128::try_from(time.as_nanos()).unwrap_or(i128::MAX)
}
