//! Group D: selective receive.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use greenroom::{
    Local, Node, Pid, Ref, exit, node, process, receive, receive_timeout, self_pid, send, spawn, spawn_monitor,
};

use crate::support::{Ping, Pong, end_of, forever, gone, has, on, on_node, on_quiet_node, other};

#[test]
fn case_60_what_was_skipped_stays_in_order() {
    on_node(async {
        send(self_pid(), 1_u8);
        send(self_pid(), 'a');
        send(self_pid(), 2_u8);
        assert_eq!(receive::<char>().await, 'a');
        assert_eq!((receive::<u8>().await, receive::<u8>().await), (1, 2));
    });
}

#[test]
fn the_arms_are_tried_for_each_message_in_turn() {
    on_node(async {
        for n in [3_u32, 30, 4, 40] {
            send(self_pid(), n);
        }
        send(self_pid(), String::from("text"));
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(receive! {
                text: String => text,
                n: u32 if n >= 10 => format!("big {n}"),
                3: u32 => String::from("three"),
            });
        }
        assert_eq!(seen, ["three", "big 30", "big 40", "text"]);
        assert_eq!(receive::<u32>().await, 4);
    });
}

#[test]
fn case_62_messages_that_do_not_match_do_not_restart_the_timer() {
    on_node(async {
        let parent = self_pid();
        let noise = spawn(async move {
            loop {
                send(parent, 1_u8);
                process::sleep(Duration::from_millis(1)).await;
            }
        });
        let start = Instant::now();
        assert_eq!(receive_timeout::<char>(Duration::from_millis(50)).await, None);
        let elapsed = start.elapsed();
        exit(noise, "quiet");
        assert!(elapsed >= Duration::from_millis(50) && elapsed < Duration::from_secs(2), "{elapsed:?}");
    });
}

#[test]
fn case_63_the_longest_time_out_is_no_time_out() {
    on_node(async {
        let parent = self_pid();
        spawn(async move {
            process::sleep(Duration::from_millis(1)).await;
            send(parent, 'x');
        });
        assert_eq!(receive_timeout::<char>(Duration::MAX).await, Some('x'));
    });
}

#[test]
fn case_64_a_receive_that_timed_out_has_taken_nothing() {
    on_node(async {
        send(self_pid(), 1_u8);
        let found = receive! {
            n: u8 if n > 1 => n,
            after Duration::from_millis(1) => 0,
        };
        assert_eq!(found, 0);
        assert_eq!(process::info(self_pid()).unwrap().message_queue_len, 1);
        assert_eq!(receive::<u8>().await, 1);
    });
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Ask(Pid, Ref);
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Told(Ref);

#[test]
fn case_65_an_answer_is_found_behind_a_backlog_of_500_000_that_is_looked_at_once() {
    on_node(async {
        for n in 0..500_000_u32 {
            send(self_pid(), n);
        }
        let server = spawn(async {
            loop {
                let Ask(from, reference) = receive::<Ask>().await;
                send(from, 1_u64); // In the way, too: the waiting receive is woken and looks on from there.
                send(from, Told(reference));
            }
        });
        let looked_at = AtomicU32::new(0);
        let reference = Ref::new();
        send(server, Ask(self_pid(), reference));
        receive! {
            told: Told if { looked_at.fetch_add(1, Ordering::Relaxed); told.0 == reference } => _ = told,
            _n: u32 if { looked_at.fetch_add(1, Ordering::Relaxed); false } => (),
        }
        assert_eq!(looked_at.into_inner(), 500_001);
        assert_eq!(receive::<u32>().await, 0);
    });
}

#[test]
fn case_66_a_message_to_the_dead_is_dropped() {
    on_node(async {
        let dead = spawn(async {});
        gone(dead).await;
        send(dead, Pong);
        send(Pid::from_parts(node(), u32::MAX, 0), Pong);
    });
}

#[test]
fn case_67_a_message_to_a_free_name_comes_back_and_elsewhere_is_dropped() {
    on_node(async {
        let error = send("nobody", 7_u8).unwrap_err();
        assert_eq!((error.name.as_str(), error.message), ("nobody", 7));
        send(("nobody", node()), 7_u8);
    });
}

#[test]
fn case_69_a_message_that_nobody_awaits_stays_and_is_counted() {
    on_node(async {
        for n in 0..10_u8 {
            send(self_pid(), n);
            send(self_pid(), Pong);
            receive::<Pong>().await;
        }
        assert_eq!(process::info(self_pid()).unwrap().message_queue_len, 10);
    });
}

#[test]
fn case_71_a_kill_within_a_nested_receive_leaves_no_damage() {
    on_node(async {
        let parent = self_pid();
        for _ in 0..1000 {
            let victim = spawn_monitor(async move {
                receive! {
                    Ping(from): Ping => {
                        send(from, Pong);
                        receive! { 0: u32 => () }
                    }
                }
            });
            send(victim.0, Ping(parent));
            receive::<Pong>().await;
            send(victim.0, 1_u32);
            exit(victim.0, "nested");
            assert_eq!(end_of(victim).await, other("nested"));
        }
    });
}

#[test]
fn a_guard_that_panics_ends_its_process_with_everything_else_whole() {
    on_quiet_node(async {
        let dropped = std::sync::Arc::new(());
        let held = dropped.clone();
        let victim = spawn_monitor(async move {
            send(self_pid(), 1_u8);
            send(self_pid(), Local(held));
            receive! { _n: u8 if panicking() => () }
        });
        let reason = end_of(victim).await;
        assert!(reason.to_string().starts_with("panic: guard"), "{reason}");
        while std::sync::Arc::strong_count(&dropped) > 1 {
            greenroom::yield_now().await;
        }
    });
}

fn panicking() -> bool {
    panic!("guard")
}

#[test]
fn a_guard_whose_panic_is_caught_costs_its_own_message_alone() {
    on_quiet_node(async {
        for n in 0..3_u8 {
            send(self_pid(), n);
        }
        let caught = std::panic::AssertUnwindSafe(async {
            receive! { _n: u8 if { assert!(_n != 1); false } => () }
        });
        let mut caught = Box::pin(caught.0);
        let result = std::future::poll_fn(|context| {
            let poll = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| caught.as_mut().poll(context)));
            std::task::Poll::Ready(poll.is_err())
        });
        assert!(result.await);
        assert_eq!((receive::<u8>().await, receive::<u8>().await), (0, 2));
    });
}

#[test]
fn a_receive_within_a_guard_is_refused() {
    on_quiet_node(async {
        let victim = spawn_monitor(async move {
            send(self_pid(), 1_u8);
            let mut inner = Box::pin(receive::<u8>());
            let mut poll_inner = move || {
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                inner.as_mut().poll(&mut context).is_ready()
            };
            receive! { _n: u8 if poll_inner() => () }
        });
        let reason = end_of(victim).await;
        assert!(reason.to_string().contains("within the guard of another"), "{reason}");
    });
}

#[test]
fn a_receive_that_is_cancelled_in_a_select_has_taken_nothing() {
    on_node(async {
        let parent = self_pid();
        for n in 0..2000_u32 {
            spawn(async move { send(parent, n) });
            let first = tokio::select! {
                biased;
                text = receive::<String>() => Some(text.len() as u32),
                () = greenroom::yield_now() => None,
            };
            assert_eq!(first, None);
            assert_eq!(receive::<u32>().await, n);
        }
        assert!(!has::<u32>().await);
    });
}

#[test]
fn two_receives_at_once_each_get_their_own() {
    on_node(async {
        let parent = self_pid();
        spawn(async move {
            send(parent, String::from("b"));
            process::sleep(Duration::from_millis(1)).await;
            send(parent, 'a');
        });
        assert_eq!(tokio::join!(receive::<char>(), receive::<String>()), ('a', "b".into()));
    });
}

#[test]
fn what_one_receive_takes_over_from_the_inbox_is_not_lost_on_another_that_looked_before() {
    on_node(async {
        let first = async {
            let letter = receive::<char>().await;
            send(self_pid(), 1_u32);
            letter
        };
        let second = async {
            send(self_pid(), 'a');
            receive::<u32>().await
        };
        assert_eq!(tokio::join!(first, second), ('a', 1));
    });
}

#[test]
fn a_receive_that_is_half_done_can_move_to_another_process() {
    on_node(async {
        send(self_pid(), 1_u8);
        let mut half_done = Box::pin(receive::<char>());
        std::future::poll_fn(|context| {
            assert!(half_done.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        let parent = self_pid();
        let heir = spawn(async move { send(parent, half_done.await) });
        send(heir, 2_u8);
        send(heir, 'x');
        assert_eq!(receive::<char>().await, 'x');
        assert_eq!(receive::<u8>().await, 1);
        exit(spawn(forever()), "done");
    });
}

#[test]
fn the_time_of_a_receive_goes_with_it_to_another_process_and_another_node() {
    let manual = || Node::builder().workers(2).manual_clock().start().unwrap();
    let (near, far) = (manual(), manual());
    let (clock, far_clock) = (near.clock(), far.clock());
    far_clock.advance(Duration::from_secs(500)); // Their clocks differ.
    on(&near, async move {
        for node in [Node::current().unwrap(), far.downgrade()] {
            let mut half_done = Box::pin(receive_timeout::<char>(Duration::from_secs(10)));
            std::future::poll_fn(|context| {
                assert!(half_done.as_mut().poll(context).is_pending());
                std::task::Poll::Ready(())
            })
            .await;
            clock.pass(Duration::from_secs(4)).await;
            let (told, hears) = std::sync::mpsc::channel();
            let heir = node.spawn(async move { told.send(half_done.await).unwrap() });
            let heirs_clock = node.clock();
            heirs_clock.settled().await;
            heirs_clock.pass(Duration::from_secs(5)).await;
            assert!(node.is_alive(heir) && hears.try_recv().is_err());
            heirs_clock.pass(Duration::from_secs(1)).await;
            assert_eq!(hears.try_recv(), Ok(None));
        }
    });
}

#[test]
fn receives_within_an_executor_of_their_own_are_woken() {
    use std::future::Future;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Wake, Waker};

    /// Counts how often it is woken, and wakes the process, as `FuturesUnordered` does for its futures.
    struct Inner(AtomicUsize, Waker);
    impl Wake for Inner {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            self.1.wake_by_ref();
        }
    }

    on_node(async {
        let me = self_pid();
        let mut waiting = Box::pin(receive::<u64>());
        let mut inner: Option<Arc<Inner>> = None;
        let mut woken = 0;
        let got = std::future::poll_fn(|context: &mut Context<'_>| {
            let first = inner.is_none();
            let waker = inner.get_or_insert_with(|| Arc::new(Inner(AtomicUsize::new(0), context.waker().clone())));
            let count = waker.0.load(Ordering::Relaxed);
            if !first && count == woken {
                return Poll::Pending; // It was not woken, so it is not polled.
            }
            woken = count;
            let polled = waiting.as_mut().poll(&mut Context::from_waker(&Waker::from(waker.clone())));
            if first {
                spawn(async move { send(me, 7_u64) });
            }
            polled
        })
        .await;
        assert_eq!(got, 7);
    });
}

#[test]
fn case_65_an_answer_since_a_mark_is_found_without_looking_at_the_backlog() {
    on_node(async {
        let me = self_pid();
        for number in 0..1000_u64 {
            send(me, (Ref::new(), number));
        }
        for round in 0..3_u64 {
            let (mark, reference) = (greenroom::mark(), Ref::new());
            spawn(async move { send(me, (reference, round)) });
            let looks = AtomicU32::new(0);
            let answer = receive! {
                since mark;
                (to, answer): (Ref, u64) if looks.fetch_add(1, Ordering::Relaxed) < 5 && to == reference => answer,
            };
            assert_eq!((answer, looks.into_inner()), (round, 1));
        }
        // A mark is only a hint: when what it points to is gone, everything is looked at.
        let (mark, first) = (greenroom::mark(), receive::<(Ref, u64)>().await);
        let next = receive! { since mark; next: (Ref, u64) => next };
        assert_eq!((first.1, next.1), (0, 1));
        assert_eq!(process::info(me).map(|info| info.message_queue_len), Some(998));
    });
}
