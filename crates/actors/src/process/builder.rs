//! Starting a process with options: OTP's `spawn_opt`.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use crate::current::running;
use crate::message::Target;
use crate::names::RegisterError;
use crate::overload::Overflow;
use crate::pid::{Pid, Ref};
use crate::reason::{ExitReason, Outcome};

/// A process that is yet to be started.
///
/// ```
/// use greenroom::process::{Builder, Overflow};
/// use greenroom::{receive, send, whereis};
///
/// greenroom::run(async {
///     let logger = Builder::new().name("logger").mailbox_limit(1000, Overflow::DropNewest).link();
///     let started = logger.spawn(async { loop { println!("{}", receive::<String>().await) } }).unwrap();
///     assert_eq!(whereis("logger"), Some(started.pid));
/// });
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is started before `spawn`"]
pub struct Builder {
    name: Option<String>,
    label: Option<String>,
    leader: Option<Pid>,
    links: bool,
    monitors: bool,
    limit: Option<(usize, Overflow)>,
}

/// What [`Builder::spawn`] has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// The process.
    pub pid: Pid,
    /// Its monitor, with [`Builder::monitor`].
    pub monitor: Option<Ref>,
}

impl Builder {
    /// A process like those of [`spawn`](crate::spawn()).
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Registers it, before it runs.
    pub fn name(mut self, name: impl Into<String>) -> Builder {
        self.name = Some(name.into());
        self
    }

    /// Gives it a label, as by [`set_label`](super::set_label).
    pub fn label(mut self, label: impl Into<String>) -> Builder {
        self.label = Some(label.into());
        self
    }

    /// Gives it this group leader, as by [`spawn_led`](super::spawn_led).
    pub fn leader(mut self, leader: Pid) -> Builder {
        self.leader = Some(leader);
        self
    }

    /// Links it to the running process.
    pub fn link(mut self) -> Builder {
        self.links = true;
        self
    }

    /// Has the running process monitor it.
    pub fn monitor(mut self) -> Builder {
        self.monitors = true;
        self
    }

    /// Lets at most so many messages wait in its mailbox, and says what happens to more.
    pub fn mailbox_limit(mut self, messages: usize, overflow: Overflow) -> Builder {
        self.limit = Some((messages, overflow));
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`RegisterError`], if it cannot have its name: then it never ran.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> Result<Started, RegisterError>
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        let at = Location::caller();
        let Builder { name, label, leader, links, monitors, limit } = self;
        running("Builder::spawn", |current, _, id| {
            let inner = current.inner;
            let myself = inner.pid(id);
            let (mut registered, mut monitor) = (Ok(()), None);
            let introduce = |child: Pid| {
                let Some(slot) = inner.slot(child.id) else { return };
                if let Some((messages, overflow)) = limit {
                    inner.limit(slot, child.id, messages, overflow); // Before anyone can find it by its name.
                }
                if let Some(name) = &name {
                    registered = inner.register(name, child.id);
                    if registered.is_err() {
                        return inner.end(child.id, ExitReason::Shutdown);
                    }
                }
                if let (Some(label), Some(mut locked)) = (label, slot.lock(child.id)) {
                    locked.cold().label = Some(Arc::from(label));
                }
                if links {
                    inner.link(myself, child);
                }
                if monitors {
                    monitor = Some(inner.monitor(myself, Target::Pid(child)));
                }
            };
            let pid = inner.spawn_led(at, leader.or_else(|| current.leader()), introduce, future);
            registered.map(|()| Started { pid, monitor })
        })
    }
}
