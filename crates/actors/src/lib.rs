//! BEAM-style processes for Rust.

pub mod pid;
pub mod reason;
pub mod trace;
pub mod tree;

mod node {
    pub(crate) fn is_home(_: crate::pid::NodeId) -> bool {
        true
    }
}

pub use pid::{NodeId, NodeName, Pid, Ref};
pub use reason::ExitReason;
