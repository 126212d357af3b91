//! What few processes have and others touch: links, monitors, names. It is under its process's lock.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::account::Figures;
use crate::message::Target;
use crate::pid::{Pid, Ref};

/// Links, monitors and names: what few processes have, and others touch.
#[derive(Default)]
pub(crate) struct Cold {
    pub(crate) links: FxHashSet<Pid>,
    /// Monitors of others on this process.
    pub(crate) watchers: FxHashMap<Ref, Pid>,
    /// Monitors of this process on others.
    pub(crate) watching: FxHashMap<Ref, Target>,
    /// The aliases that work, by reference.
    pub(crate) aliases: FxHashMap<Ref, Uses>,
    pub(crate) name: Option<std::sync::Arc<str>>,
    pub(crate) label: Option<std::sync::Arc<str>>,
    /// What no longer fits into the account.
    pub(crate) spilled: Figures,
}

/// How many messages an alias takes.
#[derive(Clone, Copy)]
pub(crate) enum Uses {
    One,
    Many,
}
