//! Group C: monitors.

use std::time::Duration;

use greenroom::message::{Down, Exit, Target};
use greenroom::process::demonitor_flush;
use greenroom::{
    ExitReason, Pid, demonitor, exit, exit_self, monitor, node, process, receive, register, self_pid, send, spawn,
    spawn_link, spawn_monitor, trap_exit, unregister, whereis,
};

use crate::support::{Ping, Pong, end_of, forever, gone, has, on_node, other};

fn watchers_of(pid: Pid) -> Vec<Pid> {
    process::info(pid).map(|info| info.monitored_by).unwrap_or_default()
}

fn watched_by_me() -> Vec<Target> {
    process::info(self_pid()).unwrap().monitors
}

#[test]
fn case_42_down_carries_the_reason() {
    on_node(async {
        let (pid, reference) = spawn_monitor(async { exit_self("why") });
        let down = receive::<Down>().await;
        assert_eq!(down, Down { reference, target: Target::Pid(pid), reason: other("why") });
    });
}

#[test]
fn case_43_a_monitor_on_the_dead_fires_at_once() {
    on_node(async {
        let dead = spawn(async {});
        gone(dead).await;
        let reference = monitor(dead);
        let down = receive::<Down>().await;
        assert_eq!(down, Down { reference, target: Target::Pid(dead), reason: ExitReason::NoProc });
        assert_eq!(watched_by_me(), []);
    });
}

#[test]
fn case_44_a_monitor_on_a_free_name_fires_at_once_and_says_the_name() {
    on_node(async {
        let reference = monitor("nobody");
        let target = Target::Name("nobody".into(), node());
        assert_eq!(receive::<Down>().await, Down { reference, target, reason: ExitReason::NoProc });
    });
}

#[test]
fn case_45_a_monitor_by_name_says_the_name_and_follows_the_process() {
    on_node(async {
        let named = spawn(forever());
        register("named", named).unwrap();
        let by_name = monitor("named");
        assert_eq!(watchers_of(named), [self_pid()]);
        unregister("named");
        register("named", self_pid()).unwrap();
        exit(named, "gone");
        let target = Target::Name("named".into(), node());
        assert_eq!(receive::<Down>().await, Down { reference: by_name, target, reason: other("gone") });
    });
}

#[test]
fn case_45_a_monitor_by_name_ends_also_when_the_name_has_moved_on() {
    on_node(async {
        let named = spawn(forever());
        register("named", named).unwrap();
        let watch = monitor("named");
        unregister("named");
        assert!(demonitor(watch));
        assert_eq!(watchers_of(named), []);
    });
}

#[test]
fn case_47_three_monitors_are_three_messages() {
    on_node(async {
        let child = spawn(forever());
        let mut references = [monitor(child), monitor(child), monitor(child)];
        exit(child, "thrice");
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(receive::<Down>().await.reference);
        }
        seen.sort_unstable();
        references.sort_unstable();
        assert_eq!(seen, references);
        assert!(!has::<Down>().await);
    });
}

#[test]
fn case_48_nobody_can_end_the_monitor_of_another() {
    on_node(async {
        let child = spawn(forever());
        let reference = monitor(child);
        let stranger = spawn_monitor(async move {
            assert!(!demonitor(reference));
        });
        assert_eq!(end_of(stranger).await, ExitReason::Normal);
        exit(child, "still");
        assert_eq!(receive::<Down>().await.reference, reference);
    });
}

#[test]
fn case_49_demonitor_says_whether_the_monitor_was_active() {
    on_node(async {
        let child = spawn(forever());
        let reference = monitor(child);
        assert!(demonitor(reference));
        assert!(!demonitor(reference));
        exit(child, "unheard");
        assert!(!has::<Down>().await);
    });
}

#[test]
fn cases_50_and_51_a_queued_down_stays_unless_it_is_flushed() {
    on_node(async {
        for flush in [false, true] {
            let child = spawn(forever());
            let reference = monitor(child);
            let second = monitor(child);
            exit(child, "down");
            receive! { down: Down if down.reference == second => drop(down) }
            if flush {
                assert!(!demonitor_flush(reference).await);
            } else {
                assert!(!demonitor(reference));
            }
            assert_eq!(has::<Down>().await, !flush);
            assert!(!has::<Down>().await);
        }
    });
}

#[test]
fn case_52_a_monitor_on_oneself_is_none() {
    on_node(async {
        let reference = monitor(self_pid());
        assert_eq!((watched_by_me(), watchers_of(self_pid())), (vec![], vec![]));
        assert!(!demonitor(reference));
    });
}

#[test]
fn case_57_the_name_is_free_when_down_or_exit_is_seen_2000_of_2000() {
    on_node(async {
        trap_exit(true);
        let parent = self_pid();
        for round in 0..2000 {
            let child = spawn_link(async move {
                register("brief", self_pid()).unwrap();
                send(parent, Pong);
                if round % 2 == 0 {
                    receive::<Ping>().await;
                }
            });
            let watch = monitor(child);
            receive::<Pong>().await;
            send(child, Ping(parent));
            receive! {
                down: Down if down.reference == watch => drop(down),
                exit: Exit if exit.from == child => drop(exit),
            }
            assert_eq!(whereis("brief"), None);
            register("brief", parent).unwrap();
            assert!(unregister("brief"));
            receive! {
                down: Down if down.reference == watch => drop(down),
                exit: Exit if exit.from == child => drop(exit),
            }
        }
    });
}

#[test]
fn case_58_a_watcher_that_dies_leaves_nothing_with_the_watched() {
    on_node(async {
        let parent = self_pid();
        let target = spawn(forever());
        for _ in 0..1000 {
            let watcher = spawn_monitor(async move {
                monitor(target);
                send(parent, Pong);
                loop {
                    monitor(target);
                    greenroom::yield_now().await;
                }
            });
            receive::<Pong>().await;
            exit(watcher.0, ExitReason::Kill);
            end_of(watcher).await;
        }
        // The last one may still be in the middle of a call.
        while !watchers_of(target).is_empty() {
            greenroom::yield_now().await;
        }
    });
}

#[test]
fn case_59_demonitor_tells_the_truth_in_a_race_10_000_of_10_000() {
    on_node(async {
        for _ in 0..100 {
            let children: Vec<_> = (0..100)
                .map(|_| {
                    let child = spawn(async {
                        receive::<Pong>().await;
                    });
                    (child, monitor(child))
                })
                .collect();
            let targets: Vec<Pid> = children.iter().map(|(child, _)| *child).collect();
            let killer = spawn_monitor(async move {
                for target in targets {
                    exit(target, "race");
                }
            });
            for (child, reference) in children.into_iter().rev() {
                let was_active = demonitor(reference);
                let down = receive! {
                    down: Down if down.reference == reference => Some(down.target),
                    after Duration::ZERO => None,
                };
                assert_eq!(down, (!was_active).then_some(Target::Pid(child)));
            }
            assert_eq!(end_of(killer).await, ExitReason::Normal);
            assert!(!has::<Down>().await);
            assert_eq!(watched_by_me(), []);
        }
    });
}
