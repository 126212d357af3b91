//! The program `greenroom`: its command line, and the exit code that it ends with.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use greenroom_notebook::cli::{Cli, EXIT_OK};
use greenroom_notebook::command;

// Processes are allocated and freed by the million: this is where another allocator pays most.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let code = match Cli::parse().command {
        Some(command) => command::execute(&command),
        None => {
            // The help is all there is to say; a closed pipe has heard enough of it.
            let _ = write!(io::stdout(), "{}", Cli::help());
            EXIT_OK
        }
    };
    ExitCode::from(code)
}
