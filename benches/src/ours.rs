//! Greenroom's trials, written as its users write: typed messages by pid through the free functions.

mod supervisors;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use greenroom::gen_server::{GenServer, InitError};
use greenroom::message::Down;
use greenroom::{
    ExitReason, Node, Pid, Ref, demonitor, exit, mark, monitor, process, receive, self_pid, send, sleep, spawn,
    spawn_link, spawn_monitor, task, yield_now,
};
use serde::{Deserialize, Serialize};

use crate::common::*;

#[derive(Debug, Serialize, Deserialize)]
struct Ping(Pid);
#[derive(Debug, Serialize, Deserialize)]
struct Pong;
#[derive(Debug, Serialize, Deserialize)]
struct Token(u64);
#[derive(Debug, Serialize, Deserialize)]
struct Item(u64);
#[derive(Debug, Serialize, Deserialize)]
struct Request(Ref, Pid);
#[derive(Debug, Serialize, Deserialize)]
struct Answer(Ref, u64);
#[derive(Debug, Serialize, Deserialize)]
struct Stop;

/// Runs a trial; none if there is no such.
pub fn run(trial: &str) -> Option<f64> {
    let value = match trial {
        "memory" => greenroom::run(memory()),
        "spawn_hold" => greenroom::run(spawn_hold()),
        "spawn_exit" => greenroom::run(rate(ENDED, || spawn_exit(ENDED))),
        "ping_pong" => greenroom::run(rate(ROUND_TRIPS, ping_pong)),
        "ring" => greenroom::run(rate(RING * LAPS, ring)),
        "fan_in" => greenroom::run(rate(SENDERS * ITEMS, fan_in)),
        "spawn_monitor_down" => greenroom::run(rate(SEQUENCE, spawn_monitor_down)),
        "kill_down_p99" => greenroom::run(kill_down()),
        "backlog" => greenroom::run(calls(BACKLOG)),
        "backlog_none" => greenroom::run(calls(0)),
        "call" => greenroom::run(rate(ROUND_TRIPS, ask)),
        "call_backlog" => greenroom::run(asks(BACKLOG)),
        "call_backlog_none" => greenroom::run(asks(0)),
        "chain" => greenroom::run(chain()),
        "hub" => greenroom::run(hub()),
        "async_stream" => greenroom::run(rate(STREAMED as usize, async_stream)),
        "restart" => greenroom::run(supervisors::restarts()),
        "restart_p50" => greenroom::run(supervisors::restart(0.5)),
        "restart_p99" => greenroom::run(supervisors::restart(0.99)),
        "tree" => greenroom::run(supervisors::tree()),
        "tree_dynamic" => greenroom::run(supervisors::tree_dynamic()),
        "runaway" => runaway(),
        _ => {
            let exponent = trial.strip_prefix("growth_")?.parse().ok()?;
            greenroom::run(growth(10_usize.pow(exponent)))
        }
    };
    Some(value)
}

async fn idle() {
    loop {
        receive::<Pong>().await;
    }
}

async fn memory() -> f64 {
    for _ in 0..1000 {
        spawn(idle());
    }
    sleep(Duration::from_millis(200)).await;
    let before = resident();
    for _ in 0..IDLE {
        spawn(idle());
    }
    sleep(Duration::from_secs(1)).await;
    (resident() - before) / IDLE as f64
}

/// Starts so many that stay until they are told to stop; returns when all of them run.
async fn hold(count: usize) -> (Vec<Pid>, &'static Gate) {
    let (started, ended) = (Gate::new(count), Gate::new(count));
    let mut pids = Vec::with_capacity(count);
    for _ in 0..count {
        pids.push(spawn(async move {
            started.pass();
            receive::<Stop>().await;
            ended.pass();
        }));
    }
    started.opened().await;
    (pids, ended)
}

async fn release(pids: Vec<Pid>, ended: &'static Gate) {
    for pid in pids {
        send(pid, Stop);
    }
    ended.opened().await;
}

async fn spawn_hold() -> f64 {
    let (pids, ended) = hold(HELD).await;
    release(pids, ended).await;
    let start = Instant::now();
    let _held = hold(HELD).await;
    HELD as f64 / start.elapsed().as_secs_f64()
}

async fn spawn_exit(count: usize) {
    let gate = Gate::new(count);
    for number in 1..=count {
        spawn(async move { gate.pass() });
        if number % 1000 == 0 {
            yield_now().await;
        }
    }
    gate.opened().await;
}

async fn echo() {
    loop {
        let Ping(from) = receive::<Ping>().await;
        send(from, Pong);
    }
}

pub async fn ping_pong() {
    round_trips(ROUND_TRIPS).await;
}

/// So many messages to an echo and back.
pub async fn round_trips(count: usize) {
    let echo = spawn(echo());
    let myself = self_pid();
    for _ in 0..count {
        send(echo, Ping(myself));
        receive::<Pong>().await;
    }
    exit(echo, ExitReason::Kill);
}

async fn hand_on(to: Pid) {
    loop {
        let Token(hops) = receive::<Token>().await;
        send(to, Token(hops + 1));
    }
}

async fn ring() {
    let mut next = self_pid();
    for _ in 1..RING {
        next = spawn(hand_on(next));
    }
    let mut hops = 0;
    for _ in 0..LAPS {
        send(next, Token(hops + 1));
        Token(hops) = receive::<Token>().await;
    }
    assert_eq!(hops as usize, RING * LAPS);
    let myself = self_pid();
    for pid in process::list() {
        if pid != myself {
            exit(pid, ExitReason::Kill);
        }
    }
}

async fn fan_in() {
    let to = self_pid();
    for _ in 0..SENDERS {
        spawn(async move {
            for number in 0..ITEMS as u64 {
                send(to, Item(number));
            }
        });
    }
    for _ in 0..SENDERS * ITEMS {
        receive::<Item>().await;
    }
}

async fn spawn_monitor_down() {
    for _ in 0..SEQUENCE {
        let (_, reference) = spawn_monitor(async {});
        let down = receive::<Down>().await;
        assert_eq!(down.reference, reference);
    }
}

async fn kill_down() -> f64 {
    let mut times = Vec::with_capacity(KILLED);
    for _ in 0..KILLED {
        let (pid, _) = spawn_monitor(idle());
        sleep(Duration::from_millis(1)).await;
        let start = Instant::now();
        exit(pid, ExitReason::Kill);
        receive::<Down>().await;
        times.push(micros(start));
    }
    quantile(times, 0.99)
}

async fn server() {
    loop {
        let Request(reference, from) = receive::<Request>().await;
        send(from, Answer(reference, 1));
    }
}

/// Nanoseconds of a call whose answer is picked by reference, with so many other messages waiting.
async fn calls(waiting: usize) -> f64 {
    let myself = self_pid();
    let server = spawn(server());
    for number in 0..waiting as u64 {
        send(myself, Item(number));
    }
    let start = Instant::now();
    let mut done = 0_usize;
    while done < CALLS && start.elapsed().as_secs_f64() < PATIENCE {
        let (mark, reference) = (mark(), monitor(server));
        send(server, Request(reference, myself));
        let _one = greenroom::receive! { since mark; Answer(to, one): Answer if to == reference => one };
        demonitor(reference);
        done += 1;
    }
    start.elapsed().as_secs_f64() * 1e9 / done as f64
}

#[derive(Debug, Serialize, Deserialize)]
struct Add(u64);

#[derive(Debug)]
struct Counter(u64);
greenroom::accepts! { Counter: call add(Add) -> u64; }

impl GenServer for Counter {
    type Args = u64;
    async fn init(start: u64) -> Result<Self, InitError> {
        Ok(Counter(start))
    }
}

impl Counter {
    async fn add(&mut self, Add(n): Add) -> u64 {
        self.0 += n;
        self.0
    }
}

/// Calls a server, one call after the other, with the time-out that is usual.
async fn ask() {
    let Ok(counter) = Counter::start_link(0).await else { return };
    for n in 1..=ROUND_TRIPS as u64 {
        assert_eq!(counter.call(Add(1)).await, Ok(n));
    }
}

/// Nanoseconds of a call with so many other messages waiting.
async fn asks(waiting: usize) -> f64 {
    let Ok(counter) = Counter::start_link(0).await else { return f64::NAN };
    for number in 0..waiting as u64 {
        send(self_pid(), Item(number));
    }
    let start = Instant::now();
    let mut done = 0_usize;
    while done < ASKED && start.elapsed().as_secs_f64() < PATIENCE {
        done += usize::from(counter.call(Add(1)).await.is_ok());
    }
    start.elapsed().as_secs_f64() * 1e9 / done as f64
}

/// One of a chain: starts the next, linked, and waits.
fn link_on(left: usize, last: Pid) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        match left {
            0 => send(last, Ping(self_pid())),
            left => drop(spawn_link(link_on(left - 1, last))),
        }
        idle().await;
    })
}

/// Milliseconds that a chain of links needs to die.
async fn chain() -> f64 {
    let mut took = f64::NAN;
    for _ in 0..2 {
        let first = spawn(link_on(LINKED, self_pid()));
        let Ping(last) = receive::<Ping>().await;
        monitor(last);
        sleep(Duration::from_millis(50)).await;
        let start = Instant::now();
        exit(first, ExitReason::Kill);
        receive::<Down>().await;
        took = micros(start) / 1e3;
    }
    took
}

/// Milliseconds until it is known of each process linked to a hub that it died with it.
async fn hub() -> f64 {
    let mut took = f64::NAN;
    for _ in 0..2 {
        let myself = self_pid();
        let hub = spawn(async move {
            for _ in 0..LINKED {
                send(myself, Ping(spawn_link(idle())));
            }
            idle().await;
        });
        for _ in 0..LINKED {
            let Ping(leaf) = receive::<Ping>().await;
            monitor(leaf);
        }
        sleep(Duration::from_millis(50)).await;
        let start = Instant::now();
        exit(hub, ExitReason::Kill);
        for _ in 0..LINKED {
            receive::<Down>().await;
        }
        took = micros(start) / 1e3;
    }
    took
}

/// A task for each input, as many at a time as there are workers.
async fn async_stream() {
    let values = task::async_stream(0..STREAMED, |n| async move { n + 1 }).all().await;
    assert!(values.into_iter().eq((1..=STREAMED).map(Ok)));
}

async fn tick(count: Arc<AtomicUsize>) {
    loop {
        sleep(Duration::from_millis(1)).await;
        count.fetch_add(1, Ordering::Relaxed);
    }
}

async fn burn() {
    loop {
        std::hint::spin_loop();
    }
}

/// Ticks of a millisecond's ticker beside processes that never let others run.
fn runaway() -> f64 {
    let Ok(node) = Node::builder().start() else { return f64::NAN };
    let ticks = Arc::new(AtomicUsize::new(0));
    let counted = ticks.clone();
    node.spawn(tick(counted));
    for _ in 0..RUNAWAYS {
        node.spawn(burn());
    }
    std::thread::sleep(Duration::from_millis(RUNAWAY_MS));
    let ticks = ticks.load(Ordering::Relaxed) as f64;
    // Stopping would wait for the runaways; the trial's operating-system process ends with its answer.
    std::mem::forget(node);
    ticks
}

/// Nanoseconds a process of its whole life, start to end with a message between, in company of so many.
async fn growth(count: usize) -> f64 {
    let times = (2_000_000 / count).max(1);
    let (pids, ended) = hold(count).await;
    release(pids, ended).await;
    let start = Instant::now();
    for _ in 0..times {
        let (pids, ended) = hold(count).await;
        release(pids, ended).await;
    }
    start.elapsed().as_secs_f64() * 1e9 / (times * count) as f64
}
