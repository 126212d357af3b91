//! Partition supervisors: several children of a kind, of which a key always chooses the same one.
//!
//! Each partition is registered under a name of its own, so finding one is looking a name up: no process is asked.

use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, Hash};
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHasher;

use super::error::{FindError, StartError};
use super::handle::{Supervisor, SupervisorBuilder};
use super::info::which_children;
use super::request::{Kind, find, stop};
use super::spec::{ChildSpec, IntoChildSpec, NotStarted, Start};
use super::start::begin;
use super::stop::kill;
use crate::pid::Pid;
use crate::process::{register, whereis};
use crate::tree::Strategy;

/// How to start a [`PartitionSupervisor`].
#[derive(Clone)]
pub struct PartitionSupervisorBuilder {
    name: String,
    partitions: usize,
    spec: Arc<dyn Fn(usize) -> ChildSpec + Send + Sync>,
    supervisor: SupervisorBuilder,
}

impl PartitionSupervisorBuilder {
    /// How many there are: at least one, and unless it is said as many as the machine has processors.
    pub fn partitions(mut self, partitions: usize) -> Self {
        self.partitions = partitions.max(1);
        self
    }

    /// How many restarts within which time are tolerated.
    pub fn intensity(mut self, restarts: usize, within: Duration) -> Self {
        self.supervisor = self.supervisor.intensity(restarts, within);
        self
    }

    /// Starts the supervisor, linked to the running process, and the partitions one after the other.
    ///
    /// # Errors
    /// [`StartError`], if its name is taken or a partition does not start. One that registers a name itself does
    /// not: a process has one name, and here that is the partition's.
    ///
    /// # Panics
    /// Outside of a process.
    pub async fn start_link(self) -> Result<PartitionSupervisor, StartError> {
        let (name, partitions) = (self.name.clone(), self.partitions);
        let supervisor = self.into_builder().start_link().await?;
        Ok(PartitionSupervisor { pid: supervisor.pid(), names: names(&name, partitions), name: name.into() })
    }

    fn into_builder(self) -> SupervisorBuilder {
        let names = names(&self.name, self.partitions);
        let partition = |(number, name): (usize, &Arc<str>)| partition(number, name.clone(), (self.spec)(number));
        names.iter().enumerate().map(partition).fold(self.supervisor, SupervisorBuilder::child).name(self.name)
    }
}

impl fmt::Debug for PartitionSupervisorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartitionSupervisorBuilder")
            .field("name", &self.name)
            .field("partitions", &self.partitions)
            .finish_non_exhaustive()
    }
}

impl IntoChildSpec for PartitionSupervisorBuilder {
    /// Called after its name.
    fn into_child_spec(self) -> ChildSpec {
        self.into_builder().into_child_spec()
    }
}

/// The specification of a partition: whoever it starts is registered under the partition's name.
fn partition(number: usize, name: Arc<str>, spec: ChildSpec) -> ChildSpec {
    let inner = spec.clone();
    let start = Start::Init(Arc::new(move || {
        let (starting, name) = (begin(&inner), name.clone());
        Box::pin(async move {
            let pid = starting.await?;
            if let Err(error) = register(&name, pid) {
                kill(pid).await;
                return Err(NotStarted::Failed(error.to_string().into()));
            }
            Ok(pid)
        })
    }));
    ChildSpec { id: number.to_string().into(), start, ..spec }
}

fn names(name: &str, partitions: usize) -> Arc<[Arc<str>]> {
    (0..partitions).map(|number| format!("{name}/{number}").into()).collect()
}

/// A supervisor of several children of a kind, so that no single one is a bottleneck: a key is always routed to the
/// same of them.
///
/// ```
/// use greenroom::supervisor::{ChildSpec, PartitionSupervisor};
/// use greenroom::{receive, send};
///
/// greenroom::run(async {
///     let log = |_partition| ChildSpec::new("log", || async { loop { receive::<String>().await; } });
///     PartitionSupervisor::new("logs", log).partitions(4).start_link().await.unwrap();
///
///     let logs = PartitionSupervisor::find("logs").await.unwrap();
///     let shard = logs.route("alice").unwrap();
///     send(shard, String::from("signed in"));
///     assert_eq!(logs.route("alice"), Ok(shard));
/// });
/// ```
#[derive(Clone, Debug)]
pub struct PartitionSupervisor {
    pid: Pid,
    name: Arc<str>,
    names: Arc<[Arc<str>]>,
}

impl From<&PartitionSupervisor> for Pid {
    fn from(supervisor: &PartitionSupervisor) -> Pid {
        supervisor.pid
    }
}

impl PartitionSupervisor {
    /// A supervisor of this name, whose children are made by `spec` from their number.
    ///
    /// Partition 3 of `logs` is registered as `logs/3`.
    #[allow(clippy::new_ret_no_self, reason = "it reads as a sentence: PartitionSupervisor::new(…).start_link()")]
    pub fn new<S, C>(name: impl Into<String>, spec: S) -> PartitionSupervisorBuilder
    where
        S: Fn(usize) -> C + Send + Sync + 'static,
        C: IntoChildSpec,
    {
        PartitionSupervisorBuilder {
            name: name.into(),
            partitions: std::thread::available_parallelism().map_or(1, Into::into),
            spec: Arc::new(move |number| spec(number).into_child_spec()),
            supervisor: Supervisor::new(Strategy::OneForOne),
        }
    }

    /// The partition supervisor of this name.
    ///
    /// # Errors
    /// [`FindError`], if there is none.
    pub async fn find(name: &str) -> Result<PartitionSupervisor, FindError> {
        let pid = find(name, Kind::Static).await?;
        let children = which_children(pid).await.map_err(|reason| FindError::Ended { pid, reason })?;
        if !children.iter().rev().enumerate().all(|(number, child)| child.id == number.to_string()) {
            return Err(FindError::OtherKind { pid, is: Kind::Static.name() });
        }
        Ok(PartitionSupervisor { pid, names: names(name, children.len()), name: name.into() })
    }

    /// The supervisor's process.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// How many partitions there are.
    pub fn partitions(&self) -> usize {
        self.names.len()
    }

    /// The number of the partition that is this key's, in every program and on every machine of the same word size.
    pub fn partition_of<K: Hash + ?Sized>(&self, key: &K) -> usize {
        let hash = BuildHasherDefault::<FxHasher>::default().hash_one(key);
        // The upper half of the product: below the number of partitions, by the upper bits, which are the better ones.
        ((u128::from(hash) * self.partitions() as u128) >> 64) as usize
    }

    /// The process that is this key's.
    ///
    /// # Errors
    /// [`NoPartition`], while it is being restarted.
    ///
    /// # Panics
    /// Outside of a process.
    pub fn route<K: Hash + ?Sized>(&self, key: &K) -> Result<Pid, NoPartition> {
        let partition = self.partition_of(key);
        let missing = || NoPartition { supervisor: self.name.to_string(), partition };
        whereis(&self.names[partition]).ok_or_else(missing)
    }

    /// Stops the partitions and ends the supervisor, with `Normal`; returns when it is gone.
    pub async fn stop(self) {
        stop(self.pid).await;
    }
}

/// The partition that a key belongs to does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPartition {
    /// The name of the supervisor.
    pub supervisor: String,
    /// The number of the partition.
    pub partition: usize,
}

impl fmt::Display for NoPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NoPartition { supervisor, partition } = self;
        write!(f, "partition {partition} of `{supervisor}` does not run at the moment: try again when it was restarted")
    }
}

impl std::error::Error for NoPartition {}
