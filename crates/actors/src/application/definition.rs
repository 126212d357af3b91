//! What an application is, before it runs and while it does: plain values.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::pid::Pid;
use crate::reason::ExitReason;
use crate::supervisor::SupervisorBuilder;

/// What it means for the others when an application ends by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// They cannot do without it: all are stopped.
    Permanent,
    /// They can if it ended normally. A supervisor that has given up has not: it ends with `Shutdown`.
    Transient,
    /// Nothing.
    #[default]
    Temporary,
}

/// An application that can be started: see the [module](super).
#[derive(Clone)]
pub struct Application {
    pub(super) name: String,
    pub(super) start: Start,
    pub(super) prep_stop: Phase,
    pub(super) stop: Phase,
    pub(super) dependencies: Vec<Application>,
}

pub(super) type Start =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<SupervisorBuilder, ExitReason>> + Send>> + Send + Sync>;
pub(super) type Phase = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What the start function of an application may return: the root supervisor, yet to be started, or an error.
pub trait IntoRoot {
    /// The root supervisor.
    ///
    /// # Errors
    /// Why the application does not start.
    fn into_root(self) -> Result<SupervisorBuilder, ExitReason>;
}

impl IntoRoot for SupervisorBuilder {
    fn into_root(self) -> Result<SupervisorBuilder, ExitReason> {
        Ok(self)
    }
}

impl<E: fmt::Display> IntoRoot for Result<SupervisorBuilder, E> {
    fn into_root(self) -> Result<SupervisorBuilder, ExitReason> {
        self.map_err(|error| ExitReason::Error(error.to_string().into()))
    }
}

impl Application {
    /// An application of this name, whose root supervisor `start` returns.
    pub fn new<S, F>(name: impl Into<String>, start: S) -> Self
    where
        S: Fn() -> F + Send + Sync + 'static,
        F: Future<Output: IntoRoot> + Send + 'static,
    {
        let start: Start = Arc::new(move || {
            let root = start();
            Box::pin(async move { root.await.into_root() })
        });
        let nothing: Phase = Arc::new(|| Box::pin(async {}));
        Application { name: name.into(), start, prep_stop: nothing.clone(), stop: nothing, dependencies: Vec::new() }
    }

    /// Another application, which is started before this one unless it runs already.
    pub fn depends_on(mut self, other: Application) -> Self {
        self.dependencies.push(other);
        self
    }

    /// What to do when it is about to be stopped, while everything still runs.
    pub fn prep_stop<P, F>(mut self, phase: P) -> Self
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        self.prep_stop = Arc::new(move || Box::pin(phase()));
        self
    }

    /// What to do when its root supervisor has ended.
    pub fn stop<P, F>(mut self, phase: P) -> Self
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        self.stop = Arc::new(move || Box::pin(phase()));
        self
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An application that runs: see [`started`](super::started).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Its name, which is also that of its root supervisor.
    pub name: String,
    /// What its end would mean.
    pub kind: Kind,
    /// Its root supervisor.
    pub root: Pid,
}

/// The application whose end was the end of all: see [`ended`](super::ended).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its name.
    pub name: String,
    /// Why it ended.
    pub reason: ExitReason,
}
