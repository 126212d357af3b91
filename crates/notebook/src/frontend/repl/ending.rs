//! How a prompt ends though nobody says so at it: by a signal, with its terminal, or with the notebook that it has
//! joined. The terminal is left as it was.

use std::io::{self, IsTerminal, Write};

use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGTERM};
use signal_hook::iterator::Signals;

use super::seen::Seen;
use crate::cli::{EXIT_CELL_FAILED, EXIT_OK};
use crate::frontend::said_of;
use crate::session::End;

/// The terminal as it was before anybody has changed it; absent if there is none.
#[derive(Clone)]
struct Before(Option<Termios>);

impl Before {
    fn look() -> Before {
        Before(tcgetattr(io::stdin()).ok())
    }

    /// A terminal that is gone needs nothing.
    fn restore(&self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, before);
        }
    }
}

/// Ends the program when it is asked to (`SIGTERM`) or its terminal is gone (`SIGHUP`). What was not saved is in the
/// folder for that.
pub(super) fn leave_when_told() {
    let before = Before::look();
    let Ok(mut signals) = Signals::new([SIGTERM, SIGHUP]) else { return };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            before.restore();
            std::process::exit(128 + signal);
        }
    });
}

/// Ends the program when the notebook ends that it has joined, while somebody types. At other times whoever works
/// with the notebook sees to it.
pub(super) fn leave_with(seen: Seen) {
    let before = Before::look();
    std::thread::spawn(move || {
        let end = seen.ended_while_reading();
        if io::stdin().is_terminal() && io::stdout().is_terminal() {
            // Below what is typed, and without the editor's way of pasting.
            let mut out = io::stdout();
            let _ = write!(out, "\u{1b}[J\r\n\u{1b}[?2004l");
            let _ = out.flush();
        }
        before.restore();
        eprintln!("{}", said_of(&end));
        std::process::exit(exit_code(&end).into());
    });
}

fn exit_code(end: &End) -> u8 {
    match end {
        End::Closed => EXIT_OK,
        End::Lost(_) => EXIT_CELL_FAILED,
    }
}
