//! The actor libraries, each in its own words: what it calls an actor, spawning and telling.
//!
//! They leave out the trials that they have no words for: links, exit signals, selective receive.

mod actix;
mod kameo;
mod ractor;

use std::future::Future;

pub use self::{actix::run as actix, kameo::run as kameo, ractor::run as ractor};

/// Runs a trial as a task of a tokio runtime, which both ractor and kameo stand on.
fn on_tokio(trial: impl Future<Output = f64> + Send + 'static) -> Option<f64> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().ok()?;
    runtime.block_on(runtime.spawn(trial)).ok()
}
