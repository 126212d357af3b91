//! Functions that run on other nodes: [`spawn_on`], [`call`], [`cast`] and [`multicall`], after OTP's `spawn/4` and `erpc`.
//!
//! Both nodes run the same binary. A function is named by where it is in there, so it must be one that captures
//! nothing: a `fn`, or a closure without surroundings. What it is given and what it returns are data.
//!
//! ```
//! use std::time::Duration;
//! use greenroom::Node;
//! use greenroom_cluster::{Cluster, Cookie, erpc};
//!
//! async fn length(text: String) -> usize {
//!     text.len()
//! }
//!
//! let cookie = Cookie::random();
//! let (near, far) = (Node::builder().name("near").start().unwrap(), Node::builder().name("far").start().unwrap());
//! let address = Cluster::builder(&far).cookie(cookie.clone()).start().unwrap().listen("127.0.0.1:0".parse().unwrap()).unwrap();
//! let cluster = Cluster::builder(&near).cookie(cookie).start().unwrap();
//! let answer = near.block_on(async move {
//!     let far = cluster.connect(address).await.unwrap();
//!     erpc::call(far, length, "over there".to_owned(), Duration::from_secs(5)).await
//! });
//! assert_eq!(answer, Ok(10));
//! ```
//!
//! A closure that captures something is refused when it is compiled:
//!
//! ```compile_fail
//! use greenroom_cluster::erpc;
//!
//! let captured = 7;
//! greenroom::run(async move {
//!     let function = move |_: u64| async move { captured };
//!     erpc::call(greenroom::node(), function, 1, std::time::Duration::from_secs(1)).await
//! });
//! ```

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use greenroom::message::Down;
use greenroom::reason::{Outcome, Panic};
use greenroom::{
    ExitReason, Message, NodeId, Pid, Ref, monitor, receive, register, self_pid, send, spawn, spawn_monitor,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use tokio::sync::watch;

use crate::function::{self, Finished, Function, Undefined};

/// The name of the process that runs what other nodes ask for.
const SERVER: &str = "greenroom_erpc";

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The function panicked.
    Panicked(Arc<Panic>),
    /// The process that ran it ended, by `exit_self` or an exit signal.
    Exited(ExitReason),
    /// The node does not have the function.
    Undefined(Undefined),
    /// The argument or the result is not data that can travel.
    NotData(String),
    /// There was no answer in time. The function may still be running.
    TimedOut,
    /// There is no connection to the node, or it was lost meanwhile.
    NoConnection,
    /// The node does not run functions for others.
    NotServed,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Panicked(panic) => ExitReason::Panic(panic.clone()).fmt(f),
            CallError::Exited(reason) => write!(f, "exited: {reason}"),
            CallError::Undefined(undefined) => undefined.fmt(f),
            CallError::NotData(why) => write!(f, "this cannot travel: {why}"),
            CallError::TimedOut => f.write_str("no answer in time"),
            CallError::NoConnection => f.write_str("noconnection"),
            CallError::NotServed => f.write_str("that node is not in a cluster"),
        }
    }
}

impl std::error::Error for CallError {}

/// Starts a process on another node. Its reason is what `function` returns.
///
/// There is always an identifier, as with OTP's `spawn/4`: if the node cannot be reached, linking to it or monitoring
/// it says `NoConnection`; if the node does not have the function, the process ends at once with the reason `Error` that
/// says so.
///
/// # Panics
/// Outside of a process.
pub async fn spawn_on<F, A, Fut>(node: NodeId, function: F, argument: A) -> Pid
where
    F: Fn(A) -> Fut + Copy + 'static,
    A: Message,
    Fut: Future<Output: Outcome> + Send + 'static,
{
    let function = Function::spawned(function);
    let nobody = Pid::from_parts(node, u32::MAX, 0);
    let Ok(argument) = function::write(&argument) else { return nobody };
    match ask(node, function, argument, How::Spawn, Duration::MAX).await {
        Ok(Answered::Pid(pid)) => pid,
        Ok(Answered::Value(_) | Answered::Failed(_)) | Err(_) => nobody,
    }
}

/// Runs a function on another node and waits for its result.
///
/// # Errors
/// [`CallError`] keeps apart what may go wrong (case 208 of OTP's behaviour).
///
/// # Panics
/// Outside of a process.
pub async fn call<F, A, Fut, R>(node: NodeId, function: F, argument: A, timeout: Duration) -> Result<R, CallError>
where
    F: Fn(A) -> Fut + Copy + 'static,
    A: Message,
    Fut: Future<Output = R> + Send + 'static,
    R: Message,
{
    let argument = function::write(&argument).map_err(CallError::NotData)?;
    let called = ask(node, Function::called(function), argument, How::Call, timeout).await?;
    match called {
        Answered::Value(bytes) => function::read(&bytes).map_err(CallError::NotData),
        Answered::Pid(_) => Err(CallError::NotServed),
        Answered::Failed(failure) => Err(failure.into()),
    }
}

/// Runs a function on another node and does not wait, nor learn what has become of it.
///
/// # Panics
/// Outside of a process.
pub fn cast<F, A, Fut>(node: NodeId, function: F, argument: A)
where
    F: Fn(A) -> Fut + Copy + 'static,
    A: Message,
    Fut: Future<Output: Outcome> + Send + 'static,
{
    let function = Function::spawned(function);
    // What cannot be written would not arrive, either: nobody is told in both cases.
    if let Ok(argument) = function::write(&argument) {
        send((SERVER, node), Request { function, argument: argument.into(), how: How::Cast, to: None });
    }
}

/// Runs a function on several nodes at once, and waits for all results, in the order of the nodes.
///
/// # Panics
/// Outside of a process.
pub async fn multicall<F, A, Fut, R>(
    nodes: &[NodeId],
    function: F,
    argument: A,
    timeout: Duration,
) -> Vec<Result<R, CallError>>
where
    F: Fn(A) -> Fut + Copy + Send + 'static,
    A: Message + Clone,
    Fut: Future<Output = R> + Send + 'static,
    R: Message,
{
    let results = Arc::new(Mutex::new(Vec::new()));
    results.lock().resize_with(nodes.len(), || Err(CallError::NoConnection));
    let mut watches = HashMap::new();
    for (index, node) in nodes.iter().copied().enumerate() {
        let (argument, results) = (argument.clone(), results.clone());
        let (_, watch) = spawn_monitor(async move {
            let result = call(node, function, argument, timeout).await;
            results.lock()[index] = result;
        });
        watches.insert(watch, index);
    }
    while !watches.is_empty() {
        let down = receive! { down: Down if watches.contains_key(&down.reference) => down };
        watches.remove(&down.reference);
    }
    std::mem::take(&mut *results.lock())
}

/// What a node is asked for.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    function: Function,
    argument: ByteBuf,
    how: How,
    to: Option<(Pid, Ref)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum How {
    Spawn,
    Call,
    Cast,
}

#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    reference: Ref,
    answered: Answered,
}

#[derive(Debug, Serialize, Deserialize)]
enum Answered {
    Pid(Pid),
    Value(ByteBuf),
    Failed(Failure),
}

#[derive(Debug, Serialize, Deserialize)]
enum Failure {
    Undefined(Undefined),
    NotData(String),
    Ended(ExitReason),
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Undefined(undefined) => CallError::Undefined(undefined),
            Failure::NotData(why) => CallError::NotData(why),
            Failure::Ended(ExitReason::Panic(panic)) => CallError::Panicked(panic),
            Failure::Ended(reason) => CallError::Exited(reason),
        }
    }
}

/// Asks a node and waits. A process of its own waits, so that an answer that comes too late comes to nobody.
async fn ask(
    node: NodeId,
    function: Function,
    argument: Vec<u8>,
    how: How,
    timeout: Duration,
) -> Result<Answered, CallError> {
    let answered = Arc::new(Mutex::new(None));
    let slot = answered.clone();
    let (_, watch) = spawn_monitor(async move {
        let server = monitor((SERVER, node));
        let reference = Ref::new();
        send((SERVER, node), Request { function, argument: argument.into(), how, to: Some((self_pid(), reference)) });
        let result = receive! {
            answer: Answer if answer.reference == reference => Ok(answer.answered),
            down: Down if down.reference == server => Err(match down.reason {
                ExitReason::NoProc => CallError::NotServed,
                _ => CallError::NoConnection,
            }),
            after timeout => Err(CallError::TimedOut),
        };
        *slot.lock() = Some(result);
    });
    receive! { _down: Down if _down.reference == watch => () };
    let result = answered.lock().take();
    result.unwrap_or(Err(CallError::NoConnection)) // Somebody has killed the one that waited.
}

/// The process that runs what other nodes ask for. Says when it can be asked.
pub(crate) async fn serve(ready: watch::Sender<bool>) {
    let registered = register(SERVER, self_pid());
    ready.send_replace(true);
    drop(ready);
    if registered.is_err() {
        return; // The node is in a cluster already.
    }
    // Who waits for which process.
    let mut callers: HashMap<Ref, (Pid, Ref)> = HashMap::new();
    loop {
        receive! {
            // Everything of the function, its start included, is done by a process of its own.
            Request { function, argument, how, to }: Request => match (how, to) {
                (How::Call, Some((caller, reference))) => {
                    let (_, watch) = spawn_monitor(async move {
                        let answered = answer(&function, &argument).await;
                        send(caller, Answer { reference, answered });
                    });
                    callers.insert(watch, (caller, reference));
                }
                (How::Spawn, Some((caller, reference))) => {
                    let answered = Answered::Pid(spawn(async move { run(&function, &argument).await }));
                    send(caller, Answer { reference, answered });
                }
                (How::Cast | How::Spawn | How::Call, _) => {
                    spawn(async move { run(&function, &argument).await });
                }
            },
            down: Down => {
                if let Some((caller, reference)) = callers.remove(&down.reference)
                    && down.reason != ExitReason::Normal
                {
                    send(caller, Answer { reference, answered: Answered::Failed(Failure::Ended(down.reason)) });
                }
            },
        }
    }
}

/// Runs a function that was called.
async fn answer(function: &Function, argument: &[u8]) -> Answered {
    match function.start(argument) {
        Err(undefined) => Answered::Failed(Failure::Undefined(undefined)),
        Ok(Err(why)) => Answered::Failed(Failure::NotData(why)),
        Ok(Ok(future)) => match future.await {
            Finished::Value(Ok(bytes)) => Answered::Value(bytes.into()),
            Finished::Value(Err(why)) => Answered::Failed(Failure::NotData(why)),
            Finished::Exit(reason) => Answered::Failed(Failure::Ended(reason)),
        },
    }
}

/// Runs a function that was spawned.
async fn run(function: &Function, argument: &[u8]) -> ExitReason {
    match function.start(argument) {
        Err(undefined) => ExitReason::Error(undefined.to_string().into()),
        Ok(Err(why)) => ExitReason::Error(why.into()),
        Ok(Ok(future)) => match future.await {
            Finished::Exit(reason) => reason,
            Finished::Value(_) => ExitReason::Normal,
        },
    }
}
