//! A clock that a test drives by hand, and the tests that run on one.

use std::time::Duration;

use greenroom::message::Down;
use greenroom::supervisor::{ChildSpec, Strategy};
use greenroom::{
    ExitReason, Node, Supervisor, exit, monitor, process, receive, receive_timeout, self_pid, send, send_after, sleep,
    spawn, spawn_monitor, testing, trap_exit,
};

use crate::support::{Pong, end_of, forever, gone, has, on};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

#[test]
fn time_stands_still_until_it_is_moved() {
    testing::run(|clock| async move {
        let timer = send_after(self_pid(), 'x', SECOND);
        clock.settled().await;
        assert_eq!(clock.now(), Duration::ZERO);
        assert!(!has::<char>().await);
        clock.advance(SECOND - Duration::from_nanos(1));
        assert!(!has::<char>().await);
        clock.advance(Duration::from_nanos(1));
        assert!(has::<char>().await, "it is there as soon as `advance` has returned");
        assert_eq!(timer.cancel(), None);
    });
}

#[test]
fn timers_fire_in_order_and_only_those_that_are_due() {
    testing::run(|clock| async move {
        for n in [3, 1, 2, 1, 9_u32] {
            send_after(self_pid(), n, n * SECOND);
        }
        clock.advance(5 * SECOND);
        for expected in [1, 1, 2, 3_u32] {
            assert_eq!(receive_timeout::<u32>(Duration::ZERO).await, Some(expected));
        }
        assert_eq!(receive_timeout::<u32>(Duration::ZERO).await, None);
    });
}

#[test]
fn what_takes_no_time_needs_no_moving() {
    testing::run(|_| async {
        sleep(Duration::ZERO).await;
        send_after(self_pid(), 'x', Duration::ZERO);
        assert_eq!(receive::<char>().await, 'x');
    });
}

#[test]
fn passing_time_stops_at_each_deadline_for_what_follows_from_it() {
    testing::run(|clock| async move {
        let parent = self_pid();
        spawn(async move {
            loop {
                sleep(SECOND).await;
                send(parent, Pong);
            }
        });
        clock.pass(10 * SECOND).await;
        for _ in 0..10 {
            assert!(has::<Pong>().await);
        }
        assert!(!has::<Pong>().await);
        assert_eq!(clock.now(), 10 * SECOND);
    });
}

#[test]
fn a_receive_times_out_when_the_time_has_passed() {
    testing::run(|clock| async move {
        let parent = self_pid();
        spawn(async move {
            let nothing = receive_timeout::<char>(HOUR).await;
            send(parent, nothing);
        });
        clock.pass(HOUR - SECOND).await;
        assert!(!has::<Option<char>>().await);
        clock.pass(SECOND).await;
        assert_eq!(receive::<Option<char>>().await, None);
    });
}

#[test]
fn restarts_are_counted_within_a_window_of_the_clock() {
    testing::run(|clock| async move {
        trap_exit(true);
        let supervisor = Supervisor::new(Strategy::OneForOne)
            .intensity(1, SECOND)
            .child(ChildSpec::named("child", forever))
            .start_link()
            .await
            .unwrap();
        let fails = || async {
            exit(greenroom::whereis("child").unwrap(), "failure");
        };
        for _ in 0..3 {
            fails().await;
            clock.pass(2 * SECOND).await;
        }
        assert!(greenroom::is_alive(supervisor.pid()));
        let watch = monitor(supervisor.pid());
        fails().await;
        clock.settled().await;
        fails().await;
        assert_eq!(end_of((supervisor.pid(), watch)).await, ExitReason::Shutdown);
    });
}

#[test]
fn a_child_that_does_not_stop_is_killed_when_the_clock_says_so() {
    testing::run(|clock| async move {
        trap_exit(true);
        let stubborn = || async {
            trap_exit(true);
            forever().await;
        };
        let supervisor = Supervisor::new(Strategy::OneForOne)
            .child(ChildSpec::named("stubborn", stubborn))
            .start_link()
            .await
            .unwrap();
        clock.settled().await;
        let watch = monitor("stubborn");
        exit(supervisor.pid(), ExitReason::Shutdown);
        clock.pass(4 * SECOND).await;
        assert!(!has::<Down>().await);
        clock.pass(SECOND).await;
        let down = receive::<Down>().await;
        assert_eq!((down.reference, down.reason), (watch, ExitReason::Killed));
    });
}

#[test]
fn a_year_of_ten_thousand_sleepers_passes_at_once() {
    testing::run(|clock| async move {
        let parent = self_pid();
        for n in 0..10_000_u32 {
            spawn(async move {
                process::sleep(n * HOUR).await;
                send(parent, n);
            });
        }
        clock.settled().await;
        clock.advance(10_000 * HOUR);
        let mut woken = vec![];
        for _ in 0..10_000 {
            woken.push(receive::<u32>().await);
        }
        woken.sort_unstable();
        assert!(woken.into_iter().eq(0..10_000));
    });
}

#[test]
fn several_may_move_the_same_clock() {
    testing::run(|clock| async move {
        let movers: Vec<_> = (0..4)
            .map(|_| {
                let clock = clock.clone();
                spawn_monitor(async move { (0..100).for_each(|_| clock.advance(SECOND)) })
            })
            .collect();
        send_after(self_pid(), 'x', 100 * SECOND);
        for mover in movers {
            end_of(mover).await;
        }
        assert!(clock.now() >= 100 * SECOND);
        assert!(has::<char>().await);
    });
}

#[test]
fn nodes_have_clocks_of_their_own() {
    let [one, other] = [(); 2].map(|()| Node::builder().workers(1).manual_clock().start().unwrap());
    one.clock().advance(HOUR);
    assert_eq!((one.clock().now(), other.clock().now()), (HOUR, Duration::ZERO));
    let clock = other.clock();
    on(&one, async move {
        clock.advance(HOUR);
        assert_eq!(clock.now(), HOUR);
    });
    other.shutdown();
    other.clock().advance(HOUR);
}

#[test]
#[should_panic = "this clock goes by itself"]
fn a_real_clock_cannot_be_moved() {
    Node::builder().workers(1).start().unwrap().clock().advance(SECOND);
}

#[test]
fn a_test_returns_what_its_future_does() {
    assert_eq!(testing::run(|_| async { 6 * 7 }), 42);
}

#[test]
#[should_panic = "as expected"]
fn a_test_panics_as_its_future_does() {
    testing::run(|_| async { panic!("as expected") });
}

#[test]
fn a_test_that_hangs_shows_its_processes() {
    let hangs = || {
        testing::run_within(Duration::from_millis(300), |_| async {
            let child = spawn(forever());
            greenroom::register("the one to blame", child).unwrap();
            gone(child).await;
        });
    };
    let payload = std::panic::catch_unwind(hangs).unwrap_err();
    let text = payload.downcast_ref::<String>().unwrap();
    assert!(text.contains("2 of its 2 processes") && text.contains("the one to blame"), "{text}");
}
