//! Agents: processes that keep a value for others, who look at it and change it with closures.
//!
//! ```
//! use greenroom::Agent;
//!
//! greenroom::run(async {
//!     let counter = Agent::start_link(|| 0_u64).await.unwrap();
//!     counter.update(|n| *n += 3).await.unwrap();
//!     counter.cast(|n| *n += 1);
//!     assert_eq!(counter.get(|n| *n).await, Ok(4));
//!     assert_eq!(counter.get_and_update(|n| std::mem::replace(n, 10)).await, Ok(4));
//! });
//! ```
//!
//! The closure runs in the agent, so nobody else sees the value meanwhile, and nobody else is served: what takes long
//! belongs into the caller. If it panics, the agent ends, and so does the call. An agent is a
//! [`GenServer`](crate::gen_server), with its names, time-outs, and errors; one that has more to it than a value is
//! better written as such.
//!
//! Differs from Elixir: closures do not travel, so an agent serves its own node only.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::accepts;
use crate::gen_server::{CALL_TIMEOUT, CallError, GenServer, InitError, ServerRef, StartError, Starter, StopError};
use crate::message::Local;
use crate::pid::Pid;
use crate::supervisor::ChildSpec;

/// A running agent that keeps a `T`: see the [module](self).
pub struct Agent<T> {
    server: ServerRef<Keeper<T>>,
    timeout: Duration,
}

/// What can be kept: anything that can be shown and moved to another thread.
pub trait Kept: fmt::Debug + Send + 'static {}
impl<T: fmt::Debug + Send + 'static> Kept for T {}

/// The process of an agent.
pub struct Keeper<T>(T);

impl<T: fmt::Debug> fmt::Debug for Keeper<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a closure returns, until its caller knows again what it is.
type Outcome = Local<Box<dyn Any + Send>>;

/// A closure on its way to the agent.
pub struct Work<T>(Box<dyn FnOnce(&mut T) -> Outcome + Send>);

/// What makes the value in the beginning.
pub struct Make<T>(Box<dyn FnOnce() -> T + Send>);

accepts! { [T: Kept] Keeper<T>:
    call work(Local<Work<T>>) -> Outcome;
    cast cast(Local<Work<T>>);
}

impl<T: Kept> GenServer for Keeper<T> {
    type Args = Make<T>;

    async fn init(make: Make<T>) -> Result<Self, InitError> {
        Ok(Keeper((make.0)()))
    }
}

impl<T: Kept> Keeper<T> {
    async fn work(&mut self, Local(work): Local<Work<T>>) -> Outcome {
        (work.0)(&mut self.0)
    }

    async fn cast(&mut self, Local(work): Local<Work<T>>) {
        (work.0)(&mut self.0);
    }
}

impl<T: Kept> Agent<T> {
    /// Starts an agent, linked to the running process, with what `make` returns.
    ///
    /// # Errors
    /// As for [`GenServer::start_link`].
    #[track_caller]
    pub fn start_link(
        make: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = Result<Self, StartError>> + Send {
        let starting = Keeper::start_link(Make(Box::new(make)));
        async { starting.await.map(Agent::of) }
    }

    /// The same, linked to nobody.
    ///
    /// # Errors
    /// As for [`GenServer::start`].
    #[track_caller]
    pub fn start(make: impl FnOnce() -> T + Send + 'static) -> impl Future<Output = Result<Self, StartError>> + Send {
        let starting = Keeper::start(Make(Box::new(make)));
        async { starting.await.map(Agent::of) }
    }

    /// Starts an agent with a name, linked to the running process.
    ///
    /// # Errors
    /// As for [`GenServer::start_link`].
    #[track_caller]
    pub fn start_link_named(
        name: impl Into<String>,
        make: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = Result<Self, StartError>> + Send {
        let starter: Starter<Keeper<T>> = Keeper::named(name);
        let starting = starter.start_link(Make(Box::new(make)));
        async { starting.await.map(Agent::of) }
    }

    /// An agent as a child of a supervisor.
    pub fn spec(id: impl Into<String>, make: impl Fn() -> T + Clone + Send + Sync + 'static) -> ChildSpec {
        ChildSpec::starting(id, move || Agent::start_link(make.clone()))
    }

    fn of(server: ServerRef<Keeper<T>>) -> Self {
        Agent { server, timeout: CALL_TIMEOUT }
    }

    /// The agent that runs as this process.
    pub fn at(pid: Pid) -> Self {
        Agent::of(ServerRef::new(pid))
    }

    /// The same agent, but what is asked of it may take this long instead of [`CALL_TIMEOUT`].
    pub fn within(self, timeout: Duration) -> Self {
        Agent { timeout, ..self }
    }

    /// Looks at the value.
    ///
    /// # Errors
    /// As for [`ServerRef::call`]; among them that `look` has panicked.
    pub async fn get<R: Send + 'static>(self, look: impl FnOnce(&T) -> R + Send + 'static) -> Result<R, CallError> {
        self.get_and_update(|value| look(value)).await
    }

    /// Changes the value.
    ///
    /// # Errors
    /// As for [`Agent::get`].
    pub async fn update(self, change: impl FnOnce(&mut T) + Send + 'static) -> Result<(), CallError> {
        self.get_and_update(change).await
    }

    /// Changes the value, and returns something.
    ///
    /// # Errors
    /// As for [`Agent::get`].
    pub async fn get_and_update<R: Send + 'static>(
        self,
        change: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> Result<R, CallError> {
        let work = Work(Box::new(|value: &mut T| -> Outcome { Local(Box::new(change(value))) }));
        let Local(outcome) = self.server.call_timeout(Local(work), self.timeout).await?;
        match outcome.downcast::<R>() {
            Ok(outcome) => Ok(*outcome),
            Err(_) => unreachable!("the closure has returned what it returns"),
        }
    }

    /// Changes the value, without waiting for it.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn cast(self, change: impl FnOnce(&mut T) + Send + 'static) {
        let work = |value: &mut T| -> Outcome {
            change(value);
            Local(Box::new(()))
        };
        self.server.cast(Local(Work(Box::new(work))));
    }

    /// Stops the agent and returns when it has ended.
    ///
    /// # Errors
    /// As for [`ServerRef::stop`].
    pub async fn stop(self) -> Result<(), StopError> {
        self.server.stop().await
    }

    /// Its process.
    pub fn pid(self) -> Pid {
        self.server.pid()
    }
}

impl<T> Clone for Agent<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Agent<T> {}

impl<T> fmt::Debug for Agent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Agent").field(&self.server.pid()).finish()
    }
}

impl<T> From<Agent<T>> for Pid {
    fn from(agent: Agent<T>) -> Pid {
        agent.server.pid()
    }
}
