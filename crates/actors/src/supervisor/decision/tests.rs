//! The decisions beside a model that was written from OTP's documentation, in its words.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy as Generate, any, prop, prop_assert_eq, prop_oneof, proptest};

use super::*;

/// One exit: when, which child, why, and whether another significant child is there.
#[derive(Clone, Debug)]
struct Event {
    after_ms: u64,
    restart: Restart,
    reason: ExitReason,
    is_significant: bool,
    others_significant: bool,
}

fn reasons() -> impl Generate<Value = ExitReason> {
    prop_oneof![
        Just(ExitReason::Normal),
        Just(ExitReason::Shutdown),
        Just(ExitReason::ShutdownWith("done".into())),
        Just(ExitReason::Kill),
        Just(ExitReason::Killed),
        Just(ExitReason::NoProc),
        Just(ExitReason::NoConnection),
        Just(ExitReason::Error("no".into())),
        Just(ExitReason::from("boom")),
    ]
}

fn restarts() -> impl Generate<Value = Restart> {
    prop::sample::select(vec![Restart::Permanent, Restart::Transient, Restart::Temporary])
}

fn events() -> impl Generate<Value = Vec<Event>> {
    let event = (0..1500_u64, restarts(), reasons(), any::<bool>(), any::<bool>());
    let event = event.prop_map(|(after_ms, restart, reason, is_significant, others_significant)| Event {
        after_ms,
        restart,
        reason,
        is_significant,
        others_significant,
    });
    vec(event, 0..40)
}

/// What the documentation says: a table of who comes back, then the whole log counted anew each time.
#[derive(Default)]
struct Model {
    log_ms: Vec<u64>,
}

impl Model {
    fn decide(&mut self, event: &Event, auto: AutoShutdown, most: usize, within_ms: u64, now_ms: u64) -> &'static str {
        let orderly = ["normal", "shutdown", "shutdown: done"].contains(&event.reason.to_string().as_str());
        let comes_back = event.restart == Restart::Permanent || event.restart == Restart::Transient && !orderly;
        if comes_back {
            self.log_ms.push(now_ms);
            let recent = self.log_ms.iter().filter(|then| now_ms - **then <= within_ms).count();
            return if recent > most { "give up" } else { "restart" };
        }
        if event.is_significant
            && (auto == AutoShutdown::AnySignificant
                || auto == AutoShutdown::AllSignificant && !event.others_significant)
        {
            return "finish";
        }
        if event.restart == Restart::Temporary { "forget" } else { "leave" }
    }
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Leave => "leave",
        Decision::Forget => "forget",
        Decision::Restart => "restart",
        Decision::GiveUp => "give up",
        Decision::Finish => "finish",
    }
}

proptest! {
    #[test]
    fn decisions_are_those_of_the_documentation(
        events in events(),
        auto in prop::sample::select(vec![
            AutoShutdown::Never, AutoShutdown::AnySignificant, AutoShutdown::AllSignificant,
        ]),
        most in 0..6_usize,
        within_ms in 0..6_000_u64,
    ) {
        let intensity = Intensity { restarts: most, within: Duration::from_millis(within_ms) };
        let (mut history, mut model, mut now_ms) = (History::default(), Model::default(), 0);
        for event in &events {
            now_ms += event.after_ms;
            let ended = Ended {
                restart: event.restart,
                reason: &event.reason,
                is_significant: event.is_significant,
                others_significant: event.others_significant,
            };
            let decision = on_exit(&ended, auto, intensity, &mut history, Duration::from_millis(now_ms));
            prop_assert_eq!(word(decision), model.decide(event, auto, most, within_ms, now_ms));
        }
    }

    #[test]
    fn groups_hold_the_child_and_whom_its_strategy_adds(children in 1..20_u64, child in 0..20_u64) {
        let child = child % children;
        let members = |strategy| {
            let group = group(strategy, child);
            (0..children).filter(|one| group.contains(one)).collect::<Vec<_>>()
        };
        let all: Vec<u64> = (0..children).collect();
        prop_assert_eq!(members(Strategy::OneForOne), vec![child]);
        prop_assert_eq!(&members(Strategy::OneForAll), &all);
        prop_assert_eq!(members(Strategy::RestForOne), all.split_at(child as usize).1);
    }
}

#[test]
fn case_133_the_intensity_is_a_sliding_window() {
    let intensity = Intensity { restarts: 2, within: Duration::from_secs(5) };
    let mut history = History::default();
    let mut at = |seconds| history.admit(intensity, Duration::from_secs(seconds));
    assert_eq!([at(1), at(2), at(3), at(8), at(9)], [true, true, false, true, true]);
}

#[test]
fn case_133_an_intensity_of_zero_tolerates_nothing() {
    let none = Intensity { restarts: 0, within: Duration::ZERO };
    assert!(!History::default().admit(none, Duration::ZERO));
}
