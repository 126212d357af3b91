//! What can be observed: the events of a running node, and the token that follows a conversation.
//!
//! Events are plain data, drawn by `greenroom-tracing-viz`. Where they are raised is said beside each
//! primitive; when nobody looks, that costs one predictable branch.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

mod token;

use crate::lock::Mutex;
use crate::pid::Pid;
use crate::reason::ExitReason;
pub use token::Passport;
#[doc(no_inline)]
pub use token::{Event, Flag, Label, Report, Token};
pub(crate) use token::{Recording, Riding};

/// Whether tracing is there at all. It always is, but for the benches, which weigh what it costs while it is off.
pub(crate) const IS_BUILT_IN: bool = !cfg!(greenroom_untraceable);

/// Something that happened on a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceEvent {
    /// When, counted from the start of the node.
    pub at: Duration,
    /// What.
    pub kind: EventKind,
    /// The position in the traced conversation, if this belongs to one.
    pub serial: Option<Serial>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EventKind {
    /// `parent` started `child`.
    Spawn {
        /// The process that called spawn.
        parent: Pid,
        /// The new process.
        child: Pid,
    },
    /// A message or signal left `from` for `to`.
    Send {
        /// The sender.
        from: Pid,
        /// The receiver.
        to: Pid,
        /// What was sent.
        signal: Signal,
    },
    /// `by` took a message out of its mailbox.
    Receive {
        /// The receiver.
        by: Pid,
        /// What it took.
        signal: Signal,
    },
    /// A link was made between two processes.
    Link {
        /// The process that asked for it.
        from: Pid,
        /// The other end.
        to: Pid,
    },
    /// `watcher` began to monitor `target`.
    Monitor {
        /// Who will get the DOWN message.
        watcher: Pid,
        /// Who is watched.
        target: Pid,
    },
    /// `by` started a timer.
    Timer {
        /// The process that started it.
        by: Pid,
        /// The process that will get a message, if it is known by its identifier.
        to: Option<Pid>,
        /// How long it runs.
        after: Duration,
    },
    /// A receive of `by` has given up waiting.
    Timeout {
        /// The process that waited.
        by: Pid,
        /// How long it has waited.
        after: Duration,
    },
    /// A process ended.
    Exit {
        /// The process.
        pid: Pid,
        /// Why it ended.
        reason: ExitReason,
    },
    /// A supervisor started a child again.
    Restart {
        /// The supervisor.
        supervisor: Pid,
        /// The child that had ended.
        old: Pid,
        /// The child in its place.
        new: Pid,
        /// The child's identifier in the supervisor.
        id: String,
    },
}

/// What a message is, for the label of its arrow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Signal {
    /// A plain message: the last segment of its type's name, and its `Debug` form.
    Info {
        /// The type's name without its path.
        name: String,
        /// The message, shown with `Debug`, bounded in length.
        text: String,
    },
    /// A request to a server, which will answer it.
    Call {
        /// The request's name.
        name: String,
        /// The request, shown with `Debug`.
        text: String,
    },
    /// The answer to a request.
    Reply {
        /// The answer, shown with `Debug`.
        text: String,
    },
    /// A request to a server, which will not answer it.
    Cast {
        /// The request's name.
        name: String,
        /// The request, shown with `Debug`.
        text: String,
    },
    /// An exit signal.
    Exit(ExitReason),
    /// The message of a monitor.
    Down(ExitReason),
}

/// The position of a message in a traced conversation: it answers the one numbered `previous`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Serial {
    /// The number of the message that the sender had received last.
    pub previous: u64,
    /// This message's own number.
    pub current: u64,
}

/// How a process is called, as seen when it first took part in a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessName {
    /// The name that it is registered under.
    pub registered: Option<String>,
    /// The label that it gave itself.
    pub label: Option<String>,
}

/// Everything that was seen of a traced future: see [`crate::trace()`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The process that asked for the trace.
    pub caller: Pid,
    /// The events, in order of time.
    pub events: Vec<TraceEvent>,
    /// The names of those who took part, as far as they have any.
    pub names: BTreeMap<Pid, ProcessName>,
    /// How many events were seen and could not be kept.
    pub lost: u64,
}

/// Gets to see the events of a node, or of one traced conversation.
///
/// It is called on the thread on which the event happens, so it should be quick; it must not panic.
pub trait Tracer: Send + Sync {
    /// Called for each event, with a function that looks up how a process is called.
    fn event(&self, event: TraceEvent, name_of: &dyn Fn(Pid) -> ProcessName);
}

/// A tracer that keeps everything.
#[derive(Debug, Default)]
pub struct Recorder {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    events: Vec<TraceEvent>,
    names: BTreeMap<Pid, ProcessName>,
}

impl Recorder {
    /// What was recorded so far, as a trace that `caller` asked for; the recorder is empty afterwards.
    pub fn take(&self, caller: Pid) -> Trace {
        let Seen { mut events, names } = std::mem::take(&mut *self.seen.lock());
        events.sort_by_key(|event| event.at);
        Trace { caller, events, names, lost: 0 }
    }
}

impl Tracer for Recorder {
    fn event(&self, event: TraceEvent, name_of: &dyn Fn(Pid) -> ProcessName) {
        let (first, second) = event.kind.participants();
        let mut seen = self.seen.lock();
        for pid in [Some(first), second].into_iter().flatten() {
            seen.names.entry(pid).or_insert_with(|| name_of(pid));
        }
        seen.events.push(event);
    }
}

impl EventKind {
    /// The process that acted, and the one that it acted upon.
    pub fn participants(&self) -> (Pid, Option<Pid>) {
        match *self {
            EventKind::Spawn { parent, child } => (parent, Some(child)),
            EventKind::Send { from, to, .. } => (from, Some(to)),
            EventKind::Link { from, to } => (from, Some(to)),
            EventKind::Monitor { watcher, target } => (watcher, Some(target)),
            EventKind::Timer { by, to, .. } => (by, to),
            EventKind::Receive { by, .. } | EventKind::Timeout { by, .. } => (by, None),
            EventKind::Exit { pid, .. } => (pid, None),
            EventKind::Restart { old, new, .. } => (old, Some(new)),
        }
    }
}
