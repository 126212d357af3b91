//! Nodes that are connected to as something is sent to them, as OTP does: what waits for them meanwhile, and who is told
//! if it comes to nothing.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use greenroom::message::{Down, Exit};
use greenroom::process::try_send;
use greenroom::{
    ExitReason, Node, NodeId, Pid, exit, link, monitor, receive, register, self_pid, send, spawn, trap_exit, yield_now,
};
use greenroom_cluster::{Address, Cluster, Cookie, MemoryNetwork, Notice, erpc, spawn_on};

use crate::membership::{anywhere, on_network};
use crate::nodes::{Member, member};
use crate::refusals::connect;

/// Two nodes that know where the other one is, and are connected no more.
fn parted() -> (Member, Member) {
    let cookie = Cookie::random();
    let (near, far) = (member("near", &cookie), member("far", &cookie));
    let (at_near, at_far) = (near.cluster.listen(anywhere()).unwrap(), far.cluster.listen(anywhere()).unwrap());
    for (from, to, at) in [(&near, &far, at_far), (&far, &near, at_near)] {
        connect(from, at).unwrap();
        part(from, to);
    }
    (near, far)
}

pub fn part(from: &Member, to: &Member) {
    assert!(from.cluster.disconnect(to.node.id()));
    while !from.cluster.nodes().is_empty() || !to.cluster.nodes().is_empty() {
        std::thread::yield_now();
    }
}

/// A process that sends every number that it gets back to whom it is told first.
fn echo(member: &Member) -> Pid {
    member.node.spawn(async {
        let to = receive::<Pid>().await;
        loop {
            send(to, receive::<u64>().await);
        }
    })
}

#[test]
fn case_203_a_send_to_a_node_that_was_disconnected_connects_again_and_nothing_is_lost_or_out_of_order() {
    const COUNT: u64 = 20_000;
    let (near, far) = parted();
    let echo = echo(&far);
    near.node.block_on(async move {
        send(echo, self_pid());
        for number in 0..COUNT {
            send(echo, number);
        }
        for number in 0..COUNT {
            assert_eq!(receive::<u64>().await, number);
        }
    });
    assert_eq!(near.cluster.nodes(), [far.node.id()]);
}

#[test]
fn case_214_two_nodes_that_send_to_each_other_at_once_while_parted_lose_nothing() {
    for _ in 0..10 {
        let (near, far) = parted();
        let (to_far, to_near) = (echo(&far), echo(&near));
        std::thread::scope(|scope| {
            for (from, to) in [(&near, to_far), (&far, to_near)] {
                scope.spawn(move || {
                    from.node.block_on(async move {
                        send(to, self_pid());
                        for number in 0..1000_u64 {
                            send(to, number);
                        }
                        for number in 0..1000_u64 {
                            assert_eq!(receive::<u64>().await, number);
                        }
                    });
                });
            }
        });
        assert_eq!((near.cluster.nodes(), far.cluster.nodes()), (vec![far.node.id()], vec![near.node.id()]));
    }
}

async fn double(number: u64) -> u64 {
    2 * number
}

async fn obey(_: ()) -> ExitReason {
    receive::<ExitReason>().await
}

#[test]
fn case_206_whatever_is_asked_of_a_node_connects_to_it_first() {
    type Step = fn(NodeId, Pid) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
    let steps: [Step; 6] = [
        |_, pid| {
            Box::pin(async move {
                monitor(pid);
                exit(pid, "stop");
                assert_eq!(receive::<Down>().await.reason, "stop".into());
            })
        },
        |_, pid| {
            Box::pin(async move {
                link(pid);
                exit(pid, "stop");
                assert_eq!(receive::<Exit>().await, Exit { from: pid, reason: "stop".into() });
            })
        },
        |node, _| {
            Box::pin(async move {
                let pid = spawn_on(node, obey, ()).await;
                monitor(pid);
                send(pid, ExitReason::Shutdown);
                assert_eq!(receive::<Down>().await.reason, ExitReason::Shutdown);
            })
        },
        |node, _| Box::pin(async move { assert_eq!(erpc::call(node, double, 4, Duration::MAX).await, Ok(8)) }),
        |node, _| {
            Box::pin(async move {
                monitor(("nobody", node));
                assert_eq!(receive::<Down>().await.reason, ExitReason::NoProc);
            })
        },
        |_, pid| {
            Box::pin(async move {
                greenroom::send_after(pid, self_pid(), Duration::ZERO);
                greenroom::send_after(pid, 7_u64, Duration::from_millis(1));
                assert_eq!(receive::<u64>().await, 7);
            })
        },
    ];
    let (near, far) = parted();
    for step in steps {
        let (pid, node) = (echo(&far), far.node.id());
        near.node.block_on(async move {
            trap_exit(true);
            step(node, pid).await;
        });
        part(&near, &far);
    }
}

#[test]
fn a_node_that_others_speak_of_is_reached_where_the_peers_say() {
    let (cookie, network) = (Cookie::random(), MemoryNetwork::new());
    let (here, third) = (on_network("here", &cookie, &network), on_network("c@127.0.0.1", &cookie, &network));
    let at_third = third.cluster.listen(anywhere()).unwrap();
    let node = Node::builder().name("a").workers(2).start().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("c@{at_third}\n")).unwrap();
    let builder = Cluster::builder(&node).cookie(cookie).network(&network).peers_file(file.path());
    let with_peers = Member { cluster: builder.start().unwrap(), node };
    while with_peers.cluster.nodes().is_empty() {
        std::thread::yield_now();
    }
    part(&with_peers, &third);
    connect(&here, with_peers.cluster.listen(anywhere()).unwrap()).unwrap();
    // It gets the identifier from a node that has nothing to do with the way there.
    let (echo, a) = (echo(&third), with_peers.node.id());
    let told = with_peers.node.spawn(async move {
        register("told", self_pid()).unwrap();
        let (pid, asker) = receive::<(Pid, Pid)>().await;
        send(pid, self_pid());
        send(pid, 9_u64);
        send(asker, receive::<u64>().await);
    });
    let answer = here.node.block_on(async move {
        assert_eq!(told.node(), a);
        send(told, (echo, self_pid()));
        receive::<u64>().await
    });
    assert_eq!(answer, 9);
}

#[test]
fn case_206_where_nobody_is_any_more_everyone_is_told_noconnection() {
    let (near, far) = parted();
    let (gone, far_id) = (echo(&far), far.node.id());
    far.node.shutdown();
    near.node.block_on(async move {
        trap_exit(true);
        for _ in 0..3 {
            send(gone, 1_u64);
            monitor(gone);
            link(gone);
            exit(gone, ExitReason::Kill);
            let (down, exit) = (receive::<Down>().await, receive::<Exit>().await);
            assert_eq!((down.reason, exit.reason), (ExitReason::NoConnection, ExitReason::NoConnection));
            let pid = spawn_on(far_id, obey, ()).await;
            monitor(pid);
            assert_eq!(receive::<Down>().await.reason, ExitReason::NoConnection);
        }
    });
}

#[test]
fn case_204_a_later_life_of_a_node_that_is_reached_says_noproc_for_the_earlier_one() {
    let cookie = Cookie::random();
    let (near, earlier) = (member("near", &cookie), member("far", &cookie));
    let address = earlier.cluster.listen(anywhere()).unwrap();
    connect(&near, address).unwrap();
    let old = echo(&earlier);
    earlier.node.shutdown();
    while !near.cluster.nodes().is_empty() {
        std::thread::yield_now();
    }
    let later = member("far", &cookie);
    while later.cluster.listen(address).is_err() {
        std::thread::yield_now(); // The earlier one may still be going.
    }
    near.node.block_on(async move {
        send(old, 1_u64);
        monitor(old);
        assert_eq!(receive::<Down>().await.reason, ExitReason::NoProc);
    });
    assert_eq!(near.cluster.nodes(), [later.node.id()]);
}

/// A node with a small queue, and where its lost peer was there is somebody who never says a word.
fn beside_a_silent_one() -> (Node, Cluster, Pid, SocketAddr, TcpListener) {
    let cookie = Cookie::random();
    let far = member("far", &cookie);
    let address = far.cluster.listen(anywhere()).unwrap();
    let node = Node::builder().name("near").workers(2).start().unwrap();
    let near = Cluster::builder(&node).cookie(cookie).queue(10_000).start().unwrap();
    let cluster = near.clone();
    node.block_on(async move { cluster.connect(address).await }).unwrap();
    let gone = echo(&far);
    far.node.shutdown();
    while !near.nodes().is_empty() {
        std::thread::yield_now();
    }
    let silent = loop {
        match TcpListener::bind(address) {
            Ok(listener) => break listener,
            Err(_) => std::thread::yield_now(), // The earlier one may still be going.
        }
    };
    (node, near, gone, address, silent)
}

#[test]
fn senders_are_held_back_while_a_node_is_called_and_go_on_when_it_cannot_be_reached() {
    let (node, _cluster, gone, _, _silent) = beside_a_silent_one();
    node.block_on(async move {
        let text = || "x".repeat(1000);
        while try_send(gone, text()).is_ok() {}
        let (waiting, watch) = greenroom::spawn_monitor(async move {
            send(gone, "one more".to_owned());
            yield_now().await;
        });
        let down = receive::<Down>().await;
        assert_eq!((down.reference, down.reason), (watch, ExitReason::Normal), "{waiting} goes on");
        try_send(gone, text()).expect("the call is over, and there is room for the next");
    });
}

#[test]
fn more_than_may_wait_for_a_node_gives_the_call_up() {
    let (node, _cluster, gone, _, _silent) = beside_a_silent_one();
    node.block_on(async move {
        let watch = monitor(gone);
        // Who never awaits cannot be held back: at 64 times the mark, it is too much.
        for _ in 0..65 {
            send(gone, "x".repeat(10_000));
        }
        let down = greenroom::receive_timeout::<Down>(Duration::ZERO).await.expect("it is told at once");
        assert_eq!((down.reference, down.reason), (watch, ExitReason::NoConnection));
    });
}

#[test]
fn another_node_at_the_address_is_not_taken_for_the_one_that_was_there() {
    let cookie = Cookie::random();
    let far = member("far", &cookie);
    let address = far.cluster.listen(anywhere()).unwrap();
    let said = std::sync::Arc::<std::sync::Mutex<Vec<String>>>::default();
    let log = said.clone();
    let node = Node::builder().name("near").workers(2).start().unwrap();
    let listener = move |notice: &Notice| log.lock().unwrap().push(notice.to_string());
    let cluster = Cluster::builder(&node).cookie(cookie.clone()).on_notice(listener).start().unwrap();
    let near = Member { node, cluster };
    connect(&near, Address::from(address)).unwrap();
    let gone = echo(&far);
    far.node.shutdown();
    let other = member("other", &cookie);
    while other.cluster.listen(address).is_err() {
        std::thread::yield_now(); // The earlier one may still be going.
    }
    near.node.block_on(async move {
        for _ in 0..3 {
            spawn(async move { send(gone, 1_u64) });
            monitor(gone);
            assert_eq!(receive::<Down>().await.reason, ExitReason::NoConnection);
        }
    });
    let count = || said.lock().unwrap().iter().filter(|line| line.contains("the node there is other")).count();
    while count() == 0 {
        std::thread::yield_now();
    }
    assert_eq!(count(), 1, "said once: {:?}", said.lock().unwrap());
}
