//! Task supervisors: case 181.

use greenroom::supervisor::{StartChildError, Strategy, TaskSupervisor};
use greenroom::{ExitReason, Supervisor, exit, exit_self, monitor, receive, self_pid, send};

use super::{clean, pid_of};
use crate::support::{end_of, forever, gone, other};

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
