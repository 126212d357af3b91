//! A notebook that another program has open, joined over the cluster.

use std::fmt;

use greenroom::Node;
use greenroom_cluster::protocol::HandshakeError;
use greenroom_cluster::{Address, AddressError, Cluster, ConnectError, CookieFileError, Notice, StartError};

use super::{Handle, node_name, own_cookie};
use crate::announce::{self, Announced};

/// Why a notebook of another program was not joined.
#[derive(Debug)]
pub enum JoinError {
    /// There is no cookie.
    Cookie(CookieFileError),
    /// The other program is another build of this one: the two do not understand each other.
    OtherBuild(Box<Announced>),
    /// The node of this program did not start.
    Node(std::io::Error),
    /// It cannot connect to others.
    Start(StartError),
    /// Where the notebook is said to be cannot be read.
    Address(AddressError),
    /// The other program has another cookie.
    OtherCookie(Box<Announced>),
    /// The notebook was closed a moment ago.
    Ended(Box<Announced>),
    /// The other program cannot be reached.
    Connect(Box<Announced>, ConnectError),
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinError::Cookie(error) => error.fmt(f),
            JoinError::OtherBuild(it) => write!(
                f,
                "{it} was opened by another build of greenroom ({}, this one is {}): join it with that one",
                it.build,
                announce::build()
            ),
            JoinError::Node(error) => write!(f, "the node of this program does not start: {error}"),
            JoinError::Start(error) => error.fmt(f),
            JoinError::Address(error) => error.fmt(f),
            JoinError::OtherCookie(it) => write!(
                f,
                "{it} was opened with another cookie: join it with the same $GREENROOM_COOKIE, or with the same \
                 ~/.greenroom.cookie where that is not set"
            ),
            JoinError::Ended(it) => write!(f, "{it} has just ended"),
            JoinError::Connect(it, error) => write!(f, "{it} cannot be reached: {error}"),
        }
    }
}

impl std::error::Error for JoinError {}

/// A notebook of another program that was joined. When this is dropped, it was left; nothing else happens to it.
pub struct Joined {
    node: Node,
    _cluster: Cluster,
    handle: Handle,
}

impl Joined {
    /// Joins a notebook.
    ///
    /// # Errors
    /// [`JoinError`], if it cannot be.
    pub fn to(session: &Announced) -> Result<Joined, JoinError> {
        if session.build != announce::build() {
            return Err(JoinError::OtherBuild(Box::new(session.clone())));
        }
        let cookie = own_cookie().map_err(JoinError::Cookie)?;
        let address: Address = session.address.parse().map_err(JoinError::Address)?;
        let node = Node::builder().name(node_name()).start().map_err(JoinError::Node)?;
        // What becomes of the connection is told as the notebook's end.
        let silent = |_: &Notice| ();
        let cluster = Cluster::builder(&node).cookie(cookie).hidden().on_notice(silent).start();
        let cluster = cluster.map_err(JoinError::Start)?;
        let caller = cluster.clone();
        let home = node.block_on(async move { caller.connect(address).await });
        let home = home.map_err(|error| match error {
            ConnectError::Handshake(_, HandshakeError::WrongCookie) => {
                JoinError::OtherCookie(Box::new(session.clone()))
            }
            ConnectError::Io(_, error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                JoinError::Ended(Box::new(session.clone()))
            }
            // Its port is another program's now.
            ConnectError::OtherNode(..) => JoinError::Ended(Box::new(session.clone())),
            error => JoinError::Connect(Box::new(session.clone()), error),
        })?;
        Ok(Joined { handle: Handle { node: node.downgrade(), home }, node, _cluster: cluster })
    }

    /// Reaches it, also from other threads.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.node.shutdown();
    }
}
