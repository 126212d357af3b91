//! What can go wrong when a node joins others.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use greenroom::NodeId;

use super::HANDSHAKE_TIME;
use crate::address::{Address, PeersError};
use crate::cookie::CookieFileError;
use crate::protocol::{Closed, HandshakeError, Refusal};

/// Why a node did not join others.
#[derive(Debug)]
pub enum StartError {
    /// There is no cookie.
    Cookie(CookieFileError),
    /// The file of peers cannot be used.
    Peers(PeersError),
    /// There is no key for TLS.
    Tls(io::Error),
    /// It cannot listen.
    Listen(ListenError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Cookie(error) => error.fmt(f),
            StartError::Peers(error) => error.fmt(f),
            StartError::Tls(error) => error.fmt(f),
            StartError::Listen(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

/// Why a node could not listen.
#[derive(Debug)]
pub struct ListenError {
    /// Where.
    pub address: SocketAddr,
    /// What the operating system says.
    pub error: io::Error,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {}: {}", self.address, self.error)
    }
}

impl std::error::Error for ListenError {}

/// Why there is no connection.
#[derive(Debug)]
pub enum ConnectError {
    /// The network says no.
    Io(Address, io::Error),
    /// Nobody answered in time.
    TimedOut(Address),
    /// The nodes do not fit together.
    Handshake(Address, HandshakeError),
    /// One of them does not want to.
    Refused(Address, Refusal),
    /// Another node than the one that was asked for is there.
    OtherNode(Address, NodeId),
    /// The connection broke before it stood.
    Broken(Address, Closed),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::Io(address, error) => write!(f, "{address}: {error}"),
            ConnectError::TimedOut(address) => {
                write!(f, "{address}: no answer within {} s", HANDSHAKE_TIME.as_secs())
            }
            ConnectError::Handshake(address, error) => write!(f, "{address}: {error}"),
            ConnectError::Refused(address, refusal) => write!(f, "{address}: {refusal}"),
            ConnectError::OtherNode(address, node) => write!(f, "{address}: the node there is {node}"),
            ConnectError::Broken(address, closed) => write!(f, "{address}: {closed}"),
        }
    }
}

impl std::error::Error for ConnectError {}

impl ConnectError {
    pub(super) fn of(address: Address, closed: Closed) -> Self {
        match closed {
            Closed::Handshake(error) => ConnectError::Handshake(address, error),
            Closed::Refused(refusal) => ConnectError::Refused(address, refusal),
            Closed::TooSlow => ConnectError::TimedOut(address),
            other => ConnectError::Broken(address, other),
        }
    }
}
