//! Tracing: seeing what was said.
//!
//! [`trace`](crate::trace()) runs a future and returns its value with the conversation that followed from it: sends,
//! receives, calls and their answers, starts, ends, restarts, in everyone who took part.
//!
//! ```
//! use greenroom::trace::EventKind;
//! use greenroom::{Agent, trace};
//!
//! greenroom::run(async {
//!     let counter = Agent::start_link(|| 1_u32).await.unwrap();
//!     let (value, trace) = trace(async move { counter.get(|n| *n).await }).await;
//!     assert_eq!(value, Ok(1));
//!     assert!(trace.events.iter().any(|event| matches!(event.kind, EventKind::Send { .. })));
//! });
//! ```
//!
//! The crate `greenroom-tracing-viz` draws it. [`trace_to`](crate::trace_to) keeps what was recorded even if the code
//! panics.
//!
//! # In a system that runs
//! - [`seq_trace`](crate::seq_trace) follows one conversation by a token and tells a process of your own.
//! - [`Node::record`](crate::Node::record) records a whole node for a while.
//! - A [flight recorder](crate::NodeBuilder::flight_recorder) always has the last events, for when something has ended.
//! - [`process::info`](crate::process::info) and [`process::top`](crate::process::top()) show what processes do and hold.
//!
//! ```
//! use greenroom::{process, receive, self_pid, send, spawn};
//!
//! greenroom::run(async {
//!     let idle = spawn(async { receive::<()>().await });
//!     send(idle, "unwanted".to_owned());
//!     process::set_label("main");
//!     let info = process::info(idle).unwrap();
//!     assert_eq!((info.message_queue_len, info.parent), (1, Some(self_pid())));
//! });
//! ```
//!
//! # Where it differs from OTP
//! - A conversation is followed from the code that begins it, not by patterns of functions: there is no `dbg`.
//! - The numbers of a [`seq_trace`](crate::seq_trace) belong to the token, and a timer's message has none.
//!
//! More: [`trace`](mod@crate::trace), [`recording`](crate::recording). Next: [testing](super::testing).
