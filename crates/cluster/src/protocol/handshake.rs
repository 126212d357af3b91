//! How two nodes convince each other that they know the same cookie: pure functions over bytes.
//!
//! Both say hello: name, incarnation, what they can, 32 random bytes. Then each shows
//! `HMAC(K, role ‖ binding ‖ both hellos …)`, where `K` is derived from the cookie and the binding is what both ends
//! of the encrypted channel, and only they, have derived from its keys. So a proof says: *I* know the cookie, in
//! *this* role, on *this* channel, and these are the hellos that I have seen. It is worthless on another channel (a
//! relay), at another time (a replay), sent back (a reflection), or with another hello (a spoofed name, a lower
//! version). The cookie never travels, and nothing of a peer is kept before its proof was checked.

use std::fmt;

use greenroom::NodeName;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::record::PROOF;
use crate::codec;
use crate::cookie::Cookie;

/// The version of the protocol that this code speaks.
pub const VERSION: u16 = 2;
/// The longest name of a node, in bytes.
const LONGEST_NAME: usize = 255;
const MAGIC: [u8; 9] = *b"greenroom";

/// What ties a proof to one encrypted channel: its exporter value (RFC 9266).
pub type Binding = [u8; 32];

/// Which end of the connection a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It connected.
    Caller,
    /// It listened.
    Listener,
}

impl Role {
    fn label(self) -> &'static [u8] {
        match self {
            Role::Caller => b"caller",
            Role::Listener => b"listen",
        }
    }
}

/// A node at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name and incarnation.
    pub name: NodeName,
    /// Whether it does not want to be listed.
    pub hidden: bool,
    /// After how much silence it takes this node for lost.
    pub tick: std::time::Duration,
}

/// The first thing that either side says. What comes before `name` is read in every version.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Hello {
    prefix: Prefix,
    name: NodeName,
    flags: u32,
    tick_ms: u32,
    nonce: [u8; 32],
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Prefix {
    magic: [u8; 9],
    lowest: u16,
    highest: u16,
}

/// The flag of a node that does not want to be listed. Unknown flags are ignored.
const HIDDEN: u32 = 1;

/// Why two nodes cannot be brought together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandshakeError {
    /// The other side does not speak this protocol.
    NotANode,
    /// The other side speaks other versions of it.
    Version {
        /// The lowest that it speaks.
        lowest: u16,
        /// The highest.
        highest: u16,
    },
    /// The other side does not know the cookie, or somebody stands between.
    WrongCookie,
    /// The other side has no name that could be used.
    BadName,
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HandshakeError::NotANode => f.write_str("the other side is no Greenroom node"),
            HandshakeError::Version { lowest, highest } => write!(
                f,
                "the other side speaks versions {lowest} to {highest} of the protocol, this one version {VERSION}: \
                 update the older of the two"
            ),
            HandshakeError::WrongCookie => f.write_str("the cookies differ: give both nodes the same one"),
            HandshakeError::BadName => f.write_str("the other side's name is empty, too long or unprintable"),
        }
    }
}

impl std::error::Error for HandshakeError {}

/// Why a node is not let in although it knows the cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another living node has its name.
    NameTaken,
    /// A later life of the node has been seen.
    OldIncarnation,
    /// There is a connection between the two already.
    Connected,
    /// Both call at once, and the other call goes on.
    Simultaneous,
    /// It is the node itself.
    Myself,
}

impl Refusal {
    const ALL: [Refusal; 5] =
        [Refusal::NameTaken, Refusal::OldIncarnation, Refusal::Connected, Refusal::Simultaneous, Refusal::Myself];

    /// How it travels: from 1, as 0 is the word for being let in.
    fn code(self) -> u8 {
        1 + Self::ALL.iter().position(|refusal| *refusal == self).unwrap_or_default() as u8
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::NameTaken => "another living node has this name: choose another",
            Refusal::OldIncarnation => "a later life of this node has been seen: start it anew",
            Refusal::Connected => "the two are connected already",
            Refusal::Simultaneous => "both nodes called at once, and the other call goes on",
            Refusal::Myself => "a node does not connect to itself",
        })
    }
}

impl std::error::Error for Refusal {}

/// One side of the handshake, after it has made its hello.
#[derive(Debug)]
pub(super) struct Handshake {
    role: Role,
    cookie: Cookie,
    binding: Binding,
    /// The hello to be sent.
    pub(super) hello: Vec<u8>,
}

impl Handshake {
    pub(super) fn new(role: Role, cookie: &Cookie, binding: Binding, myself: &Peer, nonce: [u8; 32]) -> Self {
        let hello = Hello {
            prefix: Prefix { magic: MAGIC, lowest: VERSION, highest: VERSION },
            name: myself.name.clone(),
            flags: if myself.hidden { HIDDEN } else { 0 },
            tick_ms: u32::try_from(myself.tick.as_millis()).unwrap_or(u32::MAX),
            nonce,
        };
        let mut bytes = Vec::new();
        if let Err(error) = codec::encode_into(&hello, &mut bytes) {
            unreachable!("a hello is plain data: {error}");
        }
        Handshake { role, cookie: cookie.clone(), binding, hello: bytes }
    }

    /// The other side has said hello.
    pub(super) fn meet(&self, theirs: &[u8]) -> Result<(Peer, Proving), HandshakeError> {
        let (prefix, _) = codec::split::<Prefix>(theirs).map_err(|_| HandshakeError::NotANode)?;
        if prefix.magic != MAGIC {
            return Err(HandshakeError::NotANode);
        }
        if !(prefix.lowest..=prefix.highest).contains(&VERSION) {
            return Err(HandshakeError::Version { lowest: prefix.lowest, highest: prefix.highest });
        }
        let hello: Hello = codec::decode(theirs).map_err(|_| HandshakeError::NotANode)?;
        let name = &hello.name.name;
        if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(HandshakeError::BadName);
        }
        let (caller, listener) = match self.role {
            Role::Caller => (self.hello.as_slice(), theirs),
            Role::Listener => (theirs, self.hello.as_slice()),
        };
        let peer = Peer {
            name: hello.name,
            hidden: hello.flags & HIDDEN != 0,
            tick: std::time::Duration::from_millis(hello.tick_ms.into()),
        };
        Ok((peer, Proving { key: key(&self.cookie), transcript: transcript(&self.binding, caller, listener) }))
    }
}

/// Both hellos are known: proofs can be made and checked.
pub(super) struct Proving {
    key: [u8; 32],
    transcript: Vec<u8>,
}

impl fmt::Debug for Proving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proving(…)")
    }
}

impl Proving {
    /// From here on, another cookie than that of the handshake is what both must know.
    pub(super) fn use_cookie(&mut self, cookie: &Cookie) {
        self.key = key(cookie);
    }

    /// What the caller shows.
    pub(super) fn proof(&self) -> [u8; PROOF] {
        self.mac(Role::Caller, &[]).finalize().into_bytes().into()
    }

    /// Whether the caller has shown it. Compared in constant time.
    pub(super) fn check_proof(&self, theirs: &[u8; PROOF]) -> Result<(), HandshakeError> {
        self.mac(Role::Caller, &[]).verify_slice(theirs).map_err(|_| HandshakeError::WrongCookie)
    }

    /// What the listener shows, together with its word on the caller.
    pub(super) fn verdict(&self, verdict: Result<(), Refusal>) -> (u8, [u8; PROOF]) {
        let code = verdict.err().map_or(0, Refusal::code);
        (code, self.mac(Role::Listener, &[code]).finalize().into_bytes().into())
    }

    /// The listener's word, if it has shown that it knows the cookie.
    pub(super) fn check_verdict(&self, code: u8, theirs: &[u8; PROOF]) -> Result<Result<(), Refusal>, HandshakeError> {
        self.mac(Role::Listener, &[code]).verify_slice(theirs).map_err(|_| HandshakeError::WrongCookie)?;
        match code {
            0 => Ok(Ok(())),
            code => {
                Refusal::ALL.get(usize::from(code) - 1).map(|refusal| Err(*refusal)).ok_or(HandshakeError::NotANode)
            }
        }
    }

    fn mac(&self, role: Role, word: &[u8]) -> Hmac<Sha256> {
        let mut mac = match Hmac::<Sha256>::new_from_slice(&self.key) {
            Ok(mac) => mac,
            Err(_) => unreachable!("HMAC takes keys of any length"),
        };
        for part in [role.label(), word, &self.transcript] {
            mac.update(part);
        }
        mac
    }
}

/// The key that proofs are made with: the cookie itself is used for nothing else.
fn key(cookie: &Cookie) -> [u8; 32] {
    let mut key = [0; 32];
    if Hkdf::<Sha256>::new(Some(b"greenroom 2"), cookie.bytes()).expand(b"node proof", &mut key).is_err() {
        unreachable!("32 bytes are not too many");
    }
    key
}

/// Each part with its length, so that no two different conversations have the same.
fn transcript(binding: &Binding, caller: &[u8], listener: &[u8]) -> Vec<u8> {
    let mut transcript = binding.to_vec();
    for hello in [caller, listener] {
        transcript.extend_from_slice(&(hello.len() as u32).to_le_bytes());
        transcript.extend_from_slice(hello);
    }
    transcript
}
