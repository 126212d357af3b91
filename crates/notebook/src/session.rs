//! A live notebook as processes: a session that keeps its data, a process for each cell, one that has cells compiled,
//! one that owns the runtime, and one for each front end. All of them are supervised, and each can be killed: the
//! notebook goes on.
//!
//! What happens is decided in [`data`], as a function of [`operation`]s; everything beside it here is a thin shell.

pub mod operation;

pub mod data;

pub mod merge;

mod log;
mod estate;
mod message;
mod words;
mod workshop;
mod cell;
mod connection;
mod keeper;
mod follow;
mod run;

use std::sync::{Arc, mpsc};
use std::time::Duration;

use greenroom::message::Down;
use greenroom::supervisor::{ChildSpec, Shutdown, StartChildError, StartError, Strategy};
use greenroom::{ExitReason, Supervisor, exit, monitor, receive, self_pid, send, unlink, whereis};

use crate::event::Event;
use crate::explain::Explainer;
use crate::livemd::Notebook;
use data::Data;
use estate::Estate;
pub use estate::{MakeTools, Tools};
pub use follow::Follower;
use message::{COMPILER, RUNTIME, SESSION, Speaker};
use operation::Operation;
pub use run::Interrupt;
use run::{Over, Told};

/// So many restarts within [`WITHIN`] are borne: processes that people kill cost nothing.
const RESTARTS: usize = 100;
/// See [`RESTARTS`].
const WITHIN: Duration = Duration::from_secs(5);
/// The name of the process of a run.
const RUN: &str = "run";

/// The processes of a live notebook. It belongs to the process that has started it, and ends with it.
pub struct Session {
    estate: Arc<Estate>,
    supervisor: Supervisor,
    speaker: Speaker,
}

impl Session {
    /// Starts a session. `make_tools` is called when the manifest changes.
    ///
    /// # Errors
    /// If one of its names is taken: a node has one session.
    pub async fn start(
        notebook: &Notebook,
        explainer: Explainer,
        tools: Tools,
        make_tools: Box<MakeTools>,
    ) -> Result<Session, StartError> {
        let log = log::Log::new(Data::new(notebook));
        let estate = Arc::new(Estate::new(log, explainer, tools, make_tools));
        let supervisor = Supervisor::new(Strategy::OneForOne)
            .name("notebook")
            .intensity(RESTARTS, WITHIN)
            .child(named(RUNTIME, &estate, connection::serve))
            .child(named(COMPILER, &estate, workshop::serve))
            .child(named(SESSION, &estate, keeper::serve))
            .start_link()
            .await?;
        estate.set_supervisor(supervisor);
        Ok(Session { estate, supervisor, speaker: Speaker::new() })
    }

    /// Lets something happen, once, whoever is killed meanwhile.
    ///
    /// # Errors
    /// [`data::Refusal`], if it cannot happen.
    pub async fn apply(&mut self, operation: impl Into<Operation>) -> Result<(), data::Refusal> {
        self.speaker.say(operation).await
    }

    /// Evaluates all cells from top to bottom, and tells what comes of it. True if every one succeeded.
    /// An [`Interrupt`] to the calling process ends it.
    ///
    /// # Errors
    /// If there is a run already.
    pub async fn run(&self, events: mpsc::Sender<Event>) -> Result<bool, StartChildError> {
        let told = Arc::new(Told::new(events, self.estate.explainer.clone(), self_pid()));
        let body = move || run::serve(told.clone());
        self.supervisor.start_child(ChildSpec::named(RUN, body).shutdown(Shutdown::BrutalKill)).await?;
        let watch = monitor(self.supervisor.pid());
        loop {
            receive! {
                Over(all_ok): Over => return Ok(all_ok),
                Interrupt: Interrupt => if let Some(run) = whereis(RUN) { send(run, Interrupt) },
                down: Down if down.reference == watch => return Ok(false),
            }
        }
    }

    /// Ends everything, the runtime first.
    pub async fn stop(self) {
        let supervisor = self.supervisor.pid();
        let watch = monitor(supervisor);
        unlink(supervisor);
        exit(supervisor, ExitReason::Shutdown);
        receive! {
            down: Down if down.reference == watch => drop(down),
        }
        if let Some(runtime) = self.estate.runtime().take() {
            runtime.kill();
        }
    }
}

/// A process of the session that has a name.
fn named<F>(name: &str, estate: &Arc<Estate>, life: fn(Arc<Estate>) -> F) -> ChildSpec
where
    F: Future<Output = ()> + Send + 'static,
{
    let estate = estate.clone();
    ChildSpec::named(name, move || life(estate.clone())).shutdown(Shutdown::BrutalKill)
}
