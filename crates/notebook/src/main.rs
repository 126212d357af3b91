//! Runs notebooks.
fn main() {}
