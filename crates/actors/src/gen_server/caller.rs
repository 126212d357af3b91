//! The caller of a request, as its server sees it: where the answer goes, once.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::current::running;
use crate::mailbox::Envelope;
use crate::message::Message;
use crate::pid::Pid;
use crate::request::{Answer, ReplyTo};

/// Who waits for an answer of type `R`: what OTP calls `From`.
///
/// It is data: a server can keep it, or hand it to another process, on any node, and whoever has it can answer. The
/// first answer is delivered; what comes when the caller no longer waits, or the server has ended, is dropped.
///
/// ```
/// use greenroom::gen_server::{Caller, GenServer, InitError, Reply};
/// use greenroom::{accepts, spawn};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize)]
/// struct Sum(Vec<u64>);
///
/// #[derive(Debug)]
/// struct Adder;
/// accepts! { Adder: call sum(Sum, caller) -> u64; }
///
/// impl GenServer for Adder {
///     type Args = ();
///     async fn init((): ()) -> Result<Self, InitError> {
///         Ok(Adder)
///     }
/// }
///
/// impl Adder {
///     /// Lets another process do the work, and is free for the next call at once.
///     async fn sum(&mut self, Sum(numbers): Sum, caller: Caller<u64>) -> Reply<u64> {
///         spawn(async move { caller.reply(numbers.iter().sum()) });
///         Reply::later()
///     }
/// }
///
/// greenroom::run(async {
///     let adder = Adder::start_link(()).await.unwrap();
///     assert_eq!(adder.call(Sum(vec![1, 2, 3])).await, Ok(6));
/// });
/// ```
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
#[must_use = "the caller waits until it is answered"]
pub struct Caller<R> {
    reply_to: ReplyTo,
    #[serde(skip)]
    _reply: PhantomData<fn(R)>,
}

impl<R: Message> Caller<R> {
    pub(super) fn new(reply_to: ReplyTo) -> Self {
        Caller { reply_to, _reply: PhantomData }
    }

    /// Answers.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn reply(self, value: R) {
        let (to, envelope) = self.answer(value);
        running("Caller::reply", |current, _, _| current.inner.send_answer(current, to, envelope));
    }

    /// The answer, and where it goes.
    pub(super) fn answer(self, value: R) -> (ReplyTo, Envelope) {
        let ReplyTo { reference, .. } = self.reply_to;
        (self.reply_to, Envelope::in_role(Answer { reference, value }))
    }
}

impl<R> Caller<R> {
    /// The process that waits.
    pub fn pid(&self) -> Pid {
        self.reply_to.caller
    }
}

impl<R> fmt::Debug for Caller<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Caller").field(&self.reply_to.caller).finish()
    }
}
