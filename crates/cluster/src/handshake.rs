//! How two nodes convince each other that they know the same cookie: pure functions over bytes.
//!
//! Both sides say hello with their name and 32 random bytes. Each then shows
//! `HMAC-SHA256(cookie, role ‖ hello of the caller ‖ hello of the listener)`. The role keeps a proof from
//! being sent back as the other side's own. The cookie never travels. Nothing of a peer is kept before
//! its proof was checked.

use std::fmt;

use greenroom::NodeName;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::codec;
use crate::cookie::{Cookie, random_bytes};

/// The largest message before the proof, in bytes.
pub(crate) const LIMIT: usize = 1024;
/// The version of the protocol. Nodes of different versions refuse each other.
const VERSION: u32 = 1;
/// The longest name of a node, in bytes.
const LONGEST_NAME: usize = 255;

/// The length of a proof.
pub(crate) const PROOF: usize = 32;

/// The first thing that either side says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Hello {
    magic: [u8; 9],
    version: u32,
    name: NodeName,
    nonce: [u8; 32],
}

const MAGIC: [u8; 9] = *b"greenroom";

/// Which end of the connection a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It connected.
    Caller,
    /// It listened.
    Listener,
}

impl Role {
    fn other(self) -> Role {
        match self {
            Role::Caller => Role::Listener,
            Role::Listener => Role::Caller,
        }
    }
}

/// Why two nodes did not come together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandshakeError {
    /// The other side does not speak this protocol.
    NotANode,
    /// The other side speaks another version of it.
    Version {
        /// The other side's version.
        theirs: u32,
    },
    /// The other side does not know the cookie, or this one does not know the other's.
    WrongCookie,
    /// The other side has no name that could be used.
    BadName,
    /// The other side has this node's own name and incarnation.
    Myself,
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HandshakeError::NotANode => f.write_str("the other side is no Greenroom node"),
            HandshakeError::Version { theirs } => {
                write!(f, "the other side speaks version {theirs} of the protocol, this one version {VERSION}")
            }
            HandshakeError::WrongCookie => f.write_str("the cookies differ: give both nodes the same one"),
            HandshakeError::BadName => f.write_str("the other side's name is empty, too long or unprintable"),
            HandshakeError::Myself => f.write_str("the other side is this node itself"),
        }
    }
}

impl std::error::Error for HandshakeError {}

/// One side of the handshake, after it has made its hello.
pub(crate) struct Handshake {
    role: Role,
    cookie: Cookie,
    name: NodeName,
    /// The hello to be sent.
    pub(crate) hello: Vec<u8>,
}

/// One side, after both hellos: it has to show its proof and check the other's.
pub(crate) struct Proving {
    /// Who the other side says it is; not to be trusted before its proof.
    peer: NodeName,
    /// The proof to be sent.
    pub(crate) proof: [u8; PROOF],
    expected: Hmac<Sha256>,
}

impl Handshake {
    pub(crate) fn new(role: Role, cookie: Cookie, name: NodeName) -> Self {
        let hello = Hello { magic: MAGIC, version: VERSION, name: name.clone(), nonce: random_bytes() };
        let mut bytes = Vec::new();
        if let Err(error) = codec::encode_into(&hello, &mut bytes) {
            unreachable!("a hello is plain data: {error}");
        }
        Handshake { role, cookie, name, hello: bytes }
    }

    /// The other side has said hello.
    pub(crate) fn meet(self, theirs: &[u8]) -> Result<Proving, HandshakeError> {
        let hello: Hello = codec::decode(theirs).map_err(|_| HandshakeError::NotANode)?;
        if hello.magic != MAGIC {
            return Err(HandshakeError::NotANode);
        }
        if hello.version != VERSION {
            return Err(HandshakeError::Version { theirs: hello.version });
        }
        let name = &hello.name.name;
        if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(HandshakeError::BadName);
        }
        if hello.name == self.name {
            return Err(HandshakeError::Myself);
        }
        let (caller, listener) = match self.role {
            Role::Caller => (self.hello.as_slice(), theirs),
            Role::Listener => (theirs, self.hello.as_slice()),
        };
        let proof = mac(&self.cookie, self.role, caller, listener).finalize().into_bytes().into();
        let expected = mac(&self.cookie, self.role.other(), caller, listener);
        Ok(Proving { peer: hello.name, proof, expected })
    }
}

impl Proving {
    /// The other side has shown its proof: who it is, if it is right. Compared in constant time.
    pub(crate) fn check(self, theirs: &[u8; PROOF]) -> Result<NodeName, HandshakeError> {
        self.expected.verify_slice(theirs).map_err(|_| HandshakeError::WrongCookie)?;
        Ok(self.peer)
    }
}

fn mac(cookie: &Cookie, role: Role, caller: &[u8], listener: &[u8]) -> Hmac<Sha256> {
    let mut mac = match Hmac::<Sha256>::new_from_slice(cookie.bytes()) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes keys of any length"),
    };
    mac.update(match role {
        Role::Caller => b"caller",
        Role::Listener => b"listen",
    });
    for hello in [caller, listener] {
        mac.update(&(hello.len() as u32).to_le_bytes());
        mac.update(hello);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> NodeName {
        NodeName { name: name.into(), incarnation: 1 }
    }

    fn meet(caller: &Cookie, listener: &Cookie) -> (Proving, Proving) {
        let caller = Handshake::new(Role::Caller, caller.clone(), name("a"));
        let listener = Handshake::new(Role::Listener, listener.clone(), name("b"));
        let (hello, answer) = (caller.hello.clone(), listener.hello.clone());
        assert!(hello.len() <= LIMIT);
        (caller.meet(&answer).unwrap(), listener.meet(&hello).unwrap())
    }

    #[test]
    fn nodes_with_the_same_cookie_learn_each_others_names() {
        let cookie = Cookie::random();
        let (caller, listener) = meet(&cookie, &cookie);
        let (mine, theirs) = (caller.proof, listener.proof);
        assert_eq!(caller.check(&theirs), Ok(name("b")));
        assert_eq!(listener.check(&mine), Ok(name("a")));
    }

    #[test]
    fn case_211_another_cookie_is_refused() {
        let (caller, listener) = meet(&Cookie::random(), &Cookie::random());
        let proof = listener.proof;
        assert_eq!(caller.check(&proof), Err(HandshakeError::WrongCookie));
    }

    #[test]
    fn a_proof_cannot_be_sent_back_as_ones_own() {
        let cookie = Cookie::random();
        let (caller, _) = meet(&cookie, &cookie);
        let reflected = caller.proof;
        assert_eq!(caller.check(&reflected), Err(HandshakeError::WrongCookie));
    }

    #[test]
    fn case_213_strange_hellos_are_refused() {
        let fresh = || Handshake::new(Role::Listener, Cookie::random(), name("b"));
        assert_eq!(fresh().meet(b"GET / HTTP/1.1\r\n").err(), Some(HandshakeError::NotANode));
        for bad in ["", "a\nb", &"x".repeat(256)] {
            let caller = Handshake::new(Role::Caller, Cookie::random(), name(bad));
            assert_eq!(fresh().meet(&caller.hello).err(), Some(HandshakeError::BadName));
        }
        let twin = Handshake::new(Role::Caller, Cookie::random(), name("b"));
        assert_eq!(fresh().meet(&twin.hello).err(), Some(HandshakeError::Myself));
    }
}
