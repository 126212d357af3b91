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

    /// The request, if it is one for an `M`; for [`accepts!`](crate::accepts!).
    #[doc(hidden)]
    pub fn request<M: Message>(self) -> Result<Asked<M>, AnyMessage> {
        self.take().map(|Request { reply_to, message }| Asked { message, reply_to })
    }

    /// What was cast, if it is an `M`; for [`accepts!`](crate::accepts!).
    #[doc(hidden)]
    pub fn cast<M: Message>(self) -> Result<M, AnyMessage> {
        self.take().map(|Cast(message)| message)
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

/// A request and who waits for the answer; for [`accepts!`](crate::accepts!).
#[doc(hidden)]
pub struct Asked<M> {
    pub message: M,
    reply_to: ReplyTo,
}

impl<M> Asked<M> {
    /// Who waits, and the same once more, for the answer that its handler returns.
    pub fn caller<R: Message>(&self) -> (Caller<R>, Caller<R>) {
        (Caller::new(self.reply_to), Caller::new(self.reply_to))
    }
}

impl<R: Message> Reply<R> {
    /// Answers, if that is to be done at once, and says what is next; for [`accepts!`](crate::accepts!).
    #[doc(hidden)]
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
