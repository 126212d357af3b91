//! A sequence read back from Mermaid's text form, as it is written here and by Livebook.
//!
//! So a diagram that was saved as Mermaid is drawn like any other. It knows less: no times, and of long messages only
//! what the text had room for.

use std::time::Duration;

use greenroom::{ExitReason, NodeId, NodeName, Pid};

use super::{Action, Arrow, ArrowKind, Called, Exit, Group, Mark, MarkKind, NodeColumns, Participant, Sequence, Step};
use crate::{mermaid, words};

impl Sequence {
    /// The sequence that a `sequenceDiagram` shows; nothing, if it has more in it than is written by
    /// [`to_mermaid`](Sequence::to_mermaid).
    ///
    /// ```
    /// use greenroom_tracing_viz::Sequence;
    ///
    /// let text = "sequenceDiagram\nparticipant 0 AS self();\nparticipant 1 AS #35;PID<0.5.0>;\n0->>1: CALL: Get\n";
    /// let sequence = Sequence::from_mermaid(text).unwrap();
    /// assert_eq!(sequence.to_mermaid(), text);
    /// assert!(Sequence::from_mermaid("pie title Pets").is_none());
    /// ```
    pub fn from_mermaid(text: &str) -> Option<Sequence> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        if lines.next()? != "sequenceDiagram" {
            return None;
        }
        let mut reader = Reader::default();
        for line in lines {
            reader.line(line)?;
        }
        (reader.group.is_none() && reader.node.is_none()).then_some(reader.sequence)
    }
}

#[derive(Default)]
struct Reader {
    sequence: Sequence,
    /// The node and the group that are not closed yet.
    node: Option<NodeColumns>,
    group: Option<Group>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Option<()> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "participant" => self.participant(rest),
            "box" => {
                let name = mermaid::unescape(rest.strip_prefix("transparent ")?);
                let node = NodeColumns { name, first: self.sequence.participants.len(), len: 0 };
                self.node.replace(node).is_none().then_some(())
            }
            "loop" => {
                let group = group(&mermaid::unescape(rest), self.sequence.steps.len())?;
                self.group.replace(group).is_none().then_some(())
            }
            "end" => self.end(),
            "activate" => {
                let who = self.number(rest)?;
                let arrow = self.sequence.steps.iter_mut().rev().find_map(|step| match &mut step.action {
                    Action::Arrow(arrow) if arrow.to == who => Some(arrow),
                    Action::Arrow(_) | Action::Exit(_) | Action::Mark(_) => None,
                })?;
                arrow.activates = true;
                Some(())
            }
            "deactivate" => self.deactivate(rest),
            "Note" => self.note(rest.strip_prefix("over ")?),
            _ => self.arrow(line),
        }
    }

    fn participant(&mut self, text: &str) -> Option<()> {
        let (number, name) = text.split_once(" AS ")?;
        if number.parse() != Ok(self.sequence.participants.len()) {
            return None;
        }
        let name = name.strip_suffix(';').unwrap_or(name);
        let (called, pid) = match (name, name.strip_prefix("#35;PID"), name.split_once("<br/>")) {
            ("self()", ..) => (Called::Caller, None),
            (_, Some(number), _) => (Called::Unnamed, Some(pid(number)?)),
            (_, _, Some((label, number))) => (Called::Labelled(mermaid::unescape(label)), Some(pid(number)?)),
            (name, None, None) => (Called::Registered(mermaid::unescape(name)), None),
        };
        self.sequence.participants.push(Participant { pid, called, born: None });
        Some(())
    }

    fn end(&mut self) -> Option<()> {
        if let Some(group) = self.group.take() {
            let len = self.sequence.steps.len() - group.first;
            self.sequence.groups.push(Group { len, ..group });
            return Some(());
        }
        let node = self.node.take()?;
        let len = self.sequence.participants.len() - node.first;
        self.sequence.nodes.push(NodeColumns { len, ..node });
        (len > 0).then_some(())
    }

    fn arrow(&mut self, line: &str) -> Option<()> {
        let (from, rest) = line.split_once("->>")?;
        let (to, label) = rest.split_once(':')?;
        let (from, to) = (self.number(from)?, self.number(to)?);
        let label = mermaid::unescape(label.trim());
        let kind = kind(&label);
        if from == to {
            return None;
        }
        if let ArrowKind::Spawn | ArrowKind::Restart = kind
            && from < to
            && !self.sequence.steps.iter().any(|step| step.action.involves(to))
        {
            self.sequence.participants[to].born = Some(self.sequence.steps.len());
        }
        let arrow = Arrow { from, to, kind, label, whole: None, activates: false, pair: None, waited: None };
        self.step(Action::Arrow(arrow));
        Some(())
    }

    /// A note is an end, something that was done without a message, or says what is missing.
    fn note(&mut self, text: &str) -> Option<()> {
        let (over, label) = text.split_once(':')?;
        let label = mermaid::unescape(label.trim());
        if let Some(more) = label.strip_prefix("… ").and_then(|rest| rest.strip_suffix(" more")) {
            self.sequence.omitted = words::read_count(more)?;
            return Some(());
        }
        if let Some(lost) = label.strip_suffix(" events lost") {
            self.sequence.lost = words::read_count(lost)? as u64;
            return Some(());
        }
        let (one, other) = over.split_once(',').map_or((over, None), |(one, other)| (one, Some(other)));
        let participant = self.number(one)?;
        let with = other.map(|other| self.number(other)).map_or(Some(None), |with| with.map(Some))?;
        let mark = |kind| Action::Mark(Mark { participant, with, kind, label: label.clone() });
        let action = match (label.split([':', ' ']).next()?, with) {
            ("EXIT", None) => self.exit(participant, label),
            ("LINK", _) => mark(MarkKind::Link),
            ("MONITOR", _) => mark(MarkKind::Monitor),
            ("TIMER", _) => mark(MarkKind::Timer),
            ("TIMEOUT", None) => mark(MarkKind::Timeout),
            _ => return None,
        };
        self.step(action);
        Some(())
    }

    fn exit(&self, participant: usize, label: String) -> Action {
        let reason = match label.strip_prefix("EXIT: ").unwrap_or("") {
            "normal" => ExitReason::Normal,
            "shutdown" => ExitReason::Shutdown,
            other => ExitReason::from(other.to_owned()),
        };
        Action::Exit(Exit { participant, reason, label, place: None, told: false, deactivates: false })
    }

    /// The bar of a participant ends: with the note of its end right above, or with the last that it said.
    fn deactivate(&mut self, who: &str) -> Option<()> {
        let who = self.number(who)?;
        let last = self.sequence.steps.last_mut().map(|step| &mut step.action);
        let told = match last {
            Some(Action::Exit(exit)) if exit.participant == who => {
                exit.deactivates = true;
                return Some(());
            }
            Some(Action::Arrow(arrow))
                if arrow.from == who && matches!(arrow.kind, ArrowKind::Exit | ArrowKind::Down) =>
            {
                arrow.label.split_once(": ").map(|(_, reason)| reason.to_owned())
            }
            Some(_) | None => None,
        };
        let reason = told.as_deref().unwrap_or("normal");
        let Action::Exit(exit) = self.exit(who, format!("EXIT: {reason}")) else { return None };
        self.step(Action::Exit(Exit { told: told.is_some(), deactivates: true, ..exit }));
        Some(())
    }

    fn step(&mut self, action: Action) {
        self.sequence.steps.push(Step { at: Duration::ZERO, action });
    }

    fn number(&self, text: &str) -> Option<usize> {
        text.trim().parse().ok().filter(|number| *number < self.sequence.participants.len())
    }
}

/// A process `<0.7.0>` of a node that is not known.
fn pid(text: &str) -> Option<Pid> {
    let mut numbers = text.strip_prefix('<')?.strip_suffix('>')?.split('.').map(str::parse::<u32>);
    let (Some(Ok(_)), Some(Ok(index)), Some(Ok(generation)), None) =
        (numbers.next(), numbers.next(), numbers.next(), numbers.next())
    else {
        return None;
    };
    let node = NodeId::intern(&NodeName { name: "an unknown node".into(), incarnation: 0 });
    Some(Pid::from_parts(node, index, generation))
}

/// What [`Group::words`] says.
fn group(words: &str, first: usize) -> Option<Group> {
    let (times, took) = words.strip_prefix("× ")?.split_once(" in ")?;
    Some(Group { first, len: 0, times: words::read_count(times)?, took: words::read_duration(took)? })
}

/// What a label's first word stands for.
fn kind(label: &str) -> ArrowKind {
    match label.split([':', ' ', ',']).next() {
        Some("SPAWN") => ArrowKind::Spawn,
        Some("RESTART") => ArrowKind::Restart,
        Some("CALL") => ArrowKind::Call,
        Some("REPLY") => ArrowKind::Reply { latency: None },
        Some("CAST") => ArrowKind::Cast,
        Some("EXIT") => ArrowKind::Exit,
        Some("DOWN") => ArrowKind::Down,
        Some(_) | None => ArrowKind::Info,
    }
}
