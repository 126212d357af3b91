//! The notebook: documents whose cells are Rust, and a run of them from top to bottom.
//!
//! Modules stand in reading order, lowest first; a module uses only those above it.

pub mod livemd;

pub mod analysis;
pub mod cache;
pub mod disk;
pub mod compiler;
pub mod examples;
pub mod generate;
pub mod mir;
pub mod prelude;
pub mod rustc;
pub mod source_map;

pub mod analyzer;

pub mod image;
pub mod event;

pub mod draw;

pub mod picture;

pub mod cli;
pub mod document;

pub mod plan;
pub mod explain;
pub mod expected;
pub mod check;
pub mod runtime;
pub mod tools;
pub mod aside;
pub mod announce;
pub mod session;
pub mod live;
pub mod trace;

pub mod storage;

pub mod frontend;

pub mod app;

pub mod format;
pub mod export;

pub mod command;
