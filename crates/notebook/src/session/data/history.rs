//! The way back and forth through the changes of the document. What was evaluated is no part of it: undoing a change
//! of a cell makes no evaluation undone.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Data, Refusal};
use crate::session::operation::{Action, Structure};

/// Changes that were made, and changes that were taken back; the last of each comes last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct History {
    undo: VecDeque<Vec<Structure>>,
    redo: Vec<Vec<Structure>>,
}

/// How many changes can be taken back.
const DEPTH: usize = 1_000;

impl Data {
    /// A change that somebody makes.
    pub(super) fn change(&mut self, change: &Structure, actions: &mut Vec<Action>) -> Result<(), Refusal> {
        let inverse = self.structure(change, actions)?;
        self.history.redo.clear();
        self.history.undo.push_back(inverse);
        if self.history.undo.len() > DEPTH {
            self.history.undo.pop_front();
        }
        Ok(())
    }

    pub(super) fn undo(&mut self, actions: &mut Vec<Action>) -> Result<(), Refusal> {
        let changes = self.history.undo.pop_back().ok_or(Refusal::NoHistory)?;
        match self.retrace(&changes, actions) {
            Ok(inverse) => self.history.redo.push(inverse),
            Err(refusal) => {
                self.history.undo.push_back(changes);
                return Err(refusal);
            }
        }
        Ok(())
    }

    pub(super) fn redo(&mut self, actions: &mut Vec<Action>) -> Result<(), Refusal> {
        let changes = self.history.redo.pop().ok_or(Refusal::NoHistory)?;
        match self.retrace(&changes, actions) {
            Ok(inverse) => self.history.undo.push_back(inverse),
            Err(refusal) => {
                self.history.redo.push(changes);
                return Err(refusal);
            }
        }
        Ok(())
    }

    /// Applies changes in order. Returns what undoes all of them. An evaluation that runs can stand in the way; then
    /// none is made.
    fn retrace(&mut self, changes: &[Structure], actions: &mut Vec<Action>) -> Result<Vec<Structure>, Refusal> {
        let mut inverse = Vec::new();
        for change in changes {
            match self.structure(change, actions) {
                Ok(mut undo) => {
                    undo.append(&mut inverse);
                    inverse = undo;
                }
                Err(refusal) => {
                    for change in &inverse {
                        self.structure(change, actions)?;
                    }
                    return Err(refusal);
                }
            }
        }
        Ok(inverse)
    }
}
