//! Starting a child: its start function, with a bound on its time, and what is left behind when it fails.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::spec::{ChildSpec, NotStarted, Start, Starting};
use super::stop::kill;
use crate::pid::Pid;
use crate::process::{self, self_pid, sleep};
use crate::reason::ExitReason;
use crate::runner::guarded;

/// Starts a child of the running process. A start function that panics or takes too long is one that has failed;
/// then whoever it has started, linked and not told of is killed. `is_known` says who is a child already.
pub(super) async fn start(spec: &ChildSpec, is_known: impl Fn(Pid) -> bool) -> Result<Pid, NotStarted> {
    let started = match &spec.start {
        Start::Spawn(spawn) => guarded(|| Poll::Ready(spawn())),
        Start::Init(_) => finished(begin(spec), spec.start_within).await,
    };
    let reason = match started {
        Ok(Poll::Ready(outcome)) => return outcome,
        Ok(Poll::Pending) => too_slow(spec.start_within.unwrap_or_default()),
        Err(reason) => reason,
    };
    kill_strays(is_known).await;
    Err(NotStarted::Failed(reason))
}

/// The start function of a child, about to run.
pub(super) fn begin(spec: &ChildSpec) -> Starting {
    match spec.start.clone() {
        Start::Spawn(spawn) => Box::pin(async move { spawn() }),
        Start::Init(init) => Box::pin(async move { init().await }),
    }
}

/// Runs a start function to its end, or until its time is up, which is `Pending`, or it panics.
async fn finished(
    mut starting: Starting,
    within: Option<Duration>,
) -> Result<Poll<Result<Pid, NotStarted>>, ExitReason> {
    let mut time = pin!(sleep(within.unwrap_or(Duration::MAX)));
    poll_fn(|context| {
        let polled = guarded(|| starting.as_mut().poll(context));
        let is_over = within.is_some() && time.as_mut().poll(context).is_ready();
        match polled {
            Ok(Poll::Pending) if !is_over => Poll::Pending,
            polled => Poll::Ready(polled),
        }
    })
    .await
}

fn too_slow(within: Duration) -> ExitReason {
    ExitReason::Other(format!("it was not ready after {within:?}").into())
}

/// Kills the processes that the running one has started and is linked to, but has not been told of.
async fn kill_strays(is_known: impl Fn(Pid) -> bool) {
    let myself = self_pid();
    let is_mine = |pid: &Pid| process::info(*pid).is_some_and(|info| info.parent == Some(myself));
    let links = process::info(myself).map(|info| info.links).unwrap_or_default();
    for stray in links.into_iter().filter(|pid| !is_known(*pid)).filter(is_mine) {
        kill(stray).await;
    }
}
