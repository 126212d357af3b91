//! Setting what a cell asks for, in the last line of the document view: one input after the other.

use greenroom_stage::input::Kind;

use super::state::{Question, State};
use crate::frontend::inputs::in_order;
use crate::session::operation::{Input, InputId};

impl State {
    /// Asks for the first input of the cell.
    pub(super) fn ask_for_inputs(&mut self) {
        match self.inputs().first() {
            Some(first) => self.question = Some((Question::Input(*first), String::new())),
            None => self.said = Some("this cell asks for nothing, or was not evaluated yet".to_owned()),
        }
    }

    /// Sets an input to what was answered, and asks for the next. One that nothing was said of stays as it is.
    pub(super) fn answer_input(&mut self, input: InputId, answer: &str) {
        self.question = None;
        let Some(form) = self.data().inputs().get(&input).map(|state| state.form.clone()) else { return };
        if !answer.is_empty() {
            match form.read(answer) {
                Ok(value) => {
                    self.said =
                        Some(format!("{} is {}; eo evaluates what has read it", form.label, form.shown(&value)));
                    self.apply(Input::Set { input, value });
                }
                Err(not_such) => {
                    self.said = Some(not_such.to_string());
                    return;
                }
            }
        }
        let inputs = self.inputs();
        let next = inputs.iter().position(|id| *id == input).and_then(|at| inputs.get(at + 1));
        self.question = next.map(|next| (Question::Input(*next), String::new()));
    }

    /// What is asked, and how the answer is shown.
    pub(super) fn asked_for(&self, input: InputId, answer: &str) -> (String, String) {
        let Some(state) = self.data().inputs().get(&input) else { return (String::new(), answer.to_owned()) };
        let what = format!("{} ({}, now {})", state.form.label, state.form.wanted(), state.form.shown(&state.value));
        let is_secret = state.form.kind == Kind::Password;
        let answer = if is_secret { "•".repeat(answer.chars().count()) } else { answer.to_owned() };
        (what, answer)
    }

    /// The inputs that the cell shows.
    fn inputs(&self) -> Vec<InputId> {
        let Some(cell) = self.focus else { return Vec::new() };
        let own = in_order(self.data()).into_iter().filter(|(_, state)| state.shown_by.contains_key(&cell));
        own.map(|(id, _)| id).collect()
    }
}
