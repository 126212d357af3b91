//! Dynamic supervisors: for children that come and go, told apart by their processes.
//!
//! What the process does is in `members`.

mod members;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::decision::Intensity;
use super::error::{FindError, StartChildError, StartError, TerminateChildError};
use super::info::{ChildCounts, ChildInfo, which_children};
use super::request::{Kind, Request, ask, find, start_child, stop};
use super::serve::start_link;
use super::spec::{ChildSpec, IntoChildSpec};
use crate::pid::Pid;
use crate::process::Watchable;
use crate::reason::ExitReason;
use members::serve;

/// How to start a [`DynamicSupervisor`].
#[derive(Clone, Debug)]
pub struct DynamicSupervisorBuilder {
    intensity: Intensity,
    name: Option<String>,
    max_children: Option<usize>,
}

impl DynamicSupervisorBuilder {
    /// How many restarts within which time are tolerated.
    pub fn intensity(mut self, restarts: usize, within: Duration) -> Self {
        self.intensity = Intensity { restarts, within };
        self
    }

    /// How many children it may have at a time; without this, any number.
    pub fn max_children(mut self, limit: usize) -> Self {
        self.max_children = Some(limit);
        self
    }

    /// The name to register the supervisor under.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The name that was given.
    pub(super) fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// This supervisor as a child of another: permanent, and given all the time it takes to end.
    pub fn spec(self, id: impl Into<String>) -> ChildSpec {
        ChildSpec::starting(id, move || self.clone().start_link()).supervisor()
    }

    /// Starts the supervisor, linked to the running process.
    ///
    /// # Errors
    /// [`StartError`], if its name is taken.
    ///
    /// # Panics
    /// Outside of a process.
    pub async fn start_link(self) -> Result<DynamicSupervisor, StartError> {
        let pid = start_link(|owner, reference| serve(self, owner, reference)).await?;
        Ok(DynamicSupervisor { pid })
    }
}

impl IntoChildSpec for DynamicSupervisorBuilder {
    /// Called after its name, or `dynamic_supervisor`.
    fn into_child_spec(self) -> ChildSpec {
        let id = self.name.clone().unwrap_or_else(|| "dynamic_supervisor".to_owned());
        self.spec(id)
    }
}

/// A supervisor of children that are started one by one, each by its own specification.
///
/// It restarts them one for one. Their identifiers need not differ and only serve to show them. When it ends, it
/// stops them all at the same time. Adding, losing and restarting a child costs the same with a hundred thousand.
///
/// ```
/// use greenroom::supervisor::{ChildSpec, DynamicSupervisor, Restart};
/// use greenroom::{receive, send};
///
/// greenroom::run(async {
///     let sessions = DynamicSupervisor::new().max_children(1_000).start_link().await.unwrap();
///     let session = ChildSpec::new("session", || async { receive::<String>().await; }).restart(Restart::Temporary);
///     let one = sessions.start_child(session.clone()).await.unwrap();
///     let other = sessions.start_child(session).await.unwrap();
///     sessions.terminate_child(one).await.unwrap();
///     assert_eq!(sessions.count_children().await.unwrap().active, 1);
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DynamicSupervisor {
    pid: Pid,
}

impl From<DynamicSupervisor> for Pid {
    fn from(supervisor: DynamicSupervisor) -> Pid {
        supervisor.pid
    }
}

impl DynamicSupervisor {
    /// A supervisor without children yet.
    #[allow(clippy::new_ret_no_self, reason = "it reads as a sentence: DynamicSupervisor::new().start_link()")]
    pub fn new() -> DynamicSupervisorBuilder {
        DynamicSupervisorBuilder { intensity: Intensity::default(), name: None, max_children: None }
    }

    /// The supervisor that is meant by a process identifier or a name.
    ///
    /// # Errors
    /// [`FindError`], if there is none, or one of another kind.
    pub async fn find(what: impl Watchable) -> Result<DynamicSupervisor, FindError> {
        Ok(DynamicSupervisor { pid: find(what, Kind::Dynamic).await? })
    }

    /// The supervisor's process.
    pub fn pid(self) -> Pid {
        self.pid
    }

    /// Starts a child.
    ///
    /// # Errors
    /// [`StartChildError`], if there are as many as there may be, if it does not start, or if the supervisor has
    /// ended. A child that there is [nothing to do](super::NotStarted::Ignored) for is forgotten.
    #[track_caller]
    pub fn start_child(self, child: impl IntoChildSpec) -> impl Future<Output = Result<Pid, StartChildError>> + Send {
        start_child(self.pid, child.into_child_spec())
    }

    /// Stops a child and forgets it. One that is being restarted is known by the process that it had last.
    ///
    /// # Errors
    /// [`TerminateChildError`], if that is no child, or the supervisor has ended.
    pub async fn terminate_child(self, child: Pid) -> Result<(), TerminateChildError> {
        let answer = ask(self.pid, Request::TerminatePid(child)).await;
        answer.unwrap_or_else(|reason| Err(TerminateChildError::Supervisor { reason }))
    }

    /// The children, newest first.
    ///
    /// # Errors
    /// The reason why the supervisor has ended.
    pub async fn which_children(self) -> Result<Vec<ChildInfo>, ExitReason> {
        which_children(self.pid).await
    }

    /// How many children there are.
    ///
    /// # Errors
    /// The reason why the supervisor has ended.
    pub async fn count_children(self) -> Result<ChildCounts, ExitReason> {
        ask(self.pid, Request::CountChildren).await
    }

    /// Stops the children, all at the same time, and ends the supervisor, with `Normal`; returns when it is gone.
    pub async fn stop(self) {
        stop(self.pid).await;
    }
}
