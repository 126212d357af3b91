//! The process that a session belongs to, and what front ends ask of it. Requests are data: to the host it makes no
//! difference whether who asks is in the same program or in another.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use greenroom::message::{Down, Exit};
use greenroom::{Message, NodeId, Pid, Ref, monitor, receive, self_pid, send, spawn};
use greenroom_stage::inspect::{Answer, Question, Secret};
use serde::{Deserialize, Serialize};

use crate::analyzer::{Member, NoMembers};
use crate::compiler::CompiledCell;
use crate::session::data::{Data, Refusal};
use crate::session::nodes::Visited;
use crate::session::operation::{ClientId, Operation, SectionId, Visitor};
use crate::session::{ImagineError, Library, Session};

/// The name of this process on the notebook's node.
pub(super) const HOST: &str = "host";

/// How long it waits until all who look know that the notebook is closed. One that is stopped never does.
const FAREWELL: Duration = Duration::from_secs(1);

/// To the host: what to do, and whom to tell.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    Apply(Operation, Reply<Result<(), Refusal>>),
    /// Whoever gets the answer is told what happens.
    Join(Visitor, Reply<ClientId>),
    Leave(ClientId, Reply<()>),
    Save(Option<PathBuf>, Reply<Result<(), String>>),
    Data(Reply<Box<Data>>),
    /// This may soon be a cell at the end of a section.
    Warm(SectionId, String),
    Imagine(SectionId, String, Reply<Result<CompiledCell, ImagineError>>),
    /// What could stand at a place of a source, at the end of a section.
    Members(SectionId, String, usize, Reply<Result<Vec<Member>, NoMembers>>),
    Inspect(Question, Reply<Result<Answer, String>>),
    /// The same of another node.
    InspectAt(String, Question, Reply<Result<Answer, String>>),
    /// Connects the notebook to the node at an address.
    Connect(String, Option<Secret>, Reply<Result<NodeId, String>>),
    /// The nodes that it is connected to.
    Nodes(Reply<Vec<NodeId>>),
    /// What a node is for cells.
    Visit(String, Reply<Result<Visited, String>>),
    Interrupt(Reply<()>),
    Recover(PathBuf, Reply<Result<(), String>>),
    Discard(Reply<()>),
    Close(Reply<()>),
}

/// Where an answer goes, and of what type it is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Reply<T> {
    to: Pid,
    /// What the answer bears.
    pub(super) tag: Ref,
    answer: PhantomData<fn(T)>,
}

/// An answer, with the tag of its request.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answered<T> {
    pub(super) tag: Ref,
    pub(super) answer: T,
}

impl<T: Message> Reply<T> {
    /// To the running process.
    pub(super) fn here() -> Self {
        Reply { to: self_pid(), tag: Ref::new(), answer: PhantomData }
    }

    /// Whoever has asked may be gone before the answer comes.
    fn send(self, answer: T) {
        send(self.to, Answered { tag: self.tag, answer });
    }
}

/// Those who look, by the monitors on the processes through which they are told.
type Clients = HashMap<Ref, ClientId>;

/// The life of the process that a session belongs to.
pub(super) async fn host(mut session: Session) {
    let mut clients = Clients::new();
    loop {
        receive! {
            ended: Exit => drop(session.revive(&ended).await),
            down: Down => {
                if let Some(client) = clients.remove(&down.reference) {
                    session.leave(client).await;
                }
            },
            request: Request => match request {
                Request::Close(reply) => {
                    session.finish().await;
                    farewell(clients).await;
                    session.stop().await;
                    return reply.send(());
                }
                request => serve(&mut session, &mut clients, request).await,
            },
        }
    }
}

async fn serve(session: &mut Session, clients: &mut Clients, request: Request) {
    match request {
        Request::Apply(operation, reply) => reply.send(session.apply(operation).await),
        Request::Join(visitor, reply) => {
            let listener = reply.to;
            let client = session.join(visitor, listener).await;
            clients.insert(monitor(listener), client);
            reply.send(client);
        }
        Request::Leave(client, reply) => {
            session.part(client).await;
            reply.send(());
        }
        Request::Save(path, reply) => reply.send(session.save(path).await),
        Request::Data(reply) => reply.send(Box::new(session.data().await)),
        Request::Warm(section, source) => session.library().warm(section, source),
        Request::Imagine(section, source, reply) => {
            look_up(session, reply, |library| async move { library.imagine(section, source).await });
        }
        Request::Members(section, source, place, reply) => {
            look_up(session, reply, move |library| async move { library.members(section, source, place).await });
        }
        Request::Inspect(question, reply) => {
            look_up(session, reply, |library| async move { library.inspect(question).await });
        }
        Request::InspectAt(node, question, reply) => {
            look_up(session, reply, |library| async move { library.inspect_at(&node, question).await });
        }
        Request::Connect(address, cookie, reply) => {
            look_up(session, reply, |library| async move { library.connect(&address, cookie).await });
        }
        Request::Nodes(reply) => reply.send(session.library().nodes()),
        Request::Visit(node, reply) => {
            look_up(session, reply, |library| async move { library.visit(&node).await });
        }
        Request::Interrupt(reply) => {
            session.interrupt().await;
            reply.send(());
        }
        Request::Recover(path, reply) => reply.send(session.recover(path).await),
        Request::Discard(reply) => {
            session.discard().await;
            reply.send(());
        }
        Request::Close(_) => unreachable!("the host sees to its own end"),
    }
}

/// Answers what may take long by a process of its own.
fn look_up<T: Message, F>(session: &Session, reply: Reply<T>, look: impl FnOnce(Library) -> F)
where
    F: Future<Output = T> + Send + 'static,
{
    let found = look(session.library());
    spawn(async move { reply.send(found.await) });
}

/// Waits until those who look have heard the last word: their processes end by it.
async fn farewell(mut clients: Clients) {
    let until = Instant::now() + FAREWELL;
    while !clients.is_empty() {
        receive! {
            down: Down if clients.contains_key(&down.reference) => drop(clients.remove(&down.reference)),
            after until.saturating_duration_since(Instant::now()) => return,
        }
    }
}
