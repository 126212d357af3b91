//! The guarantees of the process core, as tests whose names carry the number of the OTP case that they
//! follow. One file a group.

mod account;
mod aliases;
mod clock;
mod ecosystem;
mod exits;
mod heap;
mod info;
mod links;
mod model;
mod monitors;
mod names;
mod order;
mod receive;
mod registry;
mod scheduler;
mod seq_trace;
#[cfg(feature = "tracing")]
mod span;
mod stress;
mod supervisor;
mod support;
mod table;
mod task;
mod task_stream;
mod timers;
mod trace;
mod watchdog;
