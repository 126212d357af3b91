//! Links, monitors and exit signals across nodes, and what happens when a node is lost.

use greenroom::message::{Down, Exit, Target};
use greenroom::{ExitReason, exit, link, monitor, receive, send, spawn_monitor, trap_exit, unlink};

use crate::nodes::pair;

#[test]
fn case_199_a_remote_exit_reason_comes_through_a_monitor() {
    let (near, far) = pair();
    let victim = far.node.spawn(async { Err::<(), _>(receive::<String>().await) });
    near.node.block_on(async move {
        let reference = monitor(victim);
        send(victim, "out of tea".to_owned());
        let down = receive::<Down>().await;
        assert_eq!(down.reference, reference);
        assert_eq!(down.target, Target::Pid(victim));
        assert_eq!(down.reason, ExitReason::Error("out of tea".into()));
    });
}

#[test]
fn case_199_a_remote_kill_is_seen_as_killed() {
    let (near, far) = pair();
    let victim = far.node.spawn(async { receive::<()>().await });
    near.node.block_on(async move {
        monitor(victim);
        exit(victim, ExitReason::Kill);
        assert_eq!(receive::<Down>().await.reason, ExitReason::Killed);
    });
}

#[test]
fn case_43_a_monitor_on_a_dead_remote_process_says_noproc() {
    let (near, far) = pair();
    let dead = far.node.spawn(async {});
    let far_id = far.node.id();
    near.node.block_on(async move {
        monitor(dead);
        let reason = receive::<Down>().await.reason;
        assert!(matches!(reason, ExitReason::NoProc | ExitReason::Normal), "{reason}");
        monitor(("nobody", far_id));
        let down = receive::<Down>().await;
        assert_eq!(down.target, Target::Name("nobody".to_owned(), far_id));
        assert_eq!(down.reason, ExitReason::NoProc);
    });
}

#[test]
fn a_link_across_nodes_carries_the_reason_in_both_directions() {
    let (near, far) = pair();
    let peer = far.node.spawn(async { greenroom::exit_self(receive::<String>().await) });
    near.node.block_on(async move {
        trap_exit(true);
        link(peer);
        send(peer, "enough".to_owned());
        assert_eq!(receive::<Exit>().await, Exit { from: peer, reason: "enough".into() });
    });
    let peer = far.node.spawn(async { receive::<()>().await });
    near.node.block_on(async move {
        let watch = monitor(peer);
        let (_, child) = spawn_monitor(async move {
            link(peer);
            greenroom::exit_self("gone")
        });
        for _ in 0..2 {
            let down = receive::<Down>().await;
            assert!(down.reference == watch || down.reference == child);
            assert_eq!(down.reason, "gone".into());
        }
    });
}

#[test]
fn nothing_comes_through_a_link_that_was_removed() {
    let (near, far) = pair();
    let peer = far.node.spawn(async { receive::<()>().await });
    near.node.block_on(async move {
        trap_exit(true);
        link(peer);
        unlink(peer);
        let watch = monitor(peer);
        exit(peer, "bye");
        let first = receive! {
            exit: Exit => Err(exit),
            down: Down if down.reference == watch => Ok(down.reason),
        };
        assert_eq!(first, Ok("bye".into()));
    });
}

#[test]
fn case_217_signals_arrive_across_a_busy_connection() {
    const ROUNDS: usize = 20;
    let (near, far) = pair();
    let sink = far.node.spawn(async {
        loop {
            receive::<String>().await;
        }
    });
    let is_over = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    // Both short and long messages, as many as the connection takes, for as long as the test lasts.
    for size in [100, 1 << 20] {
        let is_over = is_over.clone();
        near.node.spawn(async move {
            let bytes = "x".repeat(size);
            while !is_over.load(std::sync::atomic::Ordering::SeqCst) {
                send(sink, bytes.clone());
                greenroom::yield_now().await;
            }
        });
    }
    let moved = || near.cluster.counters(far.node.id()).unwrap();
    while moved().fragments_out == 0 || moved().operations_out < 100 {
        std::thread::yield_now();
    }
    let peer = || far.node.spawn(async { receive::<()>().await });
    for _ in 0..ROUNDS {
        let (killed, left, spared) = (peer(), peer(), peer());
        near.node.block_on(async move {
            trap_exit(true);
            link(killed);
            let (of_killed, of_left) = (monitor(killed), monitor(left));
            exit(killed, "enough");
            assert!(greenroom::demonitor(of_left));
            exit(left, "unheard");
            greenroom::spawn(async move {
                link(spared);
                unlink(spared);
                greenroom::exit_self("not linked any more")
            });
            let (exit, down) = (receive::<Exit>().await, receive::<Down>().await);
            assert_eq!(exit, Exit { from: killed, reason: "enough".into() });
            assert_eq!((down.reference, down.reason), (of_killed, "enough".into()));
            let fence = monitor(left);
            let down = receive::<Down>().await;
            assert_eq!((down.reference, down.reason), (fence, ExitReason::NoProc), "nothing came of the other one");
        });
        assert!(far.node.is_alive(spared), "its link was removed");
    }
    is_over.store(true, std::sync::atomic::Ordering::SeqCst);
}

#[test]
fn case_200_a_lost_node_is_noconnection_for_everyone() {
    let (near, far) = pair();
    let (linked, watched) =
        (far.node.spawn(async { receive::<()>().await }), far.node.spawn(async { receive::<()>().await }));
    let far_node = far.node;
    let cluster = near.cluster.clone();
    near.node.block_on(async move {
        trap_exit(true);
        link(linked);
        let reference = monitor(watched);
        // The answer to this comes after everything before it has arrived.
        let fence = monitor(("nobody", watched.node()));
        assert_eq!(receive::<Down>().await.reference, fence);
        greenroom::spawn(async move { drop_on_a_thread(far_node) });
        let exit = receive::<Exit>().await;
        assert_eq!(exit.from, linked);
        let down = receive! { down: Down if down.reference == reference => down };
        let gone = [ExitReason::NoConnection, ExitReason::Killed];
        assert!(gone.contains(&exit.reason) && gone.contains(&down.reason), "{exit:?} {down:?}");
        while !cluster.nodes().is_empty() {
            greenroom::yield_now().await;
        }
        // From now on it is not even tried.
        monitor(watched);
        assert_eq!(receive::<Down>().await.reason, ExitReason::NoConnection);
        link(watched);
        assert_eq!(receive::<Exit>().await.reason, ExitReason::NoConnection);
    });
}

/// Stopping a node waits for its threads, which a worker of another node should not do.
fn drop_on_a_thread(node: greenroom::Node) {
    std::thread::spawn(move || node.shutdown());
}
