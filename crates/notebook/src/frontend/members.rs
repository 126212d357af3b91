//! What could follow a `.` or a `::`, as the notebook's rust-analyzer knows it. Whoever has once pressed Tab there has it
//! asked as soon as one is typed, on a thread of its own, so that the answer is there by then; who types never waits.
//! Whoever does not pays nothing: it takes much memory.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::complete::After;
use crate::analyzer::{Member, NoMembers};
use crate::live::Handle;
use crate::session::operation::SectionId;

/// So long Tab waits for an answer that is not there yet.
const PATIENCE: Duration = Duration::from_millis(300);

/// Knows what could follow. Its clones are one.
#[derive(Clone, Default)]
pub(super) struct Members {
    shared: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    /// Where what is typed goes.
    target: Option<(Handle, SectionId)>,
    /// Whether Tab was ever pressed at such a place.
    is_used: bool,
    wanted: Option<After>,
    known: Option<(After, Result<Vec<Member>, NoMembers>)>,
    is_over: bool,
}

impl Members {
    /// What is typed goes there, once it is entered.
    pub(super) fn aim(&self, target: Option<(Handle, SectionId)>) {
        let mut state = self.lock();
        state.target = target;
        // What follows may be another thing there, or by now.
        (state.wanted, state.known) = (None, None);
    }

    /// Begins to ask, on a thread of its own, until this is [`Members::end`]ed.
    pub(super) fn begin(&self) {
        let worker = self.clone();
        std::thread::spawn(move || worker.work());
    }

    /// Nothing more is asked.
    pub(super) fn end(&self) {
        self.lock().is_over = true;
        self.shared.1.notify_all();
    }

    /// Whether Tab was ever pressed at such a place: else nobody need say what is typed.
    pub(super) fn is_used(&self) -> bool {
        self.lock().is_used
    }

    /// This place was typed: it may be asked about.
    pub(super) fn hear(&self, after: After) {
        let mut state = self.lock();
        let is_known = state.known.as_ref().is_some_and(|(known, _)| *known == after);
        if !is_known && state.wanted.as_ref() != Some(&after) {
            state.wanted = Some(after);
            drop(state);
            self.shared.1.notify_all();
        }
    }

    /// What could stand at a place; none if that is not known within a moment.
    pub(super) fn wait(&self, after: &After) -> Option<Result<Vec<Member>, NoMembers>> {
        self.lock().is_used = true;
        self.hear(after.clone());
        let until = Instant::now() + PATIENCE;
        let mut state = self.lock();
        loop {
            match &state.known {
                Some((known, Ok(members))) if known == after => return Some(Ok(members.clone())),
                // What was in the way may be out of it the next time.
                Some((known, Err(_))) if known == after => return state.known.take().map(|(_, members)| members),
                _ => {}
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            state = self.shared.1.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn work(&self) {
        while let Some((after, target)) = self.next() {
            let members = match target {
                Some((handle, section)) => handle.members(section, &after.source, after.place),
                None => Err(NoMembers::NotReady),
            };
            let mut state = self.lock();
            if state.wanted.as_ref() == Some(&after) {
                state.wanted = None;
                state.known = Some((after, members));
                drop(state);
                self.shared.1.notify_all();
            }
        }
    }

    /// Waits for something to ask. Nothing when it is over.
    fn next(&self) -> Option<(After, Option<(Handle, SectionId)>)> {
        let mut state = self.lock();
        loop {
            if state.is_over {
                return None;
            }
            if let Some(after) = &state.wanted {
                return Some((after.clone(), state.target.clone()));
            }
            state = self.shared.1.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Held for moments.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
