//! A live notebook for a front end: opened on a node of its own, or joined where another program has opened it; changed
//! and evaluated from any thread, and followed as it changes. What happens to it is for [`session`](crate::session); how
//! it looks is for the front end.

mod host;

mod client;
mod handle;
mod joined;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use greenroom::{Node, register, self_pid};
use greenroom_cluster::{Cluster, Cookie, CookieFileError, ListenError, Notice, StartError};

use crate::announce::{self, Announced, Announcement};
use crate::aside;
use crate::draw::Style;
use crate::explain::Explainer;
use crate::livemd::Notebook;
use crate::prelude;
use crate::rustc::ToolError;
use crate::session::{Follower, Session, SessionOptions};
use crate::tools::Toolbox;
pub use client::Client;
pub use handle::{ApplyError, Closed, Handle};
use host::{HOST, Request, host};
pub use joined::{JoinError, Joined};

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
/// for output in client.data().info(id).unwrap().outputs.iter() {
///     println!("{}", output.text);
/// }
/// live.close();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Live {
    node: Node,
    handle: Handle,
}

/// Where a program keeps what is not in notebooks' own files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// What was built.
    pub cache: PathBuf,
    /// Notebooks without a file are saved there; nowhere if there is none.
    pub autosave: Option<PathBuf>,
    /// Open notebooks are announced there, for other terminals to join; nowhere if there is none.
    pub sessions: Option<PathBuf>,
}

impl Folders {
    /// The user's own.
    ///
    /// # Errors
    /// If there is none for the cache.
    pub fn of_user() -> Result<Folders, ToolError> {
        Ok(Folders { cache: prelude::cache_folder()?, autosave: aside::folder(), sessions: announce::folder() })
    }
}

impl Live {
    /// Opens a notebook.
    ///
    /// # Errors
    /// [`LiveError`], if it cannot be.
    pub fn open(notebook: &Notebook, options: LiveOptions) -> Result<Live, LiveError> {
        Live::open_in(notebook, options, Folders::of_user().map_err(LiveError::Cache)?)
    }

    /// Opens a notebook that keeps what it builds, is saved and announced in other folders than the user's.
    ///
    /// # Errors
    /// As [`open`](Live::open).
    pub fn open_in(notebook: &Notebook, options: LiveOptions, folders: Folders) -> Result<Live, LiveError> {
        let node = Node::builder().name(node_name()).start().map_err(LiveError::Node)?;
        // The user's own, so that its runtimes can be joined to the user's other nodes, and other terminals can join it.
        let own = own_cookie().ok();
        let sessions = folders.sessions.filter(|_| own.is_some());
        let cookie = own.unwrap_or_else(Cookie::random);
        // The end of a runtime is told in the notebook's own words; a front end has the terminal for itself.
        let silent = |_: &Notice| ();
        let cluster = Cluster::builder(&node)
            .cookie(cookie.clone())
            .hidden()
            .on_notice(silent)
            .start()
            .map_err(LiveError::Join)?;
        let toolbox = Toolbox {
            cache: folders.cache,
            address: cluster.listen(([127, 0, 0, 1], 0).into()).map_err(LiveError::Listen)?,
            cookie,
            cluster: cluster.clone(),
            columns: options.columns,
            events: 0,
        };
        let entry = Announced::new(&notebook.name, format!("{}:{}", node.id().name().name, toolbox.address.port()));
        let file = options.file.as_deref().map_or_else(String::new, |file| file.display().to_string());
        let explainer = Explainer { file, style: options.style, columns: options.columns };
        let (ready, started) = mpsc::sync_channel(1);
        let notebook = notebook.clone();
        node.spawn(async move {
            // No other process of a new node has this name.
            let _ = register(HOST, self_pid());
            let opened = open(&notebook, explainer, toolbox, folders.autosave, options.file).await;
            let (session, opened) = match opened {
                Ok(session) => (Some(session), Ok(())),
                Err(error) => (None, Err(error)),
            };
            let mut announced = None;
            if let (Some(session), Some(folder)) = (&session, sessions) {
                // One that nobody can find is open all the same.
                announced = Announcement::new(&folder, entry).ok().map(Arc::new);
                if let Some(announcement) = announced.clone() {
                    session.attend("announcer", move || announce(announcement.clone())).await;
                }
            }
            // Whoever opens it waits for this.
            let _ = ready.send(opened);
            if let Some(session) = session {
                host(session).await;
            }
            drop(announced);
        });
        started.recv().unwrap_or_else(|_| Err(LiveError::Session(Closed.to_string())))?;
        Ok(Live { handle: Handle { node: node.downgrade(), home: node.id() }, node })
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

/// The cookie of the user's nodes: in the file that `$GREENROOM_COOKIE` names, else in the usual one.
pub(crate) fn own_cookie() -> Result<Cookie, CookieFileError> {
    match std::env::var_os("GREENROOM_COOKIE").filter(|file| !file.is_empty()) {
        Some(file) => Cookie::of_file(Path::new(&file)),
        None => Cookie::of_user(),
    }
}

/// A name for another node of this program.
fn node_name() -> String {
    static NODES: AtomicU64 = AtomicU64::new(0);
    format!("greenroom-{}-{}@127.0.0.1", std::process::id(), NODES.fetch_add(1, Ordering::Relaxed))
}

/// Keeps what is announced of a notebook true.
async fn announce(announcement: Arc<Announcement>) {
    let mut follower = Follower::join().await;
    loop {
        let data = follower.data();
        // What others see of it is then as it was.
        let _ = announcement.update(&data.document().name, data.file().path.as_deref());
        follower.next(Duration::MAX).await;
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
