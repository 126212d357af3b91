//! The notebook: documents whose cells are Rust, and a run of them from top to bottom.
//!
//! Modules stand in reading order, lowest first; a module uses only those above it.

pub mod livemd;

pub mod source_map;
pub mod analysis;
pub mod generate;
pub mod mir;
pub mod rustc;
pub mod prelude;
pub mod cache;
pub mod compiler;

pub mod event;

pub mod draw;

pub mod frontend;

pub mod cli;

pub mod plan;
pub mod runtime;
pub mod explain;
pub mod session;

pub mod app;
