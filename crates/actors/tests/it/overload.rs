//! Mailboxes with a limit, and the counters of a node.

use std::time::Duration;

use greenroom::message::Down;
use greenroom::process::{
    Alias, Builder, Overflow, Started, Status, TrySendError, info, send_async, suspend, try_send, yield_now,
};
use greenroom::{
    ExitReason, Local, Node, Pid, RegisterError, exit, is_alive, monitor, receive, self_pid, send, send_after, spawn,
    trap_exit, whereis,
};

use crate::support::{Ping, Pong, echo, end_of, forever, gone, has, on, on_node, round_trip};

/// A process that takes a number for each `()`, and tells it.
async fn taker(test: Pid) {
    loop {
        receive::<()>().await;
        send(test, receive::<u32>().await);
    }
}

fn limited(most: usize, overflow: Overflow) -> Pid {
    Builder::new().mailbox_limit(most, overflow).spawn(taker(self_pid())).unwrap().pid
}

fn queue(pid: Pid) -> usize {
    info(pid).unwrap().message_queue_len
}

#[test]
fn the_newest_is_dropped_and_counted() {
    on_node(async {
        let full = limited(3, Overflow::DropNewest);
        for n in 0..10_u32 {
            send(full, n);
        }
        let shown = info(full).unwrap();
        assert_eq!((shown.mailbox_limit, shown.dropped, shown.message_queue_len), (Some(3), 7, 3));
        assert!(matches!(try_send(full, 'x'), Err(TrySendError::Full { message: 'x', .. })));
        exit(full, ExitReason::Kill);
    });
}

#[test]
fn room_is_made_by_what_is_taken() {
    on_node(async {
        let test = self_pid();
        let full = Builder::new()
            .mailbox_limit(2, Overflow::DropNewest)
            .spawn(async move {
                let Ping(_) = receive::<Ping>().await;
                send(test, Pong);
                forever().await;
            })
            .unwrap()
            .pid;
        send(full, 1_u32);
        send(full, Ping(test));
        receive::<Pong>().await;
        send(full, 2_u32);
        send(full, 3_u32);
        assert_eq!((queue(full), info(full).unwrap().dropped), (2, 1));
    });
}

#[test]
fn a_mailbox_can_end_its_process_which_cannot_trap_that() {
    on_node(async {
        let Started { pid, monitor } = Builder::new()
            .mailbox_limit(2, Overflow::Kill)
            .monitor()
            .spawn(async {
                trap_exit(true);
                forever().await;
            })
            .unwrap();
        for n in 0..2_u32 {
            send(pid, n);
        }
        assert!(is_alive(pid));
        send(pid, 2_u32);
        assert!(!is_alive(pid));
        let reason = end_of((pid, monitor.unwrap())).await;
        assert_eq!(reason, ExitReason::from("mailbox overflow: over its limit of 2 messages"));
    });
}

#[test]
fn who_sends_to_a_full_mailbox_waits_at_its_next_await() {
    on_node(async {
        let test = self_pid();
        let full = limited(2, Overflow::Block);
        let sender = spawn(async move {
            for n in 0..5_u32 {
                send(full, n);
                yield_now().await;
            }
            send(test, Pong);
            forever().await;
        });
        while info(sender).unwrap().status != Status::Suspended {
            yield_now().await;
        }
        assert_eq!(queue(full), 3); // Two fit, and the one with which it noticed.
        for n in 0..5 {
            send_after(full, (), Duration::ZERO); // What is no process is not held back.
            assert_eq!(receive::<u32>().await, n);
        }
        receive::<Pong>().await;
        exit(sender, ExitReason::Kill);
    });
}

#[test]
fn a_sender_that_is_held_back_goes_on_when_there_is_room_or_the_receiver_ends() {
    on_node(async {
        for ends in [false, true] {
            let test = self_pid();
            let full = Builder::new()
                .mailbox_limit(1, Overflow::Block)
                .spawn(async move {
                    receive::<Pong>().await;
                    receive::<u32>().await;
                    receive::<u32>().await;
                    forever().await;
                })
                .unwrap()
                .pid;
            let sender = spawn(async move {
                send(full, 1_u32);
                send(full, 2_u32);
                yield_now().await;
                send(test, Pong);
                forever().await;
            });
            while info(sender).unwrap().status != Status::Suspended {
                yield_now().await;
            }
            assert!(!has::<Pong>().await);
            if ends {
                exit(full, ExitReason::Kill);
            } else {
                spawn(async move { send(full, Pong) }); // Held back itself, and it does not matter.
            }
            receive::<Pong>().await;
            exit(sender, ExitReason::Kill);
        }
    });
}

#[test]
fn nobody_waits_for_itself() {
    on_node(async {
        let started = Builder::new().mailbox_limit(1, Overflow::Block).monitor();
        let started = started
            .spawn(async {
                for n in 0..10_u32 {
                    send(self_pid(), n);
                    yield_now().await;
                }
                for n in 0..10_u32 {
                    assert_eq!(receive::<u32>().await, n);
                }
            })
            .unwrap();
        assert_eq!(end_of((started.pid, started.monitor.unwrap())).await, ExitReason::Normal);
    });
}

#[test]
fn a_send_that_waits_for_room_never_exceeds_the_limit() {
    on_node(async {
        let test = self_pid();
        let full = Builder::new()
            .mailbox_limit(4, Overflow::Block)
            .spawn(async move {
                for n in 0..1000_u32 {
                    assert!(queue(self_pid()) <= 4);
                    receive::<u32>().await;
                    if n % 7 == 0 {
                        yield_now().await;
                    }
                }
                send(test, Pong);
                forever().await;
            })
            .unwrap()
            .pid;
        for _ in 0..4 {
            spawn(async move {
                for n in 0..250_u32 {
                    send_async(full, n).await.unwrap();
                }
            });
        }
        receive::<Pong>().await;
        exit(full, ExitReason::Kill);
        assert!(matches!(send_async(full, 'x').await, Err(TrySendError::NoProcess { message: 'x', .. })));
    });
}

#[test]
fn a_send_that_waits_for_room_ends_with_the_receiver_and_can_be_dropped() {
    on_node(async {
        let test = self_pid();
        let full = limited(1, Overflow::Block);
        send(full, 1_u32);
        tokio::select! {
            biased;
            _ = send_async(full, 2_u32) => panic!("there is no room"),
            () = yield_now() => (),
        }
        let waiting = spawn(async move { send(test, send_async(full, 3_u32).await.is_err()) });
        while info(waiting).unwrap().status != Status::Waiting {
            yield_now().await;
        }
        assert_eq!(queue(full), 1);
        exit(full, ExitReason::Kill);
        assert!(receive::<bool>().await);
    });
}

#[test]
fn notices_and_answers_arrive_in_a_full_mailbox_and_count() {
    on_node(async {
        let test = self_pid();
        let victim = spawn(forever());
        let full = Builder::new()
            .mailbox_limit(1, Overflow::DropNewest)
            .spawn(async move {
                monitor(victim);
                send(test, Alias::new());
                receive::<Pong>().await;
                let down = receive::<Down>().await;
                send(test, (receive::<u32>().await, down.reason));
                forever().await;
            })
            .unwrap()
            .pid;
        let alias = receive::<Alias>().await;
        send(full, 7_u32);
        exit(victim, "over");
        send(alias, Pong);
        assert_eq!(receive::<(u32, ExitReason)>().await, (7, "over".into()));
        assert_eq!(info(full).unwrap().dropped, 0);
        send(full, 8_u32);
        assert_eq!(queue(full), 1);
    });
}

#[test]
fn the_next_process_of_a_place_has_no_limit() {
    on_node(async {
        for _ in 0..100 {
            let full = limited(1, Overflow::DropNewest);
            send(full, 1_u32);
            exit(full, ExitReason::Kill);
            gone(full).await;
            let free = spawn(forever());
            send(free, 1_u32);
            send(free, 2_u32);
            assert_eq!((info(free).unwrap().mailbox_limit, queue(free)), (None, 2));
            exit(free, ExitReason::Kill);
        }
    });
}

#[test]
fn suspended_and_full_are_two_things() {
    on_node(async {
        let full = limited(1, Overflow::Block);
        send(full, 1_u32);
        let sender = spawn(async move {
            send(full, 2_u32);
            forever().await;
        });
        while info(sender).unwrap().status != Status::Suspended {
            yield_now().await;
        }
        suspend(sender).await.unwrap();
        exit(full, ExitReason::Kill);
        assert_eq!(info(sender).unwrap().status, Status::Suspended);
        greenroom::process::resume(sender).unwrap();
        assert_ne!(info(sender).unwrap().status, Status::Suspended);
    });
}

#[test]
fn a_builder_names_links_and_monitors_before_it_runs() {
    on_node(async {
        trap_exit(true);
        let child = Builder::new().name("built").label("a label").link().monitor();
        let Started { pid, monitor } = child.clone().spawn(async { forever().await }).unwrap();
        let shown = info(pid).unwrap();
        assert_eq!((shown.registered_name.as_deref(), shown.label.as_deref()), (Some("built"), Some("a label")));
        assert_eq!((shown.links, shown.monitored_by), (vec![self_pid()], vec![self_pid()]));
        assert_eq!(child.spawn(forever()), Err(RegisterError::Taken { name: "built".into() }));
        assert_eq!(whereis("built"), Some(pid));
        exit(pid, "done");
        assert_eq!(end_of((pid, monitor.unwrap())).await, ExitReason::from("done"));
        assert_eq!(receive::<greenroom::message::Exit>().await.from, pid);
        assert!(!has::<greenroom::message::Exit>().await && !has::<Down>().await);
    });
}

#[test]
fn try_send_says_why_and_gives_the_message_back() {
    on_node(async {
        let dead = spawn(async {});
        gone(dead).await;
        let error = try_send(dead, String::from("back")).unwrap_err();
        assert_eq!(error.to_string(), format!("{dead} has ended"));
        assert_eq!(error.into_message(), "back");
        let Err(TrySendError::NoProcess { message: Local(held), .. }) = try_send(dead, Local(vec![1])) else {
            panic!()
        };
        assert_eq!(held, [1]);
        let server = spawn(echo());
        try_send(server, Ping(self_pid())).unwrap();
        receive::<Pong>().await;
    });
}

#[test]
fn the_counters_of_a_node_add_up() {
    let node = Node::builder().workers(2).start().unwrap();
    let before = node.totals();
    on(&node, async {
        let server = spawn(echo());
        round_trip(server).await;
        let full = limited(1, Overflow::DropNewest);
        send(full, 1_u32);
        send(full, 2_u32);
        let dead = spawn(async {});
        gone(dead).await;
        send(dead, 'x');
        greenroom::send(("nobody", greenroom::node()), 'x');
        send_after(server, 'x', Duration::from_secs(1000));
        let during = Node::current().unwrap().totals();
        assert_eq!((during.dropped, during.timers, during.processes), (3, 1, 3));
        for pid in [server, full] {
            exit(pid, ExitReason::Kill);
        }
    });
    let after = node.totals();
    assert_eq!(after.timers, 0);
    assert_eq!(after.spawned - before.spawned, 4);
    assert!(after.exited >= 3 && after.spawned == after.exited + after.processes as u64);
}
