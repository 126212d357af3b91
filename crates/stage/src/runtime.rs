//! The runtime: a node in an operating-system process of its own, which loads the libraries of cells
//! and runs them. It lives for its owner, the notebook, and not a moment longer.
//!
//! It notices the owner's end twice over: the runtime server monitors the owner's process, and a thread
//! that no cell can starve waits for the end of standard input, which the owner holds open and which
//! the operating system closes, however the owner ends.

use std::collections::HashMap;
use std::io::BufRead;

use greenroom::message::Down;
use greenroom::supervisor::{ChildSpec, Shutdown, Strategy};
use greenroom::{Local, Node, Pid, Supervisor, group_leader, monitor, receive, register, self_pid, send, spawn_link};
use greenroom_cluster::{Cluster, Cookie};

use crate::evaluator::{self, Store};
use crate::protocol::{ContainerId, Evaluate, Owner, Ready};

/// The runtime's program: reads the [`Owner`] from standard input, joins it, and serves it.
pub fn main() {
    match start() {
        Ok(node) => {
            // The node is not stopped in an orderly way: a cell that never yields would hold that up.
            let _node = node;
            wait_for_the_end_of_input();
            leave()
        }
        Err(problem) => {
            eprintln!("greenroom runtime: {problem}");
            std::process::exit(2)
        }
    }
}

fn start() -> Result<Node, String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|error| error.to_string())?;
    let owner = Owner::from_line(&line).ok_or(
        "this program is started by `greenroom`, which tells it where to connect; it is not meant to be run by hand",
    )?;
    let cookie: Cookie = owner.cookie.parse().map_err(|error: greenroom_cluster::CookieError| error.to_string())?;
    crate::pictures::set_width(owner.columns);
    crate::limit::watch();
    // At least two workers, so that one cell that never yields does not stop everything else.
    let workers = std::thread::available_parallelism().map_or(2, |count| count.get().max(2));
    let node = Node::builder()
        .name(&owner.name)
        .workers(workers)
        .on_panic(tell_leader)
        .start()
        .map_err(|error| format!("cannot start a node: {error}"))?;
    let cluster = Cluster::builder(&node)
        .cookie(cookie)
        .hidden()
        .start()
        .map_err(|error| format!("cannot join the notebook: {error}"))?;
    node.block_on(async move {
        let theirs =
            cluster.connect(owner.address).await.map_err(|error| format!("cannot join the notebook: {error}"))?;
        let waiter = (owner.waiter, theirs);
        if let Some(node) = Node::current() {
            crate::tracer::start(&node, owner.events, theirs);
        }
        greenroom::spawn(async move {
            let name = waiter.clone();
            let server = ChildSpec::new("runtime_server", move || serve(name.clone())).shutdown(Shutdown::BrutalKill);
            let started = Supervisor::new(Strategy::OneForOne).name("runtime").child(server).start_link().await;
            if let Err(error) = started {
                eprintln!("greenroom runtime: {error}");
                leave();
            }
            match receive::<evaluator::Never>().await {}
        });
        Ok::<(), String>(())
    })?;
    Ok(node)
}

/// The runtime server: hands each flow's cells to its evaluator, and ends the program with its owner.
async fn serve(waiter: (String, greenroom::NodeId)) {
    let owner = monitor((waiter.0.as_str(), waiter.1));
    // The name is free after a restart of this process, as its predecessor is dead.
    if let Err(error) = register("runtime_server", self_pid()) {
        greenroom::exit_self(error.to_string());
    }
    send((waiter.0.as_str(), waiter.1), Ready { server: self_pid() });
    let store = Store::default();
    let mut evaluators: HashMap<ContainerId, Pid> = HashMap::new();
    loop {
        receive! {
            request: Evaluate => {
                let evaluator = *evaluators
                    .entry(request.container)
                    .or_insert_with(|| spawn_link(evaluator::serve(store.clone())));
                send(evaluator, request);
            },
            down: Down if down.reference == owner => leave(),
        }
    }
}

/// Tells the group leader of a process that panics; it knows which cell that belongs to.
fn tell_leader(panic: &greenroom::reason::Panic) {
    if let (Some(node), Some(leader)) = (Node::current(), group_leader()) {
        let panicked: evaluator::Panicked = Local((self_pid(), panic.clone()));
        node.send_untraced(leader, panicked);
    }
}

fn wait_for_the_end_of_input() {
    let mut ignored = String::new();
    // An error is an end, too.
    while std::io::stdin().lock().read_line(&mut ignored).is_ok_and(|read| read > 0) {
        ignored.clear();
    }
}

/// Ends the operating-system process at once, whatever its cells are doing.
fn leave() -> ! {
    std::process::exit(0)
}
