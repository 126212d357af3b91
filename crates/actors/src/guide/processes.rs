//! Processes: starting them, and what they send each other.
//!
//! A process is a future with a mailbox. [`spawn`](crate::spawn()) starts one and returns its [`Pid`](crate::Pid),
//! which is plain data: it can be copied, sent, and used after the process has ended, when what is sent to it is
//! dropped.
//!
//! ```
//! use greenroom::{receive, self_pid, send, spawn};
//!
//! greenroom::run(async {
//!     let parent = self_pid();
//!     let child = spawn(async move {
//!         let name: String = receive().await;
//!         send(parent, format!("hello, {name}"));
//!     });
//!     send(child, "Joe".to_owned());
//!     assert_eq!(receive::<String>().await, "hello, Joe");
//! });
//! ```
//!
//! [`run`](crate::run()) starts a node, runs the future as its first process, and stops the node when that is done. A
//! program that has more to do than that starts a [`Node`](crate::Node) itself.
//!
//! # Messages
//! Any type that is `Serialize + DeserializeOwned + Debug + Send` is a message: it is moved to a process of the same
//! program, written to one of another, and shown in traces. What cannot be data, such as a socket, travels in a
//! [`Local`](crate::Local) and stays within the program:
//!
//! ```
//! use greenroom::{Local, receive, send, spawn, spawn_monitor};
//! use std::sync::mpsc::{Sender, channel};
//!
//! let (sender, output) = channel::<u32>();
//! greenroom::run(async {
//!     let (writer, _) = spawn_monitor(async {
//!         let Local(sender) = receive::<Local<Sender<u32>>>().await;
//!         sender.send(42).unwrap();
//!     });
//!     send(writer, Local(sender));
//!     receive::<greenroom::message::Down>().await;
//! });
//! assert_eq!(output.recv(), Ok(42));
//! ```
//!
//! Messages from one process to another arrive in the order in which they were sent.
//!
//! # Awaiting
//! tokio's sockets and timers work in a process, and so does any other future. What blocks a thread belongs into
//! [`spawn_blocking`](crate::spawn_blocking), and a long computation gives others their turn with
//! [`yield_now`](crate::yield_now) or [`yield_point!`](crate::yield_point!).
//!
//! # Where it differs from OTP
//! - A process that does not await cannot be preempted. If it is killed, it is dead to everyone at once, but its thread
//!   works on until it gives up its turn.
//! - Messages are moved, not copied: the sender no longer has them.
//! - A mailbox can have a [limit](crate::process::Builder::mailbox_limit).
//!
//! More: [`process`](crate::process), [`message`](crate::message). Next: [links, monitors and exits](super::exits).
