//! A node that several notebooks use, as its owners see it. Loading cells is for the notebook's tests: here, the owners
//! have no library to give.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use greenroom::register;
use greenroom_cluster::{Cluster, Cookie};

use super::*;
use crate::arrivals::Folders;
use crate::launch::Fit;
use crate::protocol::{EvaluationId, Finished, Lacks, Library, Outcome};

const WAITER: &str = "waiter";
const NONE: &str = "there is no such library";

/// A node with its cluster.
struct Member {
    node: Node,
    cluster: Cluster,
}

fn member(name: &str, cookie: &Cookie) -> Member {
    let node = Node::builder().name(name).workers(2).start().expect("a node");
    let builder = Cluster::builder(&node).cookie(cookie.clone()).hidden().on_notice(|_| ());
    Member { cluster: builder.start().expect("it starts"), node }
}

fn fit() -> Fit {
    Fit { rustc: "a compiler".to_owned(), ..Fit::default() }
}

/// A node that serves all, and where it is.
fn host(cookie: &Cookie, folder: &tempfile::TempDir) -> (Member, SocketAddr) {
    let host = member("host", cookie);
    let address = host.cluster.listen(([127, 0, 0, 1], 0).into()).expect("a port");
    let [cells, arrivals] = ["cells", "arrivals"].map(|name| folder.path().join(name));
    host.node.spawn(keep_alive(Store::new(Serves::All { fit: fit(), folders: Folders { cells, arrivals } })));
    (host, address)
}

/// Joins, and waits for the server.
async fn join(host: NodeId) -> Pid {
    let tag = Ref::new();
    // The server may just be starting.
    let welcome = loop {
        send((SERVER, host), Hello { from: self_pid(), tag });
        let welcome = receive! {
            welcome: Welcome if welcome.tag == tag => Some(welcome),
            after Duration::from_millis(100) => None,
        };
        if let Some(welcome) = welcome {
            break welcome;
        }
    };
    assert_eq!(welcome.fit, Some(fit()));
    send((SERVER, host), Join(Waiter { name: WAITER.to_owned(), node: self_pid().node() }));
    receive::<Ready>().await.server
}

fn request(id: u64) -> Evaluate {
    Evaluate {
        id: EvaluationId(id),
        reply_to: self_pid(),
        container: ContainerId(0),
        library: "/nowhere/libcell.so".into(),
        sha256: "0".repeat(64),
        symbol: "entry".to_owned(),
        stands_on: Vec::new(),
        values: Vec::new(),
    }
}

/// Asks for an evaluation whose library nobody has, and then for one that is `new`. True if the node had not known of
/// the first: a flow's evaluations are done in order.
async fn is_done_anew(server: Pid, id: u64, new: u64) -> bool {
    let mut done = Vec::new();
    for id in [id, new] {
        send(server, request(id));
    }
    while !done.contains(&EvaluationId(new)) {
        let lacks = receive::<Lacks>().await;
        send(lacks.from, Library { id: lacks.id, code: Err(NONE.to_owned()) });
        let finished = receive::<Finished>().await;
        assert_eq!((finished.id, finished.outcome), (lacks.id, Outcome::Load(NONE.to_owned())));
        done.push(lacks.id);
    }
    done.contains(&EvaluationId(id))
}

/// A process that owns evaluations: tells for each server that it hears of whether that does evaluation 1.
fn owner(member: &Member, begin: impl Future<Output = Pid> + Send + 'static) -> mpsc::Receiver<bool> {
    let (tell, told) = mpsc::channel();
    member.node.spawn(async move {
        while register(WAITER, self_pid()).is_err() {
            sleep(MOMENT).await;
        }
        let mut server = begin.await;
        loop {
            static LAST: AtomicU64 = AtomicU64::new(1);
            let new = LAST.fetch_add(1, Ordering::Relaxed) + 1;
            // Nobody listens any more when the test is over.
            let _ = tell.send(is_done_anew(server, 1, new).await);
            server = receive::<Ready>().await.server;
        }
    });
    told
}

/// An owner that connects and joins.
fn guest(member: &Member, address: SocketAddr) -> mpsc::Receiver<bool> {
    let cluster = member.cluster.clone();
    owner(member, async move { join(cluster.connect(address).await.expect("it lets everyone in")).await })
}

/// Waits until a name is, or is not, there.
fn wait(host: &Member, name: &str, is_there: bool) {
    while host.node.whereis(name).is_some() != is_there {
        std::thread::yield_now();
    }
}

fn kill(member: &Member, name: &str) {
    member.node.exit(member.node.whereis(name).expect("it is there"), ExitReason::Kill);
}

#[test]
fn evaluations_of_two_owners_are_told_apart_and_go_with_their_owner_alone() {
    let (cookie, folder) = (Cookie::random(), tempfile::tempdir().expect("a folder"));
    let (host, address) = host(&cookie, &folder);
    let (first, second) = (member("first", &cookie), member("second", &cookie));
    let told = [guest(&first, address), guest(&second, address)];
    // The same number is another evaluation for each.
    assert!(told.iter().all(|told| told.recv() == Ok(true)));
    // What is known outlives the server, and both hear of the next one.
    kill(&host, SERVER);
    assert!(told.iter().all(|told| told.recv() == Ok(false)));
    first.node.shutdown();
    wait(&host, "evaluator-0 of first", false);
    wait(&host, "evaluator-0 of second", true);
    kill(&host, SERVER);
    assert_eq!(told[1].recv(), Ok(false));
    let again = member("first", &cookie);
    assert_eq!(guest(&again, address).recv(), Ok(true), "nothing is left of the life before");
}

#[test]
fn an_owner_whose_process_is_killed_finds_what_it_had_until_it_leaves() {
    let (cookie, folder) = (Cookie::random(), tempfile::tempdir().expect("a folder"));
    let (host, address) = host(&cookie, &folder);
    let first = member("first", &cookie);
    assert_eq!(guest(&first, address).recv(), Ok(true));
    kill(&first, WAITER);
    // It joins no more: the node looks for it.
    let told = owner(&first, async { receive::<Ready>().await.server });
    assert_eq!(told.recv(), Ok(false));
    let (node, owner) = (host.node.id(), first.node.id());
    first.node.block_on(async move { send((SERVER, node), Command { owner, fate: Fate::Leave }) });
    wait(&host, "evaluator-0 of first", false);
}
