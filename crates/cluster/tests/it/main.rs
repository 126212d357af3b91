//! Nodes that talk to each other: two or three of them in this program, over real sockets.

mod attacks;
mod functions;
mod membership;
mod nodes;
mod refusals;
mod simulation;
mod signals;
