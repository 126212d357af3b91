//! What a message is: any plain data; and the messages that the runtime itself sends.
//!
//! How messages wait and are picked is `mailbox`'s affair, how they are turned into bytes
//! that of whoever implements [`crate::router::Router`].

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::pid::{Pid, Ref};
use crate::reason::ExitReason;

/// Anything that can be sent: data that can be shown, moved to another thread and to another node.
///
/// It is implemented for every type that qualifies; there is nothing to derive but serde's traits.
/// Locally a message is moved, never serialised. What cannot leave the node goes into a [`Local`].
///
/// ```
/// use greenroom::{receive, self_pid, send};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize)]
/// struct Greeting(String);
///
/// greenroom::run(async {
///     send(self_pid(), Greeting("hello".into()));
///     let Greeting(text) = receive::<Greeting>().await;
///     assert_eq!(text, "hello");
/// });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as a message",
    note = "messages are data: derive `Debug, Serialize, Deserialize`, or wrap the value in `Local`"
)]
pub trait Message: Serialize + DeserializeOwned + fmt::Debug + Send + 'static {}

impl<T: Serialize + DeserializeOwned + fmt::Debug + Send + 'static> Message for T {}

/// A message that never leaves its node, so that it need not be data: a channel, a closure, a file.
///
/// Sending it to another node is an error at the sender.
pub struct Local<T>(pub T);

impl<T> fmt::Debug for Local<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Local<{}>", short_name(std::any::type_name::<T>()))
    }
}

impl<T> Serialize for Local<T> {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(format_args!("{self:?} cannot leave its node")))
    }
}

impl<'de, T> Deserialize<'de> for Local<T> {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("a Local value cannot come from another node"))
    }
}

/// The message of a monitor: the watched process has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Down {
    /// What [`crate::monitor`] returned.
    pub reference: Ref,
    /// Whom the monitor was for, in the way it was named.
    pub target: Target,
    /// Why it ended; `NoProc` if it was not there to begin with.
    pub reason: ExitReason,
}

/// The message of a monitor with a [tag](crate::process::Watch::tag), in the place of [`Down`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaggedDown<T> {
    /// The tag.
    pub tag: T,
    /// As in [`Down`].
    pub reference: Ref,
    /// As in [`Down`].
    pub target: Target,
    /// As in [`Down`].
    pub reason: ExitReason,
}

/// The message that an exit signal becomes in a process that traps exits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The process that ended, or that sent the signal.
    pub from: Pid,
    /// Why.
    pub reason: ExitReason,
}

/// What the runtime itself sends within a node and shows as what it is: requests to its own processes, their answers,
/// and values of tasks.
pub(crate) struct Private<T>(pub(crate) T);

impl<T: fmt::Debug> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> Serialize for Private<T> {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("this value cannot leave its node"))
    }
}

impl<'de, T> Deserialize<'de> for Private<T> {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("this value cannot come from another node"))
    }
}

/// Whom a monitor or a message is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Target {
    /// A process.
    Pid(Pid),
    /// Whoever has this name on that node.
    Name(String, crate::pid::NodeId),
    /// A process, for as long as it wants to hear of this: an [`Alias`](crate::process::Alias).
    Alias(Pid, Ref),
}

impl Target {
    /// The node that the target is on.
    pub fn node(&self) -> crate::pid::NodeId {
        match self {
            Target::Pid(pid) | Target::Alias(pid, _) => pid.node,
            Target::Name(_, node) => *node,
        }
    }
}

/// The last segment of a type's path, without its generic arguments' paths.
///
/// ```
/// assert_eq!(greenroom::message::short_name("a::b::Ping"), "Ping");
/// assert_eq!(greenroom::message::short_name("a::Pair<b::Left, c::Right>"), "Pair<Left, Right>");
/// ```
pub fn short_name(path: &str) -> String {
    let mut short = String::with_capacity(path.len());
    let mut segment = 0;
    let mut characters = path.chars().peekable();
    while let Some(c) = characters.next() {
        if c == ':' && characters.peek() == Some(&':') {
            characters.next();
            short.truncate(segment);
        } else {
            short.push(c);
            if !(c.is_alphanumeric() || c == '_') {
                segment = short.len();
            }
        }
    }
    short
}
