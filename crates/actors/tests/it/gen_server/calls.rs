//! Calls and casts: who is called, what comes back, and what does not.

use std::time::Duration;

use greenroom::gen_server::{CallFailure, GenServer, abcast, multi_call};
use greenroom::message::Down;
use greenroom::{ExitReason, exit, process, receive, self_pid, send, spawn, spawn_monitor};

use super::{Answer, Diary, Do, Init, Letter, Note, Other, Waiting, diary, ended, me, notes, why};
use crate::support::{end_of, gone, has, leaving_nothing};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_call_is_answered_and_calls_are_handled_in_order() {
    leaving_nothing(|_| async {
        let diary = diary().await;
        diary.cast(Note(1));
        assert_eq!(diary.call(Do::Tell).await.unwrap(), ["cast 1"]);
        diary.stop().await.unwrap();
    });
}

#[test]
fn case_102_calling_nobody_says_so() {
    leaving_nothing(|_| async {
        let diary = diary().await;
        diary.stop().await.unwrap();
        let error = diary.call(Do::Tell).await.unwrap_err();
        assert_eq!(error.why, CallFailure::NoProc);
        assert_eq!(
            error.to_string(),
            format!(
                "{} was called with Do, but there is no such process: it has ended or was not started",
                diary.pid()
            )
        );
        assert_eq!(why(Diary::at("nobody").call(Do::Tell).await), CallFailure::NoProc);
        let elsewhere = ("nobody", greenroom::node());
        assert_eq!(why(Diary::at(elsewhere).call(Do::Tell).await), CallFailure::NoProc);
    });
}

#[test]
fn case_103_calling_oneself_says_so() {
    leaving_nothing(|_| async {
        assert_eq!(why(Diary::at(me()).call(Do::Tell).await), CallFailure::CallingItself);
        greenroom::register("myself", me()).unwrap();
        assert_eq!(why(Diary::at("myself").call(Do::Tell).await), CallFailure::CallingItself);
        greenroom::unregister("myself");
    });
}

#[test]
fn case_104_the_caller_learns_why_the_server_crashed() {
    leaving_nothing(|_| async {
        let reason = why(diary().await.call(Do::Panic).await);
        let CallFailure::Ended(reason) = reason else { panic!("{reason:?}") };
        assert_eq!(super::panic_of(&reason), "call fails");
        assert_eq!(why(diary().await.call(Do::Exit("enough".into())).await), ended("enough"));
        assert!(!has::<Down>().await);
    });
}

#[test]
fn case_104_those_whose_requests_wait_learn_it_as_well() {
    leaving_nothing(|clock| async move {
        let diary = diary().await;
        diary.suspend().await.unwrap();
        let callers: Vec<_> =
            (0..3).map(|_| spawn_monitor(async move { diary.call(Do::Tell).await.map(drop) })).collect();
        clock.settled().await;
        exit(diary.pid(), "enough");
        for caller in callers {
            let ExitReason::Error(error) = end_of(caller).await else { panic!() };
            assert!(error.ends_with("but ended before it answered: enough"), "{error}");
        }
    });
}

#[test]
fn case_105_a_call_that_takes_too_long_is_given_up_and_its_answer_dropped() {
    leaving_nothing(|clock| async move {
        let diary = diary().await;
        let caller = spawn_monitor(async move {
            assert_eq!(why(diary.call(Do::Wait).await), CallFailure::Timeout(5 * SECOND));
            diary.cast(Answer);
            notes(diary).await; // By now it has answered.
            assert_eq!(process::info(self_pid()).unwrap().message_queue_len, 0);
        });
        clock.pass(5 * SECOND - Duration::from_nanos(1)).await;
        assert!(process::is_alive(caller.0));
        clock.pass(Duration::from_nanos(1)).await;
        assert_eq!(end_of(caller).await, ExitReason::Normal);
        diary.stop().await.unwrap();
    });
}

#[test]
fn calls_of_different_length_in_one_process_each_take_their_time() {
    leaving_nothing(|clock| async move {
        let diary = diary().await;
        let caller = spawn_monitor(async move {
            for time in [3, 1, 2] {
                let time = time * SECOND;
                assert_eq!(why(diary.call_timeout(Do::Nothing, time).await), CallFailure::Timeout(time));
            }
            let (long, short) =
                tokio::join!(diary.call_timeout(Do::Nothing, 4 * SECOND), diary.call_timeout(Do::Nothing, SECOND));
            assert_eq!((why(long), why(short)), (CallFailure::Timeout(4 * SECOND), CallFailure::Timeout(SECOND)));
        });
        clock.pass(10 * SECOND - Duration::from_nanos(1)).await;
        assert!(process::is_alive(caller.0));
        clock.pass(Duration::from_nanos(1)).await;
        assert_eq!(end_of(caller).await, ExitReason::Normal);
        diary.stop().await.unwrap();
    });
}

#[test]
fn case_106_with_no_time_at_all_a_call_is_given_up_at_once() {
    leaving_nothing(|_| async {
        let diary = diary().await;
        let outcome = diary.call_timeout(Do::Nothing, Duration::ZERO).await;
        assert_eq!(why(outcome), CallFailure::Timeout(Duration::ZERO));
        diary.stop().await.unwrap();
    });
}

#[test]
fn a_call_that_is_dropped_leaves_nothing_whether_it_was_answered_or_not() {
    leaving_nothing(|clock| async move {
        let diary = diary().await;
        for what in [Do::Nothing, Do::Tell, Do::Stop("enough".into())] {
            let mut call = Box::pin(diary.call(what));
            assert!(futures_util::poll!(&mut call).is_pending());
            clock.settled().await;
            drop(call);
            assert_eq!(process::info(self_pid()).unwrap().message_queue_len, 0);
        }
    });
}

#[test]
fn a_caller_that_is_killed_leaves_nothing_at_the_server() {
    leaving_nothing(|clock| async move {
        let diary = diary().await;
        let caller = spawn(async move { diary.call(Do::Wait).await.map(drop) });
        clock.settled().await;
        assert_eq!(process::info(diary.pid()).unwrap().monitored_by, [caller]);
        exit(caller, ExitReason::Kill);
        gone(caller).await;
        clock.settled().await;
        assert_eq!(process::info(diary.pid()).unwrap().monitored_by, []);
        diary.cast(Answer);
        diary.stop().await.unwrap();
    });
}

#[test]
fn case_108_a_server_that_stops_without_an_answer_tells_its_reason() {
    leaving_nothing(|_| async {
        assert_eq!(why(diary().await.call(Do::Stop("enough".into())).await), ended("enough"));
        let diary = diary().await;
        assert_eq!(diary.call(Do::StopAndTell("enough".into())).await, Ok(vec![]));
        gone(diary.pid()).await;
    });
}

#[test]
fn case_109_another_process_can_answer() {
    leaving_nothing(|clock| async move {
        let diary = diary().await;
        let mut callers: Vec<_> = (0..2)
            .map(|_| spawn_monitor(async move { assert_eq!(diary.call(Do::Wait).await.unwrap(), ["from elsewhere"]) }))
            .collect();
        callers.sort();
        clock.settled().await;
        let waiting = diary.call(Waiting).await.unwrap();
        let mut pids: Vec<_> = waiting.iter().map(|caller| caller.pid()).collect();
        pids.sort();
        assert_eq!(pids, [callers[0].0, callers[1].0]);
        for caller in waiting {
            spawn(async move { caller.reply(vec!["from elsewhere".to_owned()]) });
        }
        for caller in callers {
            assert_eq!(end_of(caller).await, ExitReason::Normal);
        }
        diary.stop().await.unwrap();
    });
}

#[test]
fn a_second_answer_is_dropped() {
    leaving_nothing(|_| async {
        let diary = diary().await;
        assert_eq!(diary.call(Do::Twice).await.unwrap().len(), 1);
        assert_eq!(notes(diary).await, Vec::<String>::new());
        diary.stop().await.unwrap();
    });
}

#[test]
fn case_110_a_cast_to_nobody_is_dropped() {
    leaving_nothing(|_| async {
        Diary::at("nobody").cast(Note(1));
        let diary = diary().await;
        diary.stop().await.unwrap();
        diary.cast(Note(1));
    });
}

#[test]
fn case_111_casts_infos_and_calls_are_seen_in_the_order_in_which_they_were_sent() {
    leaving_nothing(|_| async {
        let diary = diary().await;
        for n in 1..=5 {
            diary.cast(Note(n));
        }
        send(diary.pid(), Note(6));
        send(diary.pid(), Letter("seven".into()));
        send(diary.pid(), 8_u64);
        let expected = ["cast 1", "cast 2", "cast 3", "cast 4", "cast 5", "info 6", "undeclared seven", "unknown u64"];
        assert_eq!(notes(diary).await, expected);
        diary.stop().await.unwrap();
    });
}

#[test]
fn a_call_to_the_wrong_server_is_refused_and_says_what_that_accepts() {
    leaving_nothing(|_| async {
        let other = Other::start(()).await.unwrap();
        let error = Diary::at(other.pid()).call(Do::Tell).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{} was called with Do, but is a Other, which accepts nothing", other.pid())
        );
        other.stop().await.unwrap();
        let diary = diary().await;
        let error = Numbers::at(diary.pid()).call(Note(1)).await.unwrap_err();
        let CallFailure::Refused { server, accepts } = error.why else { panic!("{error}") };
        assert_eq!(server, "Diary");
        assert_eq!(accepts, ["call Do -> Vec<String>", "call Waiting -> Vec<Caller<Vec<String>>>"]);
        diary.stop().await.unwrap();
    });
}

/// Would answer what a diary only takes as a cast.
#[derive(Debug)]
struct Numbers;
greenroom::accepts! { Numbers: call number(Note) -> u8; }
impl GenServer for Numbers {
    type Args = ();
    async fn init((): ()) -> Result<Self, greenroom::gen_server::InitError> {
        Ok(Numbers)
    }
}
impl Numbers {
    async fn number(&mut self, Note(n): Note) -> u8 {
        n
    }
}

#[test]
fn a_process_that_is_no_server_does_not_answer_and_its_end_is_told() {
    leaving_nothing(|_| async {
        let process = spawn(async {
            let Note(_) = receive().await;
        });
        let call = Diary::at(process).call(Do::Tell);
        send(process, Note(1));
        let outcome = call.await;
        assert!(matches!(why(outcome), CallFailure::Ended(_) | CallFailure::NoProc));
    });
}

#[test]
fn case_127_a_call_of_many_tells_who_has_answered_and_who_has_not() {
    leaving_nothing(|_| async {
        let diary = Diary::named("diary").start(Init::Plain).await.unwrap();
        let node = greenroom::node();
        abcast::<Diary, _>(&[node], "diary", Note(1));
        let answers = multi_call::<Diary, _>(&[node], "diary", Do::Tell, SECOND).await;
        assert_eq!(answers.replies, [(node, vec!["cast 1".to_owned()])]);
        let answers = multi_call::<Diary, _>(&[node], "nobody", Do::Tell, SECOND).await;
        assert_eq!(answers.replies, []);
        assert_eq!(answers.bad_nodes[0].1.why, CallFailure::NoProc);
        diary.stop().await.unwrap();
    });
}
