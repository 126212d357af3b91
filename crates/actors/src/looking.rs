//! Looking into mailboxes: what waits in one, as text.
//!
//! What a process has taken over from its inbox is for the thread that runs it alone. So whoever wants to look leaves
//! word, and the worker that runs the process next writes down what waits, between two turns: all of it as of one
//! moment. The process is woken for that, finds nothing new, and waits again.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

use crate::core::Inner;
use crate::current::Current;
use crate::lock::Mutex;
use crate::mailbox::drop_quietly;
use crate::pid::LocalPid;
use crate::process::Messages;
use crate::slot::{Slot, flag};
use crate::trace::Signal;

/// Somebody who wants to look.
pub(crate) struct Look {
    most: usize,
    tell: oneshot::Sender<Messages>,
}

/// Those who want to look, by whose mailbox it is. A flag in the state of that process shows that there is somebody.
pub(crate) type Looks = Mutex<FxHashMap<LocalPid, Vec<Look>>>;

impl Inner {
    /// Has the mailbox of a process written down, its first messages in words. None if it has ended; nothing comes if
    /// it ends before it is looked at.
    pub(crate) fn look(&self, pid: LocalPid, most: usize) -> Option<oneshot::Receiver<Messages>> {
        let slot = self.slot(pid)?;
        let (tell, told) = oneshot::channel();
        let mut looks = self.looks.lock();
        if !slot.is_alive(pid) {
            return None;
        }
        looks.entry(pid).or_default().push(Look { most, tell });
        // Whoever ends it either sees the flag, and forgets us once we let go of the lock, or has come first.
        if slot.raise(flag::LOOKED_AT) & flag::DEAD != 0 {
            looks.remove(&pid);
            return None;
        }
        drop(looks);
        self.wake(pid);
        Some(told)
    }

    /// A process that somebody wants to look at has ended.
    pub(crate) fn forget_looks(&self, pid: LocalPid) {
        let looks = self.looks.lock().remove(&pid);
        drop(looks);
    }
}

/// Writes down what waits in the mailbox, for all who want to know.
///
/// # Safety
/// The caller is the running thread of `slot`, and nothing of what belongs to it is in use.
#[cold]
pub(crate) unsafe fn write_down<'a>(current: &Current<'a>, slot: &'a Slot) {
    let id = slot.resident();
    slot.lower(flag::LOOKED_AT);
    let looks = current.inner.looks.lock().remove(&id).unwrap_or_default();
    let most = looks.iter().map(|look| look.most).max().unwrap_or(0);
    let mut messages = Messages { len: 0, first: Vec::new() };
    // SAFETY: as the caller says. While messages show themselves, which is the user's code, the queue is on loan, so
    // that nothing which that does touches it.
    unsafe {
        let queue = slot.queue();
        queue.refill(&slot.kept, &slot.inbox, slot.tag());
        slot.own().queue_is_lent = true;
        current.run(slot, || {
            queue.for_each(|envelope| {
                messages.len += 1;
                if messages.first.len() < most {
                    messages.first.push(match catch_unwind(AssertUnwindSafe(|| envelope.signal())) {
                        Ok(signal) => signal,
                        Err(payload) => {
                            drop_quietly(payload);
                            let text = "(its `Debug` panics)".to_owned();
                            Signal::Info { name: crate::message::short_name(envelope.type_name()), text }
                        }
                    });
                }
            });
        });
        slot.own().queue_is_lent = false;
    }
    for look in looks {
        let first = messages.first.iter().take(look.most).cloned().collect();
        // Whoever has asked may not wait any more.
        let _ = look.tell.send(Messages { len: messages.len, first });
    }
}
