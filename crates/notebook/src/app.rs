//! The program's work behind its command line: it puts a run together and shows it through a front end.
//!
//! The run has a thread and a node of its own; the calling thread is the front end's.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Instant;

use greenroom::supervisor::{StartChildError, StartError as SupervisorError};
use greenroom::{Node, Pid};
use greenroom_cluster::{Cluster, Cookie, ListenError, Notice, StartError};

use crate::cache::Cache;
use crate::check::Check;
use crate::compiler::{CompiledCell, Compiler};
use crate::draw::Style;
use crate::event::{Event, Status};
use crate::explain::Explainer;
use crate::frontend::{Frontend, clear_line};
use crate::livemd::Notebook;
use crate::picture::{self, DrawError};
use crate::plan::{self, PlannedCell, plan};
use crate::prelude::{self, Prelude, PreludeError};
use crate::rustc::{Cancel, ToolError};
use crate::session::{Interrupt, Session, SessionOptions};
use crate::storage::Storage;
use crate::tools::Toolbox;
use crate::trace::{self, RunTrace};

/// How a run is shown.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Whether errors are drawn in colour.
    pub style: Style,
    /// How wide drawings and pictures in text may be.
    pub columns: usize,
    /// The file that the run's own traffic is drawn into.
    pub trace: Option<PathBuf>,
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
    /// The notebook's node cannot be joined.
    Join(StartError),
    /// The runtime could not reach the notebook.
    Listen(ListenError),
    /// The session did not start.
    Session(SupervisorError),
    /// The session did not let it begin.
    Run(StartChildError),
    /// The front end's stream is closed.
    Frontend(std::io::Error),
    /// The run was not drawn.
    Trace(DrawError),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Prelude(error) => error.fmt(f),
            RunError::Cache(error) => error.fmt(f),
            RunError::Node(error) => write!(f, "the notebook's node does not start: {error}"),
            RunError::Join(error) => error.fmt(f),
            RunError::Listen(error) => error.fmt(f),
            RunError::Session(error) => write!(f, "the session does not start: {error}"),
            RunError::Run(error) => write!(f, "the run does not start: {error}"),
            RunError::Trace(error) => error.fmt(f),
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
    follow(notebook, file, options, frontend, Work::run)
}

/// Compiles every cell of a notebook and runs none. True if every one compiles.
///
/// # Errors
/// As for [`run`].
pub fn check(
    notebook: &Notebook,
    file: &Path,
    options: RunOptions,
    frontend: &mut dyn Frontend,
) -> Result<bool, RunError> {
    let compiled = compile(notebook, file, options, frontend)?;
    Ok(compiled.is_some_and(|cells| cells.iter().all(Option::is_some)))
}

/// Compiles every cell of a notebook; those that do not compile are missing. `None` if its setup is not right.
///
/// # Errors
/// As for [`run`].
pub fn compile(
    notebook: &Notebook,
    file: &Path,
    options: RunOptions,
    frontend: &mut dyn Frontend,
) -> Result<Option<Vec<Option<CompiledCell>>>, RunError> {
    follow(notebook, file, options, frontend, Work::compile)
}

/// Has work done on its own thread and shows what happens.
fn follow<T: Send + 'static>(
    notebook: &Notebook,
    file: &Path,
    options: RunOptions,
    frontend: &mut dyn Frontend,
    job: fn(Work) -> Result<T, RunError>,
) -> Result<T, RunError> {
    let (events, happening) = mpsc::channel();
    let cancel = Cancel::default();
    let listener = Listener::default();
    listener.catch_interrupts(&cancel);
    let work = Work { notebook: notebook.clone(), file: file.display().to_string(), options, events, cancel, listener };
    let worker = std::thread::spawn(move || job(work));
    for event in happening {
        frontend.event(&event).map_err(RunError::Frontend)?;
    }
    let outcome = worker.join();
    // Nothing is held any more: what is too much in the cache can go.
    if let Ok(folder) = prelude::cache_folder() {
        Storage::new(folder).trim();
    }
    match outcome {
        Ok(outcome) => outcome,
        Err(panic) => std::panic::resume_unwind(panic),
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
    /// What cells stand on; `None` if the setup is not right, which was then told.
    fn open(&self) -> Result<Option<(Arc<Prelude>, Cache)>, RunError> {
        let cache = prelude::cache_folder().map_err(RunError::Cache)?;
        let prelude = match (self.prelude(&cache), plan::manifest(&self.notebook)) {
            (Ok(prelude), _) => Arc::new(prelude),
            (Err(error), Some(setup)) if error.is_about_setup() => {
                self.refuse(&setup, &error);
                return Ok(None);
            }
            (Err(error), _) => return Err(error.into()),
        };
        let cells = Cache::open(&cache, &prelude.fingerprint).map_err(RunError::Cache)?;
        Ok(Some((prelude, cells)))
    }

    fn compile(self) -> Result<Option<Vec<Option<CompiledCell>>>, RunError> {
        let Some((prelude, cells)) = self.open()? else { return Ok(None) };
        let plan = plan(&self.notebook);
        let check = Check {
            plan: &plan,
            compiler: &Compiler::new(prelude, cells),
            explainer: &self.explainer(),
            cancel: &self.cancel,
        };
        Ok(Some(check.run(&mut |event| self.tell(event))))
    }

    fn run(self) -> Result<bool, RunError> {
        let Some((prelude, _)) = self.open()? else { return Ok(false) };
        let name = format!("greenroom-{}@127.0.0.1", std::process::id());
        let node = Node::builder().name(name).start().map_err(RunError::Node)?;
        let cookie = Cookie::random();
        let cluster = Cluster::builder(&node)
            .cookie(cookie.clone())
            .on_notice(|notice| match notice {
                Notice::Lost(..) => {} // The end of a runtime, which the run tells in its own words.
                Notice::Refused(..) | Notice::Unreachable(_) | Notice::Suppressed(_) => {
                    eprintln!("greenroom: {notice}")
                }
            })
            .start()
            .map_err(RunError::Join)?;
        let toolbox = Toolbox {
            cache: prelude::cache_folder().map_err(RunError::Cache)?,
            address: cluster.listen(([127, 0, 0, 1], 0).into()).map_err(RunError::Listen)?,
            cookie,
            cluster,
            columns: self.options.columns,
            events: if self.options.trace.is_some() { trace::EVENTS } else { 0 },
        };
        let manifest = self.notebook.manifest().map_or("", |code| code.source.as_str());
        let tools = toolbox.on(manifest, prelude).map_err(RunError::Cache)?;
        let explainer = self.explainer();
        let (listener, handle) = (self.listener, node.clone());
        let (notebook, events, options) = (self.notebook, self.events, self.options);
        let all_ok = node.block_on(async move {
            let trace = match &options.trace {
                Some(_) => Some(RunTrace::start(&handle.downgrade()).await),
                None => None,
            };
            let session = SessionOptions { explainer, toolbox, tools: Some(tools), autosave: None };
            let session = Session::start(&notebook, session).await;
            let mut session = session.map_err(RunError::Session)?;
            listener.listen(handle, greenroom::self_pid());
            let all_ok = session.run(events).await.map_err(RunError::Run);
            session.stop().await;
            if let (Some(trace), Some(file)) = (trace, &options.trace) {
                picture::save(&trace.finish().await, file, options.columns).map_err(RunError::Trace)?;
            }
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

    fn explainer(&self) -> Explainer {
        Explainer { file: self.file.clone(), style: self.options.style, columns: self.options.columns }
    }

    /// Reports the setup as failed and no cell as run.
    fn refuse(&self, setup: &PlannedCell, error: &PreludeError) {
        let why = self.explainer().setup_error(setup, error);
        self.tell(Event::Cell(setup.report_why(Status::Error, why)));
        let cells = plan(&self.notebook);
        for cell in &cells {
            self.tell(Event::Cell(cell.report_why(Status::Skipped, "not run: the setup cell has not succeeded")));
        }
        self.tell(Event::Done { ok: 0, failed: 1, skipped: cells.len() });
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
                clear_line();
                std::process::exit(130);
            }
            cancel.cancel();
            if let Some((node, pid)) = &*listener.lock() {
                node.send(*pid, Interrupt);
            }
        });
    }
}
