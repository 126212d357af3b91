//! What a notebook cell sees, and the runtime node that cells run in.

pub mod cell;
mod output_macros;

/// What every cell sees without importing it.
pub mod prelude {
    pub use crate::cell::{Output, Render, Shared};
}

/// The program of the runtime node.
pub mod runtime {
    /// Runs the node until its owner ends.
    pub fn main() {}
}
