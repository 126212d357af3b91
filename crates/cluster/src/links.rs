//! Which nodes are connected, and the queue of each: the [`Router`] of a node.

use std::collections::HashMap;

use greenroom::NodeId;
use greenroom::message::Target;
use greenroom::router::{Outgoing, RemoteSignal, Router, Unsendable};
use parking_lot::RwLock;
use tokio::sync::mpsc::UnboundedSender;

use crate::frame::{self, Frame};

/// The queues of all connections.
#[derive(Default)]
pub(crate) struct Links {
    queues: RwLock<HashMap<NodeId, UnboundedSender<Vec<u8>>>>,
}

impl Links {
    /// Takes a connection in; false if there is one to that node already.
    pub(crate) fn add(&self, node: NodeId, queue: UnboundedSender<Vec<u8>>) -> bool {
        let mut queues = self.queues.write();
        if queues.contains_key(&node) {
            return false;
        }
        queues.insert(node, queue);
        true
    }

    pub(crate) fn remove(&self, node: NodeId) {
        self.queues.write().remove(&node);
    }

    pub(crate) fn nodes(&self) -> Vec<NodeId> {
        self.queues.read().keys().copied().collect()
    }

    fn push(&self, node: NodeId, frame: Vec<u8>) -> bool {
        // A queue whose connection is being closed takes nothing; that node's loss is told separately.
        self.queues.read().get(&node).is_some_and(|queue| queue.send(frame).is_ok())
    }
}

/// A node's way to the others.
pub(crate) struct Wires {
    pub(crate) node: greenroom::Node,
    pub(crate) links: std::sync::Arc<Links>,
}

impl Router for Wires {
    fn send(&self, to: &Target, message: Outgoing<'_>) -> Result<(), Unsendable> {
        let frame = frame::pack(to, &message)
            .map_err(|error| Unsendable(format!("a {} cannot be sent: {error}", message.type_name)))?;
        self.links.push(to.node(), frame);
        Ok(())
    }

    fn signal(&self, to: NodeId, signal: RemoteSignal) {
        let answer = answer_of_nobody(&signal);
        let sent = frame::seal(&Frame::Signal(signal)).is_ok_and(|frame| self.links.push(to, frame));
        if !sent && let Some(answer) = answer {
            self.node.receive_signal(to, answer);
        }
    }
}

/// What a process is told when the node that it asks is not connected.
fn answer_of_nobody(signal: &RemoteSignal) -> Option<RemoteSignal> {
    let reason = greenroom::ExitReason::NoConnection;
    match *signal {
        RemoteSignal::Monitor { reference, watcher, .. } => Some(RemoteSignal::Down { reference, watcher, reason }),
        RemoteSignal::Link { from, to } => Some(RemoteSignal::LinkBroken { from: to, to: from, reason }),
        RemoteSignal::Exit { .. }
        | RemoteSignal::Unlink { .. }
        | RemoteSignal::LinkBroken { .. }
        | RemoteSignal::Demonitor { .. }
        | RemoteSignal::Down { .. } => None,
    }
}
