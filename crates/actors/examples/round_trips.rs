//! Prints how many round trips a second two processes make: `cargo run --release -p greenroom --example round_trips`.

use std::time::Instant;

use greenroom::{ExitReason, Pid, exit, receive, self_pid, send, spawn};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Ping(Pid);
#[derive(Debug, Serialize, Deserialize)]
struct Pong;

/// How many are made; twice, as the first time touches the memory.
const ROUND_TRIPS: u32 = 2_000_000;

async fn round_trips() -> f64 {
    let echo = spawn(async {
        loop {
            let Ping(from) = receive::<Ping>().await;
            send(from, Pong);
        }
    });
    let (myself, start) = (self_pid(), Instant::now());
    for _ in 0..ROUND_TRIPS {
        send(echo, Ping(myself));
        receive::<Pong>().await;
    }
    let rate = f64::from(ROUND_TRIPS) / start.elapsed().as_secs_f64();
    exit(echo, ExitReason::Kill);
    rate
}

fn main() {
    let rate = greenroom::run(async {
        round_trips().await;
        round_trips().await
    });
    println!("{rate:.0}");
}
