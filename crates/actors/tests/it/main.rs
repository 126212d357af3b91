//! The guarantees of the process core, as tests whose names carry the number of the OTP case that they
//! follow. One file a group.

mod account;
mod aliases;
mod bad_input;
mod clock;
mod ecosystem;
mod exits;
mod heap;
mod info;
mod links;
mod model;
mod monitor_options;
mod monitors;
mod names;
mod order;
mod races;
mod receive;
mod overload;
mod scheduler;
mod seq_trace;
#[cfg(feature = "tracing")]
mod span;
mod stress;
mod supervisor;
mod suspend;
mod support;
mod table;
mod timers;
mod trace;
mod watchdog;
