//! Everything at once: what holds when processes start, talk, link and are killed on all workers.

use std::time::Duration;

use greenroom::message::Target;
use greenroom::{
    ExitReason, Pid, exit, link, monitor, process, receive, self_pid, send, spawn, spawn_link, spawn_monitor, unlink,
};

use crate::support::{Ping, Pong, echo, end_of, forever, gone, has, on_node};

/// A small source of chance that needs no seed from outside.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Everyone(Vec<Pid>);

/// Links, unlinks, monitors, sends and kills at random.
async fn unruly(seed: u64) {
    let Everyone(others) = receive().await;
    let mut dice = Dice(seed);
    let mut watches = Vec::new();
    for _ in 0..300 {
        let other = others[dice.roll(others.len() as u64) as usize];
        match dice.roll(20) {
            0..4 => link(other),
            4..8 => unlink(other),
            8..12 => watches.push(monitor(other)),
            12..14 => _ = watches.pop().map(greenroom::demonitor),
            14..18 => send(other, Pong),
            18 => while has::<Pong>().await {},
            _ if dice.roll(200) == 0 => exit(other, if dice.roll(2) == 0 { ExitReason::Kill } else { "rude".into() }),
            _ => greenroom::yield_now().await,
        }
    }
    forever().await;
}

/// Whether all that this process is linked to and watched by agrees.
fn is_mutual(pid: Pid) -> bool {
    let Some(info) = process::info(pid) else { return true };
    let is_linked = |peer: &Pid| process::info(*peer).is_some_and(|peer| peer.links.contains(&pid));
    let watches = |watcher: &Pid| process::info(*watcher).is_some_and(|it| it.monitors.contains(&Target::Pid(pid)));
    info.links.iter().all(is_linked) && info.monitored_by.iter().all(watches)
}

#[test]
fn an_unruly_crowd_is_consistent_at_rest() {
    on_node(async {
        for round in 0..60 {
            let crowd: Vec<Pid> = (0..40).map(|n| spawn(unruly(round * 1000 + n))).collect();
            for pid in &crowd {
                send(*pid, Everyone(crowd.clone()));
            }
            let at_rest = |pid: &Pid| process::info(*pid).is_none_or(|info| info.status == process::Status::Waiting);
            while !crowd.iter().all(at_rest) {
                greenroom::yield_now().await;
            }
            // Whoever has just died may still be telling others, on another worker.
            while !crowd.iter().all(|pid| is_mutual(*pid)) {
                greenroom::yield_now().await;
            }
            for pid in &crowd {
                exit(*pid, ExitReason::Kill);
            }
            assert_eq!(process::list(), [self_pid()]);
        }
    });
}

#[test]
fn a_hundred_thousand_processes_come_and_go_and_are_all_heard_of() {
    on_node(async {
        for _ in 0..100 {
            let watched: Vec<_> = (0..1000)
                .map(|n| {
                    spawn_monitor(async move {
                        if n % 3 == 0 {
                            greenroom::yield_now().await;
                        }
                        if n % 5 == 0 {
                            forever().await;
                        }
                    })
                })
                .collect();
            for (pid, _) in watched.iter().step_by(5) {
                exit(*pid, ExitReason::Kill);
            }
            for (n, one) in watched.into_iter().enumerate() {
                let expected = if n % 5 == 0 { ExitReason::Killed } else { ExitReason::Normal };
                assert_eq!(end_of(one).await, expected);
            }
        }
        assert_eq!(process::list(), [self_pid()]);
    });
}

#[test]
fn pairs_that_die_together_at_the_same_moment_do_so_once() {
    on_node(async {
        for _ in 0..2000 {
            let one = spawn_monitor(forever());
            let other = spawn_monitor(async move {
                link(one.0);
                forever().await;
            });
            let killer = spawn_monitor(async move { exit(one.0, "first") });
            exit(other.0, "second");
            end_of(killer).await;
            let (one, other) = (end_of(one).await, end_of(other).await);
            assert!(["first", "second"].map(ExitReason::from).contains(&one), "{one}");
            assert!(
                other == ExitReason::NoProc || ["first", "second"].map(ExitReason::from).contains(&other),
                "{other}"
            );
            assert!(!has::<greenroom::message::Down>().await);
        }
    });
}

#[test]
fn a_ring_of_processes_passes_a_message_many_times_around() {
    on_node(async {
        let myself = self_pid();
        let mut next = myself;
        for _ in 0..100 {
            let to = next;
            next = spawn_link(async move {
                loop {
                    let n = receive::<u32>().await;
                    send(to, n);
                }
            });
        }
        for n in 0..300 {
            send(next, n);
            assert_eq!(receive::<u32>().await, n);
        }
    });
}

#[test]
fn time_outs_and_answers_race_without_loss() {
    on_node(async {
        let server = spawn(echo());
        for n in 0..2000_u64 {
            send(server, Ping(self_pid()));
            let answered = receive! {
                _pong: Pong => true,
                after Duration::from_micros(n % 20) => false,
            };
            if !answered {
                receive::<Pong>().await;
            }
            assert!(!has::<Pong>().await);
        }
        exit(server, ExitReason::Kill);
        gone(server).await;
    });
}
