//! Processes that do not let others run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use greenroom::message::Down;
use greenroom::{ExitReason, Node, exit, is_alive, receive, self_pid, send, sleep, spawn, spawn_monitor};

/// A process that computes until it is told that it is enough, without ever awaiting.
async fn runaway(enough: Arc<AtomicBool>) {
    while !enough.load(Ordering::Relaxed) {
        std::hint::spin_loop();
    }
}

#[test]
fn everyone_goes_on_beside_more_runaways_than_workers() {
    let node = Node::builder().workers(2).on_long_turn(|_| ()).start().unwrap();
    let enough = Arc::new(AtomicBool::new(false));
    let finished = enough.clone();
    let ticks = node.block_on(async move {
        for _ in 0..10 {
            spawn(runaway(enough.clone()));
        }
        let mut ticks = 0;
        while ticks < 30 {
            sleep(Duration::from_millis(1)).await;
            ticks += 1;
        }
        ticks
    });
    finished.store(true, Ordering::Relaxed);
    assert_eq!(ticks, 30);
}

#[test]
fn what_a_runaway_woke_last_runs_elsewhere() {
    let node = Node::builder().workers(2).on_long_turn(|_| ()).start().unwrap();
    node.block_on(async {
        let enough = Arc::new(AtomicBool::new(false));
        let stop = enough.clone();
        let waiting = spawn(async move {
            let _go = receive::<u64>().await;
            stop.store(true, Ordering::Relaxed);
        });
        spawn_monitor(async move {
            send(waiting, 1_u64);
            runaway(enough).await;
        });
        assert_eq!(receive::<Down>().await.reason, ExitReason::Normal);
    });
}

#[test]
fn case_16_a_killed_runaway_is_dead_to_everyone_while_it_burns_on() {
    let node = Node::builder().workers(1).on_long_turn(|_| ()).start().unwrap();
    let enough = Arc::new(AtomicBool::new(false));
    let finished = enough.clone();
    node.block_on(async move {
        let (began, begins) = (self_pid(), ());
        let victim = spawn(async move {
            send(began, begins);
            runaway(enough).await;
        });
        receive::<()>().await;
        exit(victim, ExitReason::Kill);
        assert!(!is_alive(victim));
        spawn(async move { send(began, 1_u64) });
        assert_eq!(receive::<u64>().await, 1);
    });
    finished.store(true, Ordering::Relaxed);
}

#[test]
fn a_process_that_runs_for_long_is_reported() {
    let enough = Arc::new(AtomicBool::new(false));
    let (seen, reports) = mpsc::channel();
    let stop = enough.clone();
    let node = Node::builder()
        .workers(1)
        .on_long_turn(move |long| {
            stop.store(true, Ordering::Relaxed);
            // The test may have ended with the first report.
            let _ = seen.send(long.clone());
        })
        .start()
        .unwrap();
    let pid = node.spawn(async move {
        greenroom::register("busy", self_pid()).unwrap();
        runaway(enough).await;
    });
    let long = reports.recv().unwrap();
    assert_eq!(long.pid, pid);
    assert!(long.to_string().contains("(busy) has been running for"), "{long}");
}
