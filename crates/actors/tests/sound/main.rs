//! Whole nodes, in stories small enough for tools that watch every access to memory: `miri` and the sanitizers. Between
//! them they pass through all of the crate's `unsafe` code, with threads that meet.
//!
//! ```text
//! MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-tree-borrows -Zmiri-ignore-leaks" cargo +nightly miri test -p greenroom --test sound
//! ```

use std::alloc::System;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use greenroom::gen_server::{GenServer, InitError};
use greenroom::message::{Down, Exit};
use greenroom::{
    ExitReason, Local, Node, Pid, TrackingAllocator, exit, link, monitor, receive, register, self_pid, send,
    send_after, spawn, spawn_link, spawn_monitor, trap_exit, whereis,
};
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::new(System);

#[derive(Debug, Serialize, Deserialize)]
struct Ping(Pid);
#[derive(Debug, Serialize, Deserialize)]
struct Pong(u32);

/// How much is done: little where each step is watched.
const FEW: u32 = if cfg!(miri) { 3 } else { 300 };

/// Runs something on a node of two workers.
fn on_node<R: Send + 'static>(story: impl Future<Output = R> + Send + 'static) -> R {
    let node = Node::builder().workers(2).start().unwrap();
    let result = node.block_on(story);
    node.shutdown();
    result
}

/// Tells when it is dropped.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

async fn echo() {
    let mut answered = 0;
    loop {
        let Ping(from) = receive::<Ping>().await;
        answered += 1;
        send(from, Pong(answered));
    }
}

#[test]
fn messages_come_back() {
    on_node(async {
        let echo = spawn(echo());
        for n in 1..=FEW {
            send(echo, Ping(self_pid()));
            assert_eq!(receive::<Pong>().await.0, n);
        }
    });
}

#[test]
fn many_send_to_one_that_picks_out_of_order() {
    on_node(async {
        let test = self_pid();
        for sender in 0..3_u32 {
            spawn(async move {
                for n in 0..FEW {
                    send(test, (sender, n));
                }
            });
        }
        for sender in (0..3).rev() {
            for expected in 0..FEW {
                let n = receive! { (from, n): (u32, u32) if from == sender => n };
                assert_eq!(n, expected);
            }
        }
    });
}

#[test]
fn what_is_linked_dies_together_and_who_watches_is_told() {
    on_node(async {
        trap_exit(true);
        let middle = spawn_link(async {
            let leaf = spawn_link(async { receive::<()>().await });
            send(leaf, ());
            receive::<()>().await;
        });
        let (other, watch) = spawn_monitor(async move {
            link(middle);
            receive::<()>().await;
        });
        let _ = other;
        exit(middle, ExitReason::Kill);
        assert_eq!(receive::<Exit>().await.reason, ExitReason::Killed);
        let down = receive! { down: Down if down.reference == watch => down };
        assert!(matches!(down.reason, ExitReason::Killed | ExitReason::NoProc));
    });
}

#[test]
fn a_panic_is_an_exit_and_nothing_is_left() {
    let drops = Arc::new(AtomicUsize::new(0));
    let held = drops.clone();
    on_node(async move {
        let (pid, watch) = spawn_monitor(async move {
            let _kept = Counted(held.clone());
            receive::<Local<Counted>>().await;
            std::panic::resume_unwind(Box::new("over"));
        });
        send(pid, Local(Counted(drops.clone())));
        send(pid, Local(Counted(drops.clone())));
        let down = receive::<Down>().await;
        assert_eq!(down.reference, watch);
        while drops.load(Ordering::SeqCst) < 3 {
            greenroom::process::yield_now().await;
        }
    });
}

#[test]
fn places_are_used_again() {
    on_node(async {
        for _ in 0..FEW {
            let pids: Vec<Pid> = (0..4).map(|_| spawn(echo())).collect();
            for pid in &pids {
                let watch = monitor(*pid);
                exit(*pid, ExitReason::Kill);
                receive! { down: Down if down.reference == watch => () };
                send(*pid, Ping(self_pid())); // To nobody.
            }
        }
    });
}

#[test]
fn names_and_timers_find_their_process() {
    on_node(async {
        let echo = spawn(echo());
        register("echo", echo).unwrap();
        assert_eq!(whereis("echo"), Some(echo));
        send_after("echo", Ping(self_pid()), Duration::from_millis(1));
        assert_eq!(receive::<Pong>().await.0, 1);
        assert!(receive! { _: Pong => false, after Duration::from_millis(1) => true });
    });
}

#[derive(Debug, Serialize, Deserialize)]
struct Add(u32);
#[derive(Debug)]
struct Sum(u32);
greenroom::accepts! { Sum: call add(Add) -> u32; }

impl GenServer for Sum {
    type Args = ();
    async fn init((): ()) -> Result<Self, InitError> {
        Ok(Sum(0))
    }
}

impl Sum {
    async fn add(&mut self, Add(n): Add) -> u32 {
        self.0 += n;
        self.0
    }
}

#[test]
fn servers_answer_and_those_who_wait_for_a_dead_one_are_told() {
    on_node(async {
        trap_exit(true);
        let sum = Sum::start_link(()).await.unwrap();
        for n in 1..=FEW {
            assert_eq!(sum.call(Add(1)).await, Ok(n));
        }
        let pid = sum.pid();
        let callers: Vec<_> =
            (0..2).map(|_| spawn_monitor(async move { while sum.call(Add(1)).await.is_ok() {} }).1).collect();
        exit(pid, ExitReason::Kill);
        for watch in callers {
            receive! { down: Down if down.reference == watch => () };
        }
    });
}

#[test]
fn a_process_that_is_killed_while_it_runs_is_cleared_away() {
    on_node(async {
        let stop = Arc::new(AtomicUsize::new(0));
        let (busy, watch) = spawn_monitor({
            let stop = stop.clone();
            async move {
                stop.store(1, Ordering::SeqCst);
                while stop.load(Ordering::SeqCst) == 1 {
                    std::thread::yield_now();
                }
                send(self_pid(), ());
            }
        });
        while stop.load(Ordering::SeqCst) == 0 {
            greenroom::process::yield_now().await;
        }
        exit(busy, ExitReason::Kill);
        receive! { down: Down if down.reference == watch => () };
        stop.store(2, Ordering::SeqCst);
    });
}

#[test]
fn what_waits_is_looked_at_where_it_lies() {
    on_node(async {
        let holder = spawn(async {
            receive::<()>().await;
            receive::<u32>().await;
        });
        for n in 0..FEW {
            send(holder, Pong(n));
        }
        send(holder, ());
        let waiting = greenroom::process::messages(holder, 1).await.unwrap();
        assert!(waiting.len >= FEW as usize && waiting.first.len() == 1, "{waiting:?}");
        send(holder, 7_u32);
    });
}
