//! Following a session: a replica of its data, kept up to date by what it tells. It is joined anew when the session's
//! process was killed, without a gap.

use std::time::Duration;

use greenroom::message::Down;
use greenroom::process::demonitor_flush;
use greenroom::{Local, Message, Pid, Ref, receive, self_pid};

use super::data::Data;
use super::message::{Happened, Join, Peek, SESSION, Welcome, ask_and_watch};
use super::operation::{Action, Operation};

/// A replica of a session's data. Only the process that has joined can follow.
#[derive(Debug)]
pub struct Follower {
    data: Data,
    watch: Ref,
}

impl Follower {
    /// Joins the session of this node, which may just be starting.
    pub async fn join() -> Follower {
        let (data, watch) = join().await;
        Follower { data, watch }
    }

    /// The data as far as it was followed.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// Follows one step. False if nothing happens in this time.
    pub async fn next(&mut self, patience: Duration) -> bool {
        receive! {
            Local(operation): Happened => {
                self.apply(&operation);
                true
            },
            down: Down if down.reference == self.watch => {
                self.joined().await;
                true
            },
            after patience => false,
        }
    }

    /// The monitor on the session's process.
    pub(super) fn watch(&self) -> Ref {
        self.watch
    }

    /// Follows what was just told.
    pub(super) fn apply(&mut self, operation: &Operation) -> Vec<Action> {
        match self.data.apply(operation) {
            Ok(actions) => actions,
            Err(refusal) => unreachable!("the session has applied this to the same data: {refusal}"),
        }
    }

    /// Joins anew, after the session's process has ended.
    pub(super) async fn joined(&mut self) {
        *self = Follower::join().await;
    }
}

/// Has the running process told what happens to the session of this node, which may just be starting. Returns the data
/// as of now, and a monitor on the session's process: when that has ended, it is to be joined again.
pub(super) async fn join() -> (Data, Ref) {
    ask(Join).await
}

/// The data of the session as it is now.
pub(super) async fn peek() -> Data {
    let (data, watch) = ask(Peek).await;
    demonitor_flush(watch).await;
    data
}

async fn ask<M: Message>(question: fn(Pid) -> M) -> (Data, Ref) {
    let (Local(data), watch) = ask_and_watch(SESSION, || question(self_pid()), |_: &Welcome| true).await;
    (*data, watch)
}
