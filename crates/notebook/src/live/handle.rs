//! What a front end can do to a notebook, from threads that are no processes. The notebook may be open in this program
//! or in another: all that differs is the node that requests are sent from.

use std::fmt;
use std::path::Path;
use std::sync::mpsc;

use greenroom::message::Down;
use greenroom::{Message, Node, NodeId, monitor, receive, send};
use greenroom_stage::inspect::{Answer, Question, Secret};

use super::client::{self, Client};
use super::host::{Answered, HOST, Reply, Request};
use crate::analyzer::{Member, NoMembers};
use crate::compiler::CompiledCell;
use crate::session::data::{Data, Refusal};
use crate::session::nodes::Visited;
use crate::session::operation::{ClientId, Operation, SectionId, Visitor};
use crate::session::{ImagineError, Update};

/// Why something did not happen to a notebook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplyError {
    /// It cannot happen. The notebook is as it was.
    Refused(Refusal),
    /// The notebook was closed.
    Closed,
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ApplyError::Refused(refusal) => refusal.fmt(f),
            ApplyError::Closed => Closed.fmt(f),
        }
    }
}

impl std::error::Error for ApplyError {}

/// The notebook was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the notebook was closed")
    }
}

impl std::error::Error for Closed {}

/// Reaches an open notebook, from any thread; clones reach the same.
#[derive(Clone)]
pub struct Handle {
    /// Where requests are sent from.
    pub(super) node: Node,
    /// The notebook's own.
    pub(super) home: NodeId,
}

impl Handle {
    /// Whether the notebook is open in this program: it ends with it.
    pub fn is_own(&self) -> bool {
        self.node.id() == self.home
    }

    /// Lets something happen: changes the document, evaluates or stops cells, starts or ends the runtime. Returns when
    /// it has happened; what comes of it is told to all who have joined.
    ///
    /// # Errors
    /// [`ApplyError`]: the notebook is then as it was.
    ///
    /// # Panics
    /// Within a process, which must not block.
    pub fn apply(&self, operation: impl Into<Operation>) -> Result<(), ApplyError> {
        let operation = operation.into();
        let answer = self.ask(|reply| Request::Apply(operation, reply)).map_err(|Closed| ApplyError::Closed)?;
        answer.map_err(ApplyError::Refused)
    }

    /// Joins as a client that waits for what happens on a thread of its own.
    ///
    /// # Errors
    /// If the notebook was closed.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn join(&self, name: &str) -> Result<Client, Closed> {
        Client::join(self, name)
    }

    /// Joins as a client that has a loop of its own: `tell` is called on a thread of a node, and must not wait.
    /// A [`Replica`](crate::session::Replica) makes a notebook of what is told.
    ///
    /// # Errors
    /// If the notebook was closed.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn join_with(&self, name: &str, tell: impl Fn(Update) + Send + Sync + 'static) -> Result<ClientId, Closed> {
        assert_is_thread();
        let visitor = Visitor { name: name.to_owned(), process: std::process::id() };
        let (joined, answer) = mpsc::sync_channel(1);
        self.node.spawn(client::listen(self.home, visitor, tell, joined));
        answer.recv().map_err(|_| Closed)
    }

    /// Tells a client nothing any more.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn leave(&self, client: ClientId) {
        // A notebook that was closed has nobody left to tell.
        let _ = self.ask(move |reply| Request::Leave(client, reply));
    }

    /// Saves the notebook in its file; if a path is given, there and from then on.
    ///
    /// # Errors
    /// Why it is not saved, for people. The file is then as it was.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn save(&self, path: Option<&Path>) -> Result<(), String> {
        // Another program may work in another folder.
        let path = path.map(std::path::absolute).transpose().map_err(|error| error.to_string())?;
        self.ask(|reply| Request::Save(path, reply)).unwrap_or_else(|closed| Err(closed.to_string()))
    }

    /// Goes on with a notebook that another program has left, saved aside, and that this one was opened with: it is
    /// saved there until it has a file.
    ///
    /// # Errors
    /// Why it cannot be had, for people: another program may have taken it.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn recover(&self, left: &Path) -> Result<(), String> {
        let left = left.to_owned();
        self.ask(|reply| Request::Recover(left, reply)).unwrap_or_else(|closed| Err(closed.to_string()))
    }

    /// Removes what is saved aside of a notebook without a file: the person has said that nobody wants it.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn discard(&self) {
        // A notebook that was closed is not asked about.
        let _ = self.ask(Request::Discard);
    }

    /// The notebook as it is now.
    ///
    /// # Errors
    /// If it was closed.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn data(&self) -> Result<Data, Closed> {
        self.ask(Request::Data).map(|data| *data)
    }

    /// Has a cell compiled that may soon stand at the end of a section. Returns at once.
    pub fn warm(&self, section: SectionId, source: &str) {
        let (home, source) = (self.home, source.to_owned());
        // A notebook that was closed compiles nothing more.
        self.node.spawn(async move { send((HOST, home), Request::Warm(section, source)) });
    }

    /// What a cell at the end of a section would compile to. Nothing is run.
    ///
    /// # Errors
    /// [`ImagineError`]; a notebook that was closed is not ready.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn imagine(&self, section: SectionId, source: &str) -> Result<CompiledCell, ImagineError> {
        let source = source.to_owned();
        let imagined = self.ask(move |reply| Request::Imagine(section, source, reply));
        imagined.unwrap_or(Err(ImagineError::NotReady))
    }

    /// What could stand at a place, in bytes, of a source that is being typed at the end of a section, after a `.` or a
    /// `::`: fields, methods, items. rust-analyzer is started for the first question, and needs some seconds then.
    ///
    /// # Errors
    /// [`NoMembers`]; a notebook that was closed is not ready.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn members(&self, section: SectionId, source: &str, place: usize) -> Result<Vec<Member>, NoMembers> {
        let source = source.to_owned();
        let members = self.ask(move |reply| Request::Members(section, source, place, reply));
        members.unwrap_or(Err(NoMembers::NotReady))
    }

    /// Asks the runtime about its processes.
    ///
    /// # Errors
    /// Why there is no answer, for people.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn inspect(&self, question: Question) -> Result<Answer, String> {
        self.ask(|reply| Request::Inspect(question, reply)).unwrap_or_else(|closed| Err(closed.to_string()))
    }

    /// Asks another node about its processes, by its name.
    ///
    /// # Errors
    /// As for [`inspect`](Handle::inspect).
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub(crate) fn inspect_at(&self, node: &str, question: Question) -> Result<Answer, String> {
        let node = node.to_owned();
        self.ask(|reply| Request::InspectAt(node, question, reply)).unwrap_or_else(|closed| Err(closed.to_string()))
    }

    /// Connects the notebook to the node at an address, with a cookie for that node alone if there is one.
    ///
    /// # Errors
    /// Why it is not connected, for people.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub(crate) fn connect(&self, address: &str, cookie: Option<Secret>) -> Result<NodeId, String> {
        let address = address.to_owned();
        self.ask(|reply| Request::Connect(address, cookie, reply)).unwrap_or_else(|closed| Err(closed.to_string()))
    }

    /// The nodes that the notebook is connected to, its runtime among them.
    ///
    /// # Errors
    /// If it was closed.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub(crate) fn nodes(&self) -> Result<Vec<NodeId>, Closed> {
        self.ask(Request::Nodes)
    }

    /// What a node is for cells, by its name.
    ///
    /// # Errors
    /// Why that is not known, for people.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub(crate) fn visit(&self, node: &str) -> Result<Visited, String> {
        let node = node.to_owned();
        self.ask(|reply| Request::Visit(node, reply)).unwrap_or_else(|closed| Err(closed.to_string()))
    }

    /// Ends what runs or waits, and what is being built for it: what Ctrl-C means.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn interrupt(&self) {
        // In a notebook that was closed nothing runs.
        let _ = self.ask(Request::Interrupt);
    }

    /// Asks the host, through a process that waits for the answer.
    pub(super) fn ask<T: Message>(
        &self,
        request: impl FnOnce(Reply<T>) -> Request + Send + 'static,
    ) -> Result<T, Closed> {
        assert_is_thread();
        let home = self.home;
        let (sender, answer) = mpsc::sync_channel(1);
        self.node.spawn(async move {
            let watch = monitor((HOST, home));
            let reply = Reply::here();
            let tag = reply.tag;
            send((HOST, home), request(reply));
            receive! {
                // Whoever asks waits.
                answered: Answered<T> if answered.tag == tag => drop(sender.send(answered.answer)),
                down: Down if down.reference == watch => drop(down),
            }
        });
        answer.recv().map_err(|_| Closed)
    }
}

fn assert_is_thread() {
    assert!(greenroom::process::try_self_pid().is_none(), "called within a process, which must not block");
}
