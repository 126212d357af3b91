//! Which steps are repetitions of the ones before: so that forty rounds of ping and pong are one, `× 40`.
//!
//! Steps are alike when they go the same way and carry the same kind of message; what differs in their
//! words is for `label` to leave out. Only messages and timers repeat: starts and ends are told one by one.

use std::hash::{DefaultHasher, Hash, Hasher};

use greenroom::trace::Signal;

use super::MarkKind;
use super::collect::{Raw, What};

/// An exchange has at most so many steps.
const LONGEST: usize = 8;

/// A run of steps: `len` of them, `times` over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) len: usize,
    pub(super) times: usize,
}

/// Divides steps into runs, in order; what is not repeated at least `least` times is a run of its own.
pub(super) fn runs(steps: &[&Raw<'_>], least: usize) -> Vec<Run> {
    let kinds: Vec<Option<u64>> = steps.iter().map(|step| kind(&step.what)).collect();
    if least == 0 {
        return vec![Run { len: 1, times: 1 }; kinds.len()];
    }
    // For each length, how many steps from here on are like the one that is so much further down.
    let alike: Vec<Vec<usize>> = (1..=LONGEST).map(|len| alike(&kinds, len)).collect();
    let mut runs = Vec::new();
    let mut at = 0;
    while at < kinds.len() {
        let at_length = |len: usize| Run { len, times: 1 + alike[len - 1][at] / len };
        let repeated = (1..=LONGEST).map(at_length).filter(|run| run.times >= least.max(2));
        // The one that folds most; among those the shortest.
        let best = repeated.max_by_key(|run| (run.len * (run.times - 1), std::cmp::Reverse(run.len)));
        let run = best.unwrap_or(Run { len: 1, times: 1 });
        at += run.len * run.times;
        runs.push(run);
    }
    runs
}

fn alike(kinds: &[Option<u64>], len: usize) -> Vec<usize> {
    let mut counts = vec![0; kinds.len()];
    for at in (0..kinds.len().saturating_sub(len)).rev() {
        if kinds[at].is_some() && kinds[at] == kinds[at + len] {
            counts[at] = counts[at + 1] + 1;
        }
    }
    counts
}

/// What a step has in common with its repetitions; nothing if it is told by itself.
fn kind(what: &What<'_>) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    match what {
        What::Message { from, to, signal, .. } => {
            (from, to).hash(&mut hasher);
            match signal {
                Signal::Info { name, text } => (0, name, variant(text)).hash(&mut hasher),
                Signal::Call { name, text } => (1, name, variant(text)).hash(&mut hasher),
                Signal::Cast { name, text } => (2, name, variant(text)).hash(&mut hasher),
                Signal::Reply { .. } => 3.hash(&mut hasher),
                Signal::Exit(_) | Signal::Down(_) => return None,
            }
        }
        What::Mark { by, with, kind: MarkKind::Timer, .. } => (4, by, with).hash(&mut hasher),
        What::Mark { by, kind: MarkKind::Timeout, .. } => (5, by).hash(&mut hasher),
        What::Mark { .. } | What::Spawn { .. } | What::Restart { .. } | What::Exit { .. } | What::Nothing => {
            return None;
        }
    }
    Some(hasher.finish())
}

/// The name that a message's `Debug` begins with: that of the struct, or of the enum's variant.
fn variant(text: &str) -> &str {
    let is_name = |c: char| c.is_alphabetic() || c == '_';
    match text.starts_with(is_name) {
        true => text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(text),
        false => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_by_the_name_that_it_begins_with() {
        assert_eq!(variant("Get { key: 1 }"), "Get");
        assert_eq!(variant("Ping(7)"), "Ping");
        assert_eq!(variant("42"), "");
        assert_eq!(variant("\"text\""), "");
        assert_eq!(variant("Größe_2"), "Größe_2");
    }
}
