//! What a supervisor does when a child has ended: functions of data, without processes or clocks.
//!
//! The rules are those of OTP's `supervisor`: restart types, strategies, significant children, and the intensity
//! within a period over which a supervisor gives up. Carrying a decision out is left to `children` and `dynamic`.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::reason::ExitReason;
use crate::tree::Strategy;

#[cfg(test)]
mod tests;

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

/// Whether a supervisor ends by itself when [significant](super::ChildSpec::significant) children have ended by
/// themselves and are not started again.
///
/// What is stopped with [`terminate_child`](super::Supervisor::terminate_child) does not count as that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AutoShutdown {
    /// It does not; then no child can be significant.
    #[default]
    Never,
    /// When one of them has.
    AnySignificant,
    /// When the last of them has.
    AllSignificant,
}

/// How many restarts within which time a supervisor tolerates before it gives up.
///
/// The default is Elixir's: three within five seconds. (OTP's is one.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intensity {
    /// How many restarts. With zero, the first child that would have to be restarted ends its supervisor.
    pub restarts: usize,
    /// Within this time.
    pub within: Duration,
}

impl Default for Intensity {
    fn default() -> Self {
        Intensity { restarts: 3, within: Duration::from_secs(5) }
    }
}

/// What decides about a child that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) restart: Restart,
    pub(crate) reason: &'a ExitReason,
    pub(crate) is_significant: bool,
    /// Whether a significant child other than this one runs, or waits to be started again.
    pub(crate) others_significant: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Nothing: the child stays ended, its specification stays.
    Leave,
    /// The child's specification is dropped.
    Forget,
    /// The child is started again, together with its [`group`].
    Restart,
    /// There were too many restarts: the supervisor stops its children and ends.
    GiveUp,
    /// The work is done: the supervisor stops its children and ends.
    Finish,
}

/// What to do when a child has ended by itself at `now`.
pub(crate) fn on_exit(
    ended: &Ended<'_>,
    auto_shutdown: AutoShutdown,
    intensity: Intensity,
    history: &mut History,
    now: Duration,
) -> Decision {
    let comes_back = match ended.restart {
        Restart::Permanent => true,
        Restart::Transient => !ended.reason.is_orderly(),
        Restart::Temporary => false,
    };
    if comes_back {
        return if history.admit(intensity, now) { Decision::Restart } else { Decision::GiveUp };
    }
    let was_awaited = match auto_shutdown {
        AutoShutdown::Never => false,
        AutoShutdown::AnySignificant => true,
        AutoShutdown::AllSignificant => !ended.others_significant,
    };
    match ended.restart {
        _ if ended.is_significant && was_awaited => Decision::Finish,
        Restart::Temporary => Decision::Forget,
        Restart::Permanent | Restart::Transient => Decision::Leave,
    }
}

/// The children that are restarted together with this one, where they are numbered in start order: all of these are
/// stopped, the last one first, and started again, the first one first.
pub(crate) fn group(strategy: Strategy, child: u64) -> RangeInclusive<u64> {
    match strategy {
        Strategy::OneForOne => child..=child,
        Strategy::OneForAll => 0..=u64::MAX,
        Strategy::RestForOne => child..=u64::MAX,
    }
}

/// The restarts of the recent past.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    times: VecDeque<Duration>,
}

impl History {
    /// Counts a restart at `now`; false if that is one too many.
    ///
    /// Each is entered and taken out once, so that it costs the same with an intensity of a million.
    pub(crate) fn admit(&mut self, intensity: Intensity, now: Duration) -> bool {
        let oldest = now.saturating_sub(intensity.within);
        while self.times.front().is_some_and(|time| *time < oldest) {
            self.times.pop_front();
        }
        self.times.push_back(now);
        self.times.len() <= intensity.restarts
    }
}
