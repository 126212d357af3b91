//! Traces and trees made by hand, in few words.

use std::collections::BTreeMap;
use std::time::Duration;

use greenroom::trace::{EventKind, Signal, Trace, TraceEvent};
use greenroom::{ExitReason, NodeId, NodeName, Pid};

/// The process of this number on the test's own node.
pub fn pid(number: u32) -> Pid {
    on("home@localhost", number)
}

/// The process of this number on `node`.
pub fn on(node: &str, number: u32) -> Pid {
    Pid::from_parts(NodeId::intern(&NodeName { name: node.into(), incarnation: 0 }), number, 0)
}

pub fn info(text: &str) -> Signal {
    Signal::Info { name: "Message".into(), text: text.into() }
}

pub fn call(text: &str) -> Signal {
    Signal::Call { name: "Request".into(), text: text.into() }
}

pub fn reply(text: &str) -> Signal {
    Signal::Reply { text: text.into() }
}

/// A trace that process 1 asked for, growing by one event every 100 µs.
pub struct Story {
    pub trace: Trace,
    now: Duration,
}

impl Story {
    pub fn new() -> Story {
        let trace = Trace { caller: pid(1), events: Vec::new(), names: BTreeMap::new(), lost: 0 };
        Story { trace, now: Duration::from_secs(5) }
    }

    pub fn registered(mut self, number: u32, name: &str) -> Story {
        self.trace.names.entry(pid(number)).or_default().registered = Some(name.into());
        self
    }

    pub fn labelled(mut self, number: u32, label: &str) -> Story {
        self.trace.names.entry(pid(number)).or_default().label = Some(label.into());
        self
    }

    pub fn event(mut self, kind: EventKind) -> Story {
        self.trace.events.push(TraceEvent { at: self.now, kind, serial: None });
        self.wait(100)
    }

    pub fn wait(mut self, micros: u64) -> Story {
        self.now += Duration::from_micros(micros);
        self
    }

    pub fn spawn(self, parent: u32, child: u32) -> Story {
        self.event(EventKind::Spawn { parent: pid(parent), child: pid(child) })
    }

    pub fn send(self, from: u32, to: u32, signal: Signal) -> Story {
        self.event(EventKind::Send { from: pid(from), to: pid(to), signal })
    }

    pub fn info(self, from: u32, to: u32, text: &str) -> Story {
        self.send(from, to, info(text))
    }

    pub fn exit(self, number: u32, reason: impl Into<ExitReason>) -> Story {
        self.event(EventKind::Exit { pid: pid(number), reason: reason.into() })
    }

    pub fn restart(self, supervisor: u32, old: u32, new: u32, id: &str) -> Story {
        let (supervisor, old, new) = (pid(supervisor), pid(old), pid(new));
        self.event(EventKind::Restart { supervisor, old, new, id: id.into() })
    }
}
