//! State machines: postponed events, time-outs, entering, and answers from any state.

use std::time::Duration;

use greenroom::gen_server::{self, CallFailure, Caller, InitError};
use greenroom::state_machine::{Actions, Event, Machine, StateMachine, Transition};
use greenroom::{ExitReason, ServerRef, send};
use serde::{Deserialize, Serialize};

use crate::support::{leaving_nothing, other};

const SECOND: Duration = Duration::from_secs(1);

/// A machine that notes what happens, and in which state.
#[derive(Debug, Default)]
struct Light {
    notes: Vec<String>,
    waiting: Vec<Caller<Vec<String>>>,
}

#[derive(Debug, PartialEq)]
enum State {
    Off,
    On,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Do {
    Switch,
    Note(u8),
    /// Only while it is on.
    WhenOn(u8),
    /// Answered when it goes off.
    AtTheEnd,
    /// These two next.
    Then(u8, u8),
    Tell,
    Dim(Duration),
    Quiet(Duration),
    Alarm(Duration),
    NoAlarm,
    Stop,
    Panic,
}

impl StateMachine for Light {
    type Args = State;
    type State = State;
    type Event = Do;
    type Reply = Vec<String>;

    async fn init(state: State) -> Result<(Self, State), InitError> {
        Ok((Light::default(), state))
    }

    async fn handle(&mut self, state: &State, event: Event<Self>) -> Transition<Self> {
        match (state, event) {
            (State::Off, Event::Cast(Do::Switch)) => Transition::to(State::On),
            (State::On, Event::Cast(Do::Switch)) => Transition::to(State::Off),
            (State::Off, event @ Event::Cast(Do::WhenOn(_))) => Transition::keep().postpone(event),
            (State::Off, event @ Event::Call(Do::WhenOn(_), _)) => Transition::keep().postpone(event),
            (State::On, Event::Call(Do::WhenOn(n), caller)) => {
                caller.reply(vec![format!("on {n}")]);
                Transition::keep()
            }
            (_, Event::Call(Do::AtTheEnd, caller)) => {
                self.waiting.push(caller);
                Transition::keep()
            }
            (_, Event::Call(_, caller)) => {
                caller.reply(self.notes.clone());
                Transition::keep()
            }
            (_, Event::Cast(Do::Then(a, b))) => Transition::keep().then(Do::Note(a)).then(Do::Note(b)),
            (_, Event::Cast(Do::Dim(time))) => Transition::to(State::On).state_timeout(time),
            (_, Event::Cast(Do::Quiet(time))) => Transition::keep().event_timeout(time),
            (_, Event::Cast(Do::Alarm(time))) => Transition::keep().timeout("alarm", time),
            (_, Event::Cast(Do::NoAlarm)) => Transition::keep().cancel("alarm"),
            (_, Event::Cast(Do::Stop)) => Transition::stop("enough"),
            (_, Event::Cast(Do::Panic)) => panic!("handle fails"),
            (_, Event::StateTimeout) => {
                self.notes.push("dimmed".to_owned());
                Transition::to(State::Off)
            }
            (state, Event::Info(message)) => {
                self.notes.push(format!("{state:?}: info {message:?}"));
                Transition::keep()
            }
            (state, event) => {
                self.notes.push(format!("{state:?}: {event:?}"));
                Transition::keep()
            }
        }
    }

    async fn enter(&mut self, state: &State, was: Option<&State>) -> Actions<Self> {
        self.notes.push(format!("{was:?} -> {state:?}"));
        if *state == State::Off {
            for caller in self.waiting.drain(..) {
                caller.reply(vec!["off".to_owned()]);
            }
        }
        Actions::none()
    }
}

async fn light() -> ServerRef<Machine<Light>> {
    let light = Light::start(State::Off).await.unwrap();
    assert_eq!(notes(light).await, ["None -> Off"]);
    light
}

/// What it has noted since the start.
async fn notes(light: ServerRef<Machine<Light>>) -> Vec<String> {
    light.call(Do::Tell).await.unwrap()
}

async fn check(light: ServerRef<Machine<Light>>, expected: &[&str]) {
    assert_eq!(notes(light).await[1..], *expected);
}

#[test]
fn what_is_postponed_comes_in_the_next_state_before_what_came_later() {
    leaving_nothing(|clock| async move {
        let light = light().await;
        light.cast(Do::WhenOn(1));
        light.cast(Do::Note(2));
        light.cast(Do::WhenOn(3));
        let mut call = Box::pin(light.call(Do::WhenOn(4)));
        assert!(futures_util::poll!(&mut call).is_pending());
        clock.settled().await;
        light.cast(Do::Switch);
        light.cast(Do::Note(5));
        assert_eq!(call.await.unwrap(), ["on 4"]);
        let expected = [
            "Off: Cast(Note(2))",
            "Some(Off) -> On",
            "On: Cast(WhenOn(1))",
            "On: Cast(WhenOn(3))",
            "On: Cast(Note(5))",
        ];
        check(light, &expected).await;
        light.stop().await.unwrap();
    });
}

#[test]
fn internal_events_come_first_and_in_order() {
    leaving_nothing(|_| async {
        let light = light().await;
        light.suspend().await.unwrap();
        light.cast(Do::Then(1, 2));
        light.cast(Do::Note(3));
        light.resume().await.unwrap();
        check(light, &["Off: Internal(Note(1))", "Off: Internal(Note(2))", "Off: Cast(Note(3))"]).await;
        light.stop().await.unwrap();
    });
}

#[test]
fn a_state_time_out_ends_with_its_state() {
    leaving_nothing(|clock| async move {
        let light = light().await;
        light.cast(Do::Dim(SECOND));
        clock.pass(SECOND).await;
        light.cast(Do::Dim(SECOND));
        light.cast(Do::Switch);
        clock.pass(2 * SECOND).await;
        let expected = ["Some(Off) -> On", "dimmed", "Some(On) -> Off", "Some(Off) -> On", "Some(On) -> Off"];
        check(light, &expected).await;
        light.cast(Do::Dim(Duration::ZERO));
        clock.settled().await;
        check(light, &[&expected[..], &["Some(Off) -> On", "dimmed", "Some(On) -> Off"]].concat()).await;
        light.stop().await.unwrap();
    });
}

#[test]
fn an_event_time_out_is_ended_by_any_event_and_one_with_a_name_only_by_its_name() {
    leaving_nothing(|clock| async move {
        let light = light().await;
        light.cast(Do::Quiet(SECOND));
        clock.pass(SECOND).await;
        light.cast(Do::Quiet(SECOND));
        light.cast(Do::Note(1));
        light.cast(Do::Alarm(2 * SECOND));
        light.cast(Do::Switch);
        clock.pass(SECOND).await;
        light.cast(Do::Alarm(2 * SECOND));
        clock.pass(SECOND).await;
        let expected = ["Off: EventTimeout", "Off: Cast(Note(1))", "Some(Off) -> On"];
        check(light, &expected).await;
        clock.pass(SECOND).await;
        let expected = [&expected[..], &["On: Timeout(\"alarm\")"]].concat();
        check(light, &expected).await;
        light.cast(Do::Alarm(SECOND));
        light.cast(Do::NoAlarm);
        clock.pass(SECOND).await;
        check(light, &expected).await;
        light.cast(Do::Alarm(SECOND)); // It is left running when the machine ends.
        light.stop().await.unwrap();
    });
}

#[test]
fn a_caller_is_answered_in_another_state() {
    leaving_nothing(|clock| async move {
        let light = light().await;
        let mut call = Box::pin(light.call(Do::AtTheEnd));
        assert!(futures_util::poll!(&mut call).is_pending());
        clock.settled().await;
        light.cast(Do::Switch);
        light.cast(Do::Switch);
        assert_eq!(call.await.unwrap(), ["off"]);
        light.stop().await.unwrap();
    });
}

#[test]
fn other_messages_are_events_and_the_state_can_be_seen() {
    leaving_nothing(|_| async {
        let light = Light::named("light").start(State::On).await.unwrap();
        send(light.pid(), 7_u64);
        assert_eq!(Light::at("light").call(Do::Tell).await.unwrap(), ["None -> On", "On: info 7"]);
        let state = gen_server::state("light").await.unwrap();
        assert!(state.contains("state: On") && state.contains("postponed: []"), "{state}");
        light.stop().await.unwrap();
    });
}

#[test]
fn a_machine_stops_and_crashes_as_servers_do() {
    leaving_nothing(|_| async {
        let light = light().await;
        light.cast(Do::Stop);
        let why = light.call(Do::Tell).await.unwrap_err().why;
        assert!(matches!(why, CallFailure::NoProc) || why == CallFailure::Ended(other("enough")));
        let light = self::light().await;
        let call = light.call(Do::AtTheEnd);
        light.cast(Do::Panic);
        let why = call.await.unwrap_err().why;
        assert!(matches!(why, CallFailure::Ended(ExitReason::Panic(_)) | CallFailure::NoProc), "{why:?}");
    });
}
