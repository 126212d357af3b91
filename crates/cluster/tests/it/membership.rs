//! Who is connected, who is told, and how nodes find together again.

use std::time::Duration;

use greenroom::message::{Down, Exit};
use greenroom::{ExitReason, Node, link, monitor, receive, self_pid, send, trap_exit};
use greenroom_cluster::{Cluster, Cookie, MemoryNetwork, NodeDown, NodeKind, NodeUp};

use crate::nodes::{Member, member, pair};
use crate::refusals::connect;

pub fn anywhere() -> std::net::SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// A node on a network of its own, with a short tick.
pub fn on_network(name: &str, cookie: &Cookie, network: &MemoryNetwork) -> Member {
    let node = Node::builder().name(name).workers(2).start().unwrap();
    let tick = Duration::from_millis(400);
    let cluster = Cluster::builder(&node).cookie(cookie.clone()).network(network).tick(tick).start().unwrap();
    Member { node, cluster }
}

#[test]
fn case_76_nodeup_comes_before_the_first_message_and_nodedown_after_the_last() {
    const SENDERS: u64 = 64;
    let cookie = Cookie::random();
    let (home, far) = (member("home", &cookie), member("far", &cookie));
    let address = home.cluster.listen(anywhere()).unwrap();
    let (cluster, far_id) = (home.cluster.clone(), far.node.id());
    let (ready, is_ready) = std::sync::mpsc::channel();
    home.node.spawn(async move {
        cluster.monitor_nodes(NodeKind::Visible);
        ready.send(self_pid()).unwrap();
        let mut messages = 0;
        let up = receive! { up: NodeUp => Some(up), _number: u64 => None };
        assert_eq!(up, Some(NodeUp { node: far_id }), "first of all");
        let down = loop {
            receive! { down: NodeDown => break down, _number: u64 => messages += 1 };
        };
        assert_eq!(down.node, far_id);
        assert!(messages >= SENDERS, "{messages}");
        let late = greenroom::receive_timeout::<u64>(Duration::ZERO).await;
        assert_eq!(late, None, "nothing comes after it");
        receive::<String>().await;
    });
    let to = is_ready.recv().unwrap();
    for number in 0..SENDERS {
        let cluster = far.cluster.clone();
        far.node.spawn(async move {
            while cluster.nodes().is_empty() {
                greenroom::yield_now().await;
            }
            loop {
                send(to, number);
                greenroom::yield_now().await;
            }
        });
    }
    connect(&far, address).unwrap();
    let (sender, received) = std::sync::mpsc::channel();
    home.node.spawn(async move {
        monitor(to);
        while greenroom::process::info(to).is_some_and(|info| info.message_queue_len < 200) {
            greenroom::yield_now().await;
        }
        sender.send(()).unwrap();
        assert_eq!(receive::<Down>().await.reason, ExitReason::Normal);
        sender.send(()).unwrap();
    });
    while home.cluster.counters(far_id).is_none_or(|counters| counters.operations_in < 5000) {
        std::thread::yield_now();
    }
    home.cluster.disconnect(far_id);
    while !home.cluster.nodes().is_empty() {
        std::thread::yield_now();
    }
    home.node.send(to, "done".to_owned());
    received.recv().unwrap();
    received.recv().unwrap();
}

#[test]
fn case_202_disconnecting_breaks_links_on_both_sides() {
    let (near, far) = pair();
    let near_id = near.node.id();
    let (sender, told) = std::sync::mpsc::channel();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let peer = far.node.spawn(async move {
        trap_exit(true);
        ready.send(()).unwrap();
        sender.send(receive::<Exit>().await.reason).unwrap();
    });
    is_ready.recv().unwrap();
    let (cluster, far_id) = (near.cluster.clone(), far.node.id());
    near.node.block_on(async move {
        trap_exit(true);
        link(peer);
        // The answer to this comes when the link has arrived.
        monitor(("nobody", far_id));
        receive::<Down>().await;
        assert!(cluster.disconnect(far_id));
        assert_eq!(receive::<Exit>().await.reason, ExitReason::NoConnection);
        assert!(!cluster.disconnect(far_id));
    });
    assert_eq!(told.recv().unwrap(), ExitReason::NoConnection);
    assert!(!far.cluster.nodes().contains(&near_id));
}

#[test]
fn case_203_after_a_reconnect_the_same_pid_works_and_links_do_not_come_back() {
    let cookie = Cookie::random();
    let (near, far) = (member("near", &cookie), member("far", &cookie));
    let address = far.cluster.listen(anywhere()).unwrap();
    connect(&near, address).unwrap();
    let echo = far.node.spawn(async {
        trap_exit(true); // It is told of the loss, too, if it knew of the link by then.
        loop {
            let (from, number) = receive::<(greenroom::Pid, u64)>().await;
            send(from, number);
        }
    });
    let (cluster, far_id) = (near.cluster.clone(), far.node.id());
    near.node.block_on(async move {
        trap_exit(true);
        link(echo);
        cluster.disconnect(far_id);
        assert_eq!(receive::<Exit>().await.reason, ExitReason::NoConnection);
        assert_eq!(cluster.connect(address).await.unwrap(), far_id);
        send(echo, (self_pid(), 7_u64));
        assert_eq!(receive::<u64>().await, 7);
        assert!(greenroom::process::info(self_pid()).unwrap().links.is_empty());
    });
}

#[test]
fn case_204_a_pid_of_an_earlier_life_of_a_node_is_noproc() {
    let cookie = Cookie::random();
    let (near, earlier) = (member("near", &cookie), member("far", &cookie));
    connect(&near, earlier.cluster.listen(anywhere()).unwrap()).unwrap();
    let old = earlier.node.spawn(async { receive::<()>().await });
    earlier.node.shutdown();
    while !near.cluster.nodes().is_empty() {
        std::thread::yield_now();
    }
    let reason = move || async move {
        monitor(old);
        receive::<Down>().await.reason
    };
    assert_eq!(near.node.block_on(reason()), ExitReason::NoConnection);
    let later = member("far", &cookie);
    connect(&near, later.cluster.listen(anywhere()).unwrap()).unwrap();
    assert_eq!(near.node.block_on(reason()), ExitReason::NoProc);
}

#[test]
fn case_214_two_nodes_that_connect_at_once_end_up_with_one_connection() {
    for _ in 0..10 {
        let cookie = Cookie::random();
        let network = MemoryNetwork::new();
        let (a, b) = (on_network("a", &cookie, &network), on_network("b", &cookie, &network));
        let (to_a, to_b) = (a.cluster.listen(anywhere()).unwrap(), b.cluster.listen(anywhere()).unwrap());
        std::thread::scope(|scope| {
            for (from, to) in [(&a, to_b), (&b, to_a), (&a, to_b), (&b, to_a)] {
                scope.spawn(move || connect(from, to).unwrap());
            }
        });
        assert_eq!((a.cluster.nodes(), b.cluster.nodes()), (vec![b.node.id()], vec![a.node.id()]));
        let (sender, told) = std::sync::mpsc::channel();
        let to = a.node.spawn(async move { sender.send(receive::<u64>().await).unwrap() });
        b.node.send(to, 1_u64);
        assert_eq!(told.recv().unwrap(), 1);
    }
}

#[test]
fn hidden_nodes_are_connected_and_not_listed() {
    let cookie = Cookie::random();
    let home = member("home", &cookie);
    let address = home.cluster.listen(anywhere()).unwrap();
    let node = Node::builder().name("tool").start().unwrap();
    let tool = Cluster::builder(&node).cookie(cookie).hidden().start().unwrap();
    let tool = Member { node, cluster: tool };
    connect(&tool, address).unwrap();
    for (one, other) in [(&home, &tool), (&tool, &home)] {
        assert!(one.cluster.nodes().is_empty());
        assert_eq!(one.cluster.nodes_of(NodeKind::Hidden), [other.node.id()]);
        assert_eq!(one.cluster.nodes_of(NodeKind::Any), [other.node.id()]);
    }
}

#[test]
fn case_203_a_peer_is_connected_to_again_when_it_comes_back() {
    let cookie = Cookie::random();
    let network = MemoryNetwork::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("peers");
    std::fs::write(&file, "127.0.0.1:4370 # the other\n").unwrap();
    let node = Node::builder().name("near").workers(2).start().unwrap();
    let near = Cluster::builder(&node).cookie(cookie.clone()).network(&network).peers_file(&file);
    let near = near.on_notice(|_| ()).start().unwrap();
    let wait_for = |name: Option<&str>| {
        while near.nodes().first().map(|node| node.name().name.to_string()).as_deref() != name {
            std::thread::yield_now();
        }
    };
    for name in ["first", "second"] {
        let far = on_network(name, &cookie, &network);
        far.cluster.listen("127.0.0.1:4370".parse().unwrap()).unwrap();
        wait_for(Some(name));
        far.node.shutdown();
        wait_for(None);
    }
}

#[test]
fn two_nodes_that_are_silent_stay_connected_for_many_ticks() {
    let cookie = Cookie::random();
    let network = MemoryNetwork::new();
    let (a, b) = (on_network("a", &cookie, &network), on_network("b", &cookie, &network));
    connect(&a, b.cluster.listen(anywhere()).unwrap()).unwrap();
    let before = a.cluster.counters(b.node.id()).unwrap();
    // A sign of life is ten bytes or less, four of them a tick.
    while a.cluster.counters(b.node.id()).unwrap().bytes_in < before.bytes_in + 60 {
        std::thread::yield_now();
    }
    assert_eq!(a.cluster.nodes(), [b.node.id()]);
}

#[test]
fn a_sender_is_held_back_until_a_slow_node_has_caught_up_and_nothing_is_lost() {
    const COUNT: u64 = 3000;
    let cookie = Cookie::random();
    let network = MemoryNetwork::new();
    let far = on_network("far", &cookie, &network);
    let address = far.cluster.listen(anywhere()).unwrap();
    let node = Node::builder().name("near").workers(1).start().unwrap();
    let near = Cluster::builder(&node).cookie(cookie).network(&network).queue(100_000).start().unwrap();
    let (sender, done) = std::sync::mpsc::channel();
    let sink = far.node.spawn(async move {
        for expected in 0..COUNT {
            let (number, _) = receive::<(u64, String)>().await;
            assert_eq!(number, expected);
        }
        sender.send(()).unwrap();
    });
    let (cluster, far_id) = (near.clone(), far.node.id());
    let most = node.block_on(async move {
        cluster.connect(address).await.unwrap();
        let mut most = 0;
        for number in 0..COUNT {
            send(sink, (number, "x".repeat(10_000)));
            most = most.max(cluster.counters(far_id).unwrap().queued);
            if number % 30 == 29 {
                greenroom::yield_now().await;
            }
        }
        most
    });
    done.recv().unwrap();
    assert!(most < 100_000 + 30 * 10_100, "{most} bytes waited");
    assert!(near.counters(far_id).unwrap().held_back > 10);
}

#[test]
fn case_79_a_small_message_overtakes_a_large_one_of_others_and_not_its_own() {
    let (near, far) = pair();
    let (sender, order) = std::sync::mpsc::channel();
    let large = sender.clone();
    let sink = far.node.spawn(async move {
        let bytes = receive::<String>().await;
        large.send("large").unwrap();
        assert_eq!(bytes.len(), 60 << 20);
        assert!(greenroom::receive_timeout::<u64>(Duration::from_secs(20)).await.is_some());
        large.send("own").unwrap();
    });
    let quick = far.node.spawn(async move {
        receive::<u64>().await;
        sender.send("small").unwrap();
    });
    near.node.block_on(async move {
        send(sink, "x".repeat(60 << 20));
        send(sink, 1_u64);
        send(quick, 1_u64);
    });
    assert_eq!([order.recv().unwrap(), order.recv().unwrap(), order.recv().unwrap()], ["small", "large", "own"]);
}
