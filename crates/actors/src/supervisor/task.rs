//! Task supervisors: dynamic supervisors whose children are futures that run once.

use std::panic::Location;

use serde::{Deserialize, Serialize};

use super::dynamic::{DynamicSupervisor, DynamicSupervisorBuilder};
use super::error::{FindError, StartChildError, StartError};
use super::request::{Errand, Introduce, Request, ask};
use super::spec::{ChildSpec, IntoChildSpec};
use crate::pid::Pid;
use crate::process::Watchable;
use crate::reason::Outcome;

/// How to start a [`TaskSupervisor`].
#[derive(Clone, Debug)]
pub struct TaskSupervisorBuilder(DynamicSupervisorBuilder);

impl TaskSupervisorBuilder {
    /// How many tasks it may have at a time; without this, any number.
    pub fn max_children(self, limit: usize) -> Self {
        TaskSupervisorBuilder(self.0.max_children(limit))
    }

    /// The name to register the supervisor under.
    pub fn name(self, name: impl Into<String>) -> Self {
        TaskSupervisorBuilder(self.0.name(name))
    }

    /// This supervisor as a child of another: permanent, and given all the time it takes to end.
    pub fn spec(self, id: impl Into<String>) -> ChildSpec {
        self.0.spec(id)
    }

    /// Starts the supervisor, linked to the running process.
    ///
    /// # Errors
    /// [`StartError`], if its name is taken.
    ///
    /// # Panics
    /// Outside of a process.
    pub async fn start_link(self) -> Result<TaskSupervisor, StartError> {
        self.0.start_link().await.map(TaskSupervisor)
    }
}

impl IntoChildSpec for TaskSupervisorBuilder {
    /// Called after its name, or `task_supervisor`.
    fn into_child_spec(self) -> ChildSpec {
        match self.0.given_name().map(str::to_owned) {
            Some(name) => self.spec(name),
            None => self.spec("task_supervisor"),
        }
    }
}

/// A supervisor of tasks: its children are temporary, so they run once, and end with it.
///
/// ```
/// use greenroom::supervisor::TaskSupervisor;
/// use greenroom::{receive, self_pid, send};
///
/// greenroom::run(async {
///     let tasks = TaskSupervisor::new().start_link().await.unwrap();
///     let caller = self_pid();
///     tasks.start_child(async move { send(caller, 6 * 7) }).await.unwrap();
///     assert_eq!(receive::<i32>().await, 42);
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TaskSupervisor(DynamicSupervisor);

impl From<TaskSupervisor> for Pid {
    fn from(supervisor: TaskSupervisor) -> Pid {
        supervisor.pid()
    }
}

impl TaskSupervisor {
    /// A supervisor without tasks yet.
    #[allow(clippy::new_ret_no_self, reason = "it reads as a sentence: TaskSupervisor::new().start_link()")]
    pub fn new() -> TaskSupervisorBuilder {
        TaskSupervisorBuilder(DynamicSupervisor::new())
    }

    /// The supervisor that is meant by a process identifier or a name.
    ///
    /// # Errors
    /// [`FindError`], if there is none, or one of another kind.
    pub async fn find(what: impl Watchable) -> Result<TaskSupervisor, FindError> {
        DynamicSupervisor::find(what).await.map(TaskSupervisor)
    }

    /// The supervisor's process.
    pub fn pid(self) -> Pid {
        self.0.pid()
    }

    /// The same supervisor, to list, count and terminate its children.
    pub fn children(self) -> DynamicSupervisor {
        self.0
    }

    /// Starts a task for its effect: nobody waits for it, and its crash is nobody's but its own.
    ///
    /// # Errors
    /// [`StartChildError`], if there are as many tasks as there may be, or the supervisor has ended.
    #[track_caller]
    pub fn start_child<F>(self, future: F) -> impl Future<Output = Result<Pid, StartChildError>> + Send
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        self.send_off(Location::caller(), None, future)
    }

    async fn send_off<F>(
        self,
        spawned_at: &'static Location<'static>,
        introduce: Option<Introduce>,
        future: F,
    ) -> Result<Pid, StartChildError>
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        let future = Box::pin(async move { future.await.into_reason() });
        let answer = ask(self.pid(), Request::StartTask(Errand { future, introduce, spawned_at })).await;
        answer.unwrap_or_else(|reason| Err(StartChildError::Supervisor { reason }))
    }

    /// Stops the tasks, all at the same time, and ends the supervisor, with `Normal`; returns when it is gone.
    pub async fn stop(self) {
        self.0.stop().await;
    }
}
