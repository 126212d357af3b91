//! What travels between two nodes that are connected: messages and signals, as bytes.
//!
//! The protocol carries an operation as it is and does not look into it. Its first byte says what it is. A message
//! stays bytes until somebody asks for its type.

use greenroom::message::Target;
use greenroom::router::{self, Outgoing, Payload, RemoteSignal};
use greenroom::trace::Passport;
use greenroom::{NodeId, Pid};
use serde::{Deserialize, Serialize};

use crate::codec::{self, CodecError};

const MESSAGE: u8 = 0;
const SIGNAL: u8 = 1;

/// What an operation says.
pub(crate) enum Operation {
    /// A message for somebody here.
    Message(Target, Parcel),
    /// A signal for somebody here.
    Signal(RemoteSignal),
}

/// What stands before the bytes of a message.
#[derive(Serialize, Deserialize)]
struct Header<'a> {
    to: Target,
    /// The token of a traced conversation.
    token: Option<Passport>,
    type_name: &'a str,
}

/// A message that nobody has asked for by its type yet.
pub(crate) struct Parcel {
    operation: Vec<u8>,
    type_name: Box<str>,
    token: Option<Passport>,
    /// Where the message begins.
    start: usize,
    from: NodeId,
    to: NodeId,
}

impl Payload for Parcel {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn decode(&self, read: &mut dyn FnMut(&mut dyn erased_serde::Deserializer<'_>)) {
        router::between(self.from, self.to, || codec::with_deserializer(&self.operation[self.start..], read));
    }

    fn token(&self) -> Option<Passport> {
        self.token.clone()
    }
}

/// Appends a message to `bytes`.
pub(crate) fn write_message(
    from: NodeId,
    to: &Target,
    message: &Outgoing<'_>,
    bytes: &mut Vec<u8>,
) -> Result<(), CodecError> {
    bytes.push(MESSAGE);
    router::between(from, to.node(), || {
        let header = Header { to: to.clone(), token: message.token.clone(), type_name: message.type_name };
        codec::encode_into(&header, bytes)?;
        codec::encode_into(message.payload, bytes)
    })?;
    codec::check_size(bytes)
}

/// Appends a signal to `bytes`.
pub(crate) fn write_signal(
    from: NodeId,
    to: NodeId,
    signal: &RemoteSignal,
    bytes: &mut Vec<u8>,
) -> Result<(), CodecError> {
    bytes.push(SIGNAL);
    router::between(from, to, || codec::encode_into(signal, bytes))?;
    codec::check_size(bytes)
}

/// Reads what has come from the node `from`, which has proved that it is that node, to the node `to`.
pub(crate) fn read(from: NodeId, to: NodeId, operation: Vec<u8>) -> Result<Operation, CodecError> {
    let Some((&kind, body)) = operation.split_first() else { return Err(CodecError::new("an operation is empty")) };
    match kind {
        MESSAGE => {
            let (header, payload) = router::between(from, to, || codec::split::<Header<'_>>(body))?;
            let start = operation.len() - payload.len();
            let (target, token, type_name) = (header.to, header.token, header.type_name.into());
            if target.node() != to {
                return Err(CodecError::new("a message is for another node"));
            }
            Ok(Operation::Message(target, Parcel { operation, type_name, token, start, from, to }))
        }
        SIGNAL => {
            let signal = router::between(from, to, || codec::decode::<RemoteSignal>(body))?;
            match is_honest(&signal, from, to) {
                true => Ok(Operation::Signal(signal)),
                false => Err(CodecError::new("a signal is not from whom it says, or not for this node")),
            }
        }
        other => Err(CodecError::new(&format!("there are no operations of kind {other}"))),
    }
}

/// Whether a signal speaks for a process of the node that it came from, to one of this node.
fn is_honest(signal: &RemoteSignal, sender: NodeId, receiver: NodeId) -> bool {
    let goes = |from: &Pid, to: NodeId| from.node() == sender && to == receiver;
    match signal {
        RemoteSignal::Exit { from, to, .. }
        | RemoteSignal::Link { from, to }
        | RemoteSignal::Unlink { from, to }
        | RemoteSignal::LinkBroken { from, to, .. } => goes(from, to.node()),
        RemoteSignal::Monitor { watcher, target, .. } | RemoteSignal::Demonitor { watcher, target, .. } => {
            goes(watcher, target.node())
        }
        // The monitor is looked up among those on the sender's processes.
        RemoteSignal::Down { watcher, .. } => watcher.node() == receiver,
    }
}
