//! What few processes have and others touch: links, monitors, names. It is under its process's lock.

use rustc_hash::FxHashMap;

use crate::account::Figures;
use crate::few::Few;
use crate::mailbox::Envelope;
use crate::message::{Down, Target};
use crate::pid::{LocalPid, Pid, Ref};

/// Links, monitors and names: what few processes have, and others touch.
#[derive(Default)]
pub(crate) struct Cold {
    pub(crate) links: Few<Pid, ()>,
    /// Monitors of others on this process.
    pub(crate) watchers: Few<Ref, Pid>,
    /// Monitors of this process on others.
    pub(crate) watching: Few<Ref, Target>,
    /// Who waits for an answer of this process, by the reference of the call.
    pub(crate) callers: Few<Ref, Pid>,
    /// The aliases that work, by reference.
    pub(crate) aliases: Few<Ref, Uses>,
    /// What takes the place of `Down` in the message of a monitor.
    pub(crate) tags: Option<Box<FxHashMap<Ref, Tag>>>,
    pub(crate) name: Option<std::sync::Arc<str>>,
    pub(crate) label: Option<std::sync::Arc<str>>,
    /// Where it is entered under keys, to be struck off when it ends.
    pub(crate) entered: Vec<std::sync::Weak<dyn Ledger>>,
    /// What no longer fits into the account.
    pub(crate) spilled: Figures,
}

/// Makes the message of a monitor.
pub(crate) type Tag = Box<dyn FnOnce(Down) -> Envelope + Send>;

/// Until when an alias works, if it is not removed before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uses {
    Many,
    /// The first message.
    One,
    /// The end of its monitor.
    Monitored,
    /// The first message, which ends its monitor, or the end of that.
    OneMonitored,
}

impl Uses {
    pub(crate) fn ends_with_message(self) -> bool {
        matches!(self, Uses::One | Uses::OneMonitored)
    }

    pub(crate) fn ends_with_monitor(self) -> bool {
        matches!(self, Uses::Monitored | Uses::OneMonitored)
    }
}

/// A monitor that was taken out at its watcher's end.
pub(crate) struct Watching {
    pub(crate) target: Target,
    pub(crate) tag: Option<Tag>,
}

impl Cold {
    /// Ends a monitor of this process, and the alias that ends with it.
    pub(crate) fn unwatch(&mut self, reference: &Ref) -> Option<Watching> {
        let target = self.watching.remove(reference)?;
        if self.aliases.get(reference).is_some_and(|uses| uses.ends_with_monitor()) {
            self.aliases.remove(reference);
        }
        let tag = self.tags.as_mut().and_then(|tags| tags.remove(reference));
        Some(Watching { target, tag })
    }
}

/// What processes are entered in until they end.
pub(crate) trait Ledger: Send + Sync {
    /// Forgets a process that has ended. Nobody has been told of its end yet.
    fn strike_off(&self, id: LocalPid);
}
