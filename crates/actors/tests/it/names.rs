//! Group F: registered names.

use greenroom::{
    ExitReason, Node, Pid, RegisterError, exit, process, receive, register, self_pid, send, spawn, spawn_monitor,
    unregister, whereis,
};

use crate::support::{Pong, end_of, forever, gone, on_node};

#[test]
fn case_80_a_taken_name_is_refused() {
    on_node(async {
        register("taken", spawn(forever())).unwrap();
        let error = register("taken", self_pid()).unwrap_err();
        assert_eq!(error, RegisterError::Taken { name: "taken".into() });
        assert_eq!(error.to_string(), "the name `taken` is taken; unregister it first");
    });
}

#[test]
fn case_81_a_process_has_one_name() {
    on_node(async {
        register("first", self_pid()).unwrap();
        let error = register("second", self_pid()).unwrap_err();
        assert_eq!(error, RegisterError::AlreadyNamed { pid: self_pid(), name: "first".into() });
        assert_eq!(whereis("second"), None);
    });
}

#[test]
fn case_82_the_dead_get_no_name() {
    on_node(async {
        let dead = spawn(async {});
        gone(dead).await;
        assert_eq!(register("dead", dead), Err(RegisterError::NoProcess { pid: dead }));
        assert_eq!(whereis("dead"), None);
    });
}

#[test]
fn case_83_a_process_of_another_node_gets_no_name() {
    let elsewhere = Node::builder().name("elsewhere").workers(1).start().unwrap();
    let remote = elsewhere.spawn(forever());
    on_node(async move {
        assert_eq!(register("remote", remote), Err(RegisterError::NoProcess { pid: remote }));
    });
}

#[test]
fn case_84_unregistering_a_free_name_says_so() {
    on_node(async { assert!(!unregister("nobody")) });
}

#[test]
fn case_85_anyone_may_register_a_process() {
    on_node(async {
        let target = spawn(forever());
        let third = spawn_monitor(async move { register("target", target).unwrap() });
        assert_eq!(end_of(third).await, ExitReason::Normal);
        assert_eq!(whereis("target"), Some(target));
        assert_eq!(process::info(target).unwrap().registered_name.as_deref(), Some("target"));
    });
}

#[test]
fn case_86_an_unregistered_process_may_take_another_name() {
    on_node(async {
        register("first", self_pid()).unwrap();
        assert!(unregister("first"));
        register("second", self_pid()).unwrap();
        assert_eq!((whereis("first"), whereis("second")), (None, Some(self_pid())));
        send("second", Pong).unwrap();
        receive::<Pong>().await;
    });
}

#[test]
fn case_87_nobody_has_a_free_name() {
    on_node(async { assert_eq!(whereis("nobody"), None) });
}

#[test]
fn case_90_the_dead_are_not_found_and_their_name_can_be_taken_at_once_1000_of_1000() {
    on_node(async {
        let parent = self_pid();
        for round in 0..1000_u32 {
            // Half of them end by themselves at the moment at which they are killed.
            let victim = spawn(async move {
                receive::<Pong>().await;
                if round % 2 == 0 {
                    forever().await;
                }
            });
            register("victim", victim).unwrap();
            send(victim, Pong);
            exit(victim, ExitReason::Kill);
            assert_eq!(whereis("victim"), None);
            register("victim", parent).unwrap();
            assert_eq!(whereis("victim"), Some(parent));
            gone(victim).await;
            assert!(unregister("victim"));
        }
    });
}

#[test]
fn one_of_many_gets_a_name() {
    on_node(async {
        let parent = self_pid();
        for _ in 0..20 {
            for _ in 0..50 {
                spawn(async move {
                    let got_it = register("one", self_pid()).is_ok();
                    send(parent, (self_pid(), got_it));
                    forever().await;
                });
            }
            let mut winners: Vec<Pid> = Vec::new();
            let mut all: Vec<Pid> = Vec::new();
            for _ in 0..50 {
                let (pid, got_it) = receive::<(Pid, bool)>().await;
                all.push(pid);
                if got_it {
                    winners.push(pid);
                }
            }
            assert_eq!(winners, [whereis("one").unwrap()]);
            for pid in all {
                exit(pid, ExitReason::Kill);
            }
            assert_eq!(whereis("one"), None);
        }
    });
}

#[test]
fn an_empty_name_is_an_error() {
    on_node(async {
        let error = register("", self_pid()).unwrap_err();
        assert_eq!(error, RegisterError::Empty);
        assert_eq!(error.to_string(), "a name needs at least one character");
    });
}
