//! The notebook's integration tests, one module a feature.

mod draw;
mod frontend;
mod livemd;
