//! Who wants to know which nodes come and go.

use greenroom::{Node, NodeId, Pid};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// Nodes, by whether they let themselves be seen. A connection is hidden if either end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// Those that are part of the whole.
    Visible,
    /// Those that look in, as a tool or a notebook's runtime does.
    Hidden,
    /// All of them.
    Any,
}

impl NodeKind {
    pub(crate) fn includes(self, is_hidden: bool) -> bool {
        match self {
            NodeKind::Visible => !is_hidden,
            NodeKind::Hidden => is_hidden,
            NodeKind::Any => true,
        }
    }
}

/// The message of a node monitor: a node is connected. It comes before everything that the node sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeUp {
    /// The node.
    pub node: NodeId,
}

/// The message of a node monitor: a node is connected no more. It comes after everything that the node has sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeDown {
    /// The node.
    pub node: NodeId,
    /// Why, in words.
    pub reason: String,
}

/// The processes that monitor nodes.
#[derive(Default)]
pub(crate) struct Watchers(Mutex<Vec<(Pid, NodeKind)>>);

impl Watchers {
    pub(crate) fn add(&self, pid: Pid, kind: NodeKind) {
        let mut all = self.0.lock();
        all.retain(|(other, _)| *other != pid);
        all.push((pid, kind));
    }

    pub(crate) fn remove(&self, pid: Pid) {
        self.0.lock().retain(|(other, _)| *other != pid);
    }

    /// Tells everyone whom it concerns, and forgets the dead.
    pub(crate) fn tell<M: greenroom::Message + Clone>(&self, node: &Node, is_hidden: bool, message: &M) {
        let mut all = self.0.lock();
        all.retain(|(pid, _)| node.is_alive(*pid));
        for (pid, _) in all.iter().filter(|(_, kind)| kind.includes(is_hidden)) {
            node.send(*pid, message.clone());
        }
    }
}
