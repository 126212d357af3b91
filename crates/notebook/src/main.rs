//! The program `greenroom`: its command line, and the exit code that it ends with.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use greenroom_notebook::app::{self, RunError, RunOptions};
use greenroom_notebook::cli::{self, Cli, Command, EXIT_CELL_FAILED, EXIT_NOTHING_RUN, EXIT_OK};
use greenroom_notebook::draw::Style;
use greenroom_notebook::frontend::{Frontend, Json, Look, Plain, Progress};
use greenroom_notebook::nodes::{self, NodeError};

// Processes are allocated and freed by the million: this is where another allocator pays most.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match Cli::parse().command {
        Some(Command::Run(arguments)) => ExitCode::from(run(&arguments)),
        Some(Command::Node(arguments)) => report(nodes::run(&arguments).map(|()| None)),
        Some(Command::Ping(arguments)) => report(nodes::ping(&arguments).map(Some)),
        None => {
            // The help is all there is to say; a closed pipe has heard enough of it.
            let _ = write!(io::stdout(), "{}", Cli::help());
            ExitCode::from(EXIT_OK)
        }
    }
}

/// Says what there is to say, and whether it went well.
fn report(outcome: Result<Option<String>, NodeError>) -> ExitCode {
    match outcome {
        Ok(said) => {
            if let Some(said) = said {
                println!("{said}");
            }
            ExitCode::from(EXIT_OK)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(EXIT_CELL_FAILED)
        }
    }
}

fn run(arguments: &cli::Run) -> u8 {
    let document = match cli::open(&arguments.file) {
        Ok(document) => document,
        Err(error) => {
            eprintln!("error: {error}");
            return EXIT_NOTHING_RUN;
        }
    };
    for warning in &document.warnings {
        eprintln!("warning: {}: {warning}", arguments.file.display());
    }
    let mut look = Look::of_stdout();
    if arguments.no_color {
        look = look.without_colours();
    }
    let progress = Progress::on_stderr();
    let mut frontend: Box<dyn Frontend> = if arguments.json {
        Box::new(Json::new(io::stdout(), progress))
    } else {
        Box::new(Plain::new(io::stdout(), progress, look))
    };
    let is_coloured = look.coloured && !arguments.json;
    let style = if is_coloured { Style::Coloured } else { Style::Plain };
    let options = RunOptions { style, columns: look.width };
    match app::run(&document.notebook, &document.path, options, &mut *frontend) {
        Ok(true) => EXIT_OK,
        Ok(false) => EXIT_CELL_FAILED,
        // Whoever closes our output has seen enough.
        Err(RunError::Frontend(error)) if error.kind() == io::ErrorKind::BrokenPipe => EXIT_CELL_FAILED,
        Err(error) => {
            eprintln!("error: {error}");
            EXIT_CELL_FAILED
        }
    }
}
