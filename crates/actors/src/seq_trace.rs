//! Following a conversation by a token that rides on its messages: OTP's `seq_trace`.
//!
//! A process that has a token lets it ride on everything that it sends. Whoever receives such a message has the
//! token from then on, and whoever receives one without has none; a process that is started inherits it. So
//! everything that follows from one request, and nothing else, is seen by the *system tracer* of each node: a
//! process that gets a [`Report`] for each thing that the token's [`Flag`]s ask for.
//!
//! Each send and spawn has a number of its own. A [`Serial`](crate::trace::Serial) says which message it answers
//! (`previous`) and which it is (`current`).
//!
//! Differs from OTP: the numbers belong to the token, not to the process, so they begin anew after a process has
//! lost its token and gets another. A message that a timer sends has no token.
//!
//! ```
//! use greenroom::seq_trace::{self, Event, Flag, Report, Token};
//! use greenroom::{receive, self_pid, send, spawn};
//!
//! greenroom::run(async {
//!     let parent = self_pid();
//!     let tracer = spawn(async move {
//!         let report = receive::<Report>().await;
//!         send(parent, report.serial.current);
//!     });
//!     seq_trace::set_system_tracer(Some(tracer)).unwrap();
//!     seq_trace::set_token(Token::new("greeting").with(Flag::Send));
//!     send(spawn(async { drop(receive::<String>().await) }), "hello".to_owned());
//!     assert_eq!(receive::<u64>().await, 2); // The spawn was the first.
//! });
//! ```

use std::fmt;

use crate::core::Inner;
use crate::current::running;
use crate::pid::Pid;
pub use crate::trace::{Event, Flag, Label, Report, Token};

/// Gives the running process this token; returns the one that it had.
///
/// A recording by [`crate::trace()`] goes on.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn set_token(token: Token) -> Option<Token> {
    running("set_token", |current, _, _| {
        let inner = current.inner;
        let recording = inner.token().and_then(|riding| riding.recording);
        let before = inner.exchange_token(Some(inner.conversations.riding(token, recording)));
        before.map(|riding| riding.token)
    })
}

/// The token of the running process: OTP's `get_token`.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn token() -> Option<Token> {
    running("token", |current, _, _| current.inner.token().map(|riding| riding.token))
}

/// Takes the running process out of its conversation; returns the token that it had.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn clear_token() -> Option<Token> {
    running("clear_token", |current, _, _| current.inner.exchange_token(None).map(|riding| riding.token))
}

/// Ends all conversations of the node: no process and no message that waits has a token any more: OTP's
/// `reset_trace`. Recordings by [`crate::trace()`] see nothing from then on.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn reset() {
    running("reset", |current, _, _| current.inner.conversations.reset());
}

/// Tells the system tracer something, if the running process has a token with [`Flag::Print`].
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn print(text: impl fmt::Display) {
    running("print", |current, _, _| print_into(current.inner, None, &text));
}

/// The same, if the token has this label besides.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn print_for(label: impl Into<Label>, text: impl fmt::Display) {
    let label = label.into();
    running("print_for", |current, _, _| print_into(current.inner, Some(&label), &text));
}

fn print_into(inner: &Inner, label: Option<&Label>, text: &dyn fmt::Display) {
    let Some(token) = inner.token().map(|riding| riding.token) else { return };
    if !token.has(Flag::Print) || label.is_some_and(|label| label != token.label()) {
        return;
    }
    let Some(numbered) = inner.next_token() else { return };
    let Some(by) = numbered.token.from else { return };
    inner.report(&numbered.token, Flag::Print, || Event::Print { by, text: text.to_string() });
}

/// Makes a process of this node the one that is told, or nobody; returns the one before. When it ends, nobody is.
///
/// What it sends itself has no token.
///
/// # Errors
/// [`NoSuchTracer`], if the process is not alive on this node: then all is as it was.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn set_system_tracer(tracer: Option<Pid>) -> Result<Option<Pid>, NoSuchTracer> {
    running("set_system_tracer", |current, _, _| set_tracer_of(current.inner, tracer))
}

/// The process that is told, if there is one and it is alive.
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn system_tracer() -> Option<Pid> {
    running("system_tracer", |current, _, _| current.inner.system_tracer())
}

pub(crate) fn set_tracer_of(inner: &Inner, tracer: Option<Pid>) -> Result<Option<Pid>, NoSuchTracer> {
    match tracer {
        Some(pid) if pid.node() != inner.id || !inner.is_alive(pid.id) => Err(NoSuchTracer { pid }),
        Some(pid) => Ok(inner.set_system_tracer(Some(pid.id))),
        None => Ok(inner.set_system_tracer(None)),
    }
}

/// What should have become the system tracer is no live process of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchTracer {
    /// The process that was meant.
    pub pid: Pid,
}

impl fmt::Display for NoSuchTracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is no live process of this node, so it cannot trace it; start one here", self.pid)
    }
}

impl std::error::Error for NoSuchTracer {}
