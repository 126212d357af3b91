//! What a front end asks of a notebook beside changing it: what cells were compiled to, what something that is not a
//! cell yet would compile to, and what the processes of the runtime do.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use greenroom::{Local, NodeId, Ref, self_pid, send, whereis};
use greenroom_cluster::{CookieError, NodeKind};
use greenroom_stage::inspect::{self, Answer, Question, Secret, Silence};
use serde::{Deserialize, Serialize};

use super::analyst;
use super::estate::Estate;
use super::message::{Imagine, Imagined, Job, SESSION, ask};
use super::nodes::{self, Visited};
use super::operation::SectionId;
use crate::analyzer::{Member, NoMembers, Page};
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImagineError {
    /// What cells stand on is not ready, or there is no such section.
    NotReady,
    /// It does not compile: why, for people.
    Compile(String),
}

impl fmt::Display for ImagineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImagineError::NotReady => f.write_str("what cells stand on is still being made ready: try again soon"),
            ImagineError::Compile(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for ImagineError {}

impl Library {
    /// Has a cell compiled that may soon stand at the end of a section. Called by a process.
    pub(crate) fn warm(&self, section: SectionId, source: String) {
        if let Some(session) = whereis(SESSION) {
            send(session, Imagine { for_whom: None, section, source });
        }
    }

    /// What a cell at the end of a section would compile to. Nothing is run. Called by a process.
    pub(crate) async fn imagine(&self, section: SectionId, source: String) -> Result<CompiledCell, ImagineError> {
        let (Some(tools), Some(job)) = (self.estate.tools(), job(section, source).await) else {
            return Err(ImagineError::NotReady);
        };
        let compile = move || {
            let input = CellInput { name: &job.name, source: &job.source };
            tools.compiler.compile(&input, &job.scope, &Cancel::default())
        };
        match greenroom::spawn_blocking(compile).await {
            Ok(compiled) => compiled.map_err(|error| ImagineError::Compile(in_short(&error))),
            Err(reason) => greenroom::exit_self(reason),
        }
    }

    /// What could stand at a place of a source that is being typed at the end of a section. Called by a process.
    pub(crate) async fn members(
        &self,
        section: SectionId,
        source: String,
        place: usize,
    ) -> Result<Vec<Member>, NoMembers> {
        let job = job(section, source).await.ok_or(NoMembers::NotReady)?;
        analyst::ask(Page::new(&job.source, place, &job.scope)).await
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
    pub(crate) async fn connect(&self, address: &str, cookie: Option<Secret>) -> Result<NodeId, String> {
        let cookie =
            cookie.map(|cookie| cookie.0.parse()).transpose().map_err(|error: CookieError| error.to_string())?;
        nodes::connect(&self.estate.toolbox.cluster, address, cookie).await
    }

    /// The nodes that the notebook is connected to, its runtime among them.
    pub(crate) fn nodes(&self) -> Vec<NodeId> {
        self.estate.toolbox.cluster.nodes_of(NodeKind::Any)
    }

    /// What a node is for cells, by its name.
    pub(crate) async fn visit(&self, name: &str) -> Result<Visited, String> {
        let node = nodes::reach(&self.estate.toolbox.cluster, name).await?;
        let ours = self.estate.tools().map(|tools| tools.fit.clone());
        Ok(Visited { node, guest: nodes::ask(node).await?, ours })
    }

    fn runtime(&self) -> Option<NodeId> {
        self.estate.runtime().as_ref().map(|held| held.runtime.server.node())
    }
}

/// What a cell at the end of a section would be compiled with, if the tools for that are there.
async fn job(section: SectionId, source: String) -> Option<Arc<Job>> {
    let tag = Ref::new();
    let question = || Imagine { for_whom: Some((self_pid(), tag)), section, source: source.clone() };
    let Local((_, job)) = ask(SESSION, question, |Local((about, _)): &Imagined| *about == tag).await;
    job
}

/// Why something does not compile, without its places: nobody sees the text that they are in.
fn in_short(error: &CompileError) -> String {
    match error {
        CompileError::Parse { diagnostics } | CompileError::Rustc { diagnostics } => {
            let said: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
            said.join("\n")
        }
        CompileError::Unavailable { .. }
        | CompileError::DependsOnFailed { .. }
        | CompileError::Cancelled
        | CompileError::Tool(_) => error.to_string(),
    }
}
