//! Neighbours of the numbered cases: what happens at the same moment, twice, or to oneself.

use std::time::Duration;

use greenroom::message::{Down, Exit};
use greenroom::process::{Alias, demonitor_flush, info, yield_now};
use greenroom::{
    ExitReason, Pid, exit, is_alive, link, monitor, receive, receive_timeout, register, self_pid, send, spawn,
    spawn_link, spawn_monitor, trap_exit, unlink, unregister, whereis,
};

use crate::support::{Ping, Pong, echo, end_of, forever, gone, has, on_node, round_trip};

#[test]
fn case_8_a_kill_reaches_one_that_traps_in_the_middle_of_a_receive() {
    on_node(async {
        for _ in 0..500 {
            let victim = spawn_monitor(async {
                trap_exit(true);
                loop {
                    receive_timeout::<Exit>(Duration::from_micros(50)).await;
                }
            });
            exit(victim.0, "trapped");
            exit(victim.0, ExitReason::Kill);
            assert!(!is_alive(victim.0));
            assert!(matches!(end_of(victim).await, ExitReason::Killed | ExitReason::Other(_)));
        }
    });
}

#[test]
fn case_29_after_unlink_no_exit_comes_however_close_the_end_was_2000_of_2000() {
    on_node(async {
        trap_exit(true);
        for _ in 0..2000 {
            let peer = spawn_link(async {
                receive::<Pong>().await;
            });
            send(peer, Pong);
            unlink(peer);
            let came_before = has::<Exit>().await;
            gone(peer).await;
            assert!(!has::<Exit>().await, "one came before: {came_before}");
        }
    });
}

#[test]
fn one_who_is_linked_and_monitors_hears_twice_and_once_of_each() {
    on_node(async {
        trap_exit(true);
        let (peer, reference) = spawn_monitor(forever());
        link(peer);
        link(peer);
        exit(peer, "over");
        assert_eq!(receive::<Down>().await.reference, reference);
        assert_eq!(receive::<Exit>().await, Exit { from: peer, reason: "over".into() });
        assert!(!has::<Down>().await && !has::<Exit>().await);
    });
}

#[test]
fn case_35_what_counts_is_whether_the_receiver_traps_when_the_signal_arrives() {
    on_node(async {
        let victim = spawn_monitor(async {
            trap_exit(true);
            let Ping(from) = receive::<Ping>().await;
            trap_exit(false);
            send(from, Pong);
            forever().await;
        });
        send(victim.0, Ping(self_pid()));
        receive::<Pong>().await;
        exit(victim.0, ExitReason::Normal);
        assert!(is_alive(victim.0));
        exit(victim.0, "not trapped any more");
        assert_eq!(end_of(victim).await, ExitReason::from("not trapped any more"));
    });
}

#[test]
fn case_80_of_many_who_register_one_name_again_and_again_at_most_one_has_it() {
    on_node(async {
        let test = self_pid();
        for _ in 0..8 {
            spawn(async move {
                let mut had = 0_u32;
                for _ in 0..500 {
                    if register("contested", self_pid()).is_ok() {
                        assert_eq!(whereis("contested"), Some(self_pid()));
                        assert!(unregister("contested"));
                        had += 1;
                    }
                    yield_now().await;
                }
                send(test, had);
            });
        }
        let mut had = 0;
        for _ in 0..8 {
            had += receive::<u32>().await;
        }
        assert!(had > 0 && whereis("contested").is_none());
    });
}

#[test]
fn case_90_whoever_is_found_by_name_while_it_ends_is_it_or_nobody() {
    on_node(async {
        for _ in 0..500 {
            let named = spawn_monitor(async {
                register("brief", self_pid()).unwrap();
            });
            while is_alive(named.0) {
                assert!(whereis("brief").is_none_or(|pid| pid == named.0));
            }
            assert_eq!(whereis("brief"), None);
            end_of(named).await;
        }
    });
}

#[test]
fn case_50_a_flush_in_a_race_with_the_end_leaves_no_message_2000_of_2000() {
    on_node(async {
        for _ in 0..2000 {
            let (victim, reference) = spawn_monitor(async {
                receive::<Pong>().await;
            });
            send(victim, Pong);
            let was_active = demonitor_flush(reference).await;
            gone(victim).await;
            assert!(!has::<Down>().await, "it was active: {was_active}");
        }
    });
}

#[test]
fn case_55_of_an_answer_and_the_end_at_once_only_one_arrives_2000_of_2000() {
    on_node(async {
        for _ in 0..2000 {
            let server = spawn(async {
                let alias = receive::<Alias>().await;
                send(alias, Pong);
            });
            let killer = spawn(async move { exit(server, ExitReason::Kill) });
            let alias = Alias::monitor(server);
            send(server, alias);
            let answered = greenroom::receive! {
                Pong: Pong => true,
                _down: Down => false,
            };
            gone(server).await;
            gone(killer).await;
            assert!(!has::<Pong>().await && !has::<Down>().await, "it was answered: {answered}");
        }
    });
}

#[test]
fn case_22_an_exit_in_a_race_with_a_time_out_is_seen_once() {
    on_node(async {
        trap_exit(true);
        for n in 0..500_u64 {
            let test = self_pid();
            let sender = spawn(async move {
                for _ in 0..n % 7 {
                    yield_now().await;
                }
                exit(test, "poke");
            });
            let first = receive_timeout::<Exit>(Duration::from_micros(n % 50)).await;
            gone(sender).await;
            let second = receive_timeout::<Exit>(Duration::ZERO).await;
            assert!(first.is_some() != second.is_some());
        }
    });
}

#[test]
fn case_38_links_with_one_that_ends_at_the_same_moment_are_seen_at_both_ends_or_told() {
    on_node(async {
        trap_exit(true);
        for _ in 0..1000 {
            let peer = spawn(async {});
            link(peer);
            let reason = receive::<Exit>().await.reason;
            assert!(matches!(reason, ExitReason::Normal | ExitReason::NoProc), "{reason}");
            assert!(info(self_pid()).unwrap().links.is_empty());
        }
    });
}

#[test]
fn case_48_a_monitor_reference_is_of_no_use_to_another() {
    on_node(async {
        let server = spawn(echo());
        let reference = monitor(server);
        let stranger = spawn_monitor(async move { assert!(!demonitor_flush(reference).await) });
        assert_eq!(end_of(stranger).await, ExitReason::Normal);
        round_trip(server).await;
        exit(server, "over");
        assert_eq!(receive::<Down>().await.reference, reference);
    });
}

#[test]
fn exits_between_two_that_kill_each_other_end_both_and_hang_nobody() {
    on_node(async {
        for _ in 0..1000 {
            let fighter = || {
                spawn_monitor(async {
                    let rival = receive::<Pid>().await;
                    exit(rival, ExitReason::Kill);
                    forever().await;
                })
            };
            let (one, two) = (fighter(), fighter());
            send(one.0, two.0);
            send(two.0, one.0);
            greenroom::receive! { down: Down if down.reference == one.1 || down.reference == two.1 => drop(down) }
            for (pid, _) in [one, two] {
                exit(pid, ExitReason::Kill);
                gone(pid).await;
            }
            while has::<Down>().await {}
        }
    });
}
