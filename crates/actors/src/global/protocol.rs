//! What name servers say: to each other, to those who ask them, and what they are to hear of.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Resolve;
use crate::pid::{NodeId, Pid, Ref};

/// Who waits for an answer.
pub type Asker = (Pid, Ref);

/// A process that is to have a name.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The name.
    pub name: Arc<str>,
    /// The process, of this node.
    pub pid: Pid,
    /// What is to happen should somebody else turn out to have the name, too.
    pub resolve: Resolve,
    /// Who waits.
    pub asker: Asker,
}

/// What a server is to hear of.
#[derive(Clone, Debug)]
pub enum Input {
    /// A name is to be registered, if nobody has it.
    Register(Wish),
    /// A name is to be this process's, whoever has it.
    Replace(Wish),
    /// A name is to be nobody's.
    Unregister(Arc<str>, Asker),
    /// Somebody wants to know when it is known what these nodes own.
    Sync(Asker, Vec<NodeId>),
    /// A node has no server, or is lost.
    Lost(NodeId),
    /// A process has ended: one that has names, or the server of another node.
    Down(Pid),
    /// Another node's server has said something.
    Peer(Protocol),
}

/// What servers of different nodes tell each other. Each begins with who says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Protocol {
    /// Here I am.
    Discover(Pid),
    /// These are all names that I own.
    Sync(Pid, Vec<(Arc<str>, Pid)>),
    /// May I have this name? With the number of the question.
    Claim(Pid, u64, Arc<str>),
    /// The answer: no, if there is somebody who has it.
    Claimed(Pid, u64, Option<Pid>),
    /// I do not want the name any more that I have claimed.
    GivenUp(Pid, Arc<str>),
    /// The name is this process's.
    Named(Pid, Arc<str>, Pid, Stamp),
    /// I have heard that; without a stamp, that the name shall be given up.
    Known(Pid, Arc<str>, Option<Stamp>),
    /// The name, which was this process's, is nobody's.
    Freed(Pid, Arc<str>),
    /// You shall give up a name, if it is this process's.
    GiveUp(Pid, Arc<str>, Pid),
}

/// How a name was given, and when: whoever was to replace what was there stays, and of two of those the later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    pub(super) replaces: bool,
    pub(super) time: u64,
}

/// What follows.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Who asked is answered; an error says whose the name is, if anybody's.
    Reply(Asker, Result<(), Option<Pid>>),
    /// Another server is told.
    Send(Pid, Protocol),
    /// The server of a node, whoever that is, is asked what it owns.
    Ask(NodeId),
    /// From now on it matters when this process ends.
    Monitor(Pid),
    /// A process that has lost its name is killed.
    Kill(Pid),
    /// A process that has lost its name is told, with the other one that had it.
    Tell(Pid, NameConflict),
}

/// A process has lost its global name to another that had it, too: see [`Resolve`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameConflict {
    /// The name.
    pub name: Arc<str>,
    /// The other process.
    pub other: Pid,
}
