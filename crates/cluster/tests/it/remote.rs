//! What works at home works on another node: supervised children, answers by alias; and what happens when too much waits
//! for a node, or it is not there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use greenroom::message::{Down, Exit};
use greenroom::process::{Alias, TrySendError, send_async, try_send};
use greenroom::supervisor::{ChildSpec, Strategy, Supervisor};
use greenroom::{
    ExitReason, Node, NodeId, Pid, exit, link, monitor, receive, self_pid, send, send_after, spawn, trap_exit,
};
use greenroom_cluster::{Cluster, Cookie, MemoryNetwork, spawn_on};

use crate::membership::{anywhere, on_network};
use crate::nodes::pair;
use crate::refusals::connect;

async fn forever() {
    std::future::pending().await
}

/// Starts a child on the first node that is connected, linked to the supervisor.
fn elsewhere(cluster: Cluster) -> ChildSpec {
    ChildSpec::starting("elsewhere", move || {
        let cluster = cluster.clone();
        async move {
            let node = *cluster.nodes().first().ok_or(ExitReason::from("no node is connected"))?;
            let child = spawn_on(node, |(): ()| forever(), ()).await;
            link(child);
            Ok::<Pid, ExitReason>(child)
        }
    })
}

/// The end of a process.
async fn end_of(pid: Pid) -> ExitReason {
    let watch = monitor(pid);
    receive! { down: Down if down.reference == watch => down.reason }
}

#[test]
fn a_supervisor_starts_children_on_other_nodes_again_wherever_there_is_one() {
    let (cookie, network) = (Cookie::random(), MemoryNetwork::new());
    let [home, one, other] = ["home", "one", "other"].map(|name| on_network(name, &cookie, &network));
    for worker in [&one, &other] {
        connect(&home, worker.cluster.listen(anywhere()).unwrap()).unwrap();
    }
    let cluster = home.cluster.clone();
    let mut workers = vec![one, other];
    home.node.block_on(async move {
        trap_exit(true);
        let spec = elsewhere(cluster.clone());
        let supervisor = Supervisor::new(Strategy::OneForOne)
            .intensity(100, Duration::from_secs(3600))
            .child(spec)
            .start_link()
            .await
            .unwrap();
        // The next one, on one of these nodes: while a node ends, starts on it may fail.
        let child = async |before: Option<Pid>, nodes: &[NodeId]| loop {
            match supervisor.which_children().await.unwrap()[0].pid {
                Some(pid) if Some(pid) != before && nodes.contains(&pid.node()) => return pid,
                _ => greenroom::yield_now().await,
            }
        };
        let all: Vec<NodeId> = workers.iter().map(|worker| worker.node.id()).collect();
        let first = child(None, &all).await;
        exit(first, ExitReason::Kill);
        let second = child(Some(first), &all).await;
        // Its node is lost: it is started on the other one.
        let at = workers.iter().position(|worker| worker.node.id() == second.node()).unwrap();
        let lost = workers.remove(at);
        std::thread::spawn(move || lost.node.shutdown()).join().unwrap();
        let third = child(Some(second), &[workers[0].node.id()]).await;
        // A supervisor that ends takes it along, with the reason that children are stopped with.
        let watch = monitor(third);
        supervisor.stop().await;
        assert_eq!(receive! { down: Down if down.reference == watch => down.reason }, ExitReason::Shutdown);
        // Where no node is left, a start fails, and the error says so.
        workers.clear();
        while !cluster.nodes().is_empty() {
            greenroom::yield_now().await;
        }
        let error = Supervisor::new(Strategy::OneForOne).child(elsewhere(cluster)).start_link().await.unwrap_err();
        assert!(error.to_string().contains("no node is connected"), "{error}");
    });
}

#[test]
fn case_79_an_answer_by_alias_does_not_overtake_what_its_sender_has_sent_before() {
    let (near, far) = pair();
    let third = far.node.spawn(async {
        loop {
            let (to, alias) = receive::<(Pid, Alias)>().await;
            send(to, "x".repeat(8 << 20));
            send(alias, 'a');
            send(to, 1_u8);
        }
    });
    near.node.block_on(async move {
        for _ in 0..5 {
            let alias = Alias::new();
            send(third, (self_pid(), alias));
            let order = [next().await, next().await, next().await];
            assert_eq!(order, ["long", "by alias", "short"]);
        }
    });

    async fn next() -> &'static str {
        receive! {
            _text: String => "long",
            _answer: char => "by alias",
            _number: u8 => "short",
        }
    }
}

#[test]
fn whoever_tries_to_send_is_told_that_the_way_is_full_and_can_wait_for_room() {
    const COUNT: usize = 200;
    let (cookie, network) = (Cookie::random(), MemoryNetwork::new());
    let far = on_network("far", &cookie, &network);
    let address = far.cluster.listen(anywhere()).unwrap();
    let node = Node::builder().name("near").workers(1).start().unwrap();
    let cluster = Cluster::builder(&node).cookie(cookie).network(&network).queue(100_000).start().unwrap();
    let (sender, received) = std::sync::mpsc::channel();
    let sink = far.node.spawn(async move {
        for expected in 0..COUNT {
            assert_eq!(receive::<(usize, String)>().await.0, expected);
        }
        sender.send(()).unwrap();
    });
    node.block_on(async move {
        cluster.connect(address).await.unwrap();
        let text = "x".repeat(60_000);
        let mut full = 0;
        for number in 0..COUNT {
            match try_send(sink, (number, text.clone())) {
                Ok(()) => {}
                Err(TrySendError::Full { to, message }) => {
                    assert_eq!((to, message.0), (sink, number));
                    full += 1;
                    send_async(sink, message).await.unwrap();
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        assert!(full > 0, "there was always room");
    });
    received.recv().unwrap();
}

#[test]
fn those_who_are_held_back_go_on_when_the_connection_is_lost() {
    const SENDERS: usize = 6;
    let (cookie, network) = (Cookie::random(), MemoryNetwork::new());
    let far = on_network("far", &cookie, &network);
    let address = far.cluster.listen(anywhere()).unwrap();
    let node = Node::builder().name("near").workers(2).start().unwrap();
    let near = Cluster::builder(&node).cookie(cookie).network(&network).queue(20_000).start().unwrap();
    let far_id = far.node.id();
    let sink = far.node.spawn(async {
        loop {
            receive::<String>().await;
        }
    });
    let mut held_back = 0;
    for round in 0..60 {
        let cluster = near.clone();
        node.block_on(async move { cluster.connect(address).await.unwrap() });
        let sent = Arc::new(AtomicUsize::new(0));
        let (ended, ends) = std::sync::mpsc::channel();
        for _ in 0..SENDERS {
            let (sent, ended) = (sent.clone(), ended.clone());
            node.spawn(async move {
                for _ in 0..200 {
                    send(sink, "x".repeat(5_000));
                    sent.fetch_add(1, Ordering::SeqCst);
                    greenroom::yield_now().await;
                }
                ended.send(()).unwrap();
            });
        }
        while sent.load(Ordering::SeqCst) < 5 * round {
            std::thread::yield_now();
        }
        held_back += near.counters(far_id).map_or(0, |counters| counters.held_back);
        match round % 2 {
            0 => near.disconnect(far_id),
            _ => far.cluster.disconnect(node.id()),
        };
        for _ in 0..SENDERS {
            ends.recv_timeout(Duration::from_secs(30)).expect("everyone goes on");
        }
        // What they have sent since then has connected the two again.
        while !near.nodes().is_empty() {
            near.disconnect(far_id);
            std::thread::yield_now();
        }
    }
    assert!(held_back > 0, "nobody was held back");
}

#[test]
fn what_is_sent_to_a_node_that_is_gone_is_dropped_and_who_asks_is_told() {
    let (near, far) = pair();
    let (gone, far_id) = (far.node.spawn(forever()), far.node.id());
    far.node.shutdown();
    let cluster = near.cluster.clone();
    near.node.block_on(async move {
        while !cluster.nodes().is_empty() {
            greenroom::yield_now().await;
        }
        trap_exit(true);
        send(gone, 'x');
        send(("anyone", far_id), 'x');
        send_after(gone, 'x', Duration::ZERO);
        try_send(gone, 'x').unwrap();
        assert_eq!(end_of(gone).await, ExitReason::NoConnection);
        link(gone);
        assert_eq!(receive::<Exit>().await, Exit { from: gone, reason: ExitReason::NoConnection });
        // Nobody is there to end, and nothing happens here.
        exit(gone, ExitReason::Kill);
        let alive = spawn(forever());
        assert!(greenroom::is_alive(alive));
    });
}
