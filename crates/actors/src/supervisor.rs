//! Supervisors: processes that start others, watch them, and start them again when they end.
//!
//! ```
//! use greenroom::supervisor::{ChildSpec, Strategy, Supervisor};
//! use greenroom::receive;
//!
//! async fn ticker() {
//!     receive::<()>().await
//! }
//!
//! greenroom::run(async {
//!     let supervisor = Supervisor::new(Strategy::OneForOne)
//!         .child(ticker)
//!         .child(ChildSpec::new("counter", || async { receive::<u64>().await; }))
//!         .start_link()
//!         .await
//!         .unwrap();
//!     let ids: Vec<String> = supervisor.which_children().await.unwrap().into_iter().map(|child| child.id).collect();
//!     assert_eq!(ids, ["counter", "ticker"]);
//! });
//! ```
//!
//! # Children
//! What [`SupervisorBuilder::child`] takes is one of three things; [`ChildSpec`] says why it is written so:
//!
//! ```
//! use greenroom::supervisor::{ChildSpec, Restart, Shutdown, Strategy, Supervisor};
//! # use greenroom::receive;
//! # async fn ticker() { receive::<()>().await }
//! # greenroom::run(async {
//! # let supervisor =
//! Supervisor::new(Strategy::OneForOne)
//!     // A function, called after itself: for the many that need no more.
//!     .child(ticker)
//!     // A specification, which says what differs from the default. A behaviour makes its own, so that this
//!     // reads `.child(Counter::spec(0))`.
//!     .child(ChildSpec::new("job", ticker).restart(Restart::Transient).shutdown(Shutdown::BrutalKill))
//!     // A supervisor that is yet to be started, with its own children: the tree is written as it will stand.
//!     .child(Supervisor::new(Strategy::OneForAll).name("pool").child(ticker))
//! # .start_link().await.unwrap();
//! # });
//! ```
//!
//! Children are started in order, each when the one before is ready, and stopped in reverse. If one does not start,
//! those before it are stopped and the error names it.
//!
//! # When a child ends
//! [`Restart`] says whether it is started again, [`Strategy`] who else is, [`Intensity`] how often that may happen
//! before the supervisor gives up: then it stops its children and ends with `Shutdown`, and the supervisor above
//! starts it again, or gives up itself.
//!
//! A restart that fails counts as one and is tried again by way of the supervisor's mailbox: meanwhile
//! [`which_children`](Supervisor::which_children) shows the child as restarting, and it can be terminated.
//!
//! # Supervisors that end by themselves
//! With an [`AutoShutdown`], a supervisor ends when its [significant](ChildSpec::significant) children are done.
//!
//! # Other kinds
//! [`DynamicSupervisor`] for children that come and go by the thousand, told apart by their processes;
//! [`TaskSupervisor`] for tasks; [`PartitionSupervisor`] for several of a kind, of which a key chooses one.

mod decision;
mod report;
mod spec;
mod error;
mod stop;
mod start;
mod request;
mod info;
mod children;
mod serve;
mod handle;
mod dynamic;
mod task;
mod partition;

pub use crate::tree::Strategy;
pub use decision::{AutoShutdown, Intensity, Restart};
pub use dynamic::{DynamicSupervisor, DynamicSupervisorBuilder};
pub use error::{
    DeleteChildError, FindError, RestartChildError, SpecError, StartChildError, StartError, TerminateChildError,
};
pub use handle::{Supervisor, SupervisorBuilder};
pub use info::{ChildCounts, ChildInfo, TreeError, forest, tree};
pub use partition::{NoPartition, PartitionSupervisor, PartitionSupervisorBuilder};
pub use spec::{ChildSpec, IntoChildSpec, NotStarted, Shutdown};
pub use task::{Supervised, TaskSupervisor, TaskSupervisorBuilder};
