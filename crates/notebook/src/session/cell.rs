//! The process of a cell: it has itself compiled and evaluated when the session says so, and tells the session what
//! comes of it: once begun, an evaluation always ends with a word. Then come the examples in its doc comments.
//! Afterwards it passes on what processes that it has started still show.

mod ask;
mod definitions;
mod examples;
mod inputs;

use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom::message::Down;
use greenroom::reason::Panic;
use greenroom::{Local, Pid, receive, self_pid, send, whereis};
use greenroom_stage::last_words::Kept;
use greenroom_stage::protocol::{
    Began, Crashed, Evaluate, EvaluationId, Finished, InputRead, NotYielding, ReadInput, Shown,
};

use super::estate::Estate;
use super::message::{
    AreExamined, Begin, Definers, Ended, Halt, Job, LastWords, Lost, Order, SESSION, Speaker, WhoDefines, is_example,
};
use super::operation::{CellId, Compiled, Evaluation, Outcome};
use super::workshop::{NotCompiled, compile};
use crate::analysis::Past;
use crate::compiler::{CompileError, CompiledCell};
use crate::draw::Drawing;
use crate::event::own_name;
use crate::event::{Output, OutputKind, Room, push_output};
use crate::examples::examples;
use crate::runtime::RawOutput;
use ask::{Ask, End};
use definitions::{definitions, names};

/// How long to wait for the last of what a cell wrote past its group leader, and for what the session knows.
const LAST_OUTPUT: Duration = Duration::from_millis(200);
/// What Rust says on standard error before it aborts for want of stack.
const STACK_OVERFLOW: &str = "has overflowed its stack";

/// The life of a cell's process.
pub(super) async fn serve(id: CellId, estate: Arc<Estate>) {
    let mut cell = Cell {
        id,
        estate,
        speaker: Speaker::new(),
        last: None,
        room: Room::default(),
        heard: 0,
        has_overflowed: false,
    };
    loop {
        receive! {
            Local(job): Begin => cell.begin(job).await,
            AreExamined(evaluation): AreExamined => cell.say(Evaluation::Examined { cell: id, evaluation }).await,
            shown: Shown => cell.late(shown).await,
            Local(words): LastWords => cell.unheard(words).await,
            crashed: Crashed => cell.crashed(&crashed).await,
            RawOutput::Text(text): RawOutput => cell.raw(text).await,
            RawOutput::Mark(_): RawOutput => (),
            // What concerns an evaluation that is over.
            _halt: Halt => (),
            _lost: Lost => (),
            _began: Began => (),
            _read: ReadInput => (),
            _answer: InputRead => (),
            _finished: Finished => (),
            _stuck: NotYielding => (),
            _down: Down => (),
        }
    }
}

struct Cell {
    id: CellId,
    estate: Arc<Estate>,
    speaker: Speaker,
    /// The last evaluation that was begun, and what was compiled for it.
    last: Option<(Arc<Job>, Option<Arc<CompiledCell>>)>,
    /// What is left for that to show.
    room: Room,
    /// How many of its outputs were heard of.
    heard: u64,
    has_overflowed: bool,
}

impl Cell {
    async fn begin(&mut self, job: Arc<Job>) {
        if self.last.as_ref().is_some_and(|(last, _)| last.evaluation >= job.evaluation) {
            // A session that was started again makes sure of it.
            return;
        }
        let (cell, evaluation) = (self.id, job.evaluation);
        self.last = Some((job.clone(), None));
        self.room = Room::default();
        self.heard = 0;
        self.has_overflowed = false;
        if !self.estate.begin(cell, evaluation) {
            ask::order(Order::Forget(evaluation)).await;
            let why = "the process of this cell was killed".to_owned();
            return self
                .say(Evaluation::Finished { cell, evaluation, outcome: Outcome::Stopped { why, run_ms: 0.0 } })
                .await;
        }
        let outcome = self.evaluate(&job).await;
        let has_succeeded = matches!(outcome, Outcome::Ok { .. });
        if let Some(cut) = self.room.cut() {
            self.show(evaluation, cut).await;
        }
        self.say(Evaluation::Finished { cell, evaluation, outcome }).await;
        if let Some((_, Some(compiled))) = self.last.clone()
            && has_succeeded
        {
            self.examine(&job, &compiled).await;
        }
    }

    async fn evaluate(&mut self, job: &Arc<Job>) -> Outcome {
        let (compiled, took) = match compile(job).await {
            Ok(done) => done,
            Err(NotCompiled::Halted) => {
                let why = self.estate.explainer.compile_error(&job.cell, &CompileError::Cancelled, &|_| None);
                return Outcome::Stopped { why, run_ms: 0.0 };
            }
            Err(NotCompiled::Refused(error)) => return self.refused(job, &error).await,
        };
        let (cell, evaluation) = (self.id, job.evaluation);
        let library: Arc<str> = Arc::from(compiled.key.as_str());
        self.estate.enter(library.clone(), compiled.clone());
        self.last = Some((job.clone(), Some(compiled.clone())));
        let started = Compiled {
            library,
            compile_ms: if compiled.cached { 0.0 } else { milliseconds(took) },
            cached: compiled.cached,
            has_examples: !examples(&job.source).is_empty(),
            names: names(&compiled),
        };
        self.say(Evaluation::Started { cell, evaluation, compiled: started }).await;
        if let Some(warnings) = self.estate.explainer.warnings(&job.cell, &compiled) {
            self.show(evaluation, warnings).await;
        }
        let request = Evaluate {
            id: evaluation,
            reply_to: self_pid(),
            container: job.container,
            library: compiled.library.clone(),
            sha256: compiled.sha256.clone(),
            symbol: compiled.symbol.clone(),
            stands_on: job.stands_on.clone(),
            values: past(job, &compiled),
        };
        let begin = Instant::now();
        let end = self.ask(&Ask { runtime: Some(job.runtime), request, halted_as: evaluation, limit: None }).await;
        let run_ms = milliseconds(begin.elapsed());
        let draw = |drawing: Drawing| self.estate.explainer.draw(&job.cell, &drawing);
        match end {
            End::Finished(finished) => {
                let run_ms = finished.run_ms;
                match self.estate.explainer.outcome(&job.cell, &compiled, &finished.outcome) {
                    None => Outcome::Ok {
                        defines: definitions(&compiled, evaluation, &finished.exports),
                        run_ms,
                        process: finished.process,
                    },
                    Some(why) => Outcome::Failed { why, run_ms },
                }
            }
            End::Lost(Ended::Died(_)) if self.has_overflowed => {
                Outcome::Failed { why: draw(died("stack overflow: is there a recursion without end?")), run_ms }
            }
            End::Lost(Ended::Died(of)) => Outcome::Failed { why: draw(died(&of)), run_ms },
            End::Halted | End::Lost(Ended::Stopped) | End::OutOfTime => {
                let drawing = Drawing::error("interrupted: the cell had not ended")
                    .with_help("a loop that is meant to run for long should `yield_now().await` now and then");
                Outcome::Stopped { why: draw(drawing), run_ms }
            }
            End::Cut => {
                let drawing = Drawing::error("the process that ran this cell was killed");
                Outcome::Stopped { why: draw(drawing), run_ms }
            }
        }
    }

    async fn refused(&mut self, job: &Job, error: &CompileError) -> Outcome {
        if let CompileError::DependsOnFailed { .. } = error {
            return Outcome::Blocked { why: error.to_string() };
        }
        let definers = who_defines(self.id, error).await;
        let below = |name: &str| definers.iter().find(|(defined, _)| defined == name).map(|(_, cell)| cell.clone());
        Outcome::Failed { why: self.estate.explainer.compile_error(&job.cell, error, &below), run_ms: 0.0 }
    }

    /// Something that was written past all cells while this one ran.
    async fn raw(&mut self, text: String) {
        self.has_overflowed |= text.contains(STACK_OVERFLOW);
        if let Some((job, _)) = &self.last {
            self.roomed(job.evaluation, Output::new(OutputKind::Text, text)).await;
        }
    }

    /// Shows as much of something as there is room for.
    async fn roomed(&mut self, evaluation: EvaluationId, output: Output) {
        if let Some(output) = self.room.take(output) {
            self.show(evaluation, output).await;
        }
    }

    /// Passes on what a process shows whose cell is through. What examples show is of no interest.
    async fn late(&mut self, shown: Shown) {
        self.heard(&shown);
        if !is_example(shown.id) {
            self.offer(shown.id, &shown.output).await;
            self.show(shown.id, shown.output.into()).await;
        }
    }

    /// Notes what was heard, so that it is not shown again among the last words of a runtime.
    fn heard(&mut self, shown: &Shown) {
        if self.is_last(shown.id) {
            self.heard = self.heard.max(shown.number);
        }
    }

    /// Passes on what was shown before the runtime died and was not heard then.
    async fn unheard(&mut self, words: Vec<Kept>) {
        let mut outputs = Vec::new();
        for Kept { id, number, output, .. } in words {
            if !self.is_last(id) || number <= self.heard {
                continue;
            }
            let missing = number - self.heard - 1;
            if missing > 0 {
                let note = format!("\n… {missing} outputs were lost when the runtime died\n");
                push_output(&mut outputs, Output::new(OutputKind::Text, note));
            }
            self.heard = number;
            push_output(&mut outputs, output.into());
        }
        let Some((job, _)) = &self.last else { return };
        let evaluation = job.evaluation;
        for output in outputs {
            self.roomed(evaluation, output).await;
        }
    }

    fn is_last(&self, id: EvaluationId) -> bool {
        self.last.as_ref().is_some_and(|(job, _)| job.evaluation == id)
    }

    async fn crashed(&mut self, crashed: &Crashed) {
        let last = self.last.as_ref().filter(|(job, _)| job.evaluation == crashed.id);
        let Some((job, compiled)) = last else { return };
        let text = match compiled {
            Some(compiled) => self.estate.explainer.crash(&job.cell, compiled, crashed.pid, &crashed.panic) + "\n",
            None => panicked(crashed.pid, &crashed.panic),
        };
        self.show(crashed.id, Output::new(OutputKind::Text, text)).await;
    }

    /// Tells what an evaluation shows; one that was forgotten has nothing to show.
    async fn show(&mut self, evaluation: EvaluationId, output: Output) {
        self.say(Evaluation::Output { cell: self.id, evaluation, output }).await;
    }

    async fn say(&mut self, operation: Evaluation) {
        // It is refused if the cell was deleted, or is evaluated anew: then nobody wants to know.
        let _ = self.speaker.say(operation).await;
    }
}

/// The values that a cell asks for by the numbers of their cells, and where they are.
fn past(job: &Job, compiled: &CompiledCell) -> Vec<(String, EvaluationId)> {
    let evaluation = |name: &String| {
        let place = job.scope.past(Past::number(name)?)?;
        Some((name.clone(), job.values.get(place).copied().flatten()?))
    };
    compiled.uses.iter().filter_map(evaluation).collect()
}

fn panicked(pid: Pid, panic: &Panic) -> String {
    format!("process {} panicked: {}\n", own_name(pid), panic.message)
}

fn died(of: &str) -> Drawing {
    Drawing::error(format!("the runtime died while this cell ran: {of}"))
        .with_help("cells that do not use its names still run, in a new runtime")
}

/// Asks the session which cells below define the names that a cell is missing.
async fn who_defines(cell: CellId, error: &CompileError) -> Vec<(String, String)> {
    let diagnostics = match error {
        CompileError::Parse { diagnostics } | CompileError::Rustc { diagnostics } => diagnostics,
        CompileError::Unavailable { .. }
        | CompileError::DependsOnFailed { .. }
        | CompileError::Cancelled
        | CompileError::Tool(_) => return Vec::new(),
    };
    let names: Vec<String> = diagnostics.iter().filter_map(|diagnostic| diagnostic.undefined.clone()).collect();
    let Some(session) = whereis(SESSION).filter(|_| !names.is_empty()) else { return Vec::new() };
    send(session, WhoDefines { from: self_pid(), cell, names });
    receive! {
        Definers(definers): Definers => definers,
        after LAST_OUTPUT => Vec::new(),
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
