//! What is counted of processes.

use std::time::{Duration, Instant};

use greenroom::process::{By, info, top};
use greenroom::{process, receive, self_pid, send, spawn, testing};

use crate::support::{Ping, Pong, echo, forever, on_node, round_trip};

/// Keeps its worker busy.
fn burn(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

#[test]
fn case_188_messages_and_reductions_are_counted_exactly() {
    testing::run(|clock| async move {
        let server = spawn(echo());
        for _ in 0..500 {
            round_trip(server).await;
        }
        clock.settled().await;
        let served = info(server).unwrap();
        assert_eq!((served.messages_in, served.messages_out), (500, 500));
        assert!(served.reductions >= 1000);
        let own = info(self_pid()).unwrap();
        assert_eq!((own.messages_in, own.messages_out), (500, 500), "also in the middle of a turn");
    });
}

#[test]
fn a_long_turn_counts_in_full() {
    testing::run(|_| async {
        let me = self_pid();
        for n in 0..10_000_u32 {
            send(me, n);
        }
        let own = info(me).unwrap();
        assert!(own.messages_out == 10_000 && own.reductions >= 10_000);
    });
}

#[test]
fn the_next_process_of_a_place_starts_at_zero() {
    testing::run(|clock| async move {
        for _ in 0..300 {
            spawn(async { (0..10_u8).for_each(|n| send(self_pid(), n)) });
            clock.settled().await;
            let idle = spawn(forever());
            clock.settled().await;
            let seen = info(idle).unwrap();
            assert_eq!((seen.messages_out, seen.messages_in), (0, 0));
            greenroom::exit(idle, "enough");
        }
    });
}

#[test]
fn case_188_busy_time_is_that_of_whoever_burns_it() {
    on_node(async {
        let lazy = spawn(forever());
        let parent = self_pid();
        let busy = spawn(async move {
            for _ in 0..100 {
                burn(Duration::from_millis(1));
                process::yield_now().await;
            }
            send(parent, Pong);
            forever().await;
        });
        receive::<Pong>().await;
        while info(busy).unwrap().status != process::Status::Waiting {
            process::yield_now().await;
        }
        let spent = info(busy).unwrap().busy;
        assert!(spent >= Duration::from_millis(60), "{spent:?}");
        assert!(info(lazy).unwrap().busy <= Duration::from_millis(20));
    });
}

#[test]
fn a_process_that_does_not_yield_shows_for_how_long() {
    on_node(async {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let runaway = spawn(async move {
            let _ = stopped.recv();
            forever().await;
        });
        let shown = loop {
            match info(runaway).unwrap().running_for {
                Some(time) if time >= Duration::from_millis(30) => break time,
                _ => process::yield_now().await,
            }
        };
        assert!(shown < Duration::from_secs(10));
        drop(stop);
        while info(runaway).unwrap().running_for.is_some() {
            process::yield_now().await;
        }
        assert!(info(self_pid()).unwrap().running_for.is_some(), "who asks is running");
    });
}

#[test]
fn mailboxes_count_as_memory() {
    testing::run(|clock| async move {
        let idle = spawn(async { receive::<()>().await });
        clock.settled().await;
        let before = info(idle).unwrap();
        assert_eq!(before.mailbox_memory, 0);
        for _ in 0..100 {
            send(idle, [7_u64; 32]);
        }
        let arrived = info(idle).unwrap();
        clock.settled().await;
        let kept = info(idle).unwrap();
        for seen in [arrived, kept] {
            assert_eq!(seen.message_queue_len, 100);
            assert!(seen.mailbox_memory >= 100 * 256 && seen.mailbox_memory < 100 * 512);
            assert_eq!(seen.memory, before.memory + seen.mailbox_memory);
        }
    });
}

#[test]
fn what_is_received_leaves_the_mailbox_memory() {
    testing::run(|_| async {
        let me = self_pid();
        for n in 0..10_u32 {
            send(me, n);
            send(me, n.to_string());
        }
        for _ in 0..10 {
            receive::<String>().await;
        }
        let half = info(me).unwrap().mailbox_memory;
        for _ in 0..10 {
            receive::<u32>().await;
        }
        assert!(half > 0);
        assert_eq!(info(me).unwrap().mailbox_memory, 0);
    });
}

#[test]
fn the_top_is_what_was_asked_for() {
    testing::run(|clock| async move {
        let parent = self_pid();
        let chatty = spawn(async move {
            loop {
                let Ping(from) = receive::<Ping>().await;
                (0..100_000_u32).for_each(|n| send(from, n));
            }
        });
        let full = spawn(forever());
        let big = spawn(async {
            let block = [1_u8; 100_000];
            forever().await;
            assert_eq!(block[99_999], 1);
        });
        (0..5000).for_each(|_| send(full, Pong));
        let ask = async |by: By| {
            spawn(async move {
                let usage = top(Duration::from_secs(1), by).await;
                send(parent, usage.first().map(|usage| (usage.info.pid, usage.messages_out)));
            });
            clock.settled().await;
            let trash = spawn(forever());
            if by == By::Reductions {
                send(chatty, Ping(trash));
            }
            clock.pass(Duration::from_secs(1)).await;
            greenroom::exit(trash, "enough");
            receive::<Option<(greenroom::Pid, u64)>>().await.unwrap()
        };
        assert_eq!(ask(By::Reductions).await, (chatty, 100_000));
        assert_eq!(ask(By::Mailbox).await, (full, 0));
        greenroom::exit(full, "enough");
        assert_eq!(ask(By::Memory).await, (big, 0));
    });
}

#[test]
fn the_node_adds_up_the_dead_too() {
    let node = greenroom::Node::builder().workers(2).manual_clock().start().unwrap();
    let clock = node.clock();
    node.block_on(async move {
        for _ in 0..10 {
            spawn(async { (0..10_u8).for_each(|n| send(self_pid(), n)) });
        }
        clock.advance(Duration::from_secs(7));
        clock.settled().await;
    });
    let totals = node.totals();
    assert_eq!((totals.messages_out, totals.messages_in), (100, 0));
    assert!(totals.turns >= 11 && totals.reductions >= 110);
    assert_eq!(totals.uptime, Duration::from_secs(7));
}
