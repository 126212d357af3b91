//! Mailboxes with a limit: what happens to a message for one that is full, and to its sender.
//!
//! Most mailboxes have none, which costs a send and a receive one look at a flag. The others are known here, each with
//! the number of its messages: senders raise it, the owner lowers it with each message that it takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::Waker;

use rustc_hash::FxHashMap;

use crate::core::Inner;
use crate::current::Current;
use crate::lock::{Mutex, RwLock};
use crate::mailbox::Envelope;
use crate::pid::LocalPid;
use crate::reason::ExitReason;
use crate::slot::{Slot, flag};
use crate::suspension::Holder;

/// What happens to a message for a mailbox that is full.
///
/// What the runtime itself sends, [`Down`](crate::message::Down) and [`Exit`](crate::message::Exit), and what is sent
/// to an [`Alias`](crate::process::Alias), which is an answer that was asked for, arrives in any case, and counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// It arrives, and the process that sent it is suspended at its next `await`, until there is room or the receiver
    /// has ended: as the BEAM holds back who sends to a busy port. So a mailbox exceeds its limit by what its senders
    /// send before they next await. [`send_async`](crate::process::send_async) never exceeds it.
    ///
    /// Who is no process of this node is not held back: a timer, a plain thread, another node.
    Block,
    /// It is dropped, and counted: [`Info::dropped`](crate::process::Info::dropped).
    DropNewest,
    /// It is dropped, and the receiver ended, whether it traps exits or not, with a reason that says so.
    Kill,
}

/// The mailboxes of a node that have a limit.
#[derive(Default)]
pub(crate) struct Limits(RwLock<FxHashMap<LocalPid, Arc<Limit>>>);

pub(crate) struct Limit {
    most: usize,
    overflow: Overflow,
    /// How many messages there are, and are being put in.
    inside: AtomicUsize,
    dropped: AtomicU64,
    /// Whether someone was suspended for it.
    blocks: AtomicBool,
    /// Those who wait for room.
    waiting: Mutex<Vec<Waker>>,
}

/// How a message is put into a mailbox.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Push {
    /// As its limit says.
    Plain,
    /// If there is room.
    Try,
    /// In any case.
    Notice,
}

/// Why a message was not put into a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nobody is there.
    Nobody,
    /// It is full, and drops.
    Full,
    /// It is full, and that ends its process.
    Fatal,
}

impl Limits {
    fn get(&self, id: LocalPid) -> Option<Arc<Limit>> {
        self.0.read().get(&id).cloned()
    }
}

impl Limit {
    fn room(&self) -> bool {
        self.inside.load(Ordering::SeqCst) < self.most
    }

    fn reserve(&self) -> bool {
        let more = |inside: usize| (inside < self.most).then_some(inside + 1);
        self.inside.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
    }

    fn wake_waiting(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Inner {
    /// Gives a process that nobody can have sent to yet a limit.
    pub(crate) fn limit(&self, slot: &Slot, id: LocalPid, most: usize, overflow: Overflow) {
        let limit = Limit {
            most,
            overflow,
            inside: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
            blocks: AtomicBool::new(false),
            waiting: Mutex::default(),
        };
        self.limits.0.write().insert(id, Arc::new(limit));
        slot.raise(flag::LIMITED);
    }

    /// Puts a message into a mailbox that has a limit.
    #[cold]
    pub(crate) fn deliver_limited(
        &self,
        current: Option<&Current<'_>>,
        slot: &Slot,
        to: LocalPid,
        envelope: Envelope,
        push: Push,
    ) -> Result<(), (Refusal, Envelope)> {
        let Some(limit) = self.limits.get(to) else { return self.push(current, slot, to, envelope) };
        if !limit.reserve() {
            match (push, limit.overflow) {
                (Push::Try, _) => return Err((Refusal::Full, envelope)),
                (Push::Plain, Overflow::DropNewest) => {
                    limit.dropped.fetch_add(1, Ordering::Relaxed);
                    return Err((Refusal::Full, envelope));
                }
                (Push::Plain, Overflow::Kill) => return Err((Refusal::Fatal, envelope)),
                (Push::Plain, Overflow::Block) => {
                    limit.inside.fetch_add(1, Ordering::SeqCst);
                    self.block(current, &limit, to);
                }
                (Push::Notice, _) => {
                    limit.inside.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
        let pushed = self.push(current, slot, to, envelope);
        if pushed.is_err() {
            limit.inside.fetch_sub(1, Ordering::SeqCst);
        }
        pushed
    }

    /// Suspends the running process, if it is another one, until there is room.
    fn block(&self, current: Option<&Current<'_>>, limit: &Limit, full: LocalPid) {
        let Some((_, sender)) = current.and_then(Current::process) else { return };
        if sender == full {
            return; // It would wait for itself.
        }
        if self.suspend(sender, Holder::Mailbox(full)) {
            limit.blocks.store(true, Ordering::SeqCst);
            // Whoever made room before that has not seen us.
            if limit.room() {
                self.resume_all(Holder::Mailbox(full));
            }
        }
    }

    /// The running process has taken a message out of its mailbox, which has a limit.
    #[cold]
    pub(crate) fn made_room(&self, id: LocalPid) {
        let Some(limit) = self.limits.get(id) else { return };
        limit.inside.fetch_sub(1, Ordering::SeqCst);
        if limit.room() {
            if limit.blocks.swap(false, Ordering::SeqCst) {
                self.resume_all(Holder::Mailbox(id));
            }
            limit.wake_waiting();
        }
    }

    /// Whether a message can be sent to this process now without exceeding a limit; if not, `waker` is woken when
    /// that may have changed.
    pub(crate) fn has_room(&self, to: LocalPid, waker: &Waker) -> bool {
        let Some(limit) = self.slot(to).filter(|slot| slot.is_limited()).and_then(|_| self.limits.get(to)) else {
            return true;
        };
        limit.waiting.lock().push(waker.clone());
        limit.room() || !self.is_alive(to)
    }

    /// The limit of a process, and how many messages it has cost.
    pub(crate) fn limit_of(&self, slot: &Slot, id: LocalPid) -> Option<(usize, u64)> {
        let limit = slot.is_limited().then(|| self.limits.get(id)).flatten()?;
        Some((limit.most, limit.dropped.load(Ordering::Relaxed)))
    }

    /// The reason with which a mailbox ends its process.
    pub(crate) fn overflow_of(&self, id: LocalPid) -> ExitReason {
        match self.limits.get(id) {
            Some(limit) => ExitReason::from(format!("mailbox overflow: over its limit of {} messages", limit.most)),
            None => ExitReason::Killed, // It has ended meanwhile.
        }
    }

    /// A process has ended.
    pub(crate) fn forget_limit(&self, id: LocalPid) {
        let limit = self.limits.0.write().remove(&id);
        if let Some(limit) = limit {
            limit.wake_waiting();
        }
    }
}

/// What is counted for the whole node beside what its workers count: rare things, so that one word each will do.
#[derive(Default)]
pub(crate) struct Counters {
    dropped: AtomicU64,
    /// Those that no worker ended.
    exited: AtomicU64,
}

impl Counters {
    pub(crate) fn count_drop(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_exit(&self) {
        self.exited.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn exited(&self) -> u64 {
        self.exited.load(Ordering::Relaxed)
    }
}
