//! Notebooks that an earlier program has left unsaved: saying so at the start, and going on with one of them.

use std::time::Duration;

use super::Repl;
use crate::aside::{Left, left_by_user};
use crate::document;

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
                let list: String = (1..).zip(several).map(line).collect();
                return self.tell(&format!("{list}`:recover 1` brings the first one back"));
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
        if !self.may_leave() {
            return;
        }
        // Another program may have been quicker: then this is a copy, which is saved aside on its own.
        if self.replace(&opened.notebook, None)
            && let Err(why) = self.at().recover(&chosen.path)
        {
            self.tell(&format!("warning: {why}"));
        }
        self.follow();
        self.tell(&format!(
            "{}: {} cells; `:run all` evaluates them, `:save FILE` saves them",
            opened.notebook.name,
            opened.notebook.code_cells().count()
        ));
    }
}

/// What somebody may know a notebook by.
fn described(left: &Left) -> String {
    let cells = if left.cells == 1 { "1 cell".to_owned() } else { format!("{} cells", left.cells) };
    format!("“{}” ({cells}, {})", left.name, ago(left.age))
}

fn ago(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    let (count, unit) = match minutes {
        0 => return "a moment ago".to_owned(),
        1..60 => (minutes, "minute"),
        60..1440 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_the_unit_that_suits_it() {
        let told = [5, 60, 3599, 3600, 86_399, 86_400, 200_000].map(|age| ago(Duration::from_secs(age)));
        let expected =
            ["a moment ago", "1 minute ago", "59 minutes ago", "1 hour ago", "23 hours ago", "1 day ago", "2 days ago"];
        assert_eq!(told, expected);
    }
}
