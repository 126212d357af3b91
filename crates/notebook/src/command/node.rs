//! `greenroom node`: a node that only waits for others, and says who comes and goes.
//!
//! Owns what `greenroom ping` shares with it, too: the cookie, and what can go wrong. What nodes do is for
//! `greenroom-cluster`.

use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc;

use greenroom::receive;
use greenroom_cluster::{Cluster, ConnectError, Cookie, CookieFileError, NodeDown, NodeKind, NodeUp, StartError};

use crate::cli::{EXIT_CELL_FAILED, EXIT_OK, Node};

pub(super) fn node(arguments: &Node) -> u8 {
    match run(arguments) {
        Ok(()) => EXIT_OK,
        Err(error) => fail(&error),
    }
}

/// Says what went wrong.
pub(super) fn fail(error: &NodeError) -> u8 {
    eprintln!("error: {error}");
    EXIT_CELL_FAILED
}

/// Why a node did not start, or cannot be reached.
#[derive(Debug)]
pub(super) enum NodeError {
    /// There is no cookie.
    Cookie(CookieFileError),
    /// The operating system has no thread for it.
    Node(std::io::Error),
    /// It cannot join others.
    Start(StartError),
    /// There is no connection.
    Connect(ConnectError),
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeError::Cookie(error) => error.fmt(f),
            NodeError::Node(error) => write!(f, "the node does not start: {error}"),
            NodeError::Start(error) => error.fmt(f),
            NodeError::Connect(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NodeError {}

/// The cookie in a file, or that of the user.
pub(super) fn cookie(file: Option<&PathBuf>) -> Result<Cookie, NodeError> {
    file.map_or_else(Cookie::of_user, |path| Cookie::of_file(path)).map_err(NodeError::Cookie)
}

/// Runs an empty node until the program is interrupted. Says who comes and goes.
fn run(arguments: &Node) -> Result<(), NodeError> {
    let cookie = cookie(arguments.cookie.as_ref())?;
    let node = greenroom::Node::builder().name(&arguments.name).start().map_err(NodeError::Node)?;
    let mut builder = Cluster::builder(&node).cookie(cookie).listen(arguments.listen);
    if arguments.hidden {
        builder = builder.hidden();
    }
    if let Some(file) = &arguments.peers_file {
        builder = builder.peers_file(file);
    }
    for peer in &arguments.peers {
        builder = builder.peer(peer.clone());
    }
    let cluster = builder.start().map_err(NodeError::Start)?;
    println!("{} listens on {}; Ctrl-C ends it", arguments.name, arguments.listen);
    let (interrupt, interrupted) = mpsc::channel();
    // It fails only when there is a handler already, which then ends the program.
    let _ = ctrlc::set_handler(move || interrupt.send(()).unwrap_or_default());
    greenroom_stage::inspect::start(&node, cluster.clone());
    node.spawn(async move {
        cluster.monitor_nodes(NodeKind::Any);
        loop {
            receive! {
                up: NodeUp => println!("up    {}", up.node),
                down: NodeDown => println!("down  {}: {}", down.node, down.reason),
            }
        }
    });
    // An error means that no interrupt can come any more.
    let _ = interrupted.recv();
    node.shutdown();
    Ok(())
}
