//! What could follow a `.` or a `::`, as rust-analyzer knows it: a program of its own, which is there or not. It sees a
//! notebook as one crate (`page`) among those of the prelude (`project`). What is said to it and what that comes to is a
//! function of messages (`talk`); `program` carries them.

mod page;
mod program;
mod project;
mod talk;

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::prelude::{Prelude, PreludeError};
use crate::rustc::Toolchain;

pub use lsp_server::Message;
pub use page::Page;
pub use program::Program;
pub use talk::{Move, Talk};

/// Something that could stand at a place of a source: a field, a method, an item of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// What is put in: a function with its bracket, and with both of them if it takes nothing.
    pub text: String,
    /// Its type.
    pub about: String,
}

/// Why it is not known what could stand at a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoMembers {
    /// What cells stand on is not ready, or there is no such section.
    NotReady,
    /// There is no rust-analyzer.
    NotInstalled,
    /// Something else was asked before this was answered.
    Superseded,
    /// rust-analyzer does not work: why, for people.
    Failed(String),
}

impl fmt::Display for NoMembers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoMembers::NotReady => f.write_str("what cells stand on is still being made ready"),
            NoMembers::NotInstalled => f.write_str(
                "fields and methods are completed by rust-analyzer, which is not installed: \
                 `rustup component add rust-analyzer rust-src`",
            ),
            NoMembers::Superseded => f.write_str("something else was asked meanwhile"),
            NoMembers::Failed(why) => write!(f, "rust-analyzer does not work: {why}"),
        }
    }
}

impl std::error::Error for NoMembers {}

/// The program: `$RUST_ANALYZER`, else that of the toolchain, else the one on the PATH. None if there is none, or the
/// variable is there and empty. Blocks for as long as that takes to say its version.
pub fn find(toolchain: &Toolchain) -> Option<PathBuf> {
    if let Some(program) = std::env::var_os("RUST_ANALYZER") {
        return (!program.is_empty()).then(|| PathBuf::from(program));
    }
    let own = toolchain.sysroot.join("bin").join(format!("rust-analyzer{}", std::env::consts::EXE_SUFFIX));
    if own.is_file() {
        return Some(own);
    }
    // What rustup puts on the PATH is there also where it stands for nothing.
    let program = PathBuf::from("rust-analyzer");
    let mut asked = Command::new(&program);
    asked.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success()).then_some(program)
}

/// How a talk about the cells on a prelude begins: with what is to be said first. Blocks for a tenth of a second.
///
/// # Errors
/// When cargo does not know what the prelude consists of.
pub fn begin<W>(prelude: &Prelude) -> Result<(Talk<W>, Message), PreludeError> {
    let (folder, metadata) = prelude.project()?;
    let source = folder.join("src");
    let project = project::project(&metadata, &prelude.toolchain.sysroot, &source.join(page::ROOT));
    Ok(Talk::begin(&source, project))
}
