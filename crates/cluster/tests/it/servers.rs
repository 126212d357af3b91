//! Servers that are called from another node.

use std::time::Duration;

use greenroom::gen_server::{self, CallFailure, Caller, GenServer, InitError, Next, Reply, multi_call};
use greenroom::process::{self, Alias};
use greenroom::{ExitReason, accepts, receive, self_pid, send, spawn};
use serde::{Deserialize, Serialize};

use crate::nodes::pair;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Add(u64);
#[derive(Debug, Serialize, Deserialize)]
struct AddLater(u64);
#[derive(Debug, Serialize, Deserialize)]
struct Release;
#[derive(Debug, Serialize, Deserialize)]
struct Halt(String);
#[derive(Debug, Serialize, Deserialize)]
struct Unheard;

#[derive(Debug)]
struct Counter {
    sum: u64,
    waiting: Vec<Caller<u64>>,
}
accepts! { Counter:
    call add(Add) -> u64;
    call add_later(AddLater, caller) -> u64;
    call halt(Halt, caller) -> ();
    cast added(Add);
    cast release(Release);
}

impl GenServer for Counter {
    type Args = u64;
    async fn init(sum: u64) -> Result<Self, InitError> {
        Ok(Counter { sum, waiting: vec![] })
    }
}

impl Counter {
    async fn add(&mut self, Add(n): Add) -> u64 {
        self.sum += n;
        self.sum
    }

    async fn added(&mut self, Add(n): Add) {
        self.sum += n;
    }

    async fn add_later(&mut self, AddLater(n): AddLater, caller: Caller<u64>) -> Reply<u64> {
        self.sum += n;
        self.waiting.push(caller);
        Reply::later()
    }

    async fn release(&mut self, _: Release) {
        for caller in self.waiting.drain(..) {
            let sum = self.sum;
            spawn(async move { caller.reply(sum) });
        }
    }

    async fn halt(&mut self, Halt(why): Halt, _: Caller<()>) -> Reply<()> {
        Reply::later().and(Next::stop(why))
    }
}

/// Would accept what a counter does not.
#[derive(Debug)]
struct Other;
accepts! { Other: call unheard(Unheard) -> u64; }
impl GenServer for Other {
    type Args = ();
    async fn init((): ()) -> Result<Self, InitError> {
        Ok(Other)
    }
}
impl Other {
    async fn unheard(&mut self, _: Unheard) -> u64 {
        0
    }
}

#[test]
fn a_server_on_another_node_is_called_and_cast_to_by_pid_and_by_name() {
    let (near, far) = pair();
    let there = far.node.id();
    let counter = far.node.block_on(async { Counter::named("counter").start(1).await.unwrap() });
    let here = near.node.id();
    near.node.block_on(async move {
        assert_eq!(counter.call(Add(2)).await, Ok(3));
        counter.cast(Add(4));
        let named = Counter::at(("counter", there));
        assert_eq!(named.call(Add(3)).await, Ok(10));
        assert_eq!(gen_server::describe(counter.pid()).await.unwrap().accepts.len(), 5);
        assert!(gen_server::state(counter.pid()).await.unwrap().contains("sum: 10"));
        let answers = multi_call::<Counter, _>(&[there, here], "counter", Add(0), Duration::from_secs(5)).await;
        assert_eq!(answers.replies, [(there, 10)]);
        assert_eq!(answers.bad_nodes[0].1.why, CallFailure::NoProc);
        assert_eq!(process::info(self_pid()).unwrap().monitors, []);
        named.stop().await.unwrap();
    });
}

#[test]
fn another_process_answers_across_nodes_and_a_caller_travels() {
    let (near, far) = pair();
    let counter = far.node.block_on(async { Counter::start(1).await.unwrap() });
    let proxy = near.node.spawn(async move {
        let (number, caller) = receive::<(u64, Caller<u64>)>().await;
        caller.reply(number);
    });
    near.node.block_on(async move {
        let mut call = std::pin::pin!(counter.call(AddLater(2)));
        tokio::select! {
            biased;
            _ = &mut call => panic!("nobody has answered"),
            () = async { counter.cast(Release) } => {}
        }
        assert_eq!(call.await, Ok(3));
    });
    // A call within the far node that a process of the near one answers.
    far.node.block_on(async move {
        let relay = Relay::start(proxy).await.unwrap();
        assert_eq!(relay.call(Add(7)).await, Ok(7));
        relay.stop().await.unwrap();
    });
}

/// Lets a process elsewhere answer.
#[derive(Debug)]
struct Relay(greenroom::Pid);
accepts! { Relay: call add(Add, caller) -> u64; }
impl GenServer for Relay {
    type Args = greenroom::Pid;
    async fn init(to: greenroom::Pid) -> Result<Self, InitError> {
        Ok(Relay(to))
    }
}
impl Relay {
    async fn add(&mut self, Add(n): Add, caller: Caller<u64>) -> Reply<u64> {
        send(self.0, (n, caller));
        Reply::later()
    }
}

#[test]
fn case_105_a_late_answer_from_another_node_is_dropped() {
    let (near, far) = pair();
    let counter = far.node.block_on(async { Counter::start(1).await.unwrap() });
    near.node.block_on(async move {
        let outcome = counter.call_timeout(AddLater(1), Duration::from_millis(1)).await;
        assert_eq!(outcome.unwrap_err().why, CallFailure::Timeout(Duration::from_millis(1)));
        counter.cast(Release);
        // Each answer comes after the late one would have, from the same node by the same connection.
        for _ in 0..100 {
            counter.call(Add(0)).await.unwrap();
        }
        assert_eq!(process::info(self_pid()).unwrap().message_queue_len, 0);
    });
}

#[test]
fn case_54_an_alias_works_from_another_node_until_it_is_removed() {
    let (near, far) = pair();
    let echo = far.node.spawn(async {
        loop {
            let (alias, pid) = receive::<(Alias, greenroom::Pid)>().await;
            send(alias, 'a');
            send(pid, 'b');
        }
    });
    near.node.block_on(async move {
        let alias = Alias::new();
        send(echo, (alias, self_pid()));
        assert_eq!((receive::<char>().await, receive::<char>().await), ('a', 'b'));
        assert!(alias.remove());
        send(echo, (alias, self_pid()));
        assert_eq!(receive::<char>().await, 'b');
        assert_eq!(process::info(self_pid()).unwrap().message_queue_len, 0);
    });
}

#[test]
fn case_104_a_caller_on_another_node_learns_why_a_server_ended_or_refused() {
    let (near, far) = pair();
    let counter = far.node.block_on(async { Counter::start(1).await.unwrap() });
    near.node.block_on(async move {
        let refused = Other::at(counter.pid()).call(Unheard).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "{} was called with Unheard, but is a Counter, which accepts call Add -> u64, call AddLater -> u64, \
                 call Halt -> ()",
                counter.pid()
            )
        );
        let halted = counter.call(Halt("enough".into())).await.unwrap_err();
        assert_eq!(halted.why, CallFailure::Ended(ExitReason::from("enough")));
        assert_eq!(counter.call(Add(1)).await.unwrap_err().why, CallFailure::NoProc);
    });
}

#[test]
fn case_210_a_call_in_progress_is_over_when_the_connection_is_lost() {
    let (near, far) = pair();
    let counter = far.node.block_on(async { Counter::start(1).await.unwrap() });
    let node = far.node.clone();
    near.node.block_on(async move {
        let lost = counter.call_timeout(AddLater(1), Duration::MAX);
        let (lost, ()) = tokio::join!(lost, async move {
            counter.call(Add(1)).await.unwrap();
            node.shutdown();
        });
        let why = lost.unwrap_err().why;
        assert!(matches!(why, CallFailure::Ended(ExitReason::NoConnection | ExitReason::Killed)), "{why:?}");
    });
}
