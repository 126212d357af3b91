//! A run's own traffic: recorded on both nodes, put together, and drawn into a file.
//!
//! The notebook's node records itself; runtimes send what they record to the keeper, a process of this node. How
//! a trace is drawn is for [`crate::picture`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use greenroom::message::Down;
use greenroom::trace::{EventKind, ProcessName, Trace};
use greenroom::{Node, NodeId, Pid, Recording, monitor, receive, register, self_pid, send};
use greenroom_stage::protocol::{TRACE_KEEPER, Traced};
use serde::{Deserialize, Serialize};

/// How many events each worker records at most between two looks.
pub const EVENTS: usize = 200_000;

/// What runtimes have sent, by node.
type Parts = Arc<Mutex<BTreeMap<NodeId, Trace>>>;

/// Tells the keeper that nothing more will come.
#[derive(Debug, Serialize, Deserialize)]
struct Enough;

/// A trace of a run that is being made.
pub struct RunTrace {
    recording: Recording,
    parts: Parts,
    keeper: Pid,
}

impl RunTrace {
    /// Begins to trace `node`. In a process of that node, before it starts a runtime.
    pub async fn start(node: &Node) -> RunTrace {
        let parts = Parts::default();
        let kept = parts.clone();
        let owner = self_pid();
        let keeper = greenroom::spawn(async move {
            if register(TRACE_KEEPER, self_pid()).is_err() {
                return; // There is one already, whose run this belongs to.
            }
            send(owner, Enough);
            loop {
                receive! {
                    Traced(trace): Traced => add(&kept, trace),
                    Enough: Enough => return,
                }
            }
        });
        // From here on runtimes can reach it.
        receive! {
            Enough: Enough => (),
        }
        RunTrace { recording: node.record(EVENTS), parts, keeper }
    }

    /// The whole trace, once all that runtimes have sent so far is in.
    pub async fn finish(self) -> Trace {
        let starter = self_pid();
        let mut trace = self.recording.take(Pid::from_parts(starter.node(), u32::MAX, 0));
        let watch = monitor(self.keeper);
        send(self.keeper, Enough);
        receive! {
            down: Down if down.reference == watch => (),
        }
        let parts = std::mem::take(&mut *self.parts.lock().unwrap_or_else(PoisonError::into_inner));
        trace.names.insert(starter, named("greenroom"));
        let caller = trace.caller;
        let mut whole = greenroom_tracing_viz::merge(std::iter::once(trace).chain(parts.into_values()).collect())
            .unwrap_or(Trace { caller, events: Vec::new(), names: BTreeMap::new(), lost: 0 });
        name_cells(&mut whole);
        leave_out(&mut whole, self.keeper);
        whole
    }
}

fn add(parts: &Parts, mut trace: Trace) {
    let Some(node) = trace.events.first().map(|event| event.kind.participants().0.node()) else { return };
    let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
    match parts.get_mut(&node) {
        Some(known) => {
            known.events.append(&mut trace.events);
            known.names.append(&mut trace.names);
            known.lost += trace.lost;
        }
        None => {
            parts.insert(node, trace);
        }
    }
}

fn named(name: &str) -> ProcessName {
    ProcessName { registered: None, label: Some(name.to_owned()) }
}

/// What the leader of an evaluation starts is a cell.
fn name_cells(trace: &mut Trace) {
    let is_leader = |names: &BTreeMap<Pid, ProcessName>, pid: &Pid| {
        names.get(pid).and_then(|name| name.label.as_deref()).is_some_and(|label| label.starts_with("leader of"))
    };
    for event in &trace.events {
        if let EventKind::Spawn { parent, child } = event.kind
            && is_leader(&trace.names, &parent)
            && trace.names.get(&child).is_none_or(|name| *name == ProcessName::default())
        {
            trace.names.insert(child, named("cell"));
        }
    }
}

/// A picture of a conversation should not show its own frame.
fn leave_out(trace: &mut Trace, keeper: Pid) {
    let is_frame =
        |pid: Pid| pid == keeper || trace.names.get(&pid).is_some_and(|name| name.label.as_deref() == Some("tracer"));
    let keep: Vec<bool> = trace
        .events
        .iter()
        .map(|event| {
            let (one, other) = event.kind.participants();
            !is_frame(one) && !other.is_some_and(is_frame)
        })
        .collect();
    let frame: Vec<Pid> = trace.names.keys().copied().filter(|pid| is_frame(*pid)).collect();
    trace.names.retain(|pid, _| !frame.contains(pid));
    let mut keep = keep.into_iter();
    trace.events.retain(|_| keep.next().unwrap_or(true));
}
