//! The inputs of a cell: those that it shows, and those that it reads while it runs.

use greenroom::{self_pid, send};
use greenroom_stage::cell::Output;
use greenroom_stage::protocol::{EvaluationId, InputRead, ReadInput};

use super::Cell;
use crate::session::message::{SESSION, WhatIs, ask};
use crate::session::operation::{Input, InputId};

impl Cell {
    /// Lets people set what an evaluation shows, if it is an input.
    pub(super) async fn offer(&mut self, evaluation: EvaluationId, output: &Output) {
        if let Output::Input(form) = output {
            // It is refused if the cell was deleted, or is evaluated anew: then nobody can set it.
            let show = Input::Show { cell: self.id, evaluation, form: form.clone() };
            let _ = self.speaker.say(show).await;
        }
    }

    /// Notes that the running evaluation has read an input, and answers it.
    pub(super) async fn read(&mut self, ReadInput { id, from, input }: ReadInput) {
        let read = Input::Read { cell: self.id, evaluation: id, input: InputId(input) };
        // It is refused if the evaluation is over for the notebook, and so of no interest.
        if self.speaker.say(read).await.is_ok() {
            let answer = self.what_is(id, InputId(input)).await;
            send(from, answer);
        }
    }

    /// Asks the session, also if that is killed meanwhile.
    async fn what_is(&self, evaluation: EvaluationId, input: InputId) -> InputRead {
        let question = || WhatIs { from: self_pid(), cell: self.id, evaluation, input };
        ask(SESSION, question, |answer: &InputRead| answer.input == input.0).await
    }
}
