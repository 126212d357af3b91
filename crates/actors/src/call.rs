//! Waiting for an answer: who waits is noted at the server, and whoever takes the note away decides how it ends.
//!
//! That is the one who answers, who then delivers under the same lock; the end of the server, which is told to all
//! that are noted; or the caller, who withdraws. So an answer is delivered once or never, nothing comes after a
//! withdrawal, and a call costs little more than its two messages: OTP's monitor with an alias is two notes at two
//! processes. For a server on another node it is that here, too, as the note has to be where the answer arrives.

use std::time::Duration;

use crate::core::{Due, Inner};
use crate::current::Current;
use crate::message::{Down, Target};
use crate::pid::{LocalPid, Pid, Ref};
use crate::reason::ExitReason;

impl Inner {
    /// Notes at `server` that `caller` waits for an answer; false if there is no such process.
    #[inline]
    pub(crate) fn note_caller(&self, server: LocalPid, reference: Ref, caller: Pid) -> bool {
        match self.slot(server).and_then(|slot| slot.lock(server)) {
            Some(mut locked) => {
                locked.cold().callers.insert(reference, caller);
                true
            }
            None => false,
        }
    }

    /// Takes the note away: nothing will come. False if somebody else did: then something has come, or is about to.
    pub(crate) fn withdraw_caller(&self, server: LocalPid, reference: Ref) -> bool {
        let locked = self.slot(server).and_then(|slot| slot.lock(server));
        locked.is_some_and(|mut locked| locked.known().is_some_and(|cold| cold.callers.remove(&reference).is_some()))
    }

    /// Tells a caller whose note was taken away that nothing will come of its call.
    pub(crate) fn tell_caller(&self, reference: Ref, caller: Pid, server: Pid, reason: &ExitReason) {
        let down = Down { reference, target: Target::Pid(server), reason: reason.clone() };
        let told = self.hand_in(caller, down);
        self.trace_told(server, caller, told);
    }
}

impl Current<'_> {
    /// Sees to it that the running process is woken at `deadline` or before, and then asks again.
    ///
    /// A process has one such alarm and keeps it when its calls are answered. So of many calls, one after the other,
    /// only the first starts a timer.
    #[inline]
    pub(crate) fn set_alarm(&self, id: LocalPid, now: Duration, deadline: Duration) {
        if deadline == Duration::MAX {
            return;
        }
        let timers = &self.inner.timers;
        self.with_own(|own| {
            let alarm = &mut own.rare.get_or_insert_default().alarm;
            if alarm.is_some_and(|alarm| now < alarm.due() && alarm.due() <= deadline) {
                return;
            }
            if let Some(later) = alarm.replace(timers.insert(deadline, Due::Wake(id), None)) {
                timers.remove(later);
            }
        });
    }
}
