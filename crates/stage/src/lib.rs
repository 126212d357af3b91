//! What a notebook cell sees, and the runtime node that cells run in.

pub mod cell;
