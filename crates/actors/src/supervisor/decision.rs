//! What a supervisor does when a child has ended: a function of data, without processes or clocks.
//!
//! The rules are those of OTP's `supervisor`: restart types, strategies, and the intensity within a
//! period over which a supervisor gives up.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use crate::reason::ExitReason;
use crate::tree::Strategy;

/// When a child is started again after it has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Restart {
    /// Always.
    #[default]
    Permanent,
    /// If it ended otherwise than normally or by a shutdown.
    Transient,
    /// Never; its specification is forgotten when it has ended.
    Temporary,
}

/// How many restarts within which time a supervisor tolerates before it gives up.
///
/// The default is Elixir's: three within five seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intensity {
    /// How many restarts.
    pub restarts: usize,
    /// Within this time.
    pub within: Duration,
}

impl Default for Intensity {
    fn default() -> Self {
        Intensity { restarts: 3, within: Duration::from_secs(5) }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Nothing: the child stays ended, its specification stays.
    Leave,
    /// The child's specification is dropped.
    Forget,
    /// These children are stopped, last one first, as far as they run, and started again, first one first.
    Restart(Range<usize>),
    /// The supervisor stops its children and ends.
    GiveUp,
}

/// The restarts of the recent past.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    times: VecDeque<Duration>,
}

impl History {
    /// Counts a restart at `now`; false if that is one too many.
    pub(crate) fn admit(&mut self, intensity: Intensity, now: Duration) -> bool {
        let oldest = now.saturating_sub(intensity.within);
        while self.times.front().is_some_and(|time| *time < oldest) {
            self.times.pop_front();
        }
        self.times.push_back(now);
        self.times.len() <= intensity.restarts
    }
}

/// What to do when the child at `index` of `count` has ended for `reason`.
pub(crate) fn on_exit(
    strategy: Strategy,
    restart: Restart,
    reason: &ExitReason,
    index: usize,
    count: usize,
    admit: impl FnOnce() -> bool,
) -> Decision {
    match restart {
        Restart::Temporary => return Decision::Forget,
        Restart::Transient if reason.is_orderly() => return Decision::Leave,
        Restart::Transient | Restart::Permanent => {}
    }
    if !admit() {
        return Decision::GiveUp;
    }
    Decision::Restart(group(strategy, index, count))
}

/// The children that are restarted together with the one at `index` of `count`.
pub(crate) fn group(strategy: Strategy, index: usize, count: usize) -> Range<usize> {
    match strategy {
        Strategy::OneForOne => index..index + 1,
        Strategy::OneForAll => 0..count,
        Strategy::RestForOne => index..count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(strategy: Strategy, restart: Restart, reason: &str) -> Decision {
        let reason = match reason {
            "normal" => ExitReason::Normal,
            "shutdown" => ExitReason::Shutdown,
            "killed" => ExitReason::Killed,
            other => ExitReason::from(other),
        };
        on_exit(strategy, restart, &reason, 1, 4, || true)
    }

    #[test]
    fn strategies_choose_who_is_restarted() {
        let crash = |strategy| decide(strategy, Restart::Permanent, "boom");
        assert_eq!(crash(Strategy::OneForOne), Decision::Restart(1..2));
        assert_eq!(crash(Strategy::OneForAll), Decision::Restart(0..4));
        assert_eq!(crash(Strategy::RestForOne), Decision::Restart(1..4));
    }

    #[test]
    fn cases_140_to_143_restart_types_choose_whether() {
        let with = |restart, reason| decide(Strategy::OneForAll, restart, reason);
        assert_eq!(with(Restart::Permanent, "normal"), Decision::Restart(0..4));
        assert_eq!(with(Restart::Transient, "normal"), Decision::Leave);
        assert_eq!(with(Restart::Transient, "shutdown"), Decision::Leave);
        assert_eq!(with(Restart::Transient, "killed"), Decision::Restart(0..4));
        assert_eq!(with(Restart::Temporary, "boom"), Decision::Forget);
    }

    #[test]
    fn case_133_the_intensity_is_a_sliding_window() {
        let intensity = Intensity { restarts: 2, within: Duration::from_secs(5) };
        let mut history = History::default();
        let mut at = |seconds| history.admit(intensity, Duration::from_secs(seconds));
        assert!(at(1) && at(2));
        assert!(!at(3));
        assert!(at(8) || at(9));
        let none = Intensity { restarts: 0, within: Duration::from_secs(5) };
        assert!(!History::default().admit(none, Duration::ZERO));
    }
}
