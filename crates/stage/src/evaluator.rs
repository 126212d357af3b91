//! An evaluator: the process that runs the cells of one flow, one at a time, and is the group leader of
//! everything that they start.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom::message::Down;
use greenroom::reason::Panic;
use greenroom::{ExitReason, Local, Node, Pid, monitor, receive, self_pid, send};

use crate::cell::{Bindings, CellEntry, CellError, Context, Output};
use crate::io::Handed;
use crate::loader::load;
use crate::protocol::{Crashed, Evaluate, EvaluationId, Finished, Outcome, Shown, output_mark};

/// The bindings of every evaluation, shared by the evaluators of a runtime.
pub(crate) type Store = Arc<std::sync::Mutex<HashMap<EvaluationId, Bindings>>>;

/// What the node's panic handler tells the group leader of the process that panicked.
pub(crate) type Panicked = Local<(Pid, Panic)>;

/// How a cell's process says that its code is through.
type Through = Local<Result<Context, CellError>>;

/// Text is passed on when so much of it has come together, or when no more is there.
const TEXT_AT_ONCE: usize = 64 << 10;

/// The life of an evaluator.
pub(crate) async fn serve(store: Store) {
    let mut last = None;
    loop {
        receive! {
            request: Evaluate => {
                last = Some((request.id, request.reply_to));
                evaluate(request, &store).await;
            },
            // What outlives its cell still prints under it.
            Local(output): Handed => if let Some((id, reply_to)) = last {
                pass_on(id, reply_to, output).await;
            },
            Local((pid, panic)): Panicked => if let Some((id, reply_to)) = last {
                send(reply_to, Crashed { id, pid, panic });
            },
        }
    }
}

async fn evaluate(request: Evaluate, store: &Store) {
    let Evaluate { id, reply_to, library, symbol, stands_on, .. } = request;
    let entry = match load(&library, &symbol) {
        Ok(entry) => entry,
        Err(error) => {
            send(reply_to, Finished { id, run_ms: 0.0, outcome: Outcome::Load(error.to_string()) });
            return;
        }
    };
    let started = Instant::now();
    let process = start(entry, bindings_of(&stands_on, store));
    let watch = monitor(process);
    let mut through = None;
    let reason = loop {
        receive! {
            Local(output): Handed => pass_on(id, reply_to, output).await,
            Local((pid, panic)): Panicked => {
                if pid != process {
                    send(reply_to, Crashed { id, pid, panic });
                }
            },
            Local(result): Through => through = Some(result),
            down: Down if down.reference == watch => break down.reason,
        }
    };
    let outcome = match through {
        Some(Ok(context)) => {
            lock(store).insert(id, context.into_bindings());
            Outcome::Ok
        }
        Some(Err(error)) => Outcome::Error { message: error.message().to_owned(), location: error.location().into() },
        None => Outcome::Exit(reason),
    };
    mark_output(id);
    send(reply_to, Finished { id, run_ms: started.elapsed().as_secs_f64() * 1000.0, outcome });
}

/// Starts the process of a cell.
fn start(entry: CellEntry, bindings: Bindings) -> Pid {
    let (evaluator, node) = (self_pid(), Node::current());
    let sink = Arc::new(move |output| {
        if let Some(node) = &node {
            node.send_untraced(evaluator, Local(output));
        }
    });
    let context = Context::new(bindings, sink);
    greenroom::process::spawn_led(evaluator, async move {
        let node = Node::current();
        let result = entry(context.clone()).await.map(|()| context);
        let reason = match &result {
            Ok(_) => ExitReason::Normal,
            Err(error) => ExitReason::Error(error.message().into()),
        };
        let through: Through = Local(result);
        if let Some(node) = node {
            node.send_untraced(evaluator, through);
        }
        reason
    })
}

fn bindings_of(evaluations: &[EvaluationId], store: &Store) -> Bindings {
    let store = lock(store);
    let mut bindings = Bindings::default();
    for id in evaluations {
        if let Some(more) = store.get(id) {
            bindings.extend(more);
        }
    }
    bindings
}

fn lock(store: &Store) -> std::sync::MutexGuard<'_, HashMap<EvaluationId, Bindings>> {
    store.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Sends an output on; text together with the text that waits behind it.
async fn pass_on(id: EvaluationId, reply_to: Pid, mut output: Output) {
    while let Output::Text(text) = &mut output
        && text.len() < TEXT_AT_ONCE
    {
        let more = receive! {
            Local(Output::Text(more)): Handed => Some(more),
            after Duration::ZERO => None,
        };
        match more {
            Some(more) => text.push_str(&more),
            None => break,
        }
    }
    send(reply_to, Shown { id, output });
}

/// Marks the end of this evaluation in what goes to standard output and error past all cells.
fn mark_output(id: EvaluationId) {
    use std::io::Write;
    let mark = output_mark(id);
    // Nobody reads it any more only if the owner is gone, and then this process is about to end.
    let _ = std::io::stdout().write_all(mark.as_bytes()).and_then(|()| std::io::stdout().flush());
    let _ = std::io::stderr().write_all(mark.as_bytes());
}
