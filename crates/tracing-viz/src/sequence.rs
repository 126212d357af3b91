//! Who said what to whom, in order: the model of a sequence diagram, made from a trace.
//!
//! This file says what a diagram is made of. What of a trace becomes a step is decided in `collect`, what
//! is folded in `group`, who stands where in `build`, the words in `label`. Drawing is left to `mermaid`,
//! `text` and `svg`.

use std::time::Duration;

use greenroom::{ExitReason, Pid};

use crate::words;

mod label;
mod options;

mod collect;

mod group;

mod build;
mod mermaid;
mod read;
mod svg;
mod text;

pub use options::{Marks, Options, Targets};

/// A sequence diagram, ready to be drawn.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::time::Duration;
///
/// use greenroom::trace::{EventKind, Signal, Trace, TraceEvent};
/// use greenroom::{NodeId, NodeName, Pid};
/// use greenroom_tracing_viz::sequence::{Options, Sequence};
///
/// let node = NodeId::intern(&NodeName { name: "home".into(), incarnation: 0 });
/// let (caller, child) = (Pid::from_parts(node, 4, 0), Pid::from_parts(node, 5, 0));
/// let ping = Signal::Info { name: "Ping".into(), text: "Ping".into() };
/// let trace = Trace {
///     caller,
///     events: vec![
///         TraceEvent {
///             at: Duration::from_micros(1),
///             kind: EventKind::Spawn { parent: caller, child },
///             serial: None,
///         },
///         TraceEvent {
///             at: Duration::from_micros(2),
///             kind: EventKind::Send { from: caller, to: child, signal: ping },
///             serial: None,
///         },
///     ],
///     names: BTreeMap::new(),
///     lost: 0,
/// };
///
/// let sequence = Sequence::from_trace(&trace, &Options::default());
/// assert_eq!(sequence.participants.len(), 2);
/// println!("{}", sequence.to_text(80));
/// assert!(sequence.to_mermaid().contains("0->>1: INFO: Ping"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sequence {
    /// Those who took part, in order of first appearance; the caller comes first if it is one. Where they are
    /// of several nodes, those of one node stand together.
    pub participants: Vec<Participant>,
    /// What happened, in order of time.
    pub steps: Vec<Step>,
    /// Exchanges that were repeated and are drawn once, in order, none within another.
    pub groups: Vec<Group>,
    /// The nodes, if there are several.
    pub nodes: Vec<NodeColumns>,
    /// How many arrows followed that are left out, see [`Options::limit`].
    pub omitted: usize,
    /// How many events of the trace could not be kept when they happened.
    pub lost: u64,
}

/// Steps that were repeated: they stand for all of their repetitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The first of the steps, as an index into [`Sequence::steps`].
    pub first: usize,
    /// How many steps make one repetition.
    pub len: usize,
    /// How often that happened.
    pub times: usize,
    /// The time from the first step of all to the last one.
    pub took: Duration,
}

/// The participants of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeColumns {
    /// The node's name.
    pub name: String,
    /// The first of its participants, as an index into [`Sequence::participants`].
    pub first: usize,
    /// How many there are.
    pub len: usize,
}

/// A process that takes part in a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// The process, unless it is only known by what it is called.
    pub pid: Option<Pid>,
    /// How it is called.
    pub called: Called,
    /// The step that starts it, if nothing was seen of it before.
    pub born: Option<usize>,
}

/// How a participant is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Called {
    /// It asked for the trace: `self()`.
    Caller,
    /// By the name that it is registered under.
    Registered(String),
    /// By the label that it gave itself.
    Labelled(String),
    /// By nothing but its identifier.
    Unnamed,
}

/// One step of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When, in the trace's own time.
    pub at: Duration,
    /// What happened.
    pub action: Action,
}

/// What happens in a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Something went from one participant to another.
    Arrow(Arrow),
    /// A participant ended.
    Exit(Exit),
    /// Something that a participant did without sending anything.
    Mark(Mark),
}

/// Something that went from one participant to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrow {
    /// The sender, as an index into [`Sequence::participants`].
    pub from: usize,
    /// The receiver, as an index into [`Sequence::participants`].
    pub to: usize,
    /// What kind of thing it is.
    pub kind: ArrowKind,
    /// What it says, on one line: `CALL: Get(7)`.
    pub label: String,
    /// All of the message, as far as it was kept, if the label leaves something out.
    pub whole: Option<String>,
    /// Whether the receiver begins to be active with this.
    pub activates: bool,
    /// For a call its reply, for a reply its call, as an index into [`Sequence::steps`].
    pub pair: Option<usize>,
    /// How long the message waited before it was received, if that is part of the trace.
    pub waited: Option<Duration>,
}

/// Something that a participant did without sending anything.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Who did it, as an index into [`Sequence::participants`].
    pub participant: usize,
    /// Whom it concerns besides, as an index into [`Sequence::participants`].
    pub with: Option<usize>,
    /// What it is.
    pub kind: MarkKind,
    /// What it says, on one line: `TIMER: 5.0 s`.
    pub label: String,
}

/// What a mark stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// Two participants are linked from now on.
    Link,
    /// One begins to monitor the other.
    Monitor,
    /// One starts a timer.
    Timer,
    /// One has waited in vain.
    Timeout,
}

/// What an arrow stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrowKind {
    /// The sender started the receiver.
    Spawn,
    /// The sender, a supervisor, started the receiver in place of one that had ended.
    Restart,
    /// A plain message.
    Info,
    /// A request that wants an answer.
    Call,
    /// The answer to a request.
    Reply {
        /// The time since the request, if that is part of the trace.
        latency: Option<Duration>,
    },
    /// A request that wants no answer.
    Cast,
    /// An exit signal.
    Exit,
    /// The message of a monitor.
    Down,
}

/// The end of a participant.
///
/// It comes right after the last of the signals by which others learn of the end.
#[derive(Clone, Debug, PartialEq)]
pub struct Exit {
    /// Who ended, as an index into [`Sequence::participants`].
    pub participant: usize,
    /// Why.
    pub reason: ExitReason,
    /// The reason on one line: `EXIT: normal`.
    pub label: String,
    /// Where in the source it panicked, if that is the reason.
    pub place: Option<String>,
    /// Whether an arrow above already tells of this end.
    pub told: bool,
    /// Whether the participant had been activated.
    pub deactivates: bool,
}

impl Sequence {
    /// The time from the first step to the last one; nothing, if it is not known.
    pub(crate) fn took(&self) -> Option<Duration> {
        let (first, last) = (self.steps.first()?, self.steps.last()?);
        Some(last.at.saturating_sub(first.at)).filter(|took| !took.is_zero())
    }

    /// The group that begins with the step of this index.
    pub(crate) fn group_at(&self, step: usize) -> Option<&Group> {
        let at = self.groups.binary_search_by_key(&step, |group| group.first).ok()?;
        self.groups.get(at)
    }

    /// What is said below the diagram: what is missing from it.
    pub(crate) fn missing(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.omitted > 0 {
            lines.push(format!("… {} more", words::count(self.omitted as u64)));
        }
        if self.lost > 0 {
            lines.push(format!("{} events lost", words::count(self.lost)));
        }
        lines
    }
}

impl Action {
    /// Who takes part in it.
    pub(crate) fn participants(&self) -> impl Iterator<Item = usize> + use<> {
        let (one, other) = match self {
            Action::Arrow(arrow) => (arrow.from, Some(arrow.to)),
            Action::Exit(exit) => (exit.participant, None),
            Action::Mark(mark) => (mark.participant, mark.with),
        };
        std::iter::once(one).chain(other)
    }

    pub(crate) fn involves(&self, participant: usize) -> bool {
        self.participants().any(|one| one == participant)
    }
}

impl Group {
    /// What stands beside it: `× 40 in 1.2 ms`.
    pub(crate) fn words(&self) -> String {
        format!("× {} in {}", words::count(self.times as u64), words::duration(self.took))
    }
}

impl Exit {
    /// Whether a bare mark says enough: the end was normal, or told of above.
    pub(crate) fn speaks_for_itself(&self) -> bool {
        self.told || self.reason == ExitReason::Normal
    }
}

impl Participant {
    /// What to call it where there is room for one line: `self()`, `cache`, `worker <0.7.0>`.
    pub fn title(&self) -> String {
        match &self.called {
            Called::Caller => "self()".to_owned(),
            Called::Registered(name) => words::one_line(name),
            Called::Labelled(label) => words::one_line(&format!("{label} {}", self.identifier())),
            Called::Unnamed => self.identifier(),
        }
    }

    /// Its identifier, as far as it has one.
    pub(crate) fn identifier(&self) -> String {
        self.pid.map(words::pid).unwrap_or_default()
    }
}
