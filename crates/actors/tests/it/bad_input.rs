//! What must not go through: each is refused, survived, or ends the program as SEMANTICS.md says.

use std::process::{Command, Output};
use std::time::Duration;

use greenroom::message::Target;
use greenroom::process::{TrySendError, send_async, try_send};
use greenroom::router::{Flow, Outgoing, RemoteSignal, Router, Unsendable};
use greenroom::{
    ExitReason, Local, Node, NodeId, Pid, exit, is_alive, receive, receive_timeout, self_pid, send, spawn,
    spawn_monitor,
};

use crate::support::{Ping, Pong, echo, end_of, forever, gone, has, on, on_node, on_quiet_node, round_trip};

/// A message whose destructor panics.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("bang");
    }
}

#[test]
fn a_message_whose_destructor_panics_harms_only_who_drops_it() {
    on_quiet_node(async {
        // Undelivered, in the mailbox of one that is killed, and of one that returns.
        let dead = spawn(async {});
        gone(dead).await;
        send(dead, Local(Bomb));
        let killed = spawn_monitor(forever());
        send(killed.0, Local(Bomb));
        exit(killed.0, ExitReason::Kill);
        assert_eq!(end_of(killed).await, ExitReason::Killed);
        let returned = spawn_monitor(async {
            receive::<Pong>().await;
        });
        send(returned.0, Local(Bomb));
        send(returned.0, Pong);
        assert_eq!(end_of(returned).await, ExitReason::Normal);
        // Dropped by the receiver itself, it is a panic like any other.
        let receiver = spawn_monitor(async { drop(receive::<Local<Bomb>>().await) });
        send(receiver.0, Local(Bomb));
        let ExitReason::Panic(panic) = end_of(receiver).await else { panic!() };
        assert_eq!(panic.message, "bang");
        // A timer that ends with its receiver, or is cancelled.
        let victim = spawn(forever());
        greenroom::send_after(victim, Local(Bomb), Duration::from_secs(1000));
        exit(victim, ExitReason::Kill);
        greenroom::send_after(self_pid(), Local(Bomb), Duration::from_secs(1000)).cancel();
        round_trip(spawn(echo())).await;
    });
}

#[test]
fn a_tag_whose_destructor_panics_harms_nobody() {
    on_quiet_node(async {
        let target = spawn(forever());
        let tag = || Local(Bomb);
        assert!(greenroom::demonitor(greenroom::process::Watch::on(target).tag(tag()).start()));
        let test = self_pid();
        let watcher = spawn_monitor(async move {
            greenroom::process::Watch::on(target).tag(tag()).start();
            send(test, Pong);
            forever().await;
        });
        receive::<Pong>().await;
        exit(watcher.0, ExitReason::Kill);
        assert_eq!(end_of(watcher).await, ExitReason::Killed);
        round_trip(spawn(echo())).await;
        assert!(is_alive(target));
    });
}

#[test]
fn a_time_out_that_never_comes_and_one_that_is_no_time_are_both_fine() {
    on_node(async {
        assert_eq!(receive_timeout::<u8>(Duration::ZERO).await, None);
        send(self_pid(), 1_u8);
        assert_eq!(receive_timeout::<u8>(Duration::MAX).await, Some(1));
    });
}

/// Another node that takes what is data.
struct Strict;

impl Router for Strict {
    fn send(&self, _: &Target, message: Outgoing<'_>) -> Result<Flow, Unsendable> {
        match serde_json::to_string(message.payload) {
            Ok(_) => Ok(Flow::Open),
            Err(error) => Err(Unsendable(error.to_string())),
        }
    }

    fn has_room(&self, _: NodeId, _: Pid, _: &std::task::Waker) -> bool {
        true
    }

    fn is_full(&self, _: NodeId) -> bool {
        false
    }

    fn signal(&self, _: NodeId, _: RemoteSignal) {}
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Holds {
    inside: Vec<Local<u32>>,
}

#[test]
fn what_is_local_is_refused_by_name_when_it_should_leave_its_node() {
    let node = Node::builder().workers(1).start().unwrap();
    let elsewhere = Node::builder().name("elsewhere").workers(1).start().unwrap();
    let far: Pid = elsewhere.spawn(forever());
    node.set_router(std::sync::Arc::new(Strict));
    let before = node.totals().dropped;
    on(&node, async move {
        let Err(TrySendError::NotData { to, why, message: Local(held) }) = try_send(far, Local(vec![1])) else {
            panic!("it went")
        };
        assert_eq!((to, held), (far, vec![1]));
        assert!(why.contains("Local<Vec<i32>> cannot leave its node"), "{why}");
        let nested = try_send(far, Holds { inside: vec![Local(1)] }).unwrap_err();
        assert!(nested.to_string().contains("Local<u32> cannot leave its node"), "{nested}");
        assert_eq!(nested.into_message().inside[0].0, 1);
        assert!(matches!(send_async(far, Local('x')).await, Err(TrySendError::NotData { .. })));
        try_send(far, 7_u32).unwrap();
        send(far, Local('x')); // Says so on standard error.
    });
    assert_eq!(node.totals().dropped - before, 1);
}

/// Runs a test of this program by itself, with an order to do what would end this one.
fn child(test: &str) -> Output {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "--nocapture", test]).env(ORDER, "1").env("RUST_BACKTRACE", "0");
    command.output().unwrap()
}

const ORDER: &str = "GREENROOM_TEST_MAY_END";

fn is_child() -> bool {
    std::env::var_os(ORDER).is_some()
}

#[test]
fn case_24_a_panic_in_a_destructor_during_another_ends_the_program() {
    if is_child() {
        on_node(async {
            spawn(async {
                let _bomb = Bomb;
                panic!("first");
            });
            forever().await;
        });
    }
    let output = child("bad_input::case_24_a_panic_in_a_destructor_during_another_ends_the_program");
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("first") && told.contains("bang") && told.contains("abort"), "{told}");
}

#[test]
fn case_24_a_process_that_exits_the_program_does() {
    if is_child() {
        on_node(async {
            spawn(async { std::process::exit(42) });
            forever().await;
        });
    }
    assert_eq!(child("bad_input::case_24_a_process_that_exits_the_program_does").status.code(), Some(42));
}

#[test]
#[allow(unconditional_recursion, reason = "that is what is tested")]
fn case_24_a_stack_overflow_ends_the_program() {
    fn deep(n: u64) -> u64 {
        std::hint::black_box([n; 1000])[0] + deep(n + 1)
    }
    if is_child() {
        on_node(async {
            spawn(async { drop(Box::new(deep(0))) });
            forever().await;
        });
    }
    let output = child("bad_input::case_24_a_stack_overflow_ends_the_program");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("overflowed its stack"));
}

#[test]
fn a_program_that_aborts_on_panic_is_refused_with_the_reason() {
    let folder = std::env::temp_dir().join(format!("greenroom-abort-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"aborts\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         greenroom = {{ path = {:?} }}\n[profile.dev]\npanic = \"abort\"\nopt-level = 0\ndebug = 0\n",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let main = "fn main() { println!(\"{}\", greenroom::Node::builder().start().err().unwrap()); }\n";
    std::fs::write(folder.join("src/main.rs"), main).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["run", "--offline", "--quiet"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .output();
    std::fs::remove_dir_all(&folder).unwrap();
    let output = output.unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        told.trim(),
        "processes need unwinding: set `panic = \"unwind\"` in the Cargo profile",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn sending_to_nobody_says_so_where_that_can_be_known() {
    on_node(async {
        let error = send("nobody", Ping(self_pid())).unwrap_err();
        assert_eq!(error.to_string(), "nobody is registered as `nobody`");
        assert_eq!(error.message.0, self_pid());
        assert!(!has::<Pong>().await);
    });
}
