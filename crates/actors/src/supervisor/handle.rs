//! Supervisors as their users see them: put together, started, asked.

use std::collections::HashSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::children::{Policy, check};
use super::decision::{AutoShutdown, Intensity};
use super::error::{DeleteChildError, FindError, RestartChildError, StartChildError, StartError, TerminateChildError};
use super::info::{ChildCounts, ChildInfo, which_children};
use super::request::{Kind, Request, ask, find, start_child, stop};
use super::serve::{serve, start_link};
use super::spec::{ChildSpec, IntoChildSpec};
use crate::pid::Pid;
use crate::process::Watchable;
use crate::reason::ExitReason;
use crate::tree::Strategy;

/// How to start a [`Supervisor`].
#[derive(Clone, Debug)]
pub struct SupervisorBuilder {
    policy: Policy,
    name: Option<String>,
    children: Vec<ChildSpec>,
}

impl SupervisorBuilder {
    /// Adds a child; children are started in this order.
    #[track_caller]
    pub fn child(mut self, child: impl IntoChildSpec) -> Self {
        self.children.push(child.into_child_spec());
        self
    }

    /// How many restarts within which time are tolerated.
    pub fn intensity(mut self, restarts: usize, within: Duration) -> Self {
        self.policy.intensity = Intensity { restarts, within };
        self
    }

    /// When to end by itself.
    pub fn auto_shutdown(mut self, auto_shutdown: AutoShutdown) -> Self {
        self.policy.auto_shutdown = auto_shutdown;
        self
    }

    /// The name to register the supervisor under.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// This supervisor as a child of another: permanent, and given all the time it takes to end.
    pub fn spec(self, id: impl Into<String>) -> ChildSpec {
        ChildSpec::starting(id, move || self.clone().start_link()).supervisor()
    }

    /// Starts the supervisor, linked to the running process, and its children one after the other.
    ///
    /// Differs from OTP: if that fails, the running process gets the error alone, no exit signal.
    ///
    /// # Errors
    /// [`StartError`] names the child that did not start; those before it have been stopped.
    ///
    /// # Panics
    /// Outside of a process.
    pub async fn start_link(self) -> Result<Supervisor, StartError> {
        let SupervisorBuilder { policy, name, children } = self;
        let mut ids = HashSet::new();
        for spec in &children {
            check(spec, policy.auto_shutdown).map_err(StartError::Spec)?;
            if !ids.insert(&spec.id) {
                return Err(StartError::Duplicate { id: spec.id.to_string() });
            }
        }
        drop(ids);
        let life = |owner, reference| serve(policy, name, children, owner, reference);
        start_link(life).await.map(|pid| Supervisor { pid })
    }
}

impl IntoChildSpec for SupervisorBuilder {
    /// Called after its name, or `supervisor`.
    fn into_child_spec(self) -> ChildSpec {
        let id = self.name.clone().unwrap_or_else(|| "supervisor".to_owned());
        self.spec(id)
    }
}

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

impl Supervisor {
    /// A supervisor with this strategy and no children yet.
    #[allow(clippy::new_ret_no_self, reason = "it reads as a sentence: Supervisor::new(…).child(…).start_link()")]
    pub fn new(strategy: Strategy) -> SupervisorBuilder {
        SupervisorBuilder { policy: Policy { strategy, ..Policy::default() }, name: None, children: Vec::new() }
    }

    /// The supervisor that is meant by a process identifier or a name.
    ///
    /// # Errors
    /// [`FindError`], if there is none, or one of another kind.
    pub async fn find(what: impl Watchable) -> Result<Supervisor, FindError> {
        Ok(Supervisor { pid: find(what, Kind::Static).await? })
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
        which_children(self.pid).await
    }

    /// How many children there are.
    ///
    /// # Errors
    /// The reason why the supervisor has ended.
    pub async fn count_children(self) -> Result<ChildCounts, ExitReason> {
        ask(self.pid, Request::CountChildren).await
    }

    /// Adds a child, as the last one, and starts it.
    ///
    /// # Errors
    /// [`StartChildError`], if there is a child of this identifier, if it does not start, or if the supervisor has
    /// ended. Differs from OTP: that there was [nothing to do](super::NotStarted::Ignored) is an error here.
    #[track_caller]
    pub fn start_child(self, child: impl IntoChildSpec) -> impl Future<Output = Result<Pid, StartChildError>> + Send {
        start_child(self.pid, child.into_child_spec())
    }

    /// Stops a child; its specification stays, unless it is temporary. A child that does not run is fine; one that
    /// is being restarted no longer is.
    ///
    /// # Errors
    /// [`TerminateChildError`], if there is no such child, or the supervisor has ended.
    pub async fn terminate_child(self, id: &str) -> Result<(), TerminateChildError> {
        let answer = ask(self.pid, Request::TerminateChild(id.into())).await;
        answer.unwrap_or_else(|reason| Err(TerminateChildError::Supervisor { reason }))
    }

    /// Starts a child that has ended, or was terminated.
    ///
    /// # Errors
    /// [`RestartChildError`], if there is no such child, if it runs, if it does not start, or if the supervisor has
    /// ended.
    pub async fn restart_child(self, id: &str) -> Result<Pid, RestartChildError> {
        let answer = ask(self.pid, Request::RestartChild(id.into())).await;
        answer.unwrap_or_else(|reason| Err(RestartChildError::Supervisor { reason }))
    }

    /// Forgets the specification of a child that does not run.
    ///
    /// # Errors
    /// [`DeleteChildError`], if there is no such child, if it runs, or if the supervisor has ended.
    pub async fn delete_child(self, id: &str) -> Result<(), DeleteChildError> {
        let answer = ask(self.pid, Request::DeleteChild(id.into())).await;
        answer.unwrap_or_else(|reason| Err(DeleteChildError::Supervisor { reason }))
    }

    /// Stops the children and ends the supervisor, with `Normal`; returns when it is gone.
    ///
    /// A permanent child of another supervisor is started again: stop that one with
    /// [`terminate_child`](Supervisor::terminate_child).
    pub async fn stop(self) {
        stop(self.pid).await;
    }
}
