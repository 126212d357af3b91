//! Nodes that talk to each other: two or three of them in this program, over real sockets.

mod conversations;
mod nodes;
mod refusals;
mod signals;
