//! The runtime: a node in an operating-system process of its own, which loads the libraries of cells and runs them.
//! Either it belongs to one notebook, lives for that and not a moment longer; or notebooks attach to it and leave it.
//!
//! The one that belongs to a notebook notices its owner's end twice over: the runtime server monitors the owner's
//! process, and a thread that no cell can starve waits for the end of standard input, which the owner holds open and
//! which the operating system closes, however the owner ends.

mod server;

use std::fs;
use std::io::BufRead;
use std::sync::mpsc;
use std::time::Duration;

use greenroom::{Local, Node, group_leader, receive, self_pid};
use greenroom_cluster::{Address, Cluster, Cookie, NodeDown, NodeKind, NodeUp, Notice};

use crate::arrivals::Folders;
use crate::evaluator;
use crate::launch::{Host, Owner, REFUSED};
use crate::protocol::Waiter;
use crate::store::{Serves, Store};
use crate::watch;

/// How many events each worker remembers, for those who ask when something has gone wrong.
const FLIGHT: usize = 2048;
/// How long a node may take to take its leave of others: a cell that never yields would hold that up.
const GOODBYE: Duration = Duration::from_secs(1);

/// The runtime's program: reads from standard input what it is to be, and is that until the input ends.
pub fn main() {
    if let Err(problem) = run() {
        eprintln!("greenroom runtime: {problem}");
        std::process::exit(REFUSED)
    }
}

fn run() -> Result<(), String> {
    let first = line().unwrap_or_default();
    if let Some(owner) = Owner::from_line(&first) {
        // The node is not stopped in an orderly way: a cell that never yields would hold that up.
        let _node = belong(owner)?;
        wait_for_the_end_of_input();
        leave()
    }
    let host = Host::from_lines(&first, line).ok_or(
        "this program is started by `greenroom`, which tells it what to be; it is not meant to be run by hand",
    )?;
    let arrivals = host.arrivals.clone();
    let node = host_all(host).unwrap_or_else(|problem| {
        eprintln!("error: {problem}");
        std::process::exit(REFUSED)
    });
    wait_for_the_end_of_input();
    std::thread::spawn(|| {
        std::thread::sleep(GOODBYE);
        leave()
    });
    node.shutdown();
    // Whoever has started this removes it, too, unless it was killed.
    let _ = fs::remove_dir_all(arrivals);
    leave()
}

/// A runtime that belongs to a notebook.
fn belong(owner: Owner) -> Result<Node, String> {
    crate::pictures::set_width(owner.columns);
    crate::limit::watch();
    if let Some(path) = &owner.last_words {
        crate::last_words::keep_in(path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    let node = node(&owner.name)?;
    let builder = Cluster::builder(&node).cookie(cookie(&owner.cookie)?).hidden();
    let cluster = builder.start().map_err(|error| format!("cannot join the notebook: {error}"))?;
    node.block_on(async move {
        let theirs =
            cluster.connect(owner.address).await.map_err(|error| format!("cannot join the notebook: {error}"))?;
        let store = Store::new(Serves::One);
        store.join(Waiter { name: owner.waiter, node: theirs });
        if let Some(node) = Node::current() {
            crate::tracer::start(&node, owner.events, theirs);
        }
        begin(cluster, store);
        Ok::<(), String>(())
    })?;
    Ok(node)
}

/// A node that notebooks attach to. It says who comes and goes.
fn host_all(host: Host) -> Result<Node, String> {
    // Of what it runs out is for all who use it to share: without a word it has no limit.
    if crate::limit::is_said() {
        crate::limit::watch();
    }
    let Host { name, listen, peers, peers_file, hidden, fit, cells, arrivals, .. } = host;
    let node = node(&name)?;
    // Who is lost is said with all who go.
    let tell = |notice: &Notice| match notice {
        Notice::Lost(..) => {}
        Notice::Refused(..) | Notice::Unreachable(_) | Notice::Suppressed(_) => eprintln!("greenroom: {notice}"),
    };
    let mut builder = Cluster::builder(&node).cookie(cookie(&host.cookie)?).on_notice(tell);
    if hidden {
        builder = builder.hidden();
    }
    if let Some(file) = peers_file {
        builder = builder.peers_file(file);
    }
    for peer in &peers {
        builder = builder.peer(peer.parse::<Address>().map_err(|error| error.to_string())?);
    }
    let cluster = builder.start().map_err(|error| error.to_string())?;
    let store = Store::new(Serves::All { fit, folders: Folders { cells, arrivals } });
    let (ready, begun) = mpsc::sync_channel(1);
    let own = cluster.clone();
    node.spawn(async move {
        own.monitor_nodes(NodeKind::Any);
        begin(own, store);
        // Whoever starts it waits for this.
        let _ = ready.send(());
        loop {
            receive! {
                up: NodeUp => println!("up    {}", up.node),
                down: NodeDown => println!("down  {}: {}", down.node, down.reason),
            }
        }
    });
    // An error means that the node is stopping.
    let _ = begun.recv();
    let address = cluster.listen(listen).map_err(|error| error.to_string())?;
    println!("{name} listens on {address}; Ctrl-C ends it");
    Ok(node)
}

fn node(name: &str) -> Result<Node, String> {
    // At least two workers, so that one cell that never yields does not stop everything else.
    let workers = std::thread::available_parallelism().map_or(2, |count| count.get().max(2));
    let builder = Node::builder().name(name).workers(workers).on_panic(tell_leader).flight_recorder(FLIGHT);
    builder.start().map_err(|error| format!("cannot start a node: {error}"))
}

fn cookie(text: &str) -> Result<Cookie, String> {
    text.parse().map_err(|error: greenroom_cluster::CookieError| error.to_string())
}

/// Begins to serve. Called by a process.
fn begin(cluster: Cluster, store: Store) {
    if let Some(node) = Node::current() {
        crate::inspect::start(&node, cluster);
    }
    watch::start(store.clone());
    greenroom::spawn(server::keep_alive(store));
}

/// Tells the group leader of a process that panics; it knows which cell that belongs to.
fn tell_leader(panic: &greenroom::reason::Panic) {
    if let (Some(node), Some(leader)) = (Node::current(), group_leader()) {
        let panicked: evaluator::Panicked = Local((self_pid(), panic.clone()));
        node.send_untraced(leader, panicked);
    }
}

/// The next line of standard input; none at its end. An error is an end, too.
fn line() -> Option<String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.is_ok_and(|read| read > 0).then_some(line)
}

fn wait_for_the_end_of_input() {
    while line().is_some() {}
}

/// Ends the operating-system process at once, whatever its cells are doing.
fn leave() -> ! {
    std::process::exit(0)
}
