//! `greenroom node` and `greenroom ping`: a node that only waits for others, and asking whether one can be reached.
//!
//! Owns their words on the command line and what they print. What nodes do is for `greenroom-cluster`.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Instant;

use clap::Args;
use greenroom::{Node, receive};
use greenroom_cluster::{
    Address, Cluster, ConnectError, Cookie, CookieFileError, NodeDown, NodeKind, NodeUp, StartError,
};

/// `greenroom node`
#[derive(Debug, Args)]
pub struct NodeArguments {
    /// The name of the node
    #[arg(long, value_name = "NAME@HOST")]
    pub name: String,

    /// Where others connect to it
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4370")]
    pub listen: SocketAddr,

    /// A node to stay connected to, as [NAME@]HOST:PORT; may be given several times
    #[arg(long = "peer", value_name = "NODE")]
    pub peers: Vec<Address>,

    /// A file of such nodes, one a line
    #[arg(long, value_name = "FILE")]
    pub peers_file: Option<PathBuf>,

    /// The file with the cookie; ~/.greenroom.cookie if not given, made if it is not there
    #[arg(long, value_name = "FILE")]
    pub cookie: Option<PathBuf>,

    /// Do not be listed by other nodes
    #[arg(long)]
    pub hidden: bool,
}

/// `greenroom ping`
#[derive(Debug, Args)]
pub struct PingArguments {
    /// The node, as [NAME@]HOST:PORT
    pub node: Address,

    /// The file with the cookie; ~/.greenroom.cookie if not given
    #[arg(long, value_name = "FILE")]
    pub cookie: Option<PathBuf>,
}

/// Why a node did not start, or cannot be reached.
#[derive(Debug)]
pub enum NodeError {
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

fn cookie(file: Option<&PathBuf>) -> Result<Cookie, NodeError> {
    file.map_or_else(Cookie::of_user, |path| Cookie::of_file(path)).map_err(NodeError::Cookie)
}

/// Runs an empty node until the program is interrupted. Says who comes and goes.
///
/// # Errors
/// [`NodeError`], if it does not start.
pub fn run(arguments: &NodeArguments) -> Result<(), NodeError> {
    let cookie = cookie(arguments.cookie.as_ref())?;
    let node = Node::builder().name(&arguments.name).start().map_err(NodeError::Node)?;
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

/// Connects to a node and says how long that took.
///
/// # Errors
/// [`NodeError`] says why there is no connection.
pub fn ping(arguments: &PingArguments) -> Result<String, NodeError> {
    let cookie = cookie(arguments.cookie.as_ref())?;
    let name = format!("ping-{}@127.0.0.1", std::process::id());
    let node = Node::builder().name(name).workers(1).start().map_err(NodeError::Node)?;
    let cluster = Cluster::builder(&node).cookie(cookie).hidden().start().map_err(NodeError::Start)?;
    let (address, start) = (arguments.node.clone(), Instant::now());
    let connected = node.block_on(async move { cluster.connect(address).await });
    let took = start.elapsed();
    node.shutdown();
    let there = connected.map_err(NodeError::Connect)?;
    Ok(format!("pong: {there} let this node in, in {:.1} ms", took.as_secs_f64() * 1000.0))
}
