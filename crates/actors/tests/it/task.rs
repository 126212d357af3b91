//! Group J: tasks.

use std::time::Duration;

use greenroom::message::{Down, Exit};
use greenroom::supervisor::{Strategy, Supervisor, TaskSupervisor};
use greenroom::task::{await_many, poll_many};
use greenroom::{
    ExitReason, Pid, Task, demonitor, exit, exit_self, is_alive, mark, process, receive, self_pid, send, sleep, spawn,
    trap_exit,
};

use crate::support::{end_of, end_of_new, forever, has, leaving_nothing, nothing_is_left, on_node, other};

const SECOND: Duration = Duration::from_secs(1);

/// A linked task that answers when it is told what.
fn echo() -> Task<u32> {
    Task::spawn(async { receive::<u32>().await })
}

#[test]
fn a_value_comes_by_itself_and_leaves_nothing_behind() {
    leaving_nothing(|_| async {
        assert_eq!(Task::spawn(async { 7 }).await, 7);
        assert_eq!(Task::spawn_nolink(async { 7 }).await, 7);
        assert_eq!(Task::spawn(async { 7 }).outcome().await, Ok(7));
        trap_exit(true);
        assert_eq!(Task::spawn(async { 7 }).await, 7);
    });
}

#[test]
fn case_168_a_time_out_ends_the_caller_and_its_linked_task() {
    leaving_nothing(|clock| async move {
        let me = self_pid();
        let caller = process::spawn_monitor(async move {
            let task = Task::spawn(async { forever().await });
            send(me, task.pid());
            task.within(SECOND).await;
        });
        let task = receive::<Pid>().await;
        clock.pass(SECOND).await;
        let text = format!("the task {task} took longer than 1s");
        assert_eq!(end_of(caller).await, other(&text));
        assert!(!is_alive(task));
    });
}

#[test]
fn case_168_the_task_lives_if_the_caller_does_and_its_late_answer_is_dropped() {
    leaving_nothing(|clock| async move {
        let mut task = echo();
        let pid = task.pid();
        assert!(tokio::join!(task.poll_for(SECOND), clock.pass(SECOND)).0.is_none());
        assert!(is_alive(pid));
        drop(task);
        send(pid, 7_u32);
        clock.settled().await;
        assert!(!is_alive(pid));
    });
}

#[test]
fn a_task_in_time_leaves_no_timer_that_ends_its_caller() {
    leaving_nothing(|clock| async move {
        let task = echo();
        send(task.pid(), 7_u32);
        assert_eq!(task.within(SECOND).await, 7);
        clock.pass(2 * SECOND).await;
    });
}

#[test]
fn case_169_a_linked_crash_kills_the_caller_that_waits() {
    leaving_nothing(|_| async {
        let reason = end_of_new(async { Task::<()>::spawn(async { exit_self("boom") }).await }).await;
        assert_eq!(reason, other("boom"));
        let reason = end_of_new(async {
            let _ = Task::<()>::spawn(async { exit_self("boom") }).outcome().await;
            unreachable!("it is linked")
        });
        assert_eq!(reason.await, other("boom"));
    });
}

#[test]
fn case_169_a_linked_crash_kills_the_caller_that_does_not_wait() {
    leaving_nothing(|_| async {
        let reason = end_of_new(async {
            let _task = Task::<()>::spawn(async { exit_self("boom") });
            forever().await;
        });
        assert_eq!(reason.await, other("boom"));
    });
}

#[test]
fn a_linked_crash_is_an_outcome_for_a_caller_that_traps_exits() {
    leaving_nothing(|_| async {
        trap_exit(true);
        for _ in 0..200 {
            let task = Task::<()>::spawn(async { exit_self("boom") });
            assert_eq!(task.outcome().await, Err(other("boom")));
            assert!(!has::<Exit>().await);
        }
    });
}

#[test]
fn a_task_dies_with_the_caller_that_it_is_linked_to() {
    leaving_nothing(|_| async {
        let me = self_pid();
        let caller = process::spawn_monitor(async move {
            let task = Task::spawn(forever());
            let nolink = Task::spawn_nolink(forever());
            send(me, (task.pid(), nolink.pid()));
            task.await;
        });
        let (task, nolink) = receive::<(Pid, Pid)>().await;
        exit(caller.0, "enough");
        assert_eq!(end_of(caller).await, other("enough"));
        assert!(!is_alive(task) && is_alive(nolink));
        exit(nolink, ExitReason::Kill);
    });
}

#[test]
fn a_task_that_ends_normally_without_a_value_ends_the_caller_normally() {
    leaving_nothing(|_| async {
        let reason = end_of_new(async {
            Task::<()>::spawn(async { exit_self(ExitReason::Normal) }).await;
            unreachable!("there is no value")
        });
        assert_eq!(reason.await, ExitReason::Normal);
    });
}

#[test]
fn case_170_another_process_cannot_wait() {
    crate::support::on_quiet_node(async {
        let me = self_pid();
        let task = Task::spawn(async { 7 });
        let reason = end_of_new(async move { assert_eq!(task.await, 7) }).await;
        let ExitReason::Panic(panic) = reason else { panic!("{reason:?}") };
        assert!(panic.message.starts_with("a task is awaited by the process that started it"), "{}", panic.message);
        assert!(panic.message.contains(&me.to_string()), "{}", panic.message);
    });
}

#[test]
fn a_value_cannot_be_waited_for_twice() {
    crate::support::on_quiet_node(async {
        let reason = end_of_new(async {
            let mut task = Task::spawn(async { 7 });
            assert_eq!(task.poll_for(Duration::MAX).await, Some(Ok(7)));
            assert_eq!(task.poll_for(Duration::MAX).await, None);
            task.await;
        });
        let ExitReason::Panic(panic) = reason.await else { panic!() };
        assert!(panic.message.contains("was taken before"), "{}", panic.message);
    });
}

#[test]
fn case_171_nothing_then_the_value() {
    leaving_nothing(|clock| async move {
        let mut task = echo();
        assert_eq!(task.poll_for(Duration::ZERO).await, None);
        assert_eq!(tokio::join!(task.poll_for(SECOND), clock.pass(SECOND)).0, None);
        send(task.pid(), 7_u32);
        assert_eq!(task.poll_for(SECOND).await, Some(Ok(7)));
    });
}

#[test]
fn case_171_of_many_those_that_are_done() {
    leaving_nothing(|clock| async move {
        let mut tasks = [echo(), echo(), Task::spawn_nolink(async { exit_self("boom") })];
        send(tasks[1].pid(), 7_u32);
        let (outcomes, ()) = tokio::join!(poll_many(&mut tasks, SECOND), clock.pass(SECOND));
        assert_eq!(outcomes, [None, Some(Ok(7)), Some(Err(other("boom")))]);
        send(tasks[0].pid(), 8_u32);
        assert_eq!(poll_many(&mut tasks, Duration::MAX).await, [Some(Ok(8)), None, None]);
    });
}

#[test]
fn case_179_many_are_awaited_in_their_order_whatever_that_of_their_ends() {
    leaving_nothing(|_| async {
        let tasks: Vec<_> = (0..50).map(|_| echo()).collect();
        for (n, task) in tasks.iter().enumerate().rev() {
            send(task.pid(), n as u32);
        }
        assert!(await_many(tasks, SECOND).await.into_iter().eq(0..50));
        assert_eq!(await_many(Vec::<Task<()>>::new(), Duration::ZERO).await, []);
    });
}

#[test]
fn case_179_many_have_one_time_out() {
    leaving_nothing(|clock| async move {
        let me = self_pid();
        let caller = process::spawn_monitor(async move {
            let tasks: Vec<_> = (1..=3).map(|n| Task::spawn(sleep(n * SECOND))).collect();
            send(me, tasks[2].pid());
            await_many(tasks, 2 * SECOND).await;
        });
        let last = receive::<Pid>().await;
        clock.pass(3 * SECOND).await;
        assert_eq!(end_of(caller).await, other(&format!("the task {last} took longer than 2s")));
    });
}

#[test]
fn of_many_the_first_crash_ends_the_caller() {
    leaving_nothing(|_| async {
        let caller = async {
            let tasks =
                [Task::spawn_nolink(async { sleep(SECOND).await }), Task::spawn_nolink(async { exit_self("boom") })];
            let slow = tasks[0].pid();
            process::set_label(slow.to_string());
            process::link(slow); // So that it does not stay.
            await_many(tasks, Duration::MAX).await;
        };
        assert_eq!(end_of_new(caller).await, other("boom"));
    });
}

#[test]
fn case_180_a_crash_without_a_link_leaves_the_caller_alone() {
    leaving_nothing(|_| async {
        let task = Task::<()>::spawn_nolink(async { exit_self("boom") });
        assert_eq!(task.outcome().await, Err(other("boom")));
        let task = Task::spawn_nolink(forever());
        exit(task.pid(), ExitReason::Kill);
        assert_eq!(task.outcome().await, Err(ExitReason::Killed));
        let reason = end_of_new(async { Task::<()>::spawn_nolink(async { exit_self("boom") }).await });
        assert_eq!(reason.await, other("boom"));
    });
}

#[test]
fn a_task_that_is_shut_down_is_gone_and_its_caller_is_not() {
    leaving_nothing(|clock| async move {
        for traps in [false, true] {
            trap_exit(traps);
            let task = Task::spawn(forever());
            let pid = task.pid();
            assert_eq!(task.shutdown(SECOND).await, None);
            assert!(!is_alive(pid));
            let task = Task::spawn(forever());
            assert_eq!(task.kill().await, None);
            let stubborn = Task::spawn(async {
                trap_exit(true);
                forever().await;
            });
            let pid = stubborn.pid();
            clock.settled().await;
            assert_eq!(tokio::join!(stubborn.shutdown(SECOND), clock.pass(SECOND)).0, None);
            assert!(!is_alive(pid));
        }
    });
}

#[test]
fn a_task_that_is_shut_down_may_have_had_the_last_word() {
    leaving_nothing(|clock| async move {
        let done = Task::spawn(async { 7 });
        clock.settled().await;
        assert_eq!(done.shutdown(SECOND).await, Some(Ok(7)));
        let done = Task::spawn(async { 7 });
        clock.settled().await;
        assert_eq!(done.kill().await, Some(Ok(7)));
        let careful = Task::spawn(async {
            trap_exit(true);
            drop(receive::<Exit>().await);
            7
        });
        clock.settled().await;
        assert_eq!(careful.shutdown(SECOND).await, Some(Ok(7)));
        let contrary = Task::<()>::spawn(async {
            trap_exit(true);
            drop(receive::<Exit>().await);
            exit_self("boom")
        });
        clock.settled().await;
        assert_eq!(contrary.shutdown(SECOND).await, Some(Err(other("boom"))));
        let crashed = Task::<()>::spawn_nolink(async { exit_self("boom") });
        clock.settled().await;
        assert_eq!(crashed.shutdown(SECOND).await, Some(Err(other("boom"))));
    });
}

#[test]
fn a_task_that_is_ignored_goes_on_by_itself() {
    leaving_nothing(|clock| async move {
        let task = echo();
        let pid = task.pid();
        assert_eq!(task.ignore().await, None);
        assert_eq!(process::info(pid).unwrap().links, []);
        send(pid, 7_u32);
        clock.settled().await;
        let done = Task::spawn(async { 7 });
        clock.settled().await;
        assert_eq!(done.ignore().await, Some(Ok(7)));
        let crashed = Task::<()>::spawn_nolink(async { exit_self("boom") });
        clock.settled().await;
        assert_eq!(crashed.ignore().await, Some(Err(other("boom"))));
    });
}

#[test]
fn nothing_of_a_dropped_task_stays_in_the_mailbox() {
    leaving_nothing(|clock| async move {
        trap_exit(true);
        let done = Task::spawn(async { 7 });
        clock.settled().await;
        assert_eq!(process::info(self_pid()).unwrap().message_queue_len, 1);
        drop(done);
        nothing_is_left().await;
        let crashed = Task::<()>::spawn_nolink(async { exit_self("boom") });
        clock.settled().await;
        drop(crashed);
        nothing_is_left().await;
        // An await that is given up in the middle drops its task.
        let task = echo();
        let pid = task.pid();
        tokio::select! {
            biased;
            _ = task => unreachable!("nobody has told it what to say"),
            () = std::future::ready(()) => send(pid, 7_u32),
        }
    });
}

#[test]
fn the_monitor_of_a_task_is_nobody_elses() {
    leaving_nothing(|_| async {
        let task = echo();
        let watch = greenroom::monitor(task.pid());
        send(task.pid(), 7_u32);
        assert_eq!(task.await, 7);
        assert_eq!(receive::<Down>().await.reference, watch);
        assert!(!demonitor(watch));
    });
}

#[test]
fn answers_are_found_behind_a_backlog() {
    on_node(async {
        for n in 0..500_000_u32 {
            send(self_pid(), n);
        }
        mark();
        let start = std::time::Instant::now();
        for _ in 0..2_000 {
            Task::spawn(async {}).await;
        }
        // Looking at the backlog each time would take minutes.
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    });
}

#[test]
fn tasks_end_and_are_given_up_at_the_same_moment() {
    on_node(async {
        for round in 0..3_000_u32 {
            let mut task = Task::spawn(async move { round });
            match round % 4 {
                0 => drop(task),
                1 => assert!(task.shutdown(Duration::MAX).await.is_none_or(|outcome| outcome == Ok(round))),
                2 => assert!(task.poll_for(Duration::ZERO).await.is_none_or(|outcome| outcome == Ok(round))),
                _ => assert!(task.ignore().await.is_none_or(|outcome| outcome == Ok(round))),
            }
        }
        nothing_is_left().await;
    });
}

#[test]
fn a_killed_caller_is_no_trouble_for_its_tasks() {
    on_node(async {
        for _ in 0..500 {
            let caller = spawn(async {
                loop {
                    Task::spawn_nolink(async {}).await;
                    Task::spawn(async {}).await;
                }
            });
            greenroom::yield_now().await;
            exit(caller, ExitReason::Kill);
        }
        nothing_is_left().await;
    });
}

#[test]
fn case_181_the_tasks_of_a_supervisor_are_temporary_and_their_values_come_to_who_asked() {
    on_node(async {
        let tasks = TaskSupervisor::new().start_link().await.unwrap();
        let linked = tasks.spawn(async { process::info(self_pid()).unwrap().parent }).await.unwrap();
        assert_eq!(linked.await, Some(tasks.pid()));
        let crash = tasks.spawn_nolink(async { exit_self("boom") }).await.unwrap();
        assert_eq!(crash.outcome().await, Err::<(), _>(other("boom")));
        let reason = end_of_new(async move { tasks.spawn(async { exit_self("boom") }).await.unwrap().await });
        assert_eq!(reason.await, other("boom"));
        let stays = tasks.spawn_nolink(forever()).await.unwrap();
        assert_eq!(tasks.children().count_children().await.unwrap().active, 1);
        tasks.stop().await;
        assert!(stays.outcome().await.is_err());
        nothing_is_left().await;
    });
}

#[test]
fn case_181_a_task_is_a_child_that_runs_once() {
    on_node(async {
        let me = self_pid();
        let spec = Task::spec("once", move || async move { send(me, 'x') });
        let supervisor = Supervisor::new(Strategy::OneForOne).child(spec).start_link().await.unwrap();
        assert_eq!(receive::<char>().await, 'x');
        while !supervisor.which_children().await.unwrap().is_empty() {}
        assert!(!has::<char>().await);
    });
}
