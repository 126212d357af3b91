//! A live notebook for a front end: opened on a node of its own, changed and evaluated from any thread, and followed as
//! it changes. What happens to it is for [`session`](crate::session); how it looks is for the front end.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use greenroom::message::Exit;
use greenroom::{Local, Node, Pid, receive};
use greenroom_cluster::{Cluster, Cookie, CookieFileError, ListenError, Notice, StartError};
use greenroom_stage::inspect::{Answer, Question};

use crate::aside;
use crate::compiler::CompiledCell;
use crate::draw::Style;
use crate::explain::Explainer;
use crate::livemd::Notebook;
use crate::prelude;
use crate::rustc::ToolError;
use crate::session::data::{Data, Refusal};
use crate::session::operation::{ClientId, Operation, SectionId};
use crate::session::{ImagineError, Library, Replica, Session, SessionOptions, Update};
use crate::tools::Toolbox;

/// How a notebook is opened.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// Its file, which nobody else may have open; without one it is saved aside until somebody says where.
    pub file: Option<PathBuf>,
    /// Whether errors are drawn in colour.
    pub style: Style,
    /// How wide drawings and pictures in text may be.
    pub columns: usize,
}

/// Why a notebook was not opened.
#[derive(Debug)]
pub enum LiveError {
    /// There is no folder for the cache.
    Cache(ToolError),
    /// Its node did not start.
    Node(std::io::Error),
    /// Its node cannot be joined.
    Join(StartError),
    /// Runtimes could not reach it.
    Listen(ListenError),
    /// The session did not start.
    Session(String),
    /// Its file cannot be had: another session has it open, or the lock cannot be made.
    File(String),
}

impl fmt::Display for LiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LiveError::Cache(error) => error.fmt(f),
            LiveError::Node(error) => write!(f, "the notebook's node does not start: {error}"),
            LiveError::Join(error) => error.fmt(f),
            LiveError::Listen(error) => error.fmt(f),
            LiveError::Session(why) => write!(f, "the session does not start: {why}"),
            LiveError::File(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for LiveError {}

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

/// A notebook that is open. When this is dropped, everything ends that it runs; nothing is saved by that.
///
/// Opening one takes milliseconds: what cells stand on is built, and a runtime started, when the first is evaluated.
///
/// # Examples
/// ```no_run
/// use greenroom_notebook::draw::Style;
/// use greenroom_notebook::live::{Live, LiveOptions};
/// use greenroom_notebook::livemd::{self, Cell, Code, Language};
/// use greenroom_notebook::session::data::Status;
/// use greenroom_notebook::session::operation::{Evaluation, SectionId, Structure};
///
/// let (notebook, _) = livemd::parse("# Scratch\n\n## Section\n");
/// let live = Live::open(&notebook, LiveOptions { file: None, style: Style::Plain, columns: 80 })?;
/// let mut client = live.handle().join("me")?;
/// let id = client.data().unused_cell_id();
/// let section = client.data().document().sections()[0].head.id;
/// let cell = Box::new(Cell::Code(Code::new(Language::Rust, "1 + 1", 0)));
/// live.handle().apply(Structure::InsertCell { section, index: usize::MAX, id, cell })?;
/// live.handle().apply(Evaluation::Queue(vec![id]))?;
/// // Every operation comes by, this client's own included.
/// client.wait(|data| data.info(id).is_some_and(|info| info.shown.is_some() && info.status == Status::Ready))?;
/// for output in &client.data().info(id).unwrap().outputs {
///     println!("{}", output.text);
/// }
/// live.close();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Live {
    node: Node,
    handle: Handle,
}

/// Reaches an open notebook, from any thread; clones reach the same.
#[derive(Clone)]
pub struct Handle {
    node: Node,
    /// The process that the session belongs to.
    host: Pid,
}

/// To the host: what to do, and whom to tell.
enum Request {
    Apply(Operation, mpsc::SyncSender<Result<(), Refusal>>),
    Join(String, Arc<dyn Fn(Update) + Send + Sync>, mpsc::SyncSender<ClientId>),
    Leave(ClientId, mpsc::SyncSender<()>),
    Save(Option<PathBuf>, mpsc::SyncSender<Result<(), String>>),
    Data(mpsc::SyncSender<Data>),
    Look(mpsc::SyncSender<Library>),
    Interrupt(mpsc::SyncSender<()>),
    Recover(PathBuf, mpsc::SyncSender<Result<(), String>>),
    Discard(mpsc::SyncSender<()>),
    Close(mpsc::SyncSender<()>),
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Request::Apply(..) => "Apply",
            Request::Join(..) => "Join",
            Request::Leave(..) => "Leave",
            Request::Save(..) => "Save",
            Request::Data(_) => "Data",
            Request::Look(_) => "Look",
            Request::Interrupt(_) => "Interrupt",
            Request::Recover(..) => "Recover",
            Request::Discard(_) => "Discard",
            Request::Close(_) => "Close",
        })
    }
}

impl Live {
    /// Opens a notebook.
    ///
    /// # Errors
    /// [`LiveError`], if it cannot be.
    pub fn open(notebook: &Notebook, options: LiveOptions) -> Result<Live, LiveError> {
        let cache = prelude::cache_folder().map_err(LiveError::Cache)?;
        Live::open_in(notebook, options, cache, aside::folder())
    }

    /// Opens a notebook that keeps what it builds in a folder of its own instead of the user's cache, and is saved in
    /// another one as long as it has no file; nowhere if there is none.
    ///
    /// # Errors
    /// As [`open`](Live::open).
    pub fn open_in(
        notebook: &Notebook,
        options: LiveOptions,
        cache: PathBuf,
        autosave: Option<PathBuf>,
    ) -> Result<Live, LiveError> {
        static OPENED: AtomicU64 = AtomicU64::new(0);
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let name = format!("greenroom-{}-{number}@127.0.0.1", std::process::id());
        let node = Node::builder().name(name).start().map_err(LiveError::Node)?;
        // The user's own, so that its runtimes can be joined to the user's other nodes.
        let cookie = own_cookie().unwrap_or_else(|_| Cookie::random());
        // The end of a runtime is told in the notebook's own words; a front end has the terminal for itself.
        let silent = |_: &Notice| ();
        let cluster = Cluster::builder(&node)
            .cookie(cookie.clone())
            .hidden()
            .on_notice(silent)
            .start()
            .map_err(LiveError::Join)?;
        let toolbox = Toolbox {
            cache,
            address: cluster.listen(([127, 0, 0, 1], 0).into()).map_err(LiveError::Listen)?,
            cookie,
            cluster: cluster.clone(),
            columns: options.columns,
            events: 0,
        };
        let file = options.file.as_deref().map_or_else(String::new, |file| file.display().to_string());
        let explainer = Explainer { file, style: options.style, columns: options.columns };
        let (ready, started) = mpsc::sync_channel(1);
        let notebook = notebook.clone();
        let host = node.spawn(async move {
            let opened = open(&notebook, explainer, toolbox, autosave, options.file).await;
            let (session, opened) = match opened {
                Ok(session) => (Some(session), Ok(())),
                Err(error) => (None, Err(error)),
            };
            // Whoever opens it waits for this.
            let _ = ready.send(opened);
            if let Some(session) = session {
                host(session).await;
            }
        });
        started.recv().unwrap_or_else(|_| Err(LiveError::Session(Closed.to_string())))?;
        Ok(Live { handle: Handle { node: node.downgrade(), host }, node })
    }

    /// Reaches it, also from other threads.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Ends everything that it runs, its runtime included. Nothing is saved by that.
    pub fn close(self) {
        self.end();
    }

    fn end(&self) {
        // It fails only when it was closed already.
        let _ = self.handle.ask(Request::Close);
        self.node.shutdown();
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.end();
    }
}

impl Handle {
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
        let answer = self.ask(|answer| Request::Apply(operation, answer)).map_err(|Closed| ApplyError::Closed)?;
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
        let (sender, updates) = mpsc::channel();
        // Nobody listens any more when the client is gone, and has not left yet.
        let tell = move |update| drop(sender.send(update));
        let id = self.join_with(name, tell)?;
        let mut client = Client { id, handle: self.clone(), replica: Replica::default(), updates };
        match client.next(None) {
            Some(Update::Joined(_)) => Ok(client),
            Some(Update::Happened(_)) | None => Err(Closed),
        }
    }

    /// Joins as a client that has a loop of its own: `tell` is called on a thread of the notebook, and must not wait.
    /// A [`Replica`] makes a notebook of what is told.
    ///
    /// # Errors
    /// If the notebook was closed.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn join_with(&self, name: &str, tell: impl Fn(Update) + Send + Sync + 'static) -> Result<ClientId, Closed> {
        let name = name.to_owned();
        self.ask(|answer| Request::Join(name, Arc::new(tell), answer))
    }

    /// Tells a client nothing any more.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn leave(&self, client: ClientId) {
        // A notebook that was closed has nobody left to tell.
        let _ = self.ask(|answer| Request::Leave(client, answer));
    }

    /// Saves the notebook in its file; if a path is given, there and from then on.
    ///
    /// # Errors
    /// Why it is not saved, for people. The file is then as it was.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn save(&self, path: Option<&Path>) -> Result<(), String> {
        let path = path.map(Path::to_owned);
        self.ask(|answer| Request::Save(path, answer)).unwrap_or_else(|closed| Err(closed.to_string()))
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
        self.ask(|answer| Request::Recover(left, answer)).unwrap_or_else(|closed| Err(closed.to_string()))
    }

    /// Removes what is saved aside of a notebook without a file: the person has said that nobody wants it.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn discard(&self) {
        // A notebook that was closed is not asked about.
        let _ = self.ask(Request::Discard);
    }

    /// Looks things up in it: what cells were compiled to.
    ///
    /// # Errors
    /// If the notebook was closed.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn library(&self) -> Result<Library, Closed> {
        self.ask(Request::Look)
    }

    /// The notebook as it is now.
    ///
    /// # Errors
    /// If it was closed.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn data(&self) -> Result<Data, Closed> {
        self.ask(Request::Data)
    }

    /// Has a cell compiled that may soon stand at the end of a section. Returns at once.
    pub fn warm(&self, section: SectionId, source: &str) {
        // A notebook that was closed compiles nothing more.
        if let Ok(library) = self.library() {
            let source = source.to_owned();
            self.node.spawn(async move { library.warm(section, source) });
        }
    }

    /// What a cell at the end of a section would compile to. Nothing is run.
    ///
    /// # Errors
    /// [`ImagineError`]; a notebook that was closed is not ready.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn imagine(&self, section: SectionId, source: &str) -> Result<CompiledCell, ImagineError> {
        let library = self.library().map_err(|Closed| ImagineError::NotReady)?;
        let source = source.to_owned();
        self.process(async move { library.imagine(section, source).await }).unwrap_or(Err(ImagineError::NotReady))
    }

    /// Asks the runtime about its processes.
    ///
    /// # Errors
    /// Why there is no answer, for people.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn inspect(&self, question: Question) -> Result<Answer, String> {
        let library = self.library().map_err(|closed| closed.to_string())?;
        let answer = self.process(async move { library.inspect(question).await });
        answer.unwrap_or_else(|closed| Err(closed.to_string()))
    }

    /// Looks something up in it, by a process of its node.
    ///
    /// # Errors
    /// If the notebook was closed, for people.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub(crate) fn lookup<T, F>(&self, look: impl FnOnce(Library) -> F) -> Result<T, String>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let library = self.library().map_err(|closed| closed.to_string())?;
        self.process(look(library)).map_err(|closed| closed.to_string())
    }

    /// Waits for a process of the notebook's node.
    fn process<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Result<T, Closed> {
        let (sender, answer) = mpsc::sync_channel(1);
        // Whoever asks waits.
        self.node.spawn(async move { drop(sender.send(future.await)) });
        answer.recv().map_err(|_| Closed)
    }

    /// Ends what runs or waits, and what is being built for it: what Ctrl-C means.
    ///
    /// # Panics
    /// As [`apply`](Handle::apply).
    pub fn interrupt(&self) {
        // In a notebook that was closed nothing runs.
        let _ = self.ask(Request::Interrupt);
    }

    fn ask<T>(&self, request: impl FnOnce(mpsc::SyncSender<T>) -> Request) -> Result<T, Closed> {
        assert!(greenroom::process::try_self_pid().is_none(), "called within a process, which must not block");
        let (sender, answer) = mpsc::sync_channel(1);
        self.node.send(self.host, Local(request(sender)));
        // A process that has ended drops what it was sent.
        answer.recv().map_err(|_| Closed)
    }
}

/// A client that waits for what happens. When it is dropped, it has left.
pub struct Client {
    id: ClientId,
    handle: Handle,
    replica: Replica,
    updates: mpsc::Receiver<Update>,
}

impl Client {
    /// Its name for programs.
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// The notebook, as far as this client has followed it.
    pub fn data(&self) -> &Data {
        self.replica.data()
    }

    /// Waits for the next thing that happens, and follows it. `None` if there is none in this time (without one it
    /// waits for as long as it takes), or the notebook was closed.
    pub fn next(&mut self, patience: Option<Duration>) -> Option<Update> {
        let update = match patience {
            Some(patience) => self.updates.recv_timeout(patience).ok()?,
            None => self.updates.recv().ok()?,
        };
        self.replica.follow(&update);
        Some(update)
    }

    /// Follows until something is so.
    ///
    /// # Errors
    /// If the notebook is closed before.
    pub fn wait(&mut self, is_so: impl Fn(&Data) -> bool) -> Result<(), Closed> {
        while !is_so(self.data()) {
            self.next(None).ok_or(Closed)?;
        }
        Ok(())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if greenroom::process::try_self_pid().is_none() {
            self.handle.leave(self.id);
        }
    }
}

/// The cookie of the user's nodes: in the file that `$GREENROOM_COOKIE` names, else in the usual one.
pub(crate) fn own_cookie() -> Result<Cookie, CookieFileError> {
    match std::env::var_os("GREENROOM_COOKIE").filter(|file| !file.is_empty()) {
        Some(file) => Cookie::of_file(Path::new(&file)),
        None => Cookie::of_user(),
    }
}

async fn open(
    notebook: &Notebook,
    explainer: Explainer,
    toolbox: Toolbox,
    autosave: Option<PathBuf>,
    file: Option<PathBuf>,
) -> Result<Session, LiveError> {
    let options = SessionOptions { explainer, toolbox, tools: None, autosave };
    let session = Session::start(notebook, options).await;
    let session = session.map_err(|error| LiveError::Session(error.to_string()))?;
    let Some(file) = file else { return Ok(session) };
    match session.attach(file).await {
        Ok(()) => Ok(session),
        Err(why) => {
            session.stop().await;
            Err(LiveError::File(why))
        }
    }
}

/// The life of the process that a session belongs to.
async fn host(mut session: Session) {
    // Whoever has asked may be gone before the answer comes.
    loop {
        receive! {
            ended: Exit => drop(session.revive(&ended).await),
            Local(request): Local<Request> => match request {
                Request::Apply(operation, answer) => drop(answer.send(session.apply(operation).await)),
                Request::Join(name, tell, answer) => {
                    if let Ok(client) = session.join(&name, tell).await {
                        let _ = answer.send(client);
                    }
                }
                Request::Leave(client, answer) => {
                    session.leave(client).await;
                    let _ = answer.send(());
                }
                Request::Save(path, answer) => drop(answer.send(session.save(path).await)),
                Request::Data(answer) => drop(answer.send(session.data().await)),
                Request::Look(answer) => drop(answer.send(session.library())),
                Request::Interrupt(answer) => {
                    session.interrupt().await;
                    let _ = answer.send(());
                }
                Request::Recover(path, answer) => drop(answer.send(session.recover(path).await)),
                Request::Discard(answer) => {
                    session.discard().await;
                    let _ = answer.send(());
                }
                Request::Close(answer) => {
                    session.stop().await;
                    let _ = answer.send(());
                    return;
                }
            },
        }
    }
}
