//! The examples of a cell, run after it: each is a cell of its own below it, in a flow of its own, with a limit of time.

use std::sync::Arc;
use std::time::Duration;

use greenroom::message::Down;
use greenroom::reason::{Location, Panic};
use greenroom::{ExitReason, receive, send, send_after};
use greenroom_stage::protocol::{ContainerId, Crashed, Evaluate, EvaluationId, Finished, Outcome, Shown};
use serde::{Deserialize, Serialize};

use super::state::Progress;
use super::{Audience, Interrupt, Session, last_output};
use crate::compiler::{CellInput, CompileError, CompiledCell};
use crate::draw::Drawing;
use crate::event::{Output, Status};
use crate::examples::{Example, Wanted, examples};
use crate::runtime::{RawOutput, Runtime, is_end_of};

/// How long an example may run.
const TIME: Duration = Duration::from_secs(5);

/// Flows with this number and above are those of examples.
const FLOWS: u64 = 1 << 32;

/// The time of an example is over.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Over(EvaluationId);

impl Session {
    /// Runs the examples of a cell that has succeeded; one output each.
    pub(super) async fn examples(
        &self,
        place: usize,
        progress: &mut Progress,
        runtime: &mut Option<Runtime>,
        show: &mut (dyn FnMut(Output) + Send),
    ) {
        for example in examples(&self.plan[place].source) {
            if progress.interrupted {
                return;
            }
            let failure = self.example(place, &example, progress, runtime).await;
            show(self.explainer.example(&self.plan[place], &example, failure));
        }
    }

    /// Compiles and runs one example. What is wrong, if anything is.
    async fn example(
        &self,
        place: usize,
        example: &Example,
        progress: &mut Progress,
        runtime: &mut Option<Runtime>,
    ) -> Option<Drawing> {
        let cell = &self.plan[place];
        let mut scope = progress.scope(&self.plan, place);
        if let Some(compiled) = progress.compiled_cell(place) {
            scope.push(cell.label(), compiled.clone());
        }
        let (compiler, cancel, text) = (self.compiler.clone(), self.cancel.clone(), example.source.clone());
        let name = format!("an example of `{}`", example.item);
        let job = move || compiler.compile(&CellInput { name: &name, source: &text }, &scope, &cancel);
        let compiled = match tokio::task::spawn_blocking(job).await {
            Ok(compiled) => compiled,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        match (compiled, example.wanted) {
            (Err(CompileError::Cancelled), _) => {
                progress.interrupted = true;
                Some(Drawing::error("not run: the run was interrupted"))
            }
            (Err(_), Wanted::Refused) | (Ok(_), Wanted::Compiles) => None,
            (Ok(_), Wanted::Refused) => Some(Drawing::error("it compiles, but it should not")),
            (Err(error), _) => Some(self.explainer.refused_example(example, &error)),
            (Ok(compiled), Wanted::Runs | Wanted::Panics) => {
                let failure = self.run_example(place, &compiled, progress, runtime).await;
                match (failure, example.wanted) {
                    (Ok(()), Wanted::Panics) => Some(Drawing::error("it should panic, but it comes to its end")),
                    (Err(Failure::Panic(_)), Wanted::Panics) | (Ok(()), _) => None,
                    (Err(Failure::Panic(panic)), _) => Some(self.explainer.panicked_example(
                        example,
                        &compiled,
                        &panic.message,
                        panic.location.as_ref(),
                    )),
                    (Err(Failure::Error(message, location)), _) => {
                        let what = format!("it returned an error: {message}");
                        Some(self.explainer.panicked_example(example, &compiled, &what, Some(&location)))
                    }
                    (Err(Failure::Other(what)), _) => Some(Drawing::error(what)),
                }
            }
        }
    }

    async fn run_example(
        &self,
        place: usize,
        compiled: &CompiledCell,
        progress: &mut Progress,
        runtime: &mut Option<Runtime>,
    ) -> Result<(), Failure> {
        // An earlier example may have taken the runtime with it.
        for needed in progress.lost_below(&self.plan, place, compiled) {
            let mut unseen = self.plan[needed].report(Status::Ok);
            let outcome = self.evaluate(needed, progress, runtime, &mut unseen, Audience::Nobody).await;
            self.settle(needed, progress, runtime, outcome).await.map_err(Failure::Other)?;
        }
        if runtime.is_none() {
            let started = Runtime::start(&self.runtime).await;
            *runtime = Some(started.map_err(|error| Failure::Other(error.to_string()))?);
        }
        let id = progress.next_id();
        let Some(live) = runtime.as_ref() else { unreachable!("a runtime was started") };
        let request = Evaluate {
            id,
            reply_to: greenroom::self_pid(),
            container: ContainerId(FLOWS + id.0),
            library: compiled.library.clone(),
            symbol: compiled.symbol.clone(),
            stands_on: progress.below(&self.plan, place, compiled),
        };
        send(live.server, request);
        send_after(greenroom::self_pid(), Over(id), TIME);
        // What an example prints is of no interest.
        let outcome = loop {
            receive! {
                shown: Shown => if shown.id != id { self.late(progress, shown) },
                crashed: Crashed => if crashed.id != id { self.late_crash(progress, &crashed) },
                RawOutput::Text(_): RawOutput => (),
                finished: Finished if finished.id == id => break finished.outcome,
                Over(over): Over => if over == id {
                    let what = format!("it has not ended within {} s", TIME.as_secs());
                    return Err(Failure::Other(what));
                },
                down: Down if is_end_of(live, &down) => {
                    let end = match runtime.take() {
                        Some(dead) => dead.post_mortem().await,
                        None => unreachable!("it has been running until now"),
                    };
                    progress.lose_runtime();
                    return Err(Failure::Other(format!("the runtime died while it ran: {end}")));
                },
                Interrupt: Interrupt => {
                    progress.interrupted = true;
                    return Err(Failure::Other("it was interrupted".to_owned()));
                },
            }
        };
        last_output(id, &mut |_| ()).await;
        match outcome {
            Outcome::Ok => Ok(()),
            Outcome::Error { message, location } => Err(Failure::Error(message, location)),
            Outcome::Exit(ExitReason::Panic(panic)) => Err(Failure::Panic(panic)),
            Outcome::Exit(reason) => Err(Failure::Other(format!("its process was ended: {reason}"))),
            Outcome::Load(error) => Err(Failure::Other(error)),
        }
    }
}

/// Why an example did not come to its end.
enum Failure {
    Panic(Arc<Panic>),
    /// An error left it through `?`, here in the generated file.
    Error(String, Location),
    Other(String),
}
