//! What every server understands beside what it declares: OTP's `sys`.

use std::any::Any;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::accepts::Accepted;
use crate::message::Local;
use crate::reason::ExitReason;

/// A request to any server, also to one that is suspended.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Sys {
    Suspend,
    Resume,
    Describe,
    ShowState,
}

/// The answer to a [`Sys`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum SysReply {
    Done,
    Described(Description),
    State(String),
}

/// Asks a server to end. It is never answered: the end is the answer.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stop(pub(super) ExitReason);

/// Work on the state of a server, by someone who knows its type.
pub(super) struct Job<S>(pub(super) Box<dyn FnOnce(&mut S) -> Outcome + Send>);

/// What comes of a [`Job`].
pub(super) type Outcome = Box<dyn Any + Send>;

/// A request that carries a [`Job`].
pub(super) type Work<S> = Local<Job<S>>;

/// What a server is: see [`describe`](super::describe).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The full name of its type.
    pub server: String,
    /// What it accepts.
    pub accepts: Vec<Accepted>,
}

/// One line for each thing that it accepts.
impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.server)?;
        self.accepts.iter().try_for_each(|accepted| write!(f, "\n    {accepted}"))
    }
}
