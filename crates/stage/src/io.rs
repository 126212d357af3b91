//! Where the output of a cell goes: to the group leader of the process that makes it.
//!
//! The leader is inherited by spawn, so that a process started by a cell prints under that cell. Without
//! a leader, as in a program of one's own, text goes to standard output and everything else prints as text.

use std::fmt;
use std::io::Write;

use greenroom::{Node, group_leader};

use crate::cell::bounded::{Bounded, MOST};
use crate::cell::{IntoOutput, Output};
use crate::last_words;

/// Shows something below the cell that the running process belongs to.
pub fn emit(output: impl IntoOutput) {
    show(output.into_output());
}

/// Shows an output below the cell that the running process belongs to.
pub(crate) fn show(output: Output) {
    match leader() {
        Some((node, leader)) => last_words::hand(&node, leader, output),
        None => print_plainly(&output),
    }
}

/// The node and the group leader of the running process, if there is one.
pub(crate) fn leader() -> Option<(Node, greenroom::Pid)> {
    let node = Node::current()?;
    greenroom::process::try_self_pid()?;
    group_leader().map(|leader| (node, leader))
}

pub(crate) fn print_plainly(output: &Output) {
    match output {
        Output::Text(text) | Output::Error(text) => std::print!("{text}"),
        Output::Table { rows, left_out } => {
            rows.iter().for_each(|row| std::println!("{row}"));
            if *left_out > 0 {
                std::println!("… {left_out} more rows");
            }
        }
        Output::Image { mime, bytes } => std::println!("[{mime}, {} bytes]", bytes.len()),
        Output::Frame { outputs, .. } => outputs.iter().for_each(print_line),
        Output::Value { text, .. }
        | Output::Sequence { text, .. }
        | Output::Tree { text, .. }
        | Output::Picture { text, .. }
        | Output::Flame { text, .. } => std::println!("{text}"),
        Output::Input(form) => std::println!("{form}"),
    }
}

/// Prints an output that begins and ends on lines of its own.
pub(crate) fn print_line(output: &Output) {
    print_plainly(output);
    if matches!(output, Output::Text(text) | Output::Error(text) if !text.ends_with('\n')) {
        std::println!();
    }
}

/// Prints to the cell; for the macros that are named like those of the standard library.
#[doc(hidden)]
pub fn print(text: fmt::Arguments<'_>) {
    if leader().is_some() {
        show(Output::Text(bounded(text)));
    } else {
        std::print!("{text}");
    }
}

/// The same for what would go to standard error.
#[doc(hidden)]
pub fn eprint(text: fmt::Arguments<'_>) {
    if leader().is_some() {
        show(Output::Text(bounded(text)));
    } else {
        // As `std::eprint!` does, but without a panic when nobody reads it any more.
        let _ = std::io::stderr().write_fmt(text);
    }
}

/// A text, cut where it becomes too large.
fn bounded(text: fmt::Arguments<'_>) -> String {
    let mut bounded = Bounded::counting(MOST);
    // It takes everything; what fails is the `Display` of something in the text, which then has no more to say.
    let _ = fmt::Write::write_fmt(&mut bounded, text);
    bounded.into_text()
}
