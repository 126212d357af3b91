//! What servers and those who ask them send each other: requests, answers, and messages that want none.
//!
//! They are messages like any other, also on the wire: what is asked is part of the type, by which the far end
//! recognises it. Who answers, and how a caller waits, is the affair of `gen_server`.

use std::any::type_name;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::message::{Message, Target, short_name};
use crate::pid::{Pid, Ref};

/// Where an answer goes. It is good for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct ReplyTo {
    /// Who waits for it.
    pub(crate) caller: Pid,
    /// Where it is noted that somebody waits: at the server, see `call`; or, if that is on another node, at the
    /// caller, as an alias.
    pub(crate) noted_at: Pid,
    pub(crate) reference: Ref,
}

impl ReplyTo {
    pub(crate) fn target(self) -> Target {
        Target::Alias(self.noted_at, self.reference)
    }
}

/// A message to a server that wants an answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "M: Message")]
pub(crate) struct Request<M> {
    /// First, so that it can be read by whoever does not know the type: [`Asked`].
    pub(crate) reply_to: ReplyTo,
    pub(crate) message: M,
}

/// What every request begins with.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    pub(crate) reply_to: ReplyTo,
}

/// What every answer begins with.
#[derive(Debug, Deserialize)]
pub(crate) struct Answered {
    pub(crate) reference: Ref,
}

/// A message to a server that wants no answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "M: Message")]
pub(crate) struct Cast<M>(pub(crate) M);

/// The answer to a request.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "R: Message")]
pub(crate) struct Answer<R> {
    /// First, as above: [`Answered`].
    pub(crate) reference: Ref,
    pub(crate) value: R,
}

/// What a message is to a server or its caller.
pub(crate) enum Role<'a> {
    Request { reply_to: ReplyTo, message: &'a dyn fmt::Debug },
    Cast { message: &'a dyn fmt::Debug },
    Answer { reference: Ref, value: &'a dyn fmt::Debug },
}

/// A message that has a role.
pub(crate) trait Plays {
    fn role(&self) -> Role<'_>;
}

impl<M: Message> Plays for Request<M> {
    fn role(&self) -> Role<'_> {
        Role::Request { reply_to: self.reply_to, message: &self.message }
    }
}

impl<M: Message> Plays for Cast<M> {
    fn role(&self) -> Role<'_> {
        Role::Cast { message: &self.0 }
    }
}

impl<R: Message> Plays for Answer<R> {
    fn role(&self) -> Role<'_> {
        Role::Answer { reference: self.reference, value: &self.value }
    }
}

/// What a type that plays a role is about, told by its full name: `Request<a::Add>` is a request about `Add`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum About {
    Request(String),
    Cast(String),
    Answer(String),
}

impl About {
    /// None for the name of a type without a role.
    pub(crate) fn of(full_name: &str) -> Option<About> {
        let inside = |outer: &str| {
            let (before, after) = outer.split_once("()")?;
            Some(short_name(full_name.strip_prefix(before)?.strip_suffix(after)?))
        };
        None.or_else(|| inside(type_name::<Request<()>>()).map(About::Request))
            .or_else(|| inside(type_name::<Cast<()>>()).map(About::Cast))
            .or_else(|| inside(type_name::<Answer<()>>()).map(About::Answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_told_by_the_name_of_the_type() {
        let about = |name: &str| About::of(name);
        assert_eq!(about(type_name::<Request<String>>()), Some(About::Request("String".into())));
        assert_eq!(about(type_name::<Cast<Vec<String>>>()), Some(About::Cast("Vec<String>".into())));
        assert_eq!(about(type_name::<Answer<()>>()), Some(About::Answer("()".into())));
        for none in [type_name::<String>(), type_name::<Asked>(), "", "a::Request<x>"] {
            assert_eq!(about(none), None);
        }
    }
}
