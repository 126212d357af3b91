//! Plain tokio: a task with an unbounded channel, which is what one would write without an actor library.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::yield_now;

use crate::common::*;

/// Runs a trial; none if this peer has no such thing.
pub fn run(trial: &str) -> Option<f64> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().ok()?;
    // The trial is a task like the others, not a guest of the runtime.
    let value = match trial {
        "memory" => runtime.block_on(runtime.spawn(memory())),
        "spawn_hold" => runtime.block_on(runtime.spawn(spawn_hold())),
        "spawn_exit" => runtime.block_on(runtime.spawn(rate(ENDED, spawn_exit))),
        "ping_pong" => runtime.block_on(runtime.spawn(rate(ROUND_TRIPS, ping_pong))),
        "ring" => runtime.block_on(runtime.spawn(rate(RING * LAPS, ring))),
        "fan_in" => runtime.block_on(runtime.spawn(rate(SENDERS * ITEMS, fan_in))),
        "spawn_monitor_down" => runtime.block_on(runtime.spawn(rate(SEQUENCE, spawn_monitor_down))),
        "kill_down_p99" => runtime.block_on(runtime.spawn(kill_down())),
        "async_stream" => runtime.block_on(runtime.spawn(rate(STREAMED as usize, async_stream))),
        "runaway" => Ok(runaway(&runtime)),
        _ => return None,
    };
    // A runaway cannot be stopped; the trial's operating-system process ends with its answer.
    std::mem::forget(runtime);
    value.ok()
}

fn idle() -> UnboundedSender<u64> {
    let (sender, mut receiver) = unbounded_channel();
    tokio::spawn(async move { while receiver.recv().await.is_some() {} });
    sender
}

async fn memory() -> f64 {
    let _first: Vec<_> = (0..1000).map(|_| idle()).collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = resident();
    let _held: Vec<_> = (0..IDLE).map(|_| idle()).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    (resident() - before) / IDLE as f64
}

/// A task for each input, as many at a time as there are workers.
async fn async_stream() {
    let workers = std::thread::available_parallelism().map_or(1, Into::into);
    let tasks = stream::iter(0..STREAMED).map(|n| tokio::spawn(async move { n + 1 }));
    let values: Vec<u64> = tasks.buffered(workers).filter_map(async |value| value.ok()).collect().await;
    assert!(values.into_iter().eq(1..=STREAMED));
}

async fn hold(count: usize) -> (Vec<UnboundedSender<()>>, &'static Gate) {
    let (started, ended) = (Gate::new(count), Gate::new(count));
    let mut senders = Vec::with_capacity(count);
    for _ in 0..count {
        let (sender, mut receiver) = unbounded_channel();
        tokio::spawn(async move {
            started.pass();
            receiver.recv().await;
            ended.pass();
        });
        senders.push(sender);
    }
    started.opened().await;
    (senders, ended)
}

async fn spawn_hold() -> f64 {
    let (senders, ended) = hold(HELD).await;
    drop(senders);
    ended.opened().await;
    let start = Instant::now();
    let _held = hold(HELD).await;
    HELD as f64 / start.elapsed().as_secs_f64()
}

/// Each with its channel, as every process has a mailbox.
async fn spawn_exit() {
    let gate = Gate::new(ENDED);
    for number in 1..=ENDED {
        let (_sender, receiver) = unbounded_channel::<u64>();
        tokio::spawn(async move {
            drop(receiver);
            gate.pass();
        });
        if number % 1000 == 0 {
            yield_now().await;
        }
    }
    gate.opened().await;
}

async fn ping_pong() {
    let (ping, mut pings) = unbounded_channel::<UnboundedSender<()>>();
    let (pong, mut pongs) = unbounded_channel::<()>();
    tokio::spawn(async move {
        while let Some(from) = pings.recv().await {
            let _ = from.send(());
        }
    });
    for _ in 0..ROUND_TRIPS {
        let _ = ping.send(pong.clone());
        pongs.recv().await;
    }
}

async fn ring() {
    let (home, mut arrived) = unbounded_channel::<u64>();
    let mut next = home;
    for _ in 1..RING {
        let to = next;
        let (sender, mut receiver) = unbounded_channel();
        next = sender;
        tokio::spawn(async move {
            while let Some(hops) = receiver.recv().await {
                let _ = to.send(hops + 1);
            }
        });
    }
    let mut hops = 0;
    for _ in 0..LAPS {
        let _ = next.send(hops + 1);
        hops = arrived.recv().await.unwrap_or_default();
    }
    assert_eq!(hops as usize, RING * LAPS);
}

async fn fan_in() {
    let (to, mut items) = unbounded_channel::<u64>();
    for _ in 0..SENDERS {
        let to = to.clone();
        tokio::spawn(async move {
            for number in 0..ITEMS as u64 {
                let _ = to.send(number);
            }
        });
    }
    for _ in 0..SENDERS * ITEMS {
        items.recv().await;
    }
}

async fn spawn_monitor_down() {
    for _ in 0..SEQUENCE {
        let (_sender, receiver) = unbounded_channel::<u64>();
        let _ = tokio::spawn(async move { drop(receiver) }).await;
    }
}

async fn kill_down() -> f64 {
    let mut times = Vec::with_capacity(KILLED);
    for _ in 0..KILLED {
        let (_sender, mut receiver) = unbounded_channel::<u64>();
        let task = tokio::spawn(async move { receiver.recv().await });
        tokio::time::sleep(Duration::from_millis(1)).await;
        let start = Instant::now();
        task.abort();
        let _ = task.await;
        times.push(micros(start));
    }
    quantile(times, 0.99)
}

fn runaway(runtime: &tokio::runtime::Runtime) -> f64 {
    let ticks = Arc::new(AtomicUsize::new(0));
    let counted = ticks.clone();
    runtime.spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    for _ in 0..RUNAWAYS {
        runtime.spawn(async {
            loop {
                std::hint::spin_loop();
            }
        });
    }
    std::thread::sleep(Duration::from_millis(RUNAWAY_MS));
    ticks.load(Ordering::Relaxed) as f64
}
