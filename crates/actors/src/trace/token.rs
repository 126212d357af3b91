//! The token of a traced conversation: its label, what of it is to be seen, and how far it has come.
//!
//! Plain data. How it rides on messages is [`crate::send`]'s affair, what a process can do with its own that
//! of [`crate::seq_trace`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Serial, Signal, Tracer};
use crate::message::Target;
use crate::pid::{NodeId, Pid, Ref};

/// What a conversation is called.
///
/// Differs from OTP: not any term, but one of these, made by `into`; for anything else there is
/// [`Label::shown`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Label {
    /// A number.
    Number(i64),
    /// A text.
    Text(Arc<str>),
    /// A process.
    Pid(Pid),
    /// A reference.
    Ref(Ref),
}

impl Label {
    /// The `Debug` form of a value as a label.
    pub fn shown(value: &impl fmt::Debug) -> Label {
        Label::Text(format!("{value:?}").into())
    }
}

impl Default for Label {
    /// The number 0, as in OTP.
    fn default() -> Self {
        Label::Number(0)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Label::Number(number) => number.fmt(f),
            Label::Text(text) => f.write_str(text),
            Label::Pid(pid) => pid.fmt(f),
            Label::Ref(reference) => reference.fmt(f),
        }
    }
}

impl From<i64> for Label {
    fn from(number: i64) -> Self {
        Label::Number(number)
    }
}

impl From<&str> for Label {
    fn from(text: &str) -> Self {
        Label::Text(text.into())
    }
}

impl From<String> for Label {
    fn from(text: String) -> Self {
        Label::Text(text.into())
    }
}

impl From<Pid> for Label {
    fn from(pid: Pid) -> Self {
        Label::Pid(pid)
    }
}

impl From<Ref> for Label {
    fn from(reference: Ref) -> Self {
        Label::Ref(reference)
    }
}

/// What the system tracer is told of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Flag {
    /// Messages that are sent.
    Send,
    /// Messages that are taken out of a mailbox.
    Receive,
    /// Processes that are started.
    Spawn,
    /// What is printed into it.
    Print,
    /// The time of everything else.
    Timestamp,
}

/// A set of [`Flag`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Flags(u8);

/// What rides on the messages of a conversation.
///
/// ```
/// use greenroom::seq_trace::{Flag, Token};
///
/// let token = Token::new("checkout").with(Flag::Send).with(Flag::Print);
/// assert!(token.has(Flag::Send) && !token.has(Flag::Receive));
/// assert_eq!(token.label().to_string(), "checkout");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    label: Label,
    flags: Flags,
    pub(crate) serial: Serial,
    pub(crate) from: Option<Pid>,
}

impl Token {
    /// A token of this label, without flags, at the beginning of its conversation.
    pub fn new(label: impl Into<Label>) -> Token {
        Token { label: label.into(), ..Token::default() }
    }

    /// The same with this flag.
    pub fn with(mut self, flag: Flag) -> Token {
        self.flags.0 |= 1 << flag as u8;
        self
    }

    /// The same without this flag.
    pub fn without(mut self, flag: Flag) -> Token {
        self.flags.0 &= !(1 << flag as u8);
        self
    }

    /// The same as if the conversation had come this far.
    pub fn at(mut self, serial: Serial) -> Token {
        self.serial = serial;
        self
    }

    /// What the conversation is called.
    pub fn label(&self) -> &Label {
        &self.label
    }

    /// Whether the system tracer is told of this.
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.0 & 1 << flag as u8 != 0
    }

    /// How far the conversation has come: `previous` is the number of the message that the process has received
    /// last, `current` the highest that it knows of.
    pub fn serial(&self) -> Serial {
        self.serial
    }
}

/// A token with what only its own node knows of it.
///
/// The rules are OTP's `seq_trace`: a received message's token becomes the receiver's, a spawned
/// process inherits its parent's, and a message without a token clears it.
#[derive(Clone)]
pub(crate) struct Riding {
    pub(crate) token: Token,
    /// The recording that the conversation belongs to: see [`crate::trace()`].
    pub(crate) recording: Option<Recording>,
    /// Since how many resets of the node it is under way: those of before are void.
    pub(crate) epoch: u64,
}

/// A recording, and the recorder if that is on this node.
#[derive(Clone)]
pub(crate) struct Recording {
    pub(crate) node: NodeId,
    pub(crate) reference: Ref,
    pub(crate) tracer: Option<Arc<dyn Tracer>>,
}

/// A token on its way to another node; for [`Router`](crate::router::Router)s.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passport {
    pub(crate) token: Token,
    pub(crate) recording: Option<(NodeId, Ref)>,
}

impl Riding {
    pub(crate) fn passport(&self) -> Passport {
        let recording = self.recording.as_ref().map(|recording| (recording.node, recording.reference));
        Passport { token: self.token.clone(), recording }
    }
}

/// What the system tracer gets: a message for each thing that its flag asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The conversation.
    pub label: Label,
    /// The number of the message, and of the one that it answers.
    pub serial: Serial,
    /// What happened.
    pub event: Event,
    /// When, counted from the start of the node, with [`Flag::Timestamp`].
    pub at: Option<Duration>,
}

/// What happened in a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A message was sent.
    Send {
        /// The sender.
        from: Pid,
        /// The receiver, as it was named.
        to: Target,
        /// What was sent.
        signal: Signal,
    },
    /// A message was taken out of a mailbox.
    Receive {
        /// Its sender.
        from: Option<Pid>,
        /// The receiver.
        by: Pid,
        /// What it took.
        signal: Signal,
    },
    /// A process was started.
    Spawn {
        /// Who started it.
        parent: Pid,
        /// The new process.
        child: Pid,
    },
    /// Something was printed.
    Print {
        /// The process that did.
        by: Pid,
        /// What.
        text: String,
    },
}
