//! A sequence in Mermaid's text form.
//!
//! The form is the one that Livebook writes. It has no mark for an end, so an end that neither an
//! arrow nor a bar tells of gets a note.

use std::fmt::Write as _;

use super::{Action, Called, Participant, Sequence};
use crate::{mermaid, words};

impl Sequence {
    /// The sequence as a Mermaid `sequenceDiagram`, whatever its names and messages say.
    ///
    /// Mermaid refuses diagrams of more than 50,000 characters unless its `maxTextSize` is raised;
    /// with the default [`limit`](super::Options::limit) few come close.
    pub fn to_mermaid(&self) -> String {
        let mut out = "sequenceDiagram\n".to_owned();
        for (number, participant) in self.participants.iter().enumerate() {
            line(&mut out, format_args!("participant {number} AS {};", head(participant)));
        }
        for step in &self.steps {
            match &step.action {
                Action::Arrow(arrow) => {
                    let label = mermaid::message(&arrow.label);
                    line(&mut out, format_args!("{}->>{}: {label}", arrow.from, arrow.to));
                    if arrow.activates {
                        line(&mut out, format_args!("activate {}", arrow.to));
                    }
                }
                Action::Exit(exit) => {
                    let silent = exit.deactivates && exit.reason.is_orderly();
                    if !exit.told && !silent {
                        let label = mermaid::message(&exit.label);
                        line(&mut out, format_args!("Note over {}: {label}", exit.participant));
                    }
                    if exit.deactivates {
                        line(&mut out, format_args!("deactivate {}", exit.participant));
                    }
                }
            }
        }
        if self.omitted > 0 && !self.participants.is_empty() {
            let more = words::count(self.omitted as u64);
            let over = match self.participants.len() - 1 {
                0 => "0".to_owned(),
                last => format!("0,{last}"),
            };
            line(&mut out, format_args!("Note over {over}: … {more} more"));
        }
        out
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

fn head(participant: &Participant) -> String {
    match &participant.called {
        Called::Caller => "self()".to_owned(),
        Called::Registered(name) => mermaid::name(name),
        Called::Labelled(label) => format!("{}<br/>{}", mermaid::name(label), pid(participant)),
        Called::Unnamed => format!("#35;PID{}", pid(participant)),
    }
}

/// A process of this node bare, as in `<0.1.0>`. Another node's name could look like a tag.
fn pid(participant: &Participant) -> String {
    let pid = participant.pid.to_string();
    let harmless = |c: char| c.is_ascii_digit() || matches!(c, '<' | '.' | '>');
    if pid.chars().all(harmless) { pid } else { mermaid::name(&pid) }
}
