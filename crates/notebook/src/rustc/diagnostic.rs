//! rustc's messages, said in terms of the cell: ranges of the user's source instead of the generated file's, types by
//! their last names, nothing about code that the user never wrote. Drawing them is up to the front ends.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::source_map::SourceMap;

/// An error or a warning about a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub level: Level,
    /// rustc's code, such as `E0308`, or the name of a lint.
    pub code: Option<String>,
    /// What is wrong.
    pub message: String,
    /// Where, in bytes of the cell's source; the first primary label is the place.
    pub labels: Vec<Label>,
    /// Further facts.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Vec<String>,
    /// Changes that would mend it.
    pub suggestions: Vec<Suggestion>,
    /// The name that rustc did not find, where that is what is wrong.
    pub undefined: Option<String>,
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The cell cannot run.
    Error,
    /// It can.
    Warning,
}

/// A marked part of the cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The part, in bytes of the cell's source.
    pub range: Range<usize>,
    /// What is to be said of it; may be empty.
    pub text: String,
    /// Whether it is the place of the diagnostic, or only has to do with it.
    pub primary: bool,
}

/// A change that would mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// What it does.
    pub message: String,
    /// The part to replace, in bytes of the cell's source.
    pub range: Range<usize>,
    /// What to put there.
    pub replacement: String,
}

impl Diagnostic {
    /// An error about one part of the cell.
    pub fn error(message: impl Into<String>, range: Range<usize>) -> Self {
        Self {
            level: Level::Error,
            code: None,
            message: message.into(),
            labels: vec![Label { range, text: String::new(), primary: true }],
            notes: Vec::new(),
            help: Vec::new(),
            suggestions: Vec::new(),
            undefined: None,
        }
    }

    /// The place of the diagnostic.
    pub fn primary(&self) -> Option<&Label> {
        self.labels.iter().find(|label| label.primary)
    }
}

/// A message as rustc's `--error-format=json` writes it.
#[derive(Clone, Debug, Deserialize)]
pub struct Message {
    /// `error`, `warning`, `note`, `help`, …
    pub level: String,
    /// The text.
    pub message: String,
    /// The code.
    pub code: Option<Code>,
    /// The places.
    #[serde(default)]
    pub spans: Vec<Span>,
    /// Notes and helps.
    #[serde(default)]
    pub children: Vec<Message>,
}

/// The code of a message.
#[derive(Clone, Debug, Deserialize)]
pub struct Code {
    /// Such as `E0308`.
    pub code: String,
}

/// A place of a message.
#[derive(Clone, Debug, Deserialize)]
pub struct Span {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
    is_primary: bool,
    label: Option<String>,
    suggested_replacement: Option<String>,
    expansion: Option<Box<Expansion>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Expansion {
    span: Span,
}

impl Span {
    /// The range in the generated file; for code from a macro, that of the macro's call.
    pub fn range_in(&self, file: &str) -> Option<Range<usize>> {
        let mut span = self;
        while span.file_name != file {
            span = &span.expansion.as_deref()?.span;
        }
        Some(span.byte_start..span.byte_end)
    }

    /// Whether it is a place of the error itself.
    pub fn is_primary(&self) -> bool {
        self.is_primary
    }
}

impl Message {
    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.level.starts_with("error")
    }

    /// Whether it has this code.
    pub fn has_code(&self, code: &str) -> bool {
        self.code.as_ref().is_some_and(|own| own.code == code)
    }

    /// Whether it is about a name that was not found.
    pub fn is_unresolved(&self) -> bool {
        self.code.as_ref().is_some_and(|code| UNRESOLVED.contains(&code.code.as_str()))
    }

    /// The notes below this message that name a place, and the message itself.
    fn with_notes(&self) -> impl Iterator<Item = &Message> {
        std::iter::once(self).chain(&self.children)
    }
}

/// Parses what rustc wrote to stderr: messages, and the rest.
pub fn parse(stderr: &str) -> (Vec<Message>, String) {
    let mut messages = Vec::new();
    let mut noise = String::new();
    for line in stderr.lines() {
        match serde_json::from_str::<Message>(line) {
            Ok(message) => messages.push(message),
            Err(_) if line.starts_with('{') => {}
            Err(_) => {
                noise.push_str(line);
                noise.push('\n');
            }
        }
    }
    (messages, noise)
}

/// Says a message in terms of the cell. `None` for rustc's own summaries.
pub fn translate(message: &Message, file: &str, map: &SourceMap) -> Option<Diagnostic> {
    let level = match message.level.as_str() {
        level if level.starts_with("error") => Level::Error,
        "warning" => Level::Warning,
        _ => return None,
    };
    if message.spans.is_empty() && message.code.is_none() && message.children.is_empty() {
        return None;
    }
    let code = message.code.as_ref().map(|code| code.code.clone());
    let mut diagnostic = Diagnostic {
        level,
        message: shorten(&message.message),
        labels: labels(message, file, map),
        notes: Vec::new(),
        help: Vec::new(),
        suggestions: Vec::new(),
        undefined: undefined(message),
        code,
    };
    for child in &message.children {
        add_child(&mut diagnostic, child, file, map);
    }
    // What is wrong in generated code, at the place that the notes name in the user's.
    if diagnostic.primary().is_none() {
        if diagnostic.labels.is_empty() {
            diagnostic.labels = message.children.iter().flat_map(|child| labels(child, file, map)).collect();
        }
        if let Some(first) = diagnostic.labels.first_mut() {
            first.primary = true;
        }
    }
    explain(&mut diagnostic);
    Some(diagnostic)
}

fn labels(message: &Message, file: &str, map: &SourceMap) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    for span in &message.spans {
        let Some(range) = span.range_in(file).and_then(|range| map.to_cell(range)) else {
            continue;
        };
        let text = span.label.as_deref().map(shorten).unwrap_or_default();
        let label = Label { range, text, primary: span.is_primary };
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
}

fn add_child(diagnostic: &mut Diagnostic, child: &Message, file: &str, map: &SourceMap) {
    const NOISE: &[&str] = &[
        "on by default",
        "this error originates in the macro",
        "this warning originates in the macro",
        "the full ",
        "consider using `--verbose`",
        "required for the cast from",
        "the lint level is defined here",
        "for more information see",
        "for more details about",
        "to the crate attributes to enable",
        "this compiler was built on",
        "impl doesn't have any local type",
        "define and implement a trait or new type",
        "consider defining a trait and implementing",
    ];
    if NOISE.iter().any(|noise| child.message.contains(noise)) {
        return;
    }
    let text = shorten(&child.message);
    let replacements: Vec<_> = child.spans.iter().filter(|span| span.suggested_replacement.is_some()).collect();
    for span in &replacements {
        let replacement = span.suggested_replacement.clone().unwrap_or_default();
        match span.range_in(file).and_then(|range| map.to_cell(range)) {
            Some(range) => diagnostic.suggestions.push(Suggestion { message: text.clone(), range, replacement }),
            // A `use` that rustc would put above the generated code: it may stand anywhere in the cell.
            None if replacement.trim_start().starts_with("use ") && !replacement.contains("cell_") => {
                diagnostic.help.push(format!("{text}: `{}`", replacement.trim()));
            }
            None => {}
        }
    }
    if !replacements.is_empty() {
        return;
    }
    // A note about a place that is not the user's says nothing to them.
    let places = labels(child, file, map);
    let is_about_generated_code = places.is_empty() && child.spans.iter().any(|span| span.range_in(file).is_some());
    if is_about_generated_code {
        return;
    }
    for label in places {
        let text = if label.text.is_empty() { text.clone() } else { label.text };
        diagnostic.labels.push(Label { text, primary: false, ..label });
    }
    if let Some(name) = text.strip_prefix("you might be missing a crate named ") {
        let name = name.trim_matches('`');
        diagnostic.help.push(format!(
            "if `{name}` is a crate, name it in the setup cell: `{name} = \"…\"` below `[dependencies]`"
        ));
        return;
    }
    if child.spans.is_empty() {
        let list = if child.level == "help" { &mut diagnostic.help } else { &mut diagnostic.notes };
        list.push(text);
    }
}

/// The codes of names that rustc did not find.
const UNRESOLVED: [&str; 9] = ["E0425", "E0412", "E0433", "E0432", "E0405", "E0422", "E0423", "E0531", "E0574"];

/// The name that rustc did not find.
fn undefined(message: &Message) -> Option<String> {
    let is_unknown = message.is_unresolved()
        || message.message.starts_with("cannot find macro")
        || message.message.starts_with("cannot find derive macro");
    if !is_unknown {
        return None;
    }
    let name = message.message.split('`').nth(1)?;
    name.split("::").next().map(str::to_owned)
}

/// Adds what rustc cannot know: that the code is a cell.
fn explain(diagnostic: &mut Diagnostic) {
    let code = diagnostic.code.as_deref().unwrap_or_default();
    if ["E0116", "E0117", "E0118", "E0210", "E0390"].contains(&code) {
        diagnostic.help.push(
            "every cell is a crate: write the `impl` in the cell that defines the type (or the trait)".to_owned(),
        );
    }
    if code == "E0658" {
        diagnostic.help.push("cells are stable Rust: unstable features are not available in them".to_owned());
    }
    if diagnostic.message.starts_with("future cannot be sent between threads safely") {
        let held = diagnostic.labels.iter().find_map(|label| label.text.split_once("has type `")?.1.split('`').next());
        let waits = diagnostic.labels.iter().any(|label| label.text.contains("await occurs here"));
        if let Some(ty) = held {
            diagnostic.message = match waits {
                true => format!("`{ty}` cannot be held across an `.await`: it is not `Send`"),
                false => format!("`{ty}` cannot go to another process: it is not `Send`"),
            };
        }
        for label in &mut diagnostic.labels {
            label.primary = label.text.contains("has type `");
        }
        diagnostic.notes.clear();
        diagnostic.help.clear();
        if waits {
            let note = "a cell is a process, which may go on on another thread after an `.await`";
            diagnostic.notes.push(note.to_owned());
        }
        let first = if waits { "let it go before the `.await` (in a block of its own), or use" } else { "use" };
        diagnostic.help.push(format!("{first} a type that is `Send`, such as `Arc` instead of `Rc`"));
    }
    if diagnostic.message.starts_with("`?` couldn't convert the error") {
        diagnostic.help.push(
            "in a cell `?` takes every type that implements `std::error::Error + Send + Sync`; a boxed error does not: \
             use `.unwrap()`, or `.map_err(std::io::Error::other)?`"
                .to_owned(),
        );
    }
}

/// Names in backticks without the path that leads to them: `std::vec::Vec<i32>` is `Vec<i32>`.
pub fn shorten(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, part) in text.split('`').enumerate() {
        if index > 0 {
            out.push('`');
        }
        if index % 2 == 1 { out.push_str(&shorten_paths(part)) } else { out.push_str(part) }
    }
    out
}

fn shorten_paths(code: &str) -> String {
    const ROOTS: &[&str] = &["std", "core", "alloc", "greenroom", "greenroom_stage", "greenroom_prelude"];
    let code = &code.replace("{integer}", "i32").replace("{float}", "f64");
    let mut out = String::with_capacity(code.len());
    let mut rest = code.as_str();
    while !rest.is_empty() {
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let word = &rest[..length];
        let is_root = !out.ends_with(':') && (ROOTS.contains(&word) || word.starts_with("cell_"));
        if is_root && rest[length..].starts_with("::") && !rest[length..].starts_with("::<") {
            let path = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
            let last = rest[..path].trim_end_matches(':').rfind("::").map_or(0, |at| at + 2);
            out.push_str(&rest[last..path]);
            rest = &rest[path..];
        } else {
            let next = rest[length..].chars().next().map_or(0, char::len_utf8);
            out.push_str(&rest[..length + next]);
            rest = &rest[length + next..];
        }
    }
    out
}

/// The errors of a compilation that have to do with the exports: for each, the exports it touches. `None` when an
/// error has nothing to do with any: then those are the user's to mend, and all that is returned is them.
pub fn blamed<'a>(
    errors: &[&'a Message],
    touched: impl Fn(&Span) -> Option<String>,
) -> Result<Vec<(String, &'a Message)>, Vec<&'a Message>> {
    let mut blamed: Vec<(String, &Message)> = Vec::new();
    let mut own = Vec::new();
    for &message in errors.iter().filter(|message| !message.spans.is_empty()) {
        // A type that is not known is not the export's fault: it only is the first that needs it.
        let unknown_type = ["E0282", "E0283", "E0284"].iter().any(|code| message.has_code(code));
        let names = |primary: bool| {
            let spans = message.with_notes().flat_map(|message| &message.spans);
            spans.filter(move |span| span.is_primary == primary).find_map(&touched)
        };
        // "`y` is moved out here while borrowed; the borrow is used later here": it is the borrow that cannot leave.
        let secondary = message.spans.iter().filter(|span| !span.is_primary).find_map(&touched);
        match secondary.or_else(|| names(true)).or_else(|| names(false)).filter(|_| !unknown_type) {
            Some(name) => blamed.push((name, message)),
            None => own.push(message),
        }
    }
    if own.is_empty() && !blamed.is_empty() { Ok(blamed) } else { Err(own) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_backticks_lose_what_leads_to_them() {
        assert_eq!(
            shorten(
                "expected `std::vec::Vec<cell_0a::Point>`, found std::x and `tokio::sync::Mutex<core::time::Duration>`"
            ),
            "expected `Vec<Point>`, found std::x and `tokio::sync::Mutex<Duration>`"
        );
        assert_eq!(shorten("`Vec::<i32>::new` and `std::mem::swap`"), "`Vec::<i32>::new` and `swap`");
    }
}
