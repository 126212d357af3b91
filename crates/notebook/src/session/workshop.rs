//! The process that has cells compiled: one process a job, linked to it, as many at a time as the machine has
//! processors. If one of them is killed, all are, and cells ask the next compiler again. A job that
//! was begun ahead of its cell's turn is handed to the cell when that comes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom::message::Down;
use greenroom::process::demonitor_flush;
use greenroom::{Local, Pid, Ref, exit, monitor, receive, self_pid, send, spawn_link, unlink, whereis};
use serde::{Deserialize, Serialize};

use super::estate::Estate;
use super::message::{COMPILER, Halt, Job};
use crate::compiler::{CellInput, CompileError, CompiledCell};
use crate::rustc::{Cancel, ToolError};

/// To the compiler: this cell's turn will come.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Warm(pub Local<Arc<Job>>);

/// To the compiler: compile this, and tell the one that asks under this reference.
type Compile = Local<(Pid, Ref, Arc<Job>)>;

/// To the compiler: nobody waits for this any more.
#[derive(Debug, Serialize, Deserialize)]
struct Drop(Ref);

/// What a job comes to, and how long it took.
type Result = std::result::Result<(Arc<CompiledCell>, Duration), Arc<CompileError>>;

/// A job to the compiler, and the compiler to the one that asked.
type Compiled = Local<(Ref, Result)>;

/// How often a job that was killed is begun again.
const TRIES: usize = 3;

/// Why there is no compiled cell.
pub(super) enum NotCompiled {
    /// The compiler says why.
    Refused(Arc<CompileError>),
    /// Somebody has stopped it.
    Halted,
}

/// Has a job done. Called by the process of a cell.
pub(super) async fn compile(job: &Arc<Job>) -> std::result::Result<(Arc<CompiledCell>, Duration), NotCompiled> {
    for _ in 0..TRIES {
        let Some(compiler) = whereis(COMPILER) else {
            greenroom::sleep(Duration::from_millis(1)).await;
            continue;
        };
        let (watch, tag) = (monitor(compiler), Ref::new());
        let request: Compile = Local((self_pid(), tag, job.clone()));
        send(compiler, request);
        let result = receive! {
            Local((about, result)): Compiled if about == tag => Some(result),
            down: Down if down.reference == watch => None,
            Halt(halted): Halt if halted == job.evaluation => {
                send(compiler, Drop(tag));
                return Err(NotCompiled::Halted);
            },
        };
        demonitor_flush(watch).await;
        match result {
            Some(Ok(compiled)) => return Ok(compiled),
            Some(Err(error)) if matches!(*error, CompileError::Cancelled) => {}
            Some(Err(error)) => return Err(NotCompiled::Refused(error)),
            None => {}
        }
    }
    Err(NotCompiled::Refused(Arc::new(CompileError::Cancelled)))
}

/// A job that waits, runs or is done.
struct Order {
    job: Arc<Job>,
    /// Who waits for it.
    asked: Option<(Pid, Ref)>,
    state: State,
}

enum State {
    Waiting,
    Running(Pid, Ref),
    Done(Result),
}

/// The life of the compiler.
pub(super) async fn serve(estate: Arc<Estate>) {
    let at_once = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let mut orders: VecDeque<Order> = VecDeque::new();
    loop {
        receive! {
            Warm(Local(job)): Warm => warm(&mut orders, job),
            Local((from, tag, job)): Compile => ask(&mut orders, from, tag, job),
            Drop(tag): Drop => {
                if let Some(at) = orders.iter().position(|order| order.asked.is_some_and(|(_, asked)| asked == tag))
                    && let Some(Order { state: State::Running(worker, _), .. }) = orders.remove(at)
                {
                    unlink(worker);
                    exit(worker, greenroom::ExitReason::Kill);
                }
            },
            Local((tag, result)): Compiled => finish(&mut orders, |order| matches!(order.state, State::Running(_, own) if own == tag), result),
        }
        let running = orders.iter().filter(|order| matches!(order.state, State::Running(..))).count();
        let waiting = orders.iter_mut().filter(|order| matches!(order.state, State::Waiting));
        for order in waiting.take(at_once.saturating_sub(running)) {
            let tag = Ref::new();
            order.state = State::Running(spawn_link(work(self_pid(), tag, order.job.clone(), estate.clone())), tag);
        }
    }
}

/// Adds an order ahead of its turn. What was begun ahead for the same cell, when it said something else, ends.
fn warm(orders: &mut VecDeque<Order>, job: Arc<Job>) {
    let is_same =
        |order: &Order| order.job.id == job.id && order.job.source == job.source && order.job.scope.is_same(&job.scope);
    if orders.iter().any(is_same) {
        return;
    }
    orders.retain(|order| {
        let is_old = order.asked.is_none() && order.job.id == job.id;
        if let State::Running(worker, _) = order.state
            && is_old
        {
            exit(worker, greenroom::ExitReason::Kill);
        }
        !is_old
    });
    orders.push_back(Order { job, asked: None, state: State::Waiting });
}

/// Adds an order, or joins one for the very same that was begun ahead.
fn ask(orders: &mut VecDeque<Order>, from: Pid, tag: Ref, job: Arc<Job>) {
    let is_same =
        |order: &Order| order.asked.is_none() && order.job.source == job.source && order.job.scope.is_same(&job.scope);
    let ahead = orders.iter().position(is_same).and_then(|at| orders.remove(at));
    // What was begun for a cell that has changed since is of no use.
    orders.retain(|order| order.asked.is_some() || order.job.id != job.id);
    match ahead.map(|order| order.state) {
        Some(State::Done(result)) => {
            let answer: Compiled = Local((tag, result));
            send(from, answer);
        }
        state => orders.push_back(Order { job, asked: Some((from, tag)), state: state.unwrap_or(State::Waiting) }),
    }
}

/// Tells who asked. What nobody has asked for yet is kept.
fn finish(orders: &mut VecDeque<Order>, is_it: impl Fn(&Order) -> bool, result: Result) {
    let Some(at) = orders.iter().position(is_it) else { return };
    match orders[at].asked {
        Some((from, tag)) => {
            let answer: Compiled = Local((tag, result));
            send(from, answer);
            orders.remove(at);
        }
        None => orders[at].state = State::Done(result),
    }
}

/// Ends a compilation with the process that waits for it.
struct Guard(Cancel);

impl std::ops::Drop for Guard {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The life of a job.
async fn work(compiler: Pid, tag: Ref, job: Arc<Job>, estate: Arc<Estate>) {
    greenroom::process::set_label(format!("compiler of {}", job.name));
    let guard = Guard(Cancel::default());
    let (cancel, begin) = (guard.0.clone(), Instant::now());
    let rustc = move || {
        let input = CellInput { name: &job.name, source: &job.source };
        match estate.tools() {
            Some(tools) => tools.compiler.compile(&input, &job.scope, &cancel),
            // The runtime has been given up meanwhile.
            None => Err(CompileError::Cancelled),
        }
    };
    let result = match greenroom::spawn_blocking(rustc).await {
        Ok(Ok(compiled)) => Ok((Arc::new(compiled), begin.elapsed())),
        Ok(Err(error)) => Err(Arc::new(error)),
        Err(reason) => {
            let (program, output) = ("the compiler of cells".to_owned(), reason.to_string());
            Err(Arc::new(CompileError::Tool(ToolError::Failed { program, output })))
        }
    };
    drop(guard);
    let done: Compiled = Local((tag, result));
    send(compiler, done);
}
