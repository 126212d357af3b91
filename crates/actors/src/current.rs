//! Who is running on this thread: the process of the present turn, its worker, and what it has done so far.
//!
//! The free functions find their node through [`Current`], which a worker sets up for its thread.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use crate::account::{Desk, Figures};
use crate::core::Inner;
use crate::heap;
use crate::life::HandingOver;
use crate::mailbox::Envelope;
use crate::pid::{LocalPid, Pid};
use crate::recorder::{Scribe, Turn, wanted};
use crate::scheduler::Worker;
use crate::slot::{Own, Slot};
use crate::trace::{self, EventKind, TraceEvent};

/// The process that this thread is running, and the worker that runs it.
pub(crate) struct Current<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) worker: &'a Worker<Slot>,
    /// The running process; none between two turns.
    slot: Cell<Option<&'a Slot>>,
    id: Cell<LocalPid>,
    /// What the running process has done in this turn; when that is enough, it has to let others run.
    reductions: Cell<u64>,
    /// How much of that is in the accounts already.
    published: Cell<u64>,
    sent: Cell<u64>,
    received: Cell<u64>,
    /// When the turn began, or was accounted for.
    stamp: Cell<u64>,
    desk: Arc<Desk>,
    /// Where this worker writes down what happens.
    scribe: Scribe,
    /// The data of the waker that was lent for the present poll.
    lent: Cell<*const ()>,
    /// Places at hand for new processes.
    pub(crate) vacant: RefCell<Vec<u32>>,
    _not_send: PhantomData<*const ()>,
}

thread_local! {
    static CURRENT: Cell<*const Current<'static>> = const { Cell::new(std::ptr::null()) };
}

/// What a process may do in one turn: sends, receives, spawns.
const REDUCTIONS: u64 = 2000;

impl<'a> Current<'a> {
    pub(crate) fn new(inner: &'a Inner, worker: &'a Worker<Slot>) -> Self {
        Current {
            inner,
            worker,
            slot: Cell::new(None),
            id: Cell::new(LocalPid::new(0, 0)),
            reductions: Cell::new(0),
            published: Cell::new(0),
            sent: Cell::new(0),
            received: Cell::new(0),
            stamp: Cell::new(0),
            desk: inner.desks.open(),
            scribe: inner.recorders.open(),
            lent: Cell::new(std::ptr::null()),
            vacant: RefCell::default(),
            _not_send: PhantomData,
        }
    }

    /// Makes this the current of the calling thread while `work` runs.
    pub(crate) fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                CURRENT.set(std::ptr::null());
            }
        }
        let _leave = Leave;
        CURRENT.set(std::ptr::from_ref(self).cast());
        crate::pid::set_home(self.inner.id);
        work()
    }

    /// Gives `work` the current of this thread, if it is a worker's.
    #[inline]
    pub(crate) fn with<R>(work: impl FnOnce(Option<&Current<'_>>) -> R) -> R {
        // SAFETY: `enter` keeps the current alive and in place while the pointer is set, and the
        // closure cannot keep a reference that outlives this call.
        work(unsafe { CURRENT.get().as_ref() })
    }

    /// The current of this thread, if it is a worker of that node.
    ///
    /// The borrow of `inner` keeps the caller from holding on to it for longer than the node lives;
    /// workers only leave [`Current::enter`] when they end.
    #[inline]
    pub(crate) fn of(inner: &Inner) -> Option<&Current<'_>> {
        // SAFETY: see `with`: the pointer is only set on a worker's thread for as long as that runs, and
        // callers are called by that worker.
        let current = unsafe { CURRENT.get().cast::<Current<'_>>().as_ref() }?;
        std::ptr::eq(current.inner, inner).then_some(current)
    }

    /// Marks `slot` as the running process while `work` runs.
    ///
    /// # Safety
    /// The caller is the running thread of `slot`.
    #[inline]
    pub(crate) unsafe fn run<R>(&self, slot: &'a Slot, work: impl FnOnce() -> R) -> R {
        self.slot.set(Some(slot));
        self.id.set(slot.resident());
        self.reductions.set(0);
        self.published.set(0);
        self.sent.set(0);
        self.received.set(0);
        let result = work();
        self.slot.set(None);
        result
    }

    /// The running process.
    #[inline]
    pub(crate) fn process(&self) -> Option<(&'a Slot, LocalPid)> {
        self.slot.get().map(|slot| (slot, self.id.get()))
    }

    #[inline]
    pub(crate) fn pid(&self) -> Option<Pid> {
        self.process().map(|(_, id)| self.inner.pid(id))
    }

    /// Gives `work` what belongs to the running process; must not be nested.
    #[inline]
    pub(crate) fn with_own<R: Default>(&self, work: impl FnOnce(&mut Own) -> R) -> R {
        match self.slot.get() {
            // SAFETY: `run` vouches that this thread is the running one, and callers do not nest.
            Some(slot) => work(unsafe { slot.own() }),
            None => R::default(),
        }
    }

    /// The group leader of the running process.
    pub(crate) fn leader(&self) -> Option<Pid> {
        // SAFETY: `run` vouches that this thread is the running one.
        unsafe { self.slot.get()?.running_origin() }?.leader
    }

    /// Counts something that the process did.
    #[inline]
    pub(crate) fn charge(&self, cost: u32) {
        self.reductions.set(self.reductions.get() + u64::from(cost));
    }

    /// Whether the process has used up its turn.
    #[inline]
    pub(crate) fn is_exhausted(&self) -> bool {
        self.reductions.get() >= REDUCTIONS
    }

    /// Counts a message that the process has sent.
    pub(crate) fn count_sent(&self) {
        self.charge(1);
        self.sent.set(self.sent.get() + 1);
    }

    /// Counts a message that the process has received.
    pub(crate) fn count_received(&self) {
        self.received.set(self.received.get() + 1);
    }

    /// Counts a process that ends on this thread.
    #[inline]
    pub(crate) fn count_exit(&self) {
        self.desk.count_exit();
    }

    /// Starts to count what a turn does.
    #[inline]
    pub(crate) fn begin_turn(&self, now: u64) {
        self.stamp.set(now);
        heap::take(); // What the worker itself did is nobody's.
    }

    /// Adds what was done in this turn to the accounts. For the running thread of `slot`.
    #[inline]
    pub(crate) fn end_turn(&self, slot: &Slot) {
        self.account_for(slot, 1);
    }

    /// The same while the turn goes on.
    pub(crate) fn publish(&self, slot: &Slot) {
        self.account_for(slot, 0);
    }

    #[inline]
    fn account_for(&self, slot: &Slot, turns: u64) {
        let now = self.inner.desks.now();
        let reductions = self.reductions.get();
        let turn = Figures {
            reductions: reductions - self.published.replace(reductions) + turns,
            received: self.received.take(),
            sent: self.sent.take(),
            busy_micros: now.saturating_sub(self.stamp.replace(now)),
            heap: heap::take(),
        };
        if let Err(sum) = slot.account.add(&turn) {
            slot.spill(sum);
        }
        self.desk.add(&turn);
    }

    /// The process of this turn.
    #[inline]
    pub(crate) fn id(&self) -> LocalPid {
        self.id.get()
    }

    /// Remembers the waker that the process is polled with.
    pub(crate) fn lend(&self, waker: &Waker) {
        self.lent.set(waker.data());
    }

    /// Whether this is the waker that the running process is polled with, so that waking the process
    /// polls again whoever was given it. An executor within the process hands out wakers of its own.
    #[inline]
    pub(crate) fn has_lent(&self, waker: &Waker) -> bool {
        waker.data() == self.lent.get()
    }

    /// Runs `action` unless the running process has been declared dead meanwhile. What is not done by
    /// a process at all is always done.
    #[inline]
    pub(crate) fn unless_dead<R>(&self, action: impl FnOnce() -> R) -> Option<R> {
        let _handing_over = self.hand_over()?;
        Some(action())
    }

    /// The same for what is done while the result is there.
    #[inline]
    pub(crate) fn hand_over(&self) -> Option<HandingOver<'_>> {
        match self.slot.get() {
            Some(slot) => slot.life().hand_over(),
            None => Some(HandingOver(None)),
        }
    }
}

/// Runs `action` for the process of this thread unless it has been declared dead.
#[inline]
pub(crate) fn unless_dead<R>(inner: &Inner, action: impl FnOnce() -> R) -> Option<R> {
    match Current::of(inner) {
        Some(current) => current.unless_dead(action),
        None => Some(action()),
    }
}

#[track_caller]
pub(crate) fn outside(what: &str) -> ! {
    panic!("`{what}` was called outside of a process: run it within `greenroom::run` or `Node::block_on`")
}

/// Does something for the running process.
#[track_caller]
pub(crate) fn running<R>(what: &str, work: impl FnOnce(&Current<'_>, &Slot, LocalPid) -> R) -> R {
    Current::with(|current| {
        let process = current.and_then(|current| Some((current, current.process()?)));
        let Some((current, (slot, id))) = process else { outside(what) };
        work(current, slot, id)
    })
}

impl Inner {
    /// Whether an event of the running process would be seen by anyone.
    #[inline]
    pub(crate) fn is_traced(&self) -> bool {
        self.is_traced_for(Current::of(self))
    }

    /// The same for a caller that knows who is current on this thread.
    #[inline]
    pub(crate) fn is_traced_for(&self, current: Option<&Current<'_>>) -> bool {
        trace::IS_BUILT_IN
            && (self.recorders.wanted.load(Ordering::Relaxed) != 0
                || current.is_some_and(|current| current.with_own(|own| own.token.is_some())))
    }

    /// Whether nobody but the flight recorder, if anyone, would see that the running process sends a message within
    /// its node; that has been told then.
    #[inline]
    pub(crate) fn notes_only(&self, current: &Current<'_>, to: Pid, envelope: &Envelope) -> bool {
        if !trace::IS_BUILT_IN {
            return true;
        }
        let wanted = self.recorders.wanted.load(Ordering::Relaxed);
        if wanted & !wanted::FLIGHT != 0 || current.with_own(|own| own.token.is_some()) {
            return false;
        }
        if wanted != 0 && current.process().is_some() {
            self.note_flight(current, to, envelope);
        }
        true
    }

    /// Tells the flight recorder that the running process sends a message.
    #[inline(never)]
    fn note_flight(&self, current: &Current<'_>, to: Pid, envelope: &Envelope) {
        let (scribe, turn) = current.scribe();
        self.recorders.note_send(scribe, || self.now(), turn, (current.id(), to), envelope);
    }

    /// Whether anyone would see that the running process receives something: the flight recorder does not.
    #[inline]
    pub(crate) fn is_heard_for(&self, current: &Current<'_>) -> bool {
        trace::IS_BUILT_IN
            && (self.recorders.wanted.load(Ordering::Relaxed) & !wanted::FLIGHT != 0
                || current.with_own(|own| own.token.is_some()))
    }

    /// Shows an event to whoever traces the node or the conversation of the running process.
    pub(crate) fn trace(&self, kind: impl FnOnce() -> EventKind) {
        if self.is_traced() {
            self.emit(kind());
        }
    }

    #[cold]
    fn emit(&self, kind: EventKind) {
        let wanted = self.recorders.wanted.load(Ordering::Relaxed);
        let current = Current::of(self);
        let name_of = |pid| self.name_of(pid);
        if wanted & wanted::FLIGHT != 0 {
            self.recorders.note(current.map(Current::scribe), || self.now(), &kind);
        }
        if wanted & wanted::RECORDING != 0 {
            self.recorders.record(current.map(|current| &current.scribe), || self.now(), kind.clone(), &name_of);
        }
        self.show(kind);
    }

    /// Shows an event to tracers.
    fn show(&self, kind: EventKind) {
        let riding = self.token();
        let node_wide = self.recorders.wants(wanted::TRACER).then(|| self.tracer.read().clone()).flatten();
        let event = TraceEvent { at: self.now(), kind, serial: riding.as_ref().map(|riding| riding.token.serial) };
        let recorder = riding.and_then(|riding| riding.recording?.tracer);
        for tracer in recorder.into_iter().chain(node_wide) {
            tracer.event(event.clone(), &|pid| self.name_of(pid));
        }
    }

    /// Shows that the running process sends a message.
    pub(crate) fn trace_sent(&self, current: &Current<'_>, (from, to): (Pid, Pid), envelope: &Envelope) {
        let wanted = self.recorders.wanted.load(Ordering::Relaxed);
        if wanted & wanted::FLIGHT != 0 {
            self.note_flight(current, to, envelope);
        }
        if wanted & wanted::RECORDING != 0 {
            self.recorders.record_send(&current.scribe, || self.now(), (from, to), envelope, &|pid| self.name_of(pid));
        }
        if current.is_watched(wanted) {
            self.show(EventKind::Send { from, to, signal: envelope.signal() });
        }
    }

    /// Shows that the running process has taken a message.
    pub(crate) fn trace_received(&self, current: &Current<'_>, by: Pid, envelope: &Envelope) {
        let wanted = self.recorders.wanted.load(Ordering::Relaxed);
        if wanted & wanted::RECORDING != 0 {
            let (scribe, turn) = current.scribe();
            self.recorders.record_receive(scribe, || self.now(), turn, by, envelope);
        }
        if current.is_watched(wanted) {
            self.show(EventKind::Receive { by, signal: envelope.signal() });
        }
    }
}

impl Current<'_> {
    fn scribe(&self) -> (&Scribe, Turn) {
        let (number, is_in_streak) = self.worker.turn();
        (&self.scribe, Turn { number, is_in_streak, tick: self.inner.desks.now() })
    }

    /// Whether a tracer looks at the running process.
    fn is_watched(&self, wanted: u8) -> bool {
        wanted & wanted::TRACER != 0 || self.with_own(|own| own.token.is_some())
    }
}
