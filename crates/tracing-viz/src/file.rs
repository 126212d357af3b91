//! Traces and trees as JSON, to be kept in a file and drawn later.
//!
//! The form is our own and says its version: processes and nodes stand in tables, events name them by number,
//! so that a trace of a million events stays readable and small.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use greenroom::trace::{EventKind, ProcessName, Serial, Signal, Trace, TraceEvent};
use greenroom::tree::TreeNode;
use greenroom::{ExitReason, NodeId, NodeName, Pid};
use serde::{Deserialize, Serialize};

use crate::tree::Group;

/// The version that is written; older ones are read.
const VERSION: u32 = 1;

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Saved {
    /// A trace.
    Trace(Trace),
    /// A supervision tree.
    Tree(TreeNode),
    /// The trees of an application, a node or a cluster.
    Group(Group),
}

/// Why a text is no saved trace or tree.
#[derive(Debug)]
pub enum ReadError {
    /// It is not JSON, or lacks something.
    Json(serde_json::Error),
    /// A later version has written it.
    Version(u32),
    /// It names a process or a node that is not in its tables.
    Dangling {
        /// The number.
        number: usize,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Json(error) => write!(f, "this is no saved trace or tree: {error}"),
            ReadError::Version(version) => {
                write!(
                    f,
                    "this was saved in version {version} of the format, and only {VERSION} is known: use a newer program"
                )
            }
            ReadError::Dangling { number } => {
                write!(f, "this is no whole trace: there is no process or node {number} in it")
            }
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ReadError::Json(error) => Some(error),
            ReadError::Version(_) | ReadError::Dangling { .. } => None,
        }
    }
}

/// A trace as JSON, one event a line. Of processes without a name or label nothing is said but that they took part.
///
/// ```
/// use greenroom_tracing_viz::file::{self, Saved};
///
/// let ((), trace) = greenroom::run(greenroom::trace(async {
///     greenroom::spawn(async {});
/// }));
/// let json = file::trace_to_json(&trace);
/// let Saved::Trace(read) = file::read(&json).unwrap() else { panic!("it was a trace") };
/// assert_eq!(read.events, trace.events);
/// ```
pub fn trace_to_json(trace: &Trace) -> String {
    let mut tables = Tables::default();
    let caller = tables.process(trace.caller);
    let events: Vec<Event> = trace.events.iter().map(|event| tables.event(event)).collect();
    for &pid in trace.names.keys() {
        tables.process(pid);
    }
    let process = |pid: &Pid| {
        let (index, generation) = pid.parts();
        let name = trace.names.get(pid);
        Process {
            node: tables.node_numbers[&pid.node()],
            id: (index, generation),
            name: name.and_then(|name| name.registered.clone()),
            label: name.and_then(|name| name.label.clone()),
        }
    };
    let nodes: Vec<NodeName> = tables.nodes.iter().map(|node| node.name()).collect();
    let processes: Vec<Process> = tables.processes.iter().map(process).collect();
    let mut out = format!(
        "{{\"greenroom\": \"trace\", \"version\": {VERSION}, \"caller\": {caller}, \"lost\": {},\n\"nodes\": {},\n\"processes\": [",
        trace.lost,
        line(&nodes)
    );
    push_lines(&mut out, &processes);
    out += "],\n\"events\": [";
    push_lines(&mut out, &events);
    out += "]}\n";
    out
}

/// A tree as JSON.
pub fn tree_to_json(root: &TreeNode) -> String {
    format!("{{\"greenroom\": \"tree\", \"version\": {VERSION}, \"tree\": {}}}\n", line(root))
}

/// The trees of an application, a node or a cluster as JSON.
///
/// ```
/// use greenroom_tracing_viz::file::{self, Saved};
/// use greenroom_tracing_viz::tree::{Group, Role};
///
/// let node = Group { name: "a@host".into(), role: Role::Node, groups: vec![], trees: vec![] };
/// let cluster = Group { name: "shop".into(), role: Role::Cluster, groups: vec![node], trees: vec![] };
/// assert_eq!(file::read(&file::group_to_json(&cluster)).unwrap(), Saved::Group(cluster));
/// ```
pub fn group_to_json(group: &Group) -> String {
    format!("{{\"greenroom\": \"group\", \"version\": {VERSION}, \"group\": {}}}\n", line(group))
}

/// Reads what [`trace_to_json`], [`tree_to_json`] or [`group_to_json`] has written.
///
/// # Errors
/// [`ReadError`], if it is anything else.
pub fn read(json: &str) -> Result<Saved, ReadError> {
    let head: Head = serde_json::from_str(json).map_err(ReadError::Json)?;
    if head.version > VERSION {
        return Err(ReadError::Version(head.version));
    }
    match head.greenroom {
        What::Trace => serde_json::from_str::<File>(json).map_err(ReadError::Json)?.open().map(Saved::Trace),
        What::Tree => Ok(Saved::Tree(serde_json::from_str::<TreeFile>(json).map_err(ReadError::Json)?.tree)),
        What::Group => Ok(Saved::Group(serde_json::from_str::<GroupFile>(json).map_err(ReadError::Json)?.group)),
    }
}

fn push_lines<T: Serialize>(out: &mut String, all: &[T]) {
    for (index, one) in all.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        out.push_str(&line(one));
    }
}

/// What is written here is plain data with text for keys, which serde_json does not refuse.
fn line<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[derive(Deserialize)]
struct Head {
    greenroom: What,
    version: u32,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Trace,
    Tree,
    Group,
}

#[derive(Deserialize)]
struct TreeFile {
    tree: TreeNode,
}

#[derive(Deserialize)]
struct GroupFile {
    group: Group,
}

#[derive(Deserialize)]
struct File {
    caller: usize,
    lost: u64,
    nodes: Vec<NodeName>,
    processes: Vec<Process>,
    events: Vec<Event>,
}

#[derive(Serialize, Deserialize)]
struct Process {
    node: usize,
    id: (u32, u32),
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Event {
    /// Nanoseconds.
    at: u64,
    #[serde(flatten)]
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<Serial>,
}

/// An event with processes by number; times are in nanoseconds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Spawn { parent: usize, child: usize },
    Send { from: usize, to: usize, signal: Signal },
    Receive { by: usize, signal: Signal },
    Link { from: usize, to: usize },
    Monitor { watcher: usize, target: usize },
    Timer { by: usize, to: Option<usize>, after: u64 },
    Timeout { by: usize, after: u64 },
    Exit { pid: usize, reason: ExitReason },
    Restart { supervisor: usize, old: usize, new: usize, id: String },
}

#[derive(Default)]
struct Tables {
    nodes: Vec<NodeId>,
    node_numbers: HashMap<NodeId, usize>,
    processes: Vec<Pid>,
    numbers: HashMap<Pid, usize>,
}

impl Tables {
    fn process(&mut self, pid: Pid) -> usize {
        let node = pid.node();
        self.node_numbers.entry(node).or_insert_with(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        });
        *self.numbers.entry(pid).or_insert_with(|| {
            self.processes.push(pid);
            self.processes.len() - 1
        })
    }

    fn event(&mut self, event: &TraceEvent) -> Event {
        let mut number = |pid: &Pid| self.process(*pid);
        let kind = match &event.kind {
            EventKind::Spawn { parent, child } => Kind::Spawn { parent: number(parent), child: number(child) },
            EventKind::Send { from, to, signal } => {
                Kind::Send { from: number(from), to: number(to), signal: signal.clone() }
            }
            EventKind::Receive { by, signal } => Kind::Receive { by: number(by), signal: signal.clone() },
            EventKind::Link { from, to } => Kind::Link { from: number(from), to: number(to) },
            EventKind::Monitor { watcher, target } => {
                Kind::Monitor { watcher: number(watcher), target: number(target) }
            }
            EventKind::Timer { by, to, after } => {
                Kind::Timer { by: number(by), to: to.as_ref().map(&mut number), after: nanos(*after) }
            }
            EventKind::Timeout { by, after } => Kind::Timeout { by: number(by), after: nanos(*after) },
            EventKind::Exit { pid, reason } => Kind::Exit { pid: number(pid), reason: reason.clone() },
            EventKind::Restart { supervisor, old, new, id } => {
                Kind::Restart { supervisor: number(supervisor), old: number(old), new: number(new), id: id.clone() }
            }
        };
        Event { at: nanos(event.at), kind, serial: event.serial }
    }
}

/// Nanoseconds, as far as there is room for them: five hundred years.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl File {
    fn open(self) -> Result<Trace, ReadError> {
        let nodes: Vec<NodeId> = self.nodes.iter().map(NodeId::intern).collect();
        let dangling = |number| ReadError::Dangling { number };
        let mut pids = Vec::with_capacity(self.processes.len());
        let mut names = std::collections::BTreeMap::new();
        for process in self.processes {
            let node = *nodes.get(process.node).ok_or_else(|| dangling(process.node))?;
            let pid = Pid::from_parts(node, process.id.0, process.id.1);
            pids.push(pid);
            if process.name.is_some() || process.label.is_some() {
                names.insert(pid, ProcessName { registered: process.name, label: process.label });
            }
        }
        let pid = |number: usize| pids.get(number).copied().ok_or_else(|| dangling(number));
        let event = |event: Event| {
            let kind = match event.kind {
                Kind::Spawn { parent, child } => EventKind::Spawn { parent: pid(parent)?, child: pid(child)? },
                Kind::Send { from, to, signal } => EventKind::Send { from: pid(from)?, to: pid(to)?, signal },
                Kind::Receive { by, signal } => EventKind::Receive { by: pid(by)?, signal },
                Kind::Link { from, to } => EventKind::Link { from: pid(from)?, to: pid(to)? },
                Kind::Monitor { watcher, target } => {
                    EventKind::Monitor { watcher: pid(watcher)?, target: pid(target)? }
                }
                Kind::Timer { by, to, after } => {
                    EventKind::Timer { by: pid(by)?, to: to.map(pid).transpose()?, after: Duration::from_nanos(after) }
                }
                Kind::Timeout { by, after } => EventKind::Timeout { by: pid(by)?, after: Duration::from_nanos(after) },
                Kind::Exit { pid: who, reason } => EventKind::Exit { pid: pid(who)?, reason },
                Kind::Restart { supervisor, old, new, id } => {
                    EventKind::Restart { supervisor: pid(supervisor)?, old: pid(old)?, new: pid(new)?, id }
                }
            };
            Ok(TraceEvent { at: Duration::from_nanos(event.at), kind, serial: event.serial })
        };
        let events = self.events.into_iter().map(event).collect::<Result<_, ReadError>>()?;
        Ok(Trace { caller: pid(self.caller)?, events, names, lost: self.lost })
    }
}
