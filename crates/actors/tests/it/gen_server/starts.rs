//! Starting servers: by name, as children, and not at all.

use std::time::Duration;

use greenroom::gen_server::{GenServer, InitError, StartError};
use greenroom::message::Exit;
use greenroom::supervisor::{Strategy, Supervisor};
use greenroom::{ExitReason, RegisterError, exit, link, process, self_pid, send, spawn, trap_exit, whereis};

use super::{Answer, Diary, Do, Init, News, Note, diary, notes, panic_of};
use crate::support::{end_of_new, gone, has, leaving_nothing, other};

fn failed(reason: ExitReason) -> StartError {
    StartError::Init { server: "Diary".into(), reason }
}

#[test]
fn case_112_init_that_stops_is_an_error_and_its_process_is_gone() {
    leaving_nothing(|_| async {
        for (init, reason) in [
            (Init::Stop("no disk"), other("no disk")),
            (Init::Fail, ExitReason::Error("invalid digit found in string".into())),
        ] {
            let named = || Diary::named("diary");
            assert_eq!(named().start_link(init.clone()).await, Err(failed(reason.clone())));
            assert_eq!((whereis("diary"), process::list()), (None, vec![self_pid()]));
            assert_eq!(named().start(init).await, Err(failed(reason)));
            assert_eq!((whereis("diary"), process::list()), (None, vec![self_pid()]));
        }
        let error = Diary::start(Init::Stop("no disk")).await.unwrap_err();
        assert_eq!(error.to_string(), "Diary did not start, its `init` failed: no disk");
        assert_eq!(InitError::stop("x"), InitError::Stop("x".into()));
    });
}

#[test]
fn case_113_a_crash_of_init_kills_a_linked_caller_that_does_not_trap_exits() {
    leaving_nothing(|_| async {
        let reason = end_of_new(async { drop(Diary::start_link(Init::Panic).await) }).await;
        assert_eq!(panic_of(&reason), "init fails");

        trap_exit(true);
        let Err(StartError::Init { reason, .. }) = Diary::start_link(Init::Panic).await else { panic!() };
        assert_eq!(panic_of(&reason), "init fails");
        trap_exit(false);
        let Err(StartError::Init { reason, .. }) = Diary::start(Init::Panic).await else { panic!() };
        assert_eq!(panic_of(&reason), "init fails");
        assert!(!has::<Exit>().await);
    });
}

#[test]
fn case_114_init_may_say_that_there_is_nothing_to_do() {
    leaving_nothing(|_| async {
        let ignored = Err(StartError::Ignored { server: "Diary".into() });
        assert_eq!(Diary::start_link(Init::Ignore).await, ignored);
        assert_eq!(Diary::named("diary").start(Init::Ignore).await, ignored);
        assert_eq!(whereis("diary"), None);
    });
}

#[test]
fn case_115_init_that_never_finishes_is_killed_when_its_time_is_up() {
    leaving_nothing(|clock| async move {
        let within = Duration::from_secs(1);
        let starts = spawn(async move {
            for linked in [false, true] {
                let starter = Diary::init_within(within).named("diary");
                let outcome = match linked {
                    true => starter.start_link(Init::Never).await,
                    false => starter.start(Init::Never).await,
                };
                assert_eq!(outcome, Err(StartError::Timeout { server: "Diary".into(), within }));
                assert_eq!(whereis("diary"), None);
            }
        });
        clock.pass(within).await;
        clock.pass(within).await;
        gone(starts).await;
    });
}

#[test]
fn a_starter_that_is_killed_takes_a_linked_server_with_it_in_init_too() {
    leaving_nothing(|clock| async move {
        let starter = spawn(async { drop(Diary::start_link(Init::Never).await) });
        clock.settled().await;
        exit(starter, ExitReason::Kill);
        gone(starter).await;
    });
}

#[test]
fn case_116_a_name_that_is_taken_says_by_whom() {
    leaving_nothing(|_| async {
        let diary = Diary::named("diary").start_link(Init::Plain).await.unwrap();
        let error = Diary::named("diary").start_link(Init::Plain).await.unwrap_err();
        assert_eq!(error, StartError::AlreadyStarted { name: "diary".into(), pid: diary.pid() });
        assert_eq!(error.to_string(), format!("`diary` is started already: it is {}", diary.pid()));
        let empty = Diary::named("").start_link(Init::Plain).await;
        assert_eq!(empty, Err(StartError::Name(RegisterError::Empty)));
        assert_eq!(process::list().len(), 2);
        Diary::at("diary").stop().await.unwrap();
    });
}

#[test]
fn case_117_what_continues_a_start_comes_before_any_message() {
    leaving_nothing(|_| async {
        let diary = Diary::named("diary").start(Init::Continuing(self_pid())).await.unwrap();
        assert_eq!(greenroom::receive::<News>().await, News::Continuing);
        diary.cast(Note(1));
        send(diary.pid(), Answer);
        assert_eq!(notes(diary).await, ["continued", "cast 1"]);
        diary.stop().await.unwrap();
    });
}

#[test]
fn case_117_what_continues_a_call_comes_before_what_waits() {
    leaving_nothing(|clock| async move {
        let diary = diary().await;
        diary.suspend().await.unwrap();
        let mut call = Box::pin(diary.call(Do::Then(2)));
        assert!(futures_util::poll!(&mut call).is_pending());
        diary.cast(Note(1));
        clock.settled().await;
        diary.resume().await.unwrap();
        call.await.unwrap();
        assert_eq!(notes(diary).await, ["info 2", "cast 1"]);
        diary.stop().await.unwrap();
    });
}

#[test]
fn a_server_is_a_child_that_is_started_again() {
    leaving_nothing(|clock| async move {
        let supervisor = Supervisor::new(Strategy::OneForOne)
            .child(Diary::spec(Init::Plain))
            .child(Diary::named("other").spec(Init::Plain))
            .start_link()
            .await
            .unwrap();
        let children = supervisor.which_children().await.unwrap();
        let ids: Vec<_> = children.iter().map(|child| child.id.to_string()).collect();
        assert_eq!(ids, ["other", "Diary"]);
        let first = whereis("other").unwrap();
        exit(first, ExitReason::Kill);
        gone(first).await;
        clock.settled().await;
        assert_ne!(whereis("other"), Some(first));
        assert_eq!(Diary::at("other").call(Do::Tell).await, Ok(vec![]));
        link(supervisor.pid());
        greenroom::unlink(supervisor.pid());
        exit(supervisor.pid(), ExitReason::Shutdown);
        exit(supervisor.pid(), ExitReason::Kill);
        gone(supervisor.pid()).await;
    });
}
