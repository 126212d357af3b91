//! The life of a server's process: `init`, one message after the other, `terminate`.

use std::any::type_name;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::error::InitError;
use super::message::AnyMessage;
use super::next::{End, Next, Parting, Step};
use super::sys::{Description, Job, Outcome, Stop, Sys, SysReply, Work};
use super::{Caller, GenServer};
use crate::current::running;
use crate::message::{Exit, Local, short_name};
use crate::pending::Refusal;
use crate::pid::{Pid, Ref};
use crate::process::{is_alive, self_pid, set_label, unlink};
use crate::reason::ExitReason;
use crate::receive::{Candidate, poll_next, select};
use crate::request::{ReplyTo, Request};
use crate::runner::guarded;
use crate::slot::flag;

/// Runs handlers. What that comes to, or the reason for which it ends the server if one panics.
macro_rules! caught {
    ($handler:expr) => {{
        let mut future = pin!($handler);
        poll_fn(|context| match guarded(|| future.as_mut().poll(context)) {
            Ok(polled) => polled.map(Ok),
            Err(reason) => Poll::Ready(Err(reason)),
        })
        .await
    }};
}

/// Whom a new server has to tell that it is ready.
pub(super) struct Starter {
    pub(super) pid: Pid,
    pub(super) reference: Ref,
    pub(super) is_linked: bool,
}

impl Starter {
    fn tell(&self, outcome: Result<(), InitError>) {
        let reply_to = ReplyTo { caller: self.pid, noted_at: self_pid(), reference: self.reference };
        Caller::new(reply_to).reply(outcome);
    }
}

/// Runs a server from start to end.
pub(super) async fn serve<S: GenServer>(args: S::Args, starter: Starter) -> ExitReason {
    set_label(name_of::<S>());
    let server = match S::init(args).await {
        Ok(server) => server,
        Err(error) => {
            unlink(starter.pid);
            let reason = match &error {
                InitError::Ignore => ExitReason::Normal,
                InitError::Stop(reason) => reason.clone(),
            };
            starter.tell(Err(error));
            return reason;
        }
    };
    running("serve", |_, slot, _| slot.raise(flag::SERVES));
    starter.tell(Ok(()));
    let parent = starter.is_linked.then_some(starter.pid);
    let mut host = Host { server, parent, is_suspended: false };
    let end = caught!(host.run()).unwrap_or_else(|reason| End { reason, parting: None });
    if !is_alive(self_pid()) {
        return end.reason; // It has ended itself in a handler: there is nothing it could clean up any more.
    }
    let terminated = caught!(host.server.terminate(&end.reason));
    if let Some(parting) = end.parting {
        let Parting { to, answer } = parting;
        running("reply", |current, _, _| current.inner.send_answer(current, to, answer));
    }
    terminated.err().unwrap_or(end.reason)
}

pub(super) fn name_of<S>() -> String {
    short_name(type_name::<S>())
}

struct Host<S> {
    server: S,
    parent: Option<Pid>,
    is_suspended: bool,
}

impl<S: GenServer> Host<S> {
    async fn run(&mut self) -> End {
        let mut next = self.server.handle_continue().await;
        loop {
            let (message, time) = match next.0 {
                Step::Receive => (self.receive(None).await, None),
                Step::ReceiveWithin(time) => (self.receive(Some(time)).await, Some(time)),
                Step::Handle(message) => (Some(message), None),
                Step::Stop(end) => return *end,
            };
            let Some(message) = message else {
                next = self.server.handle_timeout().await;
                continue;
            };
            if let Some(reason) = self.exit_of_parent(&message) {
                return End { reason, parting: None };
            }
            next = match self.server.accept(message).await {
                Ok(next) => next,
                Err(message) => match self.attend(message) {
                    Attended::Done => time.map_or_else(Next::go, Next::timeout),
                    Attended::Stop(reason) => Next::stop(reason),
                    Attended::Not(message) => self.server.handle_info(message).await,
                },
            };
        }
    }

    /// Waits for the next message, for so long. While the server is suspended, only what concerns the host is one.
    async fn receive(&mut self, time: Option<Duration>) -> Option<AnyMessage> {
        if self.is_suspended {
            let (_, received) = select(&mut |candidate| concerns_host::<S>(candidate).then_some(0), None).await?;
            return Some(AnyMessage::of(received.into_envelope()));
        }
        match time {
            Some(time) => {
                let (_, received) = select(&mut |_| Some(0), Some(time)).await?;
                Some(AnyMessage::of(received.into_envelope()))
            }
            None => Some(AnyMessage::of(poll_fn(poll_next).await)),
        }
    }

    fn exit_of_parent(&self, message: &AnyMessage) -> Option<ExitReason> {
        let exit = message.peek::<Exit>()?;
        (self.parent == Some(exit.from)).then(|| exit.reason.clone())
    }

    /// Deals with what the server has not declared, if it concerns the host.
    fn attend(&mut self, mut message: AnyMessage) -> Attended {
        if message.is_request::<Sys>() {
            let (asked, caller, _) = message.into_request::<Sys, _>();
            caller.reply(self.answer(&asked));
            return Attended::Done;
        }
        if message.is_request::<Stop>() {
            let (Stop(reason), ..) = message.into_request::<Stop, ()>();
            return Attended::Stop(reason);
        }
        if message.is_request::<Work<S>>() {
            let (Local(Job(job)), caller, _) = message.into_request::<Work<S>, Local<std::thread::Result<Outcome>>>();
            // What panics is not the server's, but its caller's, who gets it back.
            caller.reply(Local(catch_unwind(AssertUnwindSafe(|| job(&mut self.server)))));
            return Attended::Done;
        }
        let Some(reply_to) = message.reply_to() else { return Attended::Not(message) };
        let calls = S::accepted().into_iter().filter(|accepted| accepted.reply.is_some());
        let accepts = calls.map(|accepted| accepted.to_string()).collect();
        Caller::new(reply_to).reply(Refusal { server: name_of::<S>(), accepts });
        Attended::Done
    }

    fn answer(&mut self, request: &Sys) -> SysReply {
        match request {
            Sys::Suspend => self.is_suspended = true,
            Sys::Resume => self.is_suspended = false,
            Sys::Describe => {
                let server = type_name::<S>().to_owned();
                return SysReply::Described(Description { server, accepts: S::accepted() });
            }
            Sys::ShowState => return SysReply::State(format!("{:#?}", self.server)),
        }
        SysReply::Done
    }
}

/// What the host does with a message.
enum Attended {
    Done,
    Stop(ExitReason),
    /// Nothing: it does not concern the host.
    Not(AnyMessage),
}

fn concerns_host<S: GenServer>(candidate: &mut Candidate<'_>) -> bool {
    candidate.is::<Request<Sys>>()
        || candidate.is::<Request<Stop>>()
        || candidate.is::<Request<Work<S>>>()
        || candidate.is::<Exit>()
}
