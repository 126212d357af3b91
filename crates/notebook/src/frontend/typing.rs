//! The line editor's helper: what rustyline asks while somebody types, answered by `syntax`, `complete` and `paint`.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use console::Style;
use rustyline::completion::{Candidate, Completer};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter, HistoryHinter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{
    Cmd, CompletionType, ConditionalEventHandler, Config, Context, Event, EventContext, EventHandler, Helper, KeyCode,
    KeyEvent, Modifiers, RepeatCount,
};

use super::complete::{self, After, Candidate as Possible, Known, complete};
use super::look::Look;
use super::members::Members;
use super::paint;
use super::screen::Screen;
use super::syntax::{Completeness, INDENT, completeness, indentation};
use super::window::{height, visible};

/// The most inputs that are remembered.
const REMEMBERED: usize = 10_000;

/// What rustyline asks.
pub(super) struct Typing {
    pub(super) known: Shared<Known>,
    pub(super) screen: Screen,
    pub(super) look: Look,
    /// Hears every text while it is typed.
    pub(super) heard: Box<dyn Fn(&str) + Send>,
    /// Knows what could follow a `.`.
    pub(super) members: Members,
    /// Why that was not known, as it was said last.
    pub(super) excuse: RefCell<String>,
    pub(super) is_final: Cell<bool>,
}

/// Something that the editor's thread and others use in turn, each for moments.
#[derive(Debug, Default)]
pub(super) struct Shared<T>(Arc<Mutex<T>>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Shared(self.0.clone())
    }
}

impl<T> Shared<T> {
    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the editor is set up.
pub(super) fn config() -> Config {
    let builder = Config::builder()
        .max_history_size(REMEMBERED)
        .and_then(|builder| builder.history_ignore_dups(true))
        .unwrap_or_else(|_| Config::builder());
    builder
        .history_ignore_space(true)
        .auto_add_history(false)
        .completion_type(CompletionType::List)
        .completion_prompt_limit(200)
        .bracketed_paste(true)
        // Also where there are no colours: it is how the screen learns that the editor has drawn itself.
        .color_mode(rustyline::ColorMode::Forced)
        .tab_stop(INDENT as u8)
        .indent_size(INDENT as u8)
        .build()
}

/// The keys that mean something else here, and what they do.
pub(super) fn keys() -> [(KeyEvent, EventHandler); 2] {
    let handler = |handler: Box<dyn ConditionalEventHandler>| EventHandler::Conditional(handler);
    [
        (KeyEvent(KeyCode::Enter, Modifiers::NONE), handler(Box::new(Enter))),
        (KeyEvent(KeyCode::Enter, Modifiers::ALT), handler(Box::new(NewLine))),
    ]
}

/// Enter: evaluates what is complete; else begins the next line, as far in as it belongs.
struct Enter;

/// Alt-Enter: begins the next line, whatever there is.
struct NewLine;

impl ConditionalEventHandler for Enter {
    fn handle(&self, event: &Event, count: RepeatCount, positive: bool, context: &EventContext<'_>) -> Option<Cmd> {
        match is_complete(context.line()) {
            true => None,
            false => NewLine.handle(event, count, positive, context),
        }
    }
}

impl ConditionalEventHandler for NewLine {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        let before = &context.line()[..context.pos()];
        Some(Cmd::Insert(1, format!("\n{}", " ".repeat(indentation(before)))))
    }
}

/// Whether Enter evaluates this. A command is one line.
fn is_complete(text: &str) -> bool {
    super::commands::is_command(text) || completeness(text) == Completeness::Complete
}

/// A candidate as the editor shows it.
pub(super) struct Shown {
    display: String,
    text: String,
}

impl Candidate for Shown {
    fn display(&self) -> &str {
        &self.display
    }

    fn replacement(&self) -> &str {
        &self.text
    }
}

/// What is remarked on the text, or how it went on the last time.
pub(super) struct Remark {
    text: String,
    can_be_taken: bool,
}

impl Hint for Remark {
    fn display(&self) -> &str {
        &self.text
    }

    fn completion(&self) -> Option<&str> {
        self.can_be_taken.then_some(&self.text)
    }
}

impl Helper for Typing {}

impl Completer for Typing {
    type Candidate = Shown;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Shown>)> {
        // An empty line is moved in by Tab.
        let before = &line[..pos];
        let begins = before[before.rfind('\n').map_or(0, |at| at + 1)..].trim().is_empty();
        if begins && !before.is_empty() {
            return Ok((pos, vec![Shown { display: String::new(), text: " ".repeat(INDENT) }]));
        }
        let (start, found) = match complete::member_at(line, pos) {
            Some((start, after)) => (start, self.members_at(&after, &line[start..pos], &line[pos..])),
            None => complete(&self.known.lock(), line, pos),
        };
        if found.len() > 1 {
            let texts: Vec<&str> = found.iter().map(|candidate| candidate.text.as_str()).collect();
            self.screen.list(common(&texts) > pos - start);
        }
        let widest = found.iter().map(|candidate| candidate.text.len()).max().unwrap_or(0);
        let room = self.look.width.saturating_sub(widest + 4).max(10);
        let shown = found.into_iter().map(|candidate| {
            let about = console::truncate_str(&candidate.about, room, "…");
            let display = match about.is_empty() {
                true => candidate.text.clone(),
                false => format!("{:widest$}  {about}", candidate.text),
            };
            Shown { display, text: candidate.text }
        });
        Ok((start, shown.collect()))
    }
}

impl Typing {
    /// The members that fit; or none, and it is said why.
    fn members_at(&self, after: &After, typed: &str, rest: &str) -> Vec<Possible> {
        let excuse = match self.members.wait(after) {
            Some(Ok(members)) => {
                self.excuse.borrow_mut().clear();
                return complete::members(&members, typed, rest);
            }
            Some(Err(why)) => why.to_string(),
            None => "rust-analyzer is still reading what cells stand on: press Tab again in a moment".to_owned(),
        };
        if *self.excuse.borrow() != excuse {
            self.screen.say(&format!("{}\n", self.look.paint(Style::new().dim(), &excuse)));
            *self.excuse.borrow_mut() = excuse;
        }
        Vec::new()
    }
}

/// How many bytes texts have in common at their beginnings.
fn common(texts: &[&str]) -> usize {
    let Some((first, others)) = texts.split_first() else { return 0 };
    let same = |other: &&str| first.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    others.iter().map(same).min().unwrap_or(first.len())
}

impl Hinter for Typing {
    type Hint = Remark;

    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<Remark> {
        if pos < line.len() || line.is_empty() {
            return None;
        }
        let before = HistoryHinter::new().hint(line, pos, context).filter(|rest| !rest.contains('\n'));
        match complete::remark(&self.known.lock(), line) {
            Some(text) => Some(Remark { text, can_be_taken: false }),
            None => before.map(|text| Remark { text, can_be_taken: true }),
        }
    }
}

impl Highlighter for Typing {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        let (columns, rows) = crossterm::terminal::size().unwrap_or((80, 24));
        self.screen.drawn(line, height(line, usize::from(columns)).min(usize::from(rows)));
        (self.heard)(line);
        if self.members.is_used()
            && let Some((_, after)) = complete::member_at(line, pos)
        {
            self.members.hear(after);
        }
        if super::commands::is_command(line) {
            return Cow::Owned(
                self.look.paint(Style::new().cyan(), &super::secrets::masked(line, &self.known.lock().asked)),
            );
        }
        let cursor = (!self.is_final.get()).then_some(pos);
        let Some(part) = visible(line, pos, usize::from(rows), usize::from(columns)) else {
            return Cow::Owned(paint::source(line, cursor, self.look));
        };
        let cursor = cursor.and_then(|cursor| cursor.checked_sub(part.start)).filter(|cursor| *cursor <= part.len());
        // The prompt stands before the first line only.
        let begin = if part.start > 0 { "\r\u{1b}[K" } else { "" };
        Cow::Owned(format!("{begin}{}", paint::source(&line[part], cursor, self.look)))
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, default: bool) -> Cow<'b, str> {
        // The editor has just taken itself away: whatever stands above it can be changed now.
        let above = self.screen.above(self.is_final.get());
        match default {
            true => {
                let prompt = renumbered(prompt, self.known.lock().next);
                Cow::Owned(above + &self.look.paint(Style::new().cyan().bold(), &prompt))
            }
            false => Cow::Owned(above + prompt),
        }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(self.look.paint(Style::new().dim(), hint))
    }

    fn highlight_candidate<'c>(&self, candidate: &'c str, _: CompletionType) -> Cow<'c, str> {
        match candidate.split_once("  ") {
            Some((text, about)) => Cow::Owned(format!("{text}  {}", self.look.paint(Style::new().dim(), about))),
            None => Cow::Borrowed(candidate),
        }
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        self.is_final.set(kind == CmdKind::ForcedRefresh);
        true
    }
}

/// A prompt such as `[9]› ` with the number that the next cell has by now: somebody else may have added some. It stays as
/// wide as it was, since the editor has measured it.
fn renumbered(prompt: &str, next: usize) -> Cow<'_, str> {
    let number = prompt.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let Some((_, sign)) = number.filter(|(number, _)| number.parse().is_ok_and(|number: usize| number < next)) else {
        return Cow::Borrowed(prompt);
    };
    let width = prompt.chars().count();
    let mut new = format!("[{next}]{sign}");
    while new.chars().count() > width && new.ends_with(' ') {
        new.pop();
    }
    if new.chars().count() == width { Cow::Owned(new) } else { Cow::Borrowed(prompt) }
}

impl Validator for Typing {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match is_complete(context.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_has_the_number_of_the_next_cell_and_its_width() {
        assert_eq!(renumbered("[3]› ", 3), "[3]› ");
        assert_eq!(renumbered("[3]› ", 5), "[5]› ");
        assert_eq!(renumbered("[9]⑂ ", 10), "[10]⑂");
        assert_eq!(renumbered("[9]› ", 100), "[9]› ");
        assert_eq!(renumbered("cell 3: ", 5), "cell 3: ");
    }
}
