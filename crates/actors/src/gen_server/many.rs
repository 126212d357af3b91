//! The same to the servers of one name on many nodes.

use std::time::Duration;

use super::error::CallError;
use super::server_ref::{cast, error};
use super::{Calls, Casts};
use crate::message::{Message, Target};
use crate::pending::Pending;
use crate::pid::NodeId;

/// What came of a [`multi_call`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replies<R> {
    /// The answers.
    pub replies: Vec<(NodeId, R)>,
    /// The nodes from which there is none, and why.
    pub bad_nodes: Vec<(NodeId, CallError)>,
}

/// Calls the server of this name on each of the nodes, all at once, and waits for all answers.
///
/// # Panics
/// Outside of a process.
pub async fn multi_call<S: Calls<M>, M: Message + Clone>(
    nodes: &[NodeId],
    name: &str,
    message: M,
    timeout: Duration,
) -> Replies<S::Reply> {
    let send = |&node| {
        let server = Target::Name(name.to_owned(), node);
        let pending = Pending::<S::Reply>::send(&server, message.clone(), timeout);
        (node, server, pending)
    };
    let sent: Vec<_> = nodes.iter().map(send).collect();
    let mut answers = Replies { replies: Vec::new(), bad_nodes: Vec::new() };
    for (node, server, pending) in sent {
        let outcome = match pending {
            Ok(pending) => pending.await,
            Err(why) => Err(why),
        };
        match outcome {
            Ok(reply) => answers.replies.push((node, reply)),
            Err(why) => answers.bad_nodes.push((node, error::<M>(server, why))),
        }
    }
    answers
}

/// Casts to the server of this name on each of the nodes.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn abcast<S: Casts<M>, M: Message + Clone>(nodes: &[NodeId], name: &str, message: M) {
    for &node in nodes {
        cast(&Target::Name(name.to_owned(), node), message.clone());
    }
}
