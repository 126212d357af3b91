//! Group G: timers, by a clock that the tests move.

use std::future::Future;
use std::time::{Duration, Instant};

use greenroom::{
    Clock, ExitReason, Node, Timer, exit, process, receive, receive_timeout, self_pid, send, send_after, spawn,
    spawn_monitor,
};

use crate::support::{Pong, end_of, end_of_new, forever, gone, has, on, on_node};

const SECOND: Duration = Duration::from_secs(1);

/// Runs a test that moves the time itself.
fn by_hand<F: Future<Output = ()> + Send + 'static>(test: impl FnOnce(Clock) -> F) {
    let node = Node::builder().workers(4).manual_clock().start().unwrap();
    let clock = node.clock();
    on(&node, test(clock));
}

fn waiting() -> usize {
    Node::current().unwrap().totals().timers
}

#[test]
fn case_91_a_message_arrives_after_its_time_and_not_before() {
    by_hand(async |clock| {
        send_after(self_pid(), 'x', 20 * SECOND);
        clock.advance(20 * SECOND - Duration::from_nanos(1));
        assert!(!has::<char>().await);
        clock.advance(Duration::from_nanos(1));
        assert!(has::<char>().await);
    });
}

#[test]
fn case_92_cancelling_says_how_much_time_was_left_and_nothing_comes() {
    by_hand(async |clock| {
        let timer = send_after(self_pid(), 'x', 20 * SECOND);
        clock.advance(5 * SECOND);
        assert_eq!(timer.cancel(), Some(15 * SECOND));
        assert_eq!((timer.cancel(), waiting()), (None, 0));
        let fired = send_after(self_pid(), 'y', SECOND);
        clock.advance(20 * SECOND);
        assert_eq!(receive::<char>().await, 'y');
        assert_eq!(fired.cancel(), None);
        assert!(!has::<char>().await);
    });
}

#[test]
fn case_93_anyone_may_cancel() {
    on_node(async {
        let timer: Timer = send_after(self_pid(), 'x', 3600 * SECOND);
        let handed_on = timer.clone();
        assert_eq!(end_of_new(async move { assert!(handed_on.cancel().is_some()) }).await, ExitReason::Normal);
        assert_eq!(timer.cancel(), None);
    });
}

#[test]
fn case_94_a_timer_outlives_its_creator() {
    by_hand(async |clock| {
        let parent = self_pid();
        let creator = spawn_monitor(async move {
            send_after(parent, 'x', SECOND);
        });
        assert_eq!(end_of(creator).await, ExitReason::Normal);
        clock.advance(SECOND);
        assert_eq!(receive::<char>().await, 'x');
    });
}

#[test]
fn case_95_the_timers_for_a_process_end_with_it() {
    by_hand(async |clock| {
        let victim = spawn(forever());
        let held = std::sync::Arc::new(());
        let timers: Vec<Timer> =
            (0..100).map(|n| send_after(victim, greenroom::Local(held.clone()), n * SECOND + SECOND)).collect();
        let mine = send_after(self_pid(), 'x', SECOND);
        timers[0].cancel().unwrap();
        assert_eq!((waiting(), process::info(victim).unwrap().timers), (100, 99));
        exit(victim, ExitReason::Kill);
        assert_eq!((waiting(), std::sync::Arc::strong_count(&held)), (1, 1));
        assert_eq!((timers[1].left(), timers[1].cancel()), (None, None));
        assert!(mine.left().is_some());
        clock.advance(200 * SECOND);
        assert!(has::<char>().await);
    });
}

#[test]
fn case_95_there_is_no_timer_for_the_dead() {
    by_hand(async |_| {
        let dead = spawn(async {});
        gone(dead).await;
        let timer = send_after(dead, 'x', SECOND);
        assert_eq!((timer.left(), timer.cancel(), waiting()), (None, None, 0));
    });
}

#[test]
fn case_95_timers_that_race_with_the_end_of_their_receiver_leave_nothing() {
    on_node(async {
        for _ in 0..500 {
            let victim = spawn(forever());
            let starter = spawn_monitor(async move {
                for _ in 0..20 {
                    send_after(victim, 'x', 3600 * SECOND);
                }
            });
            exit(victim, ExitReason::Kill);
            end_of(starter).await;
        }
        assert_eq!(waiting(), 0);
    });
}

#[test]
fn case_101_the_time_out_of_a_receive_ends_with_its_process() {
    by_hand(async |clock| {
        let sleepers: Vec<_> = (0..10).map(|_| spawn(process::sleep(3600 * SECOND))).collect();
        clock.settled().await;
        assert_eq!(waiting(), 10);
        for sleeper in sleepers {
            exit(sleeper, ExitReason::Kill);
        }
        clock.settled().await;
        assert_eq!(waiting(), 0);
    });
}

#[test]
fn case_97_a_timer_of_no_time_arrives_but_not_at_once() {
    on_node(async {
        for n in 0..1000_u32 {
            send_after(self_pid(), n, Duration::ZERO);
            assert_eq!(receive::<u32>().await, n);
        }
    });
}

#[test]
fn case_101_very_long_timers_are_fine() {
    by_hand(async |clock| {
        let timers = [Duration::from_millis(1 << 31), Duration::from_secs(u64::MAX / 2), Duration::MAX]
            .map(|delay| send_after(self_pid(), 'x', delay));
        clock.advance(Duration::from_millis((1 << 31) - 1));
        assert!(!has::<char>().await);
        clock.advance(Duration::from_millis(1));
        assert!(has::<char>().await);
        assert!(timers[1].cancel().is_some() && timers[2].cancel().is_some());
    });
}

#[test]
fn timers_fire_in_the_order_of_their_deadlines() {
    by_hand(async |clock| {
        for n in 0..1000_u32 {
            send_after(self_pid(), n, SECOND * (1 + n / 500));
        }
        clock.advance(10 * SECOND);
        for n in 0..1000_u32 {
            assert_eq!(receive::<u32>().await, n);
        }
    });
}

#[test]
fn many_sleepers_all_wake_and_none_too_early() {
    by_hand(async |clock| {
        let parent = self_pid();
        for n in 0..10_000_u32 {
            let clock = clock.clone();
            spawn(async move {
                let until = clock.now() + SECOND * (n % 100);
                process::sleep(SECOND * (n % 100)).await;
                assert_eq!(clock.now(), until);
                send(parent, Pong);
            });
        }
        clock.pass(100 * SECOND).await;
        for _ in 0..10_000 {
            assert!(has::<Pong>().await);
        }
    });
}

#[test]
fn case_91_a_timer_that_is_started_sends_its_reference_with_the_message() {
    by_hand(async |clock| {
        let (reference, timer) = process::start_timer(self_pid(), 'x', SECOND);
        clock.advance(SECOND);
        let timeout = receive::<process::Timeout<char>>().await;
        assert_eq!(timeout, process::Timeout { reference, message: 'x' });
        assert_eq!((timer.left(), timer.cancel()), (None, None));
    });
}

#[test]
fn case_92_reading_a_timer_does_not_stop_it() {
    by_hand(async |clock| {
        let timer = send_after(self_pid(), 'x', 10 * SECOND);
        assert_eq!(timer.left(), Some(10 * SECOND));
        clock.advance(4 * SECOND);
        assert_eq!((timer.left(), timer.left()), (Some(6 * SECOND), Some(6 * SECOND)));
        clock.advance(6 * SECOND);
        assert_eq!(timer.left(), None);
        assert!(has::<char>().await);
    });
}

#[test]
fn case_98_a_time_in_the_past_is_now() {
    on_node(async {
        let start = Instant::now();
        process::sleep(Duration::from_millis(2)).await;
        process::send_at(self_pid(), 'x', start);
        assert_eq!(receive::<char>().await, 'x');
        let when = Instant::now() + Duration::from_millis(5);
        process::send_at(self_pid(), 'y', when);
        assert_eq!(receive::<char>().await, 'y');
        assert!(Instant::now() >= when);
    });
}

#[test]
fn a_timer_for_a_name_looks_it_up_when_it_is_due() {
    by_hand(async |clock| {
        let before = spawn(forever());
        greenroom::register("later", before).unwrap();
        send_after("later", 'x', SECOND);
        exit(before, ExitReason::Kill);
        assert_eq!(waiting(), 1, "it is the name's");
        greenroom::register("later", self_pid()).unwrap();
        clock.advance(SECOND);
        assert!(has::<char>().await);
        send_after("nobody", 'y', SECOND);
        clock.advance(SECOND);
        assert_eq!((has::<char>().await, waiting()), (false, 0));
    });
}

#[test]
fn a_receive_that_times_out_leaves_no_timer() {
    by_hand(async |_| {
        assert_eq!(receive_timeout::<char>(Duration::ZERO).await, None);
        send(self_pid(), 'x');
        assert_eq!(receive_timeout::<char>(3600 * SECOND).await, Some('x'));
        assert_eq!(waiting(), 0);
    });
}
