//! Greenroom's trials of supervisors.

use std::time::{Duration, Instant};

use greenroom::supervisor::{ChildSpec, DynamicSupervisor, Strategy};
use greenroom::{ExitReason, Pid, Supervisor, exit, receive, self_pid, send, sleep};
use serde::{Deserialize, Serialize};

use crate::common::*;

#[derive(Debug, Serialize, Deserialize)]
struct Up(Pid);

async fn idle() {
    receive::<Up>().await;
}

/// Starts a supervisor of one registered child that says when it runs.
async fn supervisor(intensity: usize) -> (Supervisor, Pid) {
    let parent = self_pid();
    let child = ChildSpec::named("child", move || async move {
        send(parent, Up(self_pid()));
        idle().await;
    });
    let builder = Supervisor::new(Strategy::OneForOne).intensity(intensity, Duration::from_secs(1));
    let supervisor = builder.child(child).start_link().await.expect("the child starts");
    let Up(first) = receive().await;
    (supervisor, first)
}

/// Restarts a second.
pub async fn restarts() -> f64 {
    let mut took = Duration::ZERO;
    for _ in 0..SUPERVISORS {
        let (supervisor, mut child) = supervisor(RESTARTS).await;
        let start = Instant::now();
        for _ in 0..RESTARTS {
            exit(child, ExitReason::Kill);
            Up(child) = receive().await;
        }
        took += start.elapsed();
        supervisor.stop().await;
    }
    (RESTARTS * SUPERVISORS) as f64 / took.as_secs_f64()
}

/// Microseconds from the kill to the next child's first message, which most do not exceed.
pub async fn restart(share: f64) -> f64 {
    let (supervisor, mut child) = supervisor(10_000).await;
    let mut times = Vec::with_capacity(KILLED);
    for _ in 0..KILLED {
        sleep(Duration::from_millis(1)).await;
        let start = Instant::now();
        exit(child, ExitReason::Kill);
        Up(child) = receive().await;
        times.push(micros(start));
    }
    supervisor.stop().await;
    quantile(times, share)
}

/// Milliseconds in which a tree starts and stops, the second time.
pub async fn tree() -> f64 {
    let mut took = f64::NAN;
    for _ in 0..2 {
        let start = Instant::now();
        let branch = || {
            let leaves = (0..LEAVES).map(|leaf| ChildSpec::new(leaf.to_string(), idle));
            leaves.fold(Supervisor::new(Strategy::OneForOne), |branch, leaf| branch.child(leaf))
        };
        let root = (0..BRANCHES).map(|number| branch().spec(number.to_string()));
        let root = root.fold(Supervisor::new(Strategy::OneForOne), |root, branch| root.child(branch));
        root.start_link().await.expect("the tree starts").stop().await;
        took = micros(start) / 1e3;
    }
    took
}

/// The same for one dynamic supervisor whose children are added one by one.
pub async fn tree_dynamic() -> f64 {
    let mut took = f64::NAN;
    for _ in 0..2 {
        let start = Instant::now();
        let root = DynamicSupervisor::new().start_link().await.expect("it starts");
        let child = ChildSpec::new("child", idle);
        for _ in 0..BRANCHES * LEAVES {
            root.start_child(child.clone()).await.expect("the child starts");
        }
        root.stop().await;
        took = micros(start) / 1e3;
    }
    took
}
