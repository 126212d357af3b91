//! The process of a cell: it has itself compiled and evaluated when the session says so, and tells the session what
//! comes of it: once begun, an evaluation always ends with a word. Afterwards it passes on what processes that it has
//! started still show.

use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom::message::Down;
use greenroom::reason::{ExitReason, Panic};
use greenroom::{Local, Pid, Ref, demonitor, monitor, receive, self_pid, send, whereis};
use greenroom_stage::protocol::{Began, Crashed, Evaluate, EvaluationId, Exported, Finished, NotYielding, Shown};

use super::data::reach;
use super::estate::Estate;
use super::message::{Begin, Definers, Halt, Job, Lost, Order, RUNTIME, SESSION, Speaker, WhoDefines};
use super::operation::{CellId, Compiled, Definition, Evaluation, Outcome, Reach};
use super::workshop::{NotCompiled, compile};
use crate::analysis::Kind;
use crate::compiler::{CompileError, CompiledCell};
use crate::draw::Drawing;
use crate::event::{Output, OutputKind};
use crate::explain::own_name;
use crate::runtime::RawOutput;

/// How long to wait for the last of what a cell wrote past its group leader.
const LAST_OUTPUT: Duration = Duration::from_millis(200);
/// When the runtime has not begun by then, it is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// How long it may take to learn why a connection was lost.
const REASON: Duration = Duration::from_secs(5);
/// What Rust says on standard error before it aborts for want of stack.
const STACK_OVERFLOW: &str = "has overflowed its stack";

/// The life of a cell's process.
pub(super) async fn serve(id: CellId, estate: Arc<Estate>) {
    let mut cell = Cell { id, estate, speaker: Speaker::new(), last: None, has_overflowed: false };
    loop {
        receive! {
            Local(job): Begin => cell.begin(job).await,
            shown: Shown => cell.late(shown.id, shown.output.into()).await,
            crashed: Crashed => cell.crashed(&crashed).await,
            RawOutput::Text(text): RawOutput => cell.raw(text).await,
            RawOutput::Mark(_): RawOutput => (),
            // What concerns an evaluation that is over.
            _halt: Halt => (),
            _lost: Lost => (),
            _began: Began => (),
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
    has_overflowed: bool,
}

/// How an evaluation has ended in the runtime.
enum End {
    Finished(Finished),
    /// The runtime has died of this.
    Lost(String),
    Halted,
    /// A process between the cell and the notebook was killed.
    Cut,
}

impl Cell {
    async fn begin(&mut self, job: Arc<Job>) {
        if self.last.as_ref().is_some_and(|(last, _)| last.evaluation >= job.evaluation) {
            // A session that was started again makes sure of it.
            return;
        }
        self.last = Some((job.clone(), None));
        self.has_overflowed = false;
        let outcome = self.evaluate(&job).await;
        self.say(Evaluation::Finished { cell: self.id, evaluation: job.evaluation, outcome }).await;
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
        let library: Arc<str> = Arc::from(compiled.key.as_str());
        self.estate.enter(library.clone(), compiled.clone());
        self.last = Some((job.clone(), Some(compiled.clone())));
        let compile_ms = if compiled.cached { 0.0 } else { milliseconds(took) };
        let started = Compiled { library, compile_ms, cached: compiled.cached };
        self.say(Evaluation::Started { cell: self.id, evaluation: job.evaluation, compiled: started }).await;
        let begin = Instant::now();
        let end = self.run(job, &compiled).await;
        let run_ms = milliseconds(begin.elapsed());
        let draw = |drawing: Drawing| self.estate.explainer.draw(&job.cell, &drawing);
        match end {
            End::Finished(finished) => {
                let run_ms = finished.run_ms;
                match self.estate.explainer.outcome(&job.cell, &compiled, &finished.outcome) {
                    None => Outcome::Ok { defines: definitions(&compiled, job.evaluation, &finished.exports), run_ms },
                    Some(why) => Outcome::Failed { why, run_ms },
                }
            }
            End::Lost(_) if self.has_overflowed => {
                Outcome::Failed { why: draw(died("stack overflow: is there a recursion without end?")), run_ms }
            }
            End::Lost(of) => Outcome::Failed { why: draw(died(&of)), run_ms },
            End::Halted => {
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

    /// Has a compiled cell run, and passes on what it shows until it ends.
    async fn run(&mut self, job: &Job, compiled: &CompiledCell) -> End {
        let id = job.evaluation;
        let request = Evaluate {
            id,
            reply_to: self_pid(),
            container: job.container,
            library: compiled.library.clone(),
            symbol: compiled.symbol.clone(),
            stands_on: job.stands_on.clone(),
        };
        order(Order::Run(request.clone()));
        let mut leader: Option<Ref> = None;
        let end = loop {
            receive! {
                Began { id: begun, leader: pid }: Began => if begun == id && leader.is_none() {
                    leader = Some(monitor(pid));
                },
                shown: Shown => self.late(shown.id, shown.output.into()).await,
                crashed: Crashed => self.crashed(&crashed).await,
                RawOutput::Text(text): RawOutput => self.raw(text).await,
                RawOutput::Mark(_): RawOutput => (),
                stuck: NotYielding => if stuck.id == id {
                    let NotYielding { for_ms, .. } = stuck;
                    self.say(Evaluation::NotYielding { cell: self.id, evaluation: id, for_ms }).await;
                },
                finished: Finished => if finished.id == id { break End::Finished(finished) },
                Halt(halted): Halt => if halted == id { break End::Halted },
                Lost(of): Lost => break End::Lost(of),
                down: Down => if Some(down.reference) == leader {
                    match down.reason {
                        // With its node; the owner of the runtime will say why.
                        ExitReason::NoConnection => break End::Lost(reason_of_loss().await),
                        _ => break End::Cut,
                    }
                },
                after ASK_AGAIN => if leader.is_none() { order(Order::Run(request.clone())) },
            }
        };
        if let Some(leader) = leader {
            demonitor(leader);
        }
        match end {
            End::Finished(_) => self.last_output(id).await,
            End::Lost(_) | End::Cut | End::Halted => self.last_words().await,
        }
        end
    }

    /// Takes what was written past the group leader before the evaluation ended: up to its mark in both streams.
    async fn last_output(&mut self, id: EvaluationId) {
        let mut marks = 0;
        while marks < 2 {
            receive! {
                RawOutput::Text(text): RawOutput => self.raw(text).await,
                RawOutput::Mark(mark): RawOutput => if mark == id { marks += 1 },
                after LAST_OUTPUT => return,
            }
        }
    }

    /// Takes what has come and was not looked at.
    async fn last_words(&mut self) {
        loop {
            receive! {
                RawOutput::Text(text): RawOutput => self.raw(text).await,
                RawOutput::Mark(_): RawOutput => (),
                after Duration::ZERO => return,
            }
        }
    }

    async fn raw(&mut self, text: String) {
        self.has_overflowed |= text.contains(STACK_OVERFLOW);
        if let Some((job, _)) = &self.last {
            self.late(job.evaluation, Output::new(OutputKind::Text, text)).await;
        }
    }

    /// Tells what an evaluation shows; one that was forgotten has nothing to show.
    async fn late(&mut self, evaluation: EvaluationId, output: Output) {
        self.say(Evaluation::Output { cell: self.id, evaluation, output }).await;
    }

    async fn crashed(&mut self, crashed: &Crashed) {
        let last = self.last.as_ref().filter(|(job, _)| job.evaluation == crashed.id);
        let Some((job, compiled)) = last else { return };
        let text = match compiled {
            Some(compiled) => self.estate.explainer.crash(&job.cell, compiled, crashed.pid, &crashed.panic) + "\n",
            None => panicked(crashed.pid, &crashed.panic),
        };
        self.late(crashed.id, Output::new(OutputKind::Text, text)).await;
    }

    async fn say(&mut self, operation: Evaluation) {
        // It is refused if the cell was deleted, or is evaluated anew: then nobody wants to know.
        let _ = self.speaker.say(operation).await;
    }
}

fn panicked(pid: Pid, panic: &Panic) -> String {
    format!("process {} panicked: {}\n", own_name(pid), panic.message)
}

fn died(of: &str) -> Drawing {
    Drawing::error(format!("the runtime died while this cell ran: {of}"))
        .with_help("cells that do not use its names still run, in a new runtime")
}

fn order(order: Order) {
    // Its owner is just being started again; the cell asks again later.
    if let Some(runtime) = whereis(RUNTIME) {
        send(runtime, order);
    }
}

async fn reason_of_loss() -> String {
    receive! {
        Lost(of): Lost => of,
        after REASON => "its connection was lost".to_owned(),
    }
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

/// What an evaluation has defined. An item means what its path says, which names the cell's crate unless it comes from
/// elsewhere; a value that nobody can compare means something new each time.
fn definitions(compiled: &CompiledCell, evaluation: EvaluationId, exports: &[Exported]) -> Vec<Definition> {
    let items = compiled.items.iter().map(|item| Definition {
        name: Arc::from(if item.name.is_empty() { &item.path } else { &item.name }.as_str()),
        version: hash(&(&item.path, &item.needs)),
        reach: if item.name.is_empty() { Reach::Ambient } else { reach(item.kind) },
    });
    let bindings = compiled.defines.iter().filter(|defined| defined.kind == Kind::Binding).map(|defined| {
        let exported = exports.iter().find(|exported| exported.name == defined.name);
        let version = exported.and_then(|exported| exported.version);
        Definition {
            name: Arc::from(defined.name.as_str()),
            version: version.unwrap_or_else(|| hash(&evaluation)),
            reach: Reach::Named,
        }
    });
    items.chain(bindings).collect()
}

fn hash(what: &impl std::hash::Hash) -> u64 {
    use std::hash::BuildHasher;
    rustc_hash::FxBuildHasher.hash_one(what)
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
