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
pub mod nodes;
mod connection;
mod keeper;
mod follow;
mod client;
mod file;
mod analyst;
mod library;
mod run;

use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use greenroom::message::{Down, Exit};
use greenroom::process::demonitor_flush;
use greenroom::supervisor::{
    ChildSpec, NotStarted, Shutdown, StartChildError, StartError, Strategy, SupervisorBuilder,
};
use greenroom::{
    ExitReason, Local, Pid, Ref, Supervisor, exit, monitor, receive, self_pid, send, sleep, trap_exit, unlink, whereis,
};

use crate::event::Event;
use crate::explain::Explainer;
use crate::livemd::Notebook;
use crate::tools::{Toolbox, Tools};
use client::Parted;
pub use client::{Broadcast, Dismissed, End, Replica, Update};
use data::{Data, RuntimeStatus};
use estate::Estate;
pub use file::notebook;
use file::{Answer, Request, Wish};
pub use follow::Follower;
pub use library::{ImagineError, Library};
use message::{ANALYST, CELLS, COMPILER, RUNTIME, SESSION, Speaker, ask};
use operation::{ClientId, Evaluation, Operation, Visitor};
pub use run::Interrupt;
use run::{Over, Told};

/// So many restarts within [`WITHIN`] are borne: processes that people kill cost nothing.
const RESTARTS: usize = 100;
/// See [`RESTARTS`].
const WITHIN: Duration = Duration::from_secs(5);
/// How long a front end that leaves is waited for: one that is stopped hears nothing.
const PARTING: Duration = Duration::from_secs(1);
/// The name of the process that keeps the file.
const FILE: &str = "file";
/// The name of the supervisor of all who look at the notebook.
const CLIENTS: &str = "clients";
/// The name of the process of a run.
const RUN: &str = "run";

/// The processes of a live notebook. It belongs to the process that has started it, and ends with it.
pub struct Session {
    estate: Arc<Estate>,
    supervisor: Supervisor,
    speaker: Speaker,
    last_client: u64,
}

/// What a session is started with.
pub struct SessionOptions {
    /// Puts failures into words.
    pub explainer: Explainer,
    /// Makes what cells are compiled and run with.
    pub toolbox: Toolbox,
    /// What was made for the notebook's present manifest, if that is there.
    pub tools: Option<Tools>,
    /// The folder where a notebook without a file is saved by itself; nowhere if there is none.
    pub autosave: Option<PathBuf>,
}

impl Session {
    /// Starts a session. The running process traps exits from then on: should the session's topmost supervisor be
    /// killed, its owner [`revive`](Session::revive)s it.
    ///
    /// # Errors
    /// If one of its names is taken: a node has one session.
    pub async fn start(notebook: &Notebook, options: SessionOptions) -> Result<Session, StartError> {
        let SessionOptions { explainer, toolbox, tools, autosave } = options;
        let log = log::Log::new(Data::new(notebook));
        let estate = Arc::new(Estate::new(log, explainer, toolbox, tools, autosave));
        trap_exit(true);
        let supervisor = tree(&estate).start_link().await?;
        Ok(Session { estate, supervisor, speaker: Speaker::new(), last_client: 0 })
    }

    /// Starts the processes again if this says that the topmost supervisor has ended. All that the session knows, and
    /// the runtime with its values, has outlived it. True if it was so.
    pub async fn revive(&mut self, ended: &Exit) -> bool {
        if ended.from != self.supervisor.pid() {
            return false;
        }
        loop {
            match tree(&self.estate).start_link().await {
                Ok(supervisor) => {
                    self.supervisor = supervisor;
                    return true;
                }
                // The names of those that were killed are just becoming free.
                Err(_) => sleep(Duration::from_millis(1)).await,
            }
        }
    }

    /// Lets something happen, once, whoever is killed meanwhile.
    ///
    /// # Errors
    /// [`data::Refusal`], if it cannot happen.
    pub async fn apply(&mut self, operation: impl Into<Operation>) -> Result<(), data::Refusal> {
        self.speaker.say(operation).await
    }

    /// Has a front end told what happens, from what the notebook is now: its process is sent a [`Broadcast`].
    pub async fn join(&mut self, visitor: Visitor, listener: Pid) -> ClientId {
        let client = ClientId(self.last_client + 1);
        self.last_client = client.0;
        self.attend(&client.to_string(), move || client::serve(listener)).await;
        // Its number was never used before.
        let _ = self.apply(operation::Client::Join { client, visitor }).await;
        client
    }

    /// Starts a process that looks at the notebook, and starts it again when it was killed.
    pub(crate) async fn attend<B, F>(&self, name: &str, body: B)
    where
        B: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        // It fails only if the supervisor of all who look has just ended: the next one starts this process, too.
        let _ = self.admit(name, body).await;
    }

    /// Has all front ends told that nothing more will happen, once they are told everything else.
    pub async fn finish(&self) {
        let clients: Vec<String> = self.estate.clients().keys().cloned().collect();
        for client in clients.iter().filter_map(|name| whereis(name)) {
            send(client, client::Finish::Closed);
        }
    }

    /// Tells a front end that it has left, behind all that has happened before, and nothing any more. One that cannot be
    /// told in time leaves all the same.
    pub async fn part(&mut self, client: ClientId) {
        if let Some(process) = whereis(&client.to_string()) {
            let watch = monitor(process);
            send(process, client::Finish::Left(self_pid()));
            receive! {
                Parted(by): Parted if by == process => (),
                down: Down if down.reference == watch => drop(down),
                after PARTING => (),
            }
            demonitor_flush(watch).await;
        }
        self.leave(client).await;
    }

    /// A front end is gone.
    pub async fn leave(&mut self, client: ClientId) {
        let id = client.to_string();
        self.estate.clients().remove(&id);
        // It may have left before.
        if let Ok(clients) = Supervisor::find(CLIENTS).await {
            let _ = clients.terminate_child(&id).await;
            let _ = clients.delete_child(&id).await;
        }
        let _ = self.apply(operation::Client::Leave(client)).await;
    }

    /// Saves the notebook in its file; if a path is given, there and from then on.
    ///
    /// # Errors
    /// Why it is not saved, for people: it is then as it was.
    pub async fn save(&self, path: Option<PathBuf>) -> Result<(), String> {
        wish(Wish::Save(path)).await
    }

    /// Takes a file for the notebook's own, which says what the notebook does. Nobody else may have it open.
    ///
    /// # Errors
    /// Why it cannot be had, for people.
    pub async fn attach(&self, path: PathBuf) -> Result<(), String> {
        wish(Wish::Attach(path)).await
    }

    /// Goes on with a notebook that another program has left, saved aside: see [`crate::aside`]. It is what the session
    /// was started with.
    ///
    /// # Errors
    /// Why it cannot be had, for people.
    pub async fn recover(&self, path: PathBuf) -> Result<(), String> {
        wish(Wish::Recover(path)).await
    }

    /// Removes what is saved aside, where nobody wants it.
    pub async fn discard(&self) {
        // It is never refused.
        let _ = wish(Wish::Discard).await;
    }

    /// Ends what runs or waits, and what is being made ready for it.
    pub async fn interrupt(&mut self) {
        // Neither is refused for a reason that anybody could mend.
        let _ = self.apply(Evaluation::CancelAll).await;
        if self.data().await.runtime().status == RuntimeStatus::Connecting {
            let _ = self.apply(operation::Runtime::Disconnect).await;
        }
    }

    /// Evaluates all cells from top to bottom, and tells what comes of it. True if every one succeeded.
    /// An [`Interrupt`] to the calling process ends it.
    ///
    /// # Errors
    /// If there is a run already.
    pub async fn run(&mut self, events: mpsc::Sender<Event>) -> Result<bool, StartChildError> {
        let told = Arc::new(Told::new(events, self.estate.explainer.clone(), self_pid()));
        self.admit(RUN, move || run::serve(told.clone())).await?;
        loop {
            receive! {
                Over(all_ok): Over => return Ok(all_ok),
                Interrupt: Interrupt => if let Some(run) = whereis(RUN) { send(run, Interrupt) },
                ended: Exit => drop(self.revive(&ended).await),
            }
        }
    }

    /// Starts the process of somebody who looks at the notebook.
    async fn admit<B, F>(&self, name: &str, body: B) -> Result<(), StartChildError>
    where
        B: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let spec = ChildSpec::named(name, body).shutdown(Shutdown::BrutalKill);
        self.estate.clients().insert(name.to_owned(), spec.clone());
        match Supervisor::find(CLIENTS).await {
            Ok(clients) => clients.start_child(spec).await.map(drop),
            // It is just being started again, with all who look.
            Err(_) => Ok(()),
        }
    }

    /// The notebook as it is now.
    pub async fn data(&self) -> Data {
        follow::peek().await
    }

    /// Looks things up in it.
    pub fn library(&self) -> Library {
        Library { estate: self.estate.clone() }
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
        if let Some(held) = self.estate.runtime().take() {
            held.runtime.kill();
        }
    }
}

/// All processes of a session, as they are started.
fn tree(estate: &Arc<Estate>) -> SupervisorBuilder {
    let kept = estate.clone();
    let clients = move || {
        let specs: Vec<ChildSpec> = kept.clients().values().cloned().collect();
        let clients = specs.into_iter().fold(supervisor(CLIENTS), SupervisorBuilder::child);
        async move { clients.start_link().await.map(Supervisor::pid).map_err(NotStarted::from) }
    };
    supervisor("notebook")
        .child(named(RUNTIME, estate, connection::serve))
        .child(named(COMPILER, estate, workshop::serve))
        .child(named(ANALYST, estate, analyst::serve))
        .child(supervisor(CELLS))
        .child(named(SESSION, estate, keeper::serve))
        .child(named(FILE, estate, file::serve))
        .child(ChildSpec::starting(CLIENTS, clients).supervisor())
}

fn supervisor(name: &str) -> SupervisorBuilder {
    Supervisor::new(Strategy::OneForOne).name(name).intensity(RESTARTS, WITHIN)
}

/// A process of the session that has a name.
fn named<F>(name: &str, estate: &Arc<Estate>, life: fn(Arc<Estate>) -> F) -> ChildSpec
where
    F: Future<Output = ()> + Send + 'static,
{
    let estate = estate.clone();
    ChildSpec::named(name, move || life(estate.clone())).shutdown(Shutdown::BrutalKill)
}

/// Has the keeper of the file do something.
async fn wish(wish: Wish) -> Result<(), String> {
    let tag = Ref::new();
    let request = || Request { from: self_pid(), tag, wish: wish.clone() };
    let Local((_, done)) = ask(FILE, request, |Local((about, _)): &Answer| *about == tag).await;
    done
}
