//! What frames show, where nothing that was written is ever changed: it is said when their cell is done, and once more
//! when it is the last that they show, if that is something else.

use std::collections::BTreeMap;

use crate::event::Output;

/// The frames that may still change, with the cells that they belong to.
#[derive(Debug)]
pub(super) struct Frames<C> {
    known: BTreeMap<(C, String), Known>,
}

#[derive(Debug)]
struct Known {
    latest: Output,
    /// What was said of it.
    said: String,
}

impl<C> Default for Frames<C> {
    fn default() -> Self {
        Frames { known: BTreeMap::new() }
    }
}

impl<C: Copy + Ord> Frames<C> {
    /// How many may still change.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Notes what a frame shows now. Anything else is no frame, and not noted.
    pub(super) fn note(&mut self, cell: C, output: &Output) {
        let Some(frame) = &output.frame else { return };
        let fresh = || Known { latest: output.clone(), said: String::new() };
        self.known.entry((cell, frame.id.clone())).or_insert_with(fresh).latest = output.clone();
    }

    /// What the frames of a cell show now, as far as it was not said. It counts as said from now on.
    pub(super) fn unsaid(&mut self, cell: C) -> Vec<Output> {
        let own = self.known.iter_mut().filter(|((owner, _), _)| *owner == cell);
        own.filter_map(|(_, known)| known.say()).collect()
    }

    /// Forgets the frames that will not change any more. Returns each with what it has shown last, and whether that was
    /// said.
    pub(super) fn ended(&mut self, now: impl Fn(C, &str) -> Option<Output>) -> Vec<(C, Output, bool)> {
        let mut ended = Vec::new();
        self.known.retain(|(cell, id), known| {
            let output = now(*cell, id);
            if output.as_ref().and_then(|output| output.frame.as_ref()).is_some_and(|frame| frame.live) {
                return true;
            }
            // One that is not there any more has shown last what is known of it.
            known.latest = output.unwrap_or_else(|| known.latest.clone());
            let is_said = known.say().is_none();
            ended.push((*cell, known.latest.clone(), is_said));
            false
        });
        ended
    }
}

impl Known {
    fn say(&mut self) -> Option<Output> {
        (self.latest.text != self.said).then(|| {
            self.said.clone_from(&self.latest.text);
            self.latest.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{FrameState, OutputKind};

    fn state(text: &str, live: bool) -> Output {
        let outputs = vec![Output::new(OutputKind::Text, text)];
        Output::frame(FrameState { id: "<0.1.0>".to_owned(), live, outputs })
    }

    #[test]
    fn each_state_is_said_once() {
        let mut frames = Frames::default();
        frames.note(3, &state("1", true));
        frames.note(3, &state("2", true));
        assert_eq!(frames.unsaid(4), []);
        assert_eq!(frames.unsaid(3), [state("2", true)]);
        assert_eq!(frames.unsaid(3), []);
        assert_eq!(frames.ended(|_, _| Some(state("2", true))), []);
        assert_eq!(frames.ended(|_, _| Some(state("2", false))), [(3, state("2", false), true)]);
        assert_eq!(frames.len(), 0);
    }

    #[test]
    fn one_that_is_gone_has_shown_last_what_is_known_of_it() {
        let mut frames = Frames::default();
        frames.note(3, &state("1", true));
        assert_eq!(frames.unsaid(3), [state("1", true)]);
        frames.note(3, &state("2", true));
        assert_eq!(frames.ended(|_, _| None), [(3, state("2", true), false)]);
    }
}
