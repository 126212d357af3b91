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
//! let address = Cluster::start(&far, cookie.clone()).listen("127.0.0.1:0".parse().unwrap()).unwrap();
//! let echo = far.spawn(async {
//!     let (caller, text) = receive::<(Pid, String)>().await;
//!     send(caller, text);
//! });
//! let cluster = Cluster::start(&near, cookie);
//! let answer = near.block_on(async move {
//!     cluster.connect(address).await.unwrap();
//!     send(echo, (self_pid(), "over there".to_owned()));
//!     receive::<String>().await
//! });
//! assert_eq!(answer, "over there");
//! ```
//!
//! This is the first cut: the cookie is proved by both sides and never travels, but the connection is
//! plain TCP, so [`Cluster::listen`] only accepts addresses of this machine.

mod codec;
mod cookie;
pub mod protocol;
mod frame;
mod handshake;
mod links;
mod cluster;

pub use cluster::{Cluster, ConnectError, ListenError};
pub use cookie::{Cookie, CookieError};
pub use handshake::HandshakeError;
