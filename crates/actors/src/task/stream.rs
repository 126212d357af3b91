//! A task for each of many inputs, so many at a time, and their values as a stream.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use rustc_hash::FxHashMap;

use super::tie::{self, Order, Outcome, Tie};
use crate::core::Inner;
use crate::current::{Current, running};
use crate::mailbox::Cursor;
use crate::message::Exit;
use crate::pid::{Pid, Ref};
use crate::process::{exit_self, self_pid};
use crate::reason::ExitReason;
use crate::receive::{Candidate, Deadline, Mark, drop_messages, poll_select};

/// Runs `work` for each input in a task of its own, some at a time, and gives their values in the order of the inputs.
///
/// It is a [`Stream`], and there are [`AsyncStream::next`] and [`AsyncStream::all`] for those who need no combinators.
/// Inputs are taken when a task can be started for them, so there may be infinitely many. Tasks are started when the
/// stream is polled.
///
/// ```
/// use greenroom::task::async_stream;
///
/// greenroom::run(async {
///     let squares = async_stream(1..=4_u32, |n| async move { n * n }).max_concurrency(2).all().await;
///     let squares: Result<Vec<u32>, _> = squares.into_iter().collect();
///     assert_eq!(squares.unwrap(), [1, 4, 9, 16]);
/// });
/// ```
///
/// The tasks are linked: if one crashes, so does the process that polls the stream, unless it traps exits or the
/// stream is [`nolink`](AsyncStream::nolink); then an error comes in place of the value. If that process ends, or drops
/// the stream, the tasks that are under way are killed, and nothing of them is left: no message, no link.
///
/// Differs from Elixir: values that wait for an earlier one count as under way, so that what is held is bounded; and
/// there is no limit of time unless one is set.
pub fn async_stream<I, F, Fut>(inputs: I, work: F) -> AsyncStream<I::IntoIter, F, Fut::Output>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future<Output: fmt::Debug + Send + 'static> + Send + 'static,
{
    AsyncStream {
        inputs: Some(inputs.into_iter()),
        work,
        keep: None,
        tie: Tie::Linked,
        order: Handing::Ordered,
        most: None,
        timeout: None,
        owner: None,
        flights: BTreeMap::new(),
        numbers: FxHashMap::default(),
        started: 0,
        cursor: Cursor::default(),
        alarm: None,
    }
}

/// The stream of [`async_stream`]. Its items are `Result<T, Failed<Input>>`.
///
/// It is to be dropped by the process that polls it: another kills the tasks, but cannot take out of that one's mailbox
/// what has come already.
///
/// # Panics
/// When polled outside of a process, or by another than the first time.
#[must_use = "a stream does nothing unless polled"]
pub struct AsyncStream<I: Iterator, F, T> {
    /// Until there are no more.
    inputs: Option<I>,
    work: F,
    keep: Option<Keep<I::Item>>,
    tie: Tie,
    order: Handing,
    most: Option<usize>,
    timeout: Option<(Duration, OnTimeout)>,
    /// Who polls it.
    owner: Option<Pid>,
    /// What is under way, by number of input: at most as many as may run.
    flights: BTreeMap<u64, Flight<I::Item, T>>,
    /// The numbers of those that run.
    numbers: FxHashMap<Ref, u64>,
    started: u64,
    cursor: Cursor,
    alarm: Option<Deadline>,
}

/// Makes the copy of an input that its error is to carry.
type Keep<In> = fn(&In) -> In;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Handing {
    Ordered,
    Unordered,
}

struct Flight<In, T> {
    pid: Pid,
    reference: Ref,
    /// When its time is up.
    due: Duration,
    input: Option<In>,
    /// What has come of it, while it waits for an earlier one.
    done: Option<Result<T, Why>>,
}

/// What happens when an item of an [`async_stream`] takes too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnTimeout {
    /// The process that polls the stream ends, and with it all tasks.
    Exit,
    /// The task is killed, and an error comes in place of its value.
    KillTask,
}

/// An item of an [`async_stream`] has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed<I> {
    /// The input, if it was [asked for](AsyncStream::with_input).
    pub input: Option<I>,
    /// Why.
    pub why: Why,
}

/// Why an item of an [`async_stream`] has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its task has ended.
    Exited(ExitReason),
    /// It took longer than this.
    TimedOut(Duration),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Exited(reason) => write!(f, "its task has ended: {reason}"),
            Why::TimedOut(after) => write!(f, "its task was killed as it took longer than {after:?}"),
        }
    }
}

impl<I: fmt::Debug> fmt::Display for Failed<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.input {
            Some(input) => write!(f, "no value for {input:?}: {}", self.why),
            None => write!(f, "no value for an item: {}", self.why),
        }
    }
}

impl<I: fmt::Debug> std::error::Error for Failed<I> {}

impl<I: Iterator, F, T> AsyncStream<I, F, T> {
    /// How many tasks may be under way: as many as the node has workers, if not said.
    ///
    /// # Panics
    /// With zero: nothing would ever run.
    #[track_caller]
    pub fn max_concurrency(mut self, most: usize) -> Self {
        assert!(most > 0, "an async_stream needs a max_concurrency of at least 1");
        self.most = Some(most);
        self
    }

    /// Gives values as they come, instead of in the order of the inputs.
    pub fn unordered(mut self) -> Self {
        self.order = Handing::Unordered;
        self
    }

    /// How long each item may take, and what happens when it has not come then.
    pub fn timeout(mut self, each: Duration, then: OnTimeout) -> Self {
        self.timeout = Some((each, then));
        self
    }

    /// A task that crashes leaves the process that polls the stream alone; its error comes in place of the value.
    pub fn nolink(mut self) -> Self {
        self.tie = Tie::Watched;
        self
    }

    /// Lets each error carry its input. Elixir's `zip_input_on_exit`.
    pub fn with_input(mut self) -> Self
    where
        I::Item: Clone,
    {
        self.keep = Some(I::Item::clone);
        self
    }
}

impl<I, F, Fut, T> AsyncStream<I, F, T>
where
    I: Iterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
    T: fmt::Debug + Send + 'static,
{
    /// The next item, or `None` after the last.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it has taken nothing; what is under way goes on.
    ///
    /// # Panics
    /// As the stream: see [`AsyncStream`].
    pub async fn next(&mut self) -> Option<Result<T, Failed<I::Item>>> {
        poll_fn(|context| self.poll_item(context)).await
    }

    /// All items.
    ///
    /// # Panics
    /// As the stream: see [`AsyncStream`].
    pub async fn all(mut self) -> Vec<Result<T, Failed<I::Item>>> {
        let mut all = Vec::new();
        while let Some(item) = self.next().await {
            all.push(item);
        }
        all
    }

    fn poll_item(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T, Failed<I::Item>>>> {
        let myself = self_pid();
        let owner = *self.owner.get_or_insert(myself);
        assert!(owner == myself, "an async_stream is polled by one process: {owner}, not {myself}");
        loop {
            if let Some(item) = self.first_done() {
                return Poll::Ready(Some(item));
            }
            self.fill();
            if self.flights.is_empty() {
                return Poll::Ready(None);
            }
            let (numbers, cursor) = (&self.numbers, &mut self.cursor);
            let mut wanted = |message: &mut Candidate<'_>| tie::wanted(message, |of| numbers.contains_key(&of));
            let (number, done) = match poll_select(&mut wanted, cursor, context) {
                Poll::Ready((arm, received)) => {
                    let (reference, outcome) = tie::read::<T>(arm, received);
                    self.landed(reference, outcome)
                }
                Poll::Pending => match self.overdue() {
                    Some(timed_out) => timed_out,
                    None => return Poll::Pending,
                },
            };
            match self.order {
                Handing::Unordered => return Poll::Ready(self.hand_out(number, done)),
                Handing::Ordered => {
                    if let Some(flight) = self.flights.get_mut(&number) {
                        flight.done = Some(done);
                    }
                }
            }
        }
    }

    /// Starts tasks while there are inputs and room.
    fn fill(&mut self) {
        let most =
            self.most.unwrap_or_else(|| running("async_stream", |current, _, _| current.inner.scheduler.workers()));
        while self.flights.len() < most
            && let Some(inputs) = &mut self.inputs
        {
            let Some(input) = inputs.next() else {
                self.inputs = None;
                return;
            };
            let kept = self.keep.map(|keep| keep(&input));
            let future = (self.work)(input);
            let order = Order::new(self.tie);
            let timeout = self.timeout.map_or(Duration::MAX, |(each, _)| each);
            let (pid, due) = running("async_stream", |current, _, _| {
                let inner = current.inner;
                let at = Location::caller();
                let pid = inner.spawn(at, |child| order.adopt(inner, child), order.carry_out(future));
                (pid, if timeout == Duration::MAX { timeout } else { inner.now().saturating_add(timeout) })
            });
            let flight = Flight { pid, reference: order.reference, due, input: kept, done: None };
            self.flights.insert(self.started, flight);
            self.numbers.insert(order.reference, self.started);
            self.started += 1;
        }
    }

    /// What has come of the first, if that is next.
    fn first_done(&mut self) -> Option<Result<T, Failed<I::Item>>> {
        let mut first = self.flights.first_entry()?;
        let done = first.get_mut().done.take()?;
        let number = *first.key();
        self.hand_out(number, done)
    }

    fn hand_out(&mut self, number: u64, done: Result<T, Why>) -> Option<Result<T, Failed<I::Item>>> {
        let flight = self.flights.remove(&number)?;
        Some(done.map_err(|why| Failed { input: flight.input, why }))
    }

    /// Something has come of a task.
    fn landed(&mut self, reference: Ref, outcome: Outcome<T>) -> (u64, Result<T, Why>) {
        let number = self.numbers.remove(&reference);
        let Some((number, flight)) = number.and_then(|number| Some((number, self.flights.get(&number)?))) else {
            unreachable!("only what is under way is wanted")
        };
        if let Err(reason) = &outcome {
            tie::bury(flight.pid, Mark(self.cursor), reason);
        }
        (number, outcome.map_err(Why::Exited))
    }

    /// Gives up the one that has been running for longest, if its time is up. If not, sees to it that the process is
    /// woken when it is.
    fn overdue(&mut self) -> Option<(u64, Result<T, Why>)> {
        let (each, then) = self.timeout?;
        // All have the same time, so that of the first that was started is up first.
        let (number, flight) = self.flights.first_key_value()?;
        let (number, reference, due) = (*number, flight.reference, flight.due);
        let gave_up = running("async_stream", |current, _, id| {
            let (inner, now) = (current.inner, current.inner.now());
            if now >= due {
                // If it cannot be given up, something has come of it a moment ago, which will be seen.
                return inner.demonitor(inner.pid(id), reference);
            }
            if self.alarm.as_ref().is_none_or(|alarm| alarm.due <= now) {
                self.alarm = Some(Deadline::new(inner, id, due));
            }
            false
        });
        if !gave_up {
            return None;
        }
        if then == OnTimeout::Exit {
            exit_self(format!("an item of an async_stream took longer than {each:?}"));
        }
        self.numbers.remove(&reference);
        let pid = flight.pid;
        running("async_stream", |current, _, id| put_down(current.inner, current.inner.pid(id), pid, reference));
        tie::drop_exits(Mark(self.cursor), |from| from == pid);
        Some((number, Err(Why::TimedOut(each))))
    }
}

/// Kills a task, of which nothing comes any more. Also where the running process is dead itself, so that none is left.
fn put_down(inner: &Inner, owner: Pid, child: Pid, reference: Ref) {
    inner.demonitor(owner, reference);
    inner.untie(owner.id, child);
    inner.end(child.id, ExitReason::Killed);
}

impl<I: Iterator, F, T> Drop for AsyncStream<I, F, T> {
    fn drop(&mut self) {
        let Some(owner) = self.owner else { return };
        let running: FxHashMap<Ref, Pid> = self.flights.values().map(|flight| (flight.reference, flight.pid)).collect();
        Current::with(|current| {
            let Some(current) = current.filter(|current| current.inner.id == owner.node) else { return };
            for (reference, pid) in &running {
                put_down(current.inner, owner, *pid, *reference);
            }
        });
        drop_messages(Mark(self.cursor), |message| {
            let is_exit = |exit: &Exit| running.values().any(|pid| *pid == exit.from);
            tie::wanted(message, |of| running.contains_key(&of)).is_some() || message.peek().is_some_and(is_exit)
        });
    }
}

impl<I, F, Fut, T> Stream for AsyncStream<I, F, T>
where
    I: Iterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
    T: fmt::Debug + Send + 'static,
{
    type Item = Result<T, Failed<I::Item>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.inputs.as_ref().map_or((0, Some(0)), Iterator::size_hint);
        let under_way = self.flights.len();
        (least.saturating_add(under_way), most.and_then(|most| most.checked_add(under_way)))
    }
}

/// Nothing in it is pinned.
impl<I: Iterator, F, T> Unpin for AsyncStream<I, F, T> {}

impl<I: Iterator, F, T> fmt::Debug for AsyncStream<I, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncStream").field("started", &self.started).field("under_way", &self.flights.len()).finish()
    }
}
