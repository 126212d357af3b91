//! Builds a prelude with cargo: unpacks our own crates, resolves without the network if that is possible, compiles,
//! and gathers all that cells need in one folder, which then depends on nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use cargo_metadata::camino::Utf8PathBuf;
use cargo_metadata::diagnostic::DiagnosticLevel;
use cargo_metadata::{Artifact, CompilerMessage, Message, Metadata, PackageId, Resolve, Target};
use toml::Table;

use super::{Index, PreludeError, Progress, manifest};
use crate::{
    cache::write_atomically,
    rustc::{Cancel, ToolError, Toolchain, library_name},
};

/// One compilation for all of a notebook's life: our own crates and what they run on are made fast, the user's
/// dependencies halfway, and build scripts and macros not at all.
pub(super) const PROFILE: &str = "\
[profile.release]
opt-level = 1
debug = false
incremental = false
codegen-units = 16
strip = \"debuginfo\"

[profile.release.build-override]
opt-level = 0

[profile.release.package.greenroom]
opt-level = 3

[profile.release.package.greenroom-cluster]
opt-level = 3

[profile.release.package.tokio]
opt-level = 3
";

/// The last bytes of a tool's output that are shown.
const SHOWN: usize = 8 * 1024;

pub(super) fn build(
    toolchain: &Toolchain,
    dependencies: &Table,
    cache: &Path,
    folder: &Path,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress),
) -> Result<Index, PreludeError> {
    let begin = Instant::now();
    let sources = super::sources_folder(cache);
    super::write_sources(&sources)?;
    let project = folder.join("project");
    let _ = fs::remove_file(super::index_file(folder));
    create(&project.join("src"))?;
    let own = own_sources(&sources, &project)?;
    let (manifest, names) = manifest::manifest(dependencies, &super::workspace(), &own);
    write_atomically(&project.join("Cargo.toml"), manifest.as_bytes())?;
    write_atomically(&project.join("Cargo.lock"), super::lock_file().as_bytes())?;
    let reexports: String = names.iter().map(|name| format!("pub extern crate {name};\n")).collect();
    let library = format!("//! Everything that the cells of a notebook can name.\n\n{reexports}");
    write_atomically(&project.join("src/lib.rs"), library.as_bytes())?;

    let cargo = Cargo { toolchain, project: &project, target: cache.join("target") };
    let resolved = cargo.resolve()?;
    let artifacts = cargo.build(&resolved, cancel, progress)?;
    let index = gather(&artifacts, &resolved.direct, folder, begin)?;
    link_runtime(toolchain, folder, &index)?;
    Ok(index)
}

fn create(folder: &Path) -> Result<(), ToolError> {
    fs::create_dir_all(folder).map_err(ToolError::file(folder))
}

/// Where the manifest finds our own crates: below the project, by a link. Cargo makes the names of symbols from where a
/// crate is relative to the project, so a prelude that is built in another cache has the same, and what is compiled on
/// one can be loaded on the other.
fn own_sources(sources: &Path, project: &Path) -> Result<String, ToolError> {
    let version = sources.file_name().unwrap_or_default().to_string_lossy();
    let own = format!("{}/{version}", manifest::OWN);
    let link = project.join(&own);
    create(&project.join(manifest::OWN))?;
    // There is none the first time.
    let _ = fs::remove_file(&link);
    std::os::unix::fs::symlink(sources, &link).map_err(ToolError::file(&link))?;
    Ok(own)
}

/// What the project of a prelude that is built consists of.
pub(super) fn metadata(toolchain: &Toolchain, project: &Path) -> Result<Metadata, PreludeError> {
    Cargo { toolchain, project, target: project.join("target") }.metadata().map(|(metadata, _)| metadata)
}

struct Cargo<'a> {
    toolchain: &'a Toolchain,
    project: &'a Path,
    target: PathBuf,
}

/// Whether nothing fits into this folder any more.
fn is_full(folder: &Path) -> bool {
    const ROOM: usize = 1 << 20;
    let fits = tempfile::tempfile_in(folder).and_then(|mut file| std::io::Write::write_all(&mut file, &vec![0; ROOM]));
    fits.is_err_and(|error| error.kind() == std::io::ErrorKind::StorageFull)
}

/// What cargo has resolved.
struct Resolved {
    total: usize,
    offline: bool,
    /// The packages behind the names that the prelude uses: a crate may be there in two versions.
    direct: BTreeMap<String, PackageId>,
}

impl Cargo<'_> {
    fn command(&self, verb: &str, offline: bool) -> Command {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(program);
        command.current_dir(self.project).arg(verb).env("RUSTC", &self.toolchain.rustc).stdin(Stdio::null());
        // Flags of whoever started us would make another library than the cells are compiled for.
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
            command.env_remove(name);
        }
        command.env("CARGO_TARGET_DIR", &self.target).env_remove("CARGO_BUILD_TARGET");
        if offline {
            command.arg("--offline");
        }
        command
    }

    fn missing(error: std::io::Error) -> ToolError {
        ToolError::Missing { program: "cargo".to_owned(), error }
    }

    /// What the project consists of, with the network only if it cannot do without.
    fn metadata(&self) -> Result<(Metadata, bool), PreludeError> {
        for offline in [true, false] {
            let mut command = self.command("metadata", offline);
            command.args(["--format-version=1", "--filter-platform", self.toolchain.host()]);
            let output = command.output().map_err(Self::missing)?;
            if output.status.success() {
                let metadata = serde_json::from_slice(&output.stdout).map_err(|error| ToolError::Failed {
                    program: "cargo metadata".to_owned(),
                    output: error.to_string(),
                })?;
                return Ok((metadata, offline));
            }
            if !offline {
                return Err(PreludeError::Resolve { message: bounded(&String::from_utf8_lossy(&output.stderr)) });
            }
        }
        Err(PreludeError::Resolve { message: "cargo has resolved nothing".to_owned() })
    }

    fn resolve(&self) -> Result<Resolved, PreludeError> {
        let (metadata, offline) = self.metadata()?;
        let total = metadata.resolve.as_ref().map_or(0, |resolve| resolve.nodes.len());
        let deps = metadata.resolve.and_then(|Resolve { nodes, root, .. }| {
            let own = nodes.into_iter().find(|node| Some(&node.id) == root.as_ref());
            own.map(|node| node.deps)
        });
        let direct = deps.unwrap_or_default().into_iter().map(|dependency| (dependency.name, dependency.pkg)).collect();
        Ok(Resolved { total, offline, direct })
    }

    fn build(
        &self,
        resolved: &Resolved,
        cancel: &Cancel,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Vec<Artifact>, PreludeError> {
        let mut command = self.command("rustc", resolved.offline);
        command.args(["--release", "--lib", "--message-format=json", "--", "-Cprefer-dynamic"]);
        // Where the program finds the prelude, the prelude must find the standard library.
        let standard = self.toolchain.libraries();
        command.arg(format!("-Clink-arg=-Wl,-rpath,{}", standard.display()));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = cancel.spawn(&mut command).map_err(Self::missing)?.ok_or(PreludeError::Cancelled)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let rest = thread::spawn(move || {
            let mut text = Vec::new();
            stderr.map(|mut stderr| stderr.read_to_end(&mut text));
            String::from_utf8_lossy(&text).into_owned()
        });
        let mut artifacts: Vec<Artifact> = Vec::new();
        let mut packages = BTreeSet::new();
        let mut errors = String::new();
        let messages = stdout.into_iter().flat_map(|stdout| Message::parse_stream(BufReader::new(stdout)));
        for message in messages.map_while(Result::ok) {
            match message {
                Message::CompilerArtifact(artifact) => {
                    if packages.insert(artifact.package_id.clone()) {
                        let name = artifact.target.name.clone();
                        progress(Progress { done: packages.len(), total: resolved.total.max(packages.len()), name });
                    }
                    artifacts.push(artifact);
                }
                Message::CompilerMessage(CompilerMessage { message, .. })
                    if message.level == DiagnosticLevel::Error =>
                {
                    errors.push_str(message.rendered.as_deref().unwrap_or_default());
                }
                _ => {}
            }
        }
        let status = cancel.wait(&mut child).map_err(Self::missing)?.ok_or(PreludeError::Cancelled)?;
        let rest = rest.join().unwrap_or_default();
        if status.success() {
            return Ok(artifacts);
        }
        let said = if errors.is_empty() { rest } else { errors };
        // A linker whose output does not fit dies in odd ways, so the disk is asked, too.
        if said.contains("No space left on device") || is_full(&self.target) {
            let error = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(ToolError::File { path: self.target.clone(), error }.into());
        }
        Err(PreludeError::Compile { message: bounded(&said) })
    }
}

/// Long output without its middle.
fn bounded(text: &str) -> String {
    let text = text.trim();
    if text.len() <= SHOWN {
        return text.to_owned();
    }
    let head = text.floor_char_boundary(SHOWN / 2);
    let tail = text.ceil_char_boundary(text.len() - SHOWN / 2);
    format!("{}\n[…]\n{}", &text[..head], &text[tail..])
}

/// Whether other crates can name what is built of this.
pub(crate) fn is_library(target: &Target) -> bool {
    target.is_lib() || target.is_rlib() || target.is_dylib() || target.is_proc_macro()
}

/// Puts the libraries into the prelude's own folder: the target folder is shared, and a later build may replace them.
fn gather(
    artifacts: &[Artifact],
    direct: &BTreeMap<String, PackageId>,
    folder: &Path,
    begin: Instant,
) -> Result<Index, ToolError> {
    let libraries = folder.join("lib");
    create(&libraries)?;
    let mut externs = BTreeMap::new();
    let mut others: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for artifact in artifacts {
        let target = &artifact.target;
        // What is built for build scripts and macros is not optimised; the same package may be there again for us.
        let for_macros = artifact.profile.opt_level == "0" && !target.is_proc_macro();
        if for_macros || !is_library(target) {
            continue;
        }
        let is_code = |file: &&Utf8PathBuf| file.extension().is_some_and(|end| end != "d" && end != "rmeta");
        for file in artifact.filenames.iter().filter(is_code) {
            let Some(file_name) = file.file_name() else {
                continue;
            };
            let to = libraries.join(file_name);
            let _ = fs::remove_file(&to);
            fs::hard_link(file, &to).or_else(|_| fs::copy(file, &to).map(drop)).map_err(ToolError::file(&to))?;
            let path = Path::new("lib").join(file_name);
            for (name, _) in direct.iter().filter(|(_, package)| **package == artifact.package_id) {
                externs.insert(name.clone(), path.clone());
            }
            others.entry(artifact.target.name.replace('-', "_")).or_default().push(path);
        }
    }
    let prelude = Path::new("lib").join(library_name("greenroom_prelude"));
    externs.insert("greenroom_prelude".to_owned(), prelude);
    others.retain(|name, paths| paths.len() == 1 && !externs.contains_key(name));
    let transitive = others.into_iter().filter_map(|(name, mut paths)| Some((name, paths.pop()?))).collect();
    Ok(Index { externs, transitive, build_time: begin.elapsed() })
}

/// The runtime node's program is one line; all of it is in the prelude.
fn link_runtime(toolchain: &Toolchain, folder: &Path, index: &Index) -> Result<(), ToolError> {
    let main = folder.join("runtime.rs");
    write_atomically(
        &main,
        b"extern crate greenroom_prelude as _;\nfn main() {\n    greenroom_stage::runtime::main()\n}\n",
    )?;
    let program = folder.join(format!("greenroom-runtime{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(&toolchain.rustc);
    command.arg(&main).args(["--edition=2024", "-Cprefer-dynamic", "-Copt-level=1", "--crate-name=greenroom_runtime"]);
    command.arg("-o").arg(&program).arg("-L").arg(format!("dependency={}", folder.join("lib").display()));
    for name in ["greenroom_prelude", "greenroom_stage"] {
        if let Some(path) = index.externs.get(name) {
            command.arg("--extern").arg(format!("{name}={}", folder.join(path).display()));
        }
    }
    for path in [folder.join("lib"), toolchain.libraries()] {
        command.arg(format!("-Clink-arg=-Wl,-rpath,{}", path.display()));
    }
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| ToolError::Missing { program: toolchain.rustc.display().to_string(), error })?;
    if output.status.success() {
        return Ok(());
    }
    Err(ToolError::Failed {
        program: toolchain.rustc.display().to_string(),
        output: bounded(&String::from_utf8_lossy(&output.stderr)),
    })
}
