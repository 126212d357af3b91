//! The notebook: the document, what a run tells, and the front ends that show it.
//!
//! Modules stand in reading order, lowest first; a module uses only those above it.

pub mod livemd;

pub mod event;

pub mod draw;

pub mod frontend;

pub mod cli;
