//! Suspended processes: cases 21 and 187, and what holds beside them.

use std::time::Duration;

use greenroom::process::{self, Status, SuspendError, info, resume, suspend};
use greenroom::{
    ExitReason, Node, Pid, exit, is_alive, receive, receive_timeout, self_pid, send, send_after, spawn, spawn_link,
    spawn_monitor, trap_exit,
};

use crate::support::{Ping, Pong, echo, end_of, forever, gone, has, next_exit, on, on_node, round_trip};

fn is_suspended(pid: Pid) -> bool {
    info(pid).unwrap().status == Status::Suspended
}

/// Has another process suspend `pid`, and returns that.
async fn suspended_by_another(pid: Pid, times: usize) -> Pid {
    let test = self_pid();
    let other = spawn(async move {
        for _ in 0..times {
            suspend(pid).await.unwrap();
        }
        send(test, Pong);
        forever().await;
    });
    receive::<Pong>().await;
    other
}

#[test]
fn case_21_messages_to_a_suspended_process_wait_until_it_goes_on() {
    on_node(async {
        let server = spawn(echo());
        suspend(server).await.unwrap();
        for _ in 0..3 {
            send(server, Ping(self_pid()));
        }
        // Whatever it could do would have been done by the end of a conversation with another one.
        let other = spawn(echo());
        for _ in 0..100 {
            round_trip(other).await;
        }
        assert!(!has::<Pong>().await && is_suspended(server));
        assert_eq!(info(server).unwrap().message_queue_len, 3);
        resume(server).unwrap();
        for _ in 0..3 {
            receive::<Pong>().await;
        }
        assert!(!is_suspended(server));
    });
}

#[test]
fn case_21_a_suspended_process_can_be_killed_and_other_signals_reach_it_too() {
    on_node(async {
        for (reason, expected) in [(ExitReason::Kill, ExitReason::Killed), ("stop".into(), "stop".into())] {
            let victim = spawn_monitor(forever());
            suspend(victim.0).await.unwrap();
            exit(victim.0, reason);
            assert!(!is_alive(victim.0));
            assert_eq!(end_of(victim).await, expected);
            assert_eq!(resume(victim.0), Err(SuspendError::NotSuspended { pid: victim.0 }));
        }
    });
}

#[test]
fn case_187_a_suspended_process_shows_as_such_also_while_messages_arrive() {
    on_node(async {
        let server = spawn(echo());
        assert_ne!(info(server).unwrap().status, Status::Suspended);
        suspend(server).await.unwrap();
        send(server, Ping(self_pid()));
        assert!(is_suspended(server));
        resume(server).unwrap();
        receive::<Pong>().await;
    });
}

#[test]
fn it_goes_on_when_it_was_resumed_as_often_as_it_was_suspended() {
    on_node(async {
        let server = spawn(echo());
        for _ in 0..3 {
            suspend(server).await.unwrap();
        }
        for _ in 0..2 {
            resume(server).unwrap();
            assert!(is_suspended(server));
        }
        resume(server).unwrap();
        assert!(!is_suspended(server));
        assert_eq!(resume(server), Err(SuspendError::NotSuspended { pid: server }));
        round_trip(server).await;
    });
}

#[test]
fn nobody_resumes_what_another_has_suspended_but_its_end_does() {
    on_node(async {
        let server = spawn(echo());
        let others = [suspended_by_another(server, 2).await, suspended_by_another(server, 1).await];
        assert_eq!(resume(server), Err(SuspendError::NotSuspended { pid: server }));
        exit(others[0], ExitReason::Kill);
        assert!(is_suspended(server));
        exit(others[1], "done");
        assert!(!is_suspended(server));
        round_trip(server).await;
    });
}

#[test]
fn a_place_that_is_used_again_is_not_suspended() {
    on_node(async {
        for _ in 0..200 {
            let victim = spawn(forever());
            suspend(victim).await.unwrap();
            exit(victim, ExitReason::Kill);
            gone(victim).await;
            round_trip(spawn(echo())).await;
        }
    });
}

#[test]
fn time_passes_for_a_suspended_process() {
    let node = Node::builder().workers(2).manual_clock().start().unwrap();
    let clock = node.clock();
    on(&node, async move {
        let test = self_pid();
        let sleeper = spawn(async move {
            let timed_out = receive_timeout::<String>(Duration::from_secs(10)).await.is_none();
            let timer = receive_timeout::<char>(Duration::ZERO).await;
            send(test, (timed_out, timer));
        });
        clock.settled().await;
        suspend(sleeper).await.unwrap();
        send_after(sleeper, 'x', Duration::from_secs(5));
        clock.pass(Duration::from_secs(20)).await;
        assert!(!has::<(bool, Option<char>)>().await);
        assert_eq!(info(sleeper).unwrap().message_queue_len, 1);
        resume(sleeper).unwrap();
        assert_eq!(receive::<(bool, Option<char>)>().await, (true, Some('x')));
    });
}

#[test]
fn what_cannot_be_suspended_is_said() {
    on_node(async {
        assert_eq!(suspend(self_pid()).await, Err(SuspendError::Myself));
        let dead = spawn(async {});
        gone(dead).await;
        assert_eq!(suspend(dead).await, Err(SuspendError::NoProcess { pid: dead }));
        let node = Node::builder().workers(1).start().unwrap();
        let elsewhere = node.spawn(forever());
        assert_eq!(suspend(elsewhere).await, Err(SuspendError::Elsewhere { pid: elsewhere }));
        assert_eq!(resume(elsewhere), Err(SuspendError::NotSuspended { pid: elsewhere }));
    });
}

#[test]
fn when_suspend_returns_the_process_does_nothing_more() {
    on_node(async {
        for _ in 0..100 {
            let test = self_pid();
            let busy = spawn(async move {
                loop {
                    send(test, 'x');
                    process::yield_now().await;
                }
            });
            receive::<char>().await;
            suspend(busy).await.unwrap();
            while has::<char>().await {}
            process::yield_now().await;
            assert!(!has::<char>().await);
            exit(busy, ExitReason::Kill);
        }
    });
}

#[test]
fn links_and_traps_work_on_the_suspended() {
    on_node(async {
        trap_exit(true);
        let server = spawn_link(async {
            trap_exit(true);
            receive::<greenroom::message::Exit>().await;
        });
        // It traps once it waits.
        while info(server).unwrap().status != Status::Waiting {
            process::yield_now().await;
        }
        suspend(server).await.unwrap();
        exit(server, "trapped");
        assert!(is_alive(server) && info(server).unwrap().message_queue_len == 1);
        resume(server).unwrap();
        assert_eq!(next_exit().await, (server, ExitReason::Normal));
    });
}

#[test]
fn suspending_and_resuming_race_with_messages_without_loss() {
    on_node(async {
        let server = spawn(echo());
        let other = spawn(async move {
            loop {
                if suspend(server).await.is_ok() {
                    resume(server).unwrap();
                }
                process::yield_now().await;
            }
        });
        for _ in 0..2000 {
            round_trip(server).await;
        }
        exit(other, ExitReason::Kill);
        round_trip(server).await;
    });
}
