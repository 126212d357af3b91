//! Nodes that talk to each other: two or three of them in this program, over real sockets.

mod attacks;
mod conversations;
mod cookies;
mod examples;
mod functions;
mod membership;
mod namespaces;
mod nodes;
mod processes;
mod reaching;
mod refusals;
mod remote;
mod servers;
mod shared;
mod signals;
mod simulation;
