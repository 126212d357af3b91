//! What a REPL makes of each thing that happens in the notebook: lines on the screen, and what the next input can use.
//! Called in the order in which things happen, by a process that must not wait.

mod knowing;

use std::collections::{HashMap, HashSet};

use super::others::{changes, entered, remark};
use super::seen::Seen;
use crate::event::{Output, OutputKind, own_name};
use crate::frontend::complete::{Known, What};
use crate::frontend::frames::Frames;
use crate::frontend::typing::Shared;
use crate::frontend::view::{End, Ending, Manner, View};
use crate::image::Image;
use crate::session::data::{Data, Status, Validity, text};
use crate::session::operation::{
    CellId, Client, ClientId, Evaluation, Kind, Named, Operation, Outcome, Runtime, Structure,
};
use crate::session::{Replica, Update};

/// Where lines go.
pub(super) trait Sink: Send {
    /// What was asked for.
    fn say(&self, text: &str);
    /// What went wrong.
    fn complain(&self, text: &str);
    /// An image, for those who can see it.
    fn show(&self, _image: &Image) {}
    /// What a live frame shows now, for those who can see it change.
    fn draw(&self, _frame: &str, _text: &str) {}
    /// What a frame has shown last, and how that is said.
    fn settle(&self, _frame: &str, _last: &str, said: &str) {
        self.say(said);
    }
}

/// What turns happenings into lines.
pub(super) struct Following<S> {
    pub(super) seen: Seen,
    known: Shared<Known>,
    pub(super) view: View,
    pub(super) sink: S,
    /// Whether the notebook's end is to be told: somebody else decides on it.
    is_joined: bool,
    /// The value of each cell that runs, kept until it is done, to be told with its time.
    values: HashMap<CellId, Output>,
    pub(super) frames: Frames<CellId>,
    /// The cells whose code runs, rather than is compiled.
    started: HashSet<CellId>,
    /// The texts that were seen here.
    texts: HashMap<CellId, String>,
    /// Those at other terminals.
    visitors: HashMap<ClientId, String>,
    pub(super) replica: Replica,
}

impl<S: Sink> Following<S> {
    pub(super) fn new(seen: Seen, known: Shared<Known>, view: View, sink: S, is_joined: bool) -> Self {
        Following {
            seen,
            known,
            view,
            sink,
            is_joined,
            values: HashMap::new(),
            frames: Frames::default(),
            started: HashSet::new(),
            texts: HashMap::new(),
            visitors: HashMap::new(),
            replica: Replica::default(),
        }
    }

    /// Follows what happens.
    pub(super) fn update(&mut self, update: &Update) {
        let is_own = matches!(update, Update::Happened(operation) if self.seen.lock().own.as_ref() == Some(operation));
        // A replica that is held twice is copied when it changes: only what is told needs that.
        let before = match update {
            Update::Happened(operation) if !is_own && is_told(operation) => Some(self.replica.clone()),
            _ => None,
        };
        self.replica.follow(update);
        // It is needed beside everything else here.
        let replica = self.replica.clone();
        let data = replica.data();
        match update {
            Update::Joined(_) => self.joined(data),
            Update::Happened(operation) => {
                for change in before.iter().flat_map(|old| changes(old.data().document(), data.document(), operation)) {
                    self.sink.say(&remark(&self.view, &change));
                }
                self.happened(data, operation, is_own);
            }
            Update::Closed(end) if self.is_joined => self.seen.end(end.clone()),
            Update::Closed(_) => {}
        }
        self.end_frames(data);
        self.summarise(data, update);
    }

    /// What was there before is known, but not told.
    fn joined(&mut self, data: &Data) {
        let cells = data.document().cells();
        self.texts = cells.filter_map(|id| Some((id, source(data, id)?.to_owned()))).collect();
        let others = data.clients().iter().filter(|(_, visitor)| visitor.process != std::process::id());
        self.visitors = others.map(|(client, visitor)| (*client, visitor.name.clone())).collect();
        self.know(data);
    }

    fn happened(&mut self, data: &Data, operation: &Operation, is_own: bool) {
        match operation {
            Operation::Evaluation(operation) => self.evaluation(data, operation),
            Operation::Runtime(operation) => self.runtime(data, operation),
            Operation::Structure(change) => {
                if is_own {
                    self.typed(data, change);
                }
                self.know(data);
            }
            Operation::Undo | Operation::Redo => self.know(data),
            Operation::Client(operation) => self.client(operation),
            Operation::Input(_) | Operation::File(_) => {}
        }
    }

    /// A text that was typed here need not be shown here.
    fn typed(&mut self, data: &Data, change: &Structure) {
        let (Structure::InsertCell { id: cell, .. } | Structure::Edit { cell, .. }) = change else { return };
        if let Some(source) = source(data, *cell) {
            self.texts.insert(*cell, source.to_owned());
        }
    }

    /// Shows the text of a cell that somebody else has evaluated, if it was not seen here.
    fn entered(&mut self, data: &Data, cell: CellId) {
        let Some(source) = source(data, cell).filter(|source| self.texts.get(&cell).is_none_or(|seen| seen != source))
        else {
            return;
        };
        self.sink.say(&entered(&self.view, data.document().number(cell), source));
        self.texts.insert(cell, source.to_owned());
    }

    /// Whether a program reads what comes of its own lines, and this comes of others.
    fn is_others(&self, cell: CellId) -> bool {
        self.is_joined && self.view.manner == Manner::Piped && !self.seen.lock().is_awaited(cell)
    }

    /// Somebody comes or goes.
    fn client(&mut self, operation: &Client) {
        let said = match operation {
            Client::Join { client, visitor } if visitor.process != std::process::id() => {
                self.visitors.insert(*client, visitor.name.clone());
                format!("{} has come", visitor.name)
            }
            Client::Leave(client) => match self.visitors.remove(client) {
                Some(name) => format!("{name} has gone"),
                None => return,
            },
            Client::Join { .. } | Client::Rename { .. } => return,
        };
        self.sink.say(&remark(&self.view, &said));
    }

    fn evaluation(&mut self, data: &Data, operation: &Evaluation) {
        match operation {
            Evaluation::Output { cell, output, .. } => self.output(data, *cell, output),
            Evaluation::Started { cell, .. } => {
                if !self.seen.lock().is_awaited(*cell) {
                    self.entered(data, *cell);
                }
                self.started.insert(*cell);
                self.know(data);
            }
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
        if self.is_others(cell) {
            return;
        }
        if output.frame.is_some() {
            return self.frame(data, cell, output);
        }
        let is_running = data.info(cell).is_some_and(|info| info.status == Status::Evaluating);
        let number = data.document().number(cell);
        if is_running && output.kind == OutputKind::Value {
            self.values.insert(cell, output.clone());
            return;
        }
        if let Some(image) = output.image.as_ref().filter(|_| self.view.draws()) {
            if !is_running || !self.seen.lock().is_awaited(cell) {
                self.sink.say(&self.signed(number, &output.text));
            }
            return self.sink.show(image);
        }
        let text = self.view.output(number, output);
        if is_running && self.seen.lock().is_awaited(cell) {
            return self.sink.say(&text);
        }
        self.sink.say(&self.signed(number, &text));
    }

    /// What was shown by a process that a cell has left behind, or by a cell that nobody here waits for.
    pub(super) fn signed(&self, number: usize, text: &str) -> String {
        let sign = match self.view.manner {
            Manner::Seen => self.view.look.paint(console::Style::new().dim(), &format!("[{number}] ")),
            Manner::Heard => format!("cell {number}: "),
            Manner::Piped => String::new(),
        };
        text.lines().map(|line| format!("{sign}{line}\n")).collect()
    }

    fn finished(&mut self, data: &Data, cell: CellId, outcome: &Outcome) {
        let number = data.document().number(cell);
        self.say_frames(data, cell);
        let value = self.values.remove(&cell);
        let has_run = self.started.remove(&cell);
        let compiled = data.info(cell).and_then(|info| info.compiled.as_ref());
        let names = compiled.into_iter().flat_map(|compiled| compiled.names.iter());
        let described: Vec<_> =
            names.map(|named| (named.name.to_string(), what(named).describe().to_owned())).collect();
        let (end, run_ms, process) = match outcome {
            Outcome::Ok { run_ms, process, .. } => (End::Ok, *run_ms, process.map(own_name)),
            Outcome::Failed { why, run_ms } => (End::Failed(why), *run_ms, None),
            Outcome::Blocked { why } => (End::Failed(why), 0.0, None),
            Outcome::Stopped { run_ms, .. } => (End::Stopped, *run_ms, None),
        };
        let value = value.as_ref().map(|value| (value.text.as_str(), value.type_name.as_deref().unwrap_or_default()));
        let ending = Ending {
            cell: number,
            end,
            value,
            defines: &described,
            compile_ms: compiled.map_or(0.0, |compiled| compiled.compile_ms),
            run_ms,
            process: process.as_deref(),
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
        if !is_awaited {
            self.entered(data, cell);
        }
        if self.is_others(cell) {
            return self.know(data);
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
}

/// Whether others are told of a change at once: not of every stroke of a key, and not of what is not evaluated.
fn is_told(operation: &Operation) -> bool {
    match operation {
        Operation::Structure(Structure::Edit { .. } | Structure::InsertCell { .. }) => false,
        Operation::Structure(_) | Operation::Undo | Operation::Redo => true,
        Operation::Evaluation(_)
        | Operation::Input(_)
        | Operation::Client(_)
        | Operation::Runtime(_)
        | Operation::File(_) => false,
    }
}

/// The code of a cell.
fn source(data: &Data, cell: CellId) -> Option<&str> {
    data.document().cell(cell).filter(|cell| cell.code().is_some()).map(text)
}

/// What a name of a compiled cell is.
fn what(named: &Named) -> What {
    let kind = match named.kind {
        Kind::Binding => match &named.ty {
            Some(ty) => return What::Binding(readable(ty)),
            None => "let",
        },
        Kind::Function => "fn",
        Kind::Type => "type",
        Kind::Trait => "trait",
        Kind::Macro => "macro",
        Kind::Constant => "const",
        Kind::Module => "mod",
        Kind::Import => "use",
    };
    What::Item(kind)
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
