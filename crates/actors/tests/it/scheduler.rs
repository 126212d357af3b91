//! Workers, turns and nodes: who gets to run, and what happens at the edges of a node.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use greenroom::{ExitReason, Node, Pid, exit, exit_self, process, receive, self_pid, send, spawn, spawn_monitor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Ping, Pong, echo, end_of, forever, on, on_node, round_trip};

#[test]
fn a_process_that_always_has_messages_lets_others_run() {
    on(&Node::builder().workers(1).start().unwrap(), async {
        let greedy = spawn(async {
            send(self_pid(), Pong);
            loop {
                receive::<Pong>().await;
                send(self_pid(), Pong);
            }
        });
        let talkers = [spawn(echo()), spawn(echo())];
        for _ in 0..100 {
            for talker in talkers {
                round_trip(talker).await;
            }
        }
        exit(greedy, ExitReason::Kill);
    });
}

#[test]
fn two_in_conversation_do_not_starve_a_third() {
    on(&Node::builder().workers(1).start().unwrap(), async {
        let server = spawn(echo());
        let client = spawn(async move {
            loop {
                round_trip(server).await;
            }
        });
        for _ in 0..100 {
            greenroom::yield_now().await;
        }
        exit(client, ExitReason::Kill);
        exit(server, ExitReason::Kill);
    });
}

#[test]
fn what_comes_from_outside_is_not_starved_by_what_is_inside() {
    let node = Node::builder().workers(1).start().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    for _ in 0..2 {
        let stop = stop.clone();
        node.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                greenroom::yield_now().await;
            }
        });
    }
    assert_eq!(on(&node, async { 7 }), 7);
    stop.store(true, Ordering::Relaxed);
}

#[test]
fn tokio_timers_and_blocking_threads_wake_processes_while_messages_arrive() {
    on_node(async {
        let parent = self_pid();
        for n in 0..200_u32 {
            let sleeper = spawn(async move {
                for _ in 0..5 {
                    tokio::time::sleep(Duration::from_micros(u64::from(n) * 10)).await;
                    let doubled = tokio::task::spawn_blocking(move || n * 2).await.unwrap();
                    assert_eq!(doubled, n * 2);
                }
                let mut received = 0;
                while received < 50 {
                    receive::<u8>().await;
                    received += 1;
                }
                send(parent, Pong);
            });
            spawn(async move {
                for n in 0..50_u8 {
                    send(sleeper, n);
                    greenroom::yield_now().await;
                }
            });
        }
        for _ in 0..200 {
            receive::<Pong>().await;
        }
    });
}

#[test]
fn sockets_wake_processes_while_messages_arrive() {
    on_node(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let parent = self_pid();
        spawn(async move {
            for _ in 0..8 {
                let (mut stream, _) = listener.accept().await.unwrap();
                spawn(async move {
                    let mut byte = [0];
                    while stream.read_exact(&mut byte).await.is_ok() {
                        stream.write_all(&byte).await.unwrap();
                    }
                });
            }
        });
        for _ in 0..8 {
            let client = spawn(async move {
                let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
                for n in 0..100_u8 {
                    stream.write_all(&[n]).await.unwrap();
                    let mut back = [0];
                    // Messages come in between and stay.
                    let message = tokio::select! {
                        read = stream.read_exact(&mut back) => { read.unwrap(); None }
                        message = receive::<u32>() => Some(message),
                    };
                    if message.is_some() {
                        stream.read_exact(&mut back).await.unwrap();
                    }
                    assert_eq!(back, [n]);
                }
                send(parent, Pong);
            });
            spawn(async move {
                for n in 0..1000_u32 {
                    send(client, n);
                    greenroom::yield_now().await;
                }
            });
        }
        for _ in 0..8 {
            receive::<Pong>().await;
        }
    });
}

#[test]
fn wakers_that_outlive_their_process_are_harmless() {
    on_node(async {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..100 {
            let sender = sender.clone();
            let victim = spawn_monitor(std::future::poll_fn(move |context| {
                sender.send(context.waker().clone()).unwrap();
                std::task::Poll::<()>::Pending
            }));
            let waker = receiver.recv().unwrap();
            waker.wake_by_ref();
            exit(victim.0, ExitReason::Kill);
            assert_eq!(end_of(victim).await, ExitReason::Killed);
            let heir = spawn(forever());
            waker.wake();
            exit(heir, ExitReason::Kill);
        }
    });
}

#[test]
fn wakes_from_many_threads_are_never_lost() {
    on_node(async {
        for _ in 0..200 {
            let ready = Arc::new(AtomicUsize::new(0));
            let (sender, receiver) = mpsc::channel::<std::task::Waker>();
            let counted = ready.clone();
            let waker_thread = std::thread::spawn(move || {
                while let Ok(waker) = receiver.recv() {
                    counted.fetch_add(1, Ordering::SeqCst);
                    waker.wake();
                }
            });
            let sleeper = spawn_monitor(async move {
                for n in 1..=50 {
                    let mut is_sent = false;
                    std::future::poll_fn(|context| {
                        if ready.load(Ordering::SeqCst) >= n {
                            return std::task::Poll::Ready(());
                        }
                        if !std::mem::replace(&mut is_sent, true) {
                            sender.send(context.waker().clone()).unwrap();
                        }
                        std::task::Poll::Pending
                    })
                    .await;
                }
            });
            assert_eq!(end_of(sleeper).await, ExitReason::Normal);
            waker_thread.join().unwrap();
        }
    });
}

#[test]
fn sleeping_workers_wake_for_every_single_piece_of_work() {
    let node = Node::builder().workers(4).start().unwrap();
    let server = node.spawn(echo());
    for _ in 0..2000 {
        let (sender, receiver) = mpsc::channel();
        node.spawn(async move {
            round_trip(server).await;
            sender.send(()).unwrap();
        });
        receiver.recv_timeout(Duration::from_secs(30)).expect("the process never ran");
    }
}

/// Counts how many of it there are.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Counted(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn a_node_that_stops_drops_everything_that_its_processes_held() {
    let count = Arc::new(AtomicUsize::new(0));
    for _ in 0..50 {
        let node = Node::builder().workers(3).start().unwrap();
        let counted = count.clone();
        node.block_on(async move {
            let parent = self_pid();
            for n in 0..200 {
                let (held, message) = (Counted::new(&counted), Counted::new(&counted));
                let pid = spawn(async move {
                    let _held = held;
                    match n % 4 {
                        0 => forever().await,
                        1 => tokio::time::sleep(Duration::from_secs(3600)).await,
                        2 => process::sleep(Duration::from_secs(3600)).await,
                        _ => loop {
                            spawn(async {});
                            send(parent, Pong);
                            greenroom::yield_now().await;
                        },
                    }
                });
                send(pid, greenroom::Local(message));
                greenroom::send_after(pid, greenroom::Local(Counted::new(&counted)), Duration::from_secs(3600));
            }
        });
        node.shutdown();
        assert!(node.list().is_empty());
        let late = Counted::new(&count);
        let refused = node.spawn(async move { drop(late) });
        assert!(!node.is_alive(refused));
        drop(node);
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[test]
fn a_node_can_be_stopped_and_dropped_by_its_own_process() {
    let (sender, receiver) = mpsc::channel();
    for n in 0..50 {
        let node = Node::builder().workers(2).start().unwrap();
        let owned = node.clone();
        let sender = sender.clone();
        node.spawn(async move {
            if n % 2 == 0 {
                owned.shutdown();
            }
            drop(owned);
            sender.send(n).unwrap();
        });
        drop(node);
        assert_eq!(receiver.recv_timeout(Duration::from_secs(30)), Ok(n));
    }
}

#[test]
fn several_nodes_run_side_by_side_and_one_can_use_another() {
    let inner = Node::builder().name("inner").workers(1).start().unwrap();
    on_node(async move {
        let (sender, receiver) = mpsc::channel();
        inner.spawn(async move { sender.send(self_pid()).unwrap() });
        let stranger = receiver.recv().unwrap();
        assert!(stranger.to_string().starts_with("<inner."), "{stranger}");
        assert_ne!(stranger.node(), self_pid().node());
        send(stranger, Pong);
        exit(stranger, ExitReason::Kill);
        assert!(!greenroom::is_alive(stranger));
        inner.shutdown();
    });
}

fn panic_of(result: std::thread::Result<()>) -> String {
    let payload = result.unwrap_err();
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap()
}

#[test]
fn block_on_panics_with_its_futures_panic_and_the_node_lives_on() {
    let node = Node::builder().workers(2).on_panic(|_| ()).start().unwrap();
    let block = |reason: &'static str| {
        panic_of(catch_unwind(AssertUnwindSafe(|| {
            node.block_on(async move {
                match reason {
                    "panic" => panic!("from within"),
                    "exit" => exit_self("out"),
                    _ => {
                        exit(self_pid(), ExitReason::Kill);
                        forever().await;
                    }
                }
            });
        })))
    };
    assert_eq!(block("panic"), "from within");
    assert_eq!(block("exit"), "the process that was blocked on exited");
    assert_eq!(block("kill"), "the process that was blocked on was ended by a signal");
    assert_eq!(node.block_on(async { 1 }), 1);
    let inner = node.clone();
    let nested = node.block_on(async move { panic_of(catch_unwind(AssertUnwindSafe(|| inner.block_on(async {})))) });
    assert!(nested.starts_with("`block_on` was called within a process"), "{nested}");
}

#[test]
fn a_word_of_otp_outside_of_a_process_says_what_to_do() {
    let said = panic_of(catch_unwind(|| _ = self_pid()));
    assert_eq!(said, "`self_pid` was called outside of a process: run it within `greenroom::run` or `Node::block_on`");
}

#[test]
fn case_12_kill_storms_against_processes_that_are_sending_harm_nobody() {
    on_node(async {
        let receiver = spawn(async {
            loop {
                receive::<(Pid, u32)>().await;
            }
        });
        let mut senders: Vec<Pid> = Vec::new();
        for round in 0..100 {
            for _ in 0..20 {
                senders.push(spawn(async move {
                    loop {
                        for n in 0..10_u32 {
                            send(receiver, (self_pid(), n));
                        }
                        send(self_pid(), Ping(receiver));
                        receive::<Ping>().await;
                        greenroom::yield_now().await;
                    }
                }));
            }
            let victims = senders.split_off(senders.len() / 2);
            let storm = spawn_monitor(async move {
                for victim in victims {
                    exit(victim, if round % 2 == 0 { ExitReason::Kill } else { "storm".into() });
                }
            });
            end_of(storm).await;
        }
        for sender in senders {
            exit(sender, ExitReason::Kill);
        }
        exit(receiver, ExitReason::Kill);
        assert_eq!(process::list(), [self_pid()]);
    });
}
