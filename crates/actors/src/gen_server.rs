//! Servers: processes that keep a state, and handle one message after the other. OTP's `gen_server`.
//!
//! ```
//! use greenroom::accepts;
//! use greenroom::gen_server::{GenServer, InitError};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Serialize, Deserialize)]
//! struct Add(u64);
//! #[derive(Debug, Serialize, Deserialize)]
//! struct Reset;
//!
//! #[derive(Debug)]
//! struct Counter(u64);
//!
//! accepts! { Counter:
//!     call add(Add) -> u64;
//!     cast reset(Reset);
//! }
//!
//! impl GenServer for Counter {
//!     type Args = u64;
//!
//!     async fn init(start: u64) -> Result<Self, InitError> {
//!         Ok(Counter(start))
//!     }
//! }
//!
//! impl Counter {
//!     async fn add(&mut self, Add(n): Add) -> u64 {
//!         self.0 += n;
//!         self.0
//!     }
//!
//!     async fn reset(&mut self, _: Reset) {
//!         self.0 = 0;
//!     }
//! }
//!
//! greenroom::run(async {
//!     let counter = Counter::start_link(1).await.unwrap();
//!     let n: u64 = counter.call(Add(3)).await.unwrap();
//!     assert_eq!(n, 4);
//!     counter.cast(Reset);
//!     assert_eq!(counter.call(Add(1)).await, Ok(1));
//! });
//! ```
//!
//! # What a server accepts
//! [`accepts!`](crate::accepts!) is the list: a line for each message, with the method that handles it and the type of
//! the answer. It is all that makes a message callable, so what is not declared does not compile:
//!
//! ```compile_fail,E0277
//! # use greenroom::gen_server::{GenServer, InitError};
//! # #[derive(Debug, serde::Serialize, serde::Deserialize)]
//! # struct Subtract(u64);
//! # #[derive(Debug)]
//! # struct Counter;
//! # greenroom::accepts! { Counter: }
//! # impl GenServer for Counter {
//! #     type Args = ();
//! #     async fn init((): ()) -> Result<Self, InitError> { Ok(Counter) }
//! # }
//! # greenroom::run(async {
//! # let counter = Counter::start_link(()).await.unwrap();
//! counter.call(Subtract(3)).await; // error: `Counter` cannot be called with `Subtract`
//! # });
//! ```
//!
//! [`describe`] reads the list at run time, from any process, also of another node.
//!
//! (Two other designs were tried. One enum of requests, with a reply port in each, cannot be listed, and a call reads
//! `call(|port| Request::Add(3, port))`. An `impl Handle<Add> for Counter` for each message, with its `type Reply`,
//! takes three lines more a message, and a list of types beside it that can be forgotten. Of these, the macro is the
//! shortest to write, and its lines read as the server's signature.)
//!
//! # Handlers
//! | declared as | sent with | the method returns |
//! |---|---|---|
//! | `call method(Message) -> Answer` | [`ServerRef::call`] | the answer, or a [`Reply`] |
//! | `call method(Message, caller) -> Answer` | the same | the same; it is also given the [`Caller`], to answer later |
//! | `cast method(Message)` | [`ServerRef::cast`] | `()`, a `Result`, or a [`Next`] |
//! | `info method(Message)` | [`send`](crate::send()), timers, the runtime | the same |
//! | not at all | | [`GenServer::handle_info`] gets it |
//!
//! A handler has the server for itself. While it awaits, messages wait: what takes long is better left to a
//! [`Task`](crate::Task), whose result is an `info`, or to a process that has the [`Caller`].
//!
//! # Starting
//! [`GenServer::start_link`] returns when [`GenServer::init`] is done; as a child of a supervisor, it is
//! `Counter::spec(0)`. `init` may fail, by any error with `?`, or say that there is [nothing to do](InitError::Ignore).
//! What may take long after it comes in [`GenServer::handle_continue`], before any message. With a name it is
//! `Counter::named("counter").start_link(0)`, and [`Counter::at("counter")`](GenServer::at) reaches it, also
//! [on another node](ServerRef::new).
//!
//! # Calls
//! A call ends in one of the ways of [`CallFailure`], or with the answer, never both, and leaves nothing behind: an
//! answer that is late is dropped, also across nodes. It waits five seconds unless told otherwise.
//!
//! # Ending
//! A server ends when a handler returns [`Next::stop`], panics, or fails in a cast; when somebody [stops](
//! ServerRef::stop) it; or when its parent ends, if it [traps exits](crate::trap_exit). In all these cases
//! [`GenServer::terminate`] is called. It is not when the server is killed, ends itself with
//! [`exit_self`](crate::exit_self), or does not trap exits and gets an exit signal: clean-up that must not be missed
//! belongs into a process that watches, or into a destructor, as in all of Rust.
//!
//! # Looking into one that runs
//! [`state`] shows the state as `Debug` does, [`ServerRef::with_state`] works on it, [`ServerRef::suspend`] holds the
//! server while its messages wait.
//!
//! # Differs from OTP
//! - What differs between messages is their type, so there is a handler for each, and no clause can be missing.
//! - A call that fails is an error, not an exit.
//! - `init` that stops is an error for a linked caller, too, which goes on. One that panics ends it, as in OTP.
//! - A server that ends itself with `exit_self` does not clean up.

mod accepts;
mod caller;
mod error;
mod many;
mod message;
mod next;
mod serve;
mod server_ref;
mod start;
mod sys;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::process::{Watchable, self_pid};
use crate::reason::ExitReason;
use crate::supervisor::ChildSpec;
pub use accepts::{Accepted, Accepts, Calls, Casts, Kind};
pub use caller::Caller;
pub use error::{CallError, CallFailure, InitError, StartError, StopError, StopFailure};
pub use many::{Replies, abcast, multi_call};
pub use message::AnyMessage;
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

    /// Cleans up before the server ends, for this reason; see the [module](self) for when it is called. If it panics,
    /// that is the reason in the end.
    fn terminate(&mut self, reason: &ExitReason) -> impl Future<Output = ()> + Send {
        let _ = reason;
        async {}
    }

    /// Starts it, linked to the running process, and returns when `init` is done.
    ///
    /// If `init` panics, the running process ends with it, unless it traps exits.
    ///
    /// # Errors
    /// [`StartError`]; the server's process is gone then.
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
    match server_ref::ask(server_ref::target(server), Sys::Describe).await? {
        SysReply::Described(description) => Ok(description),
        SysReply::Done | SysReply::State(_) => unreachable!("every request has its kind of answer"),
    }
}

/// The state of a server, as `Debug` shows it.
///
/// # Errors
/// As for [`ServerRef::call`].
pub async fn state(server: impl Watchable + Send) -> Result<String, CallError> {
    match server_ref::ask(server_ref::target(server), Sys::ShowState).await? {
        SysReply::State(state) => Ok(state),
        SysReply::Done | SysReply::Described(_) => unreachable!("every request has its kind of answer"),
    }
}
