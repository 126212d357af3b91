//! What is known of a cell beside what it says: whether it is up to date, what it does, what it has shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use greenroom_stage::protocol::EvaluationId;
use serde::{Deserialize, Serialize};

use super::inputs::InputState;
use crate::event::{Output, push_output};
use crate::session::operation::{CellId, Compiled, Definition, InputId, Reach};

/// What is known of a cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// Whether its last evaluation still holds.
    pub validity: Validity,
    /// What it does now.
    pub status: Status,
    /// Whether its last evaluation has failed.
    pub failed: bool,
    /// The evaluation whose outputs it shows.
    pub shown: Option<EvaluationId>,
    /// What it has shown; shared with the copies of the data that the session makes.
    pub outputs: Arc<Vec<Output>>,
    /// The evaluation whose values are in the runtime, or which has failed there.
    pub record: Option<Record>,
    /// The evaluation that runs.
    pub running: Option<Standing>,
    /// How the last compilation went.
    pub compiled: Option<Compiled>,
    /// For how long it has let nobody else run, in milliseconds, if it does so now.
    pub not_yielding_ms: Option<u64>,
    /// Whether the examples in its doc comments are being run.
    pub is_examined: bool,
    /// The name for the want of which it was taken out of the queue, and the cell that would define it.
    pub blocked: Option<(Arc<str>, CellId)>,
    /// What it saw when it last turned out to be blocked: as long as that is so, it does not try again by itself.
    pub(super) blocked_at: Option<u64>,
    /// Of the text that was evaluated last, to tell whether what has failed would fail again.
    pub(super) failed_digest: u64,
    /// Of its text.
    pub(super) digest: u64,
    /// What its text says by itself; absent until somebody asks.
    pub(super) outline: Option<Arc<Outline>>,
}

/// Whether a cell's last evaluation still holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Validity {
    /// It was never evaluated.
    #[default]
    Fresh,
    /// It was, and all that it has seen is as it was then.
    Evaluated,
    /// Something that it has seen is different now.
    Stale,
    /// It was stopped, or its values were lost.
    Aborted,
}

/// What a cell does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Nothing.
    #[default]
    Ready,
    /// It waits for its turn.
    Queued,
    /// It is compiled, or runs.
    Evaluating,
}

/// What an evaluation was given when it began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The evaluation.
    pub id: EvaluationId,
    /// The evaluations whose values it may import, from the top.
    pub stands_on: Vec<EvaluationId>,
    pub(super) uses: Uses,
    /// What the names that it uses meant.
    pub(super) names: u64,
    /// All inputs, as they were when it began.
    pub(super) inputs: Arc<BTreeMap<InputId, InputState>>,
    /// The inputs that it has read so far.
    pub(super) read: Vec<InputId>,
    /// Of the text that is evaluated.
    pub(super) digest: u64,
}

/// What has come of an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The evaluation.
    pub id: EvaluationId,
    /// What it has defined; nothing if it failed.
    pub defines: Vec<Definition>,
    /// How long it ran, in milliseconds.
    pub run_ms: f64,
    pub(super) uses: Uses,
    /// What all that it has seen meant when it began.
    pub(super) snapshot: u64,
    /// The inputs that it has read.
    pub(super) read: Vec<InputId>,
    /// Of the text that was evaluated.
    pub(super) digest: u64,
}

/// What a cell's text says by itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Outline {
    pub(super) uses: Uses,
    /// Those of the names that it uses for sure.
    pub(super) certain: Vec<Arc<str>>,
    pub(super) defines: Vec<(Arc<str>, Reach)>,
}

/// The names that a cell uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Uses {
    /// These, sorted.
    Names(Arc<[Arc<str>]>),
    /// It cannot be known: whatever there is.
    Unknown,
}

impl Default for Uses {
    fn default() -> Self {
        Uses::Names(Arc::new([]))
    }
}

/// The most text that is kept of one output. Whoever needs all of it listens to the operations.
const KEPT: usize = 128 << 10;

impl Info {
    /// Whether evaluating it would tell something new: it has no evaluation that holds, or its text is another now.
    pub fn is_outdated(&self) -> bool {
        let is_changed = self.record.as_ref().is_some_and(|record| record.digest != self.digest);
        self.validity != Validity::Evaluated || is_changed
    }

    /// Whether it could not be compiled for want of what another cell should define.
    pub fn is_blocked(&self) -> bool {
        self.blocked_at.is_some()
    }

    /// The evaluation whose messages count.
    pub(super) fn current(&self) -> Option<EvaluationId> {
        self.running.as_ref().map(|running| running.id).or(self.shown)
    }

    /// What its frames show is the last that they have shown: the processes of its evaluation have ended.
    pub(super) fn freeze(&mut self) {
        let is_live = |output: &Output| output.frame.as_ref().is_some_and(|frame| frame.live);
        if self.outputs.iter().any(is_live) {
            let frames = Arc::make_mut(&mut self.outputs).iter_mut().filter_map(|output| output.frame.as_mut());
            frames.for_each(|frame| frame.live = false);
        }
    }

    pub(super) fn show(&mut self, output: &Output) {
        let outputs = Arc::make_mut(&mut self.outputs);
        push_output(outputs, output.clone());
        if let Some(last) = outputs.last_mut()
            && last.frame.is_none()
            && last.text.len() > 2 * KEPT
        {
            let from = last.text.ceil_char_boundary(last.text.len() - KEPT);
            let cut = format!("… {from} bytes are not kept …\n{}", &last.text[from..]);
            last.text = cut;
        }
    }
}
