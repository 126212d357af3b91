//! What a user sees of recording: a node's recording and its flight recorder, and a trace that is kept however
//! the traced code ends.
//!
//! How it is written down is `recorder`'s affair. Pictures are drawn by `greenroom-tracing-viz`.

use std::sync::{Arc, Weak};

use crate::core::Inner;
use crate::current::{Current, running};
use crate::node::{Node, NodeBuilder};
use crate::pid::{LocalPid, Pid};
use crate::process::try_self_pid;
use crate::reason::ExitReason;
use crate::trace::{EventKind, Recorder, Trace, TraceEvent};

/// A recording of all that happens on a node: see [`Node::record`]. It ends when this is dropped.
#[derive(Debug)]
pub struct Recording {
    node: Weak<Inner>,
}

impl Recording {
    /// What was recorded so far, as a trace that `caller` asked for. The recording goes on, and is empty again.
    ///
    /// What did not fit is counted in [`Trace::lost`].
    pub fn take(&self, caller: Pid) -> Trace {
        let empty = || Trace { caller, events: Vec::new(), names: Default::default(), lost: 0 };
        self.node
            .upgrade()
            .map_or_else(empty, |inner| inner.recorders.take(caller, inner.id, &|pid| inner.name_of(pid)))
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if let Some(inner) = self.node.upgrade() {
            inner.recorders.end();
        }
    }
}

impl NodeBuilder {
    /// Lets each worker keep its last `events` from the start: see [`Node::set_flight_recorder`].
    pub fn flight_recorder(mut self, events: usize) -> Self {
        self.flight = events;
        self
    }

    /// Calls `handler` with what the flight recorder holds when a supervisor gives up, in the supervisor, before
    /// that stops its children.
    ///
    /// Without a flight recorder the trace is empty.
    pub fn on_supervisor_failure(mut self, handler: impl Fn(&Trace) + Send + Sync + 'static) -> Self {
        self.on_failure = Some(Arc::new(handler));
        self
    }
}

impl Node {
    /// Records all events of this node from now on, with the text of every message: up to `events` on each
    /// worker; what goes beyond is counted.
    ///
    /// There is one recording at a time: a new one begins anew, and the end of any ends it.
    ///
    /// ```
    /// use greenroom::{Node, receive, self_pid, send, spawn};
    ///
    /// let node = Node::builder().workers(1).start().unwrap();
    /// let recording = node.record(10_000);
    /// let caller = node.block_on(async {
    ///     let parent = self_pid();
    ///     spawn(async move { send(parent, 42_u32) });
    ///     receive::<u32>().await;
    ///     parent
    /// });
    /// let trace = recording.take(caller);
    /// assert!(trace.events.len() >= 3 && trace.lost == 0);
    /// ```
    pub fn record(&self, events: usize) -> Recording {
        self.inner().recorders.begin(events);
        Recording { node: self.inner().downgrade() }
    }

    /// Lets each worker keep its last `events` from now on, so that [`Node::flight`] can tell what happened; none
    /// of them if that is 0.
    ///
    /// It keeps who sent what type of message to whom, who started, linked, monitored and ended whom; of crashes
    /// and restarts everything. It keeps no texts of messages. Its clock is read for one event in some dozens while
    /// a worker is busy: good for the order of what a worker did, and some microseconds behind between workers, or
    /// some milliseconds after a turn that took that long. The number is rounded up to a power of two.
    pub fn set_flight_recorder(&self, events: usize) {
        self.inner().recorders.fly(events);
    }

    /// What the flight recorder holds: the last events of this node, and how many there were before.
    ///
    /// ```
    /// use greenroom::{Node, receive, self_pid, send, spawn};
    ///
    /// let node = Node::builder().flight_recorder(1024).start().unwrap();
    /// node.block_on(async {
    ///     let parent = self_pid();
    ///     spawn(async move { send(parent, 42_u32) });
    ///     receive::<u32>().await;
    /// });
    /// assert!(node.flight().events.len() >= 2);
    /// ```
    pub fn flight(&self) -> Trace {
        let inner = self.inner();
        let caller = Current::of(inner).and_then(Current::pid);
        inner.flight(caller.unwrap_or(inner.pid(LocalPid::NOBODY)))
    }
}

impl Inner {
    fn flight(&self, caller: Pid) -> Trace {
        self.recorders.flight(caller, self.id, &|pid| self.name_of(pid))
    }

    /// A supervisor gives up.
    pub(crate) fn supervisor_failed(&self) {
        if let Some(handler) = self.recorders.on_failure.get() {
            // It did not ask for this: in a picture it stands with its name.
            handler(&self.flight(self.pid(LocalPid::NOBODY)));
        }
    }
}

/// Runs a future as [`trace`](crate::trace()) does, and hands what was recorded to `keep` however it ends: when
/// it is done, when it panics, and when it is dropped before that, as it is when its process is killed.
///
/// ```
/// use std::sync::mpsc;
///
/// let (sender, traces) = mpsc::channel();
/// greenroom::run(async {
///     let (_, watch) = greenroom::spawn_monitor(async move {
///         greenroom::trace_to(async { panic!("out of tea") }, move |trace| drop(sender.send(trace))).await
///     });
///     greenroom::receive::<greenroom::message::Down>().await;
/// });
/// let trace = traces.recv().unwrap();
/// assert!(format!("{:?}", trace.events.last()).contains("out of tea"));
/// ```
///
/// # Panics
/// When polled outside of a process.
pub async fn trace_to<F: Future, K: FnOnce(Trace)>(future: F, keep: K) -> F::Output {
    let recorder = Arc::new(Recorder::default());
    let before = crate::process::record_with(&recorder);
    let keeper = Keeper { recorder, caller: crate::self_pid(), keep: Some(keep) };
    let value = future.await;
    running("trace_to", |current, _, _| current.inner.exchange_token(before));
    drop(keeper);
    value
}

/// Hands over the trace when it is dropped.
struct Keeper<K: FnOnce(Trace)> {
    recorder: Arc<Recorder>,
    caller: Pid,
    keep: Option<K>,
}

impl<K: FnOnce(Trace)> Drop for Keeper<K> {
    fn drop(&mut self) {
        let mut trace = self.recorder.take(self.caller);
        // The process has yet to end of the panic that unwinds it, too late for this trace.
        if try_self_pid() == Some(self.caller)
            && let Some(panic) = crate::runner::unwinding()
            && let Some(at) = Current::with(|current| Some(current?.inner.now()))
        {
            let kind = EventKind::Exit { pid: self.caller, reason: ExitReason::Panic(Arc::new(panic)) };
            trace.events.push(TraceEvent { at, kind, serial: None });
        }
        if let Some(keep) = self.keep.take() {
            keep(trace);
        }
    }
}
