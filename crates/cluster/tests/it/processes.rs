//! Nodes in operating-system processes of their own, which are killed and frozen.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use greenroom::message::{Down, Exit};
use greenroom::{ExitReason, Node, NodeId, link, monitor, receive, register, self_pid, trap_exit};
use greenroom_cluster::{Cluster, Cookie, NodeDown, NodeKind, NodeUp};

use crate::nodes::Member;

/// What turns a run of this test program into a node: where to connect, and the cookie.
const ADDRESS: &str = "GREENROOM_TEST_ADDRESS";
const COOKIE: &str = "GREENROOM_TEST_COOKIE";

/// How short a tick the nodes of these tests have.
pub const TICK: Duration = Duration::from_millis(1000);

/// A process that runs a node, and ends with this value.
pub struct Process(Child);

impl Process {
    /// A node in another process, which stays connected with the node at `address`.
    pub fn start(command: Command, address: SocketAddr, cookie: &Cookie) -> Process {
        let mut command = command;
        command.args(["processes::a_node_for_other_tests", "--exact"]).stdin(Stdio::piped()).stdout(Stdio::null());
        Process(command.env(ADDRESS, address.to_string()).env(COOKIE, cookie.reveal()).spawn().unwrap())
    }

    pub fn signal(&self, signal: libc::c_int) {
        // SAFETY: a signal to a process that this one has started and not yet waited for.
        assert_eq!(unsafe { libc::kill(self.0.id() as libc::pid_t, signal) }, 0);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Nothing by itself; the other tests run this program a second time for it.
#[test]
fn a_node_for_other_tests() {
    let (Ok(address), Ok(cookie)) = (std::env::var(ADDRESS), std::env::var(COOKIE)) else { return };
    let node = Node::builder().name("other").workers(1).start().unwrap();
    let (address, cookie) = (address.parse::<SocketAddr>().unwrap(), cookie.parse().unwrap());
    let cluster = Cluster::builder(&node).cookie(cookie).tick(TICK).peer(address).on_notice(|_| ()).start().unwrap();
    let target = node.spawn(async {
        register("target", self_pid()).unwrap();
        std::future::pending::<()>().await
    });
    // Ends with the program that has started it.
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
    drop((cluster, target));
}

/// This program, to be run again.
pub fn myself() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

/// A node of this program with a short tick.
pub fn home(cookie: &Cookie) -> Member {
    let node = Node::builder().name("home").workers(2).start().unwrap();
    let cluster = Cluster::builder(&node).cookie(cookie.clone()).tick(TICK).on_notice(|_| ()).start().unwrap();
    Member { node, cluster }
}

/// Waits for the other node, and for its process of the name `target`.
pub async fn other(cluster: &Cluster) -> NodeId {
    cluster.monitor_nodes(NodeKind::Any);
    let node = match cluster.nodes().first() {
        Some(node) => *node,
        None => receive::<NodeUp>().await.node,
    };
    while !has_target(node).await {}
    node
}

async fn has_target(node: NodeId) -> bool {
    let watch = monitor(("target", node));
    // Whoever is there ends it by an exit signal of its own, never by this one: an answer to the second is none to the first.
    let fence = monitor(("nobody", node));
    let first = receive::<Down>().await.reference;
    if first == fence {
        greenroom::demonitor(watch);
        return true;
    }
    receive! { down: Down if down.reference == fence => () };
    false
}

#[test]
fn case_200_a_killed_node_is_down_for_monitors_links_and_those_who_watch_nodes() {
    let cookie = Cookie::random();
    let home = home(&cookie);
    let address = home.cluster.listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let process = Process::start(myself(), address, &cookie);
    let cluster = home.cluster.clone();
    home.node.block_on(async move {
        trap_exit(true);
        let node = other(&cluster).await;
        let target = greenroom_cluster::spawn_on(node, |(): ()| async { std::future::pending::<()>().await }, ()).await;
        let watch = monitor(target);
        let named = monitor(("target", node));
        link(target);
        let fence = monitor(("nobody", node));
        receive! { down: Down if down.reference == fence => () };
        process.signal(libc::SIGKILL);
        let start = Instant::now();
        for _ in 0..2 {
            let down = receive::<Down>().await;
            assert!(down.reference == watch || down.reference == named);
            assert_eq!(down.reason, ExitReason::NoConnection);
        }
        assert_eq!(receive::<Exit>().await, Exit { from: target, reason: ExitReason::NoConnection });
        eprintln!("a killed node was noticed after {:?}", start.elapsed());
        assert_eq!(receive::<NodeDown>().await.node, node);
        assert!(cluster.nodes().is_empty());
    });
}

#[test]
fn case_201_a_frozen_node_is_noticed_and_comes_back() {
    let cookie = Cookie::random();
    let home = home(&cookie);
    let address = home.cluster.listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let process = Process::start(myself(), address, &cookie);
    let cluster = home.cluster.clone();
    home.node.block_on(async move {
        let node = other(&cluster).await;
        let watch = monitor(("target", node));
        let fence = monitor(("nobody", node));
        assert_eq!(receive::<Down>().await.reference, fence);
        process.signal(libc::SIGSTOP);
        let start = Instant::now();
        let down = receive::<Down>().await;
        assert_eq!((down.reference, down.reason), (watch, ExitReason::NoConnection));
        let after = start.elapsed();
        eprintln!("a frozen node was noticed after {after:?}, with a tick of {TICK:?}");
        // It may have spoken just before it was frozen, and not long before.
        assert!(after >= TICK / 2, "{after:?}");
        assert!(receive::<NodeDown>().await.reason.contains("nothing was heard of it"));
        process.signal(libc::SIGCONT);
        assert_eq!(receive::<NodeUp>().await.node, node, "the same life of it");
        monitor(("target", node));
        let fence = monitor(("nobody", node));
        assert_eq!(receive::<Down>().await.reference, fence);
    });
}
