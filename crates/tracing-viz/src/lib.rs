//! Draws what processes did and how they are supervised: events in, pictures out.
//!
//! A recorded [`Trace`] becomes a [`Sequence`], a [`Map`] or a [`Timeline`], a
//! [`TreeNode`](greenroom::tree::TreeNode) a [`Tree`]. They are plain models, which any renderer can draw. With
//! them come SVG, Mermaid's text form, and Unicode text for a terminal; [`mod@file`] saves traces and trees as JSON.
//!
//! ```
//! use greenroom::{receive, self_pid, send, spawn};
//! use greenroom_tracing_viz::Pictures;
//!
//! let (answer, trace) = greenroom::run(async {
//!     greenroom::trace(async {
//!         let parent = self_pid();
//!         spawn(async move { send(parent, 42_u32) });
//!         receive::<u32>().await
//!     })
//!     .await
//! });
//! assert_eq!(answer, 42);
//! let svg = trace.sequence().to_svg();
//! assert!(svg.contains("SPAWN") && svg.contains("42"));
//! ```
//!
//! This crate never talks to a node. It draws data, whoever collected it, and the same data always
//! gives the same picture.

mod ansi;
mod mermaid;
mod svg;
mod words;

pub mod file;
pub mod flame;
pub mod map;
mod merge;
pub mod sequence;
#[cfg(feature = "spans")]
pub mod spans;
pub mod timeline;
pub mod tree;

mod pictures;

pub use ansi::coloured;
pub use flame::Flame;
pub use map::Map;
pub use merge::merge;
pub use pictures::Pictures;
pub use sequence::Sequence;
pub use svg::still;
pub use timeline::Timeline;
pub use tree::Tree;

use std::collections::BTreeSet;

use greenroom::Pid;
use greenroom::trace::{Signal, Trace};

/// The processes of a trace that have this name, label or identifier.
pub fn processes_called(trace: &Trace, name: &str) -> BTreeSet<Pid> {
    let mut found = BTreeSet::new();
    for event in &trace.events {
        let (one, other) = event.kind.participants();
        for pid in std::iter::once(one).chain(other) {
            let known = trace.names.get(&pid);
            let is_called = |called: &Option<String>| called.as_deref() == Some(name);
            if known.is_some_and(|known| is_called(&known.registered) || is_called(&known.label))
                || words::pid(pid) == name
                || title(trace, pid) == name
            {
                found.insert(pid);
            }
        }
    }
    found
}

/// What to call a process of a trace in one line.
fn title(trace: &Trace, pid: Pid) -> String {
    let name = trace.names.get(&pid);
    let called = name.and_then(|name| name.registered.as_deref().or(name.label.as_deref()));
    match called.map(words::one_line) {
        _ if pid == trace.caller => "self()".to_owned(),
        Some(name) if !name.is_empty() => name,
        Some(_) | None => words::pid(pid),
    }
}

/// Whether this is the signal of an end.
fn is_end(signal: &Signal) -> bool {
    match signal {
        Signal::Exit(_) | Signal::Down(_) => true,
        Signal::Info { .. } | Signal::Call { .. } | Signal::Reply { .. } | Signal::Cast { .. } => false,
    }
}
