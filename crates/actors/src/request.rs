//! What servers and those who ask them send each other: requests, answers, and messages that want none.
//!
//! They are messages like any other, also on the wire: what is asked is part of the type, by which the far end
//! recognises it. Who answers, and how a caller waits, is the affair of `gen_server`.

use std::any::type_name;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::message::{Message, Private, Target, short_name};
use crate::pid::{Pid, Ref};
use crate::trace::Signal;

/// Where an answer goes. It is good for one.
///
/// It is copied by sixteens of bytes, which is quick where none of them straddles two that were just written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(C)]
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
            let full_name = within(full_name, outer)?;
            Some(short_name(within(full_name, type_name::<Private<()>>()).unwrap_or(full_name)))
        };
        None.or_else(|| inside(type_name::<Request<()>>()).map(About::Request))
            .or_else(|| inside(type_name::<Cast<()>>()).map(About::Cast))
            .or_else(|| inside(type_name::<Answer<()>>()).map(About::Answer))
    }
}

/// What stands in the name of a generic type where it is `()` in `outer`.
fn within<'a>(full_name: &'a str, outer: &str) -> Option<&'a str> {
    let (before, after) = outer.split_once("()")?;
    full_name.strip_prefix(before)?.strip_suffix(after)
}

/// What a message of this type is, for the label of an arrow; `text` is how it is shown.
pub(crate) fn signal(type_name: &str, text: String) -> Signal {
    match About::of(type_name) {
        Some(About::Request(name)) => {
            // What the runtime asks itself are variants of enumerations.
            let is_private = within(type_name, std::any::type_name::<Request<Private<()>>>()).is_some();
            let variant = if is_private { variant(&text) } else { None };
            Signal::Call { name: variant.map_or(name, str::to_owned), text }
        }
        Some(About::Cast(name)) => Signal::Cast { name, text },
        Some(About::Answer(_)) => Signal::Reply { text },
        None => Signal::Info { name: short_name(type_name), text },
    }
}

/// The name at the beginning of a derived `Debug` form.
fn variant(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let is_name = name.starts_with(char::is_uppercase) && (rest.is_empty() || rest.starts_with(['(', ' ']));
    is_name.then_some(name)
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
        assert_eq!(about(type_name::<Request<Private<String>>>()), Some(About::Request("String".into())));
        for none in [type_name::<String>(), type_name::<Asked>(), "", "a::Request<x>"] {
            assert_eq!(about(none), None);
        }
    }

    #[test]
    fn a_call_is_labelled_by_its_type_and_one_of_the_runtime_by_its_variant() {
        let label = |text: &str| match signal(type_name::<Request<Private<u64>>>(), text.to_owned()) {
            Signal::Call { name, .. } => name,
            other => panic!("{other:?}"),
        };
        for (text, expected) in [
            ("Add(3)", "Add"),
            ("Stop", "Stop"),
            ("Put { key: 1 }", "Put"),
            ("3", "u64"),
            ("Local<Job>", "u64"),
            ("", "u64"),
        ] {
            assert_eq!(label(text), expected);
        }
        let call = Signal::Call { name: "Do".into(), text: "Tell".into() };
        assert_eq!(signal(&type_name::<Request<u64>>().replace("u64", "a::Do"), "Tell".into()), call);
    }
}
