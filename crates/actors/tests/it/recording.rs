//! Recordings of a node, its flight recorder, and traces that are kept however the traced code ends.

use std::sync::{Arc, mpsc};

use greenroom::message::Down;
use greenroom::supervisor::{ChildSpec, DynamicSupervisor, Strategy, Supervisor};
use greenroom::trace::{EventKind, Signal, Trace};
use greenroom::{
    ExitReason, Node, Pid, Ref, exit, process, receive, register, self_pid, send, send_after, spawn, spawn_monitor,
    trace_to,
};

use crate::support::{Ping, echo, forever, on, on_node, round_trip};

fn node() -> Node {
    Node::builder().workers(2).start().unwrap()
}

/// What was sent, as `Ping(…)` or, without its text, `Ping`.
fn sent(trace: &Trace) -> Vec<String> {
    let shown = |kind: &EventKind| match kind {
        EventKind::Send { signal: Signal::Info { name, text }, .. } if text.is_empty() => Some(name.clone()),
        EventKind::Send { signal: Signal::Info { text, .. }, .. } => Some(text.clone()),
        EventKind::Send { signal, .. } => Some(format!("{signal:?}")),
        _ => None,
    };
    trace.events.iter().filter_map(|event| shown(&event.kind)).collect()
}

fn has(trace: &Trace, test: impl Fn(&EventKind) -> bool) -> bool {
    trace.events.iter().any(|event| test(&event.kind))
}

#[test]
fn a_recording_has_every_message_with_its_text_and_who_received_it() {
    let node = node();
    let recording = node.record(1000);
    let caller = on(&node, async {
        let server = spawn(echo());
        round_trip(server).await;
        self_pid()
    });
    let trace = recording.take(caller);
    assert_eq!(sent(&trace), [format!("{:?}", Ping(caller)), "Pong".into()]);
    let received = trace.events.iter().filter_map(|event| match &event.kind {
        EventKind::Receive { by, signal: Signal::Info { text, .. } } => Some((*by == caller, text.clone())),
        _ => None,
    });
    assert_eq!(received.collect::<Vec<_>>(), [(false, format!("{:?}", Ping(caller))), (true, "Pong".into())]);
    assert_eq!(trace.lost, 0);
    assert!(recording.take(caller).events.is_empty());
    drop(recording);
    on(&node, async { round_trip(spawn(echo())).await });
    assert!(node.record(10).take(caller).events.is_empty());
}

#[test]
fn what_does_not_fit_into_a_recording_is_counted() {
    let node = Node::builder().workers(1).start().unwrap();
    let recording = node.record(100);
    let caller = on(&node, async {
        let to = spawn(forever());
        for number in 0..1000_u32 {
            send(to, number);
        }
        self_pid()
    });
    let trace = recording.take(caller);
    assert_eq!(trace.events.len(), 100);
    // The messages, and two starts and an end.
    assert!((901..=903).contains(&trace.lost), "{}", trace.lost);
}

#[test]
fn a_message_whose_debug_sends_messages_is_recorded() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Chatty(Pid);
    impl std::fmt::Debug for Chatty {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            send(self.0, 7_u8);
            f.write_str("Chatty")
        }
    }
    let node = node();
    let recording = node.record(100);
    let caller = on(&node, async {
        let to = spawn(forever());
        send(to, Chatty(self_pid()));
        assert_eq!(receive::<u8>().await, 7);
        self_pid()
    });
    assert_eq!(sent(&recording.take(caller)), ["7", "Chatty"]);
}

#[test]
fn timers_and_vain_waits_are_recorded() {
    let node = node();
    let recording = node.record(100);
    let caller = on(&node, async {
        send_after(self_pid(), 1_u8, std::time::Duration::from_millis(1));
        receive::<u8>().await;
        greenroom::receive_timeout::<u16>(std::time::Duration::from_millis(1)).await;
        self_pid()
    });
    let trace = recording.take(caller);
    assert!(has(
        &trace,
        |kind| matches!(kind, EventKind::Timer { by, to: Some(to), .. } if *by == caller && *to == caller)
    ));
    assert!(has(&trace, |kind| matches!(kind, EventKind::Timeout { by, .. } if *by == caller)));
}

#[test]
fn the_flight_recorder_knows_who_sent_what_to_whom_before_a_crash() {
    let node = Node::builder().workers(2).on_panic(|_| ()).flight_recorder(64).start().unwrap();
    let (caller, victim) = on(&node, async {
        let (victim, _) = spawn_monitor(async {
            process::set_label("victim");
            let _ = register("cache", self_pid());
            let Ping(from) = receive::<Ping>().await;
            send(from, 1_u8);
            receive::<Ref>().await;
            panic!("out of tea");
        });
        send(victim, Ping(self_pid()));
        receive::<u8>().await;
        send(victim, Ref::new());
        receive::<Down>().await;
        (self_pid(), victim)
    });
    let trace = node.flight();
    assert_eq!(sent(&trace).len(), 4);
    assert_eq!(sent(&trace)[..3], ["Ping", "u8", "Ref"]);
    let down = |kind: &EventKind| {
        matches!(kind, EventKind::Send { from, to, signal: Signal::Down(ExitReason::Panic(panic)) }
            if *from == victim && *to == caller && panic.message == "out of tea")
    };
    assert!(has(&trace, down), "{trace:?}");
    assert_eq!(trace.names[&victim].registered.as_deref(), Some("cache"));
    assert_eq!(trace.names[&victim].label.as_deref(), Some("victim"));
}

#[test]
fn the_flight_recorder_keeps_the_last_events_and_counts_those_before() {
    let node = Node::builder().workers(1).flight_recorder(64).start().unwrap();
    on(&node, async {
        let to = spawn(forever());
        for number in 0..1000_u32 {
            send(to, number);
        }
    });
    let trace = node.flight();
    assert!((62..=64).contains(&trace.events.len()), "{}", trace.events.len());
    assert!(trace.lost >= 930);
    node.set_flight_recorder(0);
    let before = node.flight();
    on(&node, async { round_trip(spawn(echo())).await });
    assert_eq!(node.flight().events, before.events);
}

#[test]
fn a_supervisor_that_gives_up_shows_what_happened_before() {
    let (sender, dumps) = mpsc::channel();
    let node = Node::builder().workers(2).on_panic(|_| ()).flight_recorder(256);
    let node = node.on_supervisor_failure(move |trace| drop(sender.send(trace.clone()))).start().unwrap();
    on(&node, async {
        process::trap_exit(true);
        let crashing = ChildSpec::new("crashing", || async { panic!("again") });
        let fixed = Supervisor::new(Strategy::OneForOne).child(crashing.clone()).start_link().await.unwrap().pid();
        assert_eq!(receive::<greenroom::message::Exit>().await.from, fixed);
        let dynamic = DynamicSupervisor::new().start_link().await.unwrap();
        dynamic.start_child(crashing).await.unwrap();
        assert_eq!(receive::<greenroom::message::Exit>().await.from, dynamic.pid());
    });
    for trace in [dumps.try_recv().unwrap(), dumps.try_recv().unwrap()] {
        assert!(has(&trace, |kind| matches!(kind, EventKind::Restart { id, .. } if id == "crashing")));
        assert!(has(&trace, |kind| matches!(kind, EventKind::Exit { reason: ExitReason::Panic(_), .. })));
    }
}

/// What is kept of a process that tells its parent that it runs and then waits for ever, once `end` has ended it.
fn kept_of(end: fn(Pid)) -> Trace {
    let (sender, traces) = mpsc::channel();
    on_node(async move {
        let parent = self_pid();
        let (child, _) = spawn_monitor(async move {
            let traced = async {
                send(parent, "running".to_owned());
                receive::<Ping>().await;
                panic!("out of tea");
            };
            trace_to(traced, move |trace| drop(sender.send(trace))).await
        });
        receive::<String>().await;
        end(child);
        receive::<Down>().await;
    });
    traces.recv().unwrap()
}

#[test]
fn a_trace_is_kept_when_the_traced_process_is_killed() {
    let trace = kept_of(|child| exit(child, ExitReason::Kill));
    assert_eq!(sent(&trace)[0], "\"running\"");
}

#[test]
fn a_trace_is_kept_when_the_traced_code_panics_and_ends_with_the_crash() {
    let trace = kept_of(|child| send(child, Ping(child)));
    assert_eq!(sent(&trace)[0], "\"running\"");
    let last = trace.events.last().map(|event| &event.kind);
    assert!(
        matches!(last, Some(EventKind::Exit { reason: ExitReason::Panic(panic), .. })
        if panic.message == "out of tea" && panic.location.is_some()),
        "{last:?}"
    );
}

#[test]
fn a_trace_is_kept_once_when_the_traced_code_returns() {
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = count.clone();
    let value = on_node(async move {
        trace_to(async { 7 }, move |_| {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        })
        .await
    });
    assert_eq!((value, count.load(std::sync::atomic::Ordering::Relaxed)), (7, 1));
}
