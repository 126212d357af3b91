//! Supervisors: processes that start others, watch them, and start them again when they end.
//!
//! What to do when a child ends is decided in `decision`, a function of data; here is the process that
//! carries it out.
//!
//! ```
//! use greenroom::supervisor::{ChildSpec, Strategy, Supervisor};
//! use greenroom::{receive, register, self_pid};
//!
//! greenroom::run(async {
//!     let supervisor = Supervisor::new(Strategy::OneForOne)
//!         .child(ChildSpec::new("counter", || async { receive::<u64>().await; }))
//!         .child(ChildSpec::new("sleeper", || async { receive::<()>().await }))
//!         .start_link()
//!         .await
//!         .unwrap();
//!     let ids: Vec<String> = supervisor.which_children().await.unwrap().into_iter().map(|child| child.id).collect();
//!     assert_eq!(ids, ["sleeper", "counter"]);
//! });
//! ```

mod children;
mod decision;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::current::Current;
use crate::message::{Call, Down, Exit};
use crate::pid::{Pid, Ref};
use crate::process::{self, exit_self, monitor, register, self_pid, send, spawn_link, spawn_task, trap_exit, unlink};
use crate::reason::{ExitReason, Outcome};
use crate::receive;
use crate::receive::Mark;
use crate::task::{call, reply, result_of};
use crate::tree::{ChildKind, ChildStatus, TreeNode};
use children::Children;
pub use decision::{Intensity, Restart, Strategy};

/// How long a child may take to end when it is asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// It is killed at once.
    BrutalKill,
    /// It is killed when it has not ended after this time.
    Within(Duration),
    /// As long as it takes.
    Infinity,
}

/// What starts a child: it runs in the supervisor, links the child to it and returns its identifier.
type Start = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<Pid, ExitReason>> + Send>> + Send + Sync>;

/// What a supervisor knows of a child: how to start it, when to start it again, how to stop it.
#[derive(Clone)]
pub struct ChildSpec {
    id: String,
    start: Start,
    restart: Restart,
    shutdown: Shutdown,
    kind: ChildKind,
}

impl ChildSpec {
    /// A worker whose process runs the future that `body` makes, a new one for each start.
    ///
    /// By default it is permanent and has five seconds to end.
    pub fn new<B, F>(id: impl Into<String>, body: B) -> Self
    where
        B: Fn() -> F + Send + Sync + 'static,
        F: Future<Output: Outcome> + Send + 'static,
    {
        let start: Start = Arc::new(move || {
            let child = spawn_link(body());
            Box::pin(std::future::ready(Ok(child)))
        });
        ChildSpec {
            id: id.into(),
            start,
            restart: Restart::default(),
            shutdown: Shutdown::Within(Duration::from_secs(5)),
            kind: ChildKind::Worker,
        }
    }

    /// A worker that is registered under its identifier before it runs, so that whoever has started the
    /// supervisor can send to it by name.
    pub fn named<B, F>(name: impl Into<String>, body: B) -> Self
    where
        B: Fn() -> F + Send + Sync + 'static,
        F: Future<Output: Outcome> + Send + 'static,
    {
        let name: Arc<str> = name.into().into();
        let id = name.to_string();
        let start: Start = Arc::new(move || {
            let started = process::spawn_link_named(&name, body());
            Box::pin(std::future::ready(started.map_err(|error| error.to_string().into())))
        });
        ChildSpec { start, ..ChildSpec::new(id, || async {}) }
    }

    /// When to start it again.
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// How long it may take to end.
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = shutdown;
        self
    }
}

impl fmt::Debug for ChildSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildSpec")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("restart", &self.restart)
            .field("shutdown", &self.shutdown)
            .finish_non_exhaustive()
    }
}

/// How to start a [`Supervisor`].
#[derive(Clone, Debug)]
pub struct SupervisorBuilder {
    strategy: Strategy,
    intensity: Intensity,
    name: Option<String>,
    children: Vec<ChildSpec>,
}

impl SupervisorBuilder {
    /// Adds a child; children are started in this order.
    pub fn child(mut self, spec: ChildSpec) -> Self {
        self.children.push(spec);
        self
    }

    /// How many restarts within which time are tolerated.
    pub fn intensity(mut self, restarts: usize, within: Duration) -> Self {
        self.intensity = Intensity { restarts, within };
        self
    }

    /// The name to register the supervisor under.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// This supervisor as a child of another: permanent, and given all the time it takes to end.
    pub fn spec(self, id: impl Into<String>) -> ChildSpec {
        let start: Start = Arc::new(move || {
            let builder = self.clone();
            Box::pin(async move {
                let started = builder.start_link().await;
                started.map(|supervisor| supervisor.pid).map_err(|error| error.to_string().into())
            })
        });
        ChildSpec {
            id: id.into(),
            start,
            restart: Restart::Permanent,
            shutdown: Shutdown::Infinity,
            kind: ChildKind::Supervisor,
        }
    }

    /// Starts the supervisor, linked to the running process, and its children one after the other.
    ///
    /// # Errors
    /// [`StartError`] names the child that did not start; those before it have been stopped.
    ///
    /// # Panics
    /// Outside of a process.
    pub async fn start_link(self) -> Result<Supervisor, StartError> {
        let (owner, reference) = (self_pid(), Ref::new());
        let pid = spawn_task(reference, serve(self, owner, reference));
        let outcome = match result_of::<Result<(), StartError>>(reference, Mark::default()).await {
            Ok(outcome) => outcome,
            Err(reason) => Err(StartError::Supervisor { reason }),
        };
        if outcome.is_err() {
            // So that its name is free when the caller sees this.
            let watch = monitor(pid);
            receive! { down: Down if down.reference == watch => drop(down) }
        }
        outcome.map(|()| Supervisor { pid })
    }
}

/// Why a supervisor or a child could not be started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StartError {
    /// A child did not start.
    Child {
        /// The child.
        id: String,
        /// Why.
        reason: ExitReason,
    },
    /// Two children have the same identifier.
    Duplicate {
        /// The identifier.
        id: String,
    },
    /// The supervisor's name is taken.
    Name {
        /// The name.
        name: String,
    },
    /// The supervisor is not there (any more).
    Supervisor {
        /// Why it ended.
        reason: ExitReason,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Child { id, reason } => write!(f, "child `{id}` did not start: {reason}"),
            StartError::Duplicate { id } => write!(f, "there is a child `{id}` already: give it another identifier"),
            StartError::Name { name } => write!(f, "the name `{name}` is taken"),
            StartError::Supervisor { reason } => write!(f, "the supervisor has ended: {reason}"),
        }
    }
}

impl std::error::Error for StartError {}

/// A running supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Supervisor {
    pid: Pid,
}

impl From<Supervisor> for Pid {
    fn from(supervisor: Supervisor) -> Pid {
        supervisor.pid
    }
}

/// What [`Supervisor::which_children`] says of a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildInfo {
    /// Its identifier.
    pub id: String,
    /// Its process, if it runs.
    pub pid: Option<Pid>,
    /// Supervisor or worker.
    pub kind: ChildKind,
    /// Whether it runs.
    pub status: ChildStatus,
    /// How often it was restarted.
    pub restarts: u64,
}

/// What a supervisor can be asked.
#[derive(Debug)]
enum Request {
    WhichChildren,
    StartChild(ChildSpec),
    TerminateChild(String),
}

/// A message of a supervisor to itself: a child could not be restarted, so it tries again.
#[derive(Debug, Serialize, Deserialize)]
struct TryAgain(String);

impl Supervisor {
    /// A supervisor with this strategy and no children yet.
    #[allow(clippy::new_ret_no_self, reason = "it reads as a sentence: Supervisor::new(…).child(…).start_link()")]
    pub fn new(strategy: Strategy) -> SupervisorBuilder {
        SupervisorBuilder { strategy, intensity: Intensity::default(), name: None, children: Vec::new() }
    }

    /// The supervisor's process.
    pub fn pid(self) -> Pid {
        self.pid
    }

    /// The children, newest first.
    ///
    /// # Errors
    /// The reason why the supervisor has ended.
    pub async fn which_children(self) -> Result<Vec<ChildInfo>, ExitReason> {
        call(self.pid, Request::WhichChildren).await
    }

    /// Adds a child and starts it.
    ///
    /// # Errors
    /// If there is a child of this identifier, if it does not start, or if the supervisor has ended.
    pub async fn start_child(self, spec: ChildSpec) -> Result<Pid, StartError> {
        let answer = call::<_, Result<Pid, StartError>>(self.pid, Request::StartChild(spec)).await;
        answer.unwrap_or_else(|reason| Err(StartError::Supervisor { reason }))
    }

    /// Stops a child; its specification stays, unless it is temporary. False if there is none.
    ///
    /// # Errors
    /// The reason why the supervisor has ended.
    pub async fn terminate_child(self, id: &str) -> Result<bool, ExitReason> {
        call(self.pid, Request::TerminateChild(id.to_owned())).await
    }
}

/// The life of a supervisor.
async fn serve(builder: SupervisorBuilder, owner: Pid, reference: Ref) {
    trap_exit(true);
    mark_as_supervisor();
    let mut children = Children::new(builder.strategy, builder.intensity);
    let outcome = begin(&mut children, builder.name, builder.children).await;
    let failed = outcome.is_err();
    if failed {
        children.stop_all().await;
        unlink(owner);
    }
    reply(owner, reference, outcome);
    if failed {
        exit_self(ExitReason::Shutdown);
    }
    loop {
        let reason = receive! {
            exit: Exit if exit.from == owner => Some(exit.reason),
            exit: Exit => children.ended(exit.from, exit.reason).await.err(),
            retry: TryAgain => children.try_again(&retry.0).await.err(),
            request: Call => { answer(&mut children, request).await; None },
        };
        if let Some(reason) = reason {
            children.stop_all().await;
            exit_self(reason);
        }
    }
}

async fn begin(children: &mut Children, name: Option<String>, specs: Vec<ChildSpec>) -> Result<(), StartError> {
    if let Some(name) = name {
        register(&name, self_pid()).map_err(|_| StartError::Name { name })?;
    }
    for spec in specs {
        children.start(spec).await?;
    }
    Ok(())
}

async fn answer(children: &mut Children, call: Call) {
    let request: Box<dyn std::any::Any> = call.request;
    let Ok(request) = request.downcast::<Request>() else { return };
    match *request {
        Request::WhichChildren => reply(call.from, call.reference, children.list()),
        Request::StartChild(spec) => reply(call.from, call.reference, children.start(spec).await),
        Request::TerminateChild(id) => reply(call.from, call.reference, children.terminate(&id).await),
    }
}

fn mark_as_supervisor() {
    Current::with(|current| {
        if let Some((slot, _)) = current.and_then(|current| current.process()) {
            slot.raise(crate::slot::flag::SUPERVISES);
        }
    });
}

/// The supervision tree below `root`, as plain data.
///
/// # Errors
/// [`TreeError`], if there is no such process or it is no supervisor.
///
/// # Panics
/// Outside of a process.
pub async fn tree(root: Pid) -> Result<TreeNode, TreeError> {
    let info = process::info(root).ok_or(TreeError::NoProcess { pid: root })?;
    if info.kind != ChildKind::Supervisor {
        return Err(TreeError::NoSupervisor { pid: root });
    }
    let id = info.registered_name.clone().unwrap_or_else(|| "root".to_owned());
    Ok(grow(id, Some(root), ChildKind::Supervisor, ChildStatus::Running, 0).await)
}

fn grow(
    id: String,
    pid: Option<Pid>,
    kind: ChildKind,
    status: ChildStatus,
    restarts: u64,
) -> Pin<Box<dyn Future<Output = TreeNode> + Send>> {
    Box::pin(async move {
        let info = pid.and_then(process::info);
        let kind = info.as_ref().map_or(kind, |info| info.kind);
        let mut children = Vec::new();
        if let (Some(pid), ChildKind::Supervisor) = (pid, kind) {
            // A supervisor that ends while it is asked has no children.
            let newest_first = Supervisor { pid }.which_children().await.unwrap_or_default();
            for child in newest_first.into_iter().rev() {
                children.push(grow(child.id, child.pid, child.kind, child.status, child.restarts).await);
            }
        }
        let mut links = info.as_ref().map(|info| info.links.clone()).unwrap_or_default();
        links.sort_unstable();
        TreeNode {
            id,
            pid,
            registered: info.and_then(|info| info.registered_name),
            kind,
            status,
            restarts,
            links,
            children,
        }
    })
}

/// Why there is no supervision tree to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeError {
    /// The process has ended, or lives on another node.
    NoProcess {
        /// The process.
        pid: Pid,
    },
    /// The process is no supervisor.
    NoSupervisor {
        /// The process.
        pid: Pid,
    },
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TreeError::NoProcess { pid } => write!(f, "{pid} is no running process of this node"),
            TreeError::NoSupervisor { pid } => write!(f, "{pid} is no supervisor"),
        }
    }
}

impl std::error::Error for TreeError {}

/// Sends a supervisor the message that makes it try a restart again.
fn remind(id: &str) {
    send(self_pid(), TryAgain(id.to_owned()));
}
