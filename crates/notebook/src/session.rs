//! A run of a notebook from top to bottom, as a process: it compiles each cell, has it evaluated by the
//! runtime, and tells what happens.
//!
//! What the cells are and what they stand on is decided in [`crate::plan`]; what failed is put into words
//! in [`crate::explain`]. A cell that fails takes those that use its names with it and nobody else. When
//! the runtime dies, a new one is started, and what later cells need is evaluated again there.

pub mod operation;

pub mod data;
mod state;

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use greenroom::message::Down;
use greenroom::{Task, receive, send};
use greenroom_stage::protocol::{ContainerId, Crashed, Evaluate, EvaluationId, Finished, Shown};
use serde::{Deserialize, Serialize};

use crate::compiler::{CellInput, CompileError, CompiledCell, Compiler, Scope};
use crate::draw::Drawing;
use crate::event::{CellReport, CellStart, Event, Output, OutputKind, Status, push_output};
use crate::explain::{Explainer, own_name};
use crate::livemd::Language;
use crate::plan::PlannedCell;
use crate::runtime::{RawOutput, Runtime, RuntimeOptions, is_end_of};
use crate::rustc::Cancel;
use state::Progress;

/// A message to a session: the person wants the running cell to end, and the run with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interrupt;

/// What a session works with.
pub struct Session {
    /// The cells, in order.
    pub plan: Vec<PlannedCell>,
    /// Compiles them.
    pub compiler: Arc<Compiler>,
    /// Starts runtimes.
    pub runtime: RuntimeOptions,
    /// Puts failures into words.
    pub explainer: Explainer,
    /// Hears what happens.
    pub events: mpsc::Sender<Event>,
    /// Stops compilations; whoever sends an [`Interrupt`] uses it, too.
    pub cancel: Cancel,
}

/// How an evaluation came out.
enum Evaluated {
    /// The cell has ended.
    Finished(Finished),
    /// The runtime has died of this.
    RuntimeDied(String),
    /// The person has interrupted it.
    Interrupted,
}

/// How long to wait for the last of what a cell wrote past its group leader.
const LAST_OUTPUT: Duration = Duration::from_millis(200);

/// What Rust says on standard error before it aborts for want of stack.
const STACK_OVERFLOW: &str = "has overflowed its stack";

impl Session {
    /// Evaluates all cells. True if every one succeeded.
    pub async fn run(self) -> bool {
        let mut progress = Progress::new(self.plan.len());
        let mut runtime = None;
        for place in 0..self.plan.len() {
            let cell = &self.plan[place];
            let report = if progress.interrupted {
                cell.report_why(Status::Skipped, "not run: the run was interrupted")
            } else {
                self.cell(place, &mut progress, &mut runtime).await
            };
            progress.count(report.status);
            self.tell(Event::Cell(report));
        }
        self.stragglers(&progress).await;
        if let Some(runtime) = runtime {
            Runtime::kill(runtime);
        }
        let (ok, failed, skipped) = progress.counts();
        self.tell(Event::Done { ok, failed, skipped });
        failed == 0 && skipped == 0
    }

    /// Compiles and evaluates one cell.
    async fn cell(&self, place: usize, progress: &mut Progress, runtime: &mut Option<Runtime>) -> CellReport {
        let cell = &self.plan[place];
        if cell.language != Language::Rust {
            let what = format!("this cell is {}: only Rust cells run here", cell.language.info());
            progress.failed(place, Vec::new());
            return self.failed(cell, Drawing::error(what).with_help("the file keeps it as it is"));
        }
        self.tell(Event::CellStarted(CellStart {
            index: cell.index,
            section: cell.section.clone(),
            heading: cell.heading.clone(),
            line: cell.line,
        }));
        let begin = Instant::now();
        let compiling = self.compile(cell, progress.scope(&self.plan, place));
        if runtime.is_none() {
            // It starts while rustc runs.
            match Runtime::start(&self.runtime).await {
                Ok(started) => *runtime = Some(started),
                Err(error) => {
                    self.cancel.cancel();
                    progress.interrupted = true;
                    progress.failed(place, self.defines(place));
                    return self.failed(cell, Drawing::error(error.to_string()));
                }
            }
        }
        let compiled = match compiling.await {
            Ok(compiled) => compiled,
            Err(error) => {
                progress.failed(place, self.defines(place));
                return self.not_compiled(place, &error, progress, begin.elapsed());
            }
        };
        let compile_ms = if compiled.cached { 0.0 } else { milliseconds(begin.elapsed()) };
        let mut report = CellReport { compile_ms, cached: compiled.cached, ..cell.report(Status::Ok) };
        progress.compiled(place, compiled);
        self.evaluate_cell(place, progress, runtime, &mut report).await;
        report
    }

    fn compile(&self, cell: &PlannedCell, scope: Scope) -> Task<Result<CompiledCell, CompileError>> {
        let (compiler, cancel) = (self.compiler.clone(), self.cancel.clone());
        let (name, source) = (cell.label(), cell.source.clone());
        Task::spawn(async move {
            greenroom::process::set_label(format!("compiler of {name}"));
            let job = move || compiler.compile(&CellInput { name: &name, source: &source }, &scope, &cancel);
            match tokio::task::spawn_blocking(job).await {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic.into_panic()),
            }
        })
    }

    /// Evaluates a compiled cell, and before it what it needs and a new runtime has lost.
    async fn evaluate_cell(
        &self,
        place: usize,
        progress: &mut Progress,
        runtime: &mut Option<Runtime>,
        report: &mut CellReport,
    ) {
        for needed in progress.lost(&self.plan, place) {
            let mut unseen = self.plan[needed].report(Status::Ok);
            let outcome = self.evaluate(needed, progress, runtime, &mut unseen, Audience::Nobody).await;
            if let Err(failure) = self.settle(needed, progress, runtime, outcome).await {
                progress.failed(place, self.defines(place));
                let what = format!(
                    "{} had to be evaluated again in a new runtime, and failed there",
                    self.plan[needed].label()
                );
                self.fail(
                    report,
                    format!("{}\n\n{failure}", self.explainer.draw(&self.plan[place], &Drawing::error(what))),
                );
                return;
            }
        }
        let begin = Instant::now();
        let outcome = self.evaluate(place, progress, runtime, report, Audience::Everyone).await;
        report.run_ms = match &outcome {
            Ok(Evaluated::Finished(finished)) => finished.run_ms,
            Ok(Evaluated::RuntimeDied(_) | Evaluated::Interrupted) => milliseconds(begin.elapsed()),
            Err(_) => 0.0,
        };
        if let Err(failure) = self.settle(place, progress, runtime, outcome).await {
            progress.failed(place, self.defines(place));
            self.fail(report, failure);
        }
    }

    /// Sends a cell to the runtime and passes on what it shows until it is done.
    async fn evaluate(
        &self,
        place: usize,
        progress: &mut Progress,
        runtime: &mut Option<Runtime>,
        report: &mut CellReport,
        audience: Audience,
    ) -> Result<Evaluated, String> {
        let cell = &self.plan[place];
        if runtime.is_none() {
            let started = Runtime::start(&self.runtime).await;
            *runtime = Some(started.map_err(|error| self.explainer.draw(cell, &Drawing::error(error.to_string())))?);
        }
        let id = progress.next_id();
        let (Some(live), Some(compiled)) = (runtime.as_ref(), progress.compiled_cell(place)) else {
            unreachable!("a runtime was started, and only compiled cells are evaluated");
        };
        let request = Evaluate {
            id,
            reply_to: greenroom::self_pid(),
            container: ContainerId(cell.container as u64),
            library: compiled.library.clone(),
            symbol: compiled.symbol.clone(),
            stands_on: progress.stands_on(&self.plan, place),
        };
        send(live.server, request);
        let mut show = |output: Output| {
            if audience == Audience::Everyone {
                self.tell(Event::CellOutput { index: cell.index, output: output.clone() });
                push_output(&mut report.outputs, output);
            }
        };
        let mut has_overflowed = false;
        let finished = loop {
            receive! {
                shown: Shown => if shown.id == id {
                    show(shown.output.into());
                } else {
                    self.late(shown);
                },
                crashed: Crashed => if crashed.id == id {
                    show(Output::new(OutputKind::Text, self.crash(Some(place), progress, &crashed)));
                } else {
                    self.late_crash(progress, &crashed);
                },
                RawOutput::Text(text): RawOutput => {
                    has_overflowed |= text.contains(STACK_OVERFLOW);
                    show(Output::new(OutputKind::Text, text));
                },
                finished: Finished if finished.id == id => break Some(finished),
                down: Down if is_end_of(live, &down) => break None,
                Interrupt: Interrupt => return Ok(Evaluated::Interrupted),
            }
        };
        let Some(finished) = finished else {
            let end = match runtime.take() {
                Some(dead) => dead.post_mortem().await,
                None => unreachable!("it has been running until now"),
            };
            has_overflowed |= last_words(&mut show).await.contains(STACK_OVERFLOW);
            return Ok(Evaluated::RuntimeDied(match has_overflowed {
                true => "stack overflow: is there a recursion without end?".to_owned(),
                false => end,
            }));
        };
        last_output(id, &mut show).await;
        progress.evaluated(place, id);
        Ok(Evaluated::Finished(finished))
    }

    /// A process of a cell that is long done has shown something.
    fn late(&self, shown: Shown) {
        let output = Output::from(shown.output);
        self.tell(Event::RuntimeOutput(output.text));
    }

    /// A process of a cell that is long done has panicked.
    fn late_crash(&self, progress: &Progress, crashed: &Crashed) {
        self.tell(Event::RuntimeOutput(self.crash(progress.place_of(crashed.id), progress, crashed)));
    }

    /// Draws the crash of a process that a cell has started.
    fn crash(&self, place: Option<usize>, progress: &Progress, crashed: &Crashed) -> String {
        match place.and_then(|place| Some((&self.plan[place], progress.compiled_cell(place)?))) {
            Some((cell, compiled)) => self.explainer.crash(cell, compiled, crashed.pid, &crashed.panic) + "\n",
            None => format!("process {} panicked: {}\n", own_name(crashed.pid), crashed.panic.message),
        }
    }

    /// Tells what has come from processes of the cells since the last one was done.
    async fn stragglers(&self, progress: &Progress) {
        loop {
            receive! {
                shown: Shown => self.late(shown),
                crashed: Crashed => self.late_crash(progress, &crashed),
                RawOutput::Text(text): RawOutput => self.tell(Event::RuntimeOutput(text)),
                RawOutput::Mark(_): RawOutput => (),
                after Duration::ZERO => return,
            }
        }
    }

    /// What an evaluation means for the run.
    ///
    /// # Errors
    /// Why the cell failed, drawn.
    async fn settle(
        &self,
        place: usize,
        progress: &mut Progress,
        runtime: &mut Option<Runtime>,
        outcome: Result<Evaluated, String>,
    ) -> Result<(), String> {
        let cell = &self.plan[place];
        match outcome? {
            Evaluated::Finished(finished) => {
                let Some(compiled) = progress.compiled_cell(place) else { return Ok(()) };
                self.explainer.outcome(cell, compiled, &finished.outcome).map_or(Ok(()), Err)
            }
            Evaluated::RuntimeDied(end) => {
                progress.lose_runtime();
                let drawing = Drawing::error(format!("the runtime died while this cell ran: {end}"))
                    .with_help("cells that do not use its names still run, in a new runtime");
                Err(self.explainer.draw(cell, &drawing))
            }
            Evaluated::Interrupted => {
                progress.interrupted = true;
                progress.lose_runtime();
                if let Some(runtime) = runtime.take() {
                    runtime.kill();
                }
                let drawing = Drawing::error("interrupted: the cell had not ended")
                    .with_help("a loop that is meant to run for long should `yield_now().await` now and then");
                Err(self.explainer.draw(cell, &drawing))
            }
        }
    }

    fn not_compiled(&self, place: usize, error: &CompileError, progress: &mut Progress, took: Duration) -> CellReport {
        let cell = &self.plan[place];
        if let CompileError::DependsOnFailed { .. } = error {
            return cell.report_why(Status::Skipped, error.to_string());
        }
        if let CompileError::Cancelled = error {
            progress.interrupted = true;
        }
        let below = |name: &str| self.defined_below(place, name);
        let text = self.explainer.compile_error(cell, error, &below);
        CellReport { compile_ms: milliseconds(took), ..cell.report_why(Status::Error, text) }
    }

    fn defined_below(&self, place: usize, name: &str) -> Option<String> {
        let later = &self.plan[place + 1..];
        let definer =
            later.iter().find(|cell| crate::analysis::defines(&cell.source).iter().any(|defined| defined.name == name));
        definer.map(PlannedCell::label)
    }

    fn defines(&self, place: usize) -> Vec<String> {
        crate::analysis::defines(&self.plan[place].source).into_iter().map(|defined| defined.name).collect()
    }

    fn failed(&self, cell: &PlannedCell, drawing: Drawing) -> CellReport {
        cell.report_why(Status::Error, self.explainer.draw(cell, &drawing))
    }

    fn fail(&self, report: &mut CellReport, failure: String) {
        report.status = Status::Error;
        report.outputs.push(Output::new(OutputKind::Error, failure));
    }

    fn tell(&self, event: Event) {
        // Nobody listens any more when the front end's stream is closed; the run then ends by itself.
        let _ = self.events.send(event);
    }
}

/// Who sees what a cell shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    Everyone,
    /// It is evaluated for the second time, only for its values.
    Nobody,
}

/// Takes what was written past the group leader before the evaluation ended: up to its mark in both streams.
async fn last_output(id: EvaluationId, show: &mut (dyn FnMut(Output) + Send)) {
    let mut marks = 0;
    while marks < 2 {
        receive! {
            RawOutput::Text(text): RawOutput => show(Output::new(OutputKind::Text, text)),
            RawOutput::Mark(mark): RawOutput => if mark == id { marks += 1 },
            after LAST_OUTPUT => return,
        }
    }
}

/// Takes what a dead runtime has written past the group leader, and says it once more.
async fn last_words(show: &mut (dyn FnMut(Output) + Send)) -> String {
    let mut words = String::new();
    loop {
        receive! {
            RawOutput::Text(text): RawOutput => {
                words.push_str(&text);
                show(Output::new(OutputKind::Text, text));
            },
            RawOutput::Mark(_): RawOutput => (),
            after Duration::ZERO => return words,
        }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

impl From<greenroom_stage::cell::Output> for Output {
    fn from(output: greenroom_stage::cell::Output) -> Self {
        use greenroom_stage::cell::Output as Shown;
        match output {
            Shown::Text(text) => Output::new(OutputKind::Text, text),
            Shown::Value { text, .. } => Output::new(OutputKind::Value, text),
            Shown::Sequence { text, mermaid } => Output::diagram(OutputKind::Sequence, text, mermaid),
            Shown::Tree { text, mermaid } => Output::diagram(OutputKind::Tree, text, mermaid),
            Shown::Error(text) => Output::new(OutputKind::Error, text),
            other => Output::new(OutputKind::Text, format!("{other:?}")),
        }
    }
}
