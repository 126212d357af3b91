//! What an owner can ask about the processes of its runtime: who there is and what each does, who supervises whom, what
//! they tell each other; and ending one. Asked by messages to the process named [`INSPECTOR`].
//!
//! Owns the questions and their answers. How an answer looks is for whoever asked.

use std::fmt;
use std::time::Duration;

use greenroom::message::Down;
use greenroom::process::{Info, Messages, demonitor_flush, messages};
use greenroom::trace::{Signal, Trace};
use greenroom::tree::{ChildKind, TreeNode};
use greenroom::{
    ExitReason, Node, NodeId, Pid, Recording, Ref, Task, gen_server, monitor, receive, register, self_pid, send,
    supervisor,
};
use greenroom_cluster::{Address, AddressError, Cluster, CookieError, NodeKind};
use serde::{Deserialize, Serialize};

/// The name of the process that answers.
pub const INSPECTOR: &str = "inspector";

/// How many events a worker of the runtime records at most while somebody traces.
const EVENTS: usize = 20_000;

/// How many messages of a mailbox are told.
const MESSAGES: usize = 50;

/// How much of a state is told, in bytes.
const LONGEST_STATE: usize = 64 << 10;

/// How long a process may take to let itself be looked into.
const LOOK: Duration = Duration::from_secs(2);

/// A question. It is answered by one [`Answered`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Who gets the answer.
    pub from: Pid,
    /// What the answer will bear.
    pub tag: Ref,
    /// What to tell.
    pub question: Question,
}

/// What can be asked. A process is named as it is registered, or as `<0.12.0>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// Who there is: [`Answer::Processes`].
    Processes,
    /// What is known of one: [`Answer::Processes`] with one.
    Process(String),
    /// What waits in the mailbox of one: [`Answer::Messages`].
    Messages(String),
    /// What one is, and the state that it keeps, if it is a server: [`Answer::State`].
    State(String),
    /// Who supervises whom, below this supervisor or all of them: [`Answer::Trees`].
    Trees(Option<String>),
    /// Record what happens from now on: [`Answer::Done`].
    StartTrace,
    /// What was recorded so far; it begins anew: [`Answer::Trace`].
    TakeTrace,
    /// Record no more; what was recorded: [`Answer::Trace`].
    StopTrace,
    /// What has happened last, without having asked before: [`Answer::Trace`].
    Flight,
    /// End a process, whatever it does: [`Answer::Done`].
    Kill(String),
    /// The nodes that this one is connected to: [`Answer::Nodes`].
    Nodes,
    /// Connect to a node: [`Answer::Nodes`].
    Connect {
        /// Where it is.
        address: String,
        /// Its cookie, if that is another one.
        cookie: Option<Secret>,
    },
}

/// A text that nobody is shown: neither traces nor logs have it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// An answer, with the tag of its question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// That of the question.
    pub tag: Ref,
    /// The answer, or why there is none, for people.
    pub answer: Result<Answer, String>,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// It was done.
    Done,
    /// Processes.
    Processes(Vec<Process>),
    /// What waits in a mailbox.
    Messages {
        /// Whose it is.
        process: Process,
        /// How many wait.
        count: usize,
        /// The first of them.
        first: Vec<Signal>,
    },
    /// What a process keeps.
    State {
        /// The process.
        process: Process,
        /// Its state as `Debug` writes it, or why nobody can see one, for people.
        state: Result<String, String>,
    },
    /// Supervisors that nobody supervises, each with all below it.
    Trees(Vec<TreeNode>),
    /// What was recorded.
    Trace(Trace),
    /// The names of nodes.
    Nodes(Vec<String>),
}

/// What is known of a process: [`Info`] without what only its own node can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The process.
    pub pid: Pid,
    /// Whether it is a supervisor.
    pub kind: ChildKind,
    /// What it does: running, waiting, suspended.
    pub status: String,
    /// The name that it is registered under.
    pub registered_name: Option<String>,
    /// The label that it gave itself.
    pub label: Option<String>,
    /// Messages that wait.
    pub mailbox: usize,
    /// How many there may be.
    pub mailbox_limit: Option<usize>,
    /// Bytes of those that wait.
    pub mailbox_memory: usize,
    /// How many were dropped for want of room.
    pub dropped: u64,
    /// The processes that it is linked to.
    pub links: Vec<Pid>,
    /// Who monitors it.
    pub monitored_by: Vec<Pid>,
    /// Whether exit signals become messages.
    pub trap_exit: bool,
    /// Who started it.
    pub parent: Option<Pid>,
    /// Where its output goes.
    pub group_leader: Option<Pid>,
    /// Where in the source it was started.
    pub spawned_at: Option<String>,
    /// Bytes of its place, its future and its mailbox.
    pub memory: usize,
    /// How much it has done.
    pub reductions: u64,
    /// Messages that it has received.
    pub messages_in: u64,
    /// Messages that it has sent.
    pub messages_out: u64,
    /// How long it was running, all in all.
    pub busy: Duration,
    /// For how long it has not yielded, if it runs now.
    pub running_for: Option<Duration>,
}

impl From<Info> for Process {
    fn from(info: Info) -> Self {
        Process {
            pid: info.pid,
            kind: info.kind,
            status: format!("{:?}", info.status).to_lowercase(),
            registered_name: info.registered_name,
            label: info.label,
            mailbox: info.message_queue_len,
            mailbox_limit: info.mailbox_limit,
            mailbox_memory: info.mailbox_memory,
            dropped: info.dropped,
            links: info.links,
            monitored_by: info.monitored_by,
            trap_exit: info.trap_exit,
            parent: info.parent,
            group_leader: info.group_leader,
            spawned_at: info.spawned_at.map(|place| place.to_string()),
            memory: info.memory + info.heap.unwrap_or(0),
            reductions: info.reductions,
            messages_in: info.messages_in,
            messages_out: info.messages_out,
            busy: info.busy,
            running_for: info.running_for,
        }
    }
}

/// Why nothing was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Nobody answers there, or no longer, or the node is gone.
    Ended(ExitReason),
    /// It took too long.
    Late,
}

/// Asks a node, and waits for the answer this long. Called by a process.
///
/// # Errors
/// [`Silence`]; within, why the node has no answer, for people.
pub async fn ask(node: NodeId, question: Question, patience: Duration) -> Result<Result<Answer, String>, Silence> {
    let (watch, tag) = (monitor((INSPECTOR, node)), Ref::new());
    send((INSPECTOR, node), Ask { from: self_pid(), tag, question });
    let answer = receive! {
        answered: Answered if answered.tag == tag => Ok(answered.answer),
        down: Down if down.reference == watch => Err(Silence::Ended(down.reason)),
        after patience => Err(Silence::Late),
    };
    demonitor_flush(watch).await;
    answer
}

/// Starts the process that answers, on the node of this cluster.
pub fn start(node: &Node, cluster: Cluster) -> Pid {
    node.spawn(serve(cluster))
}

async fn serve(cluster: Cluster) {
    greenroom::process::set_label("inspector");
    // Another one answers already.
    if register(INSPECTOR, self_pid()).is_err() {
        return;
    }
    let mut inspector = Inspector { cluster, recording: None };
    loop {
        let ask: Ask = receive().await;
        if matches!(ask.question, Question::Messages(_) | Question::State(_) | Question::Connect { .. }) {
            // Whoever is looked at may take its time: others have their answers meanwhile.
            let mut apart = Inspector { cluster: inspector.cluster.clone(), recording: None };
            greenroom::spawn(async move { apart.tell(ask).await });
        } else {
            inspector.tell(ask).await;
        }
    }
}

struct Inspector {
    cluster: Cluster,
    recording: Option<Recording>,
}

impl Inspector {
    async fn tell(&mut self, Ask { from, tag, question }: Ask) {
        let answer = match Node::current() {
            Some(node) => self.answer(&node, question).await,
            None => Err("the node is being stopped".to_owned()),
        };
        send(from, Answered { tag, answer });
    }

    async fn answer(&mut self, node: &Node, question: Question) -> Result<Answer, String> {
        match question {
            Question::Processes => {
                let mut all: Vec<Process> =
                    node.list().into_iter().filter_map(|pid| node.info(pid)).map(Process::from).collect();
                all.sort_by_key(|process| process.pid);
                Ok(Answer::Processes(all))
            }
            Question::Process(name) => Ok(Answer::Processes(vec![known(node, &name)?.into()])),
            Question::Messages(name) => messages_of(node, &name).await,
            Question::State(name) => state_of(node, &name).await,
            Question::Trees(None) => Ok(Answer::Trees(supervisor::forest().await)),
            Question::Trees(Some(name)) => {
                let tree = supervisor::tree(find(node, &name)?).await.map_err(|error| error.to_string())?;
                Ok(Answer::Trees(vec![tree]))
            }
            Question::StartTrace => {
                self.recording = Some(node.record(EVENTS));
                Ok(Answer::Done)
            }
            Question::TakeTrace => match &self.recording {
                Some(recording) => Ok(Answer::Trace(without(recording.take(self_pid()), self_pid()))),
                None => Err("nothing is traced".to_owned()),
            },
            Question::StopTrace => match self.recording.take() {
                Some(recording) => Ok(Answer::Trace(without(recording.take(self_pid()), self_pid()))),
                None => Err("nothing is traced".to_owned()),
            },
            Question::Flight => Ok(Answer::Trace(without(node.flight(), self_pid()))),
            Question::Kill(name) => {
                let pid = find(node, &name)?;
                greenroom::exit(pid, ExitReason::Kill);
                Ok(Answer::Done)
            }
            Question::Nodes => Ok(Answer::Nodes(self.nodes())),
            Question::Connect { address, cookie } => {
                let address: Address = address.parse().map_err(|error: AddressError| error.to_string())?;
                let connected = match cookie {
                    Some(Secret(cookie)) => {
                        let cookie = cookie.parse().map_err(|error: CookieError| error.to_string())?;
                        self.cluster.connect_with(address, cookie).await
                    }
                    None => self.cluster.connect(address).await,
                };
                connected.map_err(|error| error.to_string())?;
                Ok(Answer::Nodes(self.nodes()))
            }
        }
    }

    /// All nodes that are connected: a runtime is hidden, so none of them counts it as its own.
    fn nodes(&self) -> Vec<String> {
        self.cluster.nodes_of(NodeKind::Any).into_iter().map(|node| node.to_string()).collect()
    }
}

/// What waits in the mailbox of a process, which has to give up its turn for that.
async fn messages_of(node: &Node, name: &str) -> Result<Answer, String> {
    let info = known(node, name)?;
    let late = || format!("`{name}` has not given up its turn for {} s", LOOK.as_secs());
    let waiting = within(LOOK, messages(info.pid, MESSAGES)).await.ok_or_else(late)?;
    let Messages { len: count, first } = waiting.ok_or_else(|| gone(name))?;
    Ok(Answer::Messages { process: info.into(), count, first })
}

/// What a process keeps, if it is a server, which has to answer for that.
async fn state_of(node: &Node, name: &str) -> Result<Answer, String> {
    let info = known(node, name)?;
    let state = match info.is_server {
        true => match within(LOOK, gen_server::state(info.pid)).await {
            Some(Ok(state)) => Ok(cut(state)),
            Some(Err(error)) => Err(error.to_string()),
            None => Err(format!("it is busy: it has not answered for {} s", LOOK.as_secs())),
        },
        false => Err("it is no GenServer, StateMachine or Agent: what it keeps is known to it alone".to_owned()),
    };
    Ok(Answer::State { process: info.into(), state })
}

/// What comes of something within this time.
async fn within<T>(time: Duration, work: impl Future<Output = T> + Send + 'static) -> Option<T>
where
    T: fmt::Debug + Send + 'static,
{
    let mut task = Task::spawn_nolink(work);
    match task.poll_for(time).await {
        Some(outcome) => outcome.ok(),
        None => task.kill().await?.ok(),
    }
}

fn cut(mut state: String) -> String {
    if state.len() > LONGEST_STATE {
        let more = state.len() - LONGEST_STATE;
        state.truncate(state.floor_char_boundary(LONGEST_STATE));
        state.push_str(&format!("\n… {more} more bytes"));
    }
    state
}

/// The process that somebody means: by its registered name, or by its identifier as the node's own processes write it.
fn find(node: &Node, name: &str) -> Result<Pid, String> {
    if let Some(pid) = node.whereis(name) {
        return Ok(pid);
    }
    let digits = name.trim_start_matches('<').trim_end_matches('>');
    let own = node.id().to_string();
    let is_it = |pid: &Pid| {
        let written = pid.to_string();
        let written = written.trim_start_matches('<').trim_end_matches('>');
        let number = written.strip_prefix(&own).unwrap_or(written).trim_start_matches('.');
        digits == written || digits.strip_prefix("0.") == Some(number) || digits == number
    };
    node.list().into_iter().find(is_it).ok_or_else(|| gone(name))
}

/// What is known of the process that somebody means.
fn known(node: &Node, name: &str) -> Result<Info, String> {
    find(node, name).and_then(|pid| node.info(pid).ok_or_else(|| gone(name)))
}

fn gone(name: &str) -> String {
    format!("no process is called `{name}`: it may have ended; `:ps` lists those that run")
}

/// A trace without the conversation that was about it.
fn without(mut trace: Trace, inspector: Pid) -> Trace {
    trace.events.retain(|event| {
        let (first, second) = event.kind.participants();
        first != inspector && second != Some(inspector)
    });
    trace
}
