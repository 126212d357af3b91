//! What a REPL makes of each thing that happens in the notebook: lines on the screen, and what the next input can use.
//! Called in the order in which things happen, by a process that must not wait.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::compiler::CompiledCell;
use crate::event::{Output, OutputKind};
use crate::frontend::complete::{Known, Name, What};
use crate::frontend::typing::Shared;
use crate::frontend::view::{End, Ending, Manner, View};
use crate::prelude::Progress;
use crate::session::data::{Data, RuntimeStatus, Status, Validity};
use crate::session::operation::{CellId, Evaluation, Operation, Outcome, Runtime, SectionId};
use crate::session::{Library, Replica, Update};

/// Where lines go.
pub(super) trait Sink: Send {
    /// What was asked for.
    fn say(&self, text: &str);
    /// What went wrong.
    fn complain(&self, text: &str);
}

/// What a REPL knows of the notebook, and what it waits for. Its clones are one.
#[derive(Clone, Default)]
pub(super) struct Seen {
    shared: Arc<(Mutex<State>, Condvar)>,
}

/// What is known.
#[derive(Default)]
pub(super) struct State {
    /// Whether the notebook is there at all.
    pub(super) is_there: bool,
    /// A name for the next cell.
    pub(super) next_id: Option<CellId>,
    /// How many code cells there are.
    pub(super) count: usize,
    /// The cells by their numbers, from 1.
    pub(super) cells: Vec<CellId>,
    /// The last section of the main flow that is there.
    pub(super) last_section: Option<SectionId>,
    /// How many cells each section has.
    pub(super) lengths: HashMap<SectionId, usize>,
    pub(super) is_dirty: bool,
    /// The node that cells run on, if not in a runtime of their own.
    pub(super) node: Option<String>,
    /// Whether what cells run in is there.
    pub(super) runtime: RuntimeStatus,
    /// The cells that somebody waits for, and whether each was seen to wait or run.
    awaited: HashMap<CellId, bool>,
    /// The last one of those that did not compile.
    pub(super) refused: Option<CellId>,
    /// Whether one of those has failed.
    has_failed: bool,
    /// What runs now: its number, since when, and what it does.
    pub(super) doing: Option<Doing>,
    pub(super) interrupts: usize,
    /// Counts what has happened.
    changes: u64,
}

/// What a cell does.
#[derive(Clone, Debug)]
pub(super) struct Doing {
    pub(super) cell: usize,
    pub(super) since: Instant,
    pub(super) what: Work,
}

/// See [`Doing`].
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Work {
    /// And, if what it stands on is being built, for how long still.
    WaitingForRuntime(Option<Progress>),
    Compiling,
    Running,
    NotYielding(f64),
}

impl Seen {
    /// Held for moments.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody is about to ask for these.
    pub(super) fn await_cells(&self, cells: impl IntoIterator<Item = CellId>) {
        let mut state = self.lock();
        state.awaited.extend(cells.into_iter().map(|cell| (cell, false)));
        state.has_failed = false;
    }

    /// Nobody waits any more.
    pub(super) fn give_up(&self) {
        self.lock().awaited.clear();
    }

    /// A person has pressed Ctrl-C.
    pub(super) fn interrupt(&self) {
        let mut state = self.lock();
        state.interrupts += 1;
        self.changed(state);
    }

    fn changed(&self, mut state: MutexGuard<'_, State>) {
        state.changes += 1;
        drop(state);
        self.shared.1.notify_all();
    }

    /// Waits until more has happened than was heard of, for a moment at most. What happens between two calls is not
    /// waited for again.
    pub(super) fn wait_for_more(&self, moment: Duration, heard: &mut u64) -> MutexGuard<'_, State> {
        let state = self.wait_until(moment, |state| state.changes != *heard);
        *heard = state.changes;
        state
    }

    /// Waits until it is so, for a moment at most.
    pub(super) fn wait_until(&self, moment: Duration, is_so: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.shared.1.wait_timeout_while(self.lock(), moment, |state| !is_so(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl State {
    pub(super) fn is_awaiting(&self) -> bool {
        !self.awaited.is_empty()
    }

    pub(super) fn has_failed(&self) -> bool {
        self.has_failed
    }

    pub(super) fn is_awaited(&self, cell: CellId) -> bool {
        self.awaited.contains_key(&cell)
    }
}

/// What turns happenings into lines.
pub(super) struct Following<S> {
    pub(super) seen: Seen,
    pub(super) known: Shared<Known>,
    pub(super) view: View,
    pub(super) sink: S,
    pub(super) library: Library,
    /// The value of each cell that runs, kept until it is done, to be told with its time.
    pub(super) values: HashMap<CellId, Output>,
    /// What each cell defines.
    pub(super) names: HashMap<CellId, Vec<(String, What)>>,
    /// The cells whose code runs, rather than is compiled.
    pub(super) started: HashSet<CellId>,
    pub(super) replica: Replica,
}

impl<S: Sink> Following<S> {
    /// Follows what happens.
    pub(super) fn update(&mut self, update: &Update) {
        self.replica.follow(update);
        // The replica is needed beside everything else here; it is cheap to hold twice.
        let replica = self.replica.clone();
        match update {
            Update::Joined(_) => self.happened(replica.data(), None),
            Update::Happened(operation) => self.happened(replica.data(), Some(operation)),
        }
    }

    fn happened(&mut self, data: &Data, operation: Option<&Operation>) {
        match operation {
            Some(Operation::Evaluation(operation)) => self.evaluation(data, operation),
            Some(Operation::Runtime(operation)) => self.runtime(data, operation),
            Some(Operation::Structure(_) | Operation::Undo | Operation::Redo) | None => {
                self.names.retain(|cell, _| data.document().cell(*cell).is_some());
                self.know(data);
            }
            Some(Operation::Input(_) | Operation::Client(_) | Operation::File(_)) => {}
        }
        self.summarise(data);
    }

    fn evaluation(&mut self, data: &Data, operation: &Evaluation) {
        match operation {
            Evaluation::Output { cell, output, .. } => self.output(data, *cell, output),
            Evaluation::Started { cell, .. } => drop(self.started.insert(*cell)),
            Evaluation::Finished { cell, evaluation, outcome } => {
                let is_latest = data.info(*cell).is_some_and(|info| info.shown == Some(*evaluation));
                if is_latest {
                    self.finished(data, *cell, outcome);
                }
            }
            _ => {}
        }
    }

    fn output(&mut self, data: &Data, cell: CellId, output: &Output) {
        let is_running = data.info(cell).is_some_and(|info| info.status == Status::Evaluating);
        let number = data.document().number(cell);
        if is_running && output.kind == OutputKind::Value {
            self.values.insert(cell, output.clone());
            return;
        }
        let text = self.view.output(number, output);
        if is_running && self.seen.lock().is_awaited(cell) {
            return self.sink.say(&text);
        }
        // Of a process that the cell has left behind, or of a cell that nobody here waits for.
        let sign = match self.view.manner {
            Manner::Seen => self.view.look.paint(console::Style::new().dim(), &format!("[{number}] ")),
            Manner::Heard => format!("cell {number}: "),
            Manner::Piped => String::new(),
        };
        let lines: String = text.lines().map(|line| format!("{sign}{line}\n")).collect();
        self.sink.say(&lines);
    }

    fn finished(&mut self, data: &Data, cell: CellId, outcome: &Outcome) {
        let number = data.document().number(cell);
        let value = self.values.remove(&cell);
        let has_run = self.started.remove(&cell);
        let library = data.info(cell).and_then(|info| info.compiled.clone());
        let compiled = library.as_ref().and_then(|compiled| self.library.compiled(&compiled.library));
        let names = compiled.as_deref().map_or_else(Vec::new, names);
        let described: Vec<_> = names.iter().map(|(name, what)| (name.clone(), what.describe().to_owned())).collect();
        let (end, run_ms) = match outcome {
            Outcome::Ok { run_ms, .. } => (End::Ok, *run_ms),
            Outcome::Failed { why, run_ms } => (End::Failed(why), *run_ms),
            Outcome::Blocked { why } => (End::Failed(why), 0.0),
            Outcome::Stopped { run_ms, .. } => (End::Stopped, *run_ms),
        };
        let value = value.as_ref().map(|value| (value.text.as_str(), value.type_name.as_deref().unwrap_or_default()));
        let ending = Ending {
            cell: number,
            end,
            value,
            defines: &described,
            compile_ms: library.map_or(0.0, |compiled| compiled.compile_ms),
            run_ms,
            process: None,
        };
        let mut text = self.view.ending(&ending);
        if let (End::Failed(_), Some((value, _))) = (end, value) {
            text = format!("= {value}\n{text}");
        }
        let is_awaited = self.seen.lock().is_awaited(cell);
        if !is_awaited && matches!(outcome, Outcome::Blocked { .. }) {
            // It was said when it was asked for; nobody has asked for it now.
            return;
        }
        // One that was just stopped is no longer waited for.
        if !is_awaited && !matches!(end, End::Stopped) && self.view.manner == Manner::Seen {
            let label = self.view.look.paint(console::Style::new().dim(), &format!("[{number}]"));
            text = format!("{label} {text}");
        }
        match end {
            End::Ok | End::Stopped => self.sink.say(&text),
            End::Failed(_) => self.sink.complain(&text),
        }
        match matches!(end, End::Ok) {
            true => drop(self.names.insert(cell, names)),
            false => drop(self.names.remove(&cell)),
        }
        self.know(data);
        let mut state = self.seen.lock();
        if state.awaited.remove(&cell).is_some() {
            state.has_failed |= !matches!(end, End::Ok);
            if matches!(end, End::Failed(_)) && !has_run {
                state.refused = Some(cell);
            }
        }
    }

    fn runtime(&mut self, data: &Data, operation: &Runtime) {
        match operation {
            Runtime::Printed(text) => {
                let sign = self.view.look.paint(console::Style::new().dim(), "┆ ");
                let lines: String = text.lines().map(|line| format!("{sign}{line}\n")).collect();
                match self.view.manner {
                    Manner::Seen => self.sink.say(&lines),
                    Manner::Heard | Manner::Piped => self.sink.complain(text),
                }
            }
            Runtime::Failed { why, .. } => {
                self.sink.complain(&match &data.runtime().node {
                    None => format!("the runtime does not start: {why}\n"),
                    Some(node) => format!(
                        "cells do not run on {node}: {why}\n`:node {node}` tries again, and `:node` leads back to a \
                         runtime of their own\n"
                    ),
                });
                let mut state = self.seen.lock();
                state.has_failed = true;
                state.awaited.clear();
            }
            Runtime::Down { why, .. } => {
                self.started.clear();
                self.values.clear();
                let way_back = match &data.runtime().node {
                    None => String::new(),
                    Some(node) => {
                        format!("; it looks for {node} again, and `:node` leads back to a runtime of their own")
                    }
                };
                self.sink.complain(&format!(
                    "the runtime has died: {why}\nits values are gone; a cell that needs some has them evaluated again, \
                     and `:run all` evaluates everything{way_back}\n"
                ));
            }
            _ => {}
        }
    }

    /// What can be typed next.
    fn know(&mut self, data: &Data) {
        let document = data.document();
        let mut known = self.known.lock();
        known.names.clear();
        known.cells.clear();
        let mut number = 0;
        for id in document.cells() {
            let Some(code) = document.cell(id).and_then(|cell| cell.code()) else { continue };
            if document.place(id).is_some_and(|place| place.section > 0) {
                number += 1;
                known.cells.push((number, crate::event::heading(&code.source)));
            }
            let names = self.names.get(&id).into_iter().flatten();
            known.names.extend(names.map(|(name, what)| Name { name: name.clone(), what: what.clone(), cell: number }));
        }
    }

    fn summarise(&mut self, data: &Data) {
        let document = data.document();
        let mut state = self.seen.lock();
        state.is_there = true;
        state.next_id = Some(data.unused_cell_id());
        let is_code = |id: &CellId| document.cell(*id).and_then(|cell| cell.code()).is_some();
        state.cells =
            document.sections().iter().flat_map(|section| section.cells.iter().copied()).filter(is_code).collect();
        state.count = state.cells.len();
        state.last_section = document
            .sections()
            .iter()
            .rev()
            .find(|section| section.head.parent.is_none())
            .map(|section| section.head.id);
        state.lengths = document.sections().iter().map(|section| (section.head.id, section.cells.len())).collect();
        state.is_dirty = data.is_dirty();
        state.node.clone_from(&data.runtime().node);
        state.runtime = data.runtime().status;
        // What is awaited is over when it neither waits nor runs, once it has.
        state.awaited.retain(|cell, was_seen| {
            let is_idle = data.info(*cell).is_none_or(|info| info.status == Status::Ready);
            let goes_on = !(is_idle && *was_seen);
            *was_seen |= !is_idle;
            goes_on
        });
        self.doing(data, &mut state);
        self.seen.changed(state);
    }

    fn doing(&self, data: &Data, state: &mut State) {
        let first = data.evaluating().iter().next().copied();
        let Some(cell) = first.or_else(|| data.queued().iter().next().copied()) else {
            state.doing = None;
            return;
        };
        let number = data.document().number(cell);
        let info = data.info(cell);
        let what = match (first, data.runtime().status) {
            (None, _) | (_, RuntimeStatus::Connecting) => Work::WaitingForRuntime(data.runtime().building.clone()),
            (Some(_), _) => match info.and_then(|info| info.not_yielding_ms) {
                Some(ms) => Work::NotYielding(ms as f64),
                // Its compilation is told as it starts to run.
                None if self.started.contains(&cell) => Work::Running,
                None => Work::Compiling,
            },
        };
        let since = match &state.doing {
            Some(doing) if doing.cell == number => doing.since,
            _ => Instant::now(),
        };
        state.doing = Some(Doing { cell: number, since, what });
    }
}

/// The names that a compiled cell defines for others, and what each is.
fn names(compiled: &CompiledCell) -> Vec<(String, What)> {
    use crate::analysis::Kind;
    let bindings = compiled.exports.iter().map(|export| (export.name.clone(), What::Binding(readable(&export.ty))));
    let items = compiled.items.iter().filter(|item| !item.name.is_empty()).map(|item| {
        let kind = match item.kind {
            Kind::Binding => "let",
            Kind::Function => "fn",
            Kind::Type => "type",
            Kind::Trait => "trait",
            Kind::Macro => "macro",
            Kind::Constant => "const",
            Kind::Module => "mod",
            Kind::Import => "use",
        };
        (item.name.clone(), What::Item(kind))
    });
    bindings.chain(items).collect()
}

/// A type as a person would write it: each path by its last name.
pub(super) fn readable(ty: &str) -> String {
    greenroom::message::short_name(ty)
}

/// How a cell stands, in a word.
pub(super) fn standing(data: &Data, cell: CellId) -> &'static str {
    let Some(info) = data.info(cell) else { return "" };
    match (info.status, info.validity) {
        (Status::Queued, _) => "queued",
        (Status::Evaluating, _) => "running",
        (Status::Ready, _) if info.failed => "failed",
        (Status::Ready, Validity::Fresh) => "not run",
        (Status::Ready, Validity::Aborted) => "no values",
        (Status::Ready, _) if info.is_outdated() => "stale",
        (Status::Ready, Validity::Stale) => "stale",
        (Status::Ready, Validity::Evaluated) => "done",
    }
}
