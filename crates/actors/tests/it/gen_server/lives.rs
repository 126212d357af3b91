//! What servers do between calls: they wait, clean up, stop.

use std::time::Duration;

use greenroom::gen_server::{GenServer, Next, Reply, StopFailure};
use greenroom::message::Exit;
use greenroom::{ExitReason, exit, process, receive, receive_timeout, self_pid, spawn, spawn_monitor, trap_exit};

use super::{Diary, Do, Init, News, Note, diary, ended, me, notes, why};
use crate::support::{end_of, gone, leaving_nothing, other};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn case_119_without_trapping_exits_a_server_dies_with_its_parent_and_does_not_clean_up() {
    leaving_nothing(|_| async {
        let witness = self_pid();
        let parent = spawn(async move {
            let init = Init::PanickingAtTheEnd(witness);
            Diary::start_link(init).await.unwrap();
            process::sleep(SECOND).await;
        });
        while process::list().len() < 3 {
            greenroom::yield_now().await;
        }
        let diary = process::info(parent).unwrap().links[0];
        exit(parent, "enough");
        gone(diary).await;
        assert_eq!(receive_timeout::<News>(Duration::ZERO).await, None);
    });
}

#[test]
fn case_119_one_that_traps_exits_cleans_up_when_its_parent_ends() {
    leaving_nothing(|_| async {
        let witness = self_pid();
        let (parent, _) = spawn_monitor(async move {
            Diary::start_link(Init::Trapping(witness)).await.unwrap();
            greenroom::exit_self("enough")
        });
        assert_eq!(receive::<News>().await, News::Terminated(other("enough")));
        assert_eq!(receive::<News>().await, News::Dropped);
        assert_eq!(receive::<greenroom::message::Down>().await.target, greenroom::message::Target::Pid(parent));
    });
}

#[test]
fn the_exits_of_others_are_messages_to_a_server_that_traps_exits() {
    leaving_nothing(|_| async {
        let diary = Diary::start(Init::Trapping(me())).await.unwrap();
        exit(diary.pid(), "hello");
        assert_eq!(notes(diary).await, ["exit hello"]);
        diary.stop().await.unwrap();
        assert_eq!(receive::<News>().await, News::Terminated(ExitReason::Normal));
        assert_eq!(receive::<News>().await, News::Dropped);
    });
}

#[test]
fn case_121_any_message_ends_the_wait_for_one() {
    leaving_nothing(|clock| async move {
        let diary = diary().await;
        diary.call(Do::Idle(SECOND)).await.unwrap();
        clock.pass(SECOND / 2).await;
        diary.cast(Note(1));
        clock.pass(2 * SECOND).await;
        assert_eq!(notes(diary).await, ["cast 1"]);
        diary.call(Do::Idle(SECOND)).await.unwrap();
        clock.pass(SECOND).await;
        assert_eq!(notes(diary).await, ["cast 1", "idle"]);
        clock.pass(2 * SECOND).await;
        assert_eq!(notes(diary).await, ["cast 1", "idle"]);
        diary.stop().await.unwrap();
    });
}

#[test]
fn case_122_a_wait_of_no_time_is_over_before_a_message_that_comes_later() {
    leaving_nothing(|clock| async move {
        let diary = Diary::start(Init::Idle(Duration::ZERO)).await.unwrap();
        clock.settled().await;
        diary.cast(Note(1));
        assert_eq!(notes(diary).await, ["idle", "cast 1"]);
        diary.stop().await.unwrap();
    });
}

#[test]
fn a_server_that_stops_cleans_up_before_its_last_answer() {
    leaving_nothing(|_| async {
        let diary = Diary::start(Init::Trapping(me())).await.unwrap();
        assert_eq!(diary.call(Do::StopAndTell("enough".into())).await, Ok(vec![]));
        let terminated = receive_timeout::<News>(Duration::ZERO).await;
        assert_eq!(terminated, Some(News::Terminated(other("enough"))));
        assert_eq!(receive::<News>().await, News::Dropped);
        gone(diary.pid()).await;
    });
}

#[test]
fn an_error_in_a_cast_stops_the_server() {
    leaving_nothing(|_| async {
        let diary = diary().await;
        let watch = greenroom::monitor(diary.pid());
        diary.cast(Do::Stop("error".into()));
        let reason = end_of((diary.pid(), watch)).await;
        assert_eq!(reason, ExitReason::Error("invalid digit found in string".into()));
    });
}

#[test]
fn case_125_stopping_nobody_says_so() {
    leaving_nothing(|_| async {
        let diary = diary().await;
        diary.stop().await.unwrap();
        assert_eq!(diary.stop().await.unwrap_err().why, StopFailure::NoProc);
        let error = Diary::at("nobody").stop().await.unwrap_err();
        assert_eq!(error.why, StopFailure::NoProc);
        assert!(error.to_string().starts_with("there is no `nobody` on "));
    });
}

#[test]
fn stopping_gives_a_reason_and_takes_its_time_or_not() {
    leaving_nothing(|clock| async move {
        trap_exit(true);
        let diary = Diary::start_link(Init::Trapping(me())).await.unwrap();
        diary.stop_with(ExitReason::Shutdown, SECOND).await.unwrap();
        assert_eq!(receive::<News>().await, News::Terminated(ExitReason::Shutdown));
        assert_eq!(receive::<News>().await, News::Dropped);
        assert_eq!(receive::<Exit>().await.reason, ExitReason::Shutdown);
        trap_exit(false);

        let busy = spawn(process::sleep(10 * SECOND));
        let stop = spawn_monitor(async move {
            let error = Diary::at(busy).stop_with("x", SECOND).await.unwrap_err();
            assert_eq!(error.why, StopFailure::Timeout(SECOND));
        });
        clock.pass(SECOND).await;
        assert_eq!(end_of(stop).await, ExitReason::Normal);
        exit(busy, ExitReason::Kill);

        let diary = self::diary().await;
        diary.suspend().await.unwrap();
        let itself = diary.pid();
        assert_eq!(Diary::at(me()).stop().await.unwrap_err().why, StopFailure::StoppingItself);
        diary.stop_with("while suspended", SECOND).await.unwrap();
        gone(itself).await;
        assert_eq!(why(diary.call(Do::Tell).await), greenroom::gen_server::CallFailure::NoProc);
    });
}

#[test]
fn a_server_that_ends_for_another_reason_than_it_was_told_did_not_just_stop() {
    leaving_nothing(|_| async {
        let diary = Diary::start(Init::PanickingAtTheEnd(me())).await.unwrap();
        let StopFailure::Ended(reason) = diary.stop().await.unwrap_err().why else { panic!() };
        assert_eq!(super::panic_of(&reason), "terminate fails");
        assert_eq!(receive::<News>().await, News::Terminated(ExitReason::Normal));
        assert_eq!(receive::<News>().await, News::Dropped);
    });
}

#[test]
fn what_handlers_return_reads_as_it_is_meant() {
    assert_eq!(format!("{:?}", Next::from(())), format!("{:?}", Next::go()));
    assert_eq!(format!("{:?}", Next::from(Ok::<_, String>(()))), format!("{:?}", Next::go()));
    let stopped = Next::stop(ExitReason::Error("broken".into()));
    assert_eq!(format!("{:?}", Next::from(Err::<(), _>("broken"))), format!("{stopped:?}"));
    assert_eq!(format!("{:?}", Reply::from(3)), format!("{:?}", Reply::now(3)));
    assert_eq!(ended("x"), ended("x"));
}
