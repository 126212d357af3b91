//! The program's work behind its command line: it puts a run together and shows it through a front end.
//!
//! The run has a thread and a node of its own; the calling thread is the front end's.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Instant;

use greenroom::supervisor::{StartChildError, StartError};
use greenroom::{Node, Pid};
use greenroom_cluster::{Cluster, Cookie, ListenError};

use crate::cache::Cache;
use crate::compiler::Compiler;
use crate::draw::{Drawing, Label, Style};
use crate::event::{Event, Status};
use crate::explain::Explainer;
use crate::frontend::Frontend;
use crate::livemd::Notebook;
use crate::plan::{self, PlannedCell, plan};
use crate::prelude::{self, Prelude, PreludeError, SetupError};
use crate::runtime::RuntimeOptions;
use crate::rustc::{Cancel, ToolError};
use crate::session::{Interrupt, Session, Tools};

/// How a run is shown.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// Whether errors are drawn in colour.
    pub style: Style,
    /// How wide pictures in text may be.
    pub columns: usize,
}

/// Why a run did not come to its first cell.
#[derive(Debug)]
pub enum RunError {
    /// There is no prelude.
    Prelude(PreludeError),
    /// The cache cannot be used.
    Cache(ToolError),
    /// The notebook's node did not start.
    Node(std::io::Error),
    /// The runtime could not reach the notebook.
    Listen(ListenError),
    /// The session did not start.
    Session(StartError),
    /// The session did not let it begin.
    Run(StartChildError),
    /// The front end's stream is closed.
    Frontend(std::io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Prelude(error) => error.fmt(f),
            RunError::Cache(error) => error.fmt(f),
            RunError::Node(error) => write!(f, "the notebook's node does not start: {error}"),
            RunError::Listen(error) => error.fmt(f),
            RunError::Session(error) => write!(f, "the session does not start: {error}"),
            RunError::Run(error) => write!(f, "the run does not start: {error}"),
            RunError::Frontend(error) => write!(f, "the output cannot be written: {error}"),
        }
    }
}

impl std::error::Error for RunError {}

impl From<PreludeError> for RunError {
    fn from(error: PreludeError) -> Self {
        RunError::Prelude(error)
    }
}

/// Whom Ctrl-C is for.
#[derive(Clone, Default)]
struct Listener(Arc<std::sync::Mutex<Option<(Node, Pid)>>>);

/// Evaluates a notebook from top to bottom. True if every cell succeeded.
///
/// # Errors
/// [`RunError`], if it did not come to the first cell, or nobody can see what happens.
pub fn run(
    notebook: &Notebook,
    file: &Path,
    options: RunOptions,
    frontend: &mut dyn Frontend,
) -> Result<bool, RunError> {
    let (events, happening) = mpsc::channel();
    let cancel = Cancel::default();
    let listener = Listener::default();
    listener.catch_interrupts(&cancel);
    let work = Work { notebook: notebook.clone(), file: file.display().to_string(), options, events, cancel, listener };
    let worker = std::thread::spawn(move || work.run());
    for event in happening {
        frontend.event(&event).map_err(RunError::Frontend)?;
    }
    match worker.join() {
        Ok(outcome) => outcome,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Where cells are made and run, whatever they stand on.
struct Bench {
    cache: PathBuf,
    address: SocketAddr,
    cookie: Cookie,
    columns: usize,
}

impl Bench {
    fn tools(&self, manifest: &str, prelude: Arc<Prelude>) -> Result<Tools, ToolError> {
        let cells = Cache::open(&self.cache, &prelude.fingerprint)?;
        let runtime = RuntimeOptions {
            program: prelude.runtime(),
            cells: cells.folder().to_owned(),
            address: self.address,
            cookie: self.cookie.clone(),
            columns: self.columns,
        };
        Ok(Tools { manifest: manifest.to_owned(), compiler: Compiler::new(prelude, cells), runtime })
    }
}

/// A run that is about to begin on its own thread.
struct Work {
    notebook: Notebook,
    file: String,
    options: RunOptions,
    events: mpsc::Sender<Event>,
    cancel: Cancel,
    listener: Listener,
}

impl Work {
    fn run(self) -> Result<bool, RunError> {
        let cache = prelude::cache_folder().map_err(RunError::Cache)?;
        let prelude = match (self.prelude(&cache), plan::manifest(&self.notebook)) {
            (Ok(prelude), _) => Arc::new(prelude),
            (Err(error), Some(setup)) if error.is_about_setup() => return Ok(self.refuse(&setup, &error)),
            (Err(error), _) => return Err(error.into()),
        };
        let name = format!("greenroom-{}@127.0.0.1", std::process::id());
        let node = Node::builder().name(name).start().map_err(RunError::Node)?;
        let cookie = Cookie::random();
        let cluster = Cluster::start(&node, cookie.clone());
        let address = cluster.listen(([127, 0, 0, 1], 0).into()).map_err(RunError::Listen)?;
        let bench = Bench { cache, address, cookie, columns: self.options.columns };
        let manifest = self.notebook.manifest().map_or("", |code| code.source.as_str());
        let tools = bench.tools(manifest, prelude).map_err(RunError::Cache)?;
        let again = self.cancel.clone();
        let make_tools = move |manifest: &str| {
            let prelude =
                Prelude::open(manifest, &bench.cache, &again, &mut |_| {}).map_err(|error| error.to_string())?;
            bench.tools(manifest, Arc::new(prelude)).map_err(|error| error.to_string())
        };
        let explainer = Explainer { file: self.file, style: self.options.style };
        let (listener, handle) = (self.listener, node.clone());
        let (notebook, events) = (self.notebook, self.events);
        let all_ok = node.block_on(async move {
            let session = Session::start(&notebook, explainer, tools, Box::new(make_tools)).await;
            let session = session.map_err(RunError::Session)?;
            listener.listen(handle, greenroom::self_pid());
            let all_ok = session.run(events).await.map_err(RunError::Run);
            session.stop().await;
            all_ok
        });
        node.shutdown();
        all_ok
    }

    fn prelude(&self, cache: &Path) -> Result<Prelude, PreludeError> {
        let begin = Instant::now();
        let manifest = self.notebook.manifest().map_or("", |code| code.source.as_str());
        let mut built = false;
        let prelude = Prelude::open(manifest, cache, &self.cancel, &mut |progress| {
            built = true;
            self.tell(Event::Prelude { done: progress.done, total: progress.total, name: progress.name });
        })?;
        if built {
            self.tell(Event::PreludeDone { ms: begin.elapsed().as_secs_f64() * 1000.0 });
        }
        Ok(prelude)
    }

    /// Reports the setup as failed and no cell as run. Always false: not every cell succeeded.
    fn refuse(&self, setup: &PlannedCell, error: &PreludeError) -> bool {
        let message = error.to_string();
        let (what, said) = message.split_once(":\n").unwrap_or((&message, ""));
        let mut drawing = Drawing::error(what);
        if let PreludeError::Setup(SetupError { span: Some(range), .. }) = error {
            drawing.labels.push(Label { range: range.clone(), text: String::new(), primary: true });
        }
        if !said.is_empty() {
            drawing = drawing.with_note(said.trim_end());
        }
        let explainer = Explainer { file: self.file.clone(), style: self.options.style };
        self.tell(Event::Cell(setup.report_why(Status::Error, explainer.draw(setup, &drawing))));
        let cells = plan(&self.notebook);
        for cell in &cells {
            self.tell(Event::Cell(cell.report_why(Status::Skipped, "not run: the setup cell has not succeeded")));
        }
        self.tell(Event::Done { ok: 0, failed: 1, skipped: cells.len() });
        false
    }

    fn tell(&self, event: Event) {
        // Nobody listens any more when the front end's stream is closed; the program is about to end.
        let _ = self.events.send(event);
    }
}

impl Listener {
    fn listen(&self, node: Node, pid: Pid) {
        *self.lock() = Some((node.downgrade(), pid));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Node, Pid)>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The first Ctrl-C (or SIGTERM, or SIGHUP) ends the running cell and the run; the second one the program.
    fn catch_interrupts(&self, cancel: &Cancel) {
        let (listener, cancel) = (self.clone(), cancel.clone());
        // It fails only when there is a handler already, whose owner then decides.
        let _ = ctrlc::set_handler(move || {
            if cancel.is_cancelled() {
                std::process::exit(130);
            }
            cancel.cancel();
            if let Some((node, pid)) = &*listener.lock() {
                node.send(*pid, Interrupt);
            }
        });
    }
}
