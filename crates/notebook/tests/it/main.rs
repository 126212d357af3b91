//! The notebook's integration tests, one module a feature.

mod livemd;
