//! Group B: links.

use std::future::Future;
use std::pin::Pin;

use greenroom::message::Exit;
use greenroom::{
    ExitReason, Pid, exit, exit_self, is_alive, link, process, receive, self_pid, send, spawn, spawn_link,
    spawn_monitor, trap_exit, unlink,
};

use crate::support::{Ping, Pong, end_of, forever, gone, has, next_exit, on_node, other, round_trip};

fn links_of(pid: Pid) -> Vec<Pid> {
    process::info(pid).map(|info| info.links).unwrap_or_default()
}

/// Starts a process that links itself to `peer` and then waits to be ended.
async fn linked_to(peer: Pid) -> (Pid, greenroom::Ref) {
    let parent = self_pid();
    let started = spawn_monitor(async move {
        link(peer);
        send(parent, Pong);
        forever().await;
    });
    receive::<Pong>().await;
    started
}

#[test]
fn case_25_a_cascade_keeps_the_reason_over_three_hops() {
    on_node(async {
        let first = spawn_monitor(forever());
        let second = linked_to(first.0).await;
        let third = linked_to(second.0).await;
        let fourth = linked_to(third.0).await;
        exit(first.0, "the reason");
        for process in [first, second, third, fourth] {
            assert_eq!(end_of(process).await, other("the reason"));
        }
    });
}

#[test]
fn case_26_a_peer_survives_a_normal_end() {
    on_node(async {
        let child = spawn_link(async {});
        gone(child).await;
        assert_eq!(links_of(self_pid()), []);
    });
}

#[test]
fn case_27_a_peer_dies_of_a_shutdown() {
    on_node(async {
        let first = spawn(forever());
        let second = linked_to(first).await;
        exit(first, ExitReason::Shutdown);
        assert_eq!(end_of(second).await, ExitReason::Shutdown);
    });
}

#[test]
fn case_28_linking_three_times_is_linking_once() {
    on_node(async {
        trap_exit(true);
        let child = spawn(forever());
        for _ in 0..3 {
            link(child);
        }
        exit(child, "once");
        assert_eq!(next_exit().await, (child, other("once")));
        gone(child).await;
        assert!(!has::<Exit>().await);

        let child = spawn(forever());
        for _ in 0..3 {
            link(child);
        }
        unlink(child);
        exit(child, "unheard");
        gone(child).await;
        assert!(!has::<Exit>().await);
    });
}

#[test]
fn case_29_either_end_may_unlink() {
    on_node(async {
        let myself = self_pid();
        let child = spawn_link(async move {
            unlink(myself);
            send(myself, Pong);
            forever().await;
        });
        receive::<Pong>().await;
        assert_eq!((links_of(myself), links_of(child)), (vec![], vec![]));
        exit(child, "unheard");
        gone(child).await;
    });
}

#[test]
fn case_31_a_link_to_oneself_is_none() {
    on_node(async {
        link(self_pid());
        assert_eq!(links_of(self_pid()), []);
        unlink(self_pid());
    });
}

#[test]
fn case_32_unlinking_a_stranger_is_fine() {
    on_node(async {
        let stranger = spawn(forever());
        unlink(stranger);
        exit(stranger, ExitReason::Kill);
        unlink(stranger);
        unlink(Pid::from_parts(self_pid().node(), u32::MAX, 7));
    });
}

#[test]
fn case_33_linking_to_the_dead_is_an_exit_signal_noproc() {
    on_node(async {
        let dead = spawn(async {});
        gone(dead).await;
        let victim = spawn_monitor(async move {
            link(dead);
            forever().await;
        });
        assert_eq!(end_of(victim).await, ExitReason::NoProc);
        trap_exit(true);
        link(dead);
        assert_eq!(next_exit().await, (dead, ExitReason::NoProc));
        let nobody = Pid::from_parts(self_pid().node(), u32::MAX, 7);
        link(nobody);
        assert_eq!(next_exit().await, (nobody, ExitReason::NoProc));
        assert_eq!(links_of(self_pid()), []);
    });
}

#[test]
fn case_35_exits_that_were_trapped_stay_messages_when_trapping_ends() {
    on_node(async {
        assert!(!trap_exit(true));
        let child = spawn_link(async { exit_self("trapped") });
        gone(child).await;
        assert!(trap_exit(false));
        assert_eq!(next_exit().await, (child, other("trapped")));
    });
}

/// A command to a process in which the ends of a link act at random.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
enum Do {
    Link(Pid),
    Unlink(Pid),
}

async fn obedient() {
    loop {
        receive! {
            Ping(from): Ping => send(from, Pong),
            what: Do => match what {
                Do::Link(pid) => link(pid),
                Do::Unlink(pid) => unlink(pid),
            },
        }
    }
}

#[test]
fn case_37_both_ends_agree_at_rest_after_linking_and_unlinking_at_random() {
    on_node(async {
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..1000 {
            let (a, b) = (spawn(obedient()), spawn(obedient()));
            for _ in 0..20 {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let (by, with) = if random & 1 == 0 { (a, b) } else { (b, a) };
                send(by, if random & 2 == 0 { Do::Link(with) } else { Do::Unlink(with) });
            }
            round_trip(a).await;
            round_trip(b).await;
            assert_eq!(links_of(a).contains(&b), links_of(b).contains(&a));
            let were_linked = !links_of(a).is_empty();
            exit(a, "apart");
            assert_eq!(is_alive(b), !were_linked);
            exit(b, ExitReason::Kill);
        }
    });
}

#[test]
fn case_38_a_link_is_seen_from_both_ends() {
    on_node(async {
        let child = spawn_link(forever());
        assert_eq!((links_of(self_pid()), links_of(child)), (vec![child], vec![self_pid()]));
        unlink(child);
        assert_eq!((links_of(self_pid()), links_of(child)), (vec![], vec![]));
    });
}

/// A process that is linked to one that is linked to one, and so on; the last one says so.
fn chain(length: usize, parent: Pid) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        match length {
            0 => send(parent, Pong),
            _ => _ = spawn_link(chain(length - 1, parent)),
        }
        forever().await;
    })
}

#[test]
fn case_39_a_chain_of_100_000_links_dies_from_its_end() {
    on_node(async {
        let first = spawn_monitor(chain(100_000, self_pid()));
        receive::<Pong>().await;
        assert_eq!(process::list().len(), 100_002);
        exit(first.0, "cascade");
        assert_eq!(end_of(first).await, other("cascade"));
        assert_eq!(process::list(), [self_pid()]);
    });
}

#[test]
fn case_39_a_hub_of_100_000_dies_with_all_its_spokes() {
    on_node(async {
        let parent = self_pid();
        let hub = spawn_monitor(async move {
            for _ in 0..100_000 {
                spawn_link(forever());
            }
            send(parent, Pong);
            forever().await;
        });
        receive::<Pong>().await;
        assert_eq!(links_of(hub.0).len(), 100_000);
        exit(hub.0, "hub");
        assert_eq!(end_of(hub).await, other("hub"));
        assert_eq!(process::list(), [parent]);
    });
}

#[test]
fn case_40_an_exit_signal_reaches_a_process_with_a_full_mailbox() {
    on_node(async {
        let congested = spawn_monitor(forever());
        for n in 0..100_000_u32 {
            send(congested.0, n);
        }
        exit(congested.0, "through");
        assert_eq!(end_of(congested).await, other("through"));
    });
}

#[test]
fn a_spawned_link_never_outlives_a_parent_that_is_killed_meanwhile() {
    on_node(async {
        for _ in 0..500 {
            let parent = spawn_monitor(async {
                loop {
                    for _ in 0..20 {
                        spawn_link(forever());
                    }
                    greenroom::yield_now().await;
                }
            });
            greenroom::yield_now().await;
            exit(parent.0, ExitReason::Kill);
            end_of(parent).await;
            assert_eq!(process::list(), [self_pid()]);
        }
    });
}
