//! Servers.

mod accepts;
mod caller;
mod error;
mod many;
mod message;
mod next;
mod pending;
mod serve;
mod server_ref;
mod start;
mod sys;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::current::running;
use crate::process::{Watchable, self_pid};
use crate::reason::ExitReason;
use crate::supervisor::ChildSpec;
pub use accepts::{Accepted, Accepts, Calls, Casts, Kind};
pub use caller::Caller;
pub use error::{CallError, CallFailure, InitError, StartError, StopError, StopFailure};
pub use many::{Replies, abcast, multi_call};
pub use message::AnyMessage;
#[doc(hidden)]
pub use message::Asked;
pub use next::{Next, Reply};
pub use server_ref::{CALL_TIMEOUT, ServerRef};
pub use start::Starter;
pub use sys::Description;
use sys::{Sys, SysReply};

/// A process that keeps a state and answers to messages, one after the other: see the [module](self).
pub trait GenServer: Accepts + fmt::Debug + Sized + Send + 'static {
    /// What [`GenServer::init`] is given.
    type Args: Send + 'static;

    /// Makes the server. Whoever starts it waits for this; [`GenServer::handle_continue`] is for what can come later.
    ///
    /// Errors become an [`InitError`] with `?`.
    fn init(args: Self::Args) -> impl Future<Output = Result<Self, InitError>> + Send;

    /// Comes after `init`, when whoever has started the server goes on already, and before any message.
    fn handle_continue(&mut self) -> impl Future<Output = Next> + Send {
        async { Next::go() }
    }

    /// Handles what was not declared: OTP's `handle_info`. Unless it is defined, this says so on the standard error
    /// output.
    fn handle_info(&mut self, message: AnyMessage) -> impl Future<Output = Next> + Send {
        async move {
            let type_name = message.type_name();
            eprintln!(
                "greenroom: {} {} got a message that it does not accept: a {type_name}",
                serve::name_of::<Self>(),
                self_pid()
            );
            Next::go()
        }
    }

    /// No message has come in the time of [`Next::timeout`].
    fn handle_timeout(&mut self) -> impl Future<Output = Next> + Send {
        async { Next::go() }
    }

    /// Cleans up.
    fn terminate(&mut self, reason: &ExitReason) -> impl Future<Output = ()> + Send {
        let _ = reason;
        async {}
    }

    /// Starts it, linked to the running process, and returns when `init` is done.
    ///
    /// # Errors
    /// [`StartError`]; the process is gone then.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    fn start_link(args: Self::Args) -> impl Future<Output = Result<ServerRef<Self>, StartError>> + Send {
        Starter::new().start_link(args)
    }

    /// Starts it, linked to nobody, and returns when `init` is done.
    ///
    /// # Errors
    /// [`StartError`].
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    fn start(args: Self::Args) -> impl Future<Output = Result<ServerRef<Self>, StartError>> + Send {
        Starter::new().start(args)
    }

    /// It as a child of a supervisor: `Supervisor::new(Strategy::OneForOne).child(Counter::spec(0))`.
    fn spec(args: Self::Args) -> ChildSpec
    where
        Self::Args: Clone + Sync,
    {
        Starter::<Self>::new().spec(args)
    }

    /// To start it with a name: `Counter::named("counter").start_link(0)`.
    fn named(name: impl Into<String>) -> Starter<Self> {
        Starter::new().named(name)
    }

    /// To start it with a limit on the time of `init`.
    fn init_within(time: Duration) -> Starter<Self> {
        Starter::new().init_within(time)
    }

    /// The server at this address: `Counter::at("counter").call(Add(3))`.
    fn at<A>(address: A) -> ServerRef<Self, A> {
        ServerRef::new(address)
    }
}

/// What a server accepts.
///
/// # Errors
/// As for [`ServerRef::call`].
pub async fn describe(server: impl Watchable + Send) -> Result<Description, CallError> {
    match server_ref::ask(target(server), Sys::Describe).await? {
        SysReply::Described(description) => Ok(description),
        SysReply::Done | SysReply::State(_) => unreachable!("every request has its kind of answer"),
    }
}

/// The state of a server, as `Debug` shows it.
///
/// # Errors
/// As for [`ServerRef::call`].
pub async fn state(server: impl Watchable + Send) -> Result<String, CallError> {
    match server_ref::ask(target(server), Sys::ShowState).await? {
        SysReply::State(state) => Ok(state),
        SysReply::Done | SysReply::Described(_) => unreachable!("every request has its kind of answer"),
    }
}

#[track_caller]
fn target(server: impl Watchable) -> crate::message::Target {
    running("a server's handle", |current, _, _| server.target(current.inner.id))
}
