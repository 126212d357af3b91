//! Case 90 for registries: keys of any type, and the dead are never found.

use std::sync::Arc;

use greenroom::message::Down;
use greenroom::registry::{self, Why};
use greenroom::{ExitReason, Node, Pid, Registry, exit, monitor, process, receive, self_pid, send, spawn};

use crate::support::{Pong, clean, end_of_new, forever, gone, has, on};

#[test]
fn a_key_is_one_processs_until_it_is_given_up() {
    clean(async {
        let names = registry::unique();
        names.register("a", 1).unwrap();
        let error = names.register("a", 2).unwrap_err();
        assert_eq!((error.key, error.value, error.why), ("a", 2, Why::Taken(self_pid())));
        let told = format!("the key \"a\" is that of {}; it has to unregister first", self_pid());
        assert_eq!(error.to_string(), told);
        let other = spawn(forever());
        assert_eq!(names.register_pid(other, "a", 3).unwrap_err().why, Why::Taken(self_pid()));
        assert_eq!((names.unregister(&"a"), names.unregister(&"a")), (1, 0));
        names.register_pid(other, "a", 3).unwrap();
        assert_eq!((names.whereis(&"a"), names.lookup(&"a")), (Some(other), vec![(other, 3)]));
        assert_eq!(names.unregister(&"a"), 0);
        exit(other, ExitReason::Kill);
    });
}

#[test]
fn a_process_has_as_many_keys_as_it_likes() {
    clean(async {
        let names = registry::unique::<Vec<u8>, ()>();
        for n in 0..10 {
            names.register(vec![n; 3], ()).unwrap();
        }
        assert!(names.keys(self_pid()).into_iter().eq((0..10).map(|n| vec![n; 3])));
        assert_eq!(names.count(), 10);
        names.unregister(&vec![4; 3]);
        assert_eq!((names.count(), names.keys(self_pid()).len(), names.whereis(&vec![4; 3])), (9, 9, None));
    });
}

#[test]
fn the_dead_and_processes_of_other_nodes_are_not_entered() {
    let elsewhere = Node::builder().name("elsewhere").workers(1).start().unwrap();
    let remote = elsewhere.spawn(forever());
    clean(async move {
        let names = registry::unique::<u8, ()>();
        let dead = spawn(async {});
        gone(dead).await;
        for pid in [dead, remote] {
            let error = names.register_pid(pid, 1, ()).unwrap_err();
            assert_eq!(error.why, Why::NoProcess(pid));
            assert_eq!(error.to_string(), format!("{pid} is no live process of the registry's node"));
            assert!(names.keys(pid).is_empty());
        }
        assert_eq!(names.count(), 0);
    });
}

#[test]
fn a_value_is_changed_by_its_process_alone() {
    clean(async {
        let names = registry::unique::<char, Vec<u8>>();
        names.register('a', vec![1]).unwrap();
        assert!(names.update_value(&'a', |value| value.push(2)));
        assert!(!names.update_value(&'b', |_| unreachable!("it is nobody's")));
        let theirs = names.clone();
        let stranger = async move { assert!(!theirs.update_value(&'a', |_| unreachable!("it is another's"))) };
        assert_eq!(end_of_new(stranger).await, ExitReason::Normal);
        assert_eq!(names.lookup(&'a'), [(self_pid(), vec![1, 2])]);
    });
}

#[test]
fn under_a_duplicate_key_there_are_many_also_of_one_process() {
    clean(async {
        let topics = registry::duplicate::<&str, u8>();
        topics.register("news", 1);
        topics.register("news", 2);
        let other = spawn(forever());
        topics.register_pid(other, "news", 3).unwrap();
        topics.register_pid(other, "weather", 4).unwrap();
        assert_eq!(topics.lookup(&"news"), [(self_pid(), 1), (self_pid(), 2), (other, 3)]);
        assert_eq!(topics.keys(self_pid()), ["news", "news"]);
        assert_eq!(topics.select(|key, _, value| *key != "news" || *value == 2).len(), 2);
        assert_eq!(topics.dispatch(&"news", |pid, value| send(pid, value)), 3);
        assert_eq!((receive::<u8>().await, receive::<u8>().await), (1, 2));
        assert_eq!(topics.dispatch(&"sports", |_, _| unreachable!("nobody is there")), 0);
        assert_eq!(topics.unregister(&"news"), 2);
        assert_eq!((topics.count(), topics.keys(self_pid()).len()), (2, 0));
        exit(other, ExitReason::Kill);
        assert_eq!((topics.count(), topics.lookup(&"news")), (0, vec![]));
    });
}

#[test]
fn a_key_is_a_name_to_send_to_and_to_monitor() {
    clean(async {
        let names = registry::unique::<u64, ()>();
        let error = send(names.via(7), Pong).unwrap_err();
        assert_eq!((error.key, error.to_string()), (7, "nobody is registered under the key 7".to_owned()));
        let Pong = error.message;
        monitor(names.via(7));
        assert_eq!(receive::<Down>().await.reason, ExitReason::NoProc);
        let other = spawn(async {
            receive::<Pong>().await;
        });
        names.register_pid(other, 7, ()).unwrap();
        let via = names.via(7);
        assert_eq!(via.whereis(), Some(other));
        let watch = monitor(&via);
        send(&via, Pong).unwrap();
        let down = receive::<Down>().await;
        assert_eq!((down.reference, down.reason), (watch, ExitReason::Normal));
    });
}

#[test]
fn case_90_the_dead_are_not_found_and_their_keys_can_be_taken_at_once_1000_of_1000() {
    clean(async {
        let names = registry::unique::<String, u32>();
        for round in 0..1000_u32 {
            // Half of them end by themselves at the moment at which they are killed.
            let victim = spawn(async move {
                receive::<Pong>().await;
                if round % 2 == 0 {
                    forever().await;
                }
            });
            names.register_pid(victim, "victim".into(), round).unwrap();
            send(victim, Pong);
            exit(victim, ExitReason::Kill);
            assert_eq!((names.whereis(&"victim".into()), names.count()), (None, 0));
            assert_eq!(names.keys(victim), Vec::<String>::new());
            names.register("victim".into(), round).unwrap();
            assert_eq!(names.lookup(&"victim".into()), [(self_pid(), round)]);
            gone(victim).await;
            assert_eq!(names.unregister(&"victim".into()), 1);
        }
    });
}

#[test]
fn case_90_nothing_is_kept_of_a_process_when_its_end_is_seen() {
    clean(async {
        let names = registry::unique::<Arc<u32>, Arc<u32>>();
        let topics = registry::duplicate::<Arc<u32>, Arc<u32>>();
        let (key, value) = (Arc::new(1), Arc::new(2));
        for _ in 0..500 {
            let victim = spawn(async {});
            let watch = monitor(victim);
            // It may have ended before it is entered.
            let entered = names.register_pid(victim, key.clone(), value.clone()).is_ok();
            for _ in 0..3 {
                let also = topics.register_pid(victim, key.clone(), value.clone()).is_ok();
                assert!(entered || !also);
            }
            assert_eq!(receive::<Down>().await.reference, watch);
            assert_eq!((Arc::strong_count(&key), Arc::strong_count(&value)), (1, 1));
        }
    });
}

#[test]
fn of_many_who_want_a_key_one_gets_it() {
    clean(async {
        let names = registry::unique::<u8, ()>();
        let parent = self_pid();
        for _ in 0..20 {
            for _ in 0..50 {
                let names = names.clone();
                spawn(async move {
                    send(parent, (self_pid(), names.register(1, ()).is_ok()));
                    forever().await;
                });
            }
            let mut all: Vec<(Pid, bool)> = Vec::new();
            for _ in 0..50 {
                all.push(receive().await);
            }
            let winners: Vec<Pid> = all.iter().filter(|(_, won)| *won).map(|(pid, _)| *pid).collect();
            assert_eq!(winners, [names.whereis(&1).unwrap()]);
            for (pid, _) in all {
                exit(pid, ExitReason::Kill);
            }
            assert_eq!((names.whereis(&1), names.count()), (None, 0));
        }
    });
}

#[test]
fn keys_come_and_go_while_processes_do() {
    clean(async {
        let names = registry::unique::<u32, Pid>();
        let workers: Vec<_> = (0..8_u32)
            .map(|worker| {
                let names = names.clone();
                process::spawn_monitor(async move {
                    for round in 0..300 {
                        let mine = names.clone();
                        let child = spawn(async move {
                            for n in 0..10 {
                                if mine.register(n, self_pid()).is_err() && round % 3 == 0 {
                                    mine.unregister(&n.wrapping_sub(1));
                                }
                            }
                        });
                        for n in 0..10 {
                            // Whoever is found is whose key it was.
                            for (pid, value) in names.lookup(&n) {
                                assert_eq!(pid, value);
                            }
                        }
                        if (round + worker) % 2 == 0 {
                            exit(child, ExitReason::Kill);
                        }
                    }
                })
            })
            .collect();
        for worker in workers {
            assert_eq!(crate::support::end_of(worker).await, ExitReason::Normal);
        }
        assert_eq!(names.count(), 0);
    });
}

#[test]
fn keys_and_values_whose_destructors_panic_stop_nobody() {
    #[derive(Clone, PartialEq, Eq, Hash, Debug)]
    struct Bomb(u8);
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                std::panic::resume_unwind(Box::new(()));
            }
        }
    }
    clean(async {
        let names = registry::unique::<u8, Arc<Bomb>>();
        let victim = spawn(forever());
        names.register_pid(victim, 1, Arc::new(Bomb(1))).unwrap();
        let watch = monitor(victim);
        exit(victim, ExitReason::Kill);
        assert_eq!(receive::<Down>().await.reference, watch);
        names.register(1, Arc::new(Bomb(2))).unwrap();
        std::mem::forget(names); // Its own destructor would go off in the test.
    });
}

#[test]
fn a_registry_that_is_gone_is_nobodys_affair() {
    clean(async {
        let child = spawn(forever());
        for n in 0..1000_u32 {
            let names = registry::unique();
            names.register_pid(child, n, ()).unwrap();
        }
        exit(child, ExitReason::Kill);
        assert!(!has::<Down>().await);
    });
}

#[test]
fn a_registry_can_be_asked_from_anywhere_and_outlives_its_node() {
    let node = Node::builder().workers(1).start().unwrap();
    let (names, pid): (Registry<&str, ()>, Pid) = on(&node, async {
        let names = registry::unique();
        let child = spawn(forever());
        names.register_pid(child, "child", ()).unwrap();
        (names, child)
    });
    assert_eq!(names.whereis(&"child"), Some(pid));
    drop(node);
    assert_eq!((names.whereis(&"child"), names.count(), names.lookup(&"child")), (None, 0, vec![]));
}
