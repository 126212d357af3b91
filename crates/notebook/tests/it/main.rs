//! The notebook's integration tests, one module a feature.

mod cli;
mod draw;
mod frontend;
mod livemd;
