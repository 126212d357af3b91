//! How a node is told what it shall be, and started.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Node;
use super::life::Life;
use crate::clock::Time;
use crate::core::{Inner, LongTurn, LongTurnHandler, PanicHandler};
use crate::pid::{NodeId, NodeName, Ref};
use crate::reason::Panic;
use crate::recorder::FailureHandler;
use crate::scheduler::Scheduler;

/// How to start a [`Node`].
#[derive(Clone, Default)]
pub struct NodeBuilder {
    name: Option<String>,
    workers: Option<usize>,
    on_panic: Option<PanicHandler>,
    manual_clock: bool,
    on_long_turn: Option<LongTurnHandler>,
    pub(crate) flight: usize,
    pub(crate) on_failure: Option<FailureHandler>,
}

impl NodeBuilder {
    /// The node's name, `nonode` if none is given.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How many worker threads run processes: as many as there are processors, if not given.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers.max(1));
        self
    }

    /// Calls `handler` in a process that panics, before it unwinds, in place of the program's panic hook.
    ///
    /// Without it the hook says so on standard error. The exit reason tells in either case.
    pub fn on_panic(mut self, handler: impl Fn(&Panic) + Send + Sync + 'static) -> Self {
        self.on_panic = Some(Arc::new(handler));
        self
    }

    /// Lets the time stand still but for [`Clock::advance`](crate::Clock::advance) and
    /// [`Clock::pass`](crate::Clock::pass): for tests.
    pub fn manual_clock(mut self) -> Self {
        self.manual_clock = true;
        self
    }

    /// Calls `handler` when a process has been running for three seconds without letting others run, and again
    /// each time that has become ten times as long. Without it, standard error says so.
    ///
    /// Others go on all the same: another thread works in place of the one that is kept busy.
    pub fn on_long_turn(mut self, handler: impl Fn(&LongTurn) + Send + Sync + 'static) -> Self {
        self.on_long_turn = Some(Arc::new(handler));
        self
    }

    /// Starts the node.
    ///
    /// # Errors
    /// If the operating system refuses a thread, or the program is built with `panic = "abort"`, under
    /// which a process that panics would end all of them.
    pub fn start(self) -> std::io::Result<Node> {
        if cfg!(panic = "abort") {
            return Err(std::io::Error::new(
                std::io::ErrorKind::Unsupported,
                "processes need unwinding: set `panic = \"unwind\"` in the Cargo profile",
            ));
        }
        let workers = self.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into));
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("greenroom-io")
            .enable_all()
            .build()?;
        let name = self.name.unwrap_or_else(|| "nonode".to_owned());
        let id = NodeId::intern(&NodeName { name: name.into(), incarnation: new_incarnation() });
        crate::barrier::prepare();
        Ref::scatter();
        let (scheduler, ends) = Scheduler::new(workers);
        let time = if self.manual_clock { Time::manual() } else { Time::real() };
        let inner = Inner::new(id, scheduler, tokio.handle().clone(), self.on_panic, time, self.on_long_turn);
        inner.recorders.fly(self.flight);
        if let Some(handler) = self.on_failure {
            // It is set here only.
            let _ = inner.recorders.on_failure.set(handler);
        }
        let life = Life::start(&inner, tokio, ends)?;
        Ok(Node { inner, _life: Some(Arc::new(life)) })
    }
}

/// A number that no other node of this machine has, and that grows from one start to the next.
fn new_incarnation() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
    let last = LAST.fetch_max(now, Ordering::Relaxed);
    if now > last { now } else { LAST.fetch_add(1, Ordering::Relaxed) + 1 }
}
