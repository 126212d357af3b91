//! `greenroom completions` and `greenroom man`: what a shell and a reader of manuals need, made from the command line
//! itself.

use std::io::{self, Write};

use clap::CommandFactory;

use super::refuse;
use crate::cli::{Cli, Completions, EXIT_OK};

pub(super) fn completions(arguments: &Completions) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "greenroom", &mut text);
    print(&text)
}

pub(super) fn man() -> u8 {
    match page() {
        Ok(page) => print(&page),
        Err(error) => refuse(error),
    }
}

/// The manual page, with a section for each command.
fn page() -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text)?;
    for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
        let name = format!("greenroom {}", command.get_name());
        let man = clap_mangen::Man::new(command.clone().display_name(name.clone()).bin_name(name));
        man.render_synopsis_section(&mut text)?;
        man.render_description_section(&mut text)?;
        man.render_options_section(&mut text)?;
    }
    Ok(text)
}

fn print(text: &[u8]) -> u8 {
    // Whoever closes the pipe has seen enough.
    let _ = io::stdout().write_all(text);
    EXIT_OK
}
