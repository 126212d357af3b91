//! Task supervisors: dynamic supervisors whose children are futures that run once.

use std::fmt;
use std::panic::Location;
use std::pin::Pin;

use serde::{Deserialize, Serialize};

use super::decision::Restart;
use super::dynamic::{DynamicSupervisor, DynamicSupervisorBuilder};
use super::error::{FindError, StartChildError, StartError};
use super::request::{Errand, Introduce, Request, ask};
use super::spec::{ChildSpec, IntoChildSpec};
use crate::pid::Pid;
use crate::process::{Watchable, exit_self};
use crate::reason::Outcome;
use crate::task::{AsyncStream, Order, Task, Tie, async_stream};

/// The work of an input of [`TaskSupervisor::async_stream`].
pub type Supervised<T> = Pin<Box<dyn Future<Output = T> + Send>>;

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

    /// Starts a task that is linked to the running process as well: if one crashes, so does the other, unless that
    /// traps exits.
    ///
    /// Differs from [`Task::spawn`] in who else it ends with, and in that it may be refused.
    ///
    /// ```
    /// use greenroom::supervisor::TaskSupervisor;
    ///
    /// greenroom::run(async {
    ///     let tasks = TaskSupervisor::new().start_link().await.unwrap();
    ///     let task = tasks.spawn(async { 6 * 7 }).await.unwrap();
    ///     assert_eq!(task.await, 42);
    /// });
    /// ```
    ///
    /// # Errors
    /// [`StartChildError`], if there are as many tasks as there may be, or the supervisor has ended.
    ///
    /// # Cancel safety
    /// If this is dropped before it is ready, the task may have been started; its value is then a message that nobody
    /// wants.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn spawn<F, T>(self, future: F) -> impl Future<Output = Result<Task<T>, StartChildError>> + Send
    where
        F: Future<Output = T> + Send + 'static,
        T: fmt::Debug + Send + 'static,
    {
        self.spawn_tied(Location::caller(), Tie::Linked, future)
    }

    /// Starts a task that is not linked to the running process: its crash leaves that alone until it awaits the task.
    ///
    /// # Errors
    /// [`StartChildError`], if there are as many tasks as there may be, or the supervisor has ended.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn spawn_nolink<F, T>(self, future: F) -> impl Future<Output = Result<Task<T>, StartChildError>> + Send
    where
        F: Future<Output = T> + Send + 'static,
        T: fmt::Debug + Send + 'static,
    {
        self.spawn_tied(Location::caller(), Tie::Watched, future)
    }

    /// [`async_stream`] with the work of each input in a task under this supervisor.
    ///
    /// Each has a process beside it that waits for it, which is what the stream's own options speak of: if that is
    /// killed, as its time is up or the stream is dropped, so is the task. An input that the supervisor refuses
    /// [fails](crate::task::Failed) as one whose task has ended, with the refusal as the reason.
    ///
    /// ```
    /// use greenroom::supervisor::TaskSupervisor;
    ///
    /// greenroom::run(async {
    ///     let tasks = TaskSupervisor::new().start_link().await.unwrap();
    ///     let squares = tasks.async_stream(1..=4_u32, |n| async move { n * n }).max_concurrency(2).all().await;
    ///     let squares: Result<Vec<u32>, _> = squares.into_iter().collect();
    ///     assert_eq!(squares.unwrap(), [1, 4, 9, 16]);
    /// });
    /// ```
    #[allow(clippy::type_complexity, reason = "the function within has no name, and an alias would only hide that")]
    pub fn async_stream<I, F, Fut>(
        self,
        inputs: I,
        mut work: F,
    ) -> AsyncStream<I::IntoIter, impl FnMut(I::Item) -> Supervised<Fut::Output>, Fut::Output>
    where
        I: IntoIterator,
        F: FnMut(I::Item) -> Fut,
        Fut: Future<Output: fmt::Debug + Send + 'static> + Send + 'static,
    {
        async_stream(inputs, move |input| -> Supervised<Fut::Output> {
            let work = work(input);
            Box::pin(async move {
                match self.spawn(work).await {
                    Ok(task) => task.await,
                    Err(refusal) => exit_self(refusal.to_string()),
                }
            })
        })
    }

    async fn spawn_tied<F, T>(
        self,
        spawned_at: &'static Location<'static>,
        tie: Tie,
        future: F,
    ) -> Result<Task<T>, StartChildError>
    where
        F: Future<Output = T> + Send + 'static,
        T: fmt::Debug + Send + 'static,
    {
        let order = Order::new(tie);
        let introduce: Introduce = Box::new(move |inner, child| order.adopt(inner, child));
        let pid = self.send_off(spawned_at, Some(introduce), order.carry_out(future)).await?;
        Ok(Task::from_order(order, pid))
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

impl Task<()> {
    /// A task as a child of a supervisor: it runs once, for its effect, and is not started again.
    ///
    /// ```
    /// use greenroom::supervisor::{Strategy, Supervisor};
    /// use greenroom::{Task, receive, self_pid, send};
    ///
    /// greenroom::run(async {
    ///     let test = self_pid();
    ///     let warm_up = Task::spec("warm_up", move || async move { send(test, 'w') });
    ///     Supervisor::new(Strategy::OneForOne).child(warm_up).start_link().await.unwrap();
    ///     assert_eq!(receive::<char>().await, 'w');
    /// });
    /// ```
    #[track_caller]
    pub fn spec<B, F>(id: impl Into<String>, body: B) -> ChildSpec
    where
        B: Fn() -> F + Send + Sync + 'static,
        F: Future<Output: Outcome> + Send + 'static,
    {
        ChildSpec::new(id, body).restart(Restart::Temporary)
    }
}
