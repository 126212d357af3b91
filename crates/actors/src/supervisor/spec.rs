//! Child specifications: how a child is started, when it is started again, how it is stopped.
//!
//! Plain values that can be cloned and put together before any process runs. What a supervisor does with them is
//! left to `children` and `dynamic`; running the start function, with its time-out, to `start`.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::decision::Restart;
use crate::pid::Pid;
use crate::process::{spawn_link_at, spawn_link_named_at};
use crate::reason::{ExitReason, Outcome};
use crate::tree::ChildKind;

/// What a supervisor knows of a child: how to start it, when to start it again, how to stop it.
///
/// A behaviour makes its own, so that a tree reads as a sentence:
///
/// ```
/// use greenroom::supervisor::{Restart, Shutdown, Strategy, Supervisor};
/// use greenroom::{Agent, Task};
///
/// # greenroom::run(async {
/// Supervisor::new(Strategy::OneForOne)
///     .child(Agent::spec("tally", || 0_u32).restart(Restart::Transient).shutdown(Shutdown::BrutalKill))
///     .child(Task::spec("warm_up", || async { println!("ready") }))
/// #   .start_link().await.unwrap();
/// # });
/// ```
///
/// See [`IntoChildSpec`] for what else can be a child.
///
/// # Three ways of writing it
/// The same child in three ways it could be written:
///
/// ```text
/// ChildSpec { restart: Restart::Transient, ..ChildSpec::of("tally", || Agent::start_link(|| 0_u32)) }   // a map, as in OTP
/// children![ transient tally: Agent(|| 0_u32) ]                                                         // a macro
/// Agent::spec("tally", || 0_u32).restart(Restart::Transient)                                            // a builder
/// ```
///
/// The builder was kept. It says only what differs from the default, it is an ordinary value that can be made in a loop
/// or returned from a function, and completion and the compiler's errors work in it. A map names everything at the same
/// weight and makes each field public for ever; the macro is shorter by a few characters, and one more language to learn.
#[derive(Clone)]
pub struct ChildSpec {
    pub(super) id: Arc<str>,
    pub(super) start: Start,
    pub(super) start_within: Option<Duration>,
    pub(super) restart: Restart,
    pub(super) shutdown: Shutdown,
    pub(super) kind: ChildKind,
    pub(super) is_significant: bool,
}

/// What starts a child: it runs in the supervisor, links the child to it and returns its identifier.
#[derive(Clone)]
pub(super) enum Start {
    /// Spawning is all there is to do.
    Spawn(Arc<dyn Fn() -> Result<Pid, NotStarted> + Send + Sync>),
    /// There is something to wait for.
    Init(Arc<dyn Fn() -> Starting + Send + Sync>),
}

/// A child that is being started.
pub(super) type Starting = Pin<Box<dyn Future<Output = Result<Pid, NotStarted>> + Send>>;

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

/// How long a worker may take to end unless its specification says otherwise: five seconds, as in OTP.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

impl ChildSpec {
    /// A worker whose process runs the future that `body` makes, a new one for each start.
    ///
    /// By default it is permanent and has five seconds to end.
    #[track_caller]
    pub fn new<B, F>(id: impl Into<String>, body: B) -> Self
    where
        B: Fn() -> F + Send + Sync + 'static,
        F: Future<Output: Outcome> + Send + 'static,
    {
        let at = Location::caller();
        ChildSpec::worker(id, Start::Spawn(Arc::new(move || Ok(spawn_link_at(at, body())))))
    }

    /// A worker that is registered under its identifier before it runs, so that whoever has started the
    /// supervisor can send to it by name.
    #[track_caller]
    pub fn named<B, F>(name: impl Into<String>, body: B) -> Self
    where
        B: Fn() -> F + Send + Sync + 'static,
        F: Future<Output: Outcome> + Send + 'static,
    {
        let (at, name) = (Location::caller(), name.into());
        let id = name.clone();
        let start = move || {
            spawn_link_named_at(at, &name, body()).map_err(|error| NotStarted::Failed(error.to_string().into()))
        };
        ChildSpec::worker(id, Start::Spawn(Arc::new(start)))
    }

    /// A worker that `start` starts, a function such as `Counter::start_link`: it runs in the supervisor's process,
    /// links the new process to it, and returns when that is ready for work.
    ///
    /// While it waits, the supervisor does: give it a bound with [`ChildSpec::start_within`]. If it panics, that is a
    /// child that did not start.
    ///
    /// ```
    /// use greenroom::supervisor::{ChildSpec, NotStarted, Strategy, Supervisor};
    /// use greenroom::{receive, self_pid, send, spawn_link};
    ///
    /// async fn start_connection() -> Result<greenroom::Pid, NotStarted> {
    ///     let supervisor = self_pid();
    ///     let connection = spawn_link(async move {
    ///         send(supervisor, "connected".to_owned());
    ///         receive::<()>().await
    ///     });
    ///     assert_eq!(receive::<String>().await, "connected");
    ///     Ok(connection)
    /// }
    ///
    /// greenroom::run(async {
    ///     let connection = ChildSpec::starting("connection", start_connection);
    ///     Supervisor::new(Strategy::OneForOne).child(connection).start_link().await.unwrap();
    /// });
    /// ```
    pub fn starting<S, F, P, E>(id: impl Into<String>, start: S) -> Self
    where
        S: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<P, E>> + Send + 'static,
        P: Into<Pid>,
        E: Into<NotStarted>,
    {
        let start = move || -> Starting {
            let starting = start();
            Box::pin(async move { starting.await.map(Into::into).map_err(Into::into) })
        };
        ChildSpec::worker(id, Start::Init(Arc::new(start)))
    }

    fn worker(id: impl Into<String>, start: Start) -> Self {
        ChildSpec {
            id: id.into().into(),
            start,
            start_within: None,
            restart: Restart::Permanent,
            shutdown: Shutdown::Within(PATIENCE),
            kind: ChildKind::Worker,
            is_significant: false,
        }
    }

    /// Another identifier, for the second of two that would have the same.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into().into();
        self
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

    /// How long it may take to start; without this, as long as it takes, as in OTP.
    ///
    /// When the time is up, the start function is dropped and what it has started and linked is killed.
    pub fn start_within(mut self, time: Duration) -> Self {
        self.start_within = Some(time);
        self
    }

    /// Its end may be a reason for the supervisor to end: see [`AutoShutdown`](super::AutoShutdown).
    pub fn significant(mut self) -> Self {
        self.is_significant = true;
        self
    }

    /// It supervises others, so by default it may take as long as it takes to end.
    pub fn supervisor(mut self) -> Self {
        self.kind = ChildKind::Supervisor;
        self.shutdown = Shutdown::Infinity;
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

/// Why a start function has started nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotStarted {
    /// There is nothing to do for the child, which is no error: OTP's `ignore`. Its specification is kept, unless it
    /// is temporary.
    Ignored,
    /// It failed.
    Failed(ExitReason),
}

impl From<ExitReason> for NotStarted {
    fn from(reason: ExitReason) -> Self {
        NotStarted::Failed(reason)
    }
}

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotStarted::Ignored => f.write_str("there is nothing to do for it"),
            NotStarted::Failed(reason) => reason.fmt(f),
        }
    }
}

impl std::error::Error for NotStarted {}

/// What can be a child: a [`ChildSpec`], a supervisor that is yet to be started, a function.
///
/// A function is a permanent worker, called after its own name. Two closures of one function have the same name:
/// give them identifiers with [`ChildSpec::new`].
///
/// ```
/// use greenroom::supervisor::{ChildSpec, Restart, Strategy, Supervisor};
/// use greenroom::receive;
///
/// async fn ticker() {
///     receive::<()>().await
/// }
///
/// greenroom::run(async {
///     let supervisor = Supervisor::new(Strategy::OneForOne)
///         .child(ticker)
///         .child(ChildSpec::new("job", ticker).restart(Restart::Temporary))
///         .child(Supervisor::new(Strategy::OneForAll).name("pool"))
///         .start_link()
///         .await
///         .unwrap();
///     let ids: Vec<_> = supervisor.which_children().await.unwrap().into_iter().map(|child| child.id).collect();
///     assert_eq!(ids, ["pool", "job", "ticker"]);
/// });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a child of a supervisor",
    note = "a child is a `ChildSpec`, a supervisor's builder, or a function `Fn() -> impl Future`"
)]
pub trait IntoChildSpec {
    /// The specification.
    fn into_child_spec(self) -> ChildSpec;
}

impl IntoChildSpec for ChildSpec {
    fn into_child_spec(self) -> ChildSpec {
        self
    }
}

impl<B, F> IntoChildSpec for B
where
    B: Fn() -> F + Send + Sync + 'static,
    F: Future<Output: Outcome> + Send + 'static,
{
    #[track_caller]
    fn into_child_spec(self) -> ChildSpec {
        ChildSpec::new(function_name(std::any::type_name::<B>()), self)
    }
}

/// The name of a function, or of the one that a closure is in, from the path of its type.
fn function_name(path: &str) -> &str {
    let path = path.split('<').next().unwrap_or(path);
    path.rsplit("::").find(|segment| !segment.starts_with('{')).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::function_name;

    #[test]
    fn functions_and_closures_have_the_name_of_the_function() {
        let names = ["app::ticker", "app::main::{{closure}}", "app::run::{{closure}}::inner", "app::serve<app::a::B>"];
        assert_eq!(names.map(function_name), ["ticker", "main", "inner", "serve"]);
    }
}
