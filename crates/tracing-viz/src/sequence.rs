//! Who said what to whom, in order: the model of a sequence diagram, made from a trace.
//!
//! What counts as a step, which of them are kept and in which order is decided here. How a step is
//! worded is in `label`, how it is drawn in `mermaid` and `text`.

use std::collections::BTreeSet;
use std::time::Duration;

use greenroom::{ExitReason, Pid};

mod build;
mod label;
mod mermaid;
mod text;

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
/// };
///
/// let sequence = Sequence::from_trace(&trace, &Options::default());
/// assert_eq!(sequence.participants.len(), 2);
/// println!("{}", sequence.to_text(80));
/// assert!(sequence.to_mermaid().contains("0->>1: INFO: Ping"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sequence {
    /// Those who took part, in order of first appearance; the caller comes first if it is one.
    pub participants: Vec<Participant>,
    /// What happened, in order of time.
    pub steps: Vec<Step>,
    /// How many arrows followed that are left out, see [`Options::limit`].
    pub omitted: usize,
}

/// What of a trace is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whose messages are kept.
    pub targets: Targets,
    /// How many arrows are kept; the diagram says how many more there were.
    pub limit: usize,
}

impl Default for Options {
    /// Everyone's messages, up to 500 of them.
    fn default() -> Self {
        Options { targets: Targets::All, limit: 500 }
    }
}

/// Whose messages are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Targets {
    /// Everyone's.
    #[default]
    All,
    /// What comes from or goes to one of these processes.
    Only(BTreeSet<Pid>),
}

impl Targets {
    fn contains(&self, pid: Pid) -> bool {
        match self {
            Targets::All => true,
            Targets::Only(pids) => pids.contains(&pid),
        }
    }
}

/// A process that takes part in a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// The process.
    pub pid: Pid,
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
    /// Whether the receiver begins to be active with this.
    pub activates: bool,
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
    /// Whether an arrow above already tells of this end.
    pub told: bool,
    /// Whether the participant had been activated.
    pub deactivates: bool,
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
            Called::Registered(name) => crate::words::one_line(name),
            Called::Labelled(label) => crate::words::one_line(&format!("{label} {}", self.pid)),
            Called::Unnamed => crate::words::one_line(&self.pid.to_string()),
        }
    }
}
