//! Functions that run on other nodes, and what their callers learn.

use std::time::Duration;

use greenroom::message::{Down, Exit};
use greenroom::{ExitReason, NodeId, Pid, exit, link, monitor, node, receive, self_pid, send, trap_exit};
use greenroom_cluster::erpc::{self, CallError};
use greenroom_cluster::spawn_on;

use crate::nodes::{member, pair};

const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a test on a node that is connected to another.
fn on_two<F: Future<Output: Send + 'static> + Send + 'static>(test: impl FnOnce(NodeId) -> F) -> F::Output {
    let (near, far) = pair();
    let test = test(far.node.id());
    near.node.block_on(test)
}

async fn sum(numbers: Vec<i64>) -> i64 {
    numbers.into_iter().sum()
}

async fn where_am_i(_: ()) -> NodeId {
    self_pid().node()
}

#[test]
fn a_function_runs_on_the_other_node_and_its_result_comes_back() {
    on_two(|far| async move {
        assert_eq!(erpc::call(far, sum, vec![1, 2, -6], PATIENCE).await, Ok(-3));
        assert_eq!(erpc::call(far, where_am_i, (), PATIENCE).await, Ok(far));
        assert_eq!(erpc::call(node(), where_am_i, (), PATIENCE).await, Ok(node()));
        let shout = |text: String| async move { text.to_uppercase() };
        assert_eq!(erpc::call(far, shout, "loud".to_owned(), PATIENCE).await, Ok("LOUD".to_owned()));
    });
}

#[test]
fn case_208_panic_exit_error_time_out_and_noconnection_are_told_apart() {
    on_two(|far| async move {
        async fn panics(text: String) -> u8 {
            panic!("{text}")
        }
        fn panics_at_once(_: u8) -> std::future::Ready<u8> {
            panic!("before it began")
        }
        let panicked = erpc::call(far, panics, "oh no".to_owned(), PATIENCE).await;
        assert!(matches!(&panicked, Err(CallError::Panicked(panic)) if panic.message == "oh no"), "{panicked:?}");
        let panicked = erpc::call(far, panics_at_once, 1, PATIENCE).await;
        assert!(matches!(&panicked, Err(CallError::Panicked(panic)) if panic.message == "before it began"));
        let exits = |()| async { greenroom::exit_self("enough") };
        let exited: Result<(), _> = erpc::call(far, exits, (), PATIENCE).await;
        assert_eq!(exited, Err(CallError::Exited("enough".into())));
        let fails = |number: u8| async move { if number > 1 { Err("too much".to_owned()) } else { Ok(number) } };
        assert_eq!(erpc::call(far, fails, 2, PATIENCE).await, Ok(Err("too much".to_owned())));
        let sleeps = |()| async { receive::<()>().await };
        assert_eq!(erpc::call(far, sleeps, (), Duration::from_millis(20)).await, Err(CallError::TimedOut));
        let alone = greenroom::Node::builder().name("alone").start().unwrap();
        assert_eq!(erpc::call(alone.id(), sum, vec![], PATIENCE).await, Err(CallError::NoConnection));
        // It still serves.
        assert_eq!(erpc::call(far, sum, vec![1], PATIENCE).await, Ok(1));
        assert_eq!(greenroom::process::info(self_pid()).unwrap().message_queue_len, 0);
    });
}

#[test]
fn case_210_a_node_that_is_lost_in_mid_call_is_noconnection() {
    let (near, far) = pair();
    let (cluster, far_id) = (near.cluster.clone(), far.node.id());
    near.node.block_on(async move {
        let caller = self_pid();
        let begun = |caller: Pid| async move {
            send(caller, true);
            receive::<()>().await
        };
        let (_, watch) = greenroom::spawn_monitor(async move {
            match erpc::call(far_id, begun, caller, PATIENCE).await {
                Err(CallError::NoConnection) => ExitReason::Normal,
                other => ExitReason::Error(format!("{other:?}").into()),
            }
        });
        assert!(receive::<bool>().await);
        cluster.disconnect(far_id);
        let down = receive! { down: Down if down.reference == watch => down };
        assert_eq!(down.reason, ExitReason::Normal);
    });
}

#[test]
fn a_process_is_spawned_on_another_node_and_ends_as_its_function_says() {
    on_two(|far| async move {
        let echo = spawn_on(
            far,
            |to: Pid| async move {
                send(to, self_pid());
                Err::<(), _>(receive::<String>().await)
            },
            self_pid(),
        );
        let echo = echo.await;
        assert_eq!((echo.node(), receive::<Pid>().await), (far, echo));
        let watch = monitor(echo);
        send(echo, "done".to_owned());
        let down = receive::<Down>().await;
        assert_eq!((down.reference, down.reason), (watch, ExitReason::Error("done".into())));
        erpc::cast(far, |to: Pid| async move { send(to, 7_u8) }, self_pid());
        assert_eq!(receive::<u8>().await, 7);
        let idle = spawn_on(far, |()| async { receive::<()>().await }, ()).await;
        monitor(idle);
        exit(idle, ExitReason::Kill);
        assert_eq!(receive::<Down>().await.reason, ExitReason::Killed);
    });
}

#[test]
fn case_206_spawning_on_a_node_that_is_gone_gives_a_pid_that_says_noconnection() {
    let (near, far) = pair();
    let far_id = far.node.id();
    far.node.shutdown();
    near.node.block_on(async move {
        trap_exit(true);
        let pid = spawn_on(far_id, sum_and_forget, vec![1]).await;
        assert_eq!(pid.node(), far_id);
        monitor(pid);
        assert_eq!(receive::<Down>().await.reason, ExitReason::NoConnection);
        link(pid);
        assert_eq!(receive::<Exit>().await.reason, ExitReason::NoConnection);
    });
}

#[test]
fn case_207_a_node_of_another_program_has_not_the_function_and_says_which_programs_these_are() {
    let cookie = greenroom_cluster::Cookie::random();
    let home = member("home", &cookie);
    let address = home.cluster.listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut other = std::process::Command::new(crate::examples::program("remote_shell"))
        .env("GREENROOM_EXAMPLE_HOME", address.to_string())
        .env("GREENROOM_EXAMPLE_COOKIE", cookie.reveal())
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while home.cluster.nodes().is_empty() {
        std::thread::yield_now();
    }
    let node = home.cluster.nodes()[0];
    let (called, spawned) = home.node.block_on(async move {
        let called = erpc::call(node, sum, vec![1], Duration::MAX).await;
        // There is a process all the same, which ends at once, mostly before it can be watched.
        let spawned = spawn_on(node, sum_and_forget, vec![1]).await;
        monitor(spawned);
        match receive::<Down>().await.reason {
            ExitReason::NoProc => {}
            ExitReason::Error(why) => assert!(why.to_string().starts_with("undef: "), "{why}"),
            other => panic!("{other:?}"),
        }
        (called, spawned)
    });
    assert_eq!(spawned.node(), node);
    let Err(CallError::Undefined(undefined)) = called else { panic!("{called:?}") };
    assert_ne!(undefined.wanted, undefined.there);
    for fingerprint in [&undefined.wanted, &undefined.there] {
        assert!(undefined.to_string().contains(&fingerprint.to_string()), "{undefined}");
    }
    other.kill().unwrap();
    other.wait().unwrap();
}

async fn sum_and_forget(numbers: Vec<i64>) {
    sum(numbers).await;
}

#[test]
fn a_function_is_called_on_many_nodes_and_each_answers_for_itself() {
    let cookie = greenroom_cluster::Cookie::random();
    let home = member("home", &cookie);
    let others: Vec<_> = ["a", "b", "c"].map(|name| member(name, &cookie)).into();
    let addresses: Vec<_> =
        others.iter().map(|other| other.cluster.listen("127.0.0.1:0".parse().unwrap()).unwrap()).collect();
    let cluster = home.cluster.clone();
    home.node.block_on(async move {
        let mut nodes = Vec::new();
        for address in addresses {
            nodes.push(cluster.connect(address).await.unwrap());
        }
        others[1].node.shutdown();
        let results = erpc::multicall(&nodes, where_am_i, (), PATIENCE).await;
        assert_eq!(results, [Ok(nodes[0]), Err(CallError::NoConnection), Ok(nodes[2])]);
    });
}

#[test]
fn a_timer_sends_to_a_process_of_another_node() {
    let (near, far) = pair();
    let (sender, told) = std::sync::mpsc::channel();
    let to = far.node.spawn(async move { sender.send(receive::<u8>().await).unwrap() });
    near.node.block_on(async move {
        greenroom::send_after(to, 3_u8, Duration::from_millis(5));
    });
    assert_eq!(told.recv().unwrap(), 3);
}
