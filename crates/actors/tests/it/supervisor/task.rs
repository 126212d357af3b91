//! Task supervisors: case 181.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use greenroom::supervisor::{StartChildError, Strategy, TaskSupervisor};
use greenroom::task::{OnTimeout, Why};
use greenroom::{
    ExitReason, Supervisor, exit, exit_self, monitor, process, receive, self_pid, send, spawn_monitor, yield_now,
};

use super::{by_clock, clean, pid_of};
use crate::support::{end_of, end_of_new, forever, gone, other};

#[test]
fn case_181_tasks_are_temporary() {
    clean(async {
        let tasks = TaskSupervisor::new().start_link().await.unwrap();
        let test = self_pid();
        let task = tasks.start_child(async move {
            send(test, 1_u32);
            receive::<()>().await;
            exit_self("boom");
        });
        let task = task.await.unwrap();
        let watch = monitor(task);
        assert_eq!(receive::<u32>().await, 1);
        assert_eq!(tasks.children().count_children().await.unwrap().active, 1);
        send(task, ());
        assert_eq!(end_of((task, watch)).await, other("boom"));
        while tasks.children().count_children().await.unwrap().specs > 0 {}
        assert_eq!(greenroom::receive_timeout::<u32>(std::time::Duration::ZERO).await, None);
    });
}

#[test]
fn tasks_are_limited_listed_and_terminated() {
    clean(async {
        let tasks = TaskSupervisor::new().name("tasks").max_children(1);
        let root = Supervisor::new(Strategy::OneForOne).child(tasks).start_link().await.unwrap();
        let tasks = TaskSupervisor::find("tasks").await.unwrap();
        assert_eq!(pid_of(root, "tasks").await, tasks.pid());
        let task = tasks.start_child(forever()).await.unwrap();
        let error = tasks.start_child(async {}).await.unwrap_err();
        assert_eq!(error, StartChildError::MaxChildren { id: "task".into(), limit: 1 });
        let info = greenroom::process::info(task).unwrap();
        assert_eq!(info.parent, Some(tasks.pid()));
        assert!(info.spawned_at.unwrap().file.ends_with("task.rs"));
        tasks.children().terminate_child(task).await.unwrap();
        tasks.stop().await;
    });
}

#[test]
fn tasks_end_with_their_supervisor() {
    clean(async {
        let tasks = TaskSupervisor::new().start_link().await.unwrap();
        let task = tasks.start_child(forever()).await.unwrap();
        greenroom::trap_exit(true);
        exit(tasks.pid(), ExitReason::Kill);
        gone(task).await;
        let error = tasks.start_child(forever()).await.unwrap_err();
        assert_eq!(error, StartChildError::Supervisor { reason: ExitReason::NoProc });
    });
}

/// Waits until no task is left.
async fn idle(tasks: TaskSupervisor) {
    while tasks.children().count_children().await.unwrap().specs > 0 {}
}

#[test]
fn a_task_is_linked_to_its_owner_and_to_its_supervisor() {
    clean(async {
        let tasks = TaskSupervisor::new().start_link().await.unwrap();
        let task = tasks.spawn(async { forever().await }).await.unwrap();
        let mut links = process::info(task.pid()).unwrap().links;
        links.sort_unstable();
        assert_eq!(links, [self_pid(), tasks.pid()]);
        exit(task.pid(), ExitReason::Normal);
        task.kill().await;
        assert_eq!(tasks.spawn(async { 6 * 7 }).await.unwrap().await, 42);
        idle(tasks).await;
        let info = process::info(self_pid()).unwrap();
        assert_eq!((info.links, info.monitors, info.message_queue_len), (vec![tasks.pid()], vec![], 0));
    });
}

#[test]
fn case_169_the_crash_of_a_linked_task_is_its_owners_and_not_its_supervisors() {
    clean(async {
        let tasks = TaskSupervisor::new().start_link().await.unwrap();
        let end = end_of_new(async move {
            let task = tasks
                .spawn(async {
                    if true {
                        exit_self("boom")
                    }
                })
                .await
                .unwrap();
            task.await;
        });
        assert_eq!(end.await, other("boom"));
        idle(tasks).await;
        assert_eq!(tasks.spawn(async { 1 }).await.unwrap().await, 1);
    });
}

#[test]
fn a_linked_task_ends_with_its_owner() {
    clean(async {
        let tasks = TaskSupervisor::new().start_link().await.unwrap();
        let (owner, watch) = spawn_monitor(async move {
            let _task = tasks.spawn(forever()).await.unwrap();
            forever().await;
        });
        while tasks.children().count_children().await.unwrap().active == 0 {}
        exit(owner, "enough");
        assert_eq!(end_of((owner, watch)).await, other("enough"));
        idle(tasks).await;
    });
}

#[test]
fn case_180_the_crash_of_a_task_that_is_not_linked_leaves_its_owner_alive() {
    clean(async {
        let tasks = TaskSupervisor::new().start_link().await.unwrap();
        let task = tasks
            .spawn_nolink(async {
                if true {
                    exit_self("boom")
                }
            })
            .await
            .unwrap();
        assert_eq!(task.outcome().await, Err(other("boom")));
        let task = tasks.spawn_nolink(async { 5 }).await.unwrap();
        assert_eq!(task.outcome().await, Ok(5));
        idle(tasks).await;
    });
}

#[test]
fn a_task_whose_supervisor_is_stopped_has_ended_with_it() {
    clean(async {
        let tasks = TaskSupervisor::new().start_link().await.unwrap();
        let task = tasks.spawn_nolink(forever()).await.unwrap();
        tasks.stop().await;
        assert_eq!(task.outcome().await, Err(ExitReason::Shutdown));
        let error = tasks.spawn(async { 1 }).await.unwrap_err();
        assert_eq!(error, StartChildError::Supervisor { reason: ExitReason::NoProc });
    });
}

#[test]
fn a_stream_runs_under_its_supervisor_never_more_at_a_time_than_it_may() {
    clean(async {
        let tasks = TaskSupervisor::new().start_link().await.unwrap();
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, seen) = (running, most.clone());
        let work = move |n: u32| {
            let (running, most) = (counted.clone(), seen.clone());
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                assert_eq!(process::info(self_pid()).unwrap().parent, Some(tasks.pid()));
                yield_now().await;
                running.fetch_sub(1, Ordering::SeqCst);
                n * 2
            }
        };
        let doubled = tasks.async_stream(0..200, work).max_concurrency(3).all().await;
        assert_eq!(doubled, (0..200).map(|n| Ok(n * 2)).collect::<Vec<_>>());
        assert!((1..=3).contains(&most.load(Ordering::SeqCst)));
        idle(tasks).await;
    });
}

#[test]
fn case_175_a_task_of_a_stream_whose_time_is_up_is_killed_under_its_supervisor() {
    by_clock(|clock| async move {
        let tasks = TaskSupervisor::new().start_link().await.unwrap();
        let test = self_pid();
        greenroom::spawn_link(async move {
            let work = |n: u32| async move {
                if n == 1 {
                    forever().await;
                }
                n
            };
            let second = Duration::from_secs(1);
            let all = tasks.async_stream(0..3, work).timeout(second, OnTimeout::KillTask).all().await;
            let all: Vec<_> = all.into_iter().map(|one| one.map_err(|failed| failed.why)).collect();
            assert_eq!(all, [Ok(0), Err(Why::TimedOut(second)), Ok(2)]);
            send(test, 'x');
        });
        clock.pass(Duration::from_secs(1)).await;
        receive::<char>().await;
        idle(tasks).await;
    });
}

#[test]
fn what_a_supervisor_refuses_is_an_error_of_its_input() {
    clean(async {
        let tasks = TaskSupervisor::new().max_children(0).start_link().await.unwrap();
        let all = tasks.async_stream([1], |n: i32| async move { n }).nolink().all().await;
        let why = all.into_iter().map(|one| one.unwrap_err().why.to_string()).collect::<String>();
        assert!(why.contains("the supervisor has 0 children, which is its limit"), "{why}");
    });
}
