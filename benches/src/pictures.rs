//! What it costs to record and to draw: the trials of the recorders and of the pictures.

use std::time::{Duration, Instant};

use greenroom::trace::{EventKind, Signal, Trace, TraceEvent};
use greenroom::tree::TreeNode;
use greenroom::{Node, NodeId, NodeName, Pid};
use greenroom_tracing_viz::sequence::Options;
use greenroom_tracing_viz::{Pictures, Tree, tree};

use crate::common::{ROUND_TRIPS, median, rate};
use crate::ours::{ping_pong, round_trips};

/// Runs a trial; none if there is no such.
pub fn run(trial: &str) -> Option<f64> {
    Some(match trial {
        "ping_pong_flight" => flight(),
        "trace_on" => trace_on(),
        "svg" => svg(),
        "tree_text" => tree_text(),
        _ => return None,
    })
}

/// Round trips a second with the flight recorder on.
fn flight() -> f64 {
    let Ok(node) = Node::builder().flight_recorder(4096).start() else { return f64::NAN };
    node.block_on(rate(ROUND_TRIPS, ping_pong))
}

/// Nanoseconds that a message takes longer when all is recorded.
fn trace_on() -> f64 {
    const TRIPS: usize = 50_000;
    let Ok(node) = Node::builder().start() else { return f64::NAN };
    let once = || {
        node.block_on(async {
            let start = Instant::now();
            round_trips(TRIPS).await;
            start.elapsed().as_secs_f64() * 1e9 / (2 * TRIPS) as f64
        })
    };
    once();
    let (mut on, mut off) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        off.push(once());
        let recording = node.record(8 * TRIPS);
        once();
        let caller = node.list().first().copied().unwrap_or(pid(0));
        assert_eq!(recording.take(caller).lost, 0);
        on.push(once());
        assert_eq!(recording.take(caller).lost, 0);
    }
    median(&on) - median(&off)
}

/// Milliseconds for the picture of ten thousand messages, none of them folded.
fn svg() -> f64 {
    let message = |number: u32| TraceEvent {
        at: Duration::from_micros(number.into()),
        kind: EventKind::Send {
            from: pid(number % 12),
            to: pid((number * 7 + 1) % 12),
            signal: Signal::Info { name: "Item".into(), text: format!("Item {{ number: {number}, of: 10000 }}") },
        },
        serial: None,
    };
    let events = (0..20_000).map(message).filter(is_between_two).take(10_000).collect();
    let trace = Trace { caller: pid(0), events, names: Default::default(), lost: 0 };
    let options = Options { limit: usize::MAX, repeats: 0, ..Options::default() };
    let once = || {
        let start = Instant::now();
        let svg = trace.sequence_of(&options).to_svg();
        assert!(svg.len() > 1_000_000);
        start.elapsed().as_secs_f64() * 1e3
    };
    once();
    median(&(0..5).map(|_| once()).collect::<Vec<_>>())
}

fn is_between_two(event: &TraceEvent) -> bool {
    matches!(event.kind, EventKind::Send { from, to, .. } if from != to)
}

/// Milliseconds for the text of a tree of a hundred thousand processes.
fn tree_text() -> f64 {
    use greenroom::tree::{ChildKind, ChildStatus};
    let node = |number: u32, kind, children| TreeNode {
        id: format!("child-{number}"),
        pid: Some(pid(number)),
        kind,
        registered: None,
        status: ChildStatus::Running,
        strategy: None,
        restarts: 0,
        uptime: None,
        mailbox: None,
        memory: None,
        links: Vec::new(),
        children,
    };
    let below = |group: u32| {
        let workers = (0..316).map(|worker| node(group * 317 + worker + 1, ChildKind::Worker, Vec::new())).collect();
        node(group * 317, ChildKind::Supervisor, workers)
    };
    let root = node(0, ChildKind::Supervisor, (1..=316).map(below).collect());
    let start = Instant::now();
    let text = Tree::from_node(&root, &tree::Options::default()).to_text(100);
    assert!(text.lines().count() <= 201);
    start.elapsed().as_secs_f64() * 1e3
}

fn pid(number: u32) -> Pid {
    Pid::from_parts(NodeId::intern(&NodeName { name: "bench".into(), incarnation: 0 }), number, 0)
}
