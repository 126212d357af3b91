//! The inside of a node: its table, names, timers and queues.
//!
//! Everything above works on an [`Inner`]; who is running on a thread is [`crate::current`]'s to know.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::account::Desks;
use crate::clock::Time;
use crate::conversation::Conversations;
use crate::lock::{Mutex, RwLock};
use crate::looking::Looks;
use crate::mailbox::Envelope;
use crate::message::Target;
use crate::overload::{Counters, Limits};
use crate::pid::{LocalPid, NodeId, Pid, Ref};
use crate::reason::Panic;
use crate::recorder::Recorders;
use crate::router::Router;
use crate::scheduler::Scheduler;
use crate::settings::Settings;
use crate::slot::Slot;
use crate::suspension::Suspensions;
use crate::table::Table;
use crate::timer::Timers;
use crate::trace::{ProcessName, Tracer};

/// Everything a node is made of.
pub(crate) struct Inner {
    pub(crate) id: NodeId,
    pub(crate) table: Table,
    pub(crate) scheduler: Scheduler<Slot>,
    pub(crate) timers: Timers<Due>,
    pub(crate) names: RwLock<FxHashMap<Arc<str>, LocalPid>>,
    /// What applications are told.
    pub(crate) settings: Settings,
    pub(crate) tokio: tokio::runtime::Handle,
    pub(crate) router: RwLock<Option<Arc<dyn Router>>>,
    pub(crate) remote: Mutex<Remote>,
    pub(crate) recorders: Recorders,
    pub(crate) tracer: RwLock<Option<Arc<dyn Tracer>>>,
    pub(crate) conversations: Conversations,
    pub(crate) suspensions: Suspensions,
    pub(crate) looks: Looks,
    pub(crate) limits: Limits,
    pub(crate) counters: Counters,
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
    /// The nodes that are connected, and want to be seen.
    pub(crate) up: Vec<NodeId>,
    /// The processes that meet each of them.
    pub(crate) meeting: Vec<Pid>,
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
            settings: Settings::default(),
            tokio,
            router: RwLock::new(None),
            remote: Mutex::default(),
            recorders: Recorders::default(),
            tracer: RwLock::new(None),
            conversations: Conversations::default(),
            suspensions: Suspensions::default(),
            looks: Looks::default(),
            limits: Limits::default(),
            counters: Counters::default(),
            on_panic,
            on_long_turn,
            is_ending: AtomicBool::new(false),
            time,
            desks: Desks::new(),
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

    /// For how long this process has been running without giving up its turn, if it runs now.
    pub(crate) fn running_for(&self, id: LocalPid) -> Option<Duration> {
        let turn = self.scheduler.turns().find(|turn| turn.running == id.as_u64())?;
        Some(Duration::from_micros(self.desks.now().saturating_sub(turn.since)))
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
}
