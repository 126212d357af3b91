//! The same small program with tracing as it is, off, and without tracing compiled in: the one thing that two
//! builds have to be compared for.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The two builds, made by the cargo that runs this when they are first needed.
static BUILT: OnceLock<Result<(PathBuf, PathBuf), String>> = OnceLock::new();

/// What runs the program as it is, or without tracing.
///
/// # Errors
/// Why it could not be built.
pub fn command(tracing: Tracing) -> Result<Command, String> {
    let built =
        BUILT.get_or_init(|| Ok((build("traceable", "")?, build("untraceable", "--cfg greenroom_untraceable")?)));
    let (traceable, untraceable) = built.as_ref().map_err(Clone::clone)?;
    Ok(Command::new(match tracing {
        Tracing::Off => traceable,
        Tracing::Absent => untraceable,
    }))
}

/// What tracing a build has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tracing {
    /// It could be switched on.
    Off,
    /// There is none.
    Absent,
}

fn build(name: &str, flags: &str) -> Result<PathBuf, String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = workspace.join("target/benches").join(name);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--release", "--quiet", "--package", "greenroom", "--example", "round_trips"])
        .arg("--target-dir")
        .arg(&target)
        .env("RUSTFLAGS", flags)
        .current_dir(workspace)
        .output()
        .map_err(|error| format!("cargo does not answer: {error}"))?;
    if !output.status.success() {
        return Err(format!("it does not build: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(target.join("release/examples/round_trips"))
}
