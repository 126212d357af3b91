//! The notebook's integration tests, one module a feature.

mod analysis;
mod bindings;
mod cells;
mod cli;
mod data;
mod disk;
mod draw;
mod errors;
mod frontend;
mod items;
mod live;
mod livemd;
mod run;
mod support;
