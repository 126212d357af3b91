//! The process behind a running application: starts its root supervisor, and goes through the phases of its end.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use serde::{Deserialize, Serialize};

use super::definition::{Application, Phase};
use crate::message::Exit;
use crate::pid::Pid;
use crate::process::{exit, exit_self, self_pid, send, trap_exit};
use crate::reason::ExitReason;
use crate::receive;
use crate::runner::guarded;

/// To the controller: the application runs, with this root.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    pub(super) master: Pid,
    pub(super) root: Pid,
}

/// From the controller: the application is to end.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct End;

/// The life of an application. Its end is that of this process: `Normal` if it was asked for.
pub(super) async fn serve(application: Application, controller: Pid) -> ExitReason {
    trap_exit(true);
    let Application { name, start, prep_stop, stop, .. } = application;
    let builder = match caught(Box::pin(async move { start().await })).await {
        Ok(Ok(builder)) => builder,
        Ok(Err(reason)) | Err(reason) => return reason,
    };
    // The name of the root is the application's, so that it is found.
    let root = match builder.name(name).start_link().await {
        Ok(root) => root.pid(),
        Err(error) => return ExitReason::Error(error.to_string().into()),
    };
    send(controller, Ready { master: self_pid(), root });
    let ended = receive! {
        End: End => None,
        exit: Exit if exit.from == controller => None,
        exit: Exit if exit.from == root => Some(exit.reason),
    };
    let reason = match ended {
        Some(reason) => reason,
        None => wind_up(root, prep_stop).await,
    };
    match caught(stop()).await {
        Ok(()) => exit_self(reason),
        Err(panic) => panic,
    }
}

/// Says that the end is near, and has the root stop its children, in its own time.
async fn wind_up(root: Pid, prep_stop: Phase) -> ExitReason {
    let prepared = caught(prep_stop()).await;
    exit(root, ExitReason::Shutdown);
    receive! { exit: Exit if exit.from == root => drop(exit) }
    match prepared {
        Ok(()) => ExitReason::Normal,
        Err(panic) => panic,
    }
}

/// Runs a future of the user; if it panics, what is left to do is still done.
async fn caught<T>(mut future: Pin<Box<dyn Future<Output = T> + Send>>) -> Result<T, ExitReason> {
    poll_fn(|context| match guarded(|| future.as_mut().poll(context)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(reason) => Poll::Ready(Err(reason)),
    })
    .await
}
