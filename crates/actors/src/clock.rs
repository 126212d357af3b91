//! The time of a node: that of the machine, or one that a test drives by hand.
//!
//! What waits is `timer`'s affair; here is only what the time is, and how it is moved on.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::core::Inner;
use crate::current::Current;
use crate::lock::Mutex;

/// Where a node takes its time from.
pub(crate) enum Time {
    /// Since the node started.
    Real {
        started: Instant,
        /// The same by the clock that `about_now` asks.
        #[cfg(target_os = "linux")]
        monotonic: Duration,
    },
    /// What a test has made of it so far.
    Manual(Mutex<Duration>),
}

impl Time {
    pub(crate) fn real() -> Self {
        Time::Real {
            started: Instant::now(),
            #[cfg(target_os = "linux")]
            monotonic: monotonic_time(rustix::time::ClockId::Monotonic),
        }
    }

    /// The time now, or some milliseconds later, but read several times as fast.
    #[inline]
    pub(crate) fn about_now(&self) -> Duration {
        #[cfg(target_os = "linux")]
        if let Time::Real { monotonic, .. } = self {
            // This clock stands still for up to ten milliseconds.
            const TICK: Duration = Duration::from_millis(10);
            return monotonic_time(rustix::time::ClockId::MonotonicCoarse).saturating_sub(*monotonic) + TICK;
        }
        self.now()
    }

    pub(crate) fn manual() -> Self {
        Time::Manual(Mutex::default())
    }

    pub(crate) fn now(&self) -> Duration {
        match self {
            Time::Real { started, .. } => started.elapsed(),
            Time::Manual(now) => *now.lock(),
        }
    }
}

#[cfg(target_os = "linux")]
fn monotonic_time(clock: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    // Since the machine has started, so neither is negative.
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The clock of a node: see [`Node::clock`](crate::Node::clock).
///
/// Everything that waits in a node goes by it: a receive with a time-out, [`sleep`](crate::sleep()),
/// [`send_after`](crate::send_after), the restarts that a supervisor tolerates, the times in a trace. What waits
/// in tokio does not, and how long a process was busy is always measured in real time.
///
/// ```
/// use std::time::Duration;
/// use greenroom::{Node, receive, self_pid, send_after};
///
/// let node = Node::builder().manual_clock().start().unwrap();
/// let clock = node.clock();
/// node.block_on(async move {
///     send_after(self_pid(), "a day later".to_owned(), Duration::from_secs(86_400));
///     clock.advance(Duration::from_secs(86_400));
///     assert_eq!(receive::<String>().await, "a day later");
/// });
/// ```
#[derive(Clone)]
pub struct Clock(Weak<Inner>);

impl Clock {
    pub(crate) fn of(inner: &Inner) -> Self {
        Clock(inner.downgrade())
    }

    /// The time since the node started; zero once it is gone.
    pub fn now(&self) -> Duration {
        self.0.upgrade().map_or(Duration::ZERO, |inner| inner.now())
    }

    /// Moves the time on, from one deadline to the next, and fires what is due in order.
    ///
    /// When this returns, everything that was due has been handed over: messages are in their mailboxes and
    /// sleepers are queued to run. They need not have run yet: for that there is [`Clock::pass`].
    ///
    /// # Panics
    /// If the clock is not [manual](crate::NodeBuilder::manual_clock).
    pub fn advance(&self, by: Duration) {
        let Some(inner) = self.0.upgrade() else { return };
        let now = by_hand(&inner);
        let target = now.lock().saturating_add(by);
        while step(&inner, now, target) {}
    }

    /// Moves the time on and lets everyone do what they have to do at each deadline, before it goes on to the
    /// next: a process that sleeps for a second ten times sleeps for ten seconds.
    ///
    /// # Panics
    /// If the clock is not [manual](crate::NodeBuilder::manual_clock).
    pub async fn pass(&self, by: Duration) {
        let Some(target) = self.0.upgrade().map(|inner| by_hand(&inner).lock().saturating_add(by)) else { return };
        loop {
            self.settled().await;
            let Some(inner) = self.0.upgrade() else { return };
            if !step(&inner, by_hand(&inner), target) {
                break;
            }
        }
        self.settled().await;
    }

    /// Waits until every other process of the node waits for something.
    ///
    /// What goes on outside of processes is not seen: a blocking thread, a socket, other nodes. While a
    /// process runs without an end, this does not return.
    pub async fn settled(&self) {
        poll_fn(|context| {
            let Some(inner) = self.0.upgrade() else { return Poll::Ready(()) };
            if is_settled(&inner) {
                return Poll::Ready(());
            }
            drop(inner);
            std::thread::yield_now(); // The others may need this very processor.
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

fn by_hand(inner: &Arc<Inner>) -> &Mutex<Duration> {
    match &inner.time {
        Time::Manual(now) => now,
        Time::Real { .. } => panic!("this clock goes by itself: start the node with `Node::builder().manual_clock()`"),
    }
}

/// Moves the time to the next deadline and fires what is due then. False when there is none up to `target`,
/// which it now is.
fn step(inner: &Inner, now: &Mutex<Duration>, target: Duration) -> bool {
    inner.timers.settle(
        || inner.now(),
        |next| {
            let mut now = now.lock();
            let until = next.filter(|next| *next <= target);
            *now = until.unwrap_or(target).max(*now); // Someone else may have moved it further.
            until.is_some()
        },
    )
}

/// Whether nobody but the running process has anything to do.
///
/// All are looked at twice. Whoever was active before the first look and is found waiting in it can only have
/// woken someone before its end, who is then found active in the second look, or has had a turn since, which
/// the count of turns shows.
fn is_settled(inner: &Inner) -> bool {
    let asking = Current::of(inner).and_then(Current::process).map(|(_, id)| id);
    let before = inner.scheduler.turns_begun();
    (0..2).all(|_| inner.table.all_wait_but(asking)) && inner.scheduler.turns_begun() == before
}
