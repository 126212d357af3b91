//! A few figures of the process core on this machine, one line a measure: `cargo run --release -p greenroom
//! --example figures`. Each is the best of several runs, as other work on the machine only ever slows it down.

use std::time::{Duration, Instant};

use greenroom::{ExitReason, Node, Pid, exit, process, receive, self_pid, send, spawn};
use serde::{Deserialize, Serialize};

const RUNS: usize = 5;

#[derive(Debug, Serialize, Deserialize)]
struct Ping(Pid);
#[derive(Debug, Serialize, Deserialize)]
struct Pong;

fn main() {
    for workers in [1, std::thread::available_parallelism().map_or(1, Into::into)] {
        let node = Node::builder().workers(workers).start().expect("threads can be started");
        rate(workers, "ping-pong by pid, round trips", 1_000_000, &node, ping_pong);
        rate(workers, "spawn and exit", 1_000_000, &node, spawn_and_exit);
        rate(workers, "fan-in of 8 to 1, messages", 8 * 500_000, &node, fan_in);
        node.shutdown();
    }
    let node = Node::builder().start().expect("threads can be started");
    node.block_on(hold());
}

/// Prints how many of something were done in a second.
fn rate<F>(workers: usize, what: &str, count: usize, node: &Node, run: impl Fn(usize) -> F)
where
    F: Future<Output = Duration> + Send + 'static,
{
    let best = (0..RUNS).map(|_| node.block_on(run(count))).min().unwrap_or_default();
    println!("{what}, {workers} worker(s): {:.2} M/s", count as f64 / best.as_secs_f64() / 1e6);
}

async fn ping_pong(count: usize) -> Duration {
    let server = spawn(async {
        loop {
            let Ping(from) = receive::<Ping>().await;
            send(from, Pong);
        }
    });
    let (client, start) = (self_pid(), Instant::now());
    for _ in 0..count {
        send(server, Ping(client));
        receive::<Pong>().await;
    }
    let elapsed = start.elapsed();
    exit(server, ExitReason::Kill);
    elapsed
}

async fn spawn_and_exit(count: usize) -> Duration {
    const BATCH: usize = 1000;
    let (parent, start) = (self_pid(), Instant::now());
    for _ in 0..count / BATCH {
        for _ in 1..BATCH {
            spawn(async {});
        }
        // The last of a batch says when it has its turn, so that no long queue builds up.
        spawn(async move { send(parent, Pong) });
        receive::<Pong>().await;
    }
    start.elapsed()
}

async fn fan_in(count: usize) -> Duration {
    let (receiver, start) = (self_pid(), Instant::now());
    for _ in 0..8 {
        spawn(async move {
            for n in 0..count / 8 {
                send(receiver, n);
                if n % 100 == 0 {
                    process::yield_now().await;
                }
            }
        });
    }
    for _ in 0..count {
        receive::<usize>().await;
    }
    start.elapsed()
}

async fn hold() {
    const COUNT: usize = 1_000_000;
    let (before, start) = (resident_bytes(), Instant::now());
    let held: Vec<Pid> = (0..COUNT)
        .map(|_| {
            spawn(async {
                let Ping(from) = receive::<Ping>().await;
                send(from, Pong);
            })
        })
        .collect();
    while process::info(held[COUNT - 1]).is_some_and(|info| info.status != process::Status::Waiting) {
        process::yield_now().await;
    }
    let elapsed = start.elapsed();
    let list = size_of::<Pid>() * COUNT;
    let bytes = resident_bytes().saturating_sub(before).saturating_sub(list) / COUNT;
    println!("spawn and hold {COUNT} processes: {:.2} s, {bytes} bytes resident each", elapsed.as_secs_f64());
    let start = Instant::now();
    for pid in held {
        exit(pid, ExitReason::Kill);
    }
    println!("kill {COUNT} processes: {:.2} s", start.elapsed().as_secs_f64());
}

/// Memory that the operating system says this program occupies; zero where it does not say.
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok()).unwrap_or(0) * 1024
}
