//! Draws what processes did and how they are supervised: events in, pictures out.
//!
//! A recorded [`Trace`](greenroom::trace::Trace) becomes a [`Sequence`], a
//! [`TreeNode`](greenroom::tree::TreeNode) becomes a [`Tree`]. Both are plain models, which any
//! renderer can draw; two come with them: Mermaid's text form and Unicode text for a terminal.
//!
//! This crate never talks to a node. It draws data, whoever collected it, and the same data always
//! gives the same picture.

mod mermaid;
mod words;

pub mod sequence;
pub mod tree;

pub use sequence::Sequence;
pub use tree::Tree;
