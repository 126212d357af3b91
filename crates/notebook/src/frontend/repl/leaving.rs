//! How a person comes to a prompt and leaves it: what is said first, what would be lost, and for whom.

use console::Style;

use super::Repl;
use super::place::Place;
use crate::frontend::said_of;
use crate::frontend::view::Manner;
use crate::session::End;

/// The most cells that are listed where nobody has asked for it.
const LISTED: usize = 20;

impl Repl {
    /// Says what this is, and what was left unsaved.
    pub(super) fn greet(&mut self) {
        if self.view.manner == Manner::Piped {
            return;
        }
        let said = match &self.at {
            Place::Own(_) if self.view.manner == Manner::Heard => None,
            Place::Own(_) => Some(format!("greenroom {} · :help for help, Ctrl-D to leave", env!("CARGO_PKG_VERSION"))),
            Place::Joined(_, session) => Some(format!("joined {session} · :help for help, Ctrl-D to leave it open")),
        };
        if let Some(said) = said {
            self.tell(&self.view.look.paint(Style::new().dim(), &said));
        }
        let count = self.seen.lock().count;
        match (&self.at, count) {
            (Place::Own(_), _) => self.offer_left(),
            (Place::Joined(..), 0) => {}
            (Place::Joined(..), 1..=LISTED) => self.list(),
            (Place::Joined(..), _) => self.tell(&format!("{count} cells: `:cells` lists them")),
        }
    }

    /// Whether the person may leave now: nothing is lost, nobody else loses it, or they were told.
    /// What they do once more to leave all the same is `again`.
    pub(super) fn may_leave(&mut self, again: &str) -> bool {
        let (is_dirty, count, others) = {
            let state = self.seen.lock();
            (state.is_dirty && state.count > 0, state.count, state.others.clone())
        };
        let is_joined = matches!(self.at, Place::Joined(..));
        let nothing_is_lost = !is_dirty && others.is_empty();
        if is_joined || nothing_is_lost || self.view.manner == Manner::Piped || self.asked_to_leave {
            return true;
        }
        self.asked_to_leave = true;
        let what = if count == 1 { "1 cell is not saved".to_owned() } else { format!("{count} cells are not saved") };
        self.tell(&match (is_dirty, others.as_slice()) {
            (true, []) => format!("{what}: `:save FILE` saves them, {again} once more leaves without"),
            (false, others) => {
                format!("this closes the notebook for {}, too: {again} once more closes it", listed(others))
            }
            (true, others) => format!(
                "this closes the notebook for {}, too, and {what}: `:save FILE` saves them, {again} once more leaves \
                 without",
                listed(others)
            ),
        });
        false
    }

    /// The notebook has ended that was joined.
    pub(super) fn ended(&mut self, end: &End) {
        let said = said_of(end);
        match end {
            End::Closed => self.tell(&said),
            End::Lost(_) => self.complain(&said),
        }
    }
}

/// Some names, as they stand in a sentence.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [several @ .., last] => format!("{} and {last}", several.join(", ")),
    }
}
