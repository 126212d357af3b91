//! Aliases: addresses of a process that stop working, so that a late answer does not arrive.
//!
//! An alias is recorded at its process. Whoever sends to it looks it up and delivers under one lock, so
//! nothing arrives once it was removed. What comes from another node is looked up when it arrives.

use serde::{Deserialize, Serialize};

use super::send::{Destination, Sender};
use super::watch::{Until, Watch};
use super::{Watchable, demonitor};
use crate::cold::Uses;
use crate::current::running;
use crate::mailbox::Envelope;
use crate::message::{Message, Target};
use crate::pid::{Pid, Ref};

/// An address of a process that works until it is removed: see [`Alias::new`].
///
/// ```
/// use greenroom::{process::Alias, receive_timeout, self_pid, send};
///
/// greenroom::run(async {
///     let alias = Alias::new();
///     send(alias, 'a');
///     assert!(alias.remove());
///     send(alias, 'b');
///     assert_eq!(receive_timeout::<char>(std::time::Duration::ZERO).await, Some('a'));
///     assert_eq!(receive_timeout::<char>(std::time::Duration::ZERO).await, None);
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Alias {
    pid: Pid,
    reference: Ref,
}

impl Alias {
    /// An alias of the running process that works until [`Alias::remove`].
    ///
    /// # Panics
    /// Outside of a process.
    #[allow(clippy::new_without_default, reason = "two defaults would not be equal")]
    #[track_caller]
    pub fn new() -> Alias {
        Alias::with("Alias::new", Ref::new(), Uses::Many)
    }

    /// An alias of the running process that takes one message.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn once() -> Alias {
        Alias::with("Alias::once", Ref::new(), Uses::One)
    }

    /// Monitors `target`, with an alias for its answer. Of the answer and the [`crate::message::Down`],
    /// whose reference is [`Alias::reference`], only the first arrives.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn monitor(target: impl Watchable) -> Alias {
        Watch::on(target).start_with_alias(Until::Replied)
    }

    /// The same with a reference that was made before.
    #[track_caller]
    pub(crate) fn monitor_as(reference: Ref, target: Target) -> Alias {
        let alias = Alias::with("Alias::monitor", reference, Uses::OneMonitored);
        running("Alias::monitor", |current, _, _| current.inner.monitor_as(reference, alias.pid, target));
        alias
    }

    #[track_caller]
    pub(super) fn with(what: &str, reference: Ref, uses: Uses) -> Alias {
        running(what, |current, slot, id| {
            let alias = Alias { pid: current.inner.pid(id), reference };
            if let Some(mut locked) = slot.lock(id) {
                locked.cold().aliases.insert(reference, uses);
            }
            alias
        })
    }

    /// The process that it is an alias of.
    pub fn pid(self) -> Pid {
        self.pid
    }

    /// What tells it apart; for [`Alias::monitor`] also the reference of the monitor.
    pub fn reference(self) -> Ref {
        self.reference
    }

    /// Removes the alias: nothing arrives by it from now on. True if it worked until then; false also for any
    /// process but its own.
    ///
    /// A monitor with which the alias would have ended, ends with it. Differs from OTP's `unalias`, after which it
    /// goes on.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn remove(self) -> bool {
        let removed = running("Alias::remove", |current, slot, id| {
            (current.inner.pid(id) == self.pid)
                .then(|| slot.lock(id)?.known()?.aliases.remove(&self.reference))
                .flatten()
        });
        if removed.is_some_and(Uses::ends_with_monitor) {
            demonitor(self.reference);
        }
        removed.is_some()
    }
}

impl Destination for Alias {
    type Sent<M> = ();

    fn accept<M: Message>(self, from: Sender<'_, '_>, message: M) {
        from.inner().send_envelope(&Target::Alias(self.pid, self.reference), Envelope::new(message));
    }
}
