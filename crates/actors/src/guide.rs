//! The guide: the crate from its first process to a system that mends itself, in ten short chapters.
//!
//! Each chapter shows what to reach for and when, says where it differs from OTP, and leaves the whole to the module
//! that it is about. They build on each other, and can be read in an hour:
//!
//! 1. [Processes](processes): starting them, and what they send each other.
//! 2. [Links, monitors and exits](exits): who learns of an end, and who shares it.
//! 3. [Receiving](receiving): taking one message and leaving the others.
//! 4. [Servers](servers): a state, and typed calls.
//! 5. [State machines](machines): answers that depend on the state.
//! 6. [Supervisors and applications](supervision): starting again what has ended.
//! 7. [Tasks and agents](tasks): values that are computed, and values that are kept.
//! 8. [Names, registries and groups](naming): finding a process without its pid.
//! 9. [Tracing](tracing): seeing what was said.
//! 10. [Testing](testing): time that passes when the test says so.
//!
//! # Which to take
//! | you have | take |
//! |---|---|
//! | something to compute, once | a [`Task`](crate::Task) |
//! | a value that several share | an [`Agent`](crate::Agent) |
//! | a state with a way to talk to it | a [`GenServer`](crate::GenServer) |
//! | one whose answers depend on what came before | a [`StateMachine`](crate::StateMachine) |
//! | none of these | a process: [`spawn`](crate::spawn()) and [`receive`](crate::receive()) |
//!
//! Whatever lives longer than the call that starts it belongs below a [`Supervisor`](crate::Supervisor).

pub mod processes;
pub mod exits;
pub mod receiving;
pub mod servers;
pub mod machines;
pub mod supervision;
pub mod tasks;
pub mod naming;
pub mod tracing;
pub mod testing;
