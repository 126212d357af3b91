//! A receive that chooses among messages, with or without a time-out: what the macro and the runtime's own waits are made
//! of.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Mark;
use super::look::{find, may_look, pick, wait, with_running};
use crate::core::{Due, Inner};
use crate::current::Current;
use crate::mailbox::{Cursor, Envelope, drop_quietly};
use crate::message::Message;
use crate::pid::{LocalPid, Ref};
use crate::timer::TimerKey;
use crate::trace::EventKind;

/// A message that a receive looks at; for the [`receive!`](crate::receive!) macro.
#[doc(hidden)]
pub struct Candidate<'a>(&'a mut Envelope);

impl Candidate<'_> {
    /// Whether it is a `T`.
    pub fn is<T: Message>(&mut self) -> bool {
        self.0.accept::<T>()
    }

    /// The message, if it is a `T` that was not sent as bytes.
    pub(crate) fn peek<T: Message>(&self) -> Option<&T> {
        self.0.peek()
    }

    /// Which request it answers, if it does and was not sent as bytes.
    pub(crate) fn answered(&self) -> Option<Ref> {
        self.0.answered()
    }

    /// Whether it is what comes of this request.
    pub(crate) fn answers(&self, request: Ref) -> bool {
        self.0.answers(request)
    }

    /// Takes it out, if it is a `T`; it has to be put back.
    pub fn take<T: Message>(&mut self) -> Option<T> {
        self.0.take()
    }

    /// Puts it back.
    pub fn restore<T: Message>(&mut self, message: T) {
        self.0.restore(message);
    }
}

/// A message that a receive has taken; for the [`receive!`](crate::receive!) macro.
#[doc(hidden)]
pub struct Received(Envelope);

impl Received {
    pub(crate) fn into_envelope(self) -> Envelope {
        self.0
    }

    /// The message.
    pub fn open<T: Message>(self) -> T {
        self.0.into_message()
    }
}

/// Says which arm wants a message, if any does.
type Wants<'a> = dyn FnMut(&mut Candidate<'_>) -> Option<usize> + Send + 'a;

/// Waits for a message that `wants` wants; for the [`receive!`](crate::receive!) macro.
#[doc(hidden)]
pub fn select<'a>(wants: &'a mut Wants<'a>, timeout: Option<Duration>) -> Select<'a> {
    select_since(Mark::default(), wants, timeout)
}

/// The same for messages that came after `mark`.
#[doc(hidden)]
pub fn select_since<'a>(mark: Mark, wants: &'a mut Wants<'a>, timeout: Option<Duration>) -> Select<'a> {
    Select { wants, cursor: mark.0, patience: timeout.map_or(Patience::Endless, Patience::For) }
}

/// Waits for nothing but the end of this time.
pub(crate) async fn pause(duration: Duration) {
    let nothing =
        Select { wants: &mut |_| None, cursor: Cursor::default(), patience: Patience::Asleep(duration) }.await;
    debug_assert!(nothing.is_none());
}

/// Sees to it that the running process is polled again when a message comes, or one is there.
#[inline]
pub(crate) fn await_messages(context: &mut Context<'_>) -> Poll<()> {
    with_running(context, |current, _, _| wait(current))
}

/// Looks once, from where an earlier look stopped; there is no time-out.
#[inline]
pub(crate) fn poll_select(
    mut wants: impl FnMut(&mut Candidate<'_>) -> Option<usize>,
    cursor: &mut Cursor,
    context: &mut Context<'_>,
) -> Poll<(usize, Received)> {
    with_running(context, |current, slot, id| {
        if !may_look(current, slot) {
            return Poll::Pending;
        }
        match pick(current, slot, id, cursor, |envelope| wants(&mut Candidate(envelope))) {
            Some((arm, envelope)) => Poll::Ready((arm, Received(envelope))),
            None => wait(current),
        }
    })
}

/// Waits for any message.
pub(crate) fn poll_next(context: &mut Context<'_>) -> Poll<Envelope> {
    poll_select(|_| Some(0), &mut Cursor::default(), context).map(|(_, received)| received.0)
}

/// Waits from where an earlier look stopped, and moves that on.
pub(crate) async fn select_from<'a>(
    cursor: &mut Cursor,
    wants: &'a mut Wants<'a>,
    timeout: Option<Duration>,
) -> Option<(usize, Received)> {
    let mut select = select_since(Mark(*cursor), wants, timeout);
    let found = (&mut select).await;
    *cursor = select.cursor;
    found
}

/// Drops the messages that are there and meant: for destructors, which cannot wait.
pub(crate) fn drop_messages(since: Mark, mut is_meant: impl FnMut(&mut Candidate<'_>) -> bool) {
    Current::with(|current| {
        let Some((current, (slot, id))) = current.and_then(|current| Some((current, current.process()?))) else {
            return;
        };
        let mut cursor = since.0;
        let mut matches = |envelope: &mut Envelope| is_meant(&mut Candidate(envelope)).then_some(());
        // Within the guard of a receive, the queue is not to be had.
        while !current.with_own(|own| own.queue_is_lent)
            && let Some((_, envelope)) = find(current, slot, id, &mut cursor, &mut matches)
        {
            drop_quietly(envelope);
        }
    });
}

/// The future of a receive.
#[doc(hidden)]
pub struct Select<'a> {
    wants: &'a mut Wants<'a>,
    cursor: Cursor,
    patience: Patience,
}

/// How long a receive waits.
enum Patience {
    Endless,
    /// It has not begun to.
    For(Duration),
    /// The same, but nobody is told when the time is up: that was the point.
    Asleep(Duration),
    /// Boxed, as most receives wait without a time-out, and idle processes are all receive.
    Until(Box<Deadline>),
}

/// When a receive gives up, and the timer that wakes it then.
pub(crate) struct Deadline {
    /// How long it waits in all, if that is shown to tracers.
    told: Option<Duration>,
    pub(crate) due: Duration,
    timer: Option<Alarm>,
}

/// A timer that wakes a process.
struct Alarm {
    node: std::sync::Weak<Inner>,
    process: LocalPid,
    key: TimerKey,
}

impl Alarm {
    fn is_of(&self, inner: &Inner, process: LocalPid) -> bool {
        std::ptr::eq(self.node.as_ptr(), inner) && self.process == process
    }
}

impl Deadline {
    /// Wakes the process `id` when it is `due`.
    pub(crate) fn new(inner: &Inner, id: LocalPid, due: Duration) -> Self {
        let key = inner.timers.insert(due, Due::Wake(id), None);
        let timer = Some(Alarm { node: inner.downgrade(), process: id, key });
        Deadline { told: None, due, timer }
    }

    /// The receive is polled by another process now, maybe of another node, whose clock says something else.
    #[cold]
    fn move_to(&mut self, inner: &Inner) {
        let Some(Alarm { node, key, .. }) = self.timer.take() else { return };
        let left = node.upgrade().map_or(Duration::ZERO, |before| {
            before.timers.remove(key);
            self.due.saturating_sub(before.now())
        });
        self.due = inner.now().saturating_add(left);
    }
}

impl Future for Select<'_> {
    type Output = Option<(usize, Received)>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Select { wants, cursor, patience } = &mut *self;
        with_running(context, |current, slot, id| {
            if !may_look(current, slot) {
                return Poll::Pending;
            }
            match pick(current, slot, id, cursor, |envelope| wants(&mut Candidate(envelope))) {
                Some((arm, envelope)) => Poll::Ready(Some((arm, Received(envelope)))),
                None if patience.is_over(current, id) => Poll::Ready(None),
                None => wait(current),
            }
        })
    }
}

impl Patience {
    /// Whether the time is up; if not, sees to it that the process is woken when it is.
    fn is_over(&mut self, current: &Current<'_>, id: LocalPid) -> bool {
        let inner = current.inner;
        let deadline = match self {
            Patience::Endless => return false,
            Patience::For(timeout) | Patience::Asleep(timeout) => {
                let (timeout, due) = (*timeout, inner.now().saturating_add(*timeout));
                let told = matches!(self, Patience::For(_)).then_some(timeout);
                *self = Patience::Until(Box::new(Deadline { told, due, timer: None }));
                return self.is_over(current, id);
            }
            Patience::Until(deadline) => deadline,
        };
        if deadline.timer.as_ref().is_some_and(|timer| !timer.is_of(inner, id)) {
            deadline.move_to(inner);
        }
        if deadline.due <= inner.now() {
            if let Some(after) = deadline.told {
                inner.trace(|| EventKind::Timeout { by: inner.pid(id), after });
            }
            return true;
        }
        if deadline.timer.is_none() && deadline.due != Duration::MAX {
            let key = inner.timers.insert(deadline.due, Due::Wake(id), None);
            deadline.timer = Some(Alarm { node: inner.downgrade(), process: id, key });
        }
        false
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        if let Some(Alarm { node, key, .. }) = self.timer.take()
            && let Some(inner) = node.upgrade()
        {
            inner.timers.remove(key);
        }
    }
}
