//! Children that misbehave: they never start, never stop, panic where they should not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use greenroom::supervisor::{ChildSpec, DynamicSupervisor, Restart, Shutdown, StartChildError, StartError, Strategy};
use greenroom::{
    ExitReason, Pid, Supervisor, exit, is_alive, process, receive, register, self_pid, send, spawn_link, trap_exit,
    whereis,
};

use super::{Up, pid_of, stubborn};
use crate::support::{by_clock, clean, forever, gone, next_exit};

/// A child that has started a process and never says that it is ready.
fn endless() -> ChildSpec {
    let start = || async {
        register("half", spawn_link(forever())).unwrap();
        std::future::pending::<Result<Pid, ExitReason>>().await
    };
    ChildSpec::starting("endless", start).start_within(Duration::from_secs(3))
}

/// Waits until such a child is on its way.
async fn half_is_up() {
    while whereis("half").is_none() {
        greenroom::yield_now().await;
    }
}

#[test]
fn a_child_that_is_never_ready_is_an_error_and_leaves_nothing() {
    by_clock(|clock| async move {
        let builder = Supervisor::new(Strategy::OneForOne).name("mine").child(forever).child(endless());
        let test = self_pid();
        spawn_link(async move { send(test, builder.start_link().await.unwrap_err()) });
        clock.pass(Duration::from_secs(2)).await;
        assert!(whereis("half").is_some());
        clock.pass(Duration::from_secs(1)).await;
        let error = receive::<StartError>().await;
        assert_eq!(error.to_string(), "child `endless` did not start: it was not ready after 3s");
        assert_eq!((whereis("half"), whereis("mine")), (None, None));
    });
}

#[test]
fn a_child_that_is_never_ready_leaves_the_others_alone() {
    by_clock(|clock| async move {
        let supervisor = DynamicSupervisor::new().start_link().await.unwrap();
        let fine = supervisor.start_child(forever).await.unwrap();
        let test = self_pid();
        spawn_link(async move { send(test, supervisor.start_child(endless()).await.unwrap_err()) });
        clock.pass(Duration::from_secs(3)).await;
        let error = receive::<StartChildError>().await;
        assert!(matches!(&error, StartChildError::Failed { id, .. } if id == "endless"), "{error}");
        assert!(is_alive(fine));
        assert_eq!(supervisor.count_children().await.unwrap().specs, 1);
    });
}

#[test]
fn a_supervisor_that_waits_for_a_child_can_be_stopped_all_the_same() {
    clean(async {
        let endless = || {
            let start = || async {
                register("half", spawn_link(forever())).unwrap();
                std::future::pending::<Result<Pid, ExitReason>>().await
            };
            ChildSpec::starting("endless", start)
        };
        trap_exit(true);
        let fixed = Supervisor::new(Strategy::OneForOne).child(forever).start_link().await.unwrap().pid();
        let dynamic = DynamicSupervisor::new().start_link().await.unwrap().pid();
        for supervisor in [fixed, dynamic] {
            let asking = greenroom::spawn(async move {
                let _ = match Supervisor::find(supervisor).await {
                    Ok(fixed) => fixed.start_child(endless()).await,
                    Err(_) => DynamicSupervisor::find(supervisor).await.unwrap().start_child(endless()).await,
                };
            });
            half_is_up().await;
            exit(supervisor, ExitReason::Shutdown);
            assert_eq!(next_exit().await, (supervisor, ExitReason::Shutdown));
            assert_eq!(whereis("half"), None);
            gone(asking).await;
        }
        // Also while it starts.
        let owner = greenroom::spawn(async move {
            let _ = Supervisor::new(Strategy::OneForOne).name("mine").child(endless()).start_link().await;
        });
        half_is_up().await;
        let supervisor = whereis("mine").unwrap();
        exit(owner, ExitReason::Kill);
        gone(supervisor).await;
        assert_eq!(whereis("half"), None);
    });
}

#[test]
fn a_child_that_is_ready_in_time_costs_no_timer() {
    by_clock(|_| async {
        let start = || async { Ok::<_, ExitReason>(spawn_link(forever())) };
        let spec = ChildSpec::starting("quick", start).start_within(Duration::from_secs(3));
        Supervisor::new(Strategy::OneForOne).child(spec).start_link().await.unwrap();
        assert_eq!(greenroom::Node::current().unwrap().totals().timers, 0);
    });
}

#[test]
fn a_start_function_that_panics_is_a_child_that_does_not_start() {
    clean(async {
        async fn halfway() -> Result<Pid, ExitReason> {
            register("half", spawn_link(forever())).unwrap();
            panic!("no luck")
        }
        let spec = ChildSpec::starting("halfway", halfway);
        let error = Supervisor::new(Strategy::OneForOne).child(spec.clone()).start_link().await.unwrap_err();
        let StartError::Child { id, reason: ExitReason::Panic(panic) } = error else { panic!("{error}") };
        assert_eq!((id.as_str(), panic.message.as_str()), ("halfway", "no luck"));
        assert!(panic.location.as_ref().unwrap().file.ends_with("limits.rs"));
        assert_eq!(whereis("half"), None);

        fn broken() -> std::future::Ready<()> {
            panic!("no body")
        }
        let supervisor = Supervisor::new(Strategy::OneForOne).start_link().await.unwrap();
        let error = supervisor.start_child(broken).await.unwrap_err();
        assert!(error.to_string().starts_with("child `broken` did not start: panic: no body"), "{error}");
        assert!(supervisor.start_child(spec).await.is_err());
        supervisor.start_child(forever).await.unwrap();
    });
}

#[test]
fn a_start_function_that_panics_only_when_it_is_restarted_uses_up_the_intensity() {
    clean(async {
        trap_exit(true);
        let starts = Arc::new(AtomicU32::new(0));
        let counted = starts.clone();
        let body = move || {
            assert_eq!(counted.fetch_add(1, Ordering::SeqCst), 0, "only once");
            forever()
        };
        let supervisor = Supervisor::new(Strategy::OneForOne).child(body).start_link().await.unwrap();
        let child = supervisor.which_children().await.unwrap()[0].pid.unwrap();
        exit(child, ExitReason::Kill);
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Shutdown));
        // Once, and three restarts within the five seconds.
        assert_eq!(starts.load(Ordering::SeqCst), 4);
    });
}

/// Panics when it is dropped.
struct Sour;

impl Drop for Sour {
    fn drop(&mut self) {
        panic!("not like this");
    }
}

#[test]
fn a_child_whose_destructor_panics_is_stopped_like_any_other() {
    clean(async {
        let sour = || {
            let sour = Sour;
            async move {
                let _sour = sour;
                forever().await;
            }
        };
        let supervisor = Supervisor::new(Strategy::OneForOne).child(ChildSpec::new("sour", sour));
        let supervisor = supervisor.child(forever).start_link().await.unwrap();
        let sour = pid_of(supervisor, "sour").await;
        exit(sour, ExitReason::Kill);
        gone(sour).await;
        supervisor.terminate_child("sour").await.unwrap();
        supervisor.restart_child("sour").await.unwrap();
        supervisor.stop().await;
    });
}

#[test]
fn children_that_panic_when_they_are_stopped_do_not_keep_others_from_it() {
    clean(async {
        let contrary = ChildSpec::new("contrary", || async {
            trap_exit(true);
            next_exit().await;
            panic!("not like this");
        });
        let supervisor = DynamicSupervisor::new().start_link().await.unwrap();
        for _ in 0..10 {
            supervisor.start_child(contrary.clone()).await.unwrap();
            supervisor.start_child(forever).await.unwrap();
        }
        supervisor.stop().await;
        assert_eq!(process::list(), [self_pid()]);
    });
}

#[test]
fn children_that_end_at_the_same_time_as_they_are_stopped_leave_no_message() {
    clean(async {
        let supervisor = DynamicSupervisor::new().intensity(usize::MAX, Duration::from_secs(5));
        let supervisor = supervisor.start_link().await.unwrap();
        for _ in 0..500 {
            let child = supervisor.start_child(ChildSpec::new("brief", forever).restart(Restart::Temporary));
            let child = child.await.unwrap();
            greenroom::spawn(async move { exit(child, "boom") });
            // Whichever comes first.
            let _ = supervisor.terminate_child(child).await;
        }
        // Monitors fire before links: whoever ended the last child may have the supervisor's link yet to break, which
        // is when the message is put there.
        while process::info(supervisor.pid()).unwrap().links != [self_pid()] {
            greenroom::yield_now().await;
        }
        while process::info(supervisor.pid()).unwrap().message_queue_len > 0 {
            greenroom::yield_now().await;
        }
        let info = process::info(supervisor.pid()).unwrap();
        assert_eq!((info.links, info.monitors, info.monitored_by), (vec![self_pid()], vec![], vec![]));
    });
}

#[test]
fn a_supervisor_with_much_mail_stops_its_children_all_the_same() {
    clean(async {
        let supervisor = Supervisor::new(Strategy::OneForOne);
        let many = (0..1_000).fold(supervisor, |builder, n| builder.child(ChildSpec::new(n.to_string(), forever)));
        let supervisor = many.start_link().await.unwrap();
        for n in 0..100_000_u32 {
            send(supervisor.pid(), n);
        }
        supervisor.stop().await;
    });
}

#[test]
fn a_stubborn_child_below_is_given_its_time_by_all_above() {
    by_clock(|clock| async move {
        let stubborn = stubborn("stubborn", self_pid()).shutdown(Shutdown::Within(Duration::from_secs(60)));
        let inner = Supervisor::new(Strategy::OneForOne).child(stubborn);
        let outer = Supervisor::new(Strategy::OneForOne).child(inner).start_link().await.unwrap();
        let Up(child) = receive().await;
        let stopping = spawn_link(outer.stop());
        clock.pass(Duration::from_secs(59)).await;
        assert!(is_alive(child) && is_alive(stopping));
        clock.pass(Duration::from_secs(1)).await;
        gone(stopping).await;
    });
}

#[test]
fn restarts_that_are_long_ago_do_not_count() {
    by_clock(|clock| async move {
        trap_exit(true);
        let builder = Supervisor::new(Strategy::OneForOne).intensity(1, Duration::from_secs(10));
        let supervisor = builder.child(ChildSpec::new("a", forever)).start_link().await.unwrap();
        for _ in 0..5 {
            exit(pid_of(supervisor, "a").await, ExitReason::Kill);
            clock.pass(Duration::from_secs(11)).await;
        }
        assert_eq!(supervisor.which_children().await.unwrap()[0].restarts, 5);
        exit(pid_of(supervisor, "a").await, ExitReason::Kill);
        clock.pass(Duration::from_secs(9)).await;
        exit(pid_of(supervisor, "a").await, ExitReason::Kill);
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Shutdown));
    });
}
