//! How a server is reached: typed handles by pid, by name, and by name on another node.

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::{CallError, CallFailure, StopError, StopFailure};
use super::sys::{Job, Outcome, Stop, Sys, SysReply};
use super::{Calls, Casts, GenServer};
use crate::current::running;
use crate::mailbox::Envelope;
use crate::message::{Local, Message, Target, short_name};
use crate::pending::Pending;
use crate::pid::Pid;
use crate::process::Watchable;
use crate::reason::ExitReason;
use crate::request::Cast;

/// How long a call waits, unless it says otherwise: five seconds, as in OTP.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// A server of type `S`, reached by its [`Pid`], or by a name: see [`GenServer::at`].
///
/// It is plain data. That the process is an `S` is not checked before it is called: if it is another server, a call
/// is refused.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
#[serde(bound(serialize = "A: Serialize", deserialize = "A: Deserialize<'de>"))]
pub struct ServerRef<S, A = Pid> {
    address: A,
    #[serde(skip)]
    _server: PhantomData<fn() -> S>,
}

impl<S, A> ServerRef<S, A> {
    /// The server at this address: a pid, a name, or a name and a node.
    pub const fn new(address: A) -> Self {
        ServerRef { address, _server: PhantomData }
    }
}

impl<S> ServerRef<S> {
    /// Its process.
    pub fn pid(self) -> Pid {
        self.address
    }
}

impl<S: GenServer, A: Watchable + Copy + Send> ServerRef<S, A> {
    /// Sends a request and waits for the answer, for [`CALL_TIMEOUT`] at most.
    ///
    /// # Errors
    /// [`CallError`] says why there is none.
    ///
    /// # Cancel safety
    /// If it is dropped, the server may still handle the request; what it answers is dropped.
    ///
    /// # Panics
    /// Outside of a process.
    pub fn call<M: Message>(self, message: M) -> impl Future<Output = Result<S::Reply, CallError>> + Send
    where
        S: Calls<M>,
    {
        self.call_timeout(message, CALL_TIMEOUT)
    }

    /// The same with another limit; [`Duration::MAX`] is none.
    ///
    /// # Errors
    /// As for [`ServerRef::call`].
    pub fn call_timeout<M: Message>(
        self,
        message: M,
        timeout: Duration,
    ) -> impl Future<Output = Result<S::Reply, CallError>> + Send
    where
        S: Calls<M>,
    {
        call(self.address, message, timeout)
    }

    /// Sends a request that is not answered. Nobody says whether it arrives.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn cast<M: Message>(self, message: M)
    where
        S: Casts<M>,
    {
        cast(&self.target(), message);
    }

    /// Stops the server with [`ExitReason::Normal`], and returns when it has ended.
    ///
    /// # Errors
    /// [`StopError`].
    pub fn stop(self) -> impl Future<Output = Result<(), StopError>> + Send {
        self.stop_with(ExitReason::Normal, Duration::MAX)
    }

    /// The same with another reason, which [`GenServer::terminate`] is told, and a limit: OTP's `gen_server:stop/3`.
    ///
    /// # Errors
    /// [`StopError`].
    pub async fn stop_with(self, reason: impl Into<ExitReason> + Send, timeout: Duration) -> Result<(), StopError> {
        let (server, reason) = (self.target(), reason.into());
        let pending = match Pending::<()>::send(&server, Stop(reason.clone()), timeout) {
            Ok(pending) => pending.await,
            Err(why) => Err(why),
        };
        let why = match pending {
            Err(CallFailure::Ended(ended)) if ended == reason => return Ok(()),
            Ok(()) => return Ok(()),
            Err(CallFailure::Ended(reason)) => StopFailure::Ended(reason),
            Err(CallFailure::NoProc) if reason == ExitReason::NoProc => return Ok(()),
            Err(CallFailure::NoProc | CallFailure::Refused { .. }) => StopFailure::NoProc,
            Err(CallFailure::CallingItself) => StopFailure::StoppingItself,
            Err(CallFailure::Timeout(timeout)) => StopFailure::Timeout(timeout),
        };
        Err(StopError { server, why })
    }

    /// Has the server handle nothing until [`ServerRef::resume`]; what is sent to it waits. For debugging.
    ///
    /// # Errors
    /// As for [`ServerRef::call`].
    pub async fn suspend(self) -> Result<(), CallError> {
        ask(self.target(), Sys::Suspend).await.map(drop)
    }

    /// Has it go on.
    ///
    /// # Errors
    /// As for [`ServerRef::call`].
    pub async fn resume(self) -> Result<(), CallError> {
        ask(self.target(), Sys::Resume).await.map(drop)
    }

    /// Lets `work` look at the state of the server, or change it. For debugging, and on the same node only.
    ///
    /// ```
    /// # use greenroom::gen_server::{GenServer, InitError};
    /// # #[derive(Debug)]
    /// # struct Counter(u64);
    /// # greenroom::accepts! { Counter: }
    /// # impl GenServer for Counter {
    /// #     type Args = u64;
    /// #     async fn init(start: u64) -> Result<Self, InitError> { Ok(Counter(start)) }
    /// # }
    /// greenroom::run(async {
    ///     let counter = Counter::start_link(3).await.unwrap();
    ///     let before = counter.with_state(|counter| std::mem::replace(&mut counter.0, 7)).await;
    ///     assert_eq!(before, Ok(3));
    ///     assert_eq!(greenroom::gen_server::state(counter.pid()).await.unwrap(), "Counter(\n    7,\n)");
    /// });
    /// ```
    ///
    /// # Errors
    /// As for [`ServerRef::call`].
    ///
    /// # Panics
    /// With the panic of `work`. The server lives.
    pub async fn with_state<R: Send + 'static>(
        self,
        work: impl FnOnce(&mut S) -> R + Send + 'static,
    ) -> Result<R, CallError> {
        let job = Job(Box::new(move |server: &mut S| -> Outcome { Box::new(work(server)) }));
        let done = call::<_, _, Local<std::thread::Result<Outcome>>>(self.target(), Local(job), CALL_TIMEOUT).await?;
        match done.0.map(|outcome| outcome.downcast::<R>()) {
            Ok(Ok(outcome)) => Ok(*outcome),
            Ok(Err(_)) => unreachable!("the work has returned what it returns"),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Whom it stands for.
    #[track_caller]
    pub(super) fn target(self) -> Target {
        target(self.address)
    }
}

/// Sends a request to whoever it is, and waits for the answer.
#[allow(clippy::manual_async_fn, reason = "which would move its arguments once more")]
pub(super) fn call<A: Watchable + Clone + Send, M: Message, R: Message>(
    server: A,
    message: M,
    timeout: Duration,
) -> impl Future<Output = Result<R, CallError>> + Send {
    async move {
        let mut pending = Pending::new(timeout);
        let why = match pending.ask(&target(server.clone()), message) {
            Ok(()) => match (&mut pending).await {
                Ok(answer) => return Ok(answer),
                Err(why) => why,
            },
            Err(why) => why,
        };
        Err(error::<M>(target(server), why))
    }
}

/// Whom an address stands for.
#[track_caller]
pub(super) fn target(address: impl Watchable) -> Target {
    running("a server's handle", |current, _, _| address.target(current.inner.id))
}

#[cold]
pub(super) fn error<M>(server: Target, why: CallFailure) -> CallError {
    CallError { server, request: short_name(type_name::<M>()), why }
}

/// Asks what any server understands.
pub(super) async fn ask(server: Target, request: Sys) -> Result<SysReply, CallError> {
    call(server, request, CALL_TIMEOUT).await
}

#[track_caller]
pub(super) fn cast<M: Message>(server: &Target, message: M) {
    running("cast", |current, _, _| current.inner.send_envelope(server, Envelope::in_role(Cast(message))));
}

impl<S> From<ServerRef<S>> for Pid {
    fn from(server: ServerRef<S>) -> Pid {
        server.address
    }
}

impl<S, A: Clone> Clone for ServerRef<S, A> {
    fn clone(&self) -> Self {
        ServerRef::new(self.address.clone())
    }
}

impl<S, A: Copy> Copy for ServerRef<S, A> {}

impl<S, A: PartialEq> PartialEq for ServerRef<S, A> {
    fn eq(&self, other: &Self) -> bool {
        self.address == other.address
    }
}

impl<S, A: Eq> Eq for ServerRef<S, A> {}

impl<S, A: Hash> Hash for ServerRef<S, A> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.address.hash(state);
    }
}

impl<S, A: fmt::Debug> fmt::Debug for ServerRef<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:?})", short_name(type_name::<S>()), self.address)
    }
}
