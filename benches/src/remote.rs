//! Greenroom's trials between two nodes: two operating-system processes over loopback and TLS, or, for the trials
//! whose name ends in `_memory`, two nodes of this one.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use greenroom::message::Down;
use greenroom::{Node, Pid, Ref, demonitor, monitor, receive, register, self_pid, send, spawn, yield_now};
use greenroom_cluster::{Cluster, Cookie, MemoryNetwork};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::common::{median, micros};
use crate::trial::TRIAL;

/// Calls in sequence.
const CALLS: usize = 20_000;
/// Casts of [`SMALL`] bytes.
const CASTS: usize = 500_000;
const SMALL: usize = 100;
/// Messages of a megabyte in a stream of a gigabyte.
const STREAM: usize = 1024;
/// The message that a small one shall not wait for.
const LARGE: usize = 100 << 20;
/// After how much silence the other process is taken for lost.
const TICK: Duration = Duration::from_secs(4);
/// How the other process learns where to connect.
const ADDRESS: &str = "GREENROOM_BENCH_ADDRESS";
const COOKIE: &str = "GREENROOM_BENCH_COOKIE";

#[derive(Debug, Serialize, Deserialize)]
struct Request(Ref, Pid);
#[derive(Debug, Serialize, Deserialize)]
struct Answer(Ref, u64);
#[derive(Debug, Serialize, Deserialize)]
struct Bytes(ByteBuf);
#[derive(Debug, Serialize, Deserialize)]
struct Hello(Pid, u32);

/// Runs a trial; none if there is no such.
pub fn run(trial: &str) -> Option<f64> {
    if trial == "remote_peer" {
        be_peer();
    }
    if let Some(figure) = crate::mesh::run(trial) {
        return Some(figure);
    }
    let node = Node::builder().name("bench").start().ok()?;
    let (work, other) = match trial.strip_suffix("_memory") {
        Some(work) => (work, Other::here(&node)?),
        None => (trial, Other::process(&node)?),
    };
    let (work, cluster) = (work.to_owned(), other.cluster.clone());
    let figure = node.block_on(async move {
        if register("bench", self_pid()).is_err() {
            return None;
        }
        let Hello(peer, process) = receive::<Hello>().await;
        match &*work {
            "remote_call" => Some(call_median(peer).await),
            "remote_cast" => Some(casts(peer).await),
            "remote_stream" => Some(stream(peer).await),
            "remote_small_behind_large" => Some(behind_large(peer).await),
            "node_down" => Some(node_down(peer, process).await),
            "frozen_node" => Some(frozen_node(peer, process).await),
            _ => None,
        }
    });
    drop((other, cluster));
    figure
}

/// The other node.
struct Other {
    cluster: Cluster,
    child: Option<Child>,
    _node: Option<Node>,
}

impl Other {
    fn process(node: &Node) -> Option<Other> {
        let cookie = Cookie::random();
        let cluster = Cluster::builder(node).cookie(cookie.clone()).tick(TICK).on_notice(|_| ()).start().ok()?;
        let address = cluster.listen(([127, 0, 0, 1], 0).into()).ok()?;
        let mut command = Command::new(std::env::current_exe().ok()?);
        command.args([TRIAL, "greenroom", "remote_peer"]).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.env(ADDRESS, address.to_string()).env(COOKIE, cookie.reveal()).spawn().ok()?;
        Some(Other { cluster, child: Some(child), _node: None })
    }

    fn here(node: &Node) -> Option<Other> {
        let (cookie, network) = (Cookie::random(), MemoryNetwork::new());
        let cluster = Cluster::builder(node).cookie(cookie.clone()).network(&network).start().ok()?;
        let address = cluster.listen(([127, 0, 0, 1], 0).into()).ok()?;
        let other = Node::builder().name("peer").start().ok()?;
        let far = Cluster::builder(&other).cookie(cookie).network(&network).start().ok()?;
        other.spawn(async move {
            if let Ok(home) = far.connect(address).await {
                serve(home).await;
            }
        });
        Some(Other { cluster, child: None, _node: Some(other) })
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Both fail only when it has ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The other process: connects and serves until its end.
fn be_peer() -> ! {
    let connected = || {
        let address: std::net::SocketAddr = std::env::var(ADDRESS).ok()?.parse().ok()?;
        let cookie: Cookie = std::env::var(COOKIE).ok()?.parse().ok()?;
        let node = Node::builder().name("peer").start().ok()?;
        let cluster = Cluster::builder(&node).cookie(cookie).tick(TICK).start().ok()?;
        node.block_on(async move {
            if let Ok(home) = cluster.connect(address).await {
                serve(home).await;
            }
        });
        Some(())
    };
    std::process::exit(if connected().is_some() { 0 } else { 1 })
}

async fn serve(home: greenroom::NodeId) {
    let waiter = ("bench", home);
    let mut received = 0_u64;
    let watch = monitor(waiter);
    send(waiter, Hello(self_pid(), std::process::id()));
    loop {
        receive! {
            Request(reference, from): Request => send(from, Answer(reference, received)),
            bytes: Bytes => received += bytes.0.len() as u64,
            down: Down if down.reference == watch => return,
        }
    }
}

async fn call(peer: Pid) -> u64 {
    let reference = monitor(peer);
    send(peer, Request(reference, self_pid()));
    let answer = receive! { Answer(to, received): Answer if to == reference => received };
    demonitor(reference);
    answer
}

async fn call_median(peer: Pid) -> f64 {
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let start = Instant::now();
        call(peer).await;
        times.push(micros(start));
    }
    median(&times[CALLS / 4..])
}

async fn send_all(peer: Pid, count: usize, size: usize) -> Duration {
    let before = call(peer).await;
    let start = Instant::now();
    for number in 0..count {
        send(peer, Bytes(ByteBuf::from(vec![7; size])));
        if number % 100 == 0 {
            yield_now().await; // Here it is held back, where it has to be.
        }
    }
    assert_eq!(call(peer).await - before, (count * size) as u64);
    start.elapsed()
}

async fn casts(peer: Pid) -> f64 {
    send_all(peer, CASTS / 5, SMALL).await;
    CASTS as f64 / send_all(peer, CASTS, SMALL).await.as_secs_f64()
}

async fn stream(peer: Pid) -> f64 {
    let mut spent = Duration::ZERO;
    for _ in 0..STREAM / 8 {
        spent += send_all(peer, 8, 1 << 20).await;
    }
    STREAM as f64 / spent.as_secs_f64()
}

async fn behind_large(peer: Pid) -> f64 {
    call(peer).await;
    let mut worst = 0_f64;
    for _ in 0..3 {
        let myself = self_pid();
        let bytes = Bytes(ByteBuf::from(vec![1; LARGE]));
        spawn(async move {
            send(peer, bytes);
            send(myself, ());
        });
        receive::<()>().await;
        let start = Instant::now();
        call(peer).await;
        worst = worst.max(micros(start) / 1000.0);
        while call(peer).await % LARGE as u64 != 0 {}
    }
    worst
}

async fn node_down(peer: Pid, process: u32) -> f64 {
    let watch = monitor(peer);
    call(peer).await;
    let start = Instant::now();
    signal(process, libc::SIGKILL);
    end_of(watch).await;
    micros(start) / 1000.0
}

/// How many ticks it takes until a process that does not run any more is noticed.
async fn frozen_node(peer: Pid, process: u32) -> f64 {
    let watch = monitor(peer);
    call(peer).await;
    let start = Instant::now();
    signal(process, libc::SIGSTOP);
    end_of(watch).await;
    start.elapsed().as_secs_f64() / TICK.as_secs_f64()
}

fn signal(process: u32, signal: libc::c_int) {
    // SAFETY: a signal to a process that this one has started and not yet waited for.
    unsafe { libc::kill(process as libc::pid_t, signal) };
}

async fn end_of(watch: Ref) {
    let down = receive! { down: Down if down.reference == watch => down };
    assert_eq!(down.reason, greenroom::ExitReason::NoConnection);
}
