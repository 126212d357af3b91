//! A timeline for Perfetto and `chrome://tracing`: the JSON that they call the trace event format.
//!
//! A node is what they call a process, a process what they call a thread.

use std::time::Duration;

use serde::Serialize;

use super::{Lane, Timeline};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    display_time_unit: &'static str,
    trace_events: Vec<Event<'a>>,
}

/// An event, with the one-letter names of that format; what it has no use for is left out.
#[derive(Default, Serialize)]
struct Event<'a> {
    ph: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bp: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cat: Option<&'static str>,
    pid: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    tid: Option<usize>,
    /// Microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Arguments<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Arguments<'a> {
    Name(String),
    Ended(&'a str),
    Messages(u64),
}

impl Timeline {
    /// The lanes as trace events in JSON, for <https://ui.perfetto.dev>: lives, calls, messages as flows from
    /// sender to receiver, and a counter for each mailbox.
    pub fn to_perfetto(&self) -> String {
        let mut nodes = Vec::new();
        for lane in &self.lanes {
            if !nodes.contains(&lane.pid.node()) {
                nodes.push(lane.pid.node());
            }
        }
        let named = |name: String| Some(Arguments::Name(name));
        let mut events: Vec<Event<'_>> = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            let name = "process_name".to_owned();
            events.push(Event { ph: "M", name, pid: index + 1, args: named(node.to_string()), ..Event::default() });
        }
        // What they call the process and the thread of a lane.
        let place = |lane: usize| {
            let node = self.lanes[lane].pid.node();
            (1 + nodes.iter().position(|other| *other == node).unwrap_or(0), Some(lane + 1))
        };
        for (index, lane) in self.lanes.iter().enumerate() {
            self.lane(lane, place(index), &mut events);
        }
        for (id, message) in self.messages.iter().enumerate() {
            let at = |lane, time| {
                let (pid, tid) = place(lane);
                Event { pid, tid, ts: micros(time), ..Event::default() }
            };
            let moment =
                |event, cat| Event { ph: "i", s: Some("t"), name: message.label.clone(), cat: Some(cat), ..event };
            let end = |ph, bp, event| Event {
                ph,
                bp,
                id: Some(id),
                name: "message".to_owned(),
                cat: Some("message"),
                ..event
            };
            events.push(moment(at(message.from, message.sent), "send"));
            let Some(received) = message.received else { continue };
            events.push(moment(at(message.to, received), "receive"));
            events.push(end("s", None, at(message.from, message.sent)));
            events.push(end("f", Some("e"), at(message.to, received)));
        }
        // Plain data with text for keys, which serde_json does not refuse.
        serde_json::to_string(&File { display_time_unit: "ns", trace_events: events }).unwrap_or_default()
    }

    fn lane<'a>(&self, lane: &'a Lane, (pid, tid): (usize, Option<usize>), events: &mut Vec<Event<'a>>) {
        let here = || Event { pid, tid, ..Event::default() };
        let args = Some(Arguments::Name(lane.title.clone()));
        events.push(Event { ph: "M", name: "thread_name".to_owned(), args, ..here() });
        let start = lane.born.unwrap_or(self.start);
        let end = lane.ended.as_ref().map_or(self.end, |end| end.at);
        let span = |name: &str, cat, start: Duration, end: Duration| Event {
            ph: "X",
            name: name.to_owned(),
            cat: Some(cat),
            ts: micros(start),
            dur: micros(end.saturating_sub(start)),
            ..here()
        };
        let args = lane.ended.as_ref().map(|end| Arguments::Ended(&end.reason));
        events.push(Event { args, ..span(&lane.title, "life", start, end) });
        events.extend(lane.calls.iter().map(|call| span(&call.label, "call", call.start, call.end)));
        for (at, depth) in &lane.waiting {
            let name = format!("mailbox of {}", lane.title);
            let args = Some(Arguments::Messages(*depth));
            events.push(Event { ph: "C", name, tid: None, ts: micros(*at), args, ..here() });
        }
    }
}

fn micros(time: Duration) -> Option<f64> {
    Some(time.as_nanos() as f64 / 1e3)
}
