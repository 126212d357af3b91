//! The inside of a node: its table, names, timers and queues, and who is running on this thread.
//!
//! Everything above ([`crate::send`], [`crate::exit`], [`crate::runner`], the public modules) works on an [`Inner`];
//! the free functions find it through [`Current`], which a worker sets up for its thread.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{RawWaker, RawWakerVTable, Wake, Waker};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::account::{Desk, Desks, Figures};
use crate::clock::Time;
use crate::heap;
use crate::mailbox::{Envelope, Pushed, Tag};
use crate::message::Target;
use crate::pid::{LocalPid, NodeId, Pid, Ref};
use crate::reason::Panic;
use crate::router::Router;
use crate::scheduler::{Scheduler, Worker};
use crate::table::{Own, Slot, Table, flag};
use crate::timer::Timers;
use crate::trace::{EventKind, ProcessName, TraceEvent, Tracer};

/// Everything a node is made of.
pub(crate) struct Inner {
    pub(crate) id: NodeId,
    pub(crate) table: Table,
    pub(crate) scheduler: Scheduler<Slot>,
    pub(crate) timers: Timers<Due>,
    pub(crate) names: RwLock<FxHashMap<Arc<str>, LocalPid>>,
    pub(crate) tokio: tokio::runtime::Handle,
    pub(crate) router: RwLock<Option<Arc<dyn Router>>>,
    pub(crate) remote: Mutex<Remote>,
    /// Whether `tracer` is set: the one branch that tracing costs when it is off.
    pub(crate) traced: AtomicBool,
    pub(crate) tracer: RwLock<Option<Arc<dyn Tracer>>>,
    pub(crate) on_panic: Option<PanicHandler>,
    pub(crate) on_long_turn: Option<LongTurnHandler>,
    /// Whether the node is stopping, so that nothing is started any more.
    pub(crate) is_ending: AtomicBool,
    pub(crate) time: Time,
    pub(crate) desks: Desks,
    myself: std::sync::Weak<Inner>,
}

/// What a node does when a process panics.
pub(crate) type PanicHandler = Arc<dyn Fn(&Panic) + Send + Sync>;

/// What a node does when a process does not let others run.
pub(crate) type LongTurnHandler = Arc<dyn Fn(&LongTurn) + Send + Sync>;

/// A process that has not let others run for long: see [`crate::NodeBuilder::on_long_turn`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongTurn {
    /// The process.
    pub pid: Pid,
    /// How it is called.
    pub name: ProcessName,
    /// How long it has been running.
    pub running_for: Duration,
}

impl std::fmt::Display for LongTurn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pid, name, running_for } = self;
        write!(f, "process {pid}")?;
        if let Some(name) = name.registered.as_ref().or(name.label.as_ref()) {
            write!(f, " ({name})")?;
        }
        write!(f, " has been running for {:.1} s without letting others run", running_for.as_secs_f64())
    }
}

/// What connects processes of this node with each other node, to be resolved when that node is lost.
#[derive(Default)]
pub(crate) struct Remote {
    /// Monitors of local processes on remote ones: by node, the reference and its watcher.
    pub(crate) watching: FxHashMap<NodeId, FxHashMap<Ref, (Pid, Target)>>,
    /// Links: by node, the local and the remote end.
    pub(crate) links: FxHashMap<NodeId, FxHashSet<(Pid, Pid)>>,
}

/// What a timer does when it is due.
pub(crate) enum Due {
    /// Wakes a process that waits with a time-out.
    Wake(LocalPid),
    /// Sends a message.
    Send(Target, Envelope),
}

impl Inner {
    pub(crate) fn new(
        id: NodeId,
        scheduler: Scheduler<Slot>,
        tokio: tokio::runtime::Handle,
        on_panic: Option<PanicHandler>,
        time: Time,
        on_long_turn: Option<LongTurnHandler>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|myself| Inner {
            id,
            table: Table::new(),
            scheduler,
            timers: Timers::new(),
            names: RwLock::default(),
            tokio,
            router: RwLock::new(None),
            remote: Mutex::default(),
            traced: AtomicBool::new(false),
            tracer: RwLock::new(None),
            on_panic,
            on_long_turn,
            is_ending: AtomicBool::new(false),
            time,
            desks: Desks::default(),
            myself: myself.clone(),
        })
    }

    pub(crate) fn downgrade(&self) -> std::sync::Weak<Inner> {
        self.myself.clone()
    }

    pub(crate) fn myself(&self) -> Option<Arc<Inner>> {
        self.myself.upgrade()
    }

    /// The time since the node started.
    pub(crate) fn now(&self) -> Duration {
        self.time.now()
    }

    #[inline]
    pub(crate) fn pid(&self, id: LocalPid) -> Pid {
        Pid::new(self.id, id)
    }

    #[inline]
    pub(crate) fn slot(&self, id: LocalPid) -> Option<&Slot> {
        self.table.slot(id.index())
    }

    pub(crate) fn is_alive(&self, id: LocalPid) -> bool {
        self.slot(id).is_some_and(|slot| slot.is_alive(id))
    }

    pub(crate) fn whereis(&self, name: &str) -> Option<LocalPid> {
        let id = *self.names.read().get(name)?;
        self.is_alive(id).then_some(id)
    }

    /// Queues a process that the caller has taken the responsibility for.
    #[inline]
    pub(crate) fn schedule(&self, slot: &Slot) {
        self.schedule_from(Current::of(self), slot);
    }

    #[inline]
    fn schedule_from(&self, current: Option<&Current<'_>>, slot: &Slot) {
        match current {
            Some(current) => self.scheduler.push_next(current.worker, slot),
            None => self.scheduler.inject(slot),
        }
    }

    /// Puts an envelope into the mailbox of a local process; hands it back if there is none.
    #[inline]
    pub(crate) fn deliver(&self, to: LocalPid, envelope: Envelope) -> Result<(), Envelope> {
        self.deliver_from(Current::of(self), to, envelope)
    }

    /// The same for a caller that knows who is current on this thread.
    #[inline]
    pub(crate) fn deliver_from(
        &self,
        current: Option<&Current<'_>>,
        to: LocalPid,
        envelope: Envelope,
    ) -> Result<(), Envelope> {
        let Some(slot) = self.slot(to) else { return Err(envelope) };
        if slot.inbox.push(Tag::of_generation(to.generation()), envelope)? == Pushed::Wake {
            self.schedule_from(current, slot);
        }
        Ok(())
    }

    /// Makes a suspended process run again, as its waker would.
    pub(crate) fn wake(&self, id: LocalPid) {
        let Some(slot) = self.slot(id) else { return };
        if slot.resident() != id {
            return;
        }
        slot.raise(flag::NOTIFIED);
        if slot.inbox.unpark(Tag::of_generation(id.generation())) {
            self.schedule(slot);
        }
    }

    /// How a process is called.
    pub(crate) fn name_of(&self, pid: Pid) -> ProcessName {
        let locked = (pid.node == self.id).then(|| self.slot(pid.id)?.lock(pid.id)).flatten();
        let cold = locked.as_ref().and_then(|locked| locked.view());
        ProcessName {
            registered: cold.and_then(|cold| cold.name.as_deref().map(str::to_owned)),
            label: cold.and_then(|cold| cold.label.as_deref().map(str::to_owned)),
        }
    }

    pub(crate) fn forget_remote_link(&self, local: Pid, remote: Pid) {
        if let Some(links) = self.remote.lock().links.get_mut(&remote.node) {
            links.remove(&(local, remote));
        }
    }

    /// Whether an event of the running process would be seen by anyone.
    #[inline]
    pub(crate) fn is_traced(&self) -> bool {
        self.is_traced_for(Current::of(self))
    }

    /// The same for a caller that knows who is current on this thread.
    #[inline]
    pub(crate) fn is_traced_for(&self, current: Option<&Current<'_>>) -> bool {
        self.traced.load(Ordering::Relaxed)
            || current.is_some_and(|current| current.with_own(|own| own.token.is_some()))
    }

    /// Shows an event to whoever traces the node or the conversation of the running process.
    pub(crate) fn trace(&self, kind: impl FnOnce() -> EventKind) {
        if self.is_traced() {
            self.emit(kind());
        }
    }

    #[cold]
    fn emit(&self, kind: EventKind) {
        let token = Current::of(self).and_then(|current| current.with_own(|own| own.token.clone()));
        let node_wide = self.tracer.read().clone();
        let event = TraceEvent { at: self.now(), kind, serial: token.as_ref().map(|token| token.serial) };
        for tracer in token.map(|token| token.tracer).into_iter().chain(node_wide) {
            tracer.event(event.clone(), &|pid| self.name_of(pid));
        }
    }
}

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

    /// Tells the world that a turn of this process begins.
    pub(crate) fn begin_turn(&self, slot: &Slot) {
        let now = self.inner.desks.now();
        self.stamp.set(now);
        heap::take(); // What the worker itself did is nobody's.
        self.desk.begin(slot.resident(), now);
    }

    /// Adds what was done in this turn to the accounts. For the running thread of `slot`.
    pub(crate) fn end_turn(&self, slot: &Slot) {
        self.account_for(slot, 1);
        self.desk.end();
    }

    /// The same while the turn goes on.
    pub(crate) fn publish(&self, slot: &Slot) {
        self.account_for(slot, 0);
    }

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
        match self.slot.get() {
            Some(slot) => slot.hand_over(action),
            None => Some(action()),
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

/// Wakes a process from anywhere, for as long as its node lives.
struct ProcessWaker {
    node: std::sync::Weak<Inner>,
    id: LocalPid,
}

impl Wake for ProcessWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(inner) = self.node.upgrade() {
            inner.wake(self.id);
        }
    }
}

/// Lends a waker for the running process that costs nothing until someone clones it.
pub(crate) fn with_waker<R>(current: &Current<'_>, use_it: impl FnOnce(&Waker) -> R) -> R {
    fn proper(data: *const ()) -> Waker {
        // SAFETY: `data` is the `Current` below: the lent waker cannot outlive this call, and its
        // owner, the poll of a process, happens on this thread.
        let current = unsafe { &*data.cast::<Current<'_>>() };
        let node = current.inner.myself.clone();
        Waker::from(Arc::new(ProcessWaker { node, id: current.id.get() }))
    }
    static LENT: RawWakerVTable = RawWakerVTable::new(
        |data| {
            let waker = std::mem::ManuallyDrop::new(proper(data));
            RawWaker::new(waker.data(), waker.vtable())
        },
        |_| unreachable!("a lent waker is never given away"),
        |data| {
            // SAFETY: as in `proper`.
            let current = unsafe { &*data.cast::<Current<'_>>() };
            current.inner.wake(current.id.get());
        },
        |_| (),
    );
    let data = std::ptr::from_ref(current).cast();
    // SAFETY: the table upholds the contract of `RawWaker`: a clone is a waker of its own, a lent waker
    // owns nothing. It is only ever lent by reference. (A `&Waker` sent to a scoped thread would read
    // `inner` and `id` of the `Current` there, neither of which changes during a poll.)
    let waker = std::mem::ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(data, &LENT)) });
    current.lent.set(waker.data());
    use_it(&waker)
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
