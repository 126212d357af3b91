//! Group K: what can be known about a process.

use greenroom::message::Target;
use greenroom::process::{Status, info, set_label};
use greenroom::tree::ChildKind;
use greenroom::{exit, link, monitor, process, receive, register, self_pid, send, spawn, spawn_monitor, trap_exit};

use crate::support::{Pong, end_of, forever, gone, on_node};

#[test]
fn case_183_nothing_is_known_of_the_dead() {
    on_node(async {
        let dead = spawn(async {});
        gone(dead).await;
        assert_eq!(info(dead), None);
    });
}

#[test]
fn case_186_the_queue_length_counts_what_was_sent() {
    on_node(async {
        let idle = spawn(forever());
        for _ in 0..1000 {
            send(idle, Pong);
        }
        // Until it has moved them from one list to the other, it may be seen with fewer.
        while info(idle).unwrap().message_queue_len != 1000 {
            greenroom::yield_now().await;
        }
    });
}

#[test]
fn case_187_status_links_monitors_and_parent_are_exact() {
    on_node(async {
        let parent = self_pid();
        let peer = spawn(async move {
            trap_exit(true);
            send(parent, Pong);
            forever().await;
        });
        receive::<Pong>().await;
        let (child, watch) = spawn_monitor(async move {
            link(peer);
            monitor(peer);
            trap_exit(true);
            set_label("the child");
            register("child", self_pid()).unwrap();
            send(parent, Pong);
            forever().await;
        });
        receive::<Pong>().await;
        while info(child).unwrap().status != Status::Waiting {
            greenroom::yield_now().await;
        }
        let seen = info(child).unwrap();
        assert_eq!(seen.pid, child);
        assert_eq!(seen.kind, ChildKind::Worker);
        assert_eq!(seen.registered_name.as_deref(), Some("child"));
        assert_eq!(seen.label.as_deref(), Some("the child"));
        assert_eq!(seen.links, [peer]);
        assert_eq!(seen.monitors, [Target::Pid(peer)]);
        assert_eq!(seen.monitored_by, [parent]);
        assert!(seen.trap_exit);
        assert_eq!((seen.parent, seen.group_leader), (Some(parent), None));
        assert!(seen.spawned_at.unwrap().file.ends_with("info.rs"));
        assert!(seen.memory > 0);
        assert_eq!(info(parent).unwrap().status, Status::Running);
        exit(child, greenroom::ExitReason::Kill);
        end_of((child, watch)).await;
        assert_eq!(info(peer).unwrap().links, []);
        assert_eq!(info(peer).unwrap().monitored_by, []);
    });
}

#[test]
fn the_list_has_everyone_who_is_alive() {
    on_node(async {
        let mut started: Vec<_> = (0..5000).map(|_| spawn(forever())).collect();
        started.push(self_pid());
        started.sort_unstable();
        let mut listed = process::list();
        listed.sort_unstable();
        assert_eq!(listed, started);
    });
}

#[test]
fn looking_at_processes_while_they_talk_disturbs_nobody() {
    on_node(async {
        let receiver = self_pid();
        let sender = spawn_monitor(async move {
            for n in 0..50_000_u32 {
                send(receiver, n);
            }
        });
        let looker = spawn(async move {
            loop {
                process::list().into_iter().for_each(|pid| drop(info(pid)));
                greenroom::yield_now().await;
            }
        });
        for n in 0..50_000_u32 {
            assert_eq!(receive::<u32>().await, n);
        }
        end_of(sender).await;
        exit(looker, "enough");
    });
}
