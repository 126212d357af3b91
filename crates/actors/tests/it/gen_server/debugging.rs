//! Looking into servers: what they accept, their state, suspending them, and what a tracer sees.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use greenroom::gen_server::{self, CallFailure, GenServer, Kind};
use greenroom::trace::{EventKind, Signal};
use greenroom::{exit, self_pid, spawn, trace};

use super::{Diary, Do, Init, Note, diary, notes, why};
use crate::support::{forever, leaving_nothing};

#[test]
fn a_server_says_what_it_accepts() {
    leaving_nothing(|_| async {
        let diary = diary().await;
        let description = gen_server::describe(diary.pid()).await.unwrap();
        assert!(description.server.ends_with("gen_server::Diary"), "{}", description.server);
        let shown: Vec<_> = description.accepts.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "call Do -> Vec<String>",
                "call Waiting -> Vec<Caller<Vec<String>>>",
                "cast Note",
                "cast Do",
                "cast Answer",
                "info Note",
                "info Down",
                "info Exit"
            ]
        );
        assert_eq!(description.accepts[0].kind, Kind::Call);
        diary.stop().await.unwrap();
    });
}

#[test]
fn the_state_can_be_seen_and_replaced() {
    leaving_nothing(|_| async {
        let diary = Diary::named("diary").start(Init::Plain).await.unwrap();
        diary.cast(Note(1));
        assert!(gen_server::state("diary").await.unwrap().contains("\"cast 1\""));
        let before = diary.with_state(|diary| std::mem::replace(&mut diary.notes, vec!["new".into()])).await;
        assert_eq!(before.unwrap(), ["cast 1"]);
        assert_eq!(notes(diary).await, ["new"]);
        let panic = AssertUnwindSafe(diary.with_state(|_| -> u8 { panic!("look fails") })).catch_unwind().await;
        assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"look fails"));
        assert_eq!(notes(diary).await, ["new"]);
        diary.stop().await.unwrap();
        assert_eq!(why(gen_server::state("diary").await), CallFailure::NoProc);
    });
}

#[test]
fn case_124_calls_wait_while_a_server_is_suspended_and_are_answered_when_it_goes_on() {
    leaving_nothing(|clock| async move {
        let diary = diary().await;
        diary.suspend().await.unwrap();
        diary.cast(Note(1));
        let mut call = Box::pin(diary.call(Do::Tell));
        assert!(futures_util::poll!(&mut call).is_pending());
        clock.settled().await;
        assert!(futures_util::poll!(&mut call).is_pending());
        assert!(gen_server::state(diary.pid()).await.unwrap().contains("notes: []"));
        diary.resume().await.unwrap();
        assert_eq!(call.await.unwrap(), ["cast 1"]);
        diary.suspend().await.unwrap();
        exit(diary.pid(), "enough");
        assert_eq!(why(diary.resume().await), CallFailure::NoProc);
    });
}

#[test]
fn a_tracer_sees_calls_replies_and_casts_by_name() {
    leaving_nothing(|_| async {
        let diary = diary().await;
        let ((), trace) = trace(async move {
            diary.cast(Note(1));
            notes(diary).await;
            drop(diary.call(Do::Panic).await);
        })
        .await;
        let label = |signal: &Signal| match signal {
            Signal::Call { name, text } => format!("CALL {name}: {text}"),
            Signal::Cast { name, text } => format!("CAST {name}: {text}"),
            Signal::Reply { text } => format!("REPLY {text}"),
            Signal::Down(_) => "DOWN".to_owned(),
            Signal::Info { name, .. } => format!("INFO {name}"),
            Signal::Exit(reason) => format!("EXIT {reason}"),
        };
        let mut sent: Vec<_> = trace
            .events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::Send { from, to, signal } => {
                    assert!([*from, *to].contains(&self_pid()) && from != to);
                    Some(label(signal))
                }
                _ => None,
            })
            .collect();
        sent.sort();
        assert_eq!(sent, ["CALL Do: Panic", "CALL Do: Tell", "CAST Note: Note(1)", "DOWN", "REPLY [\"cast 1\"]"]);
        assert_eq!(trace.names[&diary.pid()].label.as_deref(), Some("Diary"));
    });
}

#[test]
fn a_process_that_is_no_server_has_no_state() {
    leaving_nothing(|clock| async move {
        let process = spawn(forever());
        let mut asked = Box::pin(gen_server::state(process));
        assert!(futures_util::poll!(&mut asked).is_pending());
        clock.settled().await;
        exit(process, "enough");
        assert_eq!(why(asked.await), super::ended("enough"));
    });
}
