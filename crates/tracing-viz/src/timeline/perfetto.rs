//! A timeline for Perfetto and `chrome://tracing`: the JSON that they call the trace event format.
//!
//! A node is what they call a process, a process what they call a thread.

use std::time::Duration;

use serde_json::{Value, json};

use super::Timeline;

impl Timeline {
    /// The lanes as trace events in JSON, for <https://ui.perfetto.dev>: lives, calls, messages as flows from
    /// sender to receiver, and a counter for each mailbox.
    pub fn to_perfetto(&self) -> String {
        let mut nodes = Vec::new();
        let mut events: Vec<Value> = Vec::new();
        let place = |lane: usize| {
            let node = self.lanes[lane].pid.node();
            (node, lane + 1)
        };
        for lane in &self.lanes {
            if !nodes.contains(&lane.pid.node()) {
                nodes.push(lane.pid.node());
            }
        }
        let node = |lane: usize| 1 + nodes.iter().position(|node| *node == place(lane).0).unwrap_or(0);
        for (index, name) in nodes.iter().enumerate() {
            events
                .push(json!({"ph": "M", "name": "process_name", "pid": index + 1, "args": {"name": name.to_string()}}));
        }
        for (index, lane) in self.lanes.iter().enumerate() {
            let (pid, tid) = (node(index), index + 1);
            events
                .push(json!({"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": lane.title}}));
            let start = lane.born.unwrap_or(self.start);
            let end = lane.ended.as_ref().map_or(self.end, |end| end.at);
            let reason = lane.ended.as_ref().map(|end| end.reason.as_str());
            events.push(json!({"ph": "X", "name": lane.title, "cat": "life", "pid": pid, "tid": tid,
                "ts": micros(start), "dur": micros(end.saturating_sub(start)), "args": {"ended": reason}}));
            for call in &lane.calls {
                events.push(json!({"ph": "X", "name": call.label, "cat": "call", "pid": pid, "tid": tid,
                    "ts": micros(call.start), "dur": micros(call.end.saturating_sub(call.start))}));
            }
            for (at, depth) in &lane.waiting {
                events.push(json!({"ph": "C", "name": format!("mailbox of {}", lane.title), "pid": pid,
                    "ts": micros(*at), "args": {"messages": depth}}));
            }
        }
        for (id, message) in self.messages.iter().enumerate() {
            let (from, to) = ((node(message.from), message.from + 1), (node(message.to), message.to + 1));
            events
                .push(json!({"ph": "i", "s": "t", "name": message.label, "cat": "send", "pid": from.0, "tid": from.1,
                "ts": micros(message.sent)}));
            let Some(received) = message.received else { continue };
            events.push(json!({"ph": "i", "s": "t", "name": message.label, "cat": "receive", "pid": to.0, "tid": to.1,
                "ts": micros(received)}));
            events.push(json!({"ph": "s", "id": id, "name": "message", "cat": "message", "pid": from.0, "tid": from.1,
                "ts": micros(message.sent)}));
            events.push(json!({"ph": "f", "bp": "e", "id": id, "name": "message", "cat": "message", "pid": to.0,
                "tid": to.1, "ts": micros(received)}));
        }
        json!({"displayTimeUnit": "ns", "traceEvents": events}).to_string()
    }
}

fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}
