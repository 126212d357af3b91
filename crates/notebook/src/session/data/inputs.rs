//! Inputs: who shows them, what they are set to, and who has read them.

use std::collections::BTreeMap;
use std::sync::Arc;

use greenroom_stage::protocol::EvaluationId;
use serde::{Deserialize, Serialize};

use super::staleness::{Touched, digest};
use super::{Data, Refusal};
use crate::session::operation::{CellId, Input, InputId};

/// An input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputState {
    /// What it is set to.
    #[serde(with = "crate::livemd::plain")]
    pub value: serde_json::Value,
    /// The cells that show it, with the evaluations that did so last.
    pub shown_by: BTreeMap<CellId, EvaluationId>,
    /// Of the value.
    pub(super) digest: u64,
}

impl Data {
    pub(super) fn input(&mut self, operation: &Input) -> Result<(), Refusal> {
        match operation {
            Input::Show { cell, evaluation, input, default } => {
                self.known(*cell)?;
                if self.info(*cell).and_then(|info| info.current()) != Some(*evaluation) {
                    return Err(Refusal::Outdated(*cell));
                }
                let inputs = Arc::make_mut(&mut self.inputs);
                let state = inputs.entry(*input).or_insert_with(|| InputState {
                    digest: digest(&default.to_string()),
                    value: default.clone(),
                    shown_by: BTreeMap::new(),
                });
                state.shown_by.insert(*cell, *evaluation);
                self.refresh_readers(*input);
                Ok(())
            }
            Input::Set { input, value } => {
                let state = Arc::make_mut(&mut self.inputs).get_mut(input).ok_or(Refusal::NoSuchInput(*input))?;
                state.digest = digest(&value.to_string());
                state.value = value.clone();
                self.refresh_readers(*input);
                Ok(())
            }
            Input::Read { cell, evaluation, input } => {
                let running = self.infos.get_mut(cell).and_then(|info| info.running.as_mut());
                let running = running.filter(|running| running.id == *evaluation).ok_or(Refusal::Outdated(*cell))?;
                if !running.read.contains(input) {
                    running.read.push(*input);
                }
                Ok(())
            }
        }
    }

    /// The digests of all values, to be kept by an evaluation that begins.
    pub(super) fn frozen_inputs(&self) -> Arc<BTreeMap<InputId, u64>> {
        Arc::new(self.inputs.iter().map(|(id, state)| (*id, state.digest)).collect())
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
