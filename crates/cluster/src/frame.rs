//! What travels on a connection once both sides have proved the cookie.
//!
//! On the wire a frame is its length (four bytes, little-endian) and then its [`codec`](crate::codec) form.

use greenroom::message::Target;
use greenroom::router::{Outgoing, Payload, RemoteSignal};
use greenroom::trace::Passport;
use serde::{Deserialize, Serialize};

use crate::codec::{self, CodecError};

/// One frame.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Frame {
    /// A message. Its bytes stay bytes until somebody asks for their type.
    Send(Target, Message),
    /// A signal between processes.
    Signal(RemoteSignal),
}

/// A message as it travels.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Message {
    type_name: String,
    bytes: Vec<u8>,
    token: Option<Passport>,
}

impl Payload for Message {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn decode(&self, read: &mut dyn FnMut(&mut dyn erased_serde::Deserializer<'_>)) {
        codec::with_deserializer(&self.bytes, read);
    }

    fn token(&self) -> Option<Passport> {
        self.token.clone()
    }
}

/// Packs a message for its way.
pub(crate) fn pack(to: &Target, message: &Outgoing<'_>) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::new();
    codec::encode_into(message.payload, &mut bytes)?;
    let message = Message { type_name: message.type_name.to_owned(), bytes, token: message.token.clone() };
    seal(&Frame::Send(to.clone(), message))
}

/// The frame with its length in front.
pub(crate) fn seal(frame: &Frame) -> Result<Vec<u8>, CodecError> {
    let mut bytes = vec![0; 4];
    codec::encode_into(frame, &mut bytes)?;
    let length = (bytes.len() - 4) as u32; // The codec's limit is far below 4 GiB.
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}
