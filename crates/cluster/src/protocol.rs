//! The protocol between two nodes, without sockets, clocks and threads: bytes and the time go in, bytes and events
//! come out. So that whatever drives it, tasks with sockets or a simulation of a whole network, runs the same.
//!
//! [`Connection`] is one end of one connection; [`Endpoint`] is what a node knows of all of them, and decides who is
//! let in. The bytes are specified in `docs/protocol.md`. What an operation means is for whoever drives this.

mod record;
mod handshake;
mod outbox;
mod assembly;
mod connection;
mod endpoint;

pub use connection::{Closed, Connection, Counters, Event, Settings};
pub use endpoint::{Admission, ConnectionId, Endpoint, Limits};
pub use handshake::{Binding, HandshakeError, Peer, Refusal, Role, VERSION};
pub use outbox::{Length, NotUp, Queued, Route};
pub use record::{FRAGMENT, HANDSHAKE_LIMIT, Malformed};
