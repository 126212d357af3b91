//! A sequence in Mermaid's text form.
//!
//! The form is the one that Livebook writes. It has no mark for an end, so an end that neither an
//! arrow nor a bar tells of gets a note.

use std::fmt::Write as _;

use super::{Action, Called, Participant, Sequence, Step};
use crate::mermaid;

impl Sequence {
    /// The sequence as a Mermaid `sequenceDiagram`, whatever its names and messages say.
    ///
    /// Mermaid refuses diagrams of more than 50,000 characters unless its `maxTextSize` is raised;
    /// with the default [`limit`](super::Options::limit) few come close.
    pub fn to_mermaid(&self) -> String {
        let mut out = "sequenceDiagram\n".to_owned();
        for (number, participant) in self.participants.iter().enumerate() {
            if let Some(node) = self.nodes.iter().find(|node| node.first == number) {
                line(&mut out, format_args!("box transparent {}", mermaid::name(&node.name)));
            }
            line(&mut out, format_args!("participant {number} AS {};", head(participant)));
            if self.nodes.iter().any(|node| node.first + node.len == number + 1) {
                line(&mut out, format_args!("end"));
            }
        }
        let mut end_of_group = None;
        for (index, step) in self.steps.iter().enumerate() {
            if let Some(group) = self.group_at(index) {
                line(&mut out, format_args!("loop {}", mermaid::name(&group.words())));
                end_of_group = Some(index + group.len - 1);
            }
            self.step(step, &mut out);
            if end_of_group == Some(index) {
                line(&mut out, format_args!("end"));
            }
        }
        if !self.participants.is_empty() {
            let over = over(0, self.participants.len() - 1);
            for missing in self.missing() {
                line(&mut out, format_args!("Note over {over}: {missing}"));
            }
        }
        out
    }

    fn step(&self, step: &Step, out: &mut String) {
        match &step.action {
            Action::Arrow(arrow) => {
                let label = mermaid::message(&arrow.label);
                line(out, format_args!("{}->>{}: {label}", arrow.from, arrow.to));
                if arrow.activates {
                    line(out, format_args!("activate {}", arrow.to));
                }
            }
            Action::Exit(exit) => {
                let silent = exit.deactivates && exit.reason.is_orderly();
                if !exit.told && !silent {
                    let label = mermaid::message(&exit.label);
                    line(out, format_args!("Note over {}: {label}", exit.participant));
                }
                if exit.deactivates {
                    line(out, format_args!("deactivate {}", exit.participant));
                }
            }
            Action::Mark(mark) => {
                let over = over(mark.participant, mark.with.unwrap_or(mark.participant));
                line(out, format_args!("Note over {over}: {}", mermaid::message(&mark.label)));
            }
        }
    }
}

/// Where a note stands: over one participant, or across all between two.
fn over(one: usize, other: usize) -> String {
    match one == other {
        true => one.to_string(),
        false => format!("{},{}", one.min(other), one.max(other)),
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

fn head(participant: &Participant) -> String {
    let pid = participant.identifier();
    match &participant.called {
        Called::Caller => "self()".to_owned(),
        Called::Registered(name) => mermaid::name(name),
        Called::Labelled(label) => format!("{}<br/>{pid}", mermaid::name(label)),
        Called::Unnamed => format!("#35;PID{pid}"),
    }
}
