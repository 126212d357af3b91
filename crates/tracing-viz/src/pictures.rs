//! The pictures of a trace by name: `trace.sequence()`.

use greenroom::trace::Trace;

use crate::{Map, Sequence, Timeline, map, sequence};

/// What a trace can be drawn as.
pub trait Pictures {
    /// Who said what to whom, with default [`Options`](sequence::Options).
    fn sequence(&self) -> Sequence;

    /// The same, of what `options` ask for.
    fn sequence_of(&self, options: &sequence::Options) -> Sequence;

    /// Who talked to whom, and how often.
    fn map(&self, options: &map::Options) -> Map;

    /// Who lived and worked when.
    fn timeline(&self) -> Timeline;
}

impl Pictures for Trace {
    fn sequence(&self) -> Sequence {
        self.sequence_of(&sequence::Options::default())
    }

    fn sequence_of(&self, options: &sequence::Options) -> Sequence {
        Sequence::from_trace(self, options)
    }

    fn map(&self, options: &map::Options) -> Map {
        Map::from_trace(self, options)
    }

    fn timeline(&self) -> Timeline {
        Timeline::from_trace(self)
    }
}
