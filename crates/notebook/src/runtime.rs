//! The notebook's end of its runtime: starting it, knowing when it has died and of what, ending it.
//!
//! The runtime's own end is in `greenroom-stage`. They are nodes that talk to each other; beside that
//! there are only the pipes of a child process: its standard input, which keeps it alive, and its
//! output, which is what libraries print past all cells.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use greenroom::{Node, Pid, Ref, self_pid, send};
use greenroom_cluster::Cookie;
use greenroom_stage::last_words::{self, Kept};
use greenroom_stage::launch::Owner;
use greenroom_stage::protocol::{Command as Order, EvaluationId, Fate, OUT_OF_MEMORY, Ready, output_mark};
use serde::{Deserialize, Serialize};
use tempfile::{NamedTempFile, TempPath};

/// How long a runtime may take to say that it is ready, unless somebody says otherwise.
pub const START_TIME: Duration = Duration::from_secs(20);
/// A line of raw output that is longer comes in pieces of about this size: memory is for programs that print lines.
const PIECE: u64 = 1 << 20;
/// The byte that a mark begins with.
const MARK: u8 = 0x1e;

/// Where and how runtimes are started.
#[derive(Clone, Debug)]
pub struct RuntimeOptions {
    /// The runtime's program.
    pub program: PathBuf,
    /// The folder with the libraries of cells.
    pub cells: PathBuf,
    /// Where this node listens.
    pub address: std::net::SocketAddr,
    /// The cookie that both nodes know.
    pub cookie: Cookie,
    /// How wide pictures in text may be.
    pub columns: usize,
    /// How many events each worker of a runtime may record at once, to be drawn; none if 0.
    pub events: usize,
    /// How long it may take to say that it is ready.
    pub patience: Duration,
}

/// What a person can say about how a runtime is started.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RuntimeSettings {
    /// Variables of its environment beside those that it inherits.
    pub environment: BTreeMap<String, String>,
    /// The folder that it works in; that of the notebook's program where nothing is said.
    pub folder: Option<PathBuf>,
    /// Whether panics come with the calls that led to them.
    pub backtrace: Backtrace,
}

/// Whether panics come with the calls that led to them: `RUST_BACKTRACE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Backtrace {
    /// As the environment says.
    #[default]
    Inherited,
    /// No.
    Off,
    /// The interesting ones.
    Short,
    /// All of them.
    Full,
}

/// A running runtime.
pub struct Runtime {
    body: Body,
    /// The process that takes requests.
    pub server: Pid,
}

/// What a runtime is.
enum Body {
    /// A program that was started for this notebook.
    Own {
        child: Child,
        /// They read its pipes.
        readers: Vec<JoinHandle<()>>,
        /// What it writes for the case that it dies; absent if there was no room for that.
        last_words: Option<File>,
    },
    /// A node of this name that others use, too.
    Node(String),
}

/// Something that was written to the runtime's own standard output or error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RawOutput {
    /// Text, with its line break where it has one.
    Text(String),
    /// What was written on behalf of this evaluation ends here.
    Mark(EvaluationId),
}

/// Why a runtime did not start.
#[derive(Debug)]
pub enum RuntimeError {
    /// Its program does not start.
    Program {
        /// The program.
        program: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It has ended before it was ready.
    Ended {
        /// How.
        end: String,
    },
    /// It did not say that it is ready in this time.
    Silent(Duration),
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RuntimeError::Program { program, error } => {
                write!(f, "the runtime {} does not start: {error}", program.display())
            }
            RuntimeError::Ended { end } => write!(f, "the runtime has ended before it was ready: {end}"),
            RuntimeError::Silent(patience) => {
                write!(f, "the runtime did not answer within {patience:?}: is the machine overloaded?")
            }
        }
    }
}

impl std::error::Error for RuntimeError {}

/// A runtime that was started and is not ready yet.
pub struct Launch {
    child: Child,
    readers: Vec<JoinHandle<()>>,
    /// The file for its last words, and its name, which goes as soon as the runtime has opened it.
    last_words: Option<(File, TempPath)>,
    /// The name of its node.
    name: String,
    begin: Instant,
    patience: Duration,
}

impl Launch {
    /// Starts a runtime that the running process owns. The owner is known by its registered name: if it is killed, the
    /// next one of that name owns the runtime, should it come soon.
    ///
    /// # Errors
    /// [`RuntimeError::Program`], if its program does not start.
    pub fn begin(options: &RuntimeOptions, settings: &RuntimeSettings) -> Result<Launch, RuntimeError> {
        let number = Ref::new().to_string().replace(|c: char| !c.is_ascii_digit() && c != '.', "");
        let waiter = greenroom::process::info(self_pid()).and_then(|info| info.registered_name).unwrap_or_default();
        // Without it, only what an abort cuts off is lost.
        let last_words = NamedTempFile::with_prefix("greenroom-").ok().map(NamedTempFile::into_parts);
        let owner = Owner {
            address: options.address,
            cookie: options.cookie.reveal(),
            waiter: waiter.clone(),
            name: format!("runtime-{}-{number}@127.0.0.1", std::process::id()),
            columns: options.columns,
            events: options.events,
            last_words: last_words.as_ref().map(|(_, path)| path.to_path_buf()),
        };
        let mut child = spawn(options, settings, &owner)
            .map_err(|error| RuntimeError::Program { program: options.program.clone(), error })?;
        let readers = forward_output(&mut child, &waiter);
        Ok(Launch { child, readers, last_words, name: owner.name, begin: Instant::now(), patience: options.patience })
    }

    /// Whether this comes from the runtime that was started: then it is ready.
    pub fn is_ready(&self, ready: &Ready) -> bool {
        ready.server.node().name().to_string() == self.name
    }

    /// The runtime, once it is ready.
    pub fn done(self, ready: &Ready) -> Runtime {
        let last_words = self.last_words.map(|(file, _)| file);
        Runtime { body: Body::Own { child: self.child, readers: self.readers, last_words }, server: ready.server }
    }

    /// Why it will not be ready, if that is known by now.
    pub fn trouble(&mut self) -> Option<RuntimeError> {
        match self.child.try_wait() {
            Ok(Some(status)) => Some(RuntimeError::Ended { end: describe(status) }),
            _ if self.begin.elapsed() > self.patience => Some(RuntimeError::Silent(self.patience)),
            _ => None,
        }
    }

    /// Ends it.
    pub fn kill(mut self) {
        end(&mut self.child);
    }
}

impl Runtime {
    /// The runtime of a node that this notebook has joined, and that is there without it.
    pub fn of_node(name: String, server: Pid) -> Runtime {
        Runtime { body: Body::Node(name), server }
    }

    /// The name of the node, if it is one that is there without this notebook.
    pub fn node(&self) -> Option<&str> {
        match &self.body {
            Body::Own { .. } => None,
            Body::Node(name) => Some(name),
        }
    }

    /// Ends the runtime, whatever its cells are doing. A node that is there without this notebook forgets what this
    /// has evaluated. Called by a process.
    pub fn kill(self) {
        match self.body {
            Body::Own { mut child, .. } => end(&mut child),
            Body::Node(_) => send(self.server, Order { owner: self_pid().node(), fate: Fate::Leave }),
        }
    }

    /// How the runtime has ended, if it has, and that can be seen from here.
    pub fn end(&mut self) -> Option<String> {
        match &mut self.body {
            Body::Own { child, .. } => child.try_wait().ok().flatten().map(describe),
            Body::Node(name) => Some(format!("the node {name} is gone")),
        }
    }

    /// The file that holds what it has shown last: to be read by [`last_words()`], once it has ended.
    pub fn last_words(&self) -> Option<File> {
        match &self.body {
            Body::Own { last_words, .. } => last_words.as_ref()?.try_clone().ok(),
            Body::Node(_) => None,
        }
    }

    /// Whether all that it has written was passed on: after its end, for certain only if it has started no program
    /// that lives on.
    pub fn is_drained(&self) -> bool {
        match &self.body {
            Body::Own { readers, .. } => readers.iter().all(JoinHandle::is_finished),
            Body::Node(_) => true,
        }
    }
}

fn spawn(options: &RuntimeOptions, settings: &RuntimeSettings, owner: &Owner) -> std::io::Result<Child> {
    let mut command = Command::new(&options.program);
    command
        .envs(&settings.environment)
        .env("LD_LIBRARY_PATH", &options.cells)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A process group of its own: Ctrl-C is for the notebook, which decides what it means.
        .process_group(0);
    match settings.backtrace {
        Backtrace::Inherited => {}
        Backtrace::Off => {
            command.env("RUST_BACKTRACE", "0");
        }
        Backtrace::Short => {
            command.env("RUST_BACKTRACE", "1");
        }
        Backtrace::Full => {
            command.env("RUST_BACKTRACE", "full");
        }
    }
    if let Some(folder) = &settings.folder {
        command.current_dir(folder);
    }
    let mut child = command.spawn()?;
    if let Some(stdin) = &mut child.stdin {
        match stdin.write_all(owner.to_line().as_bytes()) {
            // It has ended already; how is seen by whoever waits for it.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
    }
    Ok(child)
}

/// What cells of a runtime that has ended have shown last, by who was told of it. It may be known already.
pub fn last_words(file: &File) -> HashMap<Pid, Vec<Kept>> {
    let mut words: HashMap<Pid, Vec<Kept>> = HashMap::new();
    // A file that cannot be read says nothing.
    for kept in last_words::read(file).unwrap_or_default() {
        words.entry(kept.reply_to).or_default().push(kept);
    }
    words
}

/// Kills a child and collects it, so that nothing of it is left behind.
fn end(child: &mut Child) {
    // Both fail only when it has ended and was collected already.
    let _ = child.kill();
    let _ = child.wait();
}

/// How a program has ended, in words.
pub(crate) fn describe(status: ExitStatus) -> String {
    let Some(signal) = status.signal() else {
        return match status.code() {
            Some(OUT_OF_MEMORY) => "its cells used up the memory (GREENROOM_MEMORY sets the limit, in megabytes): is \
                                    there a value, or a number of processes, without bounds?"
                .to_owned(),
            Some(code) => format!("it ended itself with exit code {code}"),
            None => status.to_string(),
        };
    };
    match signal {
        4 => "illegal instruction (SIGILL)".to_owned(),
        6 => "abort (SIGABRT)".to_owned(),
        7 => "bus error (SIGBUS)".to_owned(),
        8 => "arithmetic exception (SIGFPE)".to_owned(),
        9 => "killed (SIGKILL): someone killed it, or the machine ran out of memory".to_owned(),
        11 => "segmentation fault (SIGSEGV)".to_owned(),
        15 => "terminated (SIGTERM)".to_owned(),
        other => format!("signal {other}"),
    }
}

/// Sends what the child writes to whoever has this name, line by line.
fn forward_output(child: &mut Child, to: &str) -> Vec<JoinHandle<()>> {
    let Some(node) = Node::current() else { return Vec::new() };
    let pipes: [Option<Box<dyn Read + Send>>; 2] =
        [child.stdout.take().map(|pipe| Box::new(pipe) as _), child.stderr.take().map(|pipe| Box::new(pipe) as _)];
    let forward = |pipe| {
        let (node, to) = (node.clone(), to.to_owned());
        let tell = move |output: RawOutput| {
            if let Some(owner) = owner(&node, &to) {
                node.send(owner, output);
            }
        };
        std::thread::spawn(move || {
            let mut reader = BufReader::new(pipe);
            let mut piece = Vec::new();
            while reader.by_ref().take(PIECE).read_until(b'\n', &mut piece).is_ok_and(|read| read > 0) {
                let rest = piece.split_off(whole(&piece));
                parse(&piece).into_iter().for_each(&tell);
                piece = rest;
            }
            parse(&piece).into_iter().for_each(&tell);
        })
    };
    pipes.into_iter().flatten().map(forward).collect()
}

/// The process of a name; one that was just killed is soon there again.
fn owner(node: &Node, name: &str) -> Option<Pid> {
    for _ in 0..100 {
        if let Some(owner) = node.whereis(name) {
            return Some(owner);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    None
}

/// How much of a piece of a line can be passed on: neither a mark nor a character that is cut at its end.
fn whole(piece: &[u8]) -> usize {
    let longest = output_mark(EvaluationId(u64::MAX)).len();
    if piece.ends_with(b"\n") || piece.len() <= longest {
        return piece.len();
    }
    let tail = piece.len() - longest;
    match piece[tail..].iter().position(|&byte| byte == MARK) {
        Some(mark) => tail + mark,
        None => piece.len() - piece[tail..].utf8_chunks().last().map_or(0, |chunk| chunk.invalid().len()),
    }
}

/// The text of a line, and the mark at its end: what was printed before may lack its line break.
fn parse(line: &[u8]) -> Vec<RawOutput> {
    let line = String::from_utf8_lossy(line);
    let marked = line.strip_suffix("\u{1e}\n").and_then(|line| line.rsplit_once("\u{1e}greenroom "));
    let (text, mark) = match marked.and_then(|(text, number)| Some((text, number.parse().ok()?))) {
        Some((text, number)) => (text, Some(RawOutput::Mark(EvaluationId(number)))),
        None => (&*line, None),
    };
    let text = (!text.is_empty()).then(|| RawOutput::Text(text.to_owned()));
    text.into_iter().chain(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_told_from_text() {
        let id = EvaluationId(7);
        let text = |text: &str| RawOutput::Text(text.to_owned());
        assert_eq!(parse(output_mark(id).as_bytes()), [RawOutput::Mark(id)]);
        assert_eq!(parse(b"plain\n"), [text("plain\n")]);
        assert_eq!(parse(format!("no end{}", output_mark(id)).as_bytes()), [text("no end"), RawOutput::Mark(id)]);
    }

    #[test]
    fn neither_a_mark_nor_a_character_is_cut() {
        let long = "x".repeat(100);
        for (end, kept) in [("\n", 0), ("", 0), ("é", 0), ("\u{1e}green", 6), ("\u{1e}greenroom 7\u{1e}", 13)] {
            let piece = format!("{long}{end}");
            assert_eq!(piece.len() - whole(piece.as_bytes()), kept, "{end:?}");
        }
        assert_eq!(whole(&[long.as_bytes(), &"é".as_bytes()[..1]].concat()), 100);
    }
}
