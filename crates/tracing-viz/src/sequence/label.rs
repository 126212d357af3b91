//! The words on an arrow: one line for each kind of message.
//!
//! Lines keep all that was said, within reason; each renderer cuts them to the room that it has.

use std::time::Duration;

use greenroom::ExitReason;
use greenroom::trace::Signal;

use super::ArrowKind;
use crate::words;

/// The kind and the label of an arrow that carries `signal`; a reply's time is filled in here.
pub(super) fn of(signal: &Signal, latency: Option<Duration>) -> (ArrowKind, String) {
    let (kind, label) = match signal {
        Signal::Info { name, text } => (ArrowKind::Info, format!("INFO: {}", shown(name, text))),
        Signal::Call { name, text } => (ArrowKind::Call, format!("CALL: {}", shown(name, text))),
        Signal::Cast { name, text } => (ArrowKind::Cast, format!("CAST: {}", shown(name, text))),
        Signal::Reply { text } => (ArrowKind::Reply { latency }, reply(text, latency)),
        Signal::Exit(reason) => (ArrowKind::Exit, exit(reason)),
        Signal::Down(reason) => (ArrowKind::Down, format!("DOWN: {}", short(reason))),
    };
    (kind, words::one_line(&label))
}

/// The label of an exit, whether as a signal or as a mark.
pub(super) fn exit(reason: &ExitReason) -> String {
    words::one_line(&format!("EXIT: {}", short(reason)))
}

/// The label of a restart.
pub(super) fn restart(id: &str) -> String {
    words::one_line(&format!("RESTART: {id}"))
}

/// A message as `Debug` shows it: that names structs and variants, and numbers speak for themselves.
fn shown<'a>(name: &'a str, text: &'a str) -> &'a str {
    if text.trim().is_empty() { name } else { text }
}

fn reply(text: &str, latency: Option<Duration>) -> String {
    let mut label = "REPLY".to_owned();
    if let Some(latency) = latency {
        label += &format!(" ({})", words::duration(latency));
    }
    if !text.trim().is_empty() {
        label += &format!(": {text}");
    }
    label
}

/// A reason without the place in the source, which would crowd out the message.
fn short(reason: &ExitReason) -> String {
    match reason {
        ExitReason::Panic(panic) => format!("panic: {}", panic.message),
        ExitReason::Normal
        | ExitReason::Shutdown
        | ExitReason::ShutdownWith(_)
        | ExitReason::Kill
        | ExitReason::Killed
        | ExitReason::NoProc
        | ExitReason::NoConnection
        | ExitReason::Error(_)
        | ExitReason::Other(_) => reason.to_string(),
    }
}
