//! What a trace shows of supervisors.

use std::sync::Arc;

use greenroom::supervisor::{ChildSpec, DynamicSupervisor, Strategy};
use greenroom::trace::{EventKind, Recorder, Signal};
use greenroom::{Clock, ExitReason, Node, Supervisor, exit, self_pid};

use super::pid_of;
use crate::support::{forever, on};

/// What was called, answered and restarted while `test` ran, in words.
fn check<F>(expected: &[&str], test: impl FnOnce(Clock) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let node = Node::builder().workers(1).manual_clock().start().unwrap();
    let recorder = Arc::new(Recorder::default());
    node.set_tracer(Some(recorder.clone()));
    let test = test(node.clock());
    let caller = on(&node, async {
        test.await;
        self_pid()
    });
    let words = |kind: EventKind| match kind {
        EventKind::Send { signal: Signal::Call { name, .. }, .. } => Some(format!("CALL {name}")),
        EventKind::Restart { id, old, new, .. } => {
            assert_ne!(old, new);
            Some(format!("RESTART {id}"))
        }
        EventKind::Send { signal: Signal::Info { name, .. }, .. } => Some(name),
        _ => None,
    };
    let seen: Vec<_> = recorder.take(caller).events.into_iter().filter_map(|event| words(event.kind)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn requests_are_calls_by_their_name_and_restarts_are_named_after_the_child() {
    check(&["CALL StartChild", "CALL Describe", "RESTART b", "CALL TerminateChild", "CALL Stop"], |clock| async move {
        let supervisor = Supervisor::new(Strategy::OneForOne).child(ChildSpec::new("a", forever));
        let supervisor = supervisor.start_link().await.unwrap();
        supervisor.start_child(ChildSpec::new("b", forever)).await.unwrap();
        exit(pid_of(supervisor, "b").await, ExitReason::Kill);
        clock.settled().await;
        supervisor.terminate_child("a").await.unwrap();
        supervisor.stop().await;
    });
}

#[test]
fn a_dynamic_supervisor_is_traced_alike() {
    check(&["CALL StartChild", "RESTART a", "CALL CountChildren"], |clock| async move {
        let supervisor = DynamicSupervisor::new().start_link().await.unwrap();
        let child = supervisor.start_child(ChildSpec::new("a", forever)).await.unwrap();
        exit(child, ExitReason::Kill);
        clock.settled().await;
        supervisor.count_children().await.unwrap();
    });
}
