//! Group A: how processes end, and what others see of it.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use greenroom::message::Exit;
use greenroom::{
    ExitReason, Pid, exit, exit_self, group_leader, is_alive, link, process, receive, self_pid, send, spawn,
    spawn_link, spawn_monitor, trap_exit, whereis,
};

use crate::support::{
    Ping, Pong, echo, end_of, end_of_new, forever, gone, has, next_exit, on_node, on_quiet_node, other, round_trip,
};

#[test]
fn case_1_a_body_that_returns_ends_normally() {
    on_node(async { assert_eq!(end_of_new(async {}).await, ExitReason::Normal) });
}

#[test]
fn case_2_exit_self_ends_with_its_reason() {
    on_node(async {
        assert_eq!(end_of_new(async { exit_self("enough") }).await, other("enough"));
        assert_eq!(end_of_new(async { ExitReason::Shutdown }).await, ExitReason::Shutdown);
    });
}

#[test]
fn case_3_a_panic_is_a_reason_with_message_and_place() {
    on_quiet_node(async {
        let reason = end_of_new(async { panic!("lost {}", "it") }).await;
        let ExitReason::Panic(panic) = reason else { panic!("{reason}") };
        assert_eq!(panic.message, "lost it");
        assert!(panic.location.as_ref().unwrap().file.ends_with("exits.rs"));
    });
}

#[test]
fn case_3_a_panic_that_was_caught_before_is_not_mistaken_for_the_last_one() {
    on_quiet_node(async {
        let reason = end_of_new(async {
            let _ = catch_unwind(|| panic!("caught"));
            std::panic::resume_unwind(Box::new("fatal"));
        })
        .await;
        let ExitReason::Panic(panic) = reason else { panic!("{reason}") };
        assert_eq!((panic.message.as_str(), &panic.location), ("fatal", &None));
    });
}

#[test]
fn case_4_an_error_is_a_reason_in_words() {
    on_node(async {
        let reason = end_of_new(async { "x".parse::<u8>().map(|_| ()) }).await;
        assert_eq!(reason, ExitReason::Error("invalid digit found in string".into()));
    });
}

#[test]
fn case_5_the_signal_normal_has_no_effect_on_others() {
    on_node(async {
        let server = spawn(echo());
        exit(server, ExitReason::Normal);
        round_trip(server).await;
        assert!(is_alive(server));
    });
}

#[test]
fn case_6_the_signal_normal_to_oneself_ends() {
    on_node(async {
        let reason = end_of_new(async {
            exit(self_pid(), ExitReason::Normal);
            forever().await;
        });
        assert_eq!(reason.await, ExitReason::Normal);
    });
}

#[test]
fn case_7_a_trapping_process_gets_the_signal_normal_as_a_message() {
    on_node(async {
        let parent = self_pid();
        let trapping = spawn_monitor(async move {
            trap_exit(true);
            send(parent, Pong);
            assert_eq!(next_exit().await, (parent, ExitReason::Normal));
            exit_self("seen")
        });
        receive::<Pong>().await;
        exit(trapping.0, ExitReason::Normal);
        assert_eq!(end_of(trapping).await, other("seen"));
    });
}

#[test]
fn case_8_kill_cannot_be_trapped_and_peers_see_killed() {
    on_node(async {
        trap_exit(true);
        let parent = self_pid();
        let victim = spawn_link(async move {
            trap_exit(true);
            send(parent, Pong);
            forever().await;
        });
        receive::<Pong>().await;
        exit(victim, ExitReason::Kill);
        assert_eq!(next_exit().await, (victim, ExitReason::Killed));
    });
}

#[test]
fn case_9_a_process_that_ends_itself_with_kill_is_seen_to_and_that_can_be_trapped() {
    on_node(async {
        trap_exit(true);
        let one = spawn_link(async { exit_self(ExitReason::Kill) });
        assert_eq!(next_exit().await, (one, ExitReason::Kill));
        let other = spawn_link(async { ExitReason::Kill });
        assert_eq!(next_exit().await, (other, ExitReason::Kill));
    });
}

#[test]
fn case_12_the_killed_are_dead_when_exit_returns_1000_of_1000() {
    on_node(async {
        for round in 0..1000 {
            let victim = if round % 2 == 0 { spawn(forever()) } else { spawn(busy()) };
            exit(victim, ExitReason::Kill);
            assert!(!is_alive(victim) && process::info(victim).is_none());
        }
    });
}

async fn busy() {
    loop {
        greenroom::yield_now().await;
    }
}

#[test]
fn case_13_exit_self_cannot_be_survived_by_catching_it() {
    let (sender, receiver) = mpsc::channel();
    on_node(async move {
        let child = spawn_monitor(async move {
            send(self_pid(), Pong);
            send(self_pid(), Pong);
            receive::<Pong>().await; // The second one waits in the private queue now.
            let _ = catch_unwind(|| exit_self("over"));
            let _ = sender.send("unwinding was stopped");
            receive::<Pong>().await;
            let _ = sender.send("and the body went on");
        });
        assert_eq!(end_of(child).await, other("over"));
        gone(child.0).await;
    });
    assert_eq!(receiver.iter().collect::<Vec<_>>(), ["unwinding was stopped"]);
}

#[test]
fn case_13_a_dead_process_that_burns_on_is_heard_of_no_more() {
    on_node(async {
        let parent = self_pid();
        let witness = spawn(echo());
        let dead = spawn_monitor(async move {
            exit(self_pid(), "dead");
            send(parent, Ping(self_pid()));
            exit(witness, "from beyond");
            link(witness);
            greenroom::monitor(witness);
            let orphan = spawn(async move { send(parent, Pong) });
            assert!(!is_alive(orphan));
            greenroom::send_after(parent, 1_u8, Duration::ZERO).cancel();
            let _ = greenroom::register("ghost", self_pid());
            std::future::pending::<()>().await;
        });
        assert_eq!(end_of(dead).await, other("dead"));
        round_trip(witness).await;
        let info = process::info(witness).unwrap();
        assert_eq!((info.links, info.monitored_by), (vec![], vec![]));
        assert_eq!(whereis("ghost"), None);
        assert!(!has::<Ping>().await && !has::<Pong>().await);
    });
}

/// Says on a channel when it is dropped.
struct Tell(mpsc::Sender<&'static str>, &'static str);

impl Drop for Tell {
    fn drop(&mut self) {
        let _ = self.0.send(self.1);
    }
}

#[test]
fn case_14_destructors_run_on_an_exit_signal_but_no_code_after_the_await() {
    let (sender, receiver) = mpsc::channel();
    on_node(async move {
        let parent = self_pid();
        let victim = spawn(async move {
            let _tell = Tell(sender.clone(), "destructor");
            send(parent, Pong);
            forever().await;
            let _ = sender.send("clean-up");
        });
        receive::<Pong>().await;
        exit(victim, "stop");
    });
    assert_eq!(receiver.iter().collect::<Vec<_>>(), ["destructor"]);
}

#[test]
fn case_16_a_process_that_never_yields_is_dead_to_others_at_once_and_burns_on() {
    let burning = Arc::new(AtomicUsize::new(0));
    let seen = burning.clone();
    on_node(async move {
        let parent = self_pid();
        let runaway = spawn_monitor(async move {
            send(parent, Pong);
            while seen.load(Ordering::Relaxed) == 0 {
                std::hint::spin_loop();
            }
            send(parent, Pong);
        });
        receive::<Pong>().await;
        exit(runaway.0, ExitReason::Kill);
        assert_eq!(end_of(runaway).await, ExitReason::Killed);
        burning.store(1, Ordering::Relaxed);
        assert!(!has::<Pong>().await);
    });
}

#[test]
fn case_18_a_reason_of_128_kib_arrives_intact() {
    on_node(async {
        let text = "reason".repeat(22_000);
        let expected = text.clone();
        assert_eq!(end_of_new(async move { exit_self(text) }).await, ExitReason::Other(expected.into()));
    });
}

#[test]
fn case_19_an_identifier_is_never_that_of_a_later_process() {
    on_node(async {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..20_000 {
            let (pid, watch) = spawn_monitor(async {});
            assert!(seen.insert(pid));
            end_of((pid, watch)).await;
        }
        assert!(seen.iter().all(|pid| !is_alive(*pid)));
        for pid in seen {
            send(pid, Pong);
            exit(pid, ExitReason::Kill);
        }
    });
}

#[test]
fn case_20_the_group_leader_and_the_parent_are_inherited() {
    on_node(async {
        let leader = spawn(forever());
        let parent = self_pid();
        let child = process::spawn_led(leader, async move {
            let grandchild = spawn(async move {
                send(parent, Origins(group_leader(), process::info(self_pid()).unwrap().parent, self_pid()));
            });
            send(parent, grandchild);
            forever().await;
        });
        let grandchild = receive::<Pid>().await;
        let Origins(leader_seen, parent_seen, myself) = receive().await;
        assert_eq!((leader_seen, parent_seen, myself), (Some(leader), Some(child), grandchild));
    });
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Origins(Option<Pid>, Option<Pid>, Pid);

#[test]
fn case_22_an_exit_that_races_a_time_out_has_exactly_one_outcome_1000_of_1000() {
    on_node(async {
        let parent = self_pid();
        for round in 0..1000_u64 {
            let child = spawn_monitor(async move {
                trap_exit(true);
                send(parent, Pong);
                let first = receive! {
                    exit: Exit => Some(exit),
                    after Duration::from_micros(round % 40) => None,
                };
                let timed_out = first.is_none();
                let exit = match first {
                    Some(exit) => exit,
                    None => receive::<Exit>().await,
                };
                assert_eq!((exit.from, exit.reason), (parent, other("race")));
                assert!(!has::<Exit>().await);
                exit_self(if timed_out { "late" } else { "early" })
            });
            receive::<Pong>().await;
            exit(child.0, "race");
            let reason = end_of(child).await;
            assert!(reason == other("late") || reason == other("early"), "{reason}");
        }
    });
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            std::panic::panic_any(PanicsWhenDropped);
        }
    }
}

#[test]
fn case_23_a_panic_in_a_destructor_during_a_kill_harms_nobody() {
    on_quiet_node(async {
        let parent = self_pid();
        for _ in 0..100 {
            let victim = spawn_monitor(async move {
                let _bomb = PanicsWhenDropped;
                send(parent, Pong);
                forever().await;
            });
            receive::<Pong>().await;
            for _ in 0..3 {
                send(victim.0, greenroom::Local(PanicsWhenDropped));
            }
            exit(victim.0, ExitReason::Kill);
            assert_eq!(end_of(victim).await, ExitReason::Killed);
            // Undeliverable, so it is dropped here and now: not the sender's fault either.
            send(victim.0, greenroom::Local(PanicsWhenDropped));
        }
        assert_eq!(end_of_new(async {}).await, ExitReason::Normal);
    });
}

#[test]
fn case_23_a_panicking_destructor_does_not_keep_the_messages_behind_it() {
    let (sender, receiver) = mpsc::channel();
    on_quiet_node(async move {
        let victim = spawn(forever());
        send(victim, greenroom::Local(Tell(sender.clone(), "first")));
        send(victim, greenroom::Local(PanicsWhenDropped));
        send(victim, greenroom::Local(Tell(sender, "last")));
        exit(victim, ExitReason::Kill);
    });
    let mut dropped: Vec<_> = receiver.iter().collect();
    dropped.sort_unstable();
    assert_eq!(dropped, ["first", "last"]);
}

#[test]
fn a_panic_with_any_value_is_a_reason() {
    on_quiet_node(async {
        let reason = end_of_new(async { std::panic::panic_any(7_u8) }).await;
        assert!(matches!(reason, ExitReason::Panic(_)));
        let reason = end_of_new(async { std::panic::panic_any(PanicsWhenDropped) }).await;
        assert!(matches!(reason, ExitReason::Panic(_)));
    });
}
