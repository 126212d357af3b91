//! Processes together with tokio, plain threads, streams and sinks.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use greenroom::stream::{Gone, messages, sink};
use greenroom::{
    ExitReason, Node, exit, exit_self, receive, receive_timeout, self_pid, send, spawn, spawn_blocking, spawn_monitor,
    testing,
};

use crate::support::{Ping, Pong, echo, end_of, forever, gone, has, on_node, on_quiet_node};

fn tokio() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_stream_has_the_messages_of_its_type_in_order_and_leaves_the_others() {
    on_node(async {
        let me = self_pid();
        spawn(async move {
            for n in 0..100_u32 {
                send(me, n);
                send(me, n.to_string());
            }
        });
        let taken: Vec<u32> = messages::<u32>().take(100).collect().await;
        assert!(taken.into_iter().eq(0..100));
        assert_eq!(receive::<String>().await, "0");
    });
}

#[test]
fn a_stream_that_waits_takes_nothing_and_can_be_left() {
    testing::run(|clock| async move {
        let me = self_pid();
        let mut stream = messages::<u32>();
        send(me, 'x');
        let first = tokio::select! {
            biased;
            _ = stream.next() => 'n',
            letter = receive::<char>() => letter,
        };
        assert_eq!(first, 'x');
        send(me, 7_u32);
        clock.settled().await;
        assert_eq!(receive_timeout::<u32>(Duration::ZERO).await, Some(7));
    });
}

#[test]
fn a_sink_ends_when_its_process_has() {
    on_node(async {
        let (reader, watch) = spawn_monitor(async {
            for _ in 0..3 {
                receive::<u32>().await;
            }
        });
        let mut sink = sink::<u32>(reader);
        for n in 0..3 {
            sink.send(n).await.unwrap();
        }
        end_of((reader, watch)).await;
        assert_eq!(sink.send(3).await, Err(Gone { pid: reader }));
    });
}

#[test]
fn blocking_work_does_not_keep_the_worker() {
    let node = Node::builder().workers(1).start().unwrap();
    node.block_on(async {
        let (go, wait) = std::sync::mpsc::channel::<u32>();
        let work = spawn_blocking(move || wait.recv().unwrap());
        let echo = spawn(echo());
        send(echo, Ping(self_pid()));
        receive::<Pong>().await;
        go.send(7).unwrap();
        assert_eq!(work.await, Ok(7));
    });
}

#[test]
fn a_panic_of_blocking_work_is_the_callers_error() {
    on_node(async {
        let outcome = spawn_blocking(|| std::panic::resume_unwind(Box::new("broken"))).await;
        let Err(ExitReason::Panic(panic)) = outcome.map(|(): ()| ()) else { panic!("it should have failed") };
        assert_eq!(panic.message, "broken");
    });
}

#[test]
fn blocking_work_of_the_dead_runs_on_and_harms_nobody() {
    on_node(async {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (done, is_done) = tokio::sync::oneshot::channel();
        let caller = spawn(async move {
            let work = spawn_blocking(move || {
                let _ = wait.recv();
                let _ = done.send(());
            });
            let _ = work.await;
        });
        while greenroom::process::info(caller).unwrap().status != greenroom::process::Status::Waiting {
            greenroom::yield_now().await;
        }
        exit(caller, ExitReason::Kill);
        gone(caller).await;
        drop(go);
        is_done.await.unwrap();
    });
}

#[test]
fn a_tokio_task_awaits_what_a_process_returns() {
    let node = Node::builder().workers(1).on_panic(|_| ()).start().unwrap();
    tokio().block_on(async {
        let task = tokio::spawn({
            let node = node.clone();
            async move { node.run(async { (self_pid().to_string(), 6 * 7) }).await }
        });
        assert_eq!(task.await.unwrap().unwrap().1, 42);
        let failed = node.run(async { panic!("broken") }).await.map(|(): ()| ());
        assert!(
            matches!(failed, Err(ExitReason::Panic(panic)) if panic.message == "broken" && panic.location.is_some())
        );
        let left = node.run(async { exit_self("enough") }).await.map(|(): ()| ());
        assert_eq!(left, Err(ExitReason::from("enough")));
    });
    node.shutdown();
    assert_eq!(tokio().block_on(node.run(async {})), Err(ExitReason::Killed));
}

#[test]
fn a_plain_thread_and_a_tokio_task_send_to_processes() {
    let node = Node::builder().workers(1).start().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let collector = node.spawn(async move {
        for _ in 0..3 {
            tell.send(receive::<u32>().await).unwrap();
        }
    });
    let plain = node.clone();
    std::thread::spawn(move || plain.send(collector, 1_u32)).join().unwrap();
    tokio().block_on(async {
        node.send(collector, 2_u32);
        node.sink::<u32>(collector).send(3).await.unwrap();
    });
    assert_eq!([(); 3].map(|()| told.recv().unwrap()), [1, 2, 3]);
}

#[test]
fn tokio_channels_work_between_tasks_and_processes() {
    let node = Node::builder().workers(2).start().unwrap();
    tokio().block_on(async {
        let (tx, mut rx) = tokio::sync::mpsc::channel(1);
        let process = node.run(async move {
            for n in 0..100_u32 {
                tx.send(n).await.unwrap();
            }
        });
        let mut seen = 0;
        while let Some(n) = rx.recv().await {
            assert_eq!(n, seen);
            seen += 1;
        }
        assert_eq!((process.await, seen), (Ok(()), 100));
    });
}

#[test]
fn a_yield_point_lets_others_run_when_the_turn_is_used_up() {
    let node = Node::builder().workers(1).start().unwrap();
    node.block_on(async {
        let me = self_pid();
        let endless = spawn(async {
            loop {
                greenroom::yield_point!();
            }
        });
        spawn(async move { send(me, Pong) });
        receive::<Pong>().await;
        exit(endless, ExitReason::Kill);
        gone(endless).await;
    });
    tokio().block_on(async { greenroom::yield_point!() });
}

#[test]
fn yielding_wakes_through_the_wakers_of_others() {
    on_quiet_node(async {
        let mut all: futures_util::stream::FuturesUnordered<_> =
            (0..10).map(|_| async { greenroom::yield_now().await }).collect();
        let mut done = 0;
        while all.next().await.is_some() {
            done += 1;
        }
        assert_eq!(done, 10);
        assert!(!has::<Pong>().await);
        let _ = spawn(forever());
    });
}
