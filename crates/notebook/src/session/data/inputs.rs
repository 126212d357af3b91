//! Inputs: who shows them, what they are set to, and who has read them.

use std::collections::BTreeMap;
use std::sync::Arc;

use greenroom_stage::input::{Form, Value};
use greenroom_stage::protocol::EvaluationId;
use serde::{Deserialize, Serialize};

use super::staleness::{Touched, digest};
use super::{Data, Refusal};
use crate::session::operation::{CellId, Input, InputId};

/// An input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputState {
    /// What it asks for.
    pub form: Form,
    /// What it is set to.
    pub value: Value,
    /// The cells that show it, with the evaluations that did so last.
    pub shown_by: BTreeMap<CellId, EvaluationId>,
    /// Of the value.
    pub(super) digest: u64,
}

impl InputState {
    fn of(form: Form) -> Self {
        let value = form.default.clone();
        InputState { digest: digest(&format!("{value:?}")), form, value, shown_by: BTreeMap::new() }
    }

    fn set(&mut self, value: Value) {
        self.digest = digest(&format!("{value:?}"));
        self.value = value;
    }
}

impl Data {
    /// What an input is to a running evaluation that has read it: what it was set to when that began, so that all of
    /// it sees the same.
    pub fn input_of(&self, cell: CellId, evaluation: EvaluationId, input: InputId) -> Option<&Value> {
        let running = self.info(cell)?.running.as_ref().filter(|running| running.id == evaluation)?;
        running.inputs.get(&input).map(|state| &state.value)
    }

    pub(super) fn input(&mut self, operation: &Input) -> Result<(), Refusal> {
        match operation {
            Input::Show { cell, evaluation, form } => {
                self.known(*cell)?;
                if self.info(*cell).and_then(|info| info.current()) != Some(*evaluation) {
                    return Err(Refusal::Outdated(*cell));
                }
                let input = InputId(form.id());
                let inputs = Arc::make_mut(&mut self.inputs);
                let state = inputs.entry(input).or_insert_with(|| InputState::of(form.clone()));
                state.shown_by.insert(*cell, *evaluation);
                self.refresh_readers(input);
                Ok(())
            }
            Input::Set { input, value } => {
                let known = self.inputs.get(input).ok_or(Refusal::NoSuchInput(*input))?;
                known.form.check(value).map_err(|not| Refusal::NoSuchValue(not.to_string()))?;
                if let Some(state) = Arc::make_mut(&mut self.inputs).get_mut(input) {
                    state.set(value.clone());
                }
                self.refresh_readers(*input);
                Ok(())
            }
            Input::Read { cell, evaluation, input } => {
                let running = self.infos.get_mut(cell).and_then(|info| info.running.as_mut());
                let running = running.filter(|running| running.id == *evaluation).ok_or(Refusal::Outdated(*cell))?;
                if !running.read.contains(input) {
                    running.read.push(*input);
                }
                // One that has come to be since the evaluation began, maybe by itself, is bound as it is now.
                if let (None, Some(state)) = (running.inputs.get(input), self.inputs.get(input)) {
                    Arc::make_mut(&mut running.inputs).insert(*input, state.clone());
                }
                Ok(())
            }
        }
    }

    fn refresh_readers(&mut self, input: InputId) {
        let has_read = |id: &CellId| {
            self.info(*id).and_then(|info| info.record.as_ref()).is_some_and(|record| record.read.contains(&input))
        };
        let cells = self.index.evaluated().filter(has_read).collect();
        self.refresh(Touched { cells, ..Touched::default() });
    }

    /// Takes back the inputs that a cell has shown in earlier evaluations, and not in this one.
    pub(super) fn collect_inputs_of_earlier(&mut self, cell: CellId, evaluation: EvaluationId, touched: &mut Touched) {
        self.collect(cell, Some(evaluation), touched);
    }

    /// Takes back the inputs that a cell shows; the value of one that nobody shows any more goes with it.
    pub(super) fn collect_inputs(&mut self, cell: CellId, touched: &mut Touched) {
        self.collect(cell, None, touched);
    }

    fn collect(&mut self, cell: CellId, but: Option<EvaluationId>, touched: &mut Touched) {
        let is_over = |state: &InputState| state.shown_by.get(&cell).is_some_and(|by| Some(*by) != but);
        if !self.inputs.values().any(is_over) {
            return;
        }
        let inputs = Arc::make_mut(&mut self.inputs);
        inputs.values_mut().filter(|state| is_over(state)).for_each(|state| {
            state.shown_by.remove(&cell);
        });
        let gone: Vec<InputId> =
            inputs.iter().filter(|(_, state)| state.shown_by.is_empty()).map(|(id, _)| *id).collect();
        inputs.retain(|_, state| !state.shown_by.is_empty());
        let has_read = |id: &CellId| {
            let record = self.infos.get(id).and_then(|info| info.record.as_ref());
            record.is_some_and(|record| record.read.iter().any(|input| gone.contains(input)))
        };
        touched.cells.extend(self.index.evaluated().filter(has_read));
    }
}
