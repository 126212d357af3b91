//! Nodes that talk to each other: two or three of them in this program, over real sockets.

mod attacks;
mod conversations;
mod functions;
mod membership;
mod nodes;
mod refusals;
mod servers;
mod shared;
mod signals;
mod simulation;
