//! Group L: the token that follows a conversation, and what a tracer of the whole node sees.

use std::sync::Arc;
use std::time::Duration;

use greenroom::trace::{EventKind, Recorder, Serial, Signal, Trace};
use greenroom::{Node, Pid, receive, receive_timeout, self_pid, send, spawn, trace};

use crate::support::{Ping, Pong, echo, forever, on, on_node, round_trip};

/// The serials of what was sent, in order of their numbers.
fn serials(trace: &Trace) -> Vec<(u64, u64)> {
    let sent = trace.events.iter().filter(|event| matches!(event.kind, EventKind::Send { .. }));
    let mut serials: Vec<_> =
        sent.filter_map(|event| event.serial).map(|Serial { previous, current }| (previous, current)).collect();
    serials.sort_unstable_by_key(|(_, current)| *current);
    serials
}

fn names(trace: &Trace) -> Vec<String> {
    let name = |signal: &Signal| match signal {
        Signal::Info { name, .. } => name.clone(),
        other => format!("{other:?}"),
    };
    let label = |kind: &EventKind| match kind {
        EventKind::Send { signal, .. } => Some(format!("send {}", name(signal))),
        EventKind::Receive { signal, .. } => Some(format!("receive {}", name(signal))),
        EventKind::Spawn { .. } => Some("spawn".into()),
        EventKind::Exit { reason, .. } => Some(format!("exit {reason}")),
        _ => None,
    };
    trace.events.iter().filter_map(|event| label(&event.kind)).collect()
}

#[test]
fn case_190_serials_answer_what_was_received_last() {
    on_node(async {
        let parent = self_pid();
        let server = spawn(async move {
            let Ping(from) = receive::<Ping>().await;
            send(from, 'b');
            send(from, 'c');
            forever().await;
        });
        let ((), trace) = trace(async move {
            send(server, Ping(parent));
            receive::<char>().await;
            receive::<char>().await;
        })
        .await;
        assert_eq!(serials(&trace), [(0, 1), (1, 2), (1, 3)]);
    });
}

#[test]
fn case_192_a_receive_that_times_out_keeps_the_token() {
    on_node(async {
        let server = spawn(echo());
        let ((), trace) = trace(async move {
            assert_eq!(receive_timeout::<char>(Duration::from_millis(1)).await, None);
            round_trip(server).await;
        })
        .await;
        assert_eq!(names(&trace), ["send Ping", "receive Ping", "send Pong", "receive Pong"]);
    });
}

#[test]
fn case_193_whoever_is_started_inherits_the_token() {
    on_node(async {
        let parent = self_pid();
        let ((), trace) = trace(async move {
            spawn(async move {
                spawn(async move { send(parent, Pong) });
            });
            receive::<Pong>().await;
        })
        .await;
        assert!(names(&trace).iter().filter(|name| *name == "spawn").count() == 2);
        assert!(names(&trace).contains(&"send Pong".to_owned()));
    });
}

#[test]
fn a_message_without_a_token_clears_it() {
    on_node(async {
        let outsider = spawn(async {
            let from = receive::<Pid>().await;
            send(from, 'x');
        });
        let parent = self_pid();
        send(outsider, parent);
        let witness = spawn(echo());
        let ((), trace) = trace(async move {
            receive::<char>().await;
            round_trip(witness).await;
        })
        .await;
        assert_eq!(names(&trace), Vec::<String>::new());
    });
}

#[test]
fn a_tracer_of_the_node_sees_everything_until_it_is_taken_away() {
    let node = Node::builder().workers(2).start().unwrap();
    let recorder = Arc::new(Recorder::default());
    node.set_tracer(Some(recorder.clone()));
    let caller = on(&node, async {
        let server = spawn(echo());
        round_trip(server).await;
        greenroom::exit(server, "stop");
        self_pid()
    });
    node.set_tracer(None);
    let trace = recorder.take(caller);
    for expected in ["spawn", "send Ping", "receive Ping", "send Pong", "receive Pong", "exit stop"] {
        assert!(names(&trace).contains(&expected.to_owned()), "{expected} is not in {:?}", names(&trace));
    }
    on(&node, async { round_trip(spawn(echo())).await });
    assert!(recorder.take(caller).events.is_empty());
}
