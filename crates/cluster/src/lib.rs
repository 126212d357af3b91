//! Greenroom nodes that talk to each other: messages, monitors, links and exit signals across
//! operating-system processes, between nodes that know the same [`Cookie`].
//!
//! A node gets a [`Cluster`], which listens or connects. After that, identifiers of processes on the
//! other node work like local ones: [`greenroom::send`], [`greenroom::monitor`], [`greenroom::link`] and
//! [`greenroom::exit`] cross over, and when the connection is lost, everyone who needs to know is told
//! `NoConnection`.
//!
//! ```
//! use greenroom::{Node, Pid, monitor, receive, register, self_pid, send, message::Down};
//! use greenroom_cluster::{Cluster, Cookie};
//!
//! let cookie = Cookie::random();
//! let (near, far) = (Node::builder().name("near").start().unwrap(), Node::builder().name("far").start().unwrap());
//! let address = Cluster::builder(&far).cookie(cookie.clone()).start().unwrap().listen("127.0.0.1:0".parse().unwrap()).unwrap();
//! let echo = far.spawn(async {
//!     let (caller, text) = receive::<(Pid, String)>().await;
//!     send(caller, text);
//! });
//! let cluster = Cluster::builder(&near).cookie(cookie).start().unwrap();
//! let answer = near.block_on(async move {
//!     cluster.connect(address).await.unwrap();
//!     send(echo, (self_pid(), "over there".to_owned()));
//!     receive::<String>().await
//! });
//! assert_eq!(answer, "over there");
//! ```
//!
//! Everything between two nodes travels over TLS 1.3. The cookie never travels: both sides prove that they know it, over
//! a value that belongs to this one channel, so that nobody can stand between. Whoever knows the cookie may do
//! anything that the nodes can do.

mod codec;
mod cookie;
pub mod protocol;
mod transport;
mod operation;
mod address;
mod notice;
mod events;
mod pen;
mod directory;
mod hub;
mod flush;
mod wires;
mod drive;
mod function;
pub mod erpc;
mod cluster;
#[doc(hidden)]
pub mod fuzzing;

pub use address::{Address, AddressError, DEFAULT_PORT, PeersError};
pub use cluster::{Builder, Cluster, ConnectError, ListenError, StartError};
pub use cookie::{Cookie, CookieError, CookieFileError};
pub use erpc::spawn_on;
pub use events::{NodeDown, NodeKind, NodeUp};
pub use function::{ModuleId, Undefined};
pub use notice::Notice;
pub use transport::MemoryNetwork;
