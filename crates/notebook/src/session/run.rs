//! A run of a notebook from top to bottom: a client of the session that wants everything evaluated once, and tells
//! what comes of it as [`Event`]s, in the order of the document, whatever ran beside what.
//!
//! When the runtime dies, it asks for what is left; what that needs is evaluated again, unseen.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use greenroom::message::Down;
use greenroom::{Local, Pid, receive, self_pid, send, send_after};
use serde::{Deserialize, Serialize};

use super::data::{Data, Info, RuntimeStatus, Status as Doing};
use super::follow::Follower;
use super::message::{Happened, Speaker};
use super::operation::{Action, CellId, Evaluation, Operation, Outcome, Runtime};
use super::words;
use crate::draw::Drawing;
use crate::event::{CellReport, CellStart, Event, Output, OutputKind, Status, push_output};
use crate::explain::Explainer;
use crate::plan::PlannedCell;

/// A message to a run: the person wants the running cells to end, and the run with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interrupt;

/// Live frames have had their time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Settled;

/// How long a run waits at its end for what frames have not told yet: they tell what they show after a moment, and it
/// travels through several processes.
const LAST_STATES: Duration = Duration::from_millis(150);

/// To whoever waits for the end of a run: whether every cell succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Over(pub bool);

/// How far a run has come. It outlives the process of the run, which may be killed.
pub(super) struct Told {
    /// Hears what happens.
    events: mpsc::Sender<Event>,
    explainer: Explainer,
    /// Hears the end.
    waiter: Pid,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What each cell has shown, until it is reported.
    outputs: HashMap<CellId, Vec<Output>>,
    /// The events of cells whose predecessors are not all reported, by place.
    pending: BTreeMap<usize, Vec<Event>>,
    /// The place of the first cell that is not reported.
    next: usize,
    /// How cells have ended whose examples are being run.
    ended: HashMap<CellId, (Status, f64)>,
    /// The reports that were made, told or not.
    reported: HashMap<CellId, Status>,
    /// Why cells failed that had to be evaluated again after they were reported.
    failed_again: HashMap<CellId, String>,
    is_interrupted: bool,
    /// Whether live frames have had their time to tell what they show last.
    is_settled: bool,
    is_over: bool,
}

impl Told {
    pub(super) fn new(events: mpsc::Sender<Event>, explainer: Explainer, waiter: Pid) -> Self {
        Told { events, explainer, waiter, state: Mutex::default() }
    }

    /// Locked by the process of the run, for moments.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: Event) {
        // Nobody listens any more when the front end's stream is closed; the run then ends by itself.
        let _ = self.events.send(event);
    }
}

/// The life of a run's process.
pub(super) async fn serve(told: Arc<Told>) {
    let follower = Follower::join().await;
    let mut run =
        Run { cells: code_cells(follower.data()), follower, told, speaker: Speaker::new(), is_settling: false };
    run.catch_up();
    run.go_on().await;
    loop {
        receive! {
            Local(operation): Happened => run.happened(&operation).await,
            Interrupt: Interrupt => run.interrupt().await,
            Settled: Settled => {
                run.told.state().is_settled = true;
                run.finish();
            },
            down: Down if down.reference == run.follower.watch() => {
                run.follower.joined().await;
                run.catch_up();
                run.go_on().await;
            },
        }
    }
}

fn code_cells(data: &Data) -> Vec<CellId> {
    let document = data.document();
    let is_part = |id: &CellId| {
        let code = document.cell(*id).and_then(|cell| cell.code());
        code.is_some_and(|code| {
            document.place(*id).is_some_and(|place| place.section > 0) || !code.language.is_manifest()
        })
    };
    document.cells().filter(is_part).collect()
}

struct Run {
    follower: Follower,
    /// The cells of the run, in order.
    cells: Vec<CellId>,
    told: Arc<Told>,
    speaker: Speaker,
    /// Whether it waits for [`Settled`].
    is_settling: bool,
}

impl Run {
    fn data(&self) -> &Data {
        self.follower.data()
    }

    /// Reports what has ended while nobody looked.
    fn catch_up(&mut self) {
        for cell in self.open() {
            let Some(info) = self.data().info(cell).cloned() else { continue };
            let has_ended = info.shown.is_some() && info.status == Doing::Ready && !info.is_examined;
            if has_ended {
                let status = if info.has_values() { Status::Ok } else { Status::Error };
                self.told.state().outputs.insert(cell, info.outputs.to_vec());
                self.report(cell, status, info.record.as_ref().map_or(0.0, |record| record.run_ms));
            } else if info.status == Doing::Evaluating || info.is_examined {
                self.told.state().outputs.insert(cell, info.outputs.to_vec());
            }
        }
    }

    async fn happened(&mut self, operation: &Operation) {
        let before = match operation {
            Operation::Evaluation(Evaluation::Finished { cell, evaluation, .. }) => {
                self.data().info(*cell).is_some_and(|info| {
                    info.running.as_ref().map(|running| running.id).or(info.shown) == Some(*evaluation)
                })
            }
            _ => true,
        };
        for action in self.follower.apply(operation) {
            if let Action::Evaluate { cell, .. } = action {
                self.started(cell);
            }
        }
        match operation {
            Operation::Evaluation(Evaluation::Output { cell, output, .. }) => self.shown(*cell, output.clone()),
            Operation::Evaluation(Evaluation::Finished { cell, outcome, .. }) if before => {
                self.finished(*cell, outcome)
            }
            Operation::Evaluation(Evaluation::Examined { cell, .. }) => self.examined(*cell),
            Operation::Runtime(Runtime::Printed(text)) => self.told.tell(Event::RuntimeOutput(text.clone())),
            Operation::Runtime(Runtime::Failed { why, .. }) => self.refused(why),
            Operation::Evaluation(_)
            | Operation::Runtime(_)
            | Operation::Structure(_)
            | Operation::Undo
            | Operation::Redo
            | Operation::Input(_)
            | Operation::Client(_)
            | Operation::File(_) => {}
        }
        self.go_on().await;
    }

    /// The cells that are not reported.
    fn open(&self) -> Vec<CellId> {
        let state = self.told.state();
        self.cells.iter().copied().filter(|cell| !state.reported.contains_key(cell)).collect()
    }

    fn is_reported(&self, cell: CellId) -> bool {
        self.told.state().reported.contains_key(&cell)
    }

    fn started(&mut self, cell: CellId) {
        if self.is_reported(cell) {
            return;
        }
        self.told.state().outputs.insert(cell, Vec::new());
        if let Some(PlannedCell { index, section, heading, line, .. }) = words::planned(self.data().document(), cell) {
            self.event(cell, Event::CellStarted(CellStart { index, section, heading, line }));
        }
    }

    fn shown(&mut self, cell: CellId, output: Output) {
        if self.is_reported(cell) {
            // Of a process of a cell that is done; or the cell is evaluated again, unseen.
            let info = self.data().info(cell);
            let is_again = info.is_some_and(|info| info.status == Doing::Evaluating || info.is_examined);
            if !is_again {
                let index = Some(self.data().document().number(cell));
                self.told.tell(Event::Late { index, output });
            }
            return;
        }
        push_output(self.told.state().outputs.entry(cell).or_default(), output.clone());
        let index = self.data().document().number(cell);
        self.event(cell, Event::CellOutput { index, output });
    }

    fn finished(&mut self, cell: CellId, outcome: &Outcome) {
        let (status, why, run_ms) = match outcome {
            Outcome::Ok { run_ms, .. } => (Status::Ok, None, *run_ms),
            Outcome::Failed { why, run_ms } | Outcome::Stopped { why, run_ms } => (Status::Error, Some(why), *run_ms),
            Outcome::Blocked { why } => (Status::Skipped, Some(why), 0.0),
        };
        if self.is_reported(cell) {
            if let Some(why) = why {
                self.told.state().failed_again.insert(cell, why.clone());
            }
            return;
        }
        if let Some(why) = why {
            let error = Output::new(OutputKind::Error, why.clone());
            self.told.state().outputs.entry(cell).or_default().push(error);
        }
        if self.data().info(cell).is_some_and(|info| info.is_examined) {
            self.told.state().ended.insert(cell, (status, run_ms));
        } else {
            self.report(cell, status, run_ms);
        }
    }

    fn examined(&mut self, cell: CellId) {
        let ended = self.told.state().ended.remove(&cell);
        if let Some((status, run_ms)) = ended
            && !self.is_reported(cell)
        {
            self.report(cell, status, run_ms);
        }
    }

    /// The runtime does not start.
    fn refused(&mut self, why: &str) {
        self.told.state().is_interrupted = true;
        if let Some(&first) = self.open().first() {
            self.fail(first, &Drawing::error(why));
        }
    }

    fn fail(&mut self, cell: CellId, drawing: &Drawing) {
        let Some(planned) = words::planned(self.data().document(), cell) else { return };
        let text = self.told.explainer.draw(&planned, drawing);
        self.end(cell, Status::Error, text);
    }

    fn end(&mut self, cell: CellId, status: Status, why: impl Into<String>) {
        self.told.state().outputs.insert(cell, vec![Output::new(OutputKind::Error, why)]);
        self.report(cell, status, 0.0);
    }

    fn report(&mut self, cell: CellId, status: Status, run_ms: f64) {
        let Some(planned) = words::planned(self.data().document(), cell) else { return };
        let outputs = self.told.state().outputs.remove(&cell).unwrap_or_default();
        let compiled =
            self.data().info(cell).and_then(|info| info.compiled.clone()).filter(|_| status != Status::Skipped);
        let report = CellReport {
            compile_ms: compiled.as_ref().map_or(0.0, |compiled| compiled.compile_ms),
            cached: compiled.is_some_and(|compiled| compiled.cached),
            run_ms,
            outputs,
            ..planned.report(status)
        };
        self.event(cell, Event::Cell(report));
        let mut state = self.told.state();
        state.reported.insert(cell, status);
        // What was held back for want of this one can be told now.
        while let Some(next) = self.cells.get(state.next)
            && state.reported.contains_key(next)
        {
            state.next += 1;
            let place = state.next;
            state.pending.remove(&place).into_iter().flatten().for_each(|event| self.told.tell(event));
        }
    }

    /// Tells an event of a cell, when all cells above it are reported.
    fn event(&self, cell: CellId, event: Event) {
        let Some(place) = self.cells.iter().position(|other| *other == cell) else { return };
        let mut state = self.told.state();
        if place > state.next {
            state.pending.entry(place).or_default().push(event);
        } else {
            drop(state);
            self.told.tell(event);
        }
    }

    async fn interrupt(&mut self) {
        self.told.state().is_interrupted = true;
        self.say(Evaluation::CancelAll).await;
    }

    /// Looks at the cells that neither run nor wait: why that is, and what to do.
    async fn go_on(&mut self) {
        let is_interrupted = self.told.state().is_interrupted;
        let mut left = Vec::new();
        for cell in self.open() {
            let Some(info) = self.data().info(cell).cloned() else { continue };
            if info.status != Doing::Ready {
                continue;
            }
            let began = self.told.state().outputs.contains_key(&cell);
            if began {
                // Its last word is yet to come.
            } else if is_interrupted {
                self.end(cell, Status::Skipped, "not run: the run was interrupted");
            } else if let Some(language) = self.foreign(cell) {
                let drawing = Drawing::error(format!("this cell is {language}: only Rust cells run here"));
                self.fail(cell, &drawing.with_help("the file keeps it as it is"));
            } else if info.blocked.is_some() {
                self.blocked(cell, &info);
            } else {
                left.push(cell);
            }
        }
        if !left.is_empty() && self.data().queued().is_empty() && self.data().evaluating().is_empty() {
            self.say(Evaluation::Queue(left)).await;
        }
        self.finish();
    }

    fn foreign(&self, cell: CellId) -> Option<&'static str> {
        let document = self.data().document();
        let code = document.cell(cell)?.code()?;
        document.runnable(cell).is_none().then(|| code.language.info())
    }

    fn blocked(&mut self, cell: CellId, info: &Info) {
        let Some((name, by)) = &info.blocked else { return };
        let definer = self.data().document().label(*by);
        let again = self.told.state().failed_again.get(by).cloned();
        match (again, words::planned(self.data().document(), cell)) {
            (Some(failure), Some(planned)) => {
                let what = format!("{definer} had to be evaluated again in a new runtime, and failed there");
                let drawn = self.told.explainer.draw(&planned, &Drawing::error(what));
                self.end(cell, Status::Error, format!("{drawn}\n\n{failure}"));
            }
            _ => self.end(
                cell,
                Status::Skipped,
                format!("not run: it uses `{name}`, and {definer}, which defines it, has not succeeded"),
            ),
        }
    }

    fn finish(&mut self) {
        let mut state = self.told.state();
        if state.is_over
            || state.reported.len() < self.cells.len()
            || self.data().runtime().status == RuntimeStatus::Connecting
        {
            return;
        }
        if !state.is_settled && self.has_live_frames() {
            drop(state);
            if !std::mem::replace(&mut self.is_settling, true) {
                send_after(self_pid(), Settled, LAST_STATES);
            }
            return;
        }
        state.is_over = true;
        let count = |status| state.reported.values().filter(|reported| **reported == status).count();
        let (ok, failed, skipped) = (count(Status::Ok), count(Status::Error), count(Status::Skipped));
        drop(state);
        self.told.tell(Event::Done { ok, failed, skipped });
        send(self.told.waiter, Over(failed == 0 && skipped == 0));
    }

    fn has_live_frames(&self) -> bool {
        let outputs = self.cells.iter().filter_map(|cell| self.data().info(*cell)).flat_map(|info| info.outputs.iter());
        outputs.filter_map(|output| output.frame.as_ref()).any(|frame| frame.live)
    }

    async fn say(&mut self, operation: Evaluation) {
        // It is refused when something has just changed; that will be told.
        let _ = self.speaker.say(operation).await;
    }
}
