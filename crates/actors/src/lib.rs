//! BEAM-style processes for Rust: mailboxes with selective receive, links, monitors, exit signals,
//! supervisors, names and timers, by the million.
//!
//! A process is a future with a mailbox. It costs a few hundred bytes and runs on a few worker threads
//! together with all others; tokio's timers, sockets and blocking threads work inside it.
//!
//! ```
//! use greenroom::{receive, self_pid, send, spawn, Pid};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Serialize, Deserialize)]
//! struct Ping(Pid);
//! #[derive(Debug, Serialize, Deserialize)]
//! struct Pong;
//!
//! greenroom::run(async {
//!     let child = spawn(async {
//!         let Ping(caller) = receive::<Ping>().await;
//!         send(caller, Pong);
//!     });
//!     send(child, Ping(self_pid()));
//!     receive::<Pong>().await;
//! });
//! ```
//!
//! What lives longer is a [server](gen_server) below a [supervisor], which starts it again when it ends. The
//! shortest one:
//!
//! ```
//! use greenroom::gen_server::{GenServer, InitError};
//! use greenroom::supervisor::{Strategy, Supervisor};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Serialize, Deserialize)]
//! struct Add(u64);
//!
//! #[derive(Debug)]
//! struct Counter(u64);
//!
//! greenroom::accepts! { Counter: call add(Add) -> u64; }
//!
//! impl GenServer for Counter {
//!     type Args = u64;
//!     async fn init(start: u64) -> Result<Self, InitError> {
//!         Ok(Counter(start))
//!     }
//! }
//!
//! impl Counter {
//!     async fn add(&mut self, Add(n): Add) -> u64 {
//!         self.0 += n;
//!         self.0
//!     }
//! }
//!
//! greenroom::run(async {
//!     let counter = Counter::named("counter").spec(0);
//!     Supervisor::new(Strategy::OneForOne).child(counter).start_link().await.unwrap();
//!     assert_eq!(Counter::at("counter").call(Add(3)).await, Ok(3));
//! });
//! ```
//!
//! **[The guide](guide)** goes on from here, in ten short chapters.
//!
//! The words are OTP's, and so are the guarantees; where Rust must differ, the documentation says
//! "Differs from OTP", and `SEMANTICS.md` has the whole.

pub mod pid;
pub mod reason;
pub mod message;
pub mod trace;
pub mod router;
mod request;
pub mod tree;

pub mod clock;

mod account;
mod heap;
mod barrier;
mod slice;
mod lock;
mod sync;
mod mailbox;
mod life;
mod recorder;
mod body;
mod timer;
mod settings;
mod few;
mod cold;
mod slot;
mod table;
mod scheduler;
mod core;
mod current;
mod deliver;
mod conversation;
mod suspension;
mod looking;
mod overload;
mod send;
mod monitor;
mod call;
mod exit;
mod link;
mod names;
mod runner;
#[cfg(feature = "tracing")]
mod span;
mod watchdog;

pub mod receive;
pub mod process;
pub mod seq_trace;
mod node;
pub mod stream;
pub mod recording;
mod outside;
mod pending;
mod ask;
pub mod registry;
pub mod task;
pub mod supervisor;
pub mod gen_server;
pub mod state_machine;
pub mod agent;
pub mod application;
pub mod groups;
pub mod global;
pub mod testing;
pub mod guide;
#[cfg(doctest)]
mod misuse;

pub use agent::Agent;
pub use application::Application;
pub use clock::Clock;
pub use core::LongTurn;
pub use gen_server::{GenServer, ServerRef};
pub use heap::TrackingAllocator;
pub use message::{Local, Message};
pub use names::RegisterError;
pub use node::{Node, NodeBuilder, run};
pub use outside::{Run, spawn_blocking};
pub use pid::{NodeId, NodeName, Pid, Ref};
pub use process::{
    SendError, Timer, demonitor, exit, exit_self, group_leader, is_alive, link, monitor, node, register, self_pid,
    send, send_after, sleep, spawn, spawn_link, spawn_monitor, trace, trap_exit, unlink, unregister, whereis,
    yield_now,
};
pub use reason::ExitReason;
pub use receive::{Mark, mark, receive, receive_timeout};
pub use recording::{Recording, trace_to};
pub use registry::Registry;
pub use state_machine::StateMachine;
pub use supervisor::Supervisor;
pub use task::Task;
