//! Links, monitors and exits: who learns of an end, and who shares it.
//!
//! A process ends when its future is done, returns an error, panics, or is told to. All of these are an
//! [`ExitReason`](crate::ExitReason).
//!
//! # Monitors: to learn of it
//! A monitor is one-sided. When its target ends, or if there is none, a [`Down`](crate::message::Down) arrives, once.
//!
//! ```
//! use greenroom::{ExitReason, message::Down, receive, spawn_monitor};
//!
//! greenroom::run(async {
//!     let (_, reference) = spawn_monitor(async { Err::<(), _>("out of tea") });
//!     let down = receive::<Down>().await;
//!     assert_eq!((down.reference, down.reason), (reference, ExitReason::Error("out of tea".into())));
//! });
//! ```
//!
//! # Links: to share it
//! A link has two ends, and when one ends with any reason but `Normal`, so does the other: what cannot work without
//! each other ends together, and nothing is left half done. Who [traps exits](crate::trap_exit) gets a message instead;
//! that is what supervisors do, and few others should.
//!
//! ```
//! use greenroom::{ExitReason, exit_self, message::Exit, receive, spawn_link, trap_exit};
//!
//! greenroom::run(async {
//!     trap_exit(true);
//!     let child = spawn_link(async { exit_self("out of tea") });
//!     let exit = receive::<Exit>().await;
//!     assert_eq!((exit.from, exit.reason), (child, ExitReason::from("out of tea")));
//! });
//! ```
//!
//! # Exit signals: to ask for it
//! [`exit`](crate::exit()) sends a signal. It ends its target, unless that traps exits, which makes it a message; `Kill`
//! cannot be trapped. When `exit` has returned, a victim is dead:
//!
//! ```
//! use greenroom::{ExitReason, exit, is_alive, receive, spawn};
//!
//! greenroom::run(async {
//!     let child = spawn(async { receive::<()>().await });
//!     exit(child, ExitReason::Kill);
//!     assert!(!is_alive(child));
//! });
//! ```
//!
//! Names are freed first, then monitors fire, then links: whoever is told finds the name free.
//!
//! # Where it differs from OTP
//! - Reasons are a closed list, with text of any length, not any term.
//! - Destructors run when the future is dropped, which may be after others have seen the end.
//! - A stack overflow or an abort ends the whole program, not one process.
//!
//! More: [`process`](crate::process), [`reason`](crate::reason). Next: [receiving](super::receiving).
