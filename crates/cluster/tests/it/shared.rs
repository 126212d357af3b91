//! Cases 89, 218 and 219: what connected nodes have in common, groups of processes and global names.

use greenroom::gen_server::{CallFailure, GenServer, InitError};
use greenroom::global::{NameConflict, NameError, Names, Resolve};
use greenroom::groups::{Change, GroupEvent, Scope};
use greenroom::message::Down;
use greenroom::{ExitReason, Node, Pid, accepts, exit, monitor, receive, self_pid, send, spawn};
use greenroom_cluster::{Cluster, Cookie, MemoryNetwork};
use serde::{Deserialize, Serialize};

use crate::membership::{anywhere, on_network};
use crate::nodes::Member;
use crate::refusals::connect;

/// Nodes of these names that are all connected, and know each other's global names.
fn mesh<const N: usize>(called: [&str; N]) -> [Member; N] {
    let (cookie, network) = (Cookie::random(), MemoryNetwork::new());
    let members = called.map(|name| on_network(name, &cookie, &network));
    let addresses: Vec<_> = members.iter().map(|member| member.cluster.listen(anywhere()).unwrap()).collect();
    for (index, member) in members.iter().enumerate() {
        addresses[..index].iter().for_each(|address| _ = connect(member, *address).unwrap());
    }
    for member in &members {
        // A name that is registered from now on is known to all of them.
        let known = names(&member.cluster);
        member.node.block_on(async move { known.sync().await.unwrap() });
    }
    members
}

async fn forever() {
    std::future::pending().await
}

/// A scope of each node, served, and the process that watches the group `g` in it from the start.
fn scope(member: &Member) -> (Scope<String>, std::sync::mpsc::Receiver<Change>) {
    let scope = Scope::new("rooms");
    let (seen, events) = std::sync::mpsc::channel();
    let (watched, ready) = (scope.clone(), std::sync::mpsc::channel());
    member.node.spawn(async move {
        watched.start_link().unwrap();
        watched.monitor_group("g".into()).await.unwrap();
        ready.0.send(()).unwrap();
        loop {
            if seen.send(receive::<GroupEvent<String>>().await.change).is_err() {
                forever().await;
            }
        }
    });
    ready.1.recv().unwrap();
    (scope, events)
}

/// A new member of `g` on a node.
fn joined(member: &Member, scope: &Scope<String>) -> Pid {
    let scope = scope.clone();
    member.node.block_on(async move {
        let pid = spawn(forever());
        scope.join("g".into(), pid).await.unwrap();
        pid
    })
}

#[test]
fn case_218_groups_have_their_members_on_all_nodes_and_a_lost_node_takes_its_own_along() {
    let [a, b, c] = mesh(["a", "b", "c"]);
    let (on_a, events) = scope(&a);
    let (on_b, _b) = scope(&b);
    let of_b = joined(&b, &on_b);
    assert_eq!(events.recv().unwrap(), Change::Joined(vec![of_b]));
    // A scope that is started later finds the others, too.
    let (on_c, events_of_c) = scope(&c);
    assert_eq!(events_of_c.recv().unwrap(), Change::Joined(vec![of_b]));
    let of_c = joined(&c, &on_c);
    assert_eq!(events.recv().unwrap(), Change::Joined(vec![of_c]));
    let known = on_a.clone();
    a.node.block_on(async move {
        let mut members = known.members(&"g".into());
        members.sort_unstable();
        let mut expected = [of_b, of_c];
        expected.sort_unstable();
        assert_eq!((members.as_slice(), known.local_members(&"g".into())), (expected.as_slice(), vec![]));
        exit(of_b, ExitReason::Kill);
    });
    assert_eq!(events.recv().unwrap(), Change::Left(vec![of_b]));
    c.node.shutdown();
    assert_eq!(events.recv().unwrap(), Change::Left(vec![of_c]));
    let left = a.node.block_on(async move { on_a.members(&"g".into()) });
    assert_eq!(left, []);
}

#[test]
fn case_219_groups_heal_after_a_split() {
    let [a, b] = mesh(["a", "b"]);
    let ((on_a, events), (on_b, events_of_b)) = (scope(&a), scope(&b));
    let of_a = joined(&a, &on_a);
    assert_eq!(events_of_b.recv().unwrap(), Change::Joined(vec![of_a]));
    let of_b = joined(&b, &on_b);
    assert_eq!(events.recv().unwrap(), Change::Joined(vec![of_a]));
    assert_eq!(events.recv().unwrap(), Change::Joined(vec![of_b]));
    assert!(a.cluster.disconnect(b.node.id()));
    assert_eq!(events.recv().unwrap(), Change::Left(vec![of_b]));
    assert_eq!(events_of_b.recv().unwrap(), Change::Joined(vec![of_b]));
    assert_eq!(events_of_b.recv().unwrap(), Change::Left(vec![of_a]));
    let meanwhile = joined(&b, &on_b);
    assert_eq!(events_of_b.recv().unwrap(), Change::Joined(vec![meanwhile]));
    connect(&a, b.cluster.listen(anywhere()).unwrap()).unwrap();
    assert_eq!(events.recv().unwrap(), Change::Joined(vec![of_b, meanwhile]));
    assert_eq!(events_of_b.recv().unwrap(), Change::Joined(vec![of_a]));
}

#[derive(Debug, Serialize, Deserialize)]
struct Add(u64);

#[derive(Debug)]
struct Counter(u64);
accepts! { Counter: call add(Add) -> u64; cast added(Add); }
impl GenServer for Counter {
    type Args = u64;
    async fn init(start: u64) -> Result<Self, InitError> {
        Ok(Counter(start))
    }
}
impl Counter {
    async fn add(&mut self, Add(n): Add) -> u64 {
        self.0 += n;
        self.0
    }

    async fn added(&mut self, Add(n): Add) {
        self.0 += n;
    }
}

fn names(cluster: &Cluster) -> Names {
    cluster.names().clone()
}

#[test]
fn case_89_a_global_name_is_one_process_s_on_all_nodes() {
    let [a, b, c] = mesh(["a", "b", "c"]);
    let (on_a, on_b, on_c) = (names(&a.cluster), names(&b.cluster), names(&c.cluster));
    let counter = b.node.block_on(async move {
        let counter = Counter::start(1).await.unwrap().pid();
        on_b.register("counter", counter).await.unwrap();
        counter
    });
    a.node.block_on(async move {
        assert_eq!(on_a.whereis("counter"), Some(counter));
        assert_eq!(on_a.registered(), ["counter".into()]);
        let named = on_a.at("counter");
        send(&named, 'x').unwrap();
        Counter::at(&named).cast(Add(2));
        assert_eq!(Counter::at(&named).call(Add(3)).await, Ok(6));
        let taken = on_a.register("counter", self_pid()).await.unwrap_err();
        assert_eq!(taken, NameError::Taken { name: "counter".into(), pid: counter });
        assert_eq!(taken.to_string(), format!("the global name `counter` is {counter}'s"));
        assert_eq!(on_a.register("other", counter).await, Err(NameError::NotLocal { pid: counter }));
        let dead = spawn(async {});
        monitor(dead);
        receive::<Down>().await;
        assert_eq!(on_a.register("other", dead).await, Err(NameError::NoProcess { pid: dead }));
        // Whoever has seen the end can have the name at once, also of a process of another node.
        let watch = monitor(&named);
        exit(counter, ExitReason::Kill);
        assert_eq!(receive::<Down>().await.reference, watch);
        on_a.register("counter", self_pid()).await.unwrap();
        let nobody = on_a.at("nobody");
        assert_eq!(send(&nobody, 'x').unwrap_err().message, 'x');
        assert_eq!(Counter::at(&nobody).call(Add(3)).await.unwrap_err().why, CallFailure::NoProc);
        on_a.unregister("counter").await.unwrap();
        assert_eq!(on_a.whereis("counter"), None);
    });
    let heir = c.node.spawn(forever());
    c.node.block_on(async move { on_c.re_register("counter", heir).await.unwrap() });
    let on_a = names(&a.cluster);
    a.node.block_on(async move {
        assert_eq!(on_a.whereis("counter"), Some(heir));
        on_a.re_register("counter", self_pid()).await.unwrap();
        on_a.unregister("counter").await.unwrap();
    });
    let on_b = names(&b.cluster);
    let last = b.node.spawn(forever());
    b.node.block_on(async move { on_b.register("counter", last).await.unwrap() });
    assert_eq!(names(&a.cluster).whereis("counter"), Some(last));
    b.node.shutdown();
    while names(&a.cluster).whereis("counter").is_some() || names(&c.cluster).whereis("counter").is_some() {
        std::thread::yield_now();
    }
}

#[test]
fn case_89_after_a_sync_the_names_of_all_connected_nodes_are_known() {
    let (cookie, network) = (Cookie::random(), MemoryNetwork::new());
    for _ in 0..20 {
        let [a, b, c] = ["a", "b", "c"].map(|name| on_network(name, &cookie, &network));
        for member in [&b, &c] {
            let (names, pid) = (names(&member.cluster), member.node.spawn(forever()));
            let name = format!("of {}", member.node.id());
            member.node.block_on(async move { names.register(name, pid).await.unwrap() });
        }
        // Who looks in has no names, and whoever is lost in between is not waited for.
        let hidden = Node::builder().name("hidden").workers(1).start().unwrap();
        let builder = Cluster::builder(&hidden).cookie(cookie.clone()).network(&network).hidden();
        let hidden = Member { cluster: builder.start().unwrap(), node: hidden };
        let lost = on_network("lost", &cookie, &network);
        let addresses = [&b, &c, &hidden, &lost].map(|member| member.cluster.listen(anywhere()).unwrap());
        let (cluster, on_a) = (a.cluster.clone(), names(&a.cluster));
        let known = a.node.block_on(async move {
            on_a.sync().await.unwrap();
            for address in addresses {
                cluster.connect(address).await.unwrap();
            }
            spawn(async move { drop(std::thread::spawn(move || lost.node.shutdown())) });
            on_a.sync().await.unwrap();
            on_a.registered()
        });
        assert_eq!(known, ["of b".into(), "of c".into()]);
    }
}

#[test]
fn of_nodes_that_register_a_name_at_once_one_gets_it() {
    let members = mesh(["a", "b", "c"]);
    for round in 0..30 {
        let name = format!("name-{round}");
        let (told, outcomes) = std::sync::mpsc::channel();
        let start = std::sync::Arc::new(std::sync::Barrier::new(members.len()));
        std::thread::scope(|threads| {
            for member in &members {
                let (names, name, told, start) = (names(&member.cluster), name.clone(), told.clone(), start.clone());
                threads.spawn(move || {
                    let pid = member.node.spawn(forever());
                    start.wait();
                    let outcome = member.node.block_on(async move { names.register(name, pid).await });
                    told.send((pid, outcome)).unwrap();
                });
            }
        });
        drop(told);
        let won: Vec<Pid> = outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).map(|(pid, _)| pid).collect();
        assert_eq!(won.len(), 1, "{name}");
        for member in &members {
            assert_eq!(names(&member.cluster).whereis(&name), Some(won[0]));
        }
    }
}

#[test]
fn case_219_global_names_heal_after_a_split() {
    let [a, b] = mesh(["a", "b"]);
    assert!(a.cluster.disconnect(b.node.id()));
    while !b.cluster.nodes().is_empty() {
        std::thread::yield_now();
    }
    let (told, conflicts) = std::sync::mpsc::channel();
    let register = |member: &Member| {
        let (names, told) = (names(&member.cluster), told.clone());
        member.node.block_on(async move {
            let (one, other) = (
                spawn(forever()),
                spawn(async move {
                    told.send(receive::<NameConflict>().await).unwrap();
                    forever().await
                }),
            );
            names.register("killed", one).await.unwrap();
            names.register_with("notified", other, Resolve::Notify).await.unwrap();
            (one, other)
        })
    };
    let (on_a, on_b) = (register(&a), register(&b));
    let (ended, is_ended) = std::sync::mpsc::channel();
    b.node.spawn(async move {
        monitor(on_b.0);
        ended.send(receive::<Down>().await.reason).unwrap();
    });
    connect(&a, b.cluster.listen(anywhere()).unwrap()).unwrap();
    assert_eq!(is_ended.recv().unwrap(), ExitReason::Killed);
    assert_eq!(conflicts.recv().unwrap(), NameConflict { name: "notified".into(), other: on_a.1 });
    for member in [&a, &b] {
        let names = names(&member.cluster);
        while (names.whereis("killed"), names.whereis("notified")) != (Some(on_a.0), Some(on_a.1)) {
            std::thread::yield_now();
        }
    }
}

#[test]
fn hidden_nodes_share_nothing() {
    let cookie = Cookie::random();
    let home = crate::nodes::member("home", &cookie);
    let address = home.cluster.listen(anywhere()).unwrap();
    let node = greenroom::Node::builder().name("tool").workers(1).start().unwrap();
    let cluster = Cluster::builder(&node).cookie(cookie).hidden().start().unwrap();
    let tool = Member { node, cluster };
    connect(&tool, address).unwrap();
    for member in [&home, &tool] {
        let (names, pid) = (names(&member.cluster), member.node.spawn(forever()));
        member.node.block_on(async move { names.register("same", pid).await.unwrap() });
    }
}
