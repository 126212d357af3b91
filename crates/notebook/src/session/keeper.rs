//! The session's process: it applies what happens, one thing after the other, tells everyone who looks, and has done
//! what is to be done. It decides nothing; that is for [`super::data`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use greenroom::message::Down;
use greenroom::process::demonitor_flush;
use greenroom::supervisor::{ChildSpec, Shutdown};
use greenroom::{Local, Pid, Ref, Supervisor, monitor, receive, send, sleep, whereis};
use greenroom_stage::protocol::{EvaluationId, InputRead};

use super::data::{Data, RuntimeStatus, Validity};
use super::estate::Estate;
use super::message::{
    Answer, AreExamined, Begin, CELLS, COMPILER, Definers, Halt, Happened, Imagine, Imagined, Job, Join, Order, Peek,
    RUNTIME, Submit, Welcome, WhatIs, WhoDefines,
};
use super::operation::{Action, CellId, Evaluation, Operation, Outcome, Structure};
use super::workshop::Warm;
use super::{cell, words};
use crate::analysis;
use crate::compiler::Scope;
use crate::livemd::{Cell, Code, Language};
use crate::plan::PlannedCell;

/// What the session says by itself, as nobody else is left to say it.
const ITSELF: u64 = 0;

/// The life of the session's process.
pub(super) async fn serve(estate: Arc<Estate>) {
    let (epoch, data) = estate.log.open();
    let mut keeper = Keeper {
        estate,
        epoch,
        data,
        said: 0,
        clients: HashMap::new(),
        watches: HashMap::new(),
        owner: owner().await,
        warmed: None,
    };
    keeper.resume().await;
    loop {
        receive! {
            submit: Submit => keeper.submit(submit).await,
            Join(client): Join => keeper.join(client),
            Peek(from): Peek => keeper.welcome(from),
            question: Imagine => keeper.imagine(question),
            question: WhoDefines => keeper.who_defines(&question),
            question: WhatIs => keeper.what_is(&question),
            down: Down => keeper.down(down.reference).await,
        }
    }
}

struct Keeper {
    estate: Arc<Estate>,
    epoch: u64,
    data: Data,
    said: u64,
    clients: HashMap<Ref, Pid>,
    /// The cells that evaluate, by the monitors on them.
    watches: HashMap<Ref, (CellId, EvaluationId)>,
    /// The owner of the runtime, and the monitor on it.
    owner: (Pid, Ref),
    /// The cell that is compiled ahead of its turn.
    warmed: Option<CellId>,
}

impl Keeper {
    /// Goes on where the process before was killed: whatever it has not had done is done now. Those who have it
    /// behind them do nothing twice.
    async fn resume(&mut self) {
        if self.data.revision() == 0 {
            return;
        }
        self.remind();
        let running = |id: &CellId| Some((*id, self.data.info(*id)?.running.as_ref()?.id));
        let running: Vec<_> = self.data.evaluating().iter().filter_map(running).collect();
        for (cell, evaluation) in running {
            self.evaluate(cell, evaluation).await;
        }
        let examined: Vec<CellId> = self.data.examined().iter().copied().collect();
        for cell in examined {
            let process = self.process(cell).await;
            let shown = self.data.info(cell).and_then(|info| info.shown);
            if let Some(evaluation) = shown {
                self.watch(process, cell, evaluation).await;
                send(process, AreExamined(evaluation));
            }
        }
    }

    /// Has the owner of the runtime do all that was asked of it or of the one before it, if it is not done.
    fn remind(&self) {
        let known = |id: CellId| self.data.info(id)?.record.as_ref().map(|record| record.id);
        let running = |id: CellId| self.data.info(id)?.running.as_ref().map(|running| running.id);
        let runtime = self.data.runtime();
        match runtime.status {
            RuntimeStatus::Connecting => self.connect(),
            RuntimeStatus::Connected => {
                let cells = self.data.document().cells();
                let evaluations = cells.flat_map(|id| [known(id), running(id)]).flatten().collect();
                self.order(Order::Keep { runtime: runtime.id, evaluations });
            }
            RuntimeStatus::Disconnected => self.order(Order::Disconnect),
        }
    }

    async fn submit(&mut self, submit: Submit) {
        let Submit { from, speaker, number, operation } = submit;
        let answer = match self.estate.log.has_heard(speaker, number) {
            true => Ok(Vec::new()),
            false => self.apply((speaker, number), operation),
        };
        let (answer, actions) = match answer {
            Ok(actions) => (Ok(()), actions),
            Err(refusal) => (Err(refusal), Vec::new()),
        };
        let answer: Answer = Local((speaker, number, answer));
        send(from, answer);
        self.perform(actions).await;
    }

    fn apply(&mut self, who: (u64, u64), operation: Operation) -> Result<Vec<Action>, super::data::Refusal> {
        let actions = self.data.apply(&operation)?;
        let operation = Arc::new(operation);
        if !self.estate.log.append(self.epoch, who, &operation, &self.data) {
            // It was killed, and another process is the session now.
            return Ok(Vec::new());
        }
        for &client in self.clients.values() {
            let happened: Happened = Local(operation.clone());
            send(client, happened);
        }
        Ok(actions)
    }

    async fn say(&mut self, operation: impl Into<Operation>) {
        self.said += 1;
        // The evaluation may just have ended otherwise: then there is nothing to say.
        if let Ok(actions) = self.apply((ITSELF, self.said), operation.into()) {
            Box::pin(self.perform(actions)).await;
        }
    }

    fn join(&mut self, client: Pid) {
        self.clients.insert(monitor(client), client);
        self.welcome(client);
    }

    fn welcome(&self, from: Pid) {
        let welcome: Welcome = Local(Box::new(self.data.clone()));
        send(from, welcome);
    }

    fn who_defines(&self, question: &WhoDefines) {
        let document = self.data.document();
        let below = |id: &CellId| document.compare(*id, question.cell).is_gt();
        let mut definers = Vec::new();
        for id in document.cells().filter(below) {
            let Some(code) = document.runnable(id) else { continue };
            for defined in analysis::defines(&code.source) {
                let is_known = definers.iter().any(|(name, _)| *name == defined.name);
                if question.names.contains(&defined.name) && !is_known {
                    definers.push((defined.name, document.label(id)));
                }
            }
        }
        send(question.from, Definers(definers));
    }

    fn what_is(&self, question: &WhatIs) {
        let WhatIs { from, cell, evaluation, input } = *question;
        let value = self.data.input_of(cell, evaluation, input).cloned();
        send(from, InputRead { input: input.0, value });
    }

    async fn down(&mut self, watch: Ref) {
        if self.clients.remove(&watch).is_some() {
            return;
        }
        if watch == self.owner.1 {
            self.owner = owner().await;
            return self.remind();
        }
        let Some((cell, evaluation)) = self.watches.remove(&watch) else { return };
        let running = self.data.info(cell).and_then(|info| info.running.as_ref()).map(|running| running.id);
        if running == Some(evaluation) {
            self.order(Order::Forget(evaluation));
            let why = "the process of this cell was killed".to_owned();
            let outcome = Outcome::Stopped { why, run_ms: 0.0 };
            self.say(Evaluation::Finished { cell, evaluation, outcome }).await;
        } else {
            self.say(Evaluation::Examined { cell, evaluation }).await;
        }
    }

    async fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Connect => self.connect(),
                Action::Disconnect => self.order(Order::Disconnect),
                Action::Evaluate { cell, evaluation, .. } => self.evaluate(cell, evaluation).await,
                Action::Stop { cell, evaluation } => {
                    if let Some(process) = whereis(&cell.to_string()) {
                        send(process, Halt(evaluation));
                    }
                    self.order(Order::Forget(evaluation));
                }
                Action::StopExamples { cell, evaluation } => {
                    if let Some(process) = whereis(&cell.to_string()) {
                        send(process, Halt(evaluation));
                    }
                }
                Action::Forget(evaluation) => self.order(Order::Forget(evaluation)),
                Action::Abandon(cell) => {
                    if let Ok(supervisor) = Supervisor::find(CELLS).await {
                        // It may never have been evaluated, and so have no process.
                        let id = cell.to_string();
                        let _ = supervisor.terminate_child(&id).await;
                        let _ = supervisor.delete_child(&id).await;
                    }
                }
            }
        }
        self.warm();
    }

    fn order(&self, order: Order) {
        // If that was killed, the next one is reminded of all that matters.
        send(self.owner.0, order);
    }

    fn connect(&self) {
        self.order(Order::Connect {
            runtime: self.data.runtime().id,
            setup: Local(self.setup().map(Box::new)),
            settings: self.data.runtime().settings.clone(),
            node: self.data.runtime().node.clone(),
        });
    }

    /// The cell with the manifest, in the words of messages.
    fn setup(&self) -> Option<PlannedCell> {
        let document = self.data.document();
        Some(PlannedCell { index: 0, ..words::planned(document, document.manifest()?)? })
    }

    /// Has the next cell compiled while the runtime starts.
    fn warm(&mut self) {
        if self.data.runtime().status != RuntimeStatus::Connecting {
            return;
        }
        let manifest = self.setup().map_or_else(String::new, |setup| setup.source);
        if self.estate.tools().is_none_or(|tools| tools.manifest != manifest) {
            // What is compiled now would not fit.
            return;
        }
        let document = self.data.document();
        let Some(next) = self.data.queued().iter().copied().min_by(|one, other| document.compare(*one, *other)) else {
            return;
        };
        if self.warmed != Some(next)
            && let (Some(job), Some(compiler)) = (self.job(next, EvaluationId(0)), whereis(COMPILER))
        {
            self.warmed = Some(next);
            send(compiler, Warm(Local(Arc::new(job))));
        }
    }

    /// What a cell that is not there would be compiled with: the notebook is given it for a moment, and nobody told.
    fn imagine(&mut self, question: Imagine) {
        let Imagine { for_whom, section, source } = question;
        let manifest = self.setup().map_or_else(String::new, |setup| setup.source);
        let is_ready = self.estate.tools().is_some_and(|tools| tools.manifest == manifest);
        let data = self.data.clone();
        let id = data.unused_cell_id();
        let cell = Box::new(Cell::Code(Code::new(Language::Rust, source, 0)));
        let added = self.data.apply(&Structure::InsertCell { section, index: usize::MAX, id, cell }.into());
        let job = match added {
            Ok(_) if is_ready => self.job(id, EvaluationId(0)).map(Arc::new),
            Ok(_) | Err(_) => None,
        };
        self.data = data;
        match (for_whom, job) {
            (Some((from, tag)), job) => {
                let imagined: Imagined = Local((tag, job));
                send(from, imagined);
            }
            (None, Some(job)) => {
                if let Some(compiler) = whereis(COMPILER) {
                    send(compiler, Warm(Local(job)));
                }
            }
            (None, None) => {}
        }
    }

    /// Tells a cell to evaluate itself, and watches it.
    async fn evaluate(&mut self, cell: CellId, evaluation: EvaluationId) {
        let Some(job) = self.job(cell, evaluation) else { return };
        let process = self.process(cell).await;
        self.watch(process, cell, evaluation).await;
        let begin: Begin = Local(Arc::new(job));
        send(process, begin);
    }

    async fn watch(&mut self, process: Pid, cell: CellId, evaluation: EvaluationId) {
        let old = self.watches.iter().find(|(_, (id, _))| *id == cell).map(|(watch, _)| *watch);
        if let Some(old) = old {
            self.watches.remove(&old);
            demonitor_flush(old).await;
        }
        self.watches.insert(monitor(process), (cell, evaluation));
    }

    /// The process of a cell, started if it is not there.
    async fn process(&self, id: CellId) -> Pid {
        let name = id.to_string();
        loop {
            if let Some(process) = whereis(&name) {
                return process;
            }
            let estate = self.estate.clone();
            let body = move || cell::serve(id, estate.clone());
            let spec = ChildSpec::named(&name, body).shutdown(Shutdown::BrutalKill);
            match Supervisor::find(CELLS).await {
                // It fails while the supervisor is just starting the cell again by itself.
                Ok(supervisor) => drop(supervisor.start_child(spec).await),
                Err(_) => sleep(Duration::from_millis(1)).await,
            }
        }
    }

    fn job(&self, id: CellId, evaluation: EvaluationId) -> Option<Job> {
        let running = self.data.info(id)?.running.as_ref().filter(|running| running.id == evaluation);
        let place = self.data.document().place(id)?;
        let cell = words::planned(self.data.document(), id)?;
        let (scope, values) = self.scope(id);
        Some(Job {
            id,
            evaluation,
            runtime: self.data.runtime().id,
            container: self.data.container(place),
            stands_on: running.map_or_else(Vec::new, |running| running.stands_on.clone()),
            name: cell.label(),
            source: cell.source.clone(),
            cell,
            scope,
            values,
        })
    }

    /// What a cell can use of those above it: of those with values what they define, of those that should have some
    /// and have none that they are missing. With it, where the values are.
    fn scope(&self, id: CellId) -> (Scope, Vec<Option<EvaluationId>>) {
        let document = self.data.document();
        let numbers = words::numbers(document);
        let mut scope = Scope::of(numbers.get(&id).copied().unwrap_or_default());
        let mut values = Vec::new();
        for above in document.ancestors(id) {
            let (Some(code), Some(info)) = (document.runnable(above), self.data.info(above)) else { continue };
            let label = words::label(numbers.get(&above).copied().unwrap_or_default());
            let compiled = info.compiled.as_ref().and_then(|compiled| self.estate.compiled(&compiled.library));
            let is_missing = info.failed || info.blocked.is_some() || info.validity == Validity::Aborted;
            match compiled.filter(|_| info.has_values()) {
                Some(compiled) => {
                    scope.push(label, compiled);
                    values.push(info.record.as_ref().map(|record| record.id));
                }
                None if is_missing || info.is_blocked() => {
                    let names = analysis::defines(&code.source).into_iter().map(|defined| defined.name);
                    scope.push_failed(label, names.collect());
                    values.push(None);
                }
                None => {}
            }
        }
        (scope, values)
    }
}

/// The owner of the runtime, which may just be starting again, and a monitor on it.
async fn owner() -> (Pid, Ref) {
    loop {
        if let Some(owner) = whereis(RUNTIME) {
            return (owner, monitor(owner));
        }
        sleep(Duration::from_millis(1)).await;
    }
}
