//! Runs rustc on a generated file: finding it, its flags, stopping it. What its messages mean for a cell is in
//! [`diagnostic`]; what to compile is decided elsewhere.

pub mod diagnostic;

use std::{
    ffi::OsString,
    fmt, fs, io,
    io::Read,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tempfile::TempDir;

use self::diagnostic::Message;

/// The compiler that builds preludes and cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// rustc itself, not rustup's stand-in, which costs 40 ms a call.
    pub rustc: PathBuf,
    /// Its sysroot.
    pub sysroot: PathBuf,
    /// What `rustc -vV` says.
    pub version: String,
}

/// Why a tool could not do its work, apart from what it was given.
#[derive(Debug)]
pub enum ToolError {
    /// A program could not be started.
    Missing {
        /// The program.
        program: String,
        /// Why.
        error: io::Error,
    },
    /// A file or folder could not be read or written.
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A program ran and failed without a diagnostic.
    Failed {
        /// The program.
        program: String,
        /// The end of what it printed.
        output: String,
    },
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { program, error } => write!(
                f,
                "cannot run `{program}`: {error}. Cells are compiled by the Rust toolchain: install it from \
                 https://rustup.rs, put it on the PATH, or point RUSTC to it"
            ),
            Self::File { path, error } if error.kind() == io::ErrorKind::StorageFull => write!(
                f,
                "the disk is full: cannot write `{}`. Free some space, or point GREENROOM_CACHE to another disk",
                path.display()
            ),
            Self::File { path, error } => write!(
                f,
                "cannot use `{}`: {error}. Set GREENROOM_CACHE to a folder that can be written",
                path.display()
            ),
            Self::Failed { program, output } => write!(f, "`{program}` failed:\n{output}"),
        }
    }
}

impl std::error::Error for ToolError {}

impl ToolError {
    /// Names the file of an I/O error.
    pub fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { path, error }
    }
}

impl Toolchain {
    /// Asks `$RUSTC`, or the `rustc` on the PATH, where it lives and what it is.
    ///
    /// # Errors
    /// When there is no such program, or it does not answer.
    pub fn find() -> Result<Self, ToolError> {
        let program = std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
        let sysroot = ask(Command::new(&program).args(["--print", "sysroot"]))?;
        let sysroot = PathBuf::from(sysroot.trim_end());
        let direct = sysroot.join("bin").join(format!("rustc{}", std::env::consts::EXE_SUFFIX));
        let rustc = if direct.is_file() { direct } else { PathBuf::from(program) };
        let version = ask(Command::new(&rustc).arg("-vV"))?;
        Ok(Self { rustc, sysroot, version })
    }
}

impl Toolchain {
    /// The platform that it compiles for.
    pub fn host(&self) -> &str {
        let host = self.version.lines().find_map(|line| line.strip_prefix("host: "));
        host.unwrap_or_default()
    }

    /// Where the libraries of the standard library are.
    pub fn libraries(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib").join(self.host()).join("lib")
    }
}

fn ask(command: &mut Command) -> Result<String, ToolError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| ToolError::Missing { program: program.clone(), error })?;
    if !output.status.success() {
        return Err(ToolError::Failed { program, output: String::from_utf8_lossy(&output.stderr).into_owned() });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Stops compilations from another thread. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    cancelled: bool,
    /// The process group of the running tool: rustc and its linker, or cargo and all that it runs.
    group: Option<u32>,
}

impl Cancel {
    /// Kills what runs under this handle, and lets nothing new begin.
    pub fn cancel(&self) {
        let mut state = self.lock();
        state.cancelled = true;
        if let Some(group) = state.group.take().and_then(|group| i32::try_from(group).ok()) {
            // It may just have ended by itself.
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
    }

    /// Whether [`Cancel::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.lock().cancelled
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a tool. `None` when cancelled.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<Option<Child>> {
        let mut state = self.lock();
        if state.cancelled {
            return Ok(None);
        }
        // Not in our process group: Ctrl-C is for us to act on.
        let child = command.process_group(0).spawn()?;
        state.group = Some(child.id());
        Ok(Some(child))
    }

    /// Collects a tool that has closed its output. `None` when cancelled.
    pub(crate) fn wait(&self, child: &mut Child) -> io::Result<Option<ExitStatus>> {
        // Once it is collected, its number may be another's.
        self.lock().group = None;
        let status = child.wait()?;
        Ok((!self.is_cancelled()).then_some(status))
    }

    /// Runs a program whose stderr is read to its end. `None` when cancelled.
    fn run(&self, command: &mut Command) -> io::Result<Option<(bool, String)>> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let Some(mut child) = self.spawn(command)? else { return Ok(None) };
        let mut text = Vec::new();
        if let Some(stderr) = &mut child.stderr {
            stderr.read_to_end(&mut text)?;
        }
        let status = self.wait(&mut child)?;
        Ok(status.map(|status| (status.success(), String::from_utf8_lossy(&text).into_owned())))
    }
}

/// What to compile.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The name of the crate, and of its file.
    pub name: &'a str,
    /// The text of the crate.
    pub text: &'a str,
    /// The crates it may name.
    pub externs: &'a [(String, PathBuf)],
    /// Where the crates that those stand on are.
    pub search: &'a [PathBuf],
    /// The sources of the crates that it stands on, and the name that these know them by: messages about their macros
    /// say more where these can be read.
    pub sources: (&'static str, &'a Path),
    /// What is wanted.
    pub emit: Emit,
}

/// What a compilation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emit {
    /// A library and its MIR.
    Library,
    /// Only the errors.
    Check,
}

/// What came of a compilation.
#[derive(Debug)]
pub struct Outcome {
    /// Whether it succeeded.
    pub success: bool,
    /// What rustc said.
    pub messages: Vec<Message>,
    /// What it printed that is no message: its own crashes.
    pub noise: String,
    folder: TempDir,
    name: String,
}

impl Outcome {
    /// The library, in a folder that goes with this value.
    pub fn library(&self) -> PathBuf {
        self.folder.path().join(library_name(&self.name))
    }

    /// The text of the MIR file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn mir(&self) -> Result<String, ToolError> {
        let path = self.folder.path().join(format!("{}.mir", self.name));
        fs::read_to_string(&path).map_err(ToolError::file(&path))
    }
}

/// The file name of a crate's library.
pub fn library_name(name: &str) -> String {
    format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// Compiles, in a temporary folder inside of `scratch`. `None` when cancelled.
///
/// # Errors
/// When files cannot be written or rustc cannot be run; errors in the code are in the outcome.
pub fn compile(
    toolchain: &Toolchain,
    job: &Job<'_>,
    scratch: &Path,
    cancel: &Cancel,
) -> Result<Option<Outcome>, ToolError> {
    let folder = tempfile::Builder::new().prefix("build-").tempdir_in(scratch).map_err(ToolError::file(scratch))?;
    let file = folder.path().join(format!("{}.rs", job.name));
    fs::write(&file, job.text).map_err(ToolError::file(&file))?;
    let (known_as, sources) = job.sources;
    // Without them, messages say less.
    let _ = std::os::unix::fs::symlink(sources, folder.path().join(known_as));
    let mut command = Command::new(&toolchain.rustc);
    command.current_dir(folder.path()).args(arguments(job));
    // Stable rustc then prints the MIR's types with their full paths.
    command.env("RUSTC_BOOTSTRAP", "1");
    let ran = cancel
        .run(&mut command)
        .map_err(|error| ToolError::Missing { program: toolchain.rustc.display().to_string(), error })?;
    Ok(ran.map(|(success, stderr)| {
        let (messages, noise) = diagnostic::parse(&stderr);
        Outcome { success, messages, noise, folder, name: job.name.to_owned() }
    }))
}

/// The flags. Measured on two cores, medians of ten, `let list = vec![1, 2, 3]; list.len()`: 66 ms, of which 17 are
/// the linker's and 5 the MIR's. Metadata files instead of libraries, shared generics and dead code kept in change nothing.
fn arguments(job: &Job<'_>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    let mut add = |text: &str| arguments.push(text.into());
    add(&format!("{}.rs", job.name));
    add("--crate-name");
    add(job.name);
    for flag in ["--crate-type=dylib", "--edition=2024", "--error-format=json", "-Cdebuginfo=0", "-Copt-level=0"] {
        add(flag);
    }
    for flag in ["-Cprefer-dynamic", "-Ccodegen-units=1", "-Cembed-bitcode=no", "-Ztrim-diagnostic-paths=no"] {
        add(flag);
    }
    // A key is made from everything that the cell is made of, so a stale library can never be taken for another.
    add(&format!("-Cmetadata={}", job.name));
    add(match job.emit {
        Emit::Library => "--emit=link,mir",
        Emit::Check => "--emit=metadata",
    });
    let mut add_path = |prefix: &str, path: &Path| {
        let mut argument = OsString::from(prefix);
        argument.push(path);
        arguments.push(argument);
    };
    for folder in job.search {
        add_path("-Ldependency=", folder);
    }
    for (name, path) in job.externs {
        add_path(&format!("--extern={name}="), path);
    }
    arguments
}
