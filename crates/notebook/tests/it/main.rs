//! The notebook's integration tests, one module a feature.

mod analysis;
mod bindings;
mod cells;
mod cli;
mod corpus;
mod data;
mod disk;
mod draw;
mod errors;
mod frontend;
mod fuzz;
mod items;
mod live;
mod livemd;
mod nodes;
mod past;
mod picture;
mod run;
mod support;
mod terminal;
