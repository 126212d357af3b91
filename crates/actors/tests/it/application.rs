//! Applications: order, phases, settings, and what the end of one means for the others.

use std::future::Future;
use std::time::Duration;

use greenroom::application::{self, Application, Ended, Kind, Setting, StartError, Started, StopError};
use greenroom::supervisor::{ChildSpec, Strategy, SupervisorBuilder};
use greenroom::{
    ExitReason, Node, Pid, Supervisor, Task, exit, exit_self, is_alive, process, receive, receive_timeout, register,
    self_pid, send, trap_exit, whereis,
};

use crate::support::{clean, forever, gone, next_exit};

/// Runs a test on a node of its own, and makes sure that of its applications nothing is left.
fn with_applications<F>(test: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    clean(async {
        test.await;
        application::stop_all().await;
        if let Some(controller) = whereis("application_controller") {
            exit(controller, ExitReason::Kill);
            gone(controller).await;
        }
    });
}

/// A root whose only child says to the test when it starts and when it stops.
fn root(name: &'static str, test: Pid) -> SupervisorBuilder {
    let child = ChildSpec::starting(name, move || async move {
        send(test, format!("{name}: child up"));
        let supervisor = self_pid();
        let child = greenroom::spawn_link(async move {
            trap_exit(true);
            // Before that, it would end without a word.
            send(supervisor, ());
            next_exit().await;
            send(test, format!("{name}: child down"));
        });
        receive::<()>().await;
        Ok::<_, ExitReason>(child)
    });
    Supervisor::new(Strategy::OneForOne).intensity(0, Duration::from_secs(5)).child(child)
}

/// An application that tells the test of each of its phases.
fn app(name: &'static str) -> Application {
    let test = self_pid();
    Application::new(name, move || async move {
        send(test, format!("{name}: start"));
        root(name, test)
    })
    .prep_stop(move || async move { send(test, format!("{name}: prep_stop")) })
    .stop(move || async move { send(test, format!("{name}: stop")) })
}

/// What the test was told since the last time.
async fn news() -> Vec<String> {
    let mut news = Vec::new();
    while let Some(one) = receive_timeout::<String>(Duration::ZERO).await {
        news.push(one);
    }
    news
}

async fn names() -> Vec<String> {
    application::started().await.into_iter().map(|started| started.name).collect()
}

#[test]
fn what_an_application_depends_on_is_started_first_and_stopped_last() {
    with_applications(async {
        let (db, cache) = (app("db"), app("cache"));
        let shop = app("shop").depends_on(cache.depends_on(db.clone())).depends_on(db);
        let root = shop.start(Kind::Temporary).await.unwrap();
        let started = application::started().await;
        assert_eq!(started[2], Started { name: "shop".into(), kind: Kind::Temporary, root });
        assert_eq!(names().await, ["db", "cache", "shop"]);
        assert_eq!(whereis("shop"), Some(root));
        assert_eq!(Supervisor::find("db").await.unwrap().count_children().await.unwrap().active, 1);
        let starts: Vec<_> = news().await.into_iter().filter(|one| one.ends_with("start")).collect();
        assert_eq!(starts, ["db: start", "cache: start", "shop: start"]);

        application::stop_all().await;
        let phases = ["prep_stop", "child down", "stop"];
        let expected = ["shop", "cache", "db"].map(|name| phases.map(|phase| format!("{name}: {phase}")));
        assert_eq!(news().await, expected.concat());
        assert_eq!(names().await, [""; 0]);
    });
}

#[test]
fn an_application_runs_once() {
    with_applications(async {
        let root = app("shop").start(Kind::Temporary).await.unwrap();
        let error = app("shop").start(Kind::Permanent).await.unwrap_err();
        assert_eq!(error, StartError::AlreadyStarted { name: "shop".into(), root });
        application::stop("shop").await.unwrap();
        let error = application::stop("shop").await.unwrap_err();
        assert_eq!(error, StopError::NotStarted { name: "shop".into() });
        assert_eq!(error.to_string(), "application `shop` does not run");
        app("shop").start(Kind::Temporary).await.unwrap();
    });
}

#[test]
fn of_many_that_start_and_stop_the_same_one_all_learn_how_it_went() {
    with_applications(async {
        let starts: Vec<_> = (0..8).map(|_| Task::spawn(app("shop").start(Kind::Temporary))).collect();
        let (mut first, mut late) = (0, 0);
        for start in starts {
            match start.await {
                Ok(_) => first += 1,
                Err(StartError::AlreadyStarted { .. }) => late += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!((first, late), (1, 7));
        let stops: Vec<_> = (0..8).map(|_| Task::spawn(application::stop("shop"))).collect();
        for stop in stops {
            let outcome = stop.await;
            assert!(matches!(outcome, Ok(()) | Err(StopError::NotStarted { .. })), "{outcome:?}");
        }
        assert_eq!(whereis("shop"), None);
    });
}

#[test]
fn what_was_started_for_one_that_fails_is_stopped_again() {
    with_applications(async {
        app("base").start(Kind::Temporary).await.unwrap();
        let broken = Application::new("broken", || async { Err::<SupervisorBuilder, _>("no disk") });
        let shop = app("shop").depends_on(app("base")).depends_on(app("db")).depends_on(broken);
        let error = shop.start(Kind::Permanent).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "application `shop` was not started: application `broken` did not start: error: no disk"
        );
        assert_eq!(names().await, ["base"]);
        assert!(news().await.contains(&"db: stop".to_owned()));
        assert_eq!((whereis("db"), whereis("broken")), (None, None));
    });
}

#[test]
fn every_way_not_to_start_is_an_error_that_says_why() {
    with_applications(async {
        let start =
            |application: Application| async { application.start(Kind::Permanent).await.unwrap_err().to_string() };
        let panics =
            Application::new("panics", || async { if true { panic!("no luck") } else { root("never", self_pid()) } });
        assert!(start(panics).await.starts_with("application `panics` did not start: panic: no luck"));
        let exits =
            Application::new("exits", || async { if true { exit_self("gone") } else { root("never", self_pid()) } });
        assert_eq!(start(exits).await, "application `exits` did not start: gone");
        register("taken", self_pid()).unwrap();
        let taken = format!("the name `taken` is taken by {}: stop that first or use it", self_pid());
        assert_eq!(start(app("taken")).await, format!("application `taken` did not start: error: {taken}"));
        let broken = ChildSpec::starting("child", || async { Err::<Pid, _>(ExitReason::from("no port")) });
        let broken = Application::new("broken", move || {
            let broken = broken.clone();
            async { Supervisor::new(Strategy::OneForOne).child(broken) }
        });
        assert_eq!(
            start(broken).await,
            "application `broken` did not start: error: child `child` did not start: no port"
        );
        assert_eq!(names().await, [""; 0]);
    });
}

/// Starts three applications and ends the one in the middle, for this reason.
async fn end_one(kind: Kind, reason: ExitReason) -> Pid {
    for name in ["first", "last"] {
        app(name).start(Kind::Temporary).await.unwrap();
    }
    let middle = app("middle").start(kind).await.unwrap();
    news().await;
    let watch = greenroom::monitor(middle);
    let master = process::info(middle).unwrap().parent.unwrap();
    match reason {
        ExitReason::Normal => Supervisor::find("middle").await.unwrap().stop().await,
        _ => {
            // Its child dies, which is one restart too many.
            let child = Supervisor::find("middle").await.unwrap().which_children().await.unwrap()[0].pid.unwrap();
            exit(child, ExitReason::Kill);
        }
    }
    let down = receive::<greenroom::message::Down>().await;
    assert_eq!((down.reference, down.reason), (watch, reason));
    gone(master).await;
    middle
}

#[test]
fn the_end_of_a_permanent_application_is_the_end_of_all() {
    with_applications(async {
        for reason in [ExitReason::Normal, ExitReason::Shutdown] {
            end_one(Kind::Permanent, reason.clone()).await;
            assert_eq!(application::ended().await, Ok(Ended { name: "middle".into(), reason: reason.clone() }));
            assert_eq!(application::ended().await, Ok(Ended { name: "middle".into(), reason }));
            assert_eq!(names().await, [""; 0]);
            let stops: Vec<_> = news().await.into_iter().filter(|one| one.ends_with(": stop")).collect();
            assert_eq!(stops, ["middle: stop", "last: stop", "first: stop"]);
        }
    });
}

#[test]
fn the_end_of_a_transient_application_is_that_of_all_unless_it_is_normal() {
    with_applications(async {
        end_one(Kind::Transient, ExitReason::Normal).await;
        assert_eq!(names().await, ["first", "last"]);
        assert_eq!(news().await.last().map(String::as_str), Some("middle: stop"));
        application::stop_all().await;
        end_one(Kind::Transient, ExitReason::Shutdown).await;
        let ended = application::ended().await.unwrap();
        assert_eq!((ended.name.as_str(), ended.reason), ("middle", ExitReason::Shutdown));
        assert_eq!(names().await, [""; 0]);
    });
}

#[test]
fn the_end_of_a_temporary_application_is_its_own_affair() {
    with_applications(async {
        end_one(Kind::Temporary, ExitReason::Shutdown).await;
        assert_eq!(names().await, ["first", "last"]);
        // It can be started again.
        app("middle").start(Kind::Temporary).await.unwrap();
        assert_eq!(names().await, ["first", "last", "middle"]);
    });
}

#[test]
fn a_new_start_is_a_new_beginning() {
    with_applications(async {
        end_one(Kind::Permanent, ExitReason::Shutdown).await;
        application::ended().await.unwrap();
        app("next").start(Kind::Permanent).await.unwrap();
        let waiting = Task::spawn(application::ended());
        Supervisor::find("next").await.unwrap().stop().await;
        assert_eq!(waiting.await, Ok(Ended { name: "next".into(), reason: ExitReason::Normal }));
    });
}

#[test]
fn nothing_is_started_while_all_are_being_stopped() {
    with_applications(async {
        let test = self_pid();
        let slow = app("slow").prep_stop(move || async move {
            send(test, self_pid());
            receive::<()>().await;
        });
        slow.start(Kind::Temporary).await.unwrap();
        app("doomed").start(Kind::Permanent).await.unwrap();
        Supervisor::find("doomed").await.unwrap().stop().await;
        let slow = receive::<Pid>().await;
        let error = app("late").start(Kind::Temporary).await.unwrap_err();
        assert_eq!(error, StartError::Ending { name: "late".into(), because: "doomed".into() });
        let error = app("slow").start(Kind::Temporary).await.unwrap_err();
        assert!(matches!(error, StartError::Ending { .. }), "{error}");
        send(slow, ());
        application::ended().await.unwrap();
    });
}

#[test]
fn an_application_whose_phases_panic_is_stopped_all_the_same() {
    with_applications(async {
        let error = |name: &str| StopError::NotStarted { name: name.into() };
        app("prep").prep_stop(|| async { panic!("unprepared") }).start(Kind::Permanent).await.unwrap();
        app("stop").stop(|| async { panic!("unstoppable") }).start(Kind::Permanent).await.unwrap();
        for name in ["prep", "stop"] {
            let Err(StopError::Phase { reason: ExitReason::Panic(_), .. }) = application::stop(name).await else {
                panic!("{name} stopped well")
            };
            assert_eq!(whereis(name), None);
            assert_eq!(application::stop(name).await, Err(error(name)));
        }
        // Both have been asked to stop, so this is nobody's end.
        assert!(news().await.contains(&"prep: stop".to_owned()));
        app("next").start(Kind::Permanent).await.unwrap();
    });
}

#[test]
fn applications_can_look_at_each_other_while_they_start_and_stop() {
    with_applications(async {
        let test = self_pid();
        let curious = Application::new("curious", move || async move {
            send(test, names().await.join(" "));
            root("curious", test)
        });
        let curious = curious.stop(move || async move { send(test, names().await.join(" ")) });
        curious.depends_on(app("db")).start(Kind::Permanent).await.unwrap();
        application::stop("curious").await.unwrap();
        let news: Vec<_> = news().await.into_iter().filter(|one| !one.contains(": ")).collect();
        assert_eq!(news, ["db", "db"]);
    });
}

#[test]
fn applications_end_in_order_when_the_controller_is_killed() {
    with_applications(async {
        let shop = app("shop").start(Kind::Permanent).await.unwrap();
        let master = process::info(shop).unwrap().parent.unwrap();
        exit(whereis("application_controller").unwrap(), ExitReason::Kill);
        gone(master).await;
        assert!(!is_alive(shop));
        assert_eq!(news().await[2..], ["shop: prep_stop", "shop: child down", "shop: stop"]);
        assert_eq!(names().await, [""; 0]);
    });
}

static SIZE: Setting<usize> = Setting::new("shop", "size", || 2);
static SAME_NAME: Setting<String> = Setting::new("shop", "size", || "small".into());

#[test]
fn settings_have_a_default_and_are_overridden_before_the_start() {
    with_applications(async {
        let shop = || {
            Application::new("shop", || async {
                let children = (0..SIZE.read()).map(|n| ChildSpec::new(n.to_string(), forever));
                children.fold(Supervisor::new(Strategy::OneForOne), SupervisorBuilder::child)
            })
        };
        let children = || async { Supervisor::find("shop").await.unwrap().count_children().await.unwrap().active };
        shop().start(Kind::Temporary).await.unwrap();
        assert_eq!(children().await, 2);
        application::stop("shop").await.unwrap();
        assert_eq!(SIZE.set(5), None);
        assert_eq!(SIZE.set(3), Some(5));
        // Another type is another setting.
        assert_eq!(SAME_NAME.read(), "small");
        shop().start(Kind::Temporary).await.unwrap();
        assert_eq!(children().await, 3);
        assert_eq!((SIZE.reset(), SIZE.reset(), SIZE.read()), (Some(3), None, 2));
    });
}

#[test]
fn settings_are_of_their_node() {
    let node = || Node::builder().workers(1).start().unwrap();
    let (one, other) = (node(), node());
    assert_eq!(one.block_on(async { SIZE.set(7) }), None);
    assert_eq!(other.block_on(async { SIZE.read() }), 2);
    assert_eq!(one.block_on(async { SIZE.read() }), 7);
}
