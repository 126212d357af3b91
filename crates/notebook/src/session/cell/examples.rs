//! The examples in a cell's doc comments, run when it has succeeded: each is a cell of its own below it, in a flow of
//! its own, with a limit of time. One output each, beside its line.

use std::sync::Arc;
use std::time::Duration;

use greenroom::reason::{Location, Panic};
use greenroom::{ExitReason, self_pid};
use greenroom_stage::protocol::{ContainerId, Evaluate, EvaluationId, Outcome};

use super::Cell;
use super::ask::{Ask, End};
use crate::compiler::{CompileError, CompiledCell};
use crate::draw::Drawing;
use crate::examples::{Example, Wanted, examples};
use crate::session::message::{Ended, Job, example};
use crate::session::operation::Evaluation;
use crate::session::workshop::{NotCompiled, compile};

/// How long an example may run.
const TIME: Duration = Duration::from_secs(5);

/// Somebody has stopped it.
struct Stopped;

impl Cell {
    /// Runs the examples of a cell that has succeeded.
    pub(super) async fn examine(&mut self, job: &Arc<Job>, compiled: &Arc<CompiledCell>) {
        let found = examples(&job.source);
        if found.is_empty() {
            return;
        }
        for example in found {
            let Ok(failure) = self.example(job, compiled, &example).await else { break };
            let output = self.estate.explainer.example(&job.cell, &example, failure);
            self.show(job.evaluation, output).await;
        }
        self.say(Evaluation::Examined { cell: self.id, evaluation: job.evaluation }).await;
    }

    /// Compiles and runs one example. What is wrong, if anything is.
    async fn example(
        &mut self,
        job: &Arc<Job>,
        cell: &Arc<CompiledCell>,
        example: &Example,
    ) -> Result<Option<Drawing>, Stopped> {
        let below = Arc::new(below(job, cell, example));
        let compiled = match compile(&below).await {
            Ok((compiled, _)) => Ok(compiled),
            Err(NotCompiled::Halted) => return Err(Stopped),
            Err(NotCompiled::Refused(error)) if matches!(*error, CompileError::Cancelled) => return Err(Stopped),
            Err(NotCompiled::Refused(error)) => Err(error),
        };
        Ok(match (compiled, example.wanted) {
            (Err(_), Wanted::Refused) | (Ok(_), Wanted::Compiles) => None,
            (Ok(_), Wanted::Refused) => Some(Drawing::error("it compiles, but it should not")),
            (Err(error), _) => Some(self.estate.explainer.refused_example(example, &error)),
            (Ok(compiled), Wanted::Runs | Wanted::Panics) => {
                let failure = self.run_example(&below, &compiled).await?;
                let explainer = &self.estate.explainer;
                match (failure, example.wanted) {
                    (Ok(()), Wanted::Panics) => Some(Drawing::error("it should panic, but it comes to its end")),
                    (Err(Failure::Panic(_)), Wanted::Panics) | (Ok(()), _) => None,
                    (Err(Failure::Panic(panic)), _) => {
                        let place = panic.location.as_ref();
                        Some(explainer.panicked_example(example, &compiled, &panic.message, place))
                    }
                    (Err(Failure::Error(message, place)), _) => {
                        let what = format!("it returned an error: {message}");
                        Some(explainer.panicked_example(example, &compiled, &what, Some(&place)))
                    }
                    (Err(Failure::Other(what)), _) => Some(Drawing::error(what)),
                }
            }
        })
    }

    async fn run_example(&mut self, below: &Job, compiled: &CompiledCell) -> Result<Result<(), Failure>, Stopped> {
        let stands_on = stands_on(below, compiled);
        // One that needs no values runs in any runtime; an earlier example may have taken the cell's own with it.
        let runtime = (!stands_on.is_empty()).then_some(below.runtime);
        let id = example();
        let request = Evaluate {
            id,
            reply_to: self_pid(),
            container: ContainerId(id.0),
            library: compiled.library.clone(),
            sha256: compiled.sha256.clone(),
            symbol: compiled.symbol.clone(),
            stands_on,
            values: Vec::new(),
        };
        let end = self.ask(&Ask { runtime, request, halted_as: below.evaluation, limit: Some(TIME) }).await;
        let failure = match end {
            End::Finished(finished) => match finished.outcome {
                Outcome::Ok => return Ok(Ok(())),
                Outcome::Error { message, location } => Failure::Error(message, location),
                Outcome::Exit(ExitReason::Panic(panic)) => Failure::Panic(panic),
                Outcome::Exit(reason) => Failure::Other(format!("its process was ended: {reason}")),
                Outcome::Load(error) => Failure::Other(error),
            },
            End::Lost(Ended::Died(of)) => Failure::Other(format!("the runtime died while it ran: {of}")),
            End::Cut => Failure::Other("the process that ran it was killed".to_owned()),
            End::OutOfTime => Failure::Other(format!("it has not ended within {} s", TIME.as_secs())),
            End::Lost(Ended::Stopped) | End::Halted => return Err(Stopped),
        };
        Ok(Err(failure))
    }
}

/// An example as a cell right below its own.
fn below(job: &Job, cell: &Arc<CompiledCell>, example: &Example) -> Job {
    let (mut scope, mut values) = (job.scope.clone(), job.values.clone());
    scope.push(job.cell.label(), cell.clone());
    values.push(Some(job.evaluation));
    Job {
        name: format!("an example of `{}`", example.item),
        source: example.source.clone(),
        cell: job.cell.clone(),
        stands_on: Vec::new(),
        scope,
        values,
        ..*job
    }
}

/// The evaluations that hold what a compiled text imports.
fn stands_on(job: &Job, compiled: &CompiledCell) -> Vec<EvaluationId> {
    let exports = |state: &Result<Arc<CompiledCell>, Vec<String>>, name: &str| {
        state.as_ref().is_ok_and(|cell| cell.exports.iter().any(|export| export.name == name))
    };
    let cells = || job.scope.cells().iter().zip(&job.values);
    let nearest = |name: &String| cells().rev().find(|(cell, _)| exports(&cell.state, name));
    let definers: Vec<EvaluationId> = compiled.uses.iter().filter_map(nearest).filter_map(|(_, id)| *id).collect();
    // From the top, so that of two cells with the same name the nearer one wins.
    let is_definer = |id: &EvaluationId| definers.contains(id);
    job.values.iter().flatten().copied().filter(is_definer).collect()
}

/// Why an example did not come to its end.
enum Failure {
    Panic(Arc<Panic>),
    /// An error left it through `?`, here in the generated file.
    Error(String, Location),
    Other(String),
}
