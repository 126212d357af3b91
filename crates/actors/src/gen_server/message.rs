//! What arrives at a server, before it is known to be one thing or another.

use std::fmt;

use super::Caller;
use super::next::{End, Next, Parting, Reply, Step};
use crate::current::running;
use crate::mailbox::Envelope;
use crate::message::Message;
use crate::request::{Cast, ReplyTo, Request};

/// A message of any type: what a server gets that it has not declared. See
/// [`GenServer::handle_info`](super::GenServer::handle_info).
pub struct AnyMessage(Envelope);

impl AnyMessage {
    pub(super) fn new<M: Message>(message: M) -> Self {
        AnyMessage(Envelope::new(message))
    }

    pub(super) fn of(envelope: Envelope) -> Self {
        AnyMessage(envelope)
    }

    /// The message, if it is an `M`.
    ///
    /// # Errors
    /// Itself, if it is something else.
    pub fn take<M: Message>(mut self) -> Result<M, AnyMessage> {
        self.0.take().ok_or(self)
    }

    /// The full name of its type.
    pub fn type_name(&self) -> &str {
        self.0.type_name()
    }

    /// Whether it is a request for an `M`; this and the next ones are for [`accepts!`](crate::accepts!).
    #[doc(hidden)]
    #[inline]
    pub fn is_request<M: Message>(&mut self) -> bool {
        self.0.accept::<Request<M>>()
    }

    /// Whether an `M` was cast.
    #[doc(hidden)]
    #[inline]
    pub fn is_cast<M: Message>(&mut self) -> bool {
        self.0.accept::<Cast<M>>()
    }

    /// Whether it is an `M`.
    #[doc(hidden)]
    #[inline]
    pub fn is<M: Message>(&mut self) -> bool {
        self.0.accept::<M>()
    }

    /// What is asked, who waits, and the same once more, for the answer that its handler returns.
    #[doc(hidden)]
    #[inline]
    pub fn into_request<M: Message, R: Message>(self) -> (M, Caller<R>, Caller<R>) {
        let Request { reply_to, message } = self.into_message();
        (message, Caller::new(reply_to), Caller::new(reply_to))
    }

    /// What was cast.
    #[doc(hidden)]
    #[inline]
    pub fn into_cast<M: Message>(self) -> M {
        let Cast(message) = self.into_message();
        message
    }

    /// The `M` that it is.
    #[doc(hidden)]
    #[inline]
    pub fn into_message<M: Message>(self) -> M {
        self.0.into_message()
    }

    pub(super) fn peek<M: Message>(&self) -> Option<&M> {
        self.0.peek()
    }

    /// Who waits for an answer to this, if anybody does.
    pub(super) fn reply_to(&self) -> Option<ReplyTo> {
        self.0.reply_to()
    }
}

impl fmt::Debug for AnyMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<R: Message> Reply<R> {
    /// Answers, if that is to be done at once, and says what is next; for [`accepts!`](crate::accepts!).
    #[doc(hidden)]
    #[inline]
    pub fn send(self, caller: Caller<R>) -> Next {
        let Some(value) = self.value else { return self.next };
        let (to, answer) = caller.answer(value);
        match self.next.0 {
            Step::Stop(end) => Next(Step::Stop(Box::new(End { parting: Some(Parting { to, answer }), ..*end }))),
            step => {
                running("reply", |current, _, _| current.inner.send_answer(current, to, answer));
                Next(step)
            }
        }
    }
}
