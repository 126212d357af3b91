//! Testing: time that passes when the test says so.
//!
//! [`testing::run`](crate::testing::run) runs a test as the first process of a node of its own, with a
//! [`Clock`](crate::Clock) that only the test moves. An hour takes no time, and nothing is flaky for want of it:
//!
//! ```
//! use std::time::Duration;
//! use greenroom::{receive, self_pid, send_after, testing};
//!
//! testing::run(|clock| async move {
//!     send_after(self_pid(), "reminder".to_owned(), Duration::from_secs(3600));
//!     clock.pass(Duration::from_secs(3600)).await;
//!     assert_eq!(receive::<String>().await, "reminder");
//! });
//! ```
//!
//! [`Clock::pass`](crate::Clock::pass) stops at each deadline until everyone has done what follows from it;
//! [`Clock::settled`](crate::Clock::settled) waits for that without moving the time. So a test never sleeps, and can say
//! that something has *not* happened:
//!
//! ```
//! use greenroom::supervisor::{Restart, ChildSpec, Strategy, Supervisor};
//! use greenroom::{exit, receive, testing, whereis};
//!
//! testing::run(|clock| async move {
//!     let job = ChildSpec::named("job", || async { receive::<()>().await }).restart(Restart::Temporary);
//!     Supervisor::new(Strategy::OneForOne).child(job).start_link().await.unwrap();
//!     exit(whereis("job").unwrap(), "over");
//!     clock.settled().await;
//!     assert_eq!(whereis("job"), None);
//! });
//! ```
//!
//! A test that hangs fails after some seconds, and shows the processes that wait, and for whom.
//!
//! # Where it differs from OTP
//! - Several nodes live in one program, so tests run beside each other and share no names.
//! - The clock is the node's: what waits in tokio goes by the machine's.
//!
//! More: [`testing`](crate::testing), [`clock`](crate::clock). Back to [the guide](super).
