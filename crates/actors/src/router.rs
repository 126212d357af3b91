//! The way out of a node: what it asks of whoever connects it to others, and how messages that came
//! from elsewhere wait as bytes until somebody asks for their type.
//!
//! Implemented by `greenroom-cluster`. Nothing else in this crate knows that there are other nodes.

use std::fmt;
use std::task::Waker;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::message::{Private, Target, short_name};
use crate::pid::{NodeId, Pid, Ref};
use crate::reason::ExitReason;
use crate::trace::Passport;

/// Carries messages and signals to other nodes.
///
/// It is called on the sender's thread and must not block. Between two processes it keeps the order of
/// the calls. What cannot be delivered is dropped; [`crate::Node::disconnected`] then tells whoever
/// needs to know.
pub trait Router: Send + Sync {
    /// Sends a message to a process or a name on another node.
    ///
    /// # Errors
    /// [`Unsendable`], if it cannot be turned into bytes. That there is no way to the node is none.
    fn send(&self, to: &Target, message: Outgoing<'_>) -> Result<Flow, Unsendable>;

    /// Whether the process `from`, which was told [`Flow::Full`], can go on; if not, `waker` is woken when it is to be
    /// asked again.
    fn has_room(&self, to: NodeId, from: Pid, waker: &Waker) -> bool;

    /// Whether so much waits for a node that a sender would be told [`Flow::Full`].
    fn is_full(&self, to: NodeId) -> bool;

    /// Sends a signal to another node.
    fn signal(&self, to: NodeId, signal: RemoteSignal);
}

/// What a sender should do after a message to another node. The message itself is on its way in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Open,
    /// Wait until there is room: the process is suspended from its next `await` on.
    Full,
}

/// Runs `work`, which turns identifiers into bytes at the node `writer` or reads them at the node `reader`.
///
/// Within it, these two nodes are written as a number each; others by their names.
pub fn between<R>(writer: NodeId, reader: NodeId, work: impl FnOnce() -> R) -> R {
    crate::pid::between(writer, reader, work)
}

/// A message on its way out.
pub struct Outgoing<'a> {
    /// The process that sends it, if it is one.
    pub from: Option<Pid>,
    /// The full name of its type, by which the receiver recognises it.
    pub type_name: &'a str,
    /// The message.
    pub payload: &'a dyn erased_serde::Serialize,
    /// The token of the conversation that it belongs to, to arrive by [`Payload::token`].
    pub token: Option<Passport>,
}

/// A message cannot be turned into bytes, such as a [`Local`](crate::Local): why, with the type's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsendable(pub String);

impl fmt::Display for Unsendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unsendable {}

/// What processes on different nodes tell each other beside messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RemoteSignal {
    /// `from` asks `to` to exit.
    Exit {
        /// The sender.
        from: Pid,
        /// The process that is to exit.
        to: Pid,
        /// The reason that was given.
        reason: ExitReason,
    },
    /// `from` is linked to `to` from now on.
    Link {
        /// Who asked for the link.
        from: Pid,
        /// The other end.
        to: Pid,
    },
    /// `from` is no longer linked to `to`.
    Unlink {
        /// Who removed the link.
        from: Pid,
        /// The other end.
        to: Pid,
    },
    /// `from`, which was linked to `to`, has ended.
    LinkBroken {
        /// The process that ended.
        from: Pid,
        /// The process that was linked to it.
        to: Pid,
        /// Why it ended.
        reason: ExitReason,
    },
    /// `watcher` wants to know when `target` ends.
    Monitor {
        /// The monitor.
        reference: Ref,
        /// Who is told.
        watcher: Pid,
        /// Who is watched.
        target: Target,
    },
    /// The monitor is no longer needed.
    Demonitor {
        /// The monitor.
        reference: Ref,
        /// Who would have been told.
        watcher: Pid,
        /// Who was watched.
        target: Target,
    },
    /// The watched process has ended.
    Down {
        /// The monitor.
        reference: Ref,
        /// Who is told.
        watcher: Pid,
        /// Why it ended.
        reason: ExitReason,
    },
}

/// A node is connected: told to processes that share something with all nodes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Met(pub(crate) NodeId);

/// A message from another node that nobody has asked for by its type yet.
pub trait Payload: Send {
    /// The full name of its type.
    fn type_name(&self) -> &str;

    /// Reads the bytes: calls `read` once with a deserialiser over them.
    fn decode(&self, read: &mut dyn FnMut(&mut dyn erased_serde::Deserializer<'_>));

    /// The token of the conversation that it belongs to.
    fn token(&self) -> Option<Passport> {
        None
    }
}

impl fmt::Debug for dyn Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(…)", short_name(self.type_name()))
    }
}

/// A [`Payload`] as it stands in a mailbox.
pub(crate) type Parcel = Private<Box<dyn Payload>>;

impl Parcel {
    pub(crate) fn type_name(&self) -> &str {
        self.0.type_name()
    }

    /// The message, if it is a `T` and its bytes are in order.
    pub(crate) fn open<T: DeserializeOwned>(&self) -> Option<T> {
        if self.type_name() == std::any::type_name::<T>() { self.read() } else { None }
    }

    /// What the bytes begin with, read as a `T`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Option<T> {
        let mut message = None;
        self.0.decode(&mut |bytes| message = erased_serde::deserialize::<T>(bytes).ok());
        message
    }
}
