//! What few processes have and others touch: links, monitors, names. It is under its process's lock.

use crate::account::Figures;
use crate::few::Few;
use crate::message::Target;
use crate::pid::{LocalPid, Pid, Ref};

/// Links, monitors and names: what few processes have, and others touch.
#[derive(Default)]
pub(crate) struct Cold {
    pub(crate) links: Few<Pid, ()>,
    /// Monitors of others on this process.
    pub(crate) watchers: Few<Ref, Pid>,
    /// Monitors of this process on others.
    pub(crate) watching: Few<Ref, Target>,
    /// The aliases that work, by reference.
    pub(crate) aliases: Few<Ref, Uses>,
    pub(crate) name: Option<std::sync::Arc<str>>,
    pub(crate) label: Option<std::sync::Arc<str>>,
    /// Where it is entered under keys, to be struck off when it ends.
    pub(crate) entered: Vec<std::sync::Weak<dyn Ledger>>,
    /// What no longer fits into the account.
    pub(crate) spilled: Figures,
}

/// How many messages an alias takes.
#[derive(Clone, Copy)]
pub(crate) enum Uses {
    One,
    Many,
}

/// What processes are entered in until they end.
pub(crate) trait Ledger: Send + Sync {
    /// Forgets a process that has ended. Nobody has been told of its end yet.
    fn strike_off(&self, id: LocalPid);
}
