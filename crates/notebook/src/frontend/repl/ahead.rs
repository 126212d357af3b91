//! Compiling ahead: what is typed is compiled when the hand rests, so that Enter only has to run it. Nothing runs before
//! Enter, and nothing is compiled twice: what was compiled is found by its content.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::analysis;
use crate::frontend::commands;
use crate::frontend::syntax::{Completeness, completeness, meant};
use crate::live::Handle;
use crate::session::operation::SectionId;

/// A hand that has not moved for so long rests.
const REST: Duration = Duration::from_millis(150);

/// Has compiled what is being typed. Its clones are one.
#[derive(Clone, Default)]
pub(super) struct Ahead {
    shared: Arc<(Mutex<Typed>, Condvar)>,
}

/// What is being typed.
#[derive(Default)]
struct Typed {
    text: String,
    since: Option<Instant>,
    target: Option<(Handle, SectionId)>,
    is_over: bool,
}

impl Ahead {
    /// What is typed goes there, once it is entered.
    pub(super) fn aim(&self, target: Option<(Handle, SectionId)>) {
        self.lock().target = target;
    }

    /// What hears each text as it is typed. From now on what rests is compiled.
    pub(super) fn listen(&self) -> Box<dyn Fn(&str) + Send> {
        let worker = self.clone();
        std::thread::spawn(move || worker.work());
        let ahead = Listening(self.clone());
        Box::new(move |text| ahead.0.hear(text))
    }

    fn hear(&self, text: &str) {
        let mut typed = self.lock();
        if typed.text == text {
            return;
        }
        text.clone_into(&mut typed.text);
        typed.since = Some(Instant::now());
        drop(typed);
        self.shared.1.notify_all();
    }

    fn work(&self) {
        while let Some((text, target)) = self.rested() {
            let Some((handle, section)) = target.filter(|_| is_worth_it(&text)) else { continue };
            handle.warm(section, &meant(&text));
        }
    }

    /// Waits until the hand rests after it has typed something. Nothing when it is over.
    fn rested(&self) -> Option<(String, Option<(Handle, SectionId)>)> {
        let mut typed = self.lock();
        loop {
            if typed.is_over {
                return None;
            }
            let left = typed.since.map(|since| REST.saturating_sub(since.elapsed()));
            typed = match left {
                Some(left) if left.is_zero() => {
                    typed.since = None;
                    return Some((typed.text.clone(), typed.target.clone()));
                }
                Some(left) => self.shared.1.wait_timeout(typed, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.shared.1.wait(typed).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Held for moments.
    fn lock(&self) -> MutexGuard<'_, Typed> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The editor's end: when that is gone, the thread ends.
struct Listening(Ahead);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.lock().is_over = true;
        self.0.shared.1.notify_all();
    }
}

/// Whether somebody might press Enter now.
fn is_worth_it(text: &str) -> bool {
    let is_code = !text.trim().is_empty() && !commands::is_command(text);
    is_code && completeness(text) == Completeness::Complete && analysis::analyse(text).is_ok()
}
