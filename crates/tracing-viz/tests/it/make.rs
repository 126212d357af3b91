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

    /// What happens between processes of any node.
    pub fn between(self, from: Pid, to: Pid, signal: Signal) -> Story {
        self.event(EventKind::Send { from, to, signal })
    }

    pub fn received(self, by: Pid, signal: Signal) -> Story {
        self.event(EventKind::Receive { by, signal })
    }

    pub fn link(self, from: u32, to: u32) -> Story {
        self.event(EventKind::Link { from: pid(from), to: pid(to) })
    }

    pub fn monitor(self, watcher: u32, target: u32) -> Story {
        self.event(EventKind::Monitor { watcher: pid(watcher), target: pid(target) })
    }

    pub fn timer(self, by: u32, millis: u64) -> Story {
        self.event(EventKind::Timer { by: pid(by), to: None, after: Duration::from_millis(millis) })
    }

    pub fn timeout(self, by: u32, millis: u64) -> Story {
        self.event(EventKind::Timeout { by: pid(by), after: Duration::from_millis(millis) })
    }

    pub fn restart(self, supervisor: u32, old: u32, new: u32, id: &str) -> Story {
        let (supervisor, old, new) = (pid(supervisor), pid(old), pid(new));
        self.event(EventKind::Restart { supervisor, old, new, id: id.into() })
    }
}

/// A story with one of everything: two nodes, links, timers, repetitions, a crash and a restart.
pub fn tea_house() -> Story {
    let cook = on("kitchen@far", 3);
    let order = |number: u32| call(&format!("Order {{ tea: \"oolong\", table: {number} }}"));
    let story =
        Story::new().registered(2, "shop").labelled(5, "waiter").link(2, 5).spawn(2, 5).monitor(1, 5).timer(1, 250);
    let story = (0..40).fold(story, |story, number| {
        story
            .send(1, 5, order(number))
            .received(pid(5), order(number))
            .between(pid(5), cook, info(&format!("Brew({number})")))
            .wait(300 + u64::from(number))
            .between(cook, pid(5), info(&format!("Ready({number})")))
            .send(5, 1, reply(&format!("Cup({number})")))
    });
    let panic = greenroom::reason::Panic {
        message: "out of tea".into(),
        location: Some(greenroom::reason::Location { file: "src/waiter.rs".into(), line: 31, column: 9 }),
    };
    let reason = ExitReason::Panic(panic.into());
    story
        .send(1, 5, Signal::Cast { name: "Hurry".into(), text: "Hurry".into() })
        .timeout(1, 250)
        .exit(5, reason.clone())
        .send(5, 2, Signal::Exit(reason.clone()))
        .send(5, 1, Signal::Down(reason))
        .spawn(2, 6)
        .restart(2, 5, 6, "waiter")
        .info(1, 6, "Sorry")
}
