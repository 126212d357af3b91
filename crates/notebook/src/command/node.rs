//! `greenroom node`: a node that runs the cells of notebooks which attach to it, and says who comes and goes.
//!
//! Owns what `greenroom ping` shares with it, too: the cookie, and what can go wrong. What the node does is for
//! `greenroom-stage`: it is the program of a runtime, linked to the prelude, as only such can load cells. Here it is
//! started, and ended when this program is.

use std::fmt;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use greenroom_cluster::{ConnectError, Cookie, CookieFileError, StartError};
use greenroom_stage::launch::{Host, REFUSED};

use crate::cache::Cache;
use crate::cli::{EXIT_CELL_FAILED, EXIT_OK, Node};
use crate::event::Event;
use crate::frontend::Progress;
use crate::live::own_cookie;
use crate::prelude::{Prelude, PreludeError, cache_folder};
use crate::runtime::describe;
use crate::rustc::{Cancel, ToolError};

pub(super) fn node(arguments: &Node) -> u8 {
    let manifest = match &arguments.notebook {
        None => String::new(),
        Some(file) => match super::read(file) {
            Ok(document) => document.notebook.manifest().map_or_else(String::new, |code| code.source.clone()),
            Err(code) => return code,
        },
    };
    match run(arguments, &manifest) {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

/// Says what went wrong.
pub(super) fn fail(error: &NodeError) -> u8 {
    eprintln!("error: {error}");
    EXIT_CELL_FAILED
}

/// Why a node did not start, has ended, or cannot be reached.
#[derive(Debug)]
pub(super) enum NodeError {
    /// There is no cookie.
    Cookie(CookieFileError),
    /// The operating system has no thread for it.
    Node(std::io::Error),
    /// It cannot join others.
    Start(StartError),
    /// There is no connection.
    Connect(ConnectError),
    /// Its name cannot be used.
    Name(String),
    /// What cells stand on cannot be had.
    Prelude(PreludeError),
    /// The cache cannot be used.
    Cache(ToolError),
    /// Its program does not start.
    Program(PathBuf, std::io::Error),
    /// There is no folder for what comes from elsewhere.
    Folder(std::io::Error),
    /// It has died, of this.
    Died(String),
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeError::Cookie(error) => error.fmt(f),
            NodeError::Node(error) => write!(f, "the node does not start: {error}"),
            NodeError::Start(error) => error.fmt(f),
            NodeError::Connect(error) => error.fmt(f),
            NodeError::Name(name) => write!(f, "`{}` cannot be the name of a node", name.escape_debug()),
            NodeError::Prelude(error) => error.fmt(f),
            NodeError::Cache(error) => error.fmt(f),
            NodeError::Program(program, error) => write!(f, "{} does not start: {error}", program.display()),
            NodeError::Folder(error) => write!(f, "no folder can be made for cells that come from elsewhere: {error}"),
            NodeError::Died(end) => write!(f, "the node has died: {end}"),
        }
    }
}

impl std::error::Error for NodeError {}

/// The cookie in a file, or that of the user, where a prompt has it from, too.
pub(super) fn cookie(file: Option<&PathBuf>) -> Result<Cookie, NodeError> {
    file.map_or_else(own_cookie, |path| Cookie::of_file(path)).map_err(NodeError::Cookie)
}

/// Runs the node until the program is interrupted. Returns the exit code.
fn run(arguments: &Node, manifest: &str) -> Result<u8, NodeError> {
    if arguments.name.is_empty() || arguments.name.chars().any(char::is_control) {
        return Err(NodeError::Name(arguments.name.clone()));
    }
    let cookie = cookie(arguments.cookie.as_ref())?;
    let (cancel, input) = (Cancel::default(), Arc::<Mutex<Option<ChildStdin>>>::default());
    end_when_interrupted(&cancel, &input);
    let cache = cache_folder().map_err(NodeError::Cache)?;
    let prelude = open(manifest, &cache, &cancel)?;
    let cells = Cache::open(&cache, &prelude.fingerprint).map_err(NodeError::Cache)?;
    let arrivals = tempfile::Builder::new().prefix("greenroom-node-").tempdir().map_err(NodeError::Folder)?;
    let host = Host {
        name: arguments.name.clone(),
        listen: arguments.listen,
        cookie: cookie.reveal(),
        peers: arguments.peers.iter().map(ToString::to_string).collect(),
        peers_file: arguments.peers_file.clone(),
        hidden: arguments.hidden,
        fit: prelude.fit.clone(),
        cells: cells.folder().to_owned(),
        arrivals: arrivals.path().to_owned(),
    };
    let mut command = Command::new(prelude.runtime());
    // A process group of its own: Ctrl-C is for this program, whose end is the node's.
    command.env("LD_LIBRARY_PATH", cells.folder()).stdin(Stdio::piped()).process_group(0);
    let failed = |error| NodeError::Program(prelude.runtime(), error);
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // If it has ended already, it has said why.
        let _ = stdin.write_all(host.to_lines().as_bytes());
        let mut input = input.lock().unwrap_or_else(PoisonError::into_inner);
        *input = (!cancel.is_cancelled()).then_some(stdin);
    }
    let status = child.wait().map_err(failed)?;
    match status.code() {
        Some(0) => Ok(EXIT_OK),
        // It has said why it could not begin.
        Some(REFUSED) => Ok(EXIT_CELL_FAILED),
        Some(_) | None => Err(NodeError::Died(describe(status))),
    }
}

/// What cells stand on, built with a line that says how far that is.
fn open(manifest: &str, cache: &std::path::Path, cancel: &Cancel) -> Result<Prelude, NodeError> {
    let (mut progress, begin) = (Progress::on_stderr(), Instant::now());
    let mut is_new = false;
    let mut tell = |at: crate::prelude::Progress| {
        is_new = true;
        // A stream that is closed has nobody to tell.
        let _ = progress.event(&Event::Prelude { done: at.done, total: at.total, name: at.name });
    };
    let prelude = Prelude::open(manifest, cache, cancel, &mut tell).map_err(NodeError::Prelude)?;
    if is_new {
        let _ = progress.event(&Event::PreludeDone { ms: begin.elapsed().as_secs_f64() * 1000.0 });
    }
    Ok(prelude)
}

/// Ctrl-C ends what is being built, or the node, which then takes its leave; once more, everything at once.
fn end_when_interrupted(cancel: &Cancel, input: &Arc<Mutex<Option<ChildStdin>>>) {
    let (cancel, input) = (cancel.clone(), input.clone());
    // It fails only when there is a handler already, which then ends the program.
    let _ = ctrlc::set_handler(move || {
        if cancel.is_cancelled() {
            std::process::exit(130);
        }
        cancel.cancel();
        drop(input.lock().unwrap_or_else(PoisonError::into_inner).take());
    });
}
