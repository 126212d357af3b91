//! The notebook: documents whose cells are Rust, and a run of them from top to bottom.
//!
//! Modules stand in reading order, lowest first; a module uses only those above it.

pub mod livemd;

pub mod analysis;
pub mod cache;
pub mod compiler;
pub mod generate;
pub mod mir;
pub mod prelude;
pub mod rustc;
pub mod source_map;

pub mod event;

pub mod draw;

pub mod frontend;

pub mod cli;

pub mod explain;
pub mod plan;
pub mod disk;
pub mod runtime;
pub mod session;

pub mod app;
