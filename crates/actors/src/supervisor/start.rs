//! Starting a child: its start function, with a bound on its time, and what is left behind when it fails.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use super::spec::{ChildSpec, NotStarted, Start, Starting};
use super::stop::kill;
use crate::message::Exit;
use crate::pid::Pid;
use crate::process::{self, self_pid, send, sleep};
use crate::reason::ExitReason;
use crate::receive::{Candidate, select};
use crate::runner::guarded;

/// Starts a child of the running process. A start function that panics or takes too long is one that has failed;
/// then whoever it has started, linked and not told of is killed. So is one that still runs when the supervisor is
/// told to end by its `owner`. `is_known` says who is a child already.
///
/// Differs from OTP, where a supervisor cannot be stopped while it waits for a child.
pub(super) async fn start(spec: &ChildSpec, owner: Pid, is_known: impl Fn(Pid) -> bool) -> Result<Pid, NotStarted> {
    let started = match &spec.start {
        Start::Spawn(spawn) => guarded(|| Poll::Ready(spawn())),
        Start::Init(_) => finished(begin(spec), spec.start_within, owner).await,
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

/// Runs a start function to its end, or until its time is up, which is `Pending`; or it panics, or the supervisor is
/// told to end.
async fn finished(
    mut starting: Starting,
    within: Option<Duration>,
    owner: Pid,
) -> Result<Poll<Result<Pid, NotStarted>>, ExitReason> {
    let mut time = pin!(sleep(within.unwrap_or(Duration::MAX)));
    let mut is_the_end =
        |message: &mut Candidate<'_>| message.peek::<Exit>().is_some_and(|exit| exit.from == owner).then_some(0);
    let mut end = select(&mut is_the_end, None);
    poll_fn(|context| {
        match guarded(|| starting.as_mut().poll(context)) {
            Ok(Poll::Pending) => {}
            finished => return Poll::Ready(finished),
        }
        if within.is_some() && time.as_mut().poll(context).is_ready() {
            return Poll::Ready(Ok(Poll::Pending));
        }
        match Pin::new(&mut end).poll(context) {
            Poll::Ready(Some((_, told))) => {
                let exit = told.open::<Exit>();
                let reason = exit.reason.clone();
                // The supervisor sees to it when it listens again.
                send(self_pid(), exit);
                Poll::Ready(Err(reason))
            }
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
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
