//! The guarantees of the process core, as tests whose names carry the number of the OTP case that they
//! follow. One file a group.

mod account;
mod agent;
mod aliases;
mod application;
mod bad_input;
mod clock;
mod ecosystem;
mod exits;
mod gen_server;
mod groups;
mod heap;
mod info;
mod links;
mod looking;
mod model;
mod monitor_options;
mod monitors;
mod names;
mod order;
mod races;
mod receive;
mod recording;
mod registry;
mod overload;
mod scheduler;
mod seq_trace;
#[cfg(feature = "tracing")]
mod span;
mod state_machine;
mod stress;
mod supervisor;
mod suspend;
mod support;
mod table;
mod task;
mod task_stream;
mod timers;
mod trace;
mod watchdog;
