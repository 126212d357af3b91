//! The notebook's integration tests, one module a feature.

mod analysis;
mod bindings;
mod cells;
mod draw;
mod errors;
mod items;
mod livemd;
mod support;
