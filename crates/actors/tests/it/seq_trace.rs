//! Group L: tokens that a process sets itself, and what the system tracer is told.

use std::time::Duration;

use greenroom::message::{Down, Target};
use greenroom::seq_trace::{self, Event, Flag, Label, NoSuchTracer, Report, Token};
use greenroom::trace::{Serial, Signal};
use greenroom::{
    ExitReason, Node, Pid, Ref, exit, link, monitor, process, receive, receive_timeout, self_pid, send, spawn,
    spawn_link, spawn_monitor, trap_exit,
};

use crate::support::{Ping, Pong, echo, end_of, forever, on, on_node, round_trip};

/// Makes the running process the system tracer's confidant: all reports are passed on to it.
fn start_tracer() -> Pid {
    let test = self_pid();
    let tracer = spawn(async move {
        loop {
            let passed_on = receive! {
                report: Report => Some(report),
                Ping(_): Ping => None,
            };
            send(test, passed_on);
        }
    });
    seq_trace::set_system_tracer(Some(tracer)).unwrap();
    tracer
}

/// The next report, in short.
async fn next() -> String {
    let Report { label, serial: Serial { previous, current }, event, at } = receive::<Option<Report>>().await.unwrap();
    let name = |signal: Signal| match signal {
        Signal::Info { name, .. } => name,
        Signal::Exit(reason) => format!("EXIT {reason}"),
        Signal::Down(reason) => format!("DOWN {reason}"),
        Signal::Call { .. } | Signal::Reply { .. } | Signal::Cast { .. } => "call".to_owned(),
    };
    let event = match event {
        Event::Send { signal, .. } => format!("send {}", name(signal)),
        Event::Receive { signal, .. } => format!("receive {}", name(signal)),
        Event::Spawn { .. } => "spawn".to_owned(),
        Event::Print { text, .. } => format!("print {text}"),
    };
    format!("{label} {event} {{{previous},{current}}}{}", if at.is_some() { " timed" } else { "" })
}

/// Makes sure that there are no more reports.
async fn silence(tracer: Pid) {
    seq_trace::clear_token();
    send(tracer, Ping(self_pid()));
    assert_eq!(receive::<Option<Report>>().await, None);
}

fn serial() -> (u64, u64) {
    seq_trace::token().map_or((0, 0), |token| (token.serial().previous, token.serial().current))
}

#[test]
fn case_189_each_flag_asks_for_its_own_events() {
    for (flag, expected) in [
        (Flag::Send, vec!["x send Ping {0,2}", "x send Pong {2,3}"]),
        (Flag::Receive, vec!["x receive Ping {0,2}", "x receive Pong {2,3}"]),
        (Flag::Spawn, vec!["x spawn {0,1}"]),
        (Flag::Print, vec!["x print said {3,4}"]),
    ] {
        on_node(async move {
            let tracer = start_tracer();
            seq_trace::set_token(Token::new("x").with(flag));
            let server = spawn(echo());
            round_trip(server).await;
            seq_trace::print("said");
            seq_trace::clear_token();
            for expected in expected {
                assert_eq!(next().await, expected);
            }
            silence(tracer).await;
        });
    }
}

#[test]
fn case_189_the_time_is_told_when_it_is_asked_for() {
    on_node(async {
        let tracer = start_tracer();
        let token = Token::new(1).with(Flag::Print).with(Flag::Timestamp);
        seq_trace::set_token(token.clone());
        seq_trace::print("a");
        seq_trace::set_token(token.without(Flag::Timestamp));
        seq_trace::print("b");
        assert_eq!(next().await, "1 print a {0,1} timed");
        assert_eq!(next().await, "1 print b {0,1}");
        silence(tracer).await;
    });
}

#[test]
fn case_190_serials_count_and_answer_as_on_the_beam() {
    on_node(async {
        let server = spawn(async {
            let Ping(from) = receive::<Ping>().await;
            assert_eq!(serial(), (1, 1));
            send(from, 'b');
            send(from, 'c');
            assert_eq!(serial(), (1, 3));
            forever().await;
        });
        let tracer = start_tracer();
        seq_trace::set_token(Token::new("count").with(Flag::Send).with(Flag::Receive));
        send(server, Ping(self_pid()));
        assert_eq!(serial(), (0, 1));
        receive::<char>().await;
        assert_eq!(serial(), (2, 2));
        receive::<char>().await;
        assert_eq!(serial(), (3, 3));
        seq_trace::clear_token();
        let mut seen = Vec::new();
        for _ in 0..6 {
            seen.push(next().await);
        }
        seen.sort();
        assert_eq!(
            seen,
            [
                "count receive Ping {0,1}",
                "count receive char {1,2}",
                "count receive char {1,3}",
                "count send Ping {0,1}",
                "count send char {1,2}",
                "count send char {1,3}",
            ]
        );
        silence(tracer).await;
    });
}

#[test]
fn case_192_a_receive_that_times_out_keeps_the_token() {
    on_node(async {
        seq_trace::set_token(Token::new("kept"));
        assert_eq!(receive_timeout::<char>(Duration::from_millis(1)).await, None);
        assert_eq!(seq_trace::token().unwrap().label(), &Label::from("kept"));
        send(self_pid(), 'x'); // The reply to it is looked at and left: the token stays, too.
        assert_eq!(receive_timeout::<u8>(Duration::ZERO).await, None);
        assert!(seq_trace::token().is_some());
    });
}

#[test]
fn case_193_every_way_to_start_a_process_hands_the_token_down() {
    on_node(async {
        let parent = self_pid();
        let tell = move || async move { send(parent, seq_trace::token().map(|token| token.label().clone())) };
        seq_trace::set_token(Token::new("family"));
        spawn(tell());
        spawn_link(tell());
        spawn_monitor(tell());
        process::spawn_led(parent, tell());
        seq_trace::clear_token();
        for _ in 0..4 {
            assert_eq!(receive::<Option<Label>>().await, Some("family".into()));
        }
        seq_trace::clear_token();
        spawn(tell());
        assert_eq!(receive::<Option<Label>>().await, None);
    });
}

#[test]
fn case_195_a_label_is_anything() {
    on_node(async {
        let reference = Ref::new();
        let labels = [
            Label::from(7),
            Label::from("text"),
            Label::from(String::from("owned")),
            Label::from(self_pid()),
            Label::from(reference),
            Label::shown(&Some((1, "two"))),
        ];
        for label in labels {
            seq_trace::set_token(Token::new(label.clone()));
            send(self_pid(), 'x');
            seq_trace::clear_token();
            receive::<char>().await;
            assert_eq!(seq_trace::token().unwrap().label(), &label);
        }
        assert_eq!(Label::shown(&Some((1, "two"))).to_string(), "Some((1, \"two\"))");
    });
}

#[test]
fn case_196_print_needs_the_flag_and_the_label() {
    on_node(async {
        let tracer = start_tracer();
        seq_trace::print("no token");
        seq_trace::set_token(Token::new(17).with(Flag::Send));
        seq_trace::print("no flag");
        seq_trace::set_token(Token::new(17).with(Flag::Print));
        seq_trace::print_for(42, "another label");
        seq_trace::print("any label");
        seq_trace::print_for(17, "this label");
        seq_trace::clear_token();
        assert_eq!(next().await, "17 print any label {0,1}");
        assert_eq!(next().await, "17 print this label {0,2}");
        silence(tracer).await;
    });
}

#[test]
fn case_197_when_the_tracer_dies_nobody_is_told_any_more() {
    on_node(async {
        let tracer = start_tracer();
        assert_eq!(seq_trace::system_tracer(), Some(tracer));
        exit(tracer, ExitReason::Kill);
        assert_eq!(seq_trace::system_tracer(), None);
        seq_trace::set_token(Token::new("unseen").with(Flag::Send));
        round_trip(spawn(echo())).await;
        assert!(seq_trace::token().is_some()); // The conversation goes on.
        assert_eq!(seq_trace::set_system_tracer(Some(tracer)), Err(NoSuchTracer { pid: tracer }));
        let elsewhere = Node::builder().workers(1).start().unwrap().spawn(forever());
        assert_eq!(seq_trace::set_system_tracer(Some(elsewhere)), Err(NoSuchTracer { pid: elsewhere }));
        let second = start_tracer();
        assert_eq!(seq_trace::set_system_tracer(None), Ok(Some(second)));
    });
}

#[test]
fn case_198_a_reset_clears_processes_and_messages_that_wait() {
    on_node(async {
        let parent = self_pid();
        seq_trace::set_token(Token::new("old"));
        let child = spawn(async move {
            receive::<Pong>().await;
            send(parent, seq_trace::token().is_some());
        });
        send(self_pid(), 'x');
        seq_trace::reset();
        assert_eq!(seq_trace::token(), None);
        receive::<char>().await;
        assert_eq!(seq_trace::token(), None);
        send(child, Pong);
        assert!(!receive::<bool>().await);
        seq_trace::set_token(Token::new("new"));
        assert_eq!(serial(), (0, 0));
    });
}

#[test]
fn a_message_without_a_token_clears_it_and_one_with_another_replaces_it() {
    on_node(async {
        let parent = self_pid();
        for label in [None, Some("theirs")] {
            spawn(async move {
                if let Some(label) = label {
                    seq_trace::set_token(Token::new(label));
                }
                send(parent, 'x');
            });
            seq_trace::set_token(Token::new("mine"));
            receive::<char>().await;
            let now = seq_trace::token().map(|token| token.label().to_string());
            assert_eq!(now.as_deref(), label);
        }
    });
}

#[test]
fn exits_and_downs_carry_the_token_too() {
    on_node(async {
        trap_exit(true);
        let victim = spawn_monitor(forever());
        link(victim.0);
        let killer = spawn(async {
            let victim = receive::<Pid>().await;
            exit(victim, "enough");
        });
        seq_trace::set_token(Token::new("end"));
        send(killer, victim.0);
        seq_trace::clear_token();
        assert_eq!(end_of(victim).await, ExitReason::from("enough"));
        assert_eq!(seq_trace::token().map(|token| token.label().to_string()).as_deref(), Some("end"));
        receive::<greenroom::message::Exit>().await;
        assert!(seq_trace::token().is_some());
        monitor(victim.0);
        seq_trace::clear_token();
        assert_eq!(receive::<Down>().await.reason, ExitReason::NoProc);
    });
}

#[test]
fn what_the_tracer_sends_is_not_traced() {
    on_node(async {
        let test = self_pid();
        let tracer = spawn(async move {
            receive::<Pong>().await; // It has a token now.
            send(test, 'x');
            let report = receive::<Report>().await;
            send(test, Some(report));
        });
        seq_trace::set_system_tracer(Some(tracer)).unwrap();
        seq_trace::set_token(Token::new("loop").with(Flag::Send));
        send(tracer, Pong);
        seq_trace::clear_token();
        receive::<char>().await;
        assert_eq!(seq_trace::token(), None);
        let Some(Report { event: Event::Send { to, .. }, .. }) = receive::<Option<Report>>().await else { panic!() };
        assert_eq!(to, Target::Pid(tracer));
    });
}

#[test]
fn a_node_can_be_told_who_traces_from_outside() {
    let node = Node::builder().workers(1).start().unwrap();
    let tracer = node.spawn(forever());
    assert_eq!(node.set_system_tracer(Some(tracer)), Ok(None));
    assert_eq!(on(&node, async { seq_trace::system_tracer() }), Some(tracer));
    assert_eq!(node.set_system_tracer(None), Ok(Some(tracer)));
}
