//! Evaluators and leaders: the processes around a running cell.
//!
//! An evaluator runs the cells of one flow, one at a time. Each evaluation has a *leader*: the group
//! leader of the cell's process and of everything that this starts, which passes on what they print. A
//! cell's process stays when its code is through, so that what is linked to it, such as a supervisor,
//! lives on; leader and process end together when the evaluation is forgotten or the runtime ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom::message::Down;
use greenroom::process::demonitor_flush;
use greenroom::reason::Panic;
use greenroom::{ExitReason, Local, Node, Pid, monitor, receive, self_pid, send, spawn};
use serde::{Deserialize, Serialize};

use crate::arrivals;
use crate::cell::{Bindings, CellEntry, CellError, Context, Output};
use crate::frame::{Framed, Frames};
use crate::input::{Asked, Reads};
use crate::last_words::{self, Numbered};
use crate::loader::load;
use crate::protocol::{Began, Crashed, Evaluate, EvaluationId, Finished, InputRead, Outcome, Shown, output_mark};
use crate::store::{Serves, Store};

/// What the node's panic handler tells the group leader of the process that panicked.
pub(crate) type Panicked = Local<(Pid, Panic)>;

/// How a cell's process says that its code is through.
type Through = Local<Result<Context, CellError>>;

/// How a leader tells its evaluator that the next cell can run.
#[derive(Debug, Serialize, Deserialize)]
struct Done(EvaluationId);

/// How a leader tells a cell's process to begin: it is watched by now, so that no end of it is missed.
#[derive(Debug, Serialize, Deserialize)]
struct Go;

/// A message that nobody can send: who waits for it waits for ever.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Never {}

/// Text is passed on when so much of it has come together, or when no more is there.
const TEXT_AT_ONCE: usize = 64 << 10;

/// The life of an evaluator. Leaders that are killed, to stop a cell, leave it alone; and if it is killed, the cell that
/// runs goes on.
pub(crate) async fn serve(store: Store) {
    greenroom::process::set_label("evaluator");
    loop {
        let request = receive::<Evaluate>().await;
        let (id, evaluator) = (request.id, self_pid());
        let leader = spawn(lead(request, store.clone(), evaluator));
        let watch = monitor(leader);
        receive! {
            Done(done): Done if done == id => (),
            down: Down if down.reference == watch => drop(down),
        }
        demonitor_flush(watch).await;
    }
}

/// The life of a leader.
async fn lead(request: Evaluate, store: Store, evaluator: Pid) {
    let (id, reply_to) = (request.id, request.reply_to);
    let key = (reply_to.node(), id);
    greenroom::process::set_label(format!("leader of evaluation {}", id.0));
    if !store.begin(key, self_pid()) {
        return;
    }
    let _listening = last_words::listen(self_pid(), id, reply_to);
    send(reply_to, Began { id, leader: self_pid() });
    let mut outputs = Outputs { id, reply_to, frames: Frames::default() };
    let process = evaluate(request, &store, &mut outputs).await;
    send(evaluator, Done(id));
    let Some((process, watch, mut reads)) = process else { return };
    reads.end();
    loop {
        receive! {
            Local(asked): Asked => reads.asked(asked),
            // It has stopped to wait for that.
            _read: InputRead => (),
            Local(shown): Numbered => outputs.pass_on(shown).await,
            Local((pid, panic)): Panicked => send(reply_to, Crashed { id, pid, panic }),
            framed: Framed => outputs.frames.add(framed),
            down: Down if down.reference == watch => {
                outputs.freeze().await;
                let text = format!("the process {process} of this cell has ended: {}\n", down.reason);
                send(reply_to, Shown { id, number: 0, output: Output::Text(text) });
                return;
            },
            down: Down => outputs.ended(&down),
        }
    }
}

/// Runs a cell until its code is through. Returns its process, the monitor on it and what it has read, if it still lives.
async fn evaluate(request: Evaluate, store: &Store, outputs: &mut Outputs) -> Option<(Pid, greenroom::Ref, Reads)> {
    let entry = match open(&request, store).await {
        Ok(entry) => entry,
        Err(error) => {
            let Evaluate { id, reply_to, .. } = request;
            let outcome = Outcome::Load(error);
            crate::tracer::finish(reply_to, Finished { id, run_ms: 0.0, outcome, exports: Vec::new(), process: None });
            return None;
        }
    };
    let Evaluate { id, reply_to, stands_on, values, .. } = request;
    let key = (reply_to.node(), id);
    let started = Instant::now();
    let process = start(entry, store.bindings(key.0, &stands_on, &values));
    let watch = monitor(process);
    store.run(key, process, started);
    send(process, Go);
    let mut reads = Reads::new(id, reply_to, process);
    let mut failure = None;
    let mut exports = Vec::new();
    let outcome = loop {
        receive! {
            Local(asked): Asked => reads.asked(asked),
            read: InputRead => reads.answered(read),
            Local(shown): Numbered => outputs.pass_on(shown).await,
            framed: Framed => outputs.frames.add(framed),
            Local((pid, panic)): Panicked => {
                if pid != process {
                    send(reply_to, Crashed { id, pid, panic });
                }
            },
            Local(result): Through => match result {
                Ok(context) => {
                    let bindings = context.into_exports();
                    exports = bindings.iter().map(|(name, binding)| binding.describe(name)).collect();
                    store.update(key, |entry| entry.bindings = Some(bindings));
                    break Outcome::Ok;
                }
                Err(error) => failure = Some(error),
            },
            down: Down if down.reference == watch => break match failure {
                Some(error) => {
                    Outcome::Error { message: error.message().to_owned(), location: error.location().into() }
                }
                None => Outcome::Exit(down.reason),
            },
            down: Down => outputs.ended(&down),
        }
    };
    store.update(key, |entry| entry.running_since = None);
    let lives = outcome == Outcome::Ok;
    match lives {
        true => outputs.settle().await,
        false => outputs.freeze().await,
    }
    if matches!(*store.serves, Serves::One) {
        mark_output(id);
    }
    let run_ms = started.elapsed().as_secs_f64() * 1000.0;
    crate::tracer::finish(reply_to, Finished { id, run_ms, outcome, exports, process: lives.then_some(process) });
    lives.then_some((process, watch, reads))
}

/// Opens the library of a cell, wherever that is. The error is for people.
async fn open(request: &Evaluate, store: &Store) -> Result<CellEntry, String> {
    let library = match &*store.serves {
        Serves::One => request.library.clone(),
        Serves::All { folders, .. } => {
            let owner = store.owner(request.reply_to.node()).ok_or("the notebook has left this node")?;
            arrivals::obtain(request, folders, &owner).await?
        }
    };
    load(&library, &request.symbol).await.map_err(|error| error.to_string())
}

/// Starts the process of a cell, led by the running one.
fn start(entry: CellEntry, bindings: Bindings) -> Pid {
    let (leader, node) = (self_pid(), Node::current());
    let sink = Arc::new(move |output| {
        if let Some(node) = &node {
            last_words::hand(node, leader, output);
        }
    });
    let context = Context::new(bindings, sink);
    greenroom::process::spawn_led(leader, async move {
        receive::<Go>().await;
        let result = entry(context.clone()).await.map(|()| context);
        let failed = result.as_ref().err().map(|error| ExitReason::Error(error.message().into()));
        if let Some(node) = Node::current() {
            let through: Through = Local(result);
            node.send_untraced(leader, through);
        }
        match failed {
            Some(reason) => reason,
            None => match receive::<Never>().await {},
        }
    })
}

/// What an evaluation shows, on its way to whoever has asked for it.
struct Outputs {
    id: EvaluationId,
    reply_to: Pid,
    frames: Frames,
}

/// A mark in the leader's own mailbox: what was shown before it has been passed on.
#[derive(Debug, Serialize, Deserialize)]
struct Mark;

impl Outputs {
    /// Sends an output on; text together with the text that waits behind it.
    async fn pass_on(&mut self, (mut number, mut output): (u64, Output)) {
        while let Output::Text(text) = &mut output
            && text.len() < TEXT_AT_ONCE
        {
            let more = receive! {
                Local((number, Output::Text(more))): Numbered => Some((number, more)),
                after Duration::ZERO => None,
            };
            match more {
                Some((last, more)) => {
                    text.push_str(&more);
                    number = last;
                }
                None => break,
            }
        }
        self.frames.note(&output);
        send(self.reply_to, Shown { id: self.id, number, output });
    }

    /// A process has ended that was watched: if it was a frame, what it showed stays as it is.
    fn ended(&mut self, down: &Down) {
        if let (Some(node), Some(last)) = (Node::current(), self.frames.ended(down)) {
            last_words::hand(&node, self_pid(), last);
        }
    }

    /// Has frames tell what they show by now, and passes it on with everything before it.
    async fn settle(&mut self) {
        let ended = self.frames.settle().await;
        self.pass_on_all().await;
        // Only now is it known what they have told last.
        ended.iter().for_each(|down| self.ended(down));
        self.pass_on_all().await;
    }

    /// The same, as the last that they tell.
    async fn freeze(&mut self) {
        self.settle().await;
        if let Some(node) = Node::current() {
            self.frames.freeze().into_iter().for_each(|last| last_words::hand(&node, self_pid(), last));
        }
        self.pass_on_all().await;
    }

    /// Passes on what has been shown up to now.
    async fn pass_on_all(&mut self) {
        if let Some(node) = Node::current() {
            node.send_untraced(self_pid(), Mark);
        }
        loop {
            receive! {
                Local(shown): Numbered => self.pass_on(shown).await,
                Mark: Mark => return,
            }
        }
    }
}

/// Marks the end of this evaluation in what goes to standard output and error past all cells.
fn mark_output(id: EvaluationId) {
    use std::io::Write;
    let mark = output_mark(id);
    // Nobody reads it any more only if the owner is gone, and then this process is about to end.
    let _ = std::io::stdout().write_all(mark.as_bytes()).and_then(|()| std::io::stdout().flush());
    let _ = std::io::stderr().write_all(mark.as_bytes());
}
