//! Why a process ended: exit reasons, and how the result of a process body becomes one.
//!
//! Which reasons kill a linked peer and which are turned into messages is decided in
//! [`crate::exit`]; here is only what a reason *is*.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why a process ended, as seen by everyone linked to it or watching it.
///
/// Differs from OTP: a reason is not any term but one of these; text of any length fits in
/// [`ExitReason::Other`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ExitReason {
    /// The body returned: the end that everyone hoped for. It does not touch linked processes.
    Normal,
    /// An orderly stop, as a supervisor asks for it.
    Shutdown,
    /// An orderly stop that says why.
    ShutdownWith(Arc<str>),
    /// The untrappable signal, as it is *sent*: `exit(pid, Kill)`. Peers of the victim see `Killed`.
    Kill,
    /// The process was ended by [`ExitReason::Kill`].
    Killed,
    /// There was no such process (any more).
    NoProc,
    /// The connection to the process's node was lost.
    NoConnection,
    /// The body panicked.
    Panic(Arc<Panic>),
    /// The body returned an error, shown with `Display`.
    Error(Arc<str>),
    /// Any other reason, in words.
    Other(Arc<str>),
}

/// What a panicking process said last.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Panic {
    /// The panic's message.
    pub message: String,
    /// Where it was raised, if that is known.
    pub location: Option<Location>,
}

/// A place in source code.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The file, as the compiler was told its name.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl From<&std::panic::Location<'_>> for Location {
    fn from(location: &std::panic::Location<'_>) -> Self {
        Location { file: location.file().to_owned(), line: location.line(), column: location.column() }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl ExitReason {
    /// Whether this is an end that nobody need worry about: normal or a shutdown.
    ///
    /// A transient child is restarted exactly when this is false.
    pub fn is_orderly(&self) -> bool {
        match self {
            ExitReason::Normal | ExitReason::Shutdown | ExitReason::ShutdownWith(_) => true,
            ExitReason::Kill
            | ExitReason::Killed
            | ExitReason::NoProc
            | ExitReason::NoConnection
            | ExitReason::Panic(_)
            | ExitReason::Error(_)
            | ExitReason::Other(_) => false,
        }
    }
}

impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExitReason::Normal => f.write_str("normal"),
            ExitReason::Shutdown => f.write_str("shutdown"),
            ExitReason::ShutdownWith(why) => write!(f, "shutdown: {why}"),
            ExitReason::Kill => f.write_str("kill"),
            ExitReason::Killed => f.write_str("killed"),
            ExitReason::NoProc => f.write_str("noproc"),
            ExitReason::NoConnection => f.write_str("noconnection"),
            ExitReason::Panic(panic) => match &panic.location {
                Some(location) => write!(f, "panic: {} ({location})", panic.message),
                None => write!(f, "panic: {}", panic.message),
            },
            ExitReason::Error(error) => write!(f, "error: {error}"),
            ExitReason::Other(other) => f.write_str(other),
        }
    }
}

impl From<&str> for ExitReason {
    fn from(text: &str) -> Self {
        ExitReason::Other(text.into())
    }
}

impl From<String> for ExitReason {
    fn from(text: String) -> Self {
        ExitReason::Other(text.into())
    }
}

/// What the body of a process may return, and the exit reason that it stands for.
pub trait Outcome {
    /// The exit reason of a process whose body returned this.
    fn into_reason(self) -> ExitReason;
}

impl Outcome for () {
    fn into_reason(self) -> ExitReason {
        ExitReason::Normal
    }
}

impl Outcome for ExitReason {
    fn into_reason(self) -> ExitReason {
        self
    }
}

impl<T: Outcome, E: fmt::Display> Outcome for Result<T, E> {
    fn into_reason(self) -> ExitReason {
        match self {
            Ok(value) => value.into_reason(),
            Err(error) => ExitReason::Error(error.to_string().into()),
        }
    }
}

/// Names the never type, which stable Rust cannot spell in an `impl`: a body that loops for ever has it.
mod never {
    pub trait Returns {
        type Output;
    }
    impl<T> Returns for fn() -> T {
        type Output = T;
    }
    pub type Never = <fn() -> ! as Returns>::Output;
}

impl Outcome for never::Never {
    fn into_reason(self) -> ExitReason {
        self
    }
}
