//! Dynamic supervisors: cases 157, 158, 166.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use greenroom::supervisor::{
    ChildCounts, ChildSpec, DynamicSupervisor, NotStarted, Restart, Shutdown, StartChildError, Strategy,
    TerminateChildError, tree,
};
use greenroom::tree::ChildStatus;
use greenroom::{
    ExitReason, Pid, Supervisor, exit, is_alive, process, receive, self_pid, send, sleep, spawn_link, trap_exit,
};

use super::{Up, by_clock, child, clean, expect_news, no_news, stubborn};
use crate::support::{forever, gone, next_exit};

/// A child that takes a while to end.
fn slow(time: Duration) -> ChildSpec {
    ChildSpec::new("slow", move || async move {
        trap_exit(true);
        next_exit().await;
        sleep(time).await;
    })
}

const TIME: Duration = Duration::from_millis(200);

#[test]
fn case_157_a_dynamic_supervisor_stops_its_children_together() {
    by_clock(|clock| async move {
        let supervisor = DynamicSupervisor::new().start_link().await.unwrap();
        for _ in 0..3 {
            supervisor.start_child(slow(TIME)).await.unwrap();
        }
        clock.settled().await;
        let start = clock.now();
        let stopping = spawn_link(supervisor.stop());
        clock.pass(TIME).await;
        gone(stopping).await;
        assert_eq!(clock.now() - start, TIME);
    });
}

#[test]
fn case_157_a_static_supervisor_stops_them_one_after_the_other() {
    by_clock(|clock| async move {
        let three =
            (0..3).fold(Supervisor::new(Strategy::OneForOne), |builder, n| builder.child(slow(TIME).id(n.to_string())));
        let supervisor = three.start_link().await.unwrap();
        clock.settled().await;
        let stopping = spawn_link(supervisor.stop());
        clock.pass(TIME * 3 - Duration::from_millis(1)).await;
        assert!(is_alive(stopping));
        clock.pass(Duration::from_millis(1)).await;
        gone(stopping).await;
    });
}

#[test]
fn case_157_each_child_is_given_its_own_time() {
    by_clock(|clock| async move {
        let supervisor = DynamicSupervisor::new().start_link().await.unwrap();
        let mut children = Vec::new();
        for shutdown in [
            Shutdown::Within(Duration::from_millis(10)),
            Shutdown::Within(Duration::from_millis(30)),
            Shutdown::Within(Duration::from_millis(10)),
            Shutdown::BrutalKill,
        ] {
            children.push(supervisor.start_child(stubborn("stubborn", self_pid()).shutdown(shutdown)).await.unwrap());
            receive::<Up>().await;
        }
        let patient = slow(Duration::from_millis(50)).shutdown(Shutdown::Infinity);
        children.push(supervisor.start_child(patient).await.unwrap());
        clock.settled().await;
        let stopping = spawn_link(supervisor.stop());
        let mut alive = Vec::new();
        for pass in [0, 10, 20, 20] {
            clock.pass(Duration::from_millis(pass)).await;
            alive.push(children.iter().map(|child| if is_alive(*child) { 'x' } else { '-' }).collect::<String>());
        }
        assert_eq!(alive, ["xxx-x", "-x--x", "----x", "-----"]);
        gone(stopping).await;
    });
}

#[test]
fn case_158_children_are_terminated_by_their_process() {
    clean(async {
        let supervisor = DynamicSupervisor::new().start_link().await.unwrap();
        let one = supervisor.start_child(child("a", self_pid())).await.unwrap();
        let other = supervisor.start_child(child("a", self_pid())).await.unwrap();
        expect_news(&["+a", "+a"]).await;
        let newest_first: Vec<_> = supervisor.which_children().await.unwrap().iter().map(|child| child.pid).collect();
        assert_eq!(newest_first, [Some(other), Some(one)]);
        supervisor.terminate_child(one).await.unwrap();
        expect_news(&["-a"]).await;
        assert!(!is_alive(one) && is_alive(other));
        let error = TerminateChildError::NotFound { child: one.to_string() };
        assert_eq!(supervisor.terminate_child(one).await, Err(error));
        let error = TerminateChildError::NotFound { child: self_pid().to_string() };
        assert_eq!(supervisor.terminate_child(self_pid()).await, Err(error));
    });
}

#[test]
fn case_166_there_are_no_more_children_than_there_may_be() {
    clean(async {
        let supervisor = DynamicSupervisor::new().max_children(2).start_link().await.unwrap();
        let idle = || ChildSpec::new("idle", forever);
        let first = supervisor.start_child(idle()).await.unwrap();
        supervisor.start_child(idle()).await.unwrap();
        let error = supervisor.start_child(idle()).await.unwrap_err();
        assert_eq!(error, StartChildError::MaxChildren { id: "idle".into(), limit: 2 });
        assert!(error.to_string().contains("2 children, which is its limit"), "{error}");
        supervisor.terminate_child(first).await.unwrap();
        supervisor.start_child(idle()).await.unwrap();
        let none = DynamicSupervisor::new().max_children(0).start_link().await.unwrap();
        assert!(none.start_child(idle()).await.is_err());
    });
}

#[test]
fn each_child_is_restarted_by_its_own_specification() {
    clean(async {
        let test = self_pid();
        let supervisor = DynamicSupervisor::new().start_link().await.unwrap();
        let mut pids = Vec::new();
        for restart in [Restart::Permanent, Restart::Transient, Restart::Temporary] {
            pids.push(supervisor.start_child(child(&format!("{restart:?}"), test).restart(restart)).await.unwrap());
        }
        expect_news(&["+Permanent", "+Transient", "+Temporary"]).await;
        for pid in &pids {
            exit(*pid, ExitReason::Kill);
            gone(*pid).await;
        }
        expect_news(&["+Permanent", "+Transient"]).await;
        // Who has not been restarted is forgotten.
        let children = supervisor.which_children().await.unwrap();
        let of: Vec<_> = children.iter().map(|child| (child.id.as_str(), child.restarts)).collect();
        assert_eq!(of, [("Transient", 1), ("Permanent", 1)]);
        let transient = children[0].pid.unwrap();
        send(transient, ExitReason::Shutdown);
        gone(transient).await;
        while supervisor.count_children().await.unwrap().specs > 1 {}
        no_news().await;
    });
}

#[test]
fn over_the_intensity_it_stops_its_children_and_ends() {
    clean(async {
        trap_exit(true);
        let supervisor = DynamicSupervisor::new().intensity(0, Duration::from_secs(5)).start_link().await.unwrap();
        let doomed = supervisor.start_child(child("a", self_pid())).await.unwrap();
        supervisor.start_child(child("b", self_pid())).await.unwrap();
        expect_news(&["+a", "+b"]).await;
        exit(doomed, ExitReason::Kill);
        expect_news(&["-b"]).await;
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Shutdown));
    });
}

/// A child that starts as long as it is allowed to.
fn admitted(allowed: &Arc<AtomicBool>) -> ChildSpec {
    let allowed = allowed.clone();
    ChildSpec::starting("admitted", move || {
        let is_allowed = allowed.load(Ordering::SeqCst);
        async move { if is_allowed { Ok(spawn_link(forever())) } else { Err(NotStarted::Failed("not now".into())) } }
    })
}

#[test]
fn case_149_a_failed_restart_is_tried_again_and_can_be_terminated() {
    clean(async {
        let allowed = Arc::new(AtomicBool::new(true));
        let builder = DynamicSupervisor::new().intensity(usize::MAX, Duration::from_secs(5));
        let supervisor = builder.start_link().await.unwrap();
        let fails = |child: Pid| {
            let allowed = allowed.clone();
            async move {
                allowed.store(false, Ordering::SeqCst);
                exit(child, ExitReason::Kill);
                while supervisor.which_children().await.unwrap()[0].status != ChildStatus::Restarting {}
                allowed.store(true, Ordering::SeqCst);
            }
        };
        let first = supervisor.start_child(admitted(&allowed)).await.unwrap();
        fails(first).await;
        while supervisor.which_children().await.unwrap()[0].status != ChildStatus::Running {}
        let second = supervisor.which_children().await.unwrap()[0].pid.unwrap();

        allowed.store(false, Ordering::SeqCst);
        exit(second, ExitReason::Kill);
        while supervisor.which_children().await.unwrap()[0].status != ChildStatus::Restarting {}
        let counts = ChildCounts { specs: 1, active: 0, supervisors: 0, workers: 1 };
        assert_eq!(supervisor.count_children().await, Ok(counts));
        supervisor.terminate_child(second).await.unwrap();
        allowed.store(true, Ordering::SeqCst);
        assert_eq!(supervisor.count_children().await, Ok(ChildCounts::default()));
    });
}

#[test]
fn a_hundred_thousand_children_come_and_go() {
    clean(async {
        const COUNT: usize = 100_000;
        let supervisor = DynamicSupervisor::new().start_link().await.unwrap();
        let spec = ChildSpec::new("idle", forever).restart(Restart::Temporary);
        let mut pids = Vec::with_capacity(COUNT);
        for _ in 0..COUNT {
            pids.push(supervisor.start_child(spec.clone()).await.unwrap());
        }
        assert_eq!(supervisor.count_children().await.unwrap().active, COUNT);
        for pid in pids.drain(..COUNT / 2) {
            exit(pid, ExitReason::Kill);
        }
        while supervisor.count_children().await.unwrap().active > COUNT / 2 {}
        supervisor.terminate_child(pids[0]).await.unwrap();
        supervisor.stop().await;
        assert_eq!(process::list(), [self_pid()]);
    });
}

#[test]
fn it_is_shown_in_the_tree() {
    by_clock(|clock| async move {
        let workers = DynamicSupervisor::new().name("workers");
        let app = Supervisor::new(Strategy::RestForOne).name("app").child(workers).start_link().await.unwrap();
        clock.advance(Duration::from_secs(2));
        let workers = DynamicSupervisor::find("workers").await.unwrap();
        let worker = workers.start_child(ChildSpec::new("worker", forever)).await.unwrap();
        clock.advance(Duration::from_secs(3));
        let root = tree(app.pid()).await.unwrap();
        assert_eq!((root.strategy, root.uptime), (Some(Strategy::RestForOne), Some(Duration::from_secs(5))));
        let inner = &root.children[0];
        assert_eq!((inner.id.as_str(), inner.pid), ("workers", Some(workers.pid())));
        assert_eq!((inner.strategy, inner.uptime), (Some(Strategy::OneForOne), Some(Duration::from_secs(5))));
        let leaf = &inner.children[0];
        assert_eq!((leaf.id.as_str(), leaf.pid, leaf.strategy), ("worker", Some(worker), None));
        assert_eq!(leaf.uptime, Some(Duration::from_secs(3)));
    });
}
