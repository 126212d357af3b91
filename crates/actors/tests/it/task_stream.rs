//! Group J: a task for each of many inputs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use greenroom::task::{Failed, OnTimeout, Why, async_stream};
use greenroom::{Clock, ExitReason, Pid, Task, exit, exit_self, process, receive, self_pid, send, sleep, trap_exit};

use crate::support::{end_of, end_of_new, forever, leaving_nothing, nothing_is_left, on_node, on_quiet_node, other};

const SECOND: Duration = Duration::from_secs(1);

/// Waits the longer the smaller it is.
async fn late(n: u32) -> u32 {
    sleep(Duration::from_secs(100 - u64::from(n))).await;
    n
}

/// What comes of a future in another process while the time passes.
async fn meanwhile<T: std::fmt::Debug + Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
    clock: &Clock,
    by: Duration,
) -> T {
    let trapped = trap_exit(false);
    trap_exit(trapped);
    let task = Task::spawn(async move {
        trap_exit(trapped);
        future.await
    });
    clock.pass(by).await;
    task.await
}

#[test]
fn case_173_values_come_in_the_order_of_their_inputs() {
    leaving_nothing(|clock| async move {
        let stream = async_stream(0..20, late).max_concurrency(20);
        let values = meanwhile(stream.all(), &clock, 100 * SECOND).await;
        assert!(values.into_iter().map(Result::unwrap).eq(0..20));
    });
}

#[test]
fn case_173_or_as_they_are_done() {
    leaving_nothing(|clock| async move {
        let stream = async_stream(0..20, late).max_concurrency(20).unordered();
        let values = meanwhile(stream.all(), &clock, 100 * SECOND).await;
        assert!(values.into_iter().map(Result::unwrap).eq((0..20).rev()));
    });
}

#[test]
fn it_is_a_stream_for_everyones_combinators() {
    leaving_nothing(|_| async {
        let stream = async_stream(1..=100_u64, |n| async move { n }).max_concurrency(7);
        assert_eq!(stream.size_hint(), (100, Some(100)));
        let values: Vec<_> = stream.collect().await;
        assert!(values.into_iter().map(Result::unwrap).eq(1..=100));
        let sum = async_stream(1..=100_u64, |n| async move { n }).unordered().fold(0, async |sum, n| sum + n.unwrap());
        assert_eq!(sum.await, 5050);
        let none = async_stream(0..0, late).all().await;
        assert_eq!(none, []);
    });
}

#[test]
fn case_174_never_are_more_under_way_and_inputs_are_taken_when_there_is_room() {
    for unordered in [false, true] {
        on_node(async move {
            let (running, most, taken) = <(Arc<AtomicUsize>, Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
            let counted = taken.clone();
            let inputs = std::iter::repeat_with(move || counted.fetch_add(1, SeqCst)); // Without an end.
            let watched = most.clone();
            let stream = async_stream(inputs, move |n| {
                let (running, most) = (running.clone(), watched.clone());
                async move {
                    most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                    greenroom::yield_now().await;
                    running.fetch_sub(1, SeqCst);
                    n
                }
            });
            let mut stream = stream.max_concurrency(5);
            if unordered {
                stream = stream.unordered();
            }
            for handed_out in 1..=500 {
                stream.next().await.unwrap().unwrap();
                assert!(taken.load(SeqCst) <= handed_out + 4);
            }
            drop(stream);
            assert!(most.load(SeqCst) <= 5);
            nothing_is_left().await;
        });
    }
}

#[test]
fn case_174_one_at_a_time_is_one_after_the_other() {
    leaving_nothing(|clock| async move {
        let stream = async_stream(98..100, late).max_concurrency(1);
        let values = meanwhile(stream.all(), &clock, 3 * SECOND).await;
        assert_eq!(values, [Ok(98), Ok(99)]);
    });
}

#[test]
fn an_async_stream_that_could_never_run_is_refused() {
    on_quiet_node(async {
        let ExitReason::Panic(panic) = end_of_new(async { drop(async_stream(0..1, late).max_concurrency(0)) }).await
        else {
            panic!()
        };
        assert_eq!(panic.message, "an async_stream needs a max_concurrency of at least 1");
    });
}

#[test]
fn case_175_an_item_that_takes_too_long_ends_the_caller() {
    leaving_nothing(|clock| async move {
        for nolink in [false, true] {
            let caller = process::spawn_monitor(async move {
                let mut stream = async_stream(90..100, late).max_concurrency(10).timeout(5 * SECOND, OnTimeout::Exit);
                if nolink {
                    stream = stream.nolink();
                }
                stream.all().await;
            });
            clock.pass(5 * SECOND).await;
            assert_eq!(end_of(caller).await, other("an item of an async_stream took longer than 5s"));
            nothing_is_left().await;
        }
    });
}

#[test]
fn case_175_or_an_error_comes_in_its_place() {
    leaving_nothing(|clock| async move {
        for (traps, unordered) in [(false, false), (true, false), (false, true)] {
            trap_exit(traps);
            let stream =
                async_stream([93, 94, 96, 97], late).max_concurrency(2).timeout(5 * SECOND, OnTimeout::KillTask);
            let stream = if unordered { stream.unordered() } else { stream };
            let values = meanwhile(stream.all(), &clock, 20 * SECOND).await;
            let late = || Err(Failed { input: None, why: Why::TimedOut(5 * SECOND) });
            let in_time = if unordered { [Ok(97), Ok(96)] } else { [Ok(96), Ok(97)] };
            assert_eq!(values[..2], [late(), late()]);
            assert_eq!(values[2..], in_time);
        }
    });
}

#[test]
fn a_linked_crash_kills_the_caller_and_all_tasks() {
    leaving_nothing(|_| async {
        let crash = async {
            let work = |n| async move {
                if n == 3 {
                    exit_self("boom")
                }
                forever().await;
            };
            async_stream(0..5, work).max_concurrency(5).all().await;
        };
        assert_eq!(end_of_new(crash).await, other("boom"));
    });
}

/// Ends without a value for every third.
async fn unlucky(n: u32) -> u32 {
    if n.is_multiple_of(3) { exit_self(format!("{n}!")) } else { n }
}

#[test]
fn case_178_the_input_travels_with_the_error() {
    leaving_nothing(|clock| async move {
        for traps in [false, true] {
            trap_exit(traps);
            let stream = async_stream(1..=4, unlucky).with_input();
            let stream = if traps { stream } else { stream.nolink() };
            let error = Failed { input: Some(3), why: Why::Exited(other("3!")) };
            assert_eq!(error.to_string(), "no value for 3: its task has ended: 3!");
            assert_eq!(stream.all().await, [Ok(1), Ok(2), Err(error), Ok(4)]);
            nothing_is_left().await;
        }
        let stream = async_stream(["slow"], |_| forever()).with_input().timeout(SECOND, OnTimeout::KillTask);
        let values = meanwhile(stream.all(), &clock, SECOND).await;
        assert_eq!(
            values[0].as_ref().unwrap_err().to_string(),
            "no value for \"slow\": its task was killed as it took longer than 1s"
        );
        let plain = async_stream(3..=3, unlucky).nolink().all().await;
        assert_eq!(plain, [Err(Failed { input: None, why: Why::Exited(other("3!")) })]);
    });
}

#[test]
fn case_177_halting_early_kills_the_rest_and_leaves_no_message_or_link() {
    for (traps, nolink) in [(false, false), (true, false), (false, true), (true, true)] {
        on_node(async move {
            trap_exit(traps);
            let runs = Arc::new(AtomicUsize::new(0));
            for round in 0..200_u32 {
                let runs = runs.clone();
                let work = move |n: u32| {
                    let runs = runs.clone();
                    async move {
                        runs.fetch_add(1, SeqCst);
                        if n > 2 && n % 2 == round % 2 {
                            forever().await;
                        }
                    }
                };
                let stream = async_stream(0.., work).max_concurrency(8).unordered();
                let mut stream = if nolink { stream.nolink() } else { stream };
                for _ in 0..3 {
                    stream.next().await.unwrap().unwrap();
                }
                drop(stream);
                let info = process::info(self_pid()).unwrap();
                assert_eq!((info.links, info.monitors, info.message_queue_len), (vec![], vec![], 0));
            }
            nothing_is_left().await;
        });
    }
}

#[test]
fn case_177_crashes_at_the_moment_of_halting_leave_nothing() {
    on_node(async {
        trap_exit(true);
        for _ in 0..500 {
            let mut stream = async_stream(1.., unlucky).max_concurrency(6).unordered();
            stream.next().await;
            drop(stream);
            assert_eq!(process::info(self_pid()).unwrap().message_queue_len, 0);
        }
        nothing_is_left().await;
    });
}

#[test]
fn a_killed_caller_takes_its_stream_with_it() {
    leaving_nothing(|clock| async move {
        for nolink in [false, true] {
            let caller = process::spawn_monitor(async move {
                let stream = async_stream(0.., |_| forever()).max_concurrency(10);
                let stream = if nolink { stream.nolink() } else { stream };
                stream.all().await;
            });
            clock.settled().await;
            assert_eq!(process::list().len(), 12);
            exit(caller.0, ExitReason::Kill);
            assert_eq!(end_of(caller).await, ExitReason::Killed);
            nothing_is_left().await;
        }
    });
}

#[test]
fn a_stream_is_polled_by_one_process() {
    on_quiet_node(async {
        let mut stream = async_stream(0..10, |n| async move { n });
        // Before the first poll it can still go anywhere.
        let first = end_of_new(async move {
            assert_eq!(stream.next().await, Some(Ok(0)));
            exit_self("done")
        });
        assert_eq!(first.await, other("done"));
        let mut stream = async_stream(0..10, |n| async move { n });
        stream.next().await;
        let ExitReason::Panic(panic) = end_of_new(async move { drop(stream.next().await) }).await else { panic!() };
        assert!(panic.message.starts_with("an async_stream is polled by one process"), "{}", panic.message);
    });
}

#[test]
fn two_streams_and_other_messages_do_not_disturb_each_other() {
    on_node(async {
        let me = self_pid();
        let first = async_stream(0..1_000_u32, move |n| async move {
            send(me, n);
            n
        });
        let second = async_stream(0..1_000_u32, |n| async move { n });
        let both: Vec<_> = first.zip(second).map(|(one, other)| (one.unwrap(), other.unwrap())).collect().await;
        assert!(both.into_iter().eq((0..1_000).map(|n| (n, n))));
        let mut sent: Vec<u32> = Vec::new();
        for _ in 0..1_000 {
            sent.push(receive().await);
        }
        sent.sort_unstable();
        assert!(sent.into_iter().eq(0..1_000));
        nothing_is_left().await;
    });
}

#[test]
fn inputs_that_panic_end_the_caller_and_its_tasks() {
    on_quiet_node(async {
        let reason = end_of_new(async {
            let inputs = (0..10).inspect(|n| assert_ne!(*n, 5, "no more"));
            async_stream(inputs, |_| forever()).max_concurrency(10).nolink().all().await;
        });
        let ExitReason::Panic(panic) = reason.await else { panic!() };
        assert!(panic.message.contains("no more"), "{}", panic.message);
        nothing_is_left().await;
    });
}

#[test]
fn a_pid_of_a_task_is_its_own() {
    leaving_nothing(|_| async {
        let pids = async_stream(0..3, |_| async { self_pid() }).all().await;
        let pids: Vec<Pid> = pids.into_iter().map(Result::unwrap).collect();
        assert!(!pids.contains(&self_pid()) && pids[0] != pids[1]);
    });
}
