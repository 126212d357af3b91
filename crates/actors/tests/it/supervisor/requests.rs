//! What a supervisor can be asked to do with its children: cases 138, 152 to 156, 158.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use greenroom::supervisor::{
    ChildCounts, ChildSpec, DeleteChildError, DynamicSupervisor, FindError, NotStarted, Restart, RestartChildError,
    StartChildError, StartError, Strategy, TerminateChildError,
};
use greenroom::tree::ChildStatus;
use greenroom::{ExitReason, Pid, Supervisor, exit, register, self_pid, spawn, spawn_link, trap_exit};

use super::{child, clean, crash, expect_news, no_news, pid_of, status_of, with_children};
use crate::support::{forever, gone, next_exit};

#[test]
fn case_152_terminating_twice_is_fine_and_restarting_brings_the_child_back() {
    clean(async {
        let supervisor = with_children(Strategy::OneForOne, &["a"]).start_link().await.unwrap();
        expect_news(&["+a"]).await;
        let pid = pid_of(supervisor, "a").await;
        let (id, running) = ("a".to_owned(), pid);
        assert_eq!(
            supervisor.restart_child("a").await,
            Err(RestartChildError::Running { id: id.clone(), pid: running })
        );
        assert_eq!(supervisor.delete_child("a").await, Err(DeleteChildError::Running { id, pid }));
        assert_eq!(supervisor.terminate_child("a").await, Ok(()));
        assert_eq!(supervisor.terminate_child("a").await, Ok(()));
        assert_eq!(status_of(supervisor, "a").await, Some(ChildStatus::NotStarted));
        let again = supervisor.restart_child("a").await.unwrap();
        assert_eq!(pid_of(supervisor, "a").await, again);
        expect_news(&["-a", "+a"]).await;
        supervisor.terminate_child("a").await.unwrap();
        assert_eq!(supervisor.delete_child("a").await, Ok(()));
        assert_eq!(status_of(supervisor, "a").await, None);
        expect_news(&["-a"]).await;
    });
}

#[test]
fn case_152_an_unknown_child_is_not_found_and_the_error_names_it() {
    clean(async {
        let supervisor = with_children(Strategy::OneForOne, &[]).start_link().await.unwrap();
        let error = supervisor.terminate_child("who").await.unwrap_err();
        assert_eq!(error, TerminateChildError::NotFound { child: "who".into() });
        assert_eq!(error.to_string(), "the supervisor has no child `who`");
        let id = || "who".to_owned();
        assert_eq!(supervisor.restart_child("who").await, Err(RestartChildError::NotFound { id: id() }));
        assert_eq!(supervisor.delete_child("who").await, Err(DeleteChildError::NotFound { id: id() }));
    });
}

#[test]
fn case_152_a_known_identifier_cannot_be_added_again() {
    clean(async {
        let supervisor = with_children(Strategy::OneForOne, &["a"]).start_link().await.unwrap();
        expect_news(&["+a"]).await;
        let pid = pid_of(supervisor, "a").await;
        let error = supervisor.start_child(child("a", self_pid())).await.unwrap_err();
        assert_eq!(error, StartChildError::AlreadyStarted { id: "a".into(), pid });
        supervisor.terminate_child("a").await.unwrap();
        let error = supervisor.start_child(child("a", self_pid())).await.unwrap_err();
        assert_eq!(error, StartChildError::AlreadyPresent { id: "a".into() });
        assert_eq!(error.to_string(), "there is a child `a`, which does not run: restart or delete it");
        supervisor.delete_child("a").await.unwrap();
        supervisor.start_child(child("a", self_pid())).await.unwrap();
        expect_news(&["-a", "+a"]).await;
        no_news().await;
    });
}

#[test]
fn case_154_terminating_a_temporary_child_forgets_it() {
    clean(async {
        let temporary = child("temporary", self_pid()).restart(Restart::Temporary);
        let supervisor = Supervisor::new(Strategy::OneForOne).child(temporary).start_link().await.unwrap();
        expect_news(&["+temporary"]).await;
        assert_eq!(supervisor.terminate_child("temporary").await, Ok(()));
        let error = TerminateChildError::NotFound { child: "temporary".into() };
        assert_eq!(supervisor.terminate_child("temporary").await, Err(error));
        expect_news(&["-temporary"]).await;
    });
}

/// A child that there is something to do for from the second start on.
fn lazy(id: &str) -> ChildSpec {
    let starts = Arc::new(AtomicU32::new(0));
    ChildSpec::starting(id, move || {
        let is_first = starts.fetch_add(1, Ordering::Relaxed) == 0;
        async move { if is_first { Err(NotStarted::Ignored) } else { Ok(spawn_link(forever())) } }
    })
}

#[test]
fn case_155_a_child_that_is_ignored_keeps_its_specification_unless_it_is_temporary() {
    clean(async {
        let builder = Supervisor::new(Strategy::OneForOne).child(lazy("kept"));
        let builder = builder.child(lazy("dropped").restart(Restart::Temporary));
        let supervisor = builder.start_link().await.unwrap();
        assert_eq!(status_of(supervisor, "kept").await, Some(ChildStatus::NotStarted));
        assert_eq!(status_of(supervisor, "dropped").await, None);
        supervisor.restart_child("kept").await.unwrap();
        assert_eq!(status_of(supervisor, "kept").await, Some(ChildStatus::Running));

        let ignored = |id: &str| Err(StartChildError::Ignored { id: id.into() });
        assert_eq!(supervisor.start_child(lazy("later")).await, ignored("later"));
        assert_eq!(status_of(supervisor, "later").await, Some(ChildStatus::NotStarted));
        let temporary = lazy("dropped").restart(Restart::Temporary);
        assert_eq!(supervisor.start_child(temporary).await, ignored("dropped"));
        assert_eq!(status_of(supervisor, "dropped").await, None);
    });
}

#[test]
fn case_155_a_child_may_be_ignored_when_it_is_restarted() {
    clean(async {
        let starts = Arc::new(AtomicU32::new(0));
        let spec = ChildSpec::starting("once", move || {
            let is_first = starts.fetch_add(1, Ordering::Relaxed) == 0;
            async move { if is_first { Ok(spawn_link(forever())) } else { Err(NotStarted::Ignored) } }
        });
        let supervisor = Supervisor::new(Strategy::OneForOne).child(spec).start_link().await.unwrap();
        exit(pid_of(supervisor, "once").await, ExitReason::Kill);
        while status_of(supervisor, "once").await != Some(ChildStatus::NotStarted) {}
        assert_eq!(supervisor.restart_child("once").await, Err(RestartChildError::Ignored { id: "once".into() }));
        supervisor.delete_child("once").await.unwrap();
    });
}

#[test]
fn a_child_that_does_not_start_is_not_kept() {
    clean(async {
        let supervisor = with_children(Strategy::OneForOne, &[]).start_link().await.unwrap();
        let broken = || ChildSpec::starting("broken", || async { Err::<Pid, _>(ExitReason::from("no luck")) });
        let error = supervisor.start_child(broken()).await.unwrap_err();
        assert_eq!(error, StartChildError::Failed { id: "broken".into(), reason: "no luck".into() });
        assert_eq!(error.to_string(), "child `broken` did not start: no luck");
        assert_eq!(supervisor.which_children().await.unwrap(), []);
    });
}

#[test]
fn children_are_counted_by_kind_and_by_whether_they_run() {
    clean(async {
        let pool = Supervisor::new(Strategy::OneForOne).name("pool");
        let supervisor = with_children(Strategy::OneForOne, &["a", "b"]).child(pool).start_link().await.unwrap();
        expect_news(&["+a", "+b"]).await;
        supervisor.terminate_child("a").await.unwrap();
        let counts = ChildCounts { specs: 3, active: 2, supervisors: 1, workers: 2 };
        assert_eq!(supervisor.count_children().await, Ok(counts));
    });
}

#[test]
fn restarts_by_hand_are_counted_but_do_not_use_up_the_intensity() {
    clean(async {
        let builder = with_children(Strategy::OneForOne, &["a"]).intensity(1, std::time::Duration::from_secs(5));
        let supervisor = builder.start_link().await.unwrap();
        for _ in 0..5 {
            supervisor.terminate_child("a").await.unwrap();
            supervisor.restart_child("a").await.unwrap();
        }
        assert_eq!(supervisor.which_children().await.unwrap()[0].restarts, 5);
        crash(supervisor, "a", ExitReason::Kill).await;
        while status_of(supervisor, "a").await != Some(ChildStatus::Running) {}
    });
}

#[test]
fn a_dead_supervisor_is_the_error_of_every_request() {
    clean(async {
        trap_exit(true);
        let supervisor = with_children(Strategy::OneForOne, &[]).start_link().await.unwrap();
        supervisor.stop().await;
        supervisor.stop().await;
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Normal));
        let reason = ExitReason::NoProc;
        assert_eq!(supervisor.which_children().await, Err(reason.clone()));
        assert_eq!(supervisor.count_children().await, Err(reason.clone()));
        let started = supervisor.start_child(ChildSpec::new("late", forever)).await;
        assert_eq!(started, Err(StartChildError::Supervisor { reason: reason.clone() }));
        let error = TerminateChildError::Supervisor { reason: reason.clone() };
        assert_eq!(supervisor.terminate_child("a").await, Err(error));
        let error = RestartChildError::Supervisor { reason: reason.clone() };
        assert_eq!(supervisor.restart_child("a").await, Err(error));
        assert_eq!(supervisor.delete_child("a").await, Err(DeleteChildError::Supervisor { reason }));
    });
}

#[test]
fn stopping_does_not_touch_an_owner_that_does_not_trap_exits() {
    clean(async {
        let supervisor = with_children(Strategy::OneForOne, &["a", "b"]).start_link().await.unwrap();
        expect_news(&["+a", "+b"]).await;
        supervisor.stop().await;
        expect_news(&["-b", "-a"]).await;
    });
}

#[test]
fn case_158_a_supervisor_of_the_other_kind_is_not_found() {
    clean(async {
        let fixed = Supervisor::new(Strategy::OneForOne).name("fixed").start_link().await.unwrap();
        let dynamic = DynamicSupervisor::new().name("dynamic").start_link().await.unwrap();
        assert_eq!(Supervisor::find("fixed").await, Ok(fixed));
        assert_eq!(Supervisor::find(fixed.pid()).await, Ok(fixed));
        assert_eq!(DynamicSupervisor::find("dynamic").await, Ok(dynamic));
        let error = Supervisor::find("dynamic").await.unwrap_err();
        assert!(matches!(error, FindError::OtherKind { pid, .. } if pid == dynamic.pid()), "{error}");
        assert!(error.to_string().ends_with("terminate them by their process"), "{error}");
        let error = DynamicSupervisor::find(fixed.pid()).await.unwrap_err();
        assert!(matches!(error, FindError::OtherKind { pid, .. } if pid == fixed.pid()), "{error}");
        let worker = spawn(forever());
        assert_eq!(Supervisor::find(worker).await, Err(FindError::NoSupervisor { pid: worker }));
        exit(worker, ExitReason::Kill);
        gone(worker).await;
        assert_eq!(
            Supervisor::find(worker).await.unwrap_err().to_string(),
            format!("{worker} is no process of this node")
        );
        assert_eq!(Supervisor::find("nobody").await, Err(FindError::NoProcess { what: "`nobody`".into() }));
    });
}

#[test]
fn case_158_what_a_supervisor_of_the_other_kind_is_asked_is_refused() {
    clean(async {
        let fixed = Supervisor::new(Strategy::OneForOne).start_link().await.unwrap();
        let dynamic = DynamicSupervisor::new().start_link().await.unwrap();
        // As data, a handle can be of the wrong kind.
        let forged: Supervisor = serde_json::from_value(serde_json::to_value(dynamic).unwrap()).unwrap();
        let error = forged.terminate_child("a").await.unwrap_err();
        assert!(error.to_string().contains("its children have no identifiers"), "{error}");
        let forged: DynamicSupervisor = serde_json::from_value(serde_json::to_value(fixed).unwrap()).unwrap();
        let error = forged.terminate_child(self_pid()).await.unwrap_err();
        assert!(error.to_string().contains("its children have identifiers"), "{error}");
        assert_eq!(greenroom::process::info(self_pid()).unwrap().monitors, []);
    });
}

#[test]
fn a_name_that_is_taken_is_an_error_with_its_holder() {
    clean(async {
        register("mine", self_pid()).unwrap();
        let error = Supervisor::new(Strategy::OneForOne).name("mine").start_link().await.unwrap_err();
        assert_eq!(error, StartError::AlreadyStarted { name: "mine".into(), pid: self_pid() });
        let error = Supervisor::new(Strategy::OneForOne).name("").start_link().await.unwrap_err();
        assert_eq!(error.to_string(), "a name needs at least one character");
    });
}
