//! How much a cell may show.

use std::collections::HashMap;

use super::{Output, OutputKind};

/// The most that a cell shows, in bytes: a person has long stopped reading, and a program's memory is not for that.
pub const MOST_SHOWN: usize = 64 << 20;

/// The room that is left for what a cell shows.
#[derive(Debug, Default)]
pub struct Room {
    used: usize,
    cut: usize,
    /// How much of it each frame takes now.
    frames: HashMap<String, usize>,
}

/// What a frame takes beside what it shows.
const FRAME: usize = 1 << 10;

impl Room {
    /// As much of an output as there is room for; of a picture all or nothing.
    pub fn take(&mut self, mut output: Output) -> Option<Output> {
        if let Some(frame) = &output.frame {
            let size = FRAME + output.size();
            let before = self.frames.get(&frame.id).copied().unwrap_or(0);
            if self.used - before + size > MOST_SHOWN {
                self.cut += output.size();
                return None;
            }
            self.used = self.used - before + size;
            self.frames.insert(frame.id.clone(), size);
            return Some(output);
        }
        let left = MOST_SHOWN - self.used;
        if output.image.is_some() {
            let size = output.size();
            let fits = size <= left;
            *(if fits { &mut self.used } else { &mut self.cut }) += size;
            return fits.then_some(output);
        }
        let keep = match output.kind {
            OutputKind::Text | OutputKind::Value => output.text.floor_char_boundary(left),
            _ if output.text.len() <= left => output.text.len(),
            _ => 0,
        };
        self.cut += output.text.len() - keep;
        self.used += keep;
        output.text.truncate(keep);
        // What shows nothing at all is still an output, as long as nothing was cut.
        (keep > 0 || self.cut == 0).then_some(output)
    }

    /// What is to be said of what was cut.
    pub fn cut(&self) -> Option<Output> {
        let text = format!("\n… {} more bytes were cut: a cell shows at most {MOST_SHOWN}\n", self.cut);
        (self.cut > 0).then(|| Output::new(OutputKind::Text, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::FrameState;

    fn state(id: &str, text: &str) -> Output {
        let outputs = vec![Output::new(OutputKind::Text, text)];
        Output::frame(FrameState { id: id.to_owned(), live: true, outputs })
    }

    #[test]
    fn what_there_is_no_room_for_is_cut_and_counted() {
        let mut room = Room::default();
        assert_eq!(room.cut(), None);
        let text = |length| Output::new(OutputKind::Text, "x".repeat(length));
        assert_eq!(room.take(text(MOST_SHOWN - 1)).map(|output| output.text.len()), Some(MOST_SHOWN - 1));
        assert_eq!(room.take(text(3)).map(|output| output.text.len()), Some(1));
        assert_eq!(room.take(text(5)), None);
        assert!(room.cut().is_some_and(|output| output.text.starts_with("\n… 7 more bytes were cut")));
    }

    #[test]
    fn a_frame_takes_room_only_for_what_it_shows_now() {
        let mut room = Room::default();
        let large = "x".repeat(MOST_SHOWN / 4);
        for _ in 0..1_000 {
            assert!(room.take(state("<0.1.0>", &large)).is_some());
        }
        assert_eq!(room.cut(), None);
        assert!(room.take(state("<0.2.0>", &large)).is_none());
        assert!(room.take(state("<0.1.0>", "small")).is_some());
        assert!(room.take(state("<0.2.0>", &large)).is_some());
    }
}
