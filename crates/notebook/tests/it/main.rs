//! Cells through the real compiler: what comes of them, and what is said about those that nothing comes of.

mod analysis;
mod bindings;
mod cells;
mod errors;
mod items;
mod support;
