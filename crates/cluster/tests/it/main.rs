//! Nodes that talk to each other: two or three of them in this program, over real sockets.

mod attacks;
mod conversations;
mod examples;
mod functions;
mod membership;
mod namespaces;
mod nodes;
mod processes;
mod refusals;
mod servers;
mod shared;
mod signals;
mod simulation;
