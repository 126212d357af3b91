//! What happens in the runtime, for an owner that wants to draw it: recorded here, sent over the cluster link.
//!
//! What was recorded leaves with the end of each evaluation, before the owner hears of that, and now and then
//! in between, so that little is lost with a runtime that dies.

use std::sync::OnceLock;
use std::time::Duration;

use greenroom::trace::{EventKind, Signal, TraceEvent};
use greenroom::{Node, NodeId, Pid, Recording, self_pid, send, sleep};

use crate::protocol::{Finished, TRACE_KEEPER, Traced};

/// How long events may wait for their journey.
const BATCH: Duration = Duration::from_millis(20);

/// The recording, and the owner's node.
static TRACER: OnceLock<(Recording, NodeId)> = OnceLock::new();

/// Begins to record for the owner.
pub(crate) fn start(node: &Node, events: usize, owner: NodeId) {
    if events == 0 || TRACER.set((node.record(events), owner)).is_err() {
        return;
    }
    node.spawn(async {
        greenroom::process::set_label("tracer");
        loop {
            sleep(BATCH).await;
            hand_over(None);
        }
    });
}

/// Tells whoever asked for an evaluation that it has ended.
pub(crate) fn finish(reply_to: Pid, finished: Finished) {
    let Some(node) = TRACER.get().and_then(|_| Node::current()) else { return send(reply_to, finished) };
    // Its own message is the last that belongs to the evaluation, and the runtime may be gone right after it.
    let signal = Signal::Info { name: "Finished".to_owned(), text: format!("{finished:?}") };
    let kind = EventKind::Send { from: self_pid(), to: reply_to, signal };
    hand_over(Some(TraceEvent { at: node.clock().now(), kind, serial: None }));
    node.send_untraced(reply_to, finished);
}

fn hand_over(last: Option<TraceEvent>) {
    let Some((recording, owner)) = TRACER.get() else { return };
    let mut trace = recording.take(self_pid());
    trace.events.extend(last);
    if !trace.events.is_empty() {
        send((TRACE_KEEPER, *owner), Traced(trace));
    }
}
