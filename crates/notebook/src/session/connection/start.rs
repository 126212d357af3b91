//! Starting a runtime: making the tools for the manifest, starting the program, waiting until it is ready. The owner
//! goes on listening meanwhile, so that all of it can be stopped.

use std::sync::Arc;
use std::time::Duration;

use greenroom::{ExitReason, Local, Node, Pid, exit, self_pid, send, send_after, spawn_link, unlink};
use greenroom_stage::protocol::Ready;
use serde::{Deserialize, Serialize};

use crate::plan::PlannedCell;
use crate::prelude::{PreludeError, Progress};
use crate::runtime::{Launch, Runtime, RuntimeSettings};
use crate::rustc::Cancel;
use crate::session::estate::Estate;
use crate::session::operation::RuntimeId;
use crate::tools::Tools;

/// How often a program that was started is looked at.
const STEP: Duration = Duration::from_millis(50);

/// What comes of making tools.
pub(super) type Outcome = Result<Arc<Tools>, Trouble>;

/// Why there are no tools.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    Prelude(Arc<PreludeError>),
    /// Making them has panicked.
    Panic(ExitReason),
}

/// The maker of tools to its owner: what has come of it.
pub(super) type Made = Local<(RuntimeId, Outcome)>;

/// The same: how far it is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Making(pub RuntimeId, pub Progress);

/// To itself: look at the program again.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Look(pub RuntimeId);

/// A runtime on its way.
pub(super) struct Start {
    pub id: RuntimeId,
    setup: Option<Box<PlannedCell>>,
    settings: RuntimeSettings,
    step: Step,
}

enum Step {
    /// This process makes the tools.
    Tools(Pid),
    /// The program was started.
    Program(Launch),
}

impl Start {
    /// Begins. The error is for people.
    pub(super) fn begin(
        id: RuntimeId,
        setup: Option<Box<PlannedCell>>,
        settings: RuntimeSettings,
        estate: &Arc<Estate>,
    ) -> Result<Start, String> {
        let manifest = setup.as_ref().map_or_else(String::new, |setup| setup.source.clone());
        let step = match estate.tools().filter(|tools| tools.manifest == manifest) {
            Some(tools) => launch(id, &tools, &settings)?,
            None => Step::Tools(spawn_link(make(self_pid(), id, manifest, estate.clone()))),
        };
        Ok(Start { id, setup, settings, step })
    }

    /// Starts the program with these tools. The error is for people.
    pub(super) fn go_on(&mut self, made: Outcome, estate: &Estate) -> Result<(), String> {
        let tools = made.map_err(|trouble| match (trouble, &self.setup) {
            (Trouble::Prelude(error), Some(setup)) if error.is_about_setup() => {
                estate.explainer.setup_error(setup, &error)
            }
            (Trouble::Prelude(error), _) => error.to_string(),
            (Trouble::Panic(reason), _) => format!("what makes it ready has failed: {reason}"),
        })?;
        estate.set_tools(tools.clone());
        self.step = launch(self.id, &tools, &self.settings)?;
        Ok(())
    }

    /// Whether this says that it is ready.
    pub(super) fn is_ready(&self, ready: &Ready) -> bool {
        matches!(&self.step, Step::Program(launch) if launch.is_ready(ready))
    }

    /// The runtime, once it is ready.
    pub(super) fn done(self, ready: &Ready) -> Option<Runtime> {
        match self.step {
            Step::Program(launch) => Some(launch.done(ready)),
            Step::Tools(_) => None,
        }
    }

    /// Looks at the program. The error is for people.
    pub(super) fn look(&mut self) -> Result<(), String> {
        let Step::Program(launch) = &mut self.step else { return Ok(()) };
        send_after(self_pid(), Look(self.id), STEP);
        launch.trouble().map_or(Ok(()), |error| Err(error.to_string()))
    }

    /// Gives it up.
    pub(super) fn stop(self) {
        match self.step {
            Step::Tools(maker) => {
                unlink(maker);
                exit(maker, ExitReason::Kill);
            }
            Step::Program(launch) => launch.kill(),
        }
    }
}

fn launch(id: RuntimeId, tools: &Tools, settings: &RuntimeSettings) -> Result<Step, String> {
    let launch = Launch::begin(&tools.runtime, settings).map_err(|error| error.to_string())?;
    send_after(self_pid(), Look(id), STEP);
    Ok(Step::Program(launch))
}

/// Stops the making with the process that waits for it.
struct Guard(Cancel);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The life of the process that makes tools.
async fn make(owner: Pid, id: RuntimeId, manifest: String, estate: Arc<Estate>) {
    greenroom::process::set_label("maker of tools");
    let guard = Guard(Cancel::default());
    let (cancel, node) = (guard.0.clone(), Node::current());
    let work = move || {
        let mut tell = |progress| {
            if let Some(node) = &node {
                node.send(owner, Making(id, progress));
            }
        };
        estate.toolbox.make(&manifest, &cancel, &mut tell)
    };
    let made = match greenroom::spawn_blocking(work).await {
        Ok(made) => made.map(Arc::new).map_err(|error| Trouble::Prelude(Arc::new(error))),
        Err(reason) => Err(Trouble::Panic(reason)),
    };
    drop(guard);
    let made: Made = Local((id, made));
    send(owner, made);
}
