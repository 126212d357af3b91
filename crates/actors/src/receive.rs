//! Taking messages out of the mailbox: [`receive()`], with a time-out, and the [`receive!`](crate::receive!) macro.
//!
//! A receive takes the first message that it wants and leaves the others where they are, in order: OTP's
//! selective receive. What a type of message costs the compiler is kept to a few lines; the search
//! itself is not generic.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::core::{Due, Inner};
use crate::current::Current;
use crate::mailbox::{Cursor, Envelope, Queue, Wanted, drop_quietly};
use crate::message::Message;
use crate::pid::{LocalPid, Ref};
use crate::slot::{Slot, flag};
use crate::timer::TimerKey;
use crate::trace::{self, EventKind};

/// Waits for the next message of type `T`.
///
/// Messages of other types stay in the mailbox, in order.
///
/// # Cancel safety
/// A receive that is dropped before it is ready has taken nothing.
///
/// # Panics
/// When polled outside of a process.
///
/// ```
/// use greenroom::{receive, self_pid, send};
///
/// greenroom::run(async {
///     send(self_pid(), String::from("one"));
///     send(self_pid(), 2_u32);
///     assert_eq!(receive::<u32>().await, 2);
///     assert_eq!(receive::<String>().await, "one");
/// });
/// ```
pub fn receive<T: Message>() -> Receive<T> {
    Receive { cursor: Cursor::default(), message: PhantomData }
}

/// The future of [`receive()`].
#[must_use = "a receive takes nothing until it is awaited"]
pub struct Receive<T> {
    cursor: Cursor,
    message: PhantomData<fn() -> T>,
}

impl<T: Message> Future for Receive<T> {
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        receive_one(&mut self.cursor, Wanted::of::<T>(), context).map(|envelope| match envelope.into_message() {
            Some(message) => message,
            None => unreachable!("a receive only takes messages of the type it asked for"),
        })
    }
}

impl<T> std::fmt::Debug for Receive<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Receive<{}>", std::any::type_name::<T>())
    }
}

fn receive_one(cursor: &mut Cursor, wanted: Wanted, context: &mut Context<'_>) -> Poll<Envelope> {
    with_running(context, |current, slot, id| {
        if !may_look(current, slot) {
            return Poll::Pending;
        }
        match pick(current, slot, id, cursor, |envelope| wanted.accepts(envelope).then_some(())) {
            Some(((), envelope)) => Poll::Ready(envelope),
            None => wait(current),
        }
    })
}

/// Waits for the next message of type `T`, but no longer than `timeout`.
///
/// With a time-out of zero it looks at what is there and does not wait. A receive that times out has
/// taken nothing.
///
/// # Cancel safety
/// As for [`receive()`].
///
/// ```
/// use std::time::Duration;
/// use greenroom::receive_timeout;
///
/// greenroom::run(async {
///     assert_eq!(receive_timeout::<u32>(Duration::from_millis(1)).await, None);
/// });
/// ```
pub async fn receive_timeout<T: Message>(timeout: Duration) -> Option<T> {
    let found = select(&mut |candidate| candidate.is::<T>().then_some(0), Some(timeout)).await;
    found.map(|(_, received)| received.open::<T>())
}

/// Waits for the first message that one of several arms wants: OTP's `receive … after … end`.
///
/// With `since mark;` in front, only messages that came after that [`Mark`] are looked at: so an answer is
/// found at once, however many messages wait.
///
/// An arm is `pattern: Type => body` or `pattern: Type if guard => body`; the last one may be
/// `after duration => body`. For each message in turn, oldest first, the arms are tried from top to
/// bottom; a message that no arm wants stays where it is.
///
/// ```
/// use std::time::Duration;
/// use greenroom::{receive, self_pid, send};
///
/// greenroom::run(async {
///     send(self_pid(), 3_u64);
///     send(self_pid(), 12_u64);
///     let answer = receive! {
///         n: u64 if n > 10 => format!("big: {n}"),
///         text: String => text,
///         after Duration::from_secs(1) => String::from("nothing"),
///     };
///     assert_eq!(answer, "big: 12");
/// });
/// ```
#[macro_export]
macro_rules! receive {
    (since $mark:expr; $($arms:tt)+) => { $crate::__receive_arms!([{ @since $mark }] [] $($arms)+) };
    ($($arms:tt)+) => { $crate::__receive_arms!([] [] $($arms)+) };
}

/// Splits the arms of `receive!` one by one: `[done arms] [pattern so far] rest`.
#[doc(hidden)]
#[macro_export]
macro_rules! __receive_arms {
    // The last arm: a time-out.
    ([$($done:tt)*] [] after $timeout:expr => $body:block $(,)?) => {
        $crate::__receive_run!([$($done)*] (::core::option::Option::Some($timeout)) $body)
    };
    ([$($done:tt)*] [] after $timeout:expr => $body:expr $(,)?) => {
        $crate::__receive_run!([$($done)*] (::core::option::Option::Some($timeout)) $body)
    };
    // No arm left.
    ([$($done:tt)*] []) => {
        $crate::__receive_run!([$($done)*] (::core::option::Option::None)
            ::core::unreachable!("a receive without a time-out does not time out"))
    };
    // The pattern ends at the first colon.
    ($done:tt [$($pattern:tt)+] : $($rest:tt)+) => {
        $crate::__receive_type!($done [$($pattern)+] [] $($rest)+)
    };
    ($done:tt [$($pattern:tt)*] $next:tt $($rest:tt)*) => {
        $crate::__receive_arms!($done [$($pattern)* $next] $($rest)*)
    };
}

/// Splits off the type of an arm, up to `if` or `=>`.
#[doc(hidden)]
#[macro_export]
macro_rules! __receive_type {
    ($done:tt $pattern:tt [$($type:tt)+] => $($rest:tt)+) => {
        $crate::__receive_body!($done $pattern [$($type)+] [true] $($rest)+)
    };
    ($done:tt $pattern:tt [$($type:tt)+] if $guard:expr => $($rest:tt)+) => {
        $crate::__receive_body!($done $pattern [$($type)+] [$guard] $($rest)+)
    };
    ($done:tt $pattern:tt [$($type:tt)*] $next:tt $($rest:tt)+) => {
        $crate::__receive_type!($done $pattern [$($type)* $next] $($rest)+)
    };
}

/// Splits off the body of an arm: a block, or an expression up to a comma.
#[doc(hidden)]
#[macro_export]
macro_rules! __receive_body {
    ([$($done:tt)*] $pattern:tt $type:tt $guard:tt $body:block $(,)?) => {
        $crate::__receive_arms!([$($done)* { $pattern $type $guard $body }] [])
    };
    ([$($done:tt)*] $pattern:tt $type:tt $guard:tt $body:block, $($rest:tt)+) => {
        $crate::__receive_arms!([$($done)* { $pattern $type $guard $body }] [] $($rest)+)
    };
    ([$($done:tt)*] $pattern:tt $type:tt $guard:tt $body:expr) => {
        $crate::__receive_arms!([$($done)* { $pattern $type $guard $body }] [])
    };
    ([$($done:tt)*] $pattern:tt $type:tt $guard:tt $body:expr, $($rest:tt)*) => {
        $crate::__receive_arms!([$($done)* { $pattern $type $guard $body }] [] $($rest)*)
    };
    ([$($done:tt)*] $pattern:tt $type:tt $guard:tt $body:block $($rest:tt)+) => {
        $crate::__receive_arms!([$($done)* { $pattern $type $guard $body }] [] $($rest)+)
    };
}

/// Looks for a message, then runs the body of the arm that wanted it.
///
/// A guard is tried with the message taken out of its envelope, so that it sees it as the body will. The
/// arm then always falls through, which leaves the message whole; the body matches it once more.
#[doc(hidden)]
#[macro_export]
macro_rules! __receive_run {
    ([{ @since $mark:expr } $($arms:tt)*] $timeout:tt $after:expr) => {
        $crate::__receive_run!(@since ($mark) [$($arms)*] $timeout $after)
    };
    ([$($arms:tt)*] $timeout:tt $after:expr) => {
        $crate::__receive_run!(@since ($crate::receive::Mark::default()) [$($arms)*] $timeout $after)
    };
    (@since ($mark:expr) [$({ [$($pattern:tt)+] [$($type:tt)+] [$guard:expr] $body:expr })*] ($timeout:expr)
        $after:expr) => {{
        let found = $crate::receive::select_since(
            $mark,
            &mut |candidate| {
                let mut arm = 0_usize;
                $(
                    if let ::core::option::Option::Some(message) = candidate.take::<$($type)+>() {
                        let mut wanted = false;
                        #[allow(unused_variables, unreachable_patterns, clippy::redundant_guards)]
                        let message = match message {
                            $($pattern)+ if $guard && { wanted = true; false } => ::core::unreachable!(),
                            whole => whole,
                        };
                        candidate.restore::<$($type)+>(message);
                        if wanted {
                            return ::core::option::Option::Some(arm);
                        }
                    }
                    arm += 1;
                )*
                let _ = arm;
                ::core::option::Option::None
            },
            $timeout,
        )
        .await;
        match found {
            ::core::option::Option::None => $after,
            ::core::option::Option::Some((arm, received)) => {
                $crate::__receive_dispatch!(arm, received, [] $({ [$($pattern)+] [$($type)+] [$guard] $body })*)
            }
        }
    }};
}

/// Runs the body of one of the arms: `arm` counts down to it.
#[doc(hidden)]
#[macro_export]
macro_rules! __receive_dispatch {
    ($arm:ident, $received:ident, [$($count:tt)*] { [$($pattern:tt)+] [$($type:tt)+] [$guard:expr] $body:expr } $($rest:tt)*) => {
        if $arm == 0 $(+ $count)* {
            #[allow(unreachable_patterns)]
            match $received.open::<$($type)+>() {
                // Mentioned, not called: what only the guard uses is used.
                $($pattern)+ if { let _ = || $guard; true } => $body,
                _ => ::core::unreachable!("the pattern matched a moment ago"),
            }
        } else {
            $crate::__receive_dispatch!($arm, $received, [$($count)* 1] $($rest)*)
        }
    };
    ($arm:ident, $received:ident, [$($count:tt)*]) => {
        ::core::unreachable!("every message was wanted by one of the arms")
    };
}

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
        match self.0.into_message() {
            Some(message) => message,
            None => unreachable!("a receive only takes messages of the types it asked for"),
        }
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

/// A place in the mailbox of a process: see [`mark`]. The default is its beginning.
#[derive(Clone, Copy, Default)]
pub struct Mark(pub(crate) Cursor);

impl std::fmt::Debug for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mark")
    }
}

/// The end of the running process's mailbox as it is now, for `receive! { since mark; … }`.
///
/// Taken before a request is sent, it lets the answer be found without looking at what had arrived
/// before. It is a hint: where other messages are taken out meanwhile, everything is looked at, as without
/// it. (OTP's compiler does this by itself for a reference that was made in the same function.)
///
/// ```
/// use greenroom::{Pid, Ref, mark, receive, self_pid, send, spawn};
///
/// greenroom::run(async {
///     let server = spawn(async {
///         let (caller, reference) = receive::<(Pid, Ref)>().await;
///         send(caller, (reference, 42_u64));
///     });
///     let (mark, reference) = (mark(), Ref::new());
///     send(server, (self_pid(), reference));
///     let answer = receive! {
///         since mark;
///         (to, n): (Ref, u64) if to == reference => n,
///     };
///     assert_eq!(answer, 42);
/// });
/// ```
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn mark() -> Mark {
    crate::current::running("mark", mark_in)
}

/// The same for a caller that knows the running process.
#[inline]
pub(crate) fn mark_in(current: &Current<'_>, slot: &Slot, id: LocalPid) -> Mark {
    if current.with_own(|own| own.queue_is_lent) {
        return Mark::default(); // Within a guard: nobody may touch the queue.
    }
    // SAFETY: this is the running process, and nobody has taken a loan of its queue.
    let queue = unsafe { slot.queue() };
    refill(current, slot, queue);
    Mark(queue.end(current.inner.pid(id)))
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

/// Gives `look` the running process, and sees to it that whoever polls is polled again if it found nothing.
#[inline]
fn with_running<R>(context: &mut Context<'_>, look: impl FnOnce(&Current<'_>, &Slot, LocalPid) -> Poll<R>) -> Poll<R> {
    Current::with(|current| {
        let process = current.and_then(|current| Some((current, current.process()?)));
        let Some((current, (slot, id))) = process else { crate::current::outside("receive") };
        let polled = look(current, slot, id);
        if polled.is_pending() && !current.has_lent(context.waker()) {
            listen(current, context.waker());
        }
        polled
    })
}

/// Whether the process may go on. The worker sees if not, too: it puts the process at the end of the line, or
/// clears it away.
#[inline]
fn may_look(current: &Current<'_>, slot: &Slot) -> bool {
    current.charge(1);
    !current.is_exhausted() && slot.may_go_on()
}

/// Nothing is there: the next message wakes the process.
#[inline]
fn wait<R>(current: &Current<'_>) -> Poll<R> {
    current.with_own(|own| own.wants_messages = true);
    Poll::Pending
}

/// Looks at what has arrived since the last look.
#[inline]
fn pick<A>(
    current: &Current<'_>,
    slot: &Slot,
    id: LocalPid,
    cursor: &mut Cursor,
    matches: impl FnMut(&mut Envelope) -> Option<A>,
) -> Option<(A, Envelope)> {
    let was_lent = current.with_own(|own| own.queue_is_lent);
    assert!(!was_lent, "a receive was polled within the guard of another");
    let (arm, mut envelope) = find(current, slot, id, cursor, matches)?;
    current.count_received();
    if slot.is_limited() {
        current.inner.made_room(id);
    }
    if trace::IS_BUILT_IN && (envelope.token().is_some() || current.inner.is_heard_for(current)) {
        current.inner.trace_receive(&mut envelope);
    }
    Some((arm, envelope))
}

/// Takes the first that matches out of the queue, which is on loan while `matches` runs: that is the user's code and
/// may do anything.
#[inline]
fn find<A>(
    current: &Current<'_>,
    slot: &Slot,
    id: LocalPid,
    cursor: &mut Cursor,
    matches: impl FnMut(&mut Envelope) -> Option<A>,
) -> Option<(A, Envelope)> {
    if slot.has_nothing() {
        return None;
    }
    let _loan = Loan::take(current);
    // SAFETY: this is the running process, and the loan keeps everyone else away from its queue.
    let queue = unsafe { slot.queue() };
    refill(current, slot, queue);
    queue.pick(&slot.kept, current.inner.pid(id), cursor, matches)
}

/// Takes over what has arrived. A receive that has looked before in this turn, and waits, has to look again: nobody
/// wakes the process for what is no longer in the inbox.
#[inline]
fn refill(current: &Current<'_>, slot: &Slot, queue: &mut Queue) {
    if queue.refill(&slot.kept, &slot.inbox, slot.tag()) && current.with_own(|own| own.wants_messages) {
        slot.raise(flag::NOTIFIED);
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

/// Gives the queue back to its process, also when the user's code panics.
struct Loan<'a, 'c>(&'a Current<'c>);

impl<'a, 'c> Loan<'a, 'c> {
    #[inline]
    fn take(current: &'a Current<'c>) -> Self {
        current.with_own(|own| own.queue_is_lent = true);
        Loan(current)
    }
}

impl Drop for Loan<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        self.0.with_own(|own| own.queue_is_lent = false);
    }
}

/// Sees to it that a waker which is not the process's own is woken whenever the process is.
#[cold]
fn listen(current: &Current<'_>, waker: &Waker) {
    let waker = waker.clone();
    if current.is_exhausted() {
        return waker.wake();
    }
    current.with_own(|own| own.rare.get_or_insert_default().listeners.push(waker));
}
