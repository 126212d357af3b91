//! The runtime: a node in an operating-system process of its own, which loads the libraries of cells
//! and runs them. It lives for its owner, the notebook, and not a moment longer.
//!
//! It notices the owner's end twice over: the runtime server monitors the owner's process, and a thread
//! that no cell can starve waits for the end of standard input, which the owner holds open and which
//! the operating system closes, however the owner ends.

use std::io::BufRead;
use std::time::Duration;

use greenroom::message::{Down, Exit};
use greenroom::supervisor::{ChildSpec, Shutdown, StartError, Strategy};
use greenroom::{
    ExitReason, Local, Node, Pid, Ref, Supervisor, group_leader, monitor, receive, self_pid, send, trap_exit, whereis,
};
use greenroom_cluster::{Cluster, Cookie};

use crate::evaluator;
use crate::loader::{self, LOADER};
use crate::protocol::{Began, Command, ContainerId, Evaluate, Owner, Ready, SERVER};
use crate::store::Store;
use crate::watch;

/// The name of the supervisor of all evaluators.
const EVALUATORS: &str = "evaluators";
/// So many restarts of its processes a runtime bears within [`WITHIN`]: those that people kill cost nothing.
const RESTARTS: usize = 100;
/// See [`RESTARTS`].
const WITHIN: Duration = Duration::from_secs(5);

/// How many events each worker remembers, for those who ask when something has gone wrong.
const FLIGHT: usize = 2048;

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
    if let Some(path) = &owner.last_words {
        crate::last_words::keep_in(path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    // At least two workers, so that one cell that never yields does not stop everything else.
    let workers = std::thread::available_parallelism().map_or(2, |count| count.get().max(2));
    let node = Node::builder()
        .name(&owner.name)
        .workers(workers)
        .on_panic(tell_leader)
        .flight_recorder(FLIGHT)
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
        let store = Store::default();
        if let Some(node) = Node::current() {
            crate::tracer::start(&node, owner.events, theirs);
            crate::inspect::start(&node, cluster.clone());
        }
        watch::start(store.clone(), waiter.clone());
        greenroom::spawn(keep_alive(waiter, store));
        Ok::<(), String>(())
    })?;
    Ok(node)
}

/// Keeps the supervisors of the runtime alive: with a new tree in place of one that was killed, whatever the store
/// holds is there again.
async fn keep_alive(waiter: (String, greenroom::NodeId), store: Store) {
    trap_exit(true);
    loop {
        let server = {
            let (waiter, store) = (waiter.clone(), store.clone());
            move || serve(waiter.clone(), store.clone())
        };
        let named = |name: &str| Supervisor::new(Strategy::OneForOne).name(name).intensity(RESTARTS, WITHIN);
        let tree = named("runtime")
            .child(ChildSpec::named(LOADER, loader::serve).shutdown(Shutdown::BrutalKill))
            .child(named(EVALUATORS))
            .child(ChildSpec::named(SERVER, server).shutdown(Shutdown::BrutalKill));
        match tree.start_link().await {
            Ok(supervisor) => {
                receive! {
                    exit: Exit if exit.from == supervisor.pid() => drop(exit),
                }
            }
            Err(error @ (StartError::Duplicate { .. } | StartError::Spec(_))) => {
                eprintln!("greenroom runtime: {error}");
                leave();
            }
            // The names of those that were killed are just becoming free.
            Err(_) => greenroom::sleep(Duration::from_millis(1)).await,
        }
    }
}

/// How long a runtime waits for an owner whose process was killed and is started again.
const ORPHANED: Duration = Duration::from_secs(5);

/// The runtime server: hands each flow's cells to its evaluator, and ends the program with its owner.
async fn serve(waiter: (String, greenroom::NodeId), store: Store) {
    let mut owner = meet(&waiter);
    loop {
        receive! {
            request: Evaluate => take(request, &store).await,
            command: Command => obey(command, &store),
            down: Down if down.reference == owner => owner = reunite(&waiter, down.reason).await,
        }
    }
}

/// Hands an evaluation to its flow, unless it has begun: then whoever asks again hears that once more, and whom to
/// watch.
async fn take(request: Evaluate, store: &Store) {
    if let Some(leader) = store.leader(request.id) {
        return send(request.reply_to, Began { id: request.id, leader });
    }
    match evaluator(request.container, store).await {
        Some(evaluator) => send(evaluator, request),
        // Its supervisor is just being started again; so is whoever asks.
        None => send_after_a_moment(request),
    }
}

/// Watches the owner, and tells it whom to talk to.
fn meet(waiter: &(String, greenroom::NodeId)) -> Ref {
    let owner = monitor((waiter.0.as_str(), waiter.1));
    send((waiter.0.as_str(), waiter.1), Ready { server: self_pid() });
    owner
}

/// Waits until the owner's process is there again. Without its node there is nothing to wait for.
async fn reunite(waiter: &(String, greenroom::NodeId), mut reason: ExitReason) -> Ref {
    let step = Duration::from_millis(10);
    let mut patience = ORPHANED;
    while reason != ExitReason::NoConnection && !patience.is_zero() {
        greenroom::sleep(step).await;
        patience = patience.saturating_sub(step);
        let owner = meet(waiter);
        reason = receive! {
            down: Down if down.reference == owner => down.reason,
            after step => return owner,
        };
    }
    leave()
}

fn obey(command: Command, store: &Store) {
    let Some(node) = Node::current() else { return };
    match command {
        Command::Forget(id) => store.forget(&node, id),
        Command::Keep(kept) => store.keep(&node, &kept),
    }
}

/// The evaluator of a flow, started if it is not there.
async fn evaluator(container: ContainerId, store: &Store) -> Option<Pid> {
    let name = format!("evaluator-{}", container.0);
    if let Some(evaluator) = whereis(&name) {
        return Some(evaluator);
    }
    let body = {
        let store = store.clone();
        move || evaluator::serve(store.clone())
    };
    let child = ChildSpec::named(name, body).shutdown(Shutdown::BrutalKill);
    Supervisor::find(EVALUATORS).await.ok()?.start_child(child).await.ok()
}

fn send_after_a_moment(request: Evaluate) {
    greenroom::send_after(self_pid(), request, Duration::from_millis(10));
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
