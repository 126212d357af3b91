//! Aliases: addresses of a process that stop working, so that a late answer does not arrive.
//!
//! An alias is recorded at its process. Whoever sends to it looks it up and delivers under one lock, so
//! nothing arrives once it was removed. Other nodes cannot be asked yet: sending there is an error.

use serde::{Deserialize, Serialize};

use super::send::{Destination, Sender};
use super::{Watchable, demonitor};
use crate::cold::Uses;
use crate::current::{Current, running, unless_dead};
use crate::mailbox::{Envelope, drop_quietly};
use crate::message::{Message, Target};
use crate::pid::{Pid, Ref};

/// An address of a process that works until it is removed: see [`Alias::new`].
///
/// ```
/// use greenroom::{process::Alias, receive_timeout, self_pid, send};
///
/// greenroom::run(async {
///     let alias = Alias::new();
///     send(alias, 'a').unwrap();
///     assert!(alias.remove());
///     send(alias, 'b').unwrap();
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
        Alias::with("Alias::new", Uses::Many)
    }

    /// An alias of the running process that takes one message.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn once() -> Alias {
        Alias::with("Alias::once", Uses::One)
    }

    /// Monitors `target`, with an alias for its answer. Of the answer and the [`crate::message::Down`],
    /// whose reference is [`Alias::reference`], only the first arrives.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn monitor(target: impl Watchable) -> Alias {
        let alias = Alias::with("Alias::monitor", Uses::One);
        running("Alias::monitor", |current, _, _| {
            let inner = current.inner;
            inner.monitor_as(alias.reference, alias.pid, target.target(inner.id));
        });
        alias
    }

    #[track_caller]
    fn with(what: &str, uses: Uses) -> Alias {
        running(what, |current, slot, id| {
            let alias = Alias { pid: current.inner.pid(id), reference: Ref::new() };
            if let Some(mut locked) = slot.lock(id) {
                locked.cold().aliases.insert(alias.reference, uses);
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

    /// Removes the alias, and the monitor that it came with: nothing arrives by it from now on. True if
    /// it worked until then; false also for any process but its own.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn remove(self) -> bool {
        let removed = running("Alias::remove", |current, slot, id| {
            (current.inner.pid(id) == self.pid)
                .then(|| slot.lock(id)?.known()?.aliases.remove(&self.reference))
                .flatten()
                .is_some()
        });
        if removed {
            demonitor(self.reference);
        }
        removed
    }
}

/// The alias belongs to another node, which cannot be asked whether it still works; the message comes back.
#[derive(Clone, PartialEq, Eq)]
pub struct AliasError<M> {
    /// The alias that was tried.
    pub alias: Alias,
    /// The message.
    pub message: M,
}

impl<M> std::fmt::Debug for AliasError<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AliasError").field("alias", &self.alias).finish_non_exhaustive()
    }
}

impl<M> std::fmt::Display for AliasError<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an alias of {} works on its own node only; send to the process instead", self.alias.pid)
    }
}

impl<M> std::error::Error for AliasError<M> {}

impl Destination for Alias {
    type Sent<M> = Result<(), AliasError<M>>;

    fn accept<M: Message>(self, from: Sender<'_, '_>, message: M) -> Self::Sent<M> {
        let inner = from.inner();
        let Alias { pid, reference } = self;
        if pid.node != inner.id {
            return Err(AliasError { alias: self, message });
        }
        if let Some(current) = Current::of(inner) {
            current.charge(1);
        }
        let mut envelope = Envelope::new(message);
        if inner.is_traced() {
            inner.trace_send(&Target::Pid(pid), &mut envelope);
        }
        let mut used_up = false;
        let undelivered = unless_dead(inner, || {
            let Some(mut locked) = inner.slot(pid.id).and_then(|slot| slot.lock(pid.id)) else { return Some(envelope) };
            let Some(cold) = locked.known() else { return Some(envelope) };
            match cold.aliases.get(&reference) {
                Some(Uses::Many) => (),
                Some(Uses::One) => {
                    cold.aliases.remove(&reference);
                    used_up = true;
                }
                None => return Some(envelope),
            }
            // Under the lock, as a DOWN is: after `remove` nothing of this can happen.
            let refused = inner.deliver(pid.id, envelope).err();
            if used_up && let Some(target) = cold.watching.remove(&reference) {
                drop(locked);
                inner.forget_watcher(reference, pid, &target);
            }
            refused
        });
        drop_quietly(undelivered);
        Ok(())
    }
}
