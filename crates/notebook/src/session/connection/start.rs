//! Starting a runtime: making the tools for the manifest, starting the program or joining a node, waiting until it is
//! ready. The owner goes on listening meanwhile, so that all of it can be stopped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom::{ExitReason, Local, Node, NodeId, Pid, exit, self_pid, send, send_after, spawn_link, unlink};
use greenroom_stage::protocol::{Command, Fate, Join, Ready, SERVER, Waiter};
use serde::{Deserialize, Serialize};

use crate::plan::PlannedCell;
use crate::prelude::{PreludeError, Progress};
use crate::runtime::{Launch, Runtime, RuntimeSettings, START_TIME};
use crate::rustc::Cancel;
use crate::session::estate::Estate;
use crate::session::message::RUNTIME;
use crate::session::nodes;
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

/// What comes of looking for a node that is to run cells.
pub(super) type Visit = Result<NodeId, String>;

/// Who looks for a node to its owner: what has come of it.
pub(super) type Visited = Local<(RuntimeId, Visit)>;

/// To itself: look at the program again.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Look(pub RuntimeId);

/// A runtime on its way.
pub(super) struct Start {
    pub id: RuntimeId,
    setup: Option<Box<PlannedCell>>,
    settings: RuntimeSettings,
    /// The node that is to be joined, instead of starting a program.
    node: Option<String>,
    step: Step,
}

enum Step {
    /// This process makes the tools.
    Tools(Pid),
    /// The program was started.
    Program(Launch),
    /// This process looks for the node, and whether it can run the cells.
    Visit(Pid),
    /// The node was asked to take this notebook.
    Joining(NodeId, Instant),
}

impl Start {
    /// Begins. The error is for people.
    pub(super) fn begin(
        id: RuntimeId,
        setup: Option<Box<PlannedCell>>,
        (settings, node): (RuntimeSettings, Option<String>),
        estate: &Arc<Estate>,
    ) -> Result<Start, String> {
        let manifest = setup.as_ref().map_or_else(String::new, |setup| setup.source.clone());
        let tools = estate.tools().filter(|tools| tools.manifest == manifest);
        let step = match &tools {
            Some(tools) => set_out(id, tools, (&settings, node.as_deref()), estate)?,
            None => Step::Tools(spawn_link(make(self_pid(), id, manifest, estate.clone()))),
        };
        Ok(Start { id, setup, settings, node, step })
    }

    /// Starts the program with these tools, or looks for the node. The error is for people.
    pub(super) fn go_on(&mut self, made: Outcome, estate: &Estate) -> Result<(), String> {
        let tools = made.map_err(|trouble| match (trouble, &self.setup) {
            (Trouble::Prelude(error), Some(setup)) if error.is_about_setup() => {
                estate.explainer.setup_error(setup, &error)
            }
            (Trouble::Prelude(error), _) => error.to_string(),
            (Trouble::Panic(reason), _) => format!("what makes it ready has failed: {reason}"),
        })?;
        estate.set_tools(tools.clone());
        self.step = set_out(self.id, &tools, (&self.settings, self.node.as_deref()), estate)?;
        Ok(())
    }

    /// The node was found, and cells can run there: asks it to take this notebook. The error is for people.
    pub(super) fn arrive(&mut self, visited: Visit) -> Result<(), String> {
        let node = visited?;
        let owner = Waiter { name: RUNTIME.to_owned(), node: self_pid().node() };
        send((SERVER, node), Join(owner));
        self.step = Step::Joining(node, Instant::now());
        send_after(self_pid(), Look(self.id), STEP);
        Ok(())
    }

    /// Whether this says that it is ready.
    pub(super) fn is_ready(&self, ready: &Ready) -> bool {
        match &self.step {
            Step::Program(launch) => launch.is_ready(ready),
            Step::Joining(node, _) => ready.server.node() == *node,
            Step::Tools(_) | Step::Visit(_) => false,
        }
    }

    /// The runtime, once it is ready.
    pub(super) fn done(self, ready: &Ready) -> Option<Runtime> {
        match self.step {
            Step::Program(launch) => Some(launch.done(ready)),
            Step::Joining(node, _) => Some(Runtime::of_node(node.to_string(), ready.server)),
            Step::Tools(_) | Step::Visit(_) => None,
        }
    }

    /// Looks at the program, or whether the node has answered. The error is for people.
    pub(super) fn look(&mut self) -> Result<(), String> {
        let trouble = match &mut self.step {
            Step::Program(launch) => launch.trouble().map(|error| error.to_string()),
            Step::Joining(node, since) if since.elapsed() > START_TIME => {
                Some(format!("the node {node} has not answered within {} s", START_TIME.as_secs()))
            }
            Step::Joining(..) => None,
            Step::Tools(_) | Step::Visit(_) => return Ok(()),
        };
        send_after(self_pid(), Look(self.id), STEP);
        trouble.map_or(Ok(()), Err)
    }

    /// Gives it up.
    pub(super) fn stop(self) {
        match self.step {
            Step::Tools(worker) | Step::Visit(worker) => {
                unlink(worker);
                exit(worker, ExitReason::Kill);
            }
            Step::Program(launch) => launch.kill(),
            Step::Joining(node, _) => {
                send((SERVER, node), Command { owner: self_pid().node(), fate: Fate::Leave });
            }
        }
    }
}

fn set_out(
    id: RuntimeId,
    tools: &Tools,
    (settings, node): (&RuntimeSettings, Option<&str>),
    estate: &Estate,
) -> Result<Step, String> {
    if let Some(name) = node {
        let (owner, name) = (self_pid(), name.to_owned());
        let (cluster, fit) = (estate.toolbox.cluster.clone(), tools.fit.clone());
        return Ok(Step::Visit(spawn_link(async move {
            greenroom::process::set_label(format!("envoy to {name}"));
            let visited: Visited = Local((id, nodes::visit(&cluster, &name, &fit).await));
            send(owner, visited);
        })));
    }
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
