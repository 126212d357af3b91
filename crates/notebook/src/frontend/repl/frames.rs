//! What a REPL makes of frames: where it can draw, they change in place above the prompt; else what they show is said when
//! their cell is done, and when they end.

use super::follow::{Following, Sink};
use crate::event::Output;
use crate::session::data::Data;
use crate::session::operation::CellId;

impl<S: Sink> Following<S> {
    /// A frame shows something.
    pub(super) fn frame(&mut self, data: &Data, cell: CellId, output: &Output) {
        let Some(frame) = &output.frame else { return };
        self.frames.note(cell, output);
        if self.view.draws() && frame.live {
            self.sink.draw(&name(cell, &frame.id), &self.view.frame(data.document().number(cell), output));
        }
    }

    /// A cell is done: what its frames show now is a part of what it has shown.
    pub(super) fn say_frames(&mut self, data: &Data, cell: CellId) {
        if self.view.draws() {
            return;
        }
        for output in self.frames.unsaid(cell) {
            self.sink.say(&self.view.output(data.document().number(cell), &output));
        }
    }

    /// Says what those frames have shown last that will show nothing else.
    pub(super) fn end_frames(&mut self, data: &Data) {
        if self.frames.len() == 0 {
            return;
        }
        let now = |cell: CellId, id: &str| {
            let is_it = |output: &&Output| output.frame.as_ref().is_some_and(|frame| frame.id == id);
            data.info(cell)?.outputs.iter().find(is_it).cloned()
        };
        let ended = self.frames.ended(now);
        self.say_ended(data, ended);
    }

    /// Says what all frames show: nobody follows them any longer.
    pub(super) fn finish(&mut self) {
        let ended = self.frames.ended(|_, _| None);
        let replica = self.replica.clone();
        self.say_ended(replica.data(), ended);
    }

    fn say_ended(&self, data: &Data, ended: Vec<(CellId, Output, bool)>) {
        for (cell, last, is_said) in ended {
            let Some(frame) = &last.frame else { continue };
            let number = data.document().number(cell);
            let said = self.view.output(number, &last);
            match self.view.draws() {
                true => self.sink.settle(&name(cell, &frame.id), &self.view.frame(number, &last), &said),
                false if is_said => {}
                false if self.seen.lock().is_awaited(cell) => self.sink.say(&said),
                false => self.sink.say(&self.signed(number, &said)),
            }
        }
    }
}

/// What a frame is known by on the screen.
fn name(cell: CellId, id: &str) -> String {
    format!("{cell} {id}")
}
