//! The BEAM: compiles our trials for it, where it is installed, and starts it for one of them.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::HELD;

const SOURCE: &str = include_str!("beam/trials.erl");

/// Compiles the trials into `folder`.
///
/// # Errors
/// When `erlc` or `erl` is not there, or does not like the file.
pub fn compile(folder: &Path) -> io::Result<()> {
    let file = folder.join("trials.erl");
    std::fs::write(&file, SOURCE)?;
    let output = Command::new("erlc").arg("-o").arg(folder).arg(&file).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// The command that runs a trial and prints its figure.
pub fn command(folder: &Path, trial: &str) -> Command {
    let mut command = Command::new("erl");
    let most = (HELD * 2).to_string();
    command.args(["-noshell", "-noinput", "+P", &most, "-pa"]).arg(folder);
    // One that fails shall leave no file behind.
    command.env("ERL_CRASH_DUMP_SECONDS", "0");
    command.args(["-run", "trials", "main"]).arg(trial);
    command
}
