//! Supervisors and applications: starting again what has ended.
//!
//! A process that cannot go on ends, and its supervisor starts a new one, in the state that is known to work. So most
//! code handles only the errors that it has an answer to, and lets the others end it.
//!
//! ```
//! use greenroom::supervisor::{Strategy, Supervisor};
//! use greenroom::{Agent, Pid, exit, whereis, yield_now};
//!
//! greenroom::run(async {
//!     let tally = greenroom::supervisor::ChildSpec::starting("tally", || Agent::start_link_named("tally", || 0_u32));
//!     Supervisor::new(Strategy::OneForOne).child(tally).start_link().await.unwrap();
//!
//!     let first: Pid = whereis("tally").unwrap();
//!     exit(first, "something unforeseen");
//!     let second = loop {
//!         match whereis("tally") {
//!             Some(pid) => break pid,
//!             None => yield_now().await,
//!         }
//!     };
//!     assert_ne!(first, second);
//!     assert_eq!(Agent::<u32>::at(second).get(|n| *n).await, Ok(0));
//! });
//! ```
//!
//! # Writing a tree
//! A tree reads as it will stand. Children start in order and stop in reverse, so what others need comes first;
//! [`Strategy`](crate::supervisor::Strategy) says who is started again together.
//!
//! ```
//! use greenroom::supervisor::{ChildSpec, Restart, Strategy, Supervisor};
//! use greenroom::{process, receive, supervisor};
//!
//! async fn serve() {
//!     receive::<()>().await
//! }
//!
//! greenroom::run(async {
//!     let root = Supervisor::new(Strategy::RestForOne)
//!         .child(ChildSpec::named("store", serve))
//!         .child(Supervisor::new(Strategy::OneForOne).name("listeners").child(serve))
//!         .child(ChildSpec::new("warm_up", || async {}).restart(Restart::Temporary))
//!         .start_link()
//!         .await
//!         .unwrap();
//!     assert_eq!(root.count_children().await.unwrap().supervisors, 1);
//!     let tree = supervisor::tree(root.pid()).await.unwrap();
//!     println!("{tree:?}");
//!     assert!(process::list().len() >= 4);
//! });
//! ```
//!
//! [`DynamicSupervisor`](crate::supervisor::DynamicSupervisor) is for children that come and go,
//! [`TaskSupervisor`](crate::supervisor::TaskSupervisor) for tasks,
//! [`PartitionSupervisor`](crate::supervisor::PartitionSupervisor) for several of a kind.
//!
//! # When starting again does not help
//! Three restarts within five seconds are tolerated unless [said otherwise](
//! crate::supervisor::SupervisorBuilder::intensity). One more, and the supervisor gives up: the one above it starts it,
//! with everything below, anew, or gives up itself.
//!
//! # Applications
//! An [`Application`](crate::Application) is a root supervisor with a name, what it depends on, its settings and the
//! phases of its end:
//!
//! ```
//! use greenroom::application::{self, Application, Kind};
//! use greenroom::supervisor::{Strategy, Supervisor};
//!
//! greenroom::run(async {
//!     let shop = Application::new("shop", || async { Supervisor::new(Strategy::OneForOne) })
//!         .depends_on(Application::new("store", || async { Supervisor::new(Strategy::OneForOne) }));
//!     shop.start(Kind::Permanent).await.unwrap();
//!     assert_eq!(application::started().await.len(), 2);
//!     application::stop_all().await;
//! });
//! ```
//!
//! # Where it differs from OTP
//! - A start that fails is an error for whoever called `start_link`, and no exit signal.
//! - A supervisor that is told to end does not wait for a child that is just starting.
//! - Three restarts within five seconds is Elixir's default; OTP's is one.
//! - The node goes on when a permanent application has ended; [`ended`](crate::application::ended) says why.
//!
//! More: [`supervisor`](crate::supervisor), [`application`](crate::application). Next: [tasks and agents](super::tasks).
