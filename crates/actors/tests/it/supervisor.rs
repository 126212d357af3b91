//! Group I: supervisors.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use greenroom::supervisor::{ChildSpec, Restart, Shutdown, StartError, Strategy, SupervisorBuilder, tree};
use greenroom::tree::{ChildKind, ChildStatus};
use greenroom::{
    ExitReason, Pid, Supervisor, exit, exit_self, is_alive, process, receive, receive_timeout, register, self_pid,
    send, spawn, spawn_link, spawn_monitor, trap_exit, unlink, unregister,
};

use crate::support::{by_clock, clean, end_of, forever, gone, next_exit, other};

mod dynamic;
mod labels;
mod limits;
mod model;
mod partition;
mod requests;
mod significant;
mod task;

/// What the test is told: who is being started, by its supervisor, and who stops, by the child itself.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
enum News {
    Started(String),
    Stopped(String),
}

/// A child that is up traps exits, so that it can say that it stops.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Up(Pid);

/// A child that tells the test of its life.
fn child(id: &str, test: Pid) -> ChildSpec {
    let name = id.to_owned();
    ChildSpec::new(id, move || {
        let name = name.clone();
        send(test, News::Started(name.clone()));
        async move {
            trap_exit(true);
            send(test, Up(self_pid()));
            let reason = receive! {
                exit: greenroom::message::Exit => exit.reason,
                reason: ExitReason => exit_self(reason),
            };
            send(test, News::Stopped(name));
            exit_self(reason)
        }
    })
}

/// The next news, as text: `+a` or `-a`.
async fn news() -> String {
    match receive::<News>().await {
        News::Started(name) => format!("+{name}"),
        News::Stopped(name) => format!("-{name}"),
    }
}

async fn expect_news(expected: &[&str]) {
    let mut seen = Vec::new();
    for _ in expected {
        seen.push(news().await);
    }
    assert_eq!(seen, expected);
    for _ in expected.iter().filter(|news| news.starts_with('+')) {
        receive::<Up>().await;
    }
}

async fn no_news() {
    assert_eq!(receive_timeout::<News>(Duration::ZERO).await, None);
}

fn with_children(strategy: Strategy, ids: &[&str]) -> SupervisorBuilder {
    let test = self_pid();
    ids.iter().fold(Supervisor::new(strategy), |builder, id| builder.child(child(id, test)))
}

async fn pid_of(supervisor: Supervisor, id: &str) -> Pid {
    let children = supervisor.which_children().await.unwrap();
    children.into_iter().find(|child| child.id == id).unwrap().pid.unwrap()
}

async fn status_of(supervisor: Supervisor, id: &str) -> Option<ChildStatus> {
    let children = supervisor.which_children().await.unwrap();
    children.into_iter().find(|child| child.id == id).map(|child| child.status)
}

async fn crash(supervisor: Supervisor, id: &str, reason: impl Into<ExitReason>) {
    let pid = pid_of(supervisor, id).await;
    send(pid, reason.into());
    gone(pid).await;
    // Its supervisor may hear of it a little later.
    while let Ok(children) = supervisor.which_children().await
        && children.iter().any(|child| child.pid == Some(pid))
    {}
}

#[test]
fn case_129_children_start_in_order_and_stop_in_reverse() {
    clean(async {
        trap_exit(true);
        let supervisor = with_children(Strategy::OneForOne, &["1", "2", "3"]).start_link().await.unwrap();
        expect_news(&["+1", "+2", "+3"]).await;
        exit(supervisor.pid(), ExitReason::Shutdown);
        expect_news(&["-3", "-2", "-1"]).await;
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Shutdown));
    });
}

/// A child that never starts: a supervisor whose name is taken.
fn failing(id: &str) -> ChildSpec {
    Supervisor::new(Strategy::OneForOne).name("taken").spec(id)
}

#[test]
fn case_130_a_child_that_does_not_start_stops_those_before_it_and_is_named() {
    clean(async {
        register("taken", self_pid()).unwrap();
        let test = self_pid();
        let builder = with_children(Strategy::OneForOne, &["1", "2"]).name("mine").child(failing("3"));
        let error = builder.clone().child(child("4", test)).start_link().await.unwrap_err();
        assert!(matches!(&error, StartError::Child { id, .. } if id == "3"), "{error}");
        // Whether they were up already when they were stopped is another matter.
        let mut started = Vec::new();
        while let Some(news) = receive_timeout::<News>(Duration::ZERO).await {
            started.extend(matches!(news, News::Started(_)).then_some(news));
        }
        assert_eq!(started, ["1", "2"].map(|id| News::Started(id.into())));
        // Whoever sees the error can use the name again.
        let free = spawn(forever());
        register("free", free).unwrap();
        assert_eq!(greenroom::whereis("mine"), None);
        assert_eq!(process::info(test).unwrap().links, []);
        exit(free, ExitReason::Kill);
    });
}

#[test]
fn case_131_two_children_of_one_identifier_are_refused() {
    clean(async {
        let error = with_children(Strategy::OneForOne, &["1", "1"]).start_link().await.unwrap_err();
        assert_eq!(error, StartError::Duplicate { id: "1".into() });
    });
}

#[test]
fn case_132_three_restarts_within_five_seconds_are_tolerated_by_default() {
    clean(async {
        trap_exit(true);
        let supervisor = with_children(Strategy::OneForOne, &["a"]).start_link().await.unwrap();
        for _ in 0..3 {
            crash(supervisor, "a", "boom").await;
        }
        expect_news(&["+a", "+a", "+a", "+a"]).await;
        crash(supervisor, "a", "boom").await;
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Shutdown));
    });
}

#[test]
fn case_133_over_the_intensity_the_children_are_stopped_and_the_supervisor_ends() {
    clean(async {
        trap_exit(true);
        let builder = with_children(Strategy::OneForOne, &["a", "b"]).intensity(0, Duration::from_secs(5));
        let supervisor = builder.start_link().await.unwrap();
        expect_news(&["+a", "+b"]).await;
        crash(supervisor, "a", "boom").await;
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Shutdown));
        expect_news(&["-b"]).await;
    });
}

#[test]
fn cases_135_to_137_strategies_restart_whom_they_should() {
    clean(async {
        let all = ["1", "2", "3", "4"];
        let one = with_children(Strategy::OneForOne, &all).start_link().await.unwrap();
        expect_news(&["+1", "+2", "+3", "+4"]).await;
        crash(one, "2", "boom").await;
        expect_news(&["+2"]).await;

        let group = with_children(Strategy::OneForAll, &["1", "2", "3"]).start_link().await.unwrap();
        expect_news(&["+1", "+2", "+3"]).await;
        crash(group, "2", "boom").await;
        expect_news(&["-3", "-1", "+1", "+2", "+3"]).await;

        let rest = with_children(Strategy::RestForOne, &all).start_link().await.unwrap();
        expect_news(&["+1", "+2", "+3", "+4"]).await;
        crash(rest, "2", "boom").await;
        expect_news(&["-4", "-3", "+2", "+3", "+4"]).await;
        no_news().await;
    });
}

#[test]
fn case_138_a_child_that_is_added_comes_last() {
    clean(async {
        let supervisor = with_children(Strategy::RestForOne, &["1"]).start_link().await.unwrap();
        let added = supervisor.start_child(child("2", self_pid())).await.unwrap();
        assert_eq!(pid_of(supervisor, "2").await, added);
        expect_news(&["+1", "+2"]).await;
        crash(supervisor, "1", "boom").await;
        expect_news(&["-2", "+1", "+2"]).await;
    });
}

#[test]
fn cases_140_and_141_who_is_not_restarted_does_not_restart_the_others() {
    clean(async {
        let test = self_pid();
        let supervisor = Supervisor::new(Strategy::OneForAll)
            .child(child("permanent", test))
            .child(child("temporary", test).restart(Restart::Temporary))
            .child(child("transient", test).restart(Restart::Transient))
            .start_link()
            .await
            .unwrap();
        expect_news(&["+permanent", "+temporary", "+transient"]).await;
        crash(supervisor, "temporary", "boom").await;
        crash(supervisor, "transient", ExitReason::Normal).await;
        assert_eq!(status_of(supervisor, "temporary").await, None);
        assert_eq!(status_of(supervisor, "transient").await, Some(ChildStatus::NotStarted));
        no_news().await;
        // As in OTP, a group restart starts those again that had ended and are still known.
        crash(supervisor, "permanent", "boom").await;
        expect_news(&["+permanent", "+transient"]).await;
    });
}

#[test]
fn case_140_a_temporary_child_is_stopped_with_its_group_and_forgotten() {
    clean(async {
        let test = self_pid();
        let supervisor = Supervisor::new(Strategy::OneForAll)
            .child(child("1", test))
            .child(child("2", test).restart(Restart::Temporary))
            .child(child("3", test))
            .start_link()
            .await
            .unwrap();
        expect_news(&["+1", "+2", "+3"]).await;
        crash(supervisor, "1", "boom").await;
        expect_news(&["-3", "-2", "+1", "+3"]).await;
        assert_eq!(status_of(supervisor, "2").await, None);
    });
}

#[test]
fn cases_142_and_143_restart_types_choose_who_is_restarted() {
    clean(async {
        let test = self_pid();
        let supervisor = Supervisor::new(Strategy::OneForOne)
            .intensity(100, Duration::from_secs(5))
            .child(child("permanent", test))
            .child(child("transient", test).restart(Restart::Transient))
            .start_link()
            .await
            .unwrap();
        expect_news(&["+permanent", "+transient"]).await;
        crash(supervisor, "permanent", ExitReason::Normal).await;
        expect_news(&["+permanent"]).await;
        exit(pid_of(supervisor, "transient").await, ExitReason::Kill);
        expect_news(&["+transient"]).await;
        crash(supervisor, "transient", ExitReason::Shutdown).await;
        assert_eq!(status_of(supervisor, "transient").await, Some(ChildStatus::NotStarted));
        no_news().await;
    });
}

/// A child that does not stop when it is asked to.
fn stubborn(id: &str, test: Pid) -> ChildSpec {
    ChildSpec::new(id, move || async move {
        trap_exit(true);
        send(test, Up(self_pid()));
        forever().await;
    })
}

#[test]
fn case_145_a_stubborn_child_is_killed_when_its_time_is_up() {
    by_clock(|clock| async move {
        let spec = stubborn("stubborn", self_pid()).shutdown(Shutdown::Within(Duration::from_millis(50)));
        let supervisor = Supervisor::new(Strategy::OneForOne).child(spec).start_link().await.unwrap();
        let Up(child) = receive().await;
        let watch = greenroom::monitor(child);
        spawn_link(async move { supervisor.terminate_child("stubborn").await.unwrap() });
        clock.pass(Duration::from_millis(49)).await;
        assert!(is_alive(child));
        clock.pass(Duration::from_millis(1)).await;
        assert_eq!(end_of((child, watch)).await, ExitReason::Killed);
    });
}

#[test]
fn case_145_a_brutal_kill_does_not_ask() {
    clean(async {
        let spec = stubborn("stubborn", self_pid()).shutdown(Shutdown::BrutalKill);
        let supervisor = Supervisor::new(Strategy::OneForOne).child(spec).start_link().await.unwrap();
        let Up(child) = receive().await;
        let watch = greenroom::monitor(child);
        assert_eq!(supervisor.terminate_child("stubborn").await, Ok(()));
        assert_eq!(end_of((child, watch)).await, ExitReason::Killed);
    });
}

#[test]
fn case_146_infinity_is_honoured() {
    clean(async {
        let test = self_pid();
        let spec = ChildSpec::new("slow", move || async move {
            trap_exit(true);
            send(test, Up(self_pid()));
            let (from, reason) = next_exit().await;
            process::sleep(Duration::from_millis(30)).await;
            assert_ne!(from, self_pid());
            exit_self(reason)
        });
        let spec = spec.shutdown(Shutdown::Infinity);
        let supervisor = Supervisor::new(Strategy::OneForOne).child(spec).start_link().await.unwrap();
        let Up(child) = receive().await;
        let watch = greenroom::monitor(child);
        assert_eq!(supervisor.terminate_child("slow").await, Ok(()));
        assert_eq!(end_of((child, watch)).await, ExitReason::Shutdown);
    });
}

#[test]
fn case_148_the_children_of_a_killed_supervisor_die_by_their_link() {
    clean(async {
        trap_exit(true);
        let spec = ChildSpec::new("child", forever);
        let supervisor = Supervisor::new(Strategy::OneForOne).child(spec).start_link().await.unwrap();
        let child = pid_of(supervisor, "child").await;
        let watch = greenroom::monitor(child);
        exit(supervisor.pid(), ExitReason::Kill);
        assert_eq!(end_of((child, watch)).await, ExitReason::Killed);
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Killed));
    });
}

#[test]
fn case_149_a_failed_restart_is_tried_again_and_the_supervisor_stays_responsive() {
    clean(async {
        trap_exit(true);
        let inner = with_children(Strategy::OneForOne, &["leaf"]).name("taken").spec("inner");
        let builder = Supervisor::new(Strategy::OneForOne).intensity(usize::MAX, Duration::from_secs(5));
        let supervisor = builder.child(inner).start_link().await.unwrap();
        let first = pid_of(supervisor, "inner").await;
        // Take its name away and end it: it cannot start while somebody else has the name.
        assert!(unregister("taken"));
        register("taken", self_pid()).unwrap();
        exit(first, ExitReason::Kill);
        gone(first).await;
        while status_of(supervisor, "inner").await != Some(ChildStatus::Restarting) {}
        assert!(unregister("taken"));
        while status_of(supervisor, "inner").await != Some(ChildStatus::Running) {}

        let second = pid_of(supervisor, "inner").await;
        assert!(unregister("taken"));
        register("taken", self_pid()).unwrap();
        exit(second, ExitReason::Kill);
        while status_of(supervisor, "inner").await != Some(ChildStatus::Restarting) {}
        assert_eq!(supervisor.terminate_child("inner").await, Ok(()));
        assert_eq!(status_of(supervisor, "inner").await, Some(ChildStatus::NotStarted));
        exit(supervisor.pid(), ExitReason::Shutdown);
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Shutdown));
    });
}

#[test]
fn case_149_failed_restarts_count() {
    clean(async {
        trap_exit(true);
        let inner = Supervisor::new(Strategy::OneForOne).name("taken").spec("inner");
        let supervisor = Supervisor::new(Strategy::OneForOne).child(inner).start_link().await.unwrap();
        let first = pid_of(supervisor, "inner").await;
        assert!(unregister("taken"));
        register("taken", self_pid()).unwrap();
        exit(first, ExitReason::Kill);
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Shutdown));
    });
}

#[test]
fn case_150_a_group_of_which_one_fails_to_restart_is_tried_again_whole() {
    clean(async {
        trap_exit(true);
        let test = self_pid();
        let inner = Supervisor::new(Strategy::OneForOne).name("taken").spec("2");
        let supervisor = Supervisor::new(Strategy::OneForAll)
            .intensity(usize::MAX, Duration::from_secs(5))
            .child(child("1", test))
            .child(inner)
            .start_link()
            .await
            .unwrap();
        expect_news(&["+1"]).await;
        let second = pid_of(supervisor, "2").await;
        assert!(unregister("taken"));
        register("taken", self_pid()).unwrap();
        exit(second, ExitReason::Kill);
        for _ in 0..3 {
            while news().await != "+1" {}
        }
        assert!(unregister("taken"));
        while status_of(supervisor, "2").await != Some(ChildStatus::Running) {}
        assert_eq!(status_of(supervisor, "1").await, Some(ChildStatus::Running));
    });
}

#[test]
fn case_151_a_child_that_has_unlinked_is_still_shut_down() {
    clean(async {
        trap_exit(true);
        let test = self_pid();
        let spec = ChildSpec::new("loose", move || async move {
            unlink(process::info(self_pid()).unwrap().parent.unwrap());
            send(test, Up(self_pid()));
            forever().await;
        });
        let supervisor = Supervisor::new(Strategy::OneForOne).child(spec).start_link().await.unwrap();
        let Up(child) = receive().await;
        exit(supervisor.pid(), ExitReason::Shutdown);
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Shutdown));
        assert!(!is_alive(child));
    });
}

#[test]
fn case_156_children_are_listed_newest_first() {
    clean(async {
        let supervisor = with_children(Strategy::OneForOne, &["1", "2", "3"]).start_link().await.unwrap();
        let ids: Vec<_> = supervisor.which_children().await.unwrap().into_iter().map(|child| child.id).collect();
        assert_eq!(ids, ["3", "2", "1"]);
    });
}

#[test]
fn case_163_a_supervisor_that_gives_up_is_restarted_by_the_one_above() {
    clean(async {
        let inner = with_children(Strategy::OneForOne, &["leaf"]).intensity(0, Duration::from_secs(5)).spec("inner");
        let outer = Supervisor::new(Strategy::OneForOne).child(inner).name("outer").start_link().await.unwrap();
        let Up(leaf) = receive().await;
        let first = pid_of(outer, "inner").await;
        send(leaf, other("boom"));
        let Up(second_leaf) = receive().await;
        assert_ne!(leaf, second_leaf);
        let tree = tree(outer.pid()).await.unwrap();
        assert_eq!((tree.id.as_str(), tree.kind), ("outer", ChildKind::Supervisor));
        let inner = &tree.children[0];
        assert_eq!((inner.id.as_str(), inner.kind, inner.restarts), ("inner", ChildKind::Supervisor, 1));
        assert_ne!(inner.pid, Some(first));
        assert_eq!(inner.children[0].pid, Some(second_leaf));
    });
}

#[test]
fn case_165_children_that_end_for_other_reasons_while_they_are_stopped_do_no_harm() {
    clean(async {
        trap_exit(true);
        let contrary = |id: &str| {
            ChildSpec::new(id, || async {
                trap_exit(true);
                next_exit().await;
                panic!("not like this");
            })
        };
        let builder = Supervisor::new(Strategy::OneForOne).child(contrary("1")).child(contrary("2"));
        let supervisor = builder.start_link().await.unwrap();
        exit(supervisor.pid(), ExitReason::Shutdown);
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Shutdown));
    });
}

#[test]
fn a_supervisor_that_is_killed_while_it_starts_and_restarts_leaves_no_orphan() {
    clean(async {
        trap_exit(true);
        let starts = Arc::new(AtomicU64::new(0));
        for _ in 0..200 {
            let counted = starts.clone();
            let owner = spawn_monitor(async move {
                let spec = |id: &str| {
                    let counted = counted.clone();
                    ChildSpec::new(id, move || {
                        counted.fetch_add(1, Ordering::Relaxed);
                        async {}
                    })
                };
                let builder = Supervisor::new(Strategy::OneForAll).intensity(usize::MAX, Duration::from_secs(1));
                let started = builder.child(spec("1")).child(spec("2")).start_link().await;
                started.unwrap();
                forever().await;
            });
            let before = starts.load(Ordering::Relaxed);
            while starts.load(Ordering::Relaxed) < before + 5 {
                greenroom::yield_now().await;
            }
            for pid in process::list().into_iter().filter(|pid| *pid != self_pid()) {
                exit(pid, ExitReason::Kill);
            }
            end_of(owner).await;
            // Who was about to end by itself may still be telling the others.
            while process::list() != [self_pid()] {
                greenroom::yield_now().await;
            }
        }
    });
}
