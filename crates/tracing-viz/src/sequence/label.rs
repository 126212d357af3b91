//! The words on an arrow or a mark: one line for each kind of message.
//!
//! Lines keep all that was said, within reason; each renderer cuts them to the room that it has.

use std::time::Duration;

use greenroom::ExitReason;
use greenroom::reason::Panic;
use greenroom::trace::Signal;

use super::collect::Ties;
use super::{ArrowKind, MarkKind};
use crate::words;

/// The kind and the label of an arrow that carries `text`, which is what all repetitions of `signal` have in
/// common. A reply's time is filled in here.
pub(super) fn of(signal: &Signal, text: &str, latency: Option<Duration>) -> (ArrowKind, String) {
    let (kind, label) = match signal {
        Signal::Info { .. } => (ArrowKind::Info, format!("INFO: {text}")),
        Signal::Call { .. } => (ArrowKind::Call, format!("CALL: {text}")),
        Signal::Cast { .. } => (ArrowKind::Cast, format!("CAST: {text}")),
        Signal::Reply { .. } => (ArrowKind::Reply { latency }, reply(text, latency)),
        Signal::Exit(reason) => (ArrowKind::Exit, exit(reason)),
        Signal::Down(reason) => (ArrowKind::Down, format!("DOWN: {}", short(reason))),
    };
    (kind, words::one_line(&label))
}

/// What a message says: as `Debug` shows it, since that names structs and variants, and numbers speak for themselves.
pub(super) fn shown(signal: &Signal) -> &str {
    match signal {
        Signal::Info { name, text } | Signal::Call { name, text } | Signal::Cast { name, text } => {
            if text.trim().is_empty() { name } else { text }
        }
        Signal::Reply { text } => text.trim(),
        Signal::Exit(_) | Signal::Down(_) => "",
    }
}

/// What a message says in full, if `label` leaves something of it out.
pub(super) fn whole(signal: &Signal, label: &str) -> Option<String> {
    match signal {
        Signal::Exit(reason) | Signal::Down(reason) => {
            let all = reason.to_string();
            (!label.ends_with(&all)).then_some(all)
        }
        Signal::Info { .. } | Signal::Call { .. } | Signal::Cast { .. } | Signal::Reply { .. } => {
            let all = shown(signal);
            (!label.ends_with(all)).then(|| all.to_owned())
        }
    }
}

/// What texts have in common: how they begin and end, with `…` for what lies between.
pub(super) fn common<'a>(mut texts: impl Iterator<Item = &'a str>) -> String {
    let Some(first) = texts.next() else { return String::new() };
    let (mut head, mut tail, mut differ) = (first, first, false);
    for text in texts {
        if text == first {
            continue;
        }
        differ = true;
        let same = head.char_indices().zip(text.chars()).find(|((_, a), b)| a != b);
        head = &head[..same.map_or(head.len().min(text.len()), |((at, _), _)| at)];
        let same = tail.char_indices().rev().zip(text.chars().rev()).find(|((_, a), b)| a != b);
        let start = same.map_or(tail.len().saturating_sub(text.len()), |((at, c), _)| at + c.len_utf8());
        tail = &tail[start..];
    }
    if !differ {
        return first.to_owned();
    }
    // Half a number says the wrong thing.
    let head = head.trim_end_matches(char::is_alphanumeric);
    let tail = tail.trim_start_matches(char::is_alphanumeric);
    let tail = if head.len() + tail.len() > first.len() { "" } else { tail };
    format!("{head}…{tail}")
}

/// The label of a start.
pub(super) fn spawn(ties: Ties) -> String {
    let mut label = "SPAWN".to_owned();
    if ties.linked {
        label += ", LINK";
    }
    if ties.monitored {
        label += ", MONITOR";
    }
    label
}

/// The label of a mark.
pub(super) fn mark(kind: MarkKind, after: Option<Duration>) -> String {
    let word = match kind {
        MarkKind::Link => "LINK",
        MarkKind::Monitor => "MONITOR",
        MarkKind::Timer => "TIMER",
        MarkKind::Timeout => "TIMEOUT",
    };
    match after {
        Some(after) => format!("{word}: {}", words::duration(after)),
        None => word.to_owned(),
    }
}

/// The label of an exit, whether as a signal or as a mark.
pub(super) fn exit(reason: &ExitReason) -> String {
    words::one_line(&format!("EXIT: {}", short(reason)))
}

/// Where in the source an exit has its cause.
pub(super) fn place(reason: &ExitReason) -> Option<String> {
    panic(reason)?.location.as_ref().map(|place| words::one_line(&place.to_string()))
}

/// The label of a restart.
pub(super) fn restart(id: &str) -> String {
    words::one_line(&format!("RESTART: {id}"))
}

fn reply(text: &str, latency: Option<Duration>) -> String {
    let mut label = "REPLY".to_owned();
    if let Some(latency) = latency {
        label += &format!(" ({})", words::duration(latency));
    }
    if !text.is_empty() {
        label += &format!(": {text}");
    }
    label
}

/// A reason without the place in the source, which would crowd out the message.
fn short(reason: &ExitReason) -> String {
    panic(reason).map_or_else(|| reason.to_string(), |panic| format!("panic: {}", panic.message))
}

fn panic(reason: &ExitReason) -> Option<&Panic> {
    match reason {
        ExitReason::Panic(panic) => Some(panic),
        ExitReason::Normal
        | ExitReason::Shutdown
        | ExitReason::ShutdownWith(_)
        | ExitReason::Kill
        | ExitReason::Killed
        | ExitReason::NoProc
        | ExitReason::NoConnection
        | ExitReason::Error(_)
        | ExitReason::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_repetitions_is_left_out() {
        let common = |texts: &[&str]| common(texts.iter().copied());
        assert_eq!(common(&["Ping", "Ping"]), "Ping");
        assert_eq!(common(&["Ping(1)", "Ping(12)", "Ping(13)"]), "Ping(…)");
        assert_eq!(
            common(&["Get { key: 17, fast: true }", "Get { key: 18, fast: true }"]),
            "Get { key: …, fast: true }"
        );
        assert_eq!(common(&["aa", "a"]), "…");
        assert_eq!(common(&["((", "((("]), "((…");
        assert_eq!(common(&["é1", "è1"]), "…");
        assert_eq!(common(&[]), "");
    }
}
