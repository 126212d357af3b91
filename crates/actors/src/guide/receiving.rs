//! Receiving: taking one message and leaving the others.
//!
//! [`receive::<T>()`](crate::receive()) takes the first message of type `T`. What is before it stays where it is, so a
//! process can wait for an answer while other work arrives:
//!
//! ```
//! use greenroom::{receive, self_pid, send};
//!
//! greenroom::run(async {
//!     send(self_pid(), "later".to_owned());
//!     send(self_pid(), 1_u32);
//!     assert_eq!(receive::<u32>().await, 1);
//!     assert_eq!(receive::<String>().await, "later");
//! });
//! ```
//!
//! [`receive!`](crate::receive!) waits for one of several, with guards and a time-out:
//!
//! ```
//! use std::time::Duration;
//! use greenroom::{receive, self_pid, send};
//!
//! greenroom::run(async {
//!     send(self_pid(), 3_u64);
//!     let heard = receive! {
//!         n: u64 if n > 10 => format!("much: {n}"),
//!         text: String => text,
//!         after Duration::ZERO => "nothing that matters".to_owned(),
//!     };
//!     assert_eq!(heard, "nothing that matters");
//! });
//! ```
//!
//! # Receiving with other futures
//! A receive that is dropped has taken nothing, so it is safe in tokio's `select!`.
//! [`stream`](crate::stream) makes a stream of a mailbox, for the combinators of the `futures` crates.
//!
//! # When nothing comes
//! The type must be the very one that was sent: who receives a `u32` waits for ever when an `i32` was sent, as a number
//! without a suffix is. [`process::info`](crate::process::info) shows how many messages wait unwanted.
//!
//! # Long mailboxes
//! A message that nobody asks for stays, and costs each new receive a look at it. Who waits for the answer to a question
//! of its own notes where the mailbox ends before it asks, with [`mark`](crate::mark()), and looks only at what came
//! later, with `receive! { since mark; … }`. Calls of servers do so by themselves.
//!
//! # Where it differs from OTP
//! - Arms are chosen by type first, and a pattern must match every value of it: what it depends on beyond that belongs
//!   into the guard.
//! - A receive is a value: it can be dropped, raced, and awaited later.
//! - It must be polled with its process: combinators that poll only what was woken, such as `FuturesUnordered`, do not
//!   see that a message has come.
//!
//! More: [`receive`](mod@crate::receive). Next: [servers](super::servers).
