//! What of a trace is drawn: whose messages, which ones, when, how many.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use greenroom::Pid;
use greenroom::trace::{EventKind, Signal, Trace};
use greenroom::tree::TreeNode;

/// What of a trace is drawn.
///
/// ```
/// use greenroom_tracing_viz::sequence::{Marks, Options};
///
/// let calls_of_a_key = Options { containing: Some("key-7".into()), marks: Marks::Hidden, ..Options::default() };
/// assert_eq!(calls_of_a_key.limit, 500);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whose messages are kept.
    pub targets: Targets,
    /// Keeps only messages whose name or text has this in it, in whatever case, and no marks.
    pub containing: Option<String>,
    /// Keeps only what happened in this span of the trace's own time.
    pub within: Option<Range<Duration>>,
    /// How many arrows are kept; the diagram says how many more there were.
    pub limit: usize,
    /// An exchange that is repeated at least so often in a row is drawn once; none is if this is 0.
    pub repeats: usize,
    /// Whether links, monitors, timers and time-outs are drawn.
    pub marks: Marks,
}

/// Whether links, monitors, timers and time-outs are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Marks {
    /// They are.
    #[default]
    Shown,
    /// They are not.
    Hidden,
}

impl Default for Options {
    /// Everything, repetitions from the third on folded, up to 500 arrows.
    fn default() -> Self {
        Options {
            targets: Targets::All,
            containing: None,
            within: None,
            limit: 500,
            repeats: 3,
            marks: Marks::default(),
        }
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
    /// One process.
    pub fn one(pid: Pid) -> Targets {
        Targets::Only([pid].into())
    }

    /// A supervisor and all that is below it.
    pub fn subtree(root: &TreeNode) -> Targets {
        let mut pids = BTreeSet::new();
        let mut waiting = vec![root];
        while let Some(node) = waiting.pop() {
            pids.extend(node.pid);
            waiting.extend(&node.children);
        }
        Targets::Only(pids)
    }

    /// A process with all that it has started within the trace, and they in turn.
    pub fn started_by(trace: &Trace, root: Pid) -> Targets {
        let mut pids = BTreeSet::from([root]);
        let mut events: Vec<_> = trace.events.iter().collect();
        events.sort_by_key(|event| event.at);
        for event in events {
            if let EventKind::Spawn { parent, child } = event.kind
                && pids.contains(&parent)
            {
                pids.insert(child);
            }
        }
        Targets::Only(pids)
    }

    pub(super) fn contains(&self, pid: Pid) -> bool {
        match self {
            Targets::All => true,
            Targets::Only(pids) => pids.contains(&pid),
        }
    }
}

impl Options {
    pub(super) fn is_within(&self, at: Duration) -> bool {
        self.within.as_ref().is_none_or(|span| span.contains(&at))
    }

    /// Whether a message is one of those that are asked for.
    pub(super) fn wants(&self, signal: &Signal) -> bool {
        let Some(wanted) = &self.containing else { return true };
        let has = |text: &str| text.to_lowercase().contains(&wanted.to_lowercase());
        match signal {
            Signal::Info { name, text } | Signal::Call { name, text } | Signal::Cast { name, text } => {
                has(name) || has(text)
            }
            Signal::Reply { text } => has(text),
            Signal::Exit(reason) | Signal::Down(reason) => has(&reason.to_string()),
        }
    }

    /// Whether what is no message is asked for: not when some messages are.
    pub(super) fn wants_others(&self) -> bool {
        self.containing.is_none()
    }

    pub(super) fn wants_marks(&self) -> bool {
        self.marks == Marks::Shown && self.wants_others()
    }
}
