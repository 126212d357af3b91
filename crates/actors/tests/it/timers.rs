//! Group G: timers.

use std::time::{Duration, Instant};

use greenroom::{
    ExitReason, Timer, process, receive, receive_timeout, self_pid, send, send_after, spawn, spawn_monitor,
};

use crate::support::{Pong, end_of, end_of_new, gone, has, on_node};

const LONG: Duration = Duration::from_secs(3600);

#[test]
fn case_91_a_message_arrives_after_its_time() {
    on_node(async {
        let start = Instant::now();
        send_after(self_pid(), 'x', Duration::from_millis(20));
        assert_eq!(receive::<char>().await, 'x');
        assert!(start.elapsed() >= Duration::from_millis(20));
    });
}

#[test]
fn case_92_cancelling_says_how_much_time_was_left_and_nothing_comes() {
    on_node(async {
        let timer = send_after(self_pid(), 'x', LONG);
        let left = timer.cancel().unwrap();
        assert!(left > LONG / 2 && left <= LONG);
        assert_eq!(timer.cancel(), None);
        let fired = send_after(self_pid(), 'y', Duration::ZERO);
        assert_eq!(receive::<char>().await, 'y');
        assert_eq!(fired.cancel(), None);
        assert!(!has::<char>().await);
    });
}

#[test]
fn case_93_anyone_may_cancel() {
    on_node(async {
        let timer: Timer = send_after(self_pid(), 'x', LONG);
        let handed_on = timer.clone();
        assert_eq!(end_of_new(async move { assert!(handed_on.cancel().is_some()) }).await, ExitReason::Normal);
        assert_eq!(timer.cancel(), None);
    });
}

#[test]
fn case_94_a_timer_outlives_its_creator() {
    on_node(async {
        let parent = self_pid();
        let creator = spawn_monitor(async move {
            send_after(parent, 'x', Duration::from_millis(5));
        });
        assert_eq!(end_of(creator).await, ExitReason::Normal);
        assert_eq!(receive::<char>().await, 'x');
    });
}

#[test]
fn case_95_a_timer_for_the_dead_does_nothing() {
    on_node(async {
        let dead = spawn(async {});
        gone(dead).await;
        send_after(dead, 'x', Duration::ZERO);
        send_after(self_pid(), 'y', Duration::from_millis(1));
        assert_eq!(receive::<char>().await, 'y');
    });
}

#[test]
fn case_97_a_timer_of_no_time_arrives() {
    on_node(async {
        for n in 0..1000_u32 {
            send_after(self_pid(), n, Duration::ZERO);
            assert_eq!(receive::<u32>().await, n);
        }
    });
}

#[test]
fn case_101_very_long_timers_are_fine() {
    on_node(async {
        let timers = [Duration::from_millis(1 << 31), Duration::from_secs(u64::MAX / 2), Duration::MAX]
            .map(|delay| send_after(self_pid(), 'x', delay));
        assert_eq!(receive_timeout::<char>(Duration::from_millis(2)).await, None);
        for timer in timers {
            assert!(timer.cancel().is_some());
        }
    });
}

#[test]
fn timers_fire_in_the_order_of_their_deadlines() {
    on_node(async {
        for n in 0..1000_u32 {
            send_after(self_pid(), n, Duration::from_millis(2));
        }
        for n in 0..1000_u32 {
            assert_eq!(receive::<u32>().await, n);
        }
    });
}

#[test]
fn many_sleepers_all_wake_and_none_too_early() {
    on_node(async {
        let parent = self_pid();
        for n in 0..10_000_u64 {
            spawn(async move {
                let (start, time) = (Instant::now(), Duration::from_micros(n % 20_000));
                process::sleep(time).await;
                assert!(start.elapsed() >= time);
                send(parent, Pong);
            });
        }
        for _ in 0..10_000 {
            receive::<Pong>().await;
        }
    });
}

#[test]
fn case_91_a_timer_that_is_started_sends_its_reference_with_the_message() {
    on_node(async {
        let (reference, timer) = process::start_timer(self_pid(), 'x', Duration::from_millis(1));
        let timeout = receive::<process::Timeout<char>>().await;
        assert_eq!(timeout, process::Timeout { reference, message: 'x' });
        assert_eq!((timer.left(), timer.cancel()), (None, None));
    });
}

#[test]
fn case_92_reading_a_timer_does_not_stop_it() {
    on_node(async {
        let timer = send_after(self_pid(), 'x', LONG);
        let left = timer.left().unwrap();
        assert!(left > LONG / 2 && timer.left().unwrap() <= left);
        assert!(timer.cancel().is_some());
        assert_eq!(timer.left(), None);
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
    on_node(async {
        send_after("later", 'x', Duration::from_millis(200));
        greenroom::register("later", self_pid()).unwrap();
        assert_eq!(receive::<char>().await, 'x');
        send_after("nobody", 'y', Duration::ZERO);
        send_after(self_pid(), 'z', Duration::from_millis(1));
        assert_eq!(receive::<char>().await, 'z');
    });
}
