//! What a front end asks of a notebook beside changing it: what cells were compiled to, what something that is not a
//! cell yet would compile to, and what the processes of the runtime do.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use greenroom::message::Down;
use greenroom::process::demonitor_flush;
use greenroom::{Local, NodeId, Ref, monitor, receive, self_pid, send, whereis};
use greenroom_cluster::{Cookie, NodeKind};
use greenroom_stage::inspect::{self, Answer, Question, Silence};
use greenroom_stage::launch::Fit;

use super::estate::Estate;
use super::message::{Imagine, Imagined, SESSION};
use super::nodes::{self, Guest};
use super::operation::SectionId;
use crate::compiler::{CellInput, CompileError, CompiledCell};
use crate::rustc::Cancel;

/// How long a runtime may take to answer: one whose threads are all kept busy does not.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks things up in a session. Its clones look in the same one.
#[derive(Clone)]
pub struct Library {
    pub(super) estate: Arc<Estate>,
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Library")
    }
}

/// Why it is not known what something compiles to.
#[derive(Debug)]
pub enum ImagineError {
    /// What cells stand on is not ready, or there is no such section.
    NotReady,
    /// It does not compile.
    Compile(CompileError),
}

impl fmt::Display for ImagineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImagineError::NotReady => f.write_str("what cells stand on is still being made ready: try again soon"),
            ImagineError::Compile(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ImagineError {}

impl Library {
    /// What a cell was compiled to, by the name that its [`Compiled`](super::operation::Compiled) has for it.
    pub fn compiled(&self, library: &str) -> Option<Arc<CompiledCell>> {
        self.estate.compiled(library)
    }

    /// Has a cell compiled that may soon stand at the end of a section. Called by a process.
    pub(crate) fn warm(&self, section: SectionId, source: String) {
        if let Some(session) = whereis(SESSION) {
            send(session, Imagine { for_whom: None, section, source });
        }
    }

    /// What a cell at the end of a section would compile to. Nothing is run. Called by a process.
    pub(crate) async fn imagine(&self, section: SectionId, source: String) -> Result<CompiledCell, ImagineError> {
        let (Some(session), Some(tools)) = (whereis(SESSION), self.estate.tools()) else {
            return Err(ImagineError::NotReady);
        };
        let (watch, tag) = (monitor(session), Ref::new());
        send(session, Imagine { for_whom: Some((self_pid(), tag)), section, source });
        let job = receive! {
            Local((about, job)): Imagined if about == tag => job,
            down: Down if down.reference == watch => None,
        };
        demonitor_flush(watch).await;
        let job = job.ok_or(ImagineError::NotReady)?;
        let compile = move || {
            let input = CellInput { name: &job.name, source: &job.source };
            tools.compiler.compile(&input, &job.scope, &Cancel::default())
        };
        match greenroom::spawn_blocking(compile).await {
            Ok(compiled) => compiled.map_err(ImagineError::Compile),
            Err(reason) => greenroom::exit_self(reason),
        }
    }

    /// Asks the runtime about its processes. The error is for people. Called by a process.
    pub(crate) async fn inspect(&self, question: Question) -> Result<Answer, String> {
        let Some(runtime) = self.runtime() else {
            return Err("there is no runtime yet: it is being started, or nothing was evaluated".to_owned());
        };
        match inspect::ask(runtime, question, PATIENCE).await {
            Ok(answer) => answer,
            Err(Silence::Ended(reason)) => Err(format!("the runtime has ended: {reason}")),
            Err(Silence::Late) => Err(format!(
                "the runtime did not answer within {} s: do its processes yield? `:restart` ends it",
                PATIENCE.as_secs()
            )),
        }
    }

    /// The same of another node.
    pub(crate) async fn inspect_at(&self, name: &str, question: Question) -> Result<Answer, String> {
        let node = nodes::reach(&self.estate.toolbox.cluster, name).await?;
        match inspect::ask(node, question, PATIENCE).await {
            Ok(answer) => answer,
            Err(Silence::Ended(reason)) => Err(format!("{node} does not answer such questions: {reason}")),
            Err(Silence::Late) => Err(format!("{node} did not answer within {} s", PATIENCE.as_secs())),
        }
    }

    /// Connects the notebook to the node at an address, with a cookie for that node alone if there is one.
    pub(crate) async fn connect(&self, address: &str, cookie: Option<Cookie>) -> Result<NodeId, String> {
        nodes::connect(&self.estate.toolbox.cluster, address, cookie).await
    }

    /// The nodes that the notebook is connected to, its runtime among them.
    pub(crate) fn nodes(&self) -> Vec<NodeId> {
        self.estate.toolbox.cluster.nodes_of(NodeKind::Any)
    }

    /// What a node is for cells, by its name; with what they are compiled with, if that is known yet.
    pub(crate) async fn visit(&self, name: &str) -> Result<(NodeId, Guest, Option<Fit>), String> {
        let node = nodes::reach(&self.estate.toolbox.cluster, name).await?;
        Ok((node, nodes::ask(node).await?, self.estate.tools().map(|tools| tools.fit.clone())))
    }

    fn runtime(&self) -> Option<NodeId> {
        self.estate.runtime().as_ref().map(|held| held.runtime.server.node())
    }
}
