//! Panics in each of the callbacks: who learns of them, and that nothing is left.

use greenroom::gen_server::{CallFailure, GenServer};
use greenroom::{ExitReason, Pid, monitor, receive, send};

use super::{Diary, Do, Init, Letter, News, diary, me, panic_of, why};
use crate::support::{end_of, leaving_nothing};

/// How a diary ends to which this is done.
async fn end_after(init: Init, act: impl FnOnce(greenroom::ServerRef<Diary>)) -> ExitReason {
    let diary = Diary::start(init).await.unwrap();
    let watch = monitor(diary.pid());
    act(diary);
    end_of((diary.pid(), watch)).await
}

#[test]
fn a_panic_in_a_cast_an_info_or_continue_ends_the_server_with_it() {
    leaving_nothing(|_| async {
        let reason = end_after(Init::Plain, |diary| diary.cast(Do::Panic)).await;
        assert_eq!(panic_of(&reason), "cast fails");
        let reason = end_after(Init::Plain, |diary| send(diary.pid(), Letter("panic".into()))).await;
        assert_eq!(panic_of(&reason), "info fails");
        match Diary::start(Init::PanickingNext).await {
            // It is started, and ends after that.
            Ok(diary) => {
                let reason = end_of((diary.pid(), monitor(diary.pid()))).await;
                assert!(reason == ExitReason::NoProc || panic_of(&reason) == "continue fails");
            }
            Err(error) => panic!("{error}"),
        }
    });
}

#[test]
fn a_server_cleans_up_after_a_panic_in_a_handler() {
    leaving_nothing(|_| async {
        let reason = end_after(Init::Trapping(me()), |diary| diary.cast(Do::Panic)).await;
        let News::Terminated(told) = receive::<News>().await else { panic!() };
        assert_eq!(told, reason);
        assert_eq!(panic_of(&told), "cast fails");
        assert_eq!(receive::<News>().await, News::Dropped);
    });
}

#[test]
fn a_server_that_ends_itself_in_a_handler_does_not_clean_up() {
    leaving_nothing(|_| async {
        let diary = Diary::start(Init::Trapping(me())).await.unwrap();
        assert_eq!(why(diary.call(Do::Exit("enough".into())).await), super::ended("enough"));
        // The dead send nothing, so there is no news of its end.
        assert_eq!(greenroom::receive_timeout::<News>(std::time::Duration::ZERO).await, None);
    });
}

#[test]
fn a_panic_in_terminate_is_the_reason_in_the_end() {
    leaving_nothing(|_| async {
        let diary = Diary::start(Init::PanickingAtTheEnd(me())).await.unwrap();
        let CallFailure::Ended(reason) = why(diary.call(Do::Stop("enough".into())).await) else { panic!() };
        assert_eq!(panic_of(&reason), "terminate fails");
        assert_eq!(receive::<News>().await, News::Terminated("enough".into()));
        assert_eq!(receive::<News>().await, News::Dropped);
    });
}

/// A server whose state panics when it is dropped.
#[derive(Debug)]
struct Bomb;
greenroom::accepts! { Bomb: call who(super::Waiting) -> Pid; }
impl GenServer for Bomb {
    type Args = ();
    async fn init((): ()) -> Result<Self, greenroom::gen_server::InitError> {
        Ok(Bomb)
    }
}
impl Bomb {
    async fn who(&mut self, _: super::Waiting) -> Pid {
        me()
    }
}
impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("drop fails");
    }
}

#[test]
fn a_panic_in_the_destructor_of_the_state_is_the_reason_or_harms_nobody() {
    leaving_nothing(|_| async {
        let bomb = Bomb::named("bomb").start(()).await.unwrap();
        assert_eq!(bomb.call(super::Waiting).await, Ok(bomb.pid()));
        let greenroom::gen_server::StopFailure::Ended(reason) = bomb.stop().await.unwrap_err().why else { panic!() };
        assert_eq!(panic_of(&reason), "drop fails");
        let bomb = Bomb::named("bomb").start(()).await.unwrap();
        let watch = monitor(bomb.pid());
        greenroom::exit(bomb.pid(), ExitReason::Kill);
        assert_eq!(end_of((bomb.pid(), watch)).await, ExitReason::Killed);
    });
}

#[test]
fn a_crash_of_one_server_leaves_the_calls_to_others_alone() {
    leaving_nothing(|_| async {
        let (good, bad) = (diary().await, diary().await);
        let (fine, broken) = tokio::join!(good.call(Do::Tell), bad.call(Do::Panic));
        assert_eq!(fine, Ok(vec![]));
        assert!(matches!(why(broken), CallFailure::Ended(ExitReason::Panic(_))));
        good.stop().await.unwrap();
    });
}
