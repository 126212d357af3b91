//! The prelude: one library with everything that the cells of a notebook can name besides each other, and the program
//! that the runtime node runs. Built by cargo once for every distinct setup, then found again by its content.
//!
//! What cells are compiled to is not known here; neither is how progress is shown.

mod build;
mod manifest;

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use cargo_metadata::Metadata;
use greenroom_stage::launch::Fit;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    cache::{Held, hex, touch, write_atomically},
    rustc::{Cancel, ToolError, Toolchain},
};

pub(crate) use self::build::is_library;
pub use self::manifest::SetupError;

/// Our own crates, as (path, text).
const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// How often it is looked whether another program is done with the cache.
const LOCK_STEP: Duration = Duration::from_millis(50);

/// A built prelude.
#[derive(Clone, Debug)]
pub struct Prelude {
    /// The compiler that built it, and must compile all that stands on it.
    pub toolchain: Toolchain,
    /// What it was made from; both ends of a link must have the same.
    pub fingerprint: String,
    /// The folder that holds all of it.
    pub folder: PathBuf,
    /// By what it is told whether cells that were compiled for another prelude can be loaded on it.
    pub fit: Fit,
    index: Index,
    /// It is not removed from the cache as long as this is there; neither are the cells on it.
    _used: Arc<Held>,
}

/// What is written into the folder last.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Index {
    /// The crates that a cell may name, and the files they are in, relative to the folder.
    externs: BTreeMap<String, PathBuf>,
    /// The crates that those stand on, as far as their names are unique.
    transitive: BTreeMap<String, PathBuf>,
    build_time: Duration,
}

/// How far the building of a prelude has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// How many packages are done.
    pub done: usize,
    /// How many there are.
    pub total: usize,
    /// The package that was just finished.
    pub name: String,
}

/// Why there is no prelude.
#[derive(Debug)]
pub enum PreludeError {
    /// The setup cell is not right.
    Setup(SetupError),
    /// A dependency cannot be found, or not downloaded.
    Resolve {
        /// What cargo says.
        message: String,
    },
    /// A dependency does not compile.
    Compile {
        /// What rustc says, as cargo shows it; long output is cut in the middle.
        message: String,
    },
    /// The building was cancelled.
    Cancelled,
    /// A tool or a file is missing.
    Tool(ToolError),
}

impl fmt::Display for PreludeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setup(error) => error.fmt(f),
            Self::Resolve { message } => write!(
                f,
                "the dependencies in the setup cell cannot be resolved; check their names, versions and features, and \
                 the network:\n{message}"
            ),
            Self::Compile { message } => {
                write!(f, "a dependency in the setup cell does not compile:\n{message}")
            }
            Self::Cancelled => f.write_str("the building of the prelude was cancelled"),
            Self::Tool(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PreludeError {}

impl PreludeError {
    /// Whether what the setup cell says may be the reason.
    pub fn is_about_setup(&self) -> bool {
        matches!(self, Self::Setup(_) | Self::Resolve { .. } | Self::Compile { .. })
    }
}

impl From<ToolError> for PreludeError {
    fn from(error: ToolError) -> Self {
        Self::Tool(error)
    }
}

impl From<SetupError> for PreludeError {
    fn from(error: SetupError) -> Self {
        Self::Setup(error)
    }
}

/// The folder that everything built is kept in: `$GREENROOM_CACHE`, else `greenroom` in the user's cache folder.
///
/// # Errors
/// When the user has no home.
pub fn cache_folder() -> Result<PathBuf, ToolError> {
    if let Some(folder) = std::env::var_os("GREENROOM_CACHE").filter(|folder| !folder.is_empty()) {
        return std::path::absolute(&folder).map_err(ToolError::file(Path::new(&folder)));
    }
    let folders = directories::ProjectDirs::from("", "", "greenroom").ok_or_else(|| ToolError::File {
        path: PathBuf::from("~/.cache/greenroom"),
        error: io::Error::new(io::ErrorKind::NotFound, "there is no home folder"),
    })?;
    Ok(folders.cache_dir().to_owned())
}

/// The sources of the crates that every notebook stands on: path and text.
pub fn own_sources() -> impl Iterator<Item = (&'static str, &'static str)> {
    SOURCES.iter().filter(|(path, _)| path.ends_with(".rs")).copied()
}

/// Writes the crates that notebooks stand on, and their lock file, into a folder; what is right there stays.
///
/// # Errors
/// When it cannot be written.
pub fn write_sources(folder: &Path) -> Result<(), ToolError> {
    for (path, text) in SOURCES {
        let file = folder.join(path);
        // Left alone where it is right: cargo goes by the time of change.
        if fs::read(&file).is_ok_and(|found| found == text.as_bytes()) {
            continue;
        }
        write_atomically(&file, text.as_bytes())?;
    }
    Ok(())
}

/// Where the crates that notebooks stand on are in a cache: a folder for each version of them.
pub fn sources_folder(cache: &Path) -> PathBuf {
    let mut hash = Sha256::new();
    for (path, text) in SOURCES {
        hash.update(path);
        hash.update([0]);
        hash.update(text);
        hash.update([0]);
    }
    cache.join("sources").join(hex(&hash.finalize()[..8]))
}

/// The manifest tables of a program that stands on what a setup names: its `[dependencies]`, where our own crates are in
/// the folder `sources`.
///
/// # Errors
/// When the setup cell is not right.
pub fn program_dependencies(setup: &str, sources: &str) -> Result<toml::Table, SetupError> {
    let dependencies = manifest::dependencies(setup)?;
    Ok(manifest::all_dependencies(&dependencies, &workspace(), sources))
}

/// The lock file that our own crates were built with.
pub fn lock_file() -> &'static str {
    SOURCES.iter().find(|(path, _)| *path == "Cargo.lock").map_or("", |(_, text)| text)
}

/// The `[workspace]` of our own crates.
fn workspace() -> toml::Table {
    let root =
        SOURCES.iter().find(|(path, _)| *path == "Cargo.toml").and_then(|(_, text)| text.parse::<toml::Table>().ok());
    root.and_then(|root| root.get("workspace").and_then(toml::Value::as_table).cloned()).unwrap_or_default()
}

impl Prelude {
    /// The prelude for a setup cell (a Cargo manifest with `[dependencies]`; may be empty), built if it is not in
    /// `cache` yet. While another program builds the same one, this waits.
    ///
    /// # Errors
    /// When the setup cell is wrong, a dependency cannot be had, or a tool or the cache cannot be used.
    pub fn open(
        setup: &str,
        cache: &Path,
        cancel: &Cancel,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, PreludeError> {
        let dependencies = manifest::dependencies(setup)?;
        let toolchain = Toolchain::find()?;
        let fingerprint = fingerprint(&toolchain, &dependencies);
        let folder = cache.join("preludes").join(&fingerprint);
        fs::create_dir_all(cache).map_err(ToolError::file(cache))?;
        let used = Arc::new(Held::together(&folder.with_extension("lock"))?);
        if let Some(index) = read_index(&folder) {
            touch(&index_file(&folder));
            let fit = index.fit(&toolchain, &dependencies);
            return Ok(Self { toolchain, fingerprint, folder, fit, index, _used: used });
        }
        let lock_path = cache.join("preludes.lock");
        let lock = fs::File::create(&lock_path).map_err(ToolError::file(&lock_path))?;
        while let Err(error) = lock.try_lock() {
            match error {
                fs::TryLockError::WouldBlock if cancel.is_cancelled() => return Err(PreludeError::Cancelled),
                fs::TryLockError::WouldBlock => {
                    progress(Progress { done: 0, total: 0, name: "another program is at it".to_owned() });
                    thread::sleep(LOCK_STEP);
                }
                fs::TryLockError::Error(error) => return Err(ToolError::file(&lock_path)(error).into()),
            }
        }
        // Whoever held the lock may have built it.
        let index = match read_index(&folder) {
            Some(index) => index,
            None => {
                let index = build::build(&toolchain, &dependencies, cache, &folder, cancel, progress)?;
                let text = serde_json::to_vec_pretty(&index).unwrap_or_default();
                write_atomically(&index_file(&folder), &text)?;
                index
            }
        };
        let fit = index.fit(&toolchain, &dependencies);
        Ok(Self { toolchain, fingerprint, folder, fit, index, _used: used })
    }

    /// The program of the runtime node.
    pub fn runtime(&self) -> PathBuf {
        self.folder.join(format!("greenroom-runtime{}", std::env::consts::EXE_SUFFIX))
    }

    /// The crates that a cell may name, with their files.
    pub fn externs(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        self.index.externs.iter().map(|(name, path)| (name.as_str(), self.folder.join(path)))
    }

    /// A crate that the named ones stand on.
    pub fn transitive(&self, name: &str) -> Option<PathBuf> {
        self.index.transitive.get(name).map(|path| self.folder.join(path))
    }

    /// Our own crates' sources, as the compiler knows them: by the name that their folder had when they were compiled.
    pub fn sources(&self) -> (&'static str, PathBuf) {
        (manifest::OWN, self.folder.join("project").join(manifest::OWN))
    }

    /// The project that it was built of, and what cargo knows of that. Blocks for a tenth of a second.
    ///
    /// # Errors
    /// When cargo cannot say.
    pub fn project(&self) -> Result<(PathBuf, Metadata), PreludeError> {
        let project = self.folder.join("project");
        let metadata = build::metadata(&self.toolchain, &project)?;
        Ok((project, metadata))
    }

    /// The folder of the libraries.
    pub fn libraries(&self) -> PathBuf {
        self.folder.join("lib")
    }

    /// How long it took to build.
    pub fn build_time(&self) -> Duration {
        self.index.build_time
    }
}

impl Index {
    /// Wherever they are, two preludes of the same fit have the same symbols: cargo puts everything that these depend on
    /// into the names of the libraries.
    fn fit(&self, toolchain: &Toolchain, dependencies: &toml::Table) -> Fit {
        let first = toolchain.version.lines().next().unwrap_or_default();
        let own: Vec<&str> = SOURCES.iter().flat_map(|(path, text)| [*path, *text]).collect();
        let libraries: Vec<_> = self.externs.iter().chain(&self.transitive).collect();
        let libraries: Vec<_> =
            libraries.into_iter().map(|(name, file)| format!("{name} {}", file.display())).collect();
        Fit {
            rustc: format!("{first} for {}", toolchain.host()),
            greenroom: format!("{} {}", env!("CARGO_PKG_VERSION"), digest(own)),
            crates: digest([dependencies.to_string().as_str()]),
            build: digest(libraries.iter().map(String::as_str)),
        }
    }
}

fn index_file(folder: &Path) -> PathBuf {
    folder.join("prelude.json")
}

/// The index of a prelude that is complete.
fn read_index(folder: &Path) -> Option<Index> {
    let index: Index = serde_json::from_slice(&fs::read(index_file(folder)).ok()?).ok()?;
    index.externs.values().all(|path| folder.join(path).is_file()).then_some(index)
}

fn fingerprint(toolchain: &Toolchain, dependencies: &toml::Table) -> String {
    let (sysroot, dependencies) = (toolchain.sysroot.to_string_lossy(), dependencies.to_string());
    let parts = [toolchain.version.as_str(), &sysroot, &dependencies, build::PROFILE, manifest::OWN];
    digest(parts.into_iter().chain(SOURCES.iter().flat_map(|(path, text)| [*path, *text])))
}

fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize()[..8])
}
