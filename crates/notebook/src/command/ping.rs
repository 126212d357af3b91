//! `greenroom ping`: asks whether a node can be reached, and if not, why.

use std::io::{self, Write};
use std::time::Instant;

use greenroom_cluster::Cluster;

use super::node::{NodeError, cookie, fail};
use crate::cli::{EXIT_OK, Ping};

pub(super) fn ping(arguments: &Ping) -> u8 {
    match reach(arguments) {
        Ok(said) => {
            // A closed pipe has heard enough.
            let _ = writeln!(io::stdout(), "{said}");
            EXIT_OK
        }
        Err(error) => fail(&error),
    }
}

/// Connects to a node and says how long that took.
fn reach(arguments: &Ping) -> Result<String, NodeError> {
    let cookie = cookie(arguments.cookie.as_ref())?;
    let name = format!("ping-{}@127.0.0.1", std::process::id());
    let node = greenroom::Node::builder().name(name).workers(1).start().map_err(NodeError::Node)?;
    let cluster = Cluster::builder(&node).cookie(cookie).hidden().start().map_err(NodeError::Start)?;
    let (address, start) = (arguments.node.clone(), Instant::now());
    let connected = node.block_on(async move { cluster.connect(address).await });
    let took = start.elapsed();
    node.shutdown();
    let there = connected.map_err(NodeError::Connect)?;
    Ok(format!("pong: {there} let this node in, in {:.1} ms", took.as_secs_f64() * 1000.0))
}
