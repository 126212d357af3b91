//! Notebooks that an earlier program has left unsaved: saying so at the start, and going on with one of them.

use super::Repl;
use crate::aside::{Left, left_by_user};
use crate::document;
use crate::frontend::span;

/// The most notebooks that are listed, and so read.
const LISTED: usize = 20;

impl Repl {
    /// Says in one line whether something was left unsaved.
    pub(super) fn offer_left(&self) {
        match left_by_user().as_slice() {
            [] => {}
            [left] => self.tell(&format!("{} was left unsaved: `:recover` brings it back", described(left))),
            several => {
                let last = described(&several[0]);
                self.tell(&format!(
                    "{} notebooks were left unsaved, the last one {last}: `:recover` lists them",
                    several.len()
                ));
            }
        }
    }

    /// Goes on with a notebook that was left; without a number, with the only one.
    pub(super) fn recover(&mut self, number: Option<usize>) {
        let left = left_by_user();
        let chosen = match (number, left.as_slice()) {
            (_, []) => return self.complain("no notebook was left unsaved"),
            (None, [only]) => only,
            (None, several) => {
                let line = |(number, left): (usize, &Left)| format!("{number:>3}  {}\n", described(left));
                let list: String = (1..).zip(several).take(LISTED).map(line).collect();
                let more = match several.len().saturating_sub(LISTED) {
                    0 => String::new(),
                    more => format!("  …  {more} older ones\n"),
                };
                return self.tell(&format!("{list}{more}`:recover 1` brings the first one back"));
            }
            (Some(number), several) => match number.checked_sub(1).and_then(|at| several.get(at)) {
                Some(chosen) => chosen,
                None => return self.complain(&format!("there is no number {number}: they are 1 to {}", several.len())),
            },
        };
        let opened = match document::read(&chosen.path) {
            Ok(opened) => opened,
            Err(error) => return self.complain(&error.to_string()),
        };
        if !self.may_leave("`:recover`") {
            return;
        }
        if !self.replace(&opened.notebook, None) {
            return;
        }
        // Another program may have been quicker: then this is a copy, which is saved aside on its own.
        if let Err(why) = self.at().recover(&chosen.path) {
            self.tell(&format!("warning: {why}"));
        }
        self.follow();
        self.opened(&opened.notebook, "`:run all` evaluates them, `:save FILE` saves them");
    }
}

/// What somebody may know a notebook by.
fn described(left: &Left) -> String {
    let age = span(left.age);
    match left.read() {
        Some((name, 1)) => format!("“{name}” (1 cell, {age})"),
        Some((name, cells)) => format!("“{name}” ({cells} cells, {age})"),
        None => format!("{} ({age})", left.path.display()),
    }
}
