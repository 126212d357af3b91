//! The program `greenroom`: its command line, and the exit code that it ends with.

use std::process::ExitCode;

use clap::Parser;
use greenroom_notebook::cli::Cli;
use greenroom_notebook::command;

// Processes are allocated and freed by the million: this is where another allocator pays most.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Cli { command, prompt } = Cli::parse();
    let code = match command {
        Some(command) => command::execute(&command),
        None => command::prompt(prompt),
    };
    ExitCode::from(code)
}
