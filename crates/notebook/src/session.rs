//! A live notebook as processes: a session that keeps its data, a process for each cell, one that has cells compiled,
//! one that owns the runtime, one that saves, and one for each front end. All of them are supervised, and each can be killed: the
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
mod saver;
mod run;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use greenroom::message::Down;
use greenroom::supervisor::{ChildSpec, Shutdown, StartChildError, StartError, Strategy};
use greenroom::{ExitReason, Supervisor, exit, monitor, receive, self_pid, send, unlink, whereis};

use crate::disk::{Lock, LockError};
use crate::event::Event;
use crate::explain::Explainer;
use crate::livemd::Notebook;
use data::Data;
use estate::Estate;
pub use estate::{MakeTools, Tools};
pub use follow::Follower;
use message::{COMPILER, RUNTIME, SESSION, Speaker};
use operation::{File, Operation};
pub use run::Interrupt;
use run::{Over, Told};
use saver::Agreed;

/// So many restarts within [`WITHIN`] are borne: processes that people kill cost nothing.
const RESTARTS: usize = 100;
/// See [`RESTARTS`].
const WITHIN: Duration = Duration::from_secs(5);
/// The name of the process that saves.
const SAVER: &str = "saver";
/// The name of the process of a run.
const RUN: &str = "run";

/// The processes of a live notebook. It belongs to the process that has started it, and ends with it.
pub struct Session {
    estate: Arc<Estate>,
    supervisor: Supervisor,
    speaker: Speaker,
    /// That of the file, if there is one.
    lock: Option<Lock>,
}

/// Why a notebook cannot be saved in a file.
#[derive(Debug)]
pub enum AttachError {
    /// The file cannot be locked.
    Lock(LockError),
    /// It has a file already.
    Saver(StartChildError),
    /// The session does not take it.
    Refused(data::Refusal),
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AttachError::Lock(error) => error.fmt(f),
            AttachError::Saver(error) => write!(f, "the notebook is saved in another file already: {error}"),
            AttachError::Refused(refusal) => refusal.fmt(f),
        }
    }
}

impl std::error::Error for AttachError {}

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
        Ok(Session { estate, supervisor, speaker: Speaker::new(), lock: None })
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

    /// Saves the notebook in a file from now on: some seconds after each change. `agreed` is what the file says now;
    /// what another program writes into it later is merged. The file is locked for as long as the session lives.
    ///
    /// A notebook without a file of its own is kept by giving it one in a folder for such.
    ///
    /// # Errors
    /// [`AttachError`], if another session has the file, or this one has one already.
    pub async fn attach(&mut self, path: &Path, locks: &Path, agreed: Option<String>) -> Result<(), AttachError> {
        let lock = Lock::take(path, locks).map_err(AttachError::Lock)?;
        let follower = Follower::join().await;
        *self.estate.agreed() = Some(Agreed { document: follower.data().document().clone(), text: agreed });
        let saver = named(SAVER, &self.estate, saver::serve);
        self.supervisor.start_child(saver).await.map_err(AttachError::Saver)?;
        self.lock = Some(lock);
        self.apply(File::Attach(path.to_owned())).await.map_err(AttachError::Refused)
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
