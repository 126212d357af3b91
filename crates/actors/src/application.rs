//! Applications: a named root supervisor with what it depends on, what it can be told, and the phases of its life.
//!
//! ```
//! use greenroom::application::{self, Application, Kind, Setting};
//! use greenroom::supervisor::{ChildSpec, Strategy, Supervisor};
//! use greenroom::receive;
//!
//! static SHELVES: Setting<usize> = Setting::new("store", "shelves", || 2);
//!
//! async fn work() {
//!     receive::<()>().await
//! }
//!
//! greenroom::run(async {
//!     let store = Application::new("store", || async {
//!         let shelves = (0..SHELVES.read()).map(|number| ChildSpec::new(format!("shelf-{number}"), work));
//!         shelves.fold(Supervisor::new(Strategy::OneForOne), |store, shelf| store.child(shelf))
//!     });
//!     let shop = Application::new("shop", || async { Supervisor::new(Strategy::OneForOne).child(work) })
//!         .depends_on(store)
//!         .stop(|| async { println!("closed") });
//!
//!     shop.start(Kind::Permanent).await.unwrap();
//!     let names: Vec<_> = application::started().await.into_iter().map(|started| started.name).collect();
//!     assert_eq!(names, ["store", "shop"]);
//!     application::stop_all().await;
//! });
//! ```
//!
//! # Phases
//! - *Start*: the start function runs in a process of the application's own and returns the root supervisor, which is
//!   then started under the application's name. What it depends on runs by then.
//! - *[`prep_stop`](Application::prep_stop)*: about to be stopped, everything still runs.
//! - The root supervisor stops its children and ends, in its own time.
//! - *[`stop`](Application::stop)*: nothing runs any more. Also when the root has ended by itself.
//!
//! # When the root ends by itself
//! [`Kind`] says what that means for the others. If they cannot do without it, all are stopped, in reverse order of
//! their start, and [`ended`] says which one it was and why: `main` waits for that.
//!
//! Differs from OTP: the node goes on, as it may be part of a program that has other things to do; and an application
//! is no group leader.

mod error;
mod setting;
mod definition;
mod master;
mod controller;

use std::pin::Pin;

use crate::pid::Pid;
use crate::reason::ExitReason;
use controller::{Request, ask};
pub use definition::{Application, Ended, IntoRoot, Kind, Started};
pub use error::{StartError, StopError};
pub use setting::Setting;

impl Application {
    /// Starts what it depends on, as of the same kind, and then the application itself; returns its root supervisor.
    ///
    /// # Errors
    /// [`StartError`]; then those that were started for it have been stopped.
    ///
    /// # Panics
    /// Outside of a process.
    pub async fn start(self, kind: Kind) -> Result<Pid, StartError> {
        let mut started = Vec::new();
        let outcome = self.start_after_others(kind, &mut started).await;
        if outcome.is_err() {
            for name in started.iter().rev() {
                // Whether it stopped well is not the error that this is about.
                let _outcome = stop(name).await;
            }
        }
        outcome
    }

    fn start_after_others(
        self,
        kind: Kind,
        started: &mut Vec<String>,
    ) -> Pin<Box<dyn Future<Output = Result<Pid, StartError>> + Send + '_>> {
        Box::pin(async move {
            let name = self.name.clone();
            for dependency in self.dependencies.iter().cloned() {
                match dependency.start_after_others(kind, started).await {
                    Ok(_) | Err(StartError::AlreadyStarted { .. }) => {}
                    Err(error) => return Err(StartError::Dependency { name, error: Box::new(error) }),
                }
            }
            let answer = ask::<Result<Pid, StartError>>(Request::StartApplication(self, kind)).await;
            let root = answer.unwrap_or_else(|reason| Err(StartError::Controller { reason }))?;
            started.push(name);
            Ok(root)
        })
    }
}

/// The applications that run on this node, in the order in which they were started.
///
/// # Panics
/// Outside of a process.
pub async fn started() -> Vec<Started> {
    // A controller that has ended has taken all applications with it.
    ask(Request::Applications).await.unwrap_or_default()
}

/// Stops an application; returns when nothing of it runs any more. Those that depend on it are not touched.
///
/// # Errors
/// [`StopError`], if it does not run, or has not stopped well.
///
/// # Panics
/// Outside of a process.
pub async fn stop(name: &str) -> Result<(), StopError> {
    let answer = ask(Request::StopApplication(name.to_owned())).await;
    answer.unwrap_or_else(|reason| Err(StopError::Controller { reason }))
}

/// Stops all applications, the one that was started last first.
///
/// # Panics
/// Outside of a process.
pub async fn stop_all() {
    while let Some(last) = started().await.pop() {
        // One that stops badly is no reason to keep the others.
        let _outcome = stop(&last.name).await;
    }
}

/// Waits until an application has ended that the others [cannot do without](Kind), and all have been stopped.
///
/// Starting one anew is a new beginning: then it waits for the next end.
///
/// # Errors
/// The reason why the application controller has ended.
///
/// # Panics
/// Outside of a process.
pub async fn ended() -> Result<Ended, ExitReason> {
    ask(Request::WhenEnded).await
}
