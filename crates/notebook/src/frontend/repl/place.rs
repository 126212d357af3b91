//! The notebook that a prompt is at: its own, or one that another terminal has opened and this one has joined. They
//! differ in who says what becomes of it, and in what leaving means.

use std::io;

use nix::sys::termios::tcgetattr;

use crate::announce::Announced;
use crate::frontend::view::Manner;
use crate::live::{Handle, Joined, Live};
use crate::session::data::Data;
use crate::session::operation::Visitor;

/// The notebook that a prompt is at.
pub(super) enum Place {
    Own(Live),
    Joined(Joined, Announced),
}

impl Place {
    pub(super) fn handle(&self) -> &Handle {
        match self {
            Place::Own(live) => live.handle(),
            Place::Joined(joined, _) => joined.handle(),
        }
    }

    /// Leaves it. What was not saved of an own one is gone, as the person has said; if the terminal is, nobody has said
    /// so.
    pub(super) fn leave(self, manner: Manner) {
        match self {
            Place::Own(live) => {
                if manner == Manner::Piped || tcgetattr(io::stdin()).is_ok() {
                    live.handle().discard();
                }
                live.close();
            }
            Place::Joined(joined, _) => drop(joined),
        }
    }

    /// Who is there, for people.
    pub(super) fn visitors(&self, data: &Data) -> String {
        let host = match self {
            Place::Own(_) => std::process::id(),
            Place::Joined(_, session) => session.process,
        };
        let widest = data.clients().values().map(|visitor| visitor.name.chars().count()).max().unwrap_or(0);
        let line = |Visitor { name, process }: &Visitor| {
            let here = (*process == std::process::id()).then_some("this terminal");
            let owner = (*process == host).then_some("has opened it");
            let about: Vec<&str> = here.into_iter().chain(owner).collect();
            format!("{name:widest$}  process {process}  {}", about.join(", ")).trim_end().to_owned()
        };
        data.clients().values().map(line).collect::<Vec<_>>().join("\n")
    }
}
