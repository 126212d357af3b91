//! What a node says about its connections to whoever looks after it, and not more often than can be read.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use greenroom::NodeId;
use parking_lot::Mutex;

use crate::protocol::Closed;

/// Something that happened to a connection, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A caller was not let in.
    Refused(IpAddr, String),
    /// A connection was lost that had been in use.
    Lost(NodeId, Closed),
    /// A peer that this node should be connected to cannot be reached. Said once for each reason.
    Unreachable(String),
    /// So many more were kept back, as there were too many.
    Suppressed(u64),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Refused(address, why) => write!(f, "refused a connection from {address}: {why}"),
            Notice::Lost(node, why) => write!(f, "lost {node}: {why}"),
            Notice::Unreachable(why) => write!(f, "cannot reach {why}"),
            Notice::Suppressed(count) => write!(f, "{count} more lines like these"),
        }
    }
}

/// Who is told.
pub(crate) type Listener = Arc<dyn Fn(&Notice) + Send + Sync>;

/// Tells notices, in a burst at most [`BURST`] of them and [`PER_SECOND`] after that.
pub(crate) struct Log {
    listener: Listener,
    throttle: Mutex<Throttle>,
}

impl Log {
    pub(crate) fn new(listener: Option<Listener>) -> Self {
        let listener = listener.unwrap_or_else(|| Arc::new(|notice: &Notice| eprintln!("greenroom: {notice}")));
        Log { listener, throttle: Mutex::default() }
    }

    pub(crate) fn tell(&self, notice: &Notice, now: Duration) {
        let Some(kept_back) = self.throttle.lock().admit(now) else { return };
        if kept_back > 0 {
            (self.listener)(&Notice::Suppressed(kept_back));
        }
        (self.listener)(notice);
    }
}

const BURST: f64 = 20.0;
const PER_SECOND: f64 = 2.0;

#[derive(Debug, Default)]
struct Throttle {
    /// How much of the burst is used up.
    level: f64,
    last: Duration,
    kept_back: u64,
}

impl Throttle {
    /// Whether one more may be told; then also how many were not since the last one that was.
    fn admit(&mut self, now: Duration) -> Option<u64> {
        let passed = now.saturating_sub(self.last).as_secs_f64();
        self.level = (self.level - passed * PER_SECOND).max(0.0);
        self.last = now;
        if self.level >= BURST {
            self.kept_back += 1;
            return None;
        }
        self.level += 1.0;
        Some(std::mem::take(&mut self.kept_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_in_part_and_then_counted() {
        let mut throttle = Throttle::default();
        let told = (0..1000).filter(|_| throttle.admit(Duration::ZERO).is_some()).count();
        assert_eq!(told, 20);
        assert_eq!(throttle.admit(Duration::from_secs(1)), Some(980));
        assert_eq!(throttle.admit(Duration::from_secs(1)), Some(0));
        assert_eq!(throttle.admit(Duration::from_secs(1)), None);
    }
}
