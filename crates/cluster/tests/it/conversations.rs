//! Group L across nodes: the token of a conversation goes with its messages and comes back.

use greenroom::seq_trace::{self, Event, Flag, Label, Report, Token};
use greenroom::trace::EventKind;
use greenroom::{Pid, Ref, receive, self_pid, send};

use crate::nodes::pair;

#[test]
fn case_195_any_label_goes_to_another_node_and_back_and_each_tracer_sees_its_part() {
    let (near, far) = pair();
    let test = near.node.id();
    let (told, reports) = std::sync::mpsc::channel();
    let tracer = far.node.spawn(async move {
        loop {
            let Report { label, serial, event, .. } = receive::<Report>().await;
            let Event::Receive { from, .. } = event else { panic!("only that was asked for") };
            told.send((label, serial.previous, serial.current, from.unwrap().node())).unwrap();
        }
    });
    far.node.set_system_tracer(Some(tracer)).unwrap();
    let server = far.node.spawn(async {
        loop {
            let from = receive::<Pid>().await;
            send(from, 'y');
            seq_trace::clear_token();
        }
    });
    near.node.block_on(async move {
        for label in [Label::from(7), Label::from("text"), Label::from(self_pid()), Label::from(Ref::new())] {
            seq_trace::set_token(Token::new(label.clone()).with(Flag::Receive));
            send(server, self_pid());
            seq_trace::clear_token();
            receive::<char>().await;
            let token = seq_trace::clear_token().unwrap();
            assert!(token.label() == &label && token.has(Flag::Receive) && !token.has(Flag::Send));
            assert_eq!((token.serial().previous, token.serial().current), (2, 2));
            assert_eq!(reports.recv().unwrap(), (label, 0, 1, test));
        }
    });
}

#[test]
fn a_recording_goes_on_when_its_conversation_comes_back_from_another_node() {
    let (near, far) = pair();
    let server = far.node.spawn(async {
        let from = receive::<Pid>().await;
        send(from, 'y');
    });
    let trace = near.node.block_on(async move {
        let ((), trace) = greenroom::trace(async move {
            send(server, self_pid());
            receive::<char>().await;
            send(self_pid(), 'z');
        })
        .await;
        trace
    });
    let kinds: Vec<_> = trace
        .events
        .iter()
        .map(|event| match event.kind {
            EventKind::Send { .. } => "send",
            EventKind::Receive { .. } => "receive",
            _ => "other",
        })
        .collect();
    assert_eq!(kinds, ["send", "receive", "send"]);
}
