//! Case 218, and what else groups of processes do.

use greenroom::groups::{Change, GroupEvent, Scope, ScopeError};
use greenroom::supervisor::{Strategy, Supervisor};
use greenroom::{ExitReason, Node, Pid, exit, process, receive, self_pid, send, spawn, unlink, whereis};

use crate::support::{clean, end_of, forever, gone, has};

/// Runs a test, and makes sure that nothing of it is left but the server of its scope.
fn with_groups(test: impl Future<Output = ()> + Send + 'static) {
    clean(async {
        test.await;
        if let Some(server) = whereis("scope") {
            unlink(server);
            exit(server, ExitReason::Kill);
        }
    });
}

/// A scope that is served.
fn scope() -> Scope<String> {
    let scope = Scope::new("scope");
    scope.start_link().unwrap();
    scope
}

fn g() -> String {
    "g".into()
}

#[test]
fn case_218_joining_twice_counts_twice_and_leaving_removes_one() {
    with_groups(async {
        let scope = scope();
        let me = self_pid();
        scope.join(g(), me).await.unwrap();
        scope.join_many(g(), vec![me, me]).await.unwrap();
        scope.join("h".into(), me).await.unwrap();
        assert_eq!((scope.members(&g()), scope.local_members(&g())), (vec![me; 3], vec![me; 3]));
        scope.leave(g(), me).await.unwrap();
        assert_eq!(scope.members(&g()), [me; 2]);
        scope.leave(g(), me).await.unwrap();
        scope.leave(g(), me).await.unwrap();
        scope.leave(g(), me).await.unwrap();
        assert_eq!((scope.members(&g()), scope.groups()), (vec![], vec!["h".to_owned()]));
        scope.leave("h".into(), me).await.unwrap();
        assert_eq!(process::info(me).unwrap().monitored_by, []);
    });
}

#[test]
fn the_dead_are_not_listed() {
    with_groups(async {
        let scope = scope();
        for round in 0..300 {
            let victim = spawn(async move {
                if round % 2 == 0 {
                    forever().await;
                }
            });
            scope.join(g(), victim).await.unwrap();
            exit(victim, ExitReason::Kill);
            assert_eq!((scope.members(&g()), scope.groups()), (vec![], vec![]));
        }
        // Those who leave by ending are forgotten, too.
        scope.join(g(), self_pid()).await.unwrap();
        assert_eq!(scope.members(&g()), [self_pid()]);
    });
}

#[test]
fn each_member_gets_one_of_what_is_broadcast() {
    with_groups(async {
        let scope = scope();
        let me = self_pid();
        let members: Vec<Pid> = (0..3)
            .map(|_| {
                spawn(async move {
                    let text = receive::<String>().await;
                    send(me, (self_pid(), text));
                })
            })
            .collect();
        scope.join_many(g(), [members.clone(), members.clone()].concat()).await.unwrap();
        assert_eq!(scope.broadcast(&g(), "hello".to_owned()), 3);
        for _ in &members {
            let (pid, text) = receive::<(Pid, String)>().await;
            assert!(members.contains(&pid) && text == "hello");
        }
        assert!(!has::<(Pid, String)>().await);
        assert_eq!(scope.broadcast(&"nobody".to_owned(), ()), 0);
    });
}

#[test]
fn a_watcher_is_told_who_comes_and_goes() {
    with_groups(async {
        let scope = scope();
        let (one, other) = (spawn(forever()), spawn(forever()));
        scope.join(g(), one).await.unwrap();
        let (all, groups) = scope.monitor().await.unwrap();
        assert_eq!(groups, [(g(), vec![one])]);
        let (group, members) = scope.monitor_group("h".into()).await.unwrap();
        assert_eq!(members, []);
        scope.join_many("h".into(), vec![other, other]).await.unwrap();
        exit(one, ExitReason::Kill);
        exit(other, ExitReason::Kill);
        let mut seen: Vec<GroupEvent<String>> = Vec::new();
        for _ in 0..5 {
            seen.push(receive().await);
        }
        let of = |reference| {
            seen.iter().filter(move |event| event.reference == reference).map(|event| (&*event.group, &event.change))
        };
        let (joined, left) = (Change::Joined(vec![other; 2]), Change::Left(vec![other; 2]));
        assert_eq!(of(group).collect::<Vec<_>>(), [("h", &joined), ("h", &left)]);
        let gone = Change::Left(vec![one]);
        let mut expected = vec![("g", &gone), ("h", &left)];
        let mut last: Vec<_> = of(all).skip(1).collect();
        assert_eq!(of(all).next(), Some(("h", &joined)));
        last.sort_by_key(|(group, _)| group.to_owned());
        expected.sort_by_key(|(group, _)| group.to_owned());
        assert_eq!(last, expected);

        scope.join(g(), self_pid()).await.unwrap();
        scope.demonitor(all).await.unwrap();
        scope.demonitor(group).await.unwrap();
        scope.leave(g(), self_pid()).await.unwrap();
        assert!(!has::<GroupEvent<String>>().await);
    });
}

#[test]
fn a_scope_that_nobody_serves_and_processes_of_other_nodes_are_errors() {
    let elsewhere = Node::builder().name("elsewhere").workers(1).start().unwrap();
    let remote = elsewhere.spawn(forever());
    with_groups(async move {
        let scope = Scope::<String>::new("scope");
        let error = scope.join(g(), self_pid()).await.unwrap_err();
        assert_eq!(error, ScopeError::NotServed { scope: "scope".into(), reason: ExitReason::NoProc });
        assert_eq!(error.to_string(), "nobody serves the scope `scope` (noproc): start it with `spec` or `start_link`");
        scope.start_link().unwrap();
        assert!(scope.start_link().is_err());
        let error = scope.join(g(), remote).await.unwrap_err();
        assert_eq!(error.to_string(), format!("{remote} is of another node: it joins a group of `scope` there"));
    });
}

#[test]
fn a_scope_whose_process_is_killed_knows_its_groups_still() {
    with_groups(async {
        let scope = Scope::<String>::new("scope");
        let supervisor = Supervisor::new(Strategy::OneForOne).child(scope.spec()).start_link().await.unwrap();
        let member = spawn(forever());
        scope.join(g(), member).await.unwrap();
        let (_, members) = scope.monitor_group(g()).await.unwrap();
        assert_eq!(members, [member]);
        let first = whereis("scope").unwrap();
        exit(first, ExitReason::Kill);
        while whereis("scope").is_none_or(|pid| pid == first) {
            greenroom::yield_now().await;
        }
        assert_eq!(scope.members(&g()), [member]);
        exit(member, ExitReason::Kill);
        assert_eq!(receive::<GroupEvent<String>>().await.change, Change::Left(vec![member]));
        let supervisor: Pid = supervisor.into();
        unlink(supervisor);
        exit(supervisor, ExitReason::Shutdown);
        gone(supervisor).await;
    });
}

#[test]
fn members_come_and_go_all_at_once() {
    with_groups(async {
        let scope = scope();
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let scope = scope.clone();
                process::spawn_monitor(async move {
                    for _ in 0..100 {
                        let child = spawn(forever());
                        scope.join(g(), child).await.unwrap();
                        scope.join(g(), self_pid()).await.unwrap();
                        assert!(scope.members(&g()).contains(&child));
                        exit(child, ExitReason::Kill);
                        assert!(!scope.members(&g()).contains(&child));
                        scope.leave(g(), self_pid()).await.unwrap();
                    }
                })
            })
            .collect();
        for worker in workers {
            assert_eq!(end_of(worker).await, ExitReason::Normal);
        }
        assert_eq!(scope.members(&g()), []);
        let server = whereis("scope").unwrap();
        while !process::info(server).unwrap().monitors.is_empty() {
            greenroom::yield_now().await;
        }
    });
}
