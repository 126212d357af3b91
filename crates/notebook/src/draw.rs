//! Draws what is wrong with a cell on the cell's own source.
//!
//! Owns the picture. What is wrong, and where, comes from the compiler and the runtime.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level as Title, Origin, Patch, Renderer, Snippet};

pub use crate::rustc::diagnostic::{Label, Suggestion};

/// A cell's source, and where it comes from.
#[derive(Clone, Copy, Debug)]
pub struct CellSource<'a> {
    /// What the cell is called, such as `cell 3`.
    pub label: &'a str,
    /// The file that it stands in.
    pub file: Option<&'a str>,
    /// The line of that file on which the source starts, from 1.
    pub first_line_in_file: usize,
    /// The source.
    pub text: &'a str,
}

/// Something to draw on a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// How bad it is.
    pub level: Level,
    /// The compiler's code for it, such as `E0308`.
    pub code: Option<String>,
    /// What it is.
    pub message: String,
    /// The places in the source that it is about. Without one it is about the cell as a whole.
    pub labels: Vec<Label>,
    /// What else is to be known.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Vec<String>,
    /// Changes to the source that would mend it.
    pub suggestions: Vec<Suggestion>,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The cell fails.
    Error,
    /// The cell works, but not as meant, perhaps.
    Warning,
    /// Good to know.
    Note,
    /// What to do.
    Help,
}

/// Whether a drawing carries colours, as ANSI escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Characters only.
    Plain,
    /// With colours.
    Coloured,
}

impl Drawing {
    /// An error about the cell as a whole: an abort, a lost runtime, a loop that was ended.
    pub fn error(message: impl Into<String>) -> Self {
        Drawing {
            level: Level::Error,
            code: None,
            message: message.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
            suggestions: Vec::new(),
        }
    }

    /// A panic at a line and a column of the cell, both from 1, the column in characters.
    pub fn panic(source: &CellSource<'_>, message: &str, line: usize, column: usize) -> Self {
        let mut drawing = Drawing::error(format!("the cell panicked: {message}"));
        drawing.labels.extend(panicking(source.text, line, column));
        drawing
    }

    /// Adds something that is to be known.
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds something to do.
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

/// Draws `drawing` on the source of its cell, without a line break at the end. What of a long line does not fit into
/// so many columns is left out around its marks.
///
/// Ranges that lie outside the source are moved into it.
pub fn draw(source: &CellSource<'_>, drawing: &Drawing, style: Style, columns: usize) -> String {
    let labels: Vec<_> = drawing.labels.iter().map(|label| (clamp(source.text, &label.range), label)).collect();
    let marked = labels.iter().find(|(_, label)| label.primary).or(labels.first());
    let place = marked.map(|(range, _)| range.start);

    let title = level(drawing.level).primary_title(drawing.message.as_str());
    let title = match &drawing.code {
        Some(code) => title.id(code.as_str()),
        None => title,
    };
    let mut group = Group::with_title(title);
    group = match labels.is_empty() {
        true => group.element(Origin::path(location(source, None))),
        false => group.element(
            Snippet::source(source.text)
                .path(source.label)
                .annotations(labels.iter().map(|(range, label)| annotation(range, label))),
        ),
    };
    for note in &drawing.notes {
        group = group.element(Title::NOTE.message(note.as_str()));
    }
    for help in &drawing.help {
        group = group.element(Title::HELP.message(help.as_str()));
    }
    let mut groups = vec![group];
    for parts in drawing.suggestions.chunk_by(is_one_change) {
        let patches = parts.iter().map(|part| Patch::new(clamp(source.text, &part.range), part.replacement.as_str()));
        groups.push(
            Group::with_title(Title::HELP.secondary_title(parts[0].message.as_str()))
                .element(Snippet::source(source.text).patches(patches)),
        );
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(columns);
    with_location(&renderer.render(&groups), source, place)
}

/// Whether a suggestion goes on with the one before it: what has one name and comes later in the source is one change in
/// several places.
fn is_one_change(before: &Suggestion, after: &Suggestion) -> bool {
    before.message == after.message && before.range.end <= after.range.start && before.range != after.range
}

/// Completes the line that says where it is: the renderer knows of one place, we have two.
fn with_location(drawn: &str, source: &CellSource<'_>, place: Option<usize>) -> String {
    let mut located = String::with_capacity(drawn.len() + 32);
    let mut is_open = true;
    for line in drawn.split_inclusive('\n') {
        let is_place = is_open && line.contains("-->") && line.contains(source.label);
        match (is_place, place) {
            (true, Some(place)) => {
                let line = line.trim_end();
                let at = line.rfind(source.label).unwrap_or(line.len());
                let path = line[at..].strip_prefix(source.label).unwrap_or("");
                let after = path.trim_start_matches(|char: char| char == ':' || char.is_ascii_digit());
                located.push_str(&line[..at]);
                located.push_str(&location(source, Some(place)));
                located.push_str(after);
                located.push('\n');
            }
            (true, None) => {
                located.push(' ');
                located.push_str(line);
            }
            (false, _) => located.push_str(line),
        }
        is_open &= !is_place;
    }
    located.truncate(located.trim_end().len());
    located
}

/// Where something is: `cell 3:2:5 (notes.livemd:47)`, or without a place in the cell the cell itself.
pub fn location(source: &CellSource<'_>, offset: Option<usize>) -> String {
    let (line, column) = offset.map_or((1, 1), |offset| line_and_column(source.text, offset));
    let in_cell = match offset {
        Some(_) => format!("{}:{line}:{column}", source.label),
        None => source.label.to_owned(),
    };
    match source.file {
        Some(file) => format!("{in_cell} ({file}:{})", source.first_line_in_file + line - 1),
        None => in_cell,
    }
}

fn level(level: Level) -> Title<'static> {
    match level {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
        Level::Note => Title::NOTE,
        Level::Help => Title::HELP,
    }
}

fn annotation<'a>(range: &Range<usize>, label: &'a Label) -> Annotation<'a> {
    let kind = match label.primary {
        true => AnnotationKind::Primary,
        false => AnnotationKind::Context,
    };
    let annotation = kind.span(range.clone());
    match label.text.is_empty() {
        true => annotation,
        false => annotation.label(label.text.as_str()),
    }
}

/// The label from where a panic began to the end of its line.
fn panicking(text: &str, line: usize, column: usize) -> Option<Label> {
    let (start, line) = lines_with_offsets(text).nth(line.checked_sub(1)?)?;
    let skipped: usize = line.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
    let code = line.trim_end();
    let from = match skipped < code.len() {
        true => skipped,
        false => line.len() - line.trim_start().len(),
    };
    Some(Label { range: start + from..start + code.len().max(from), text: "here".to_owned(), primary: true })
}

fn lines_with_offsets(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |offset, line| {
        let start = *offset;
        *offset += line.len();
        Some((start, line))
    })
}

/// The line and the column of an offset, both from 1, the column in characters.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let above = &text[..floor(text, offset)];
    let start = above.rfind('\n').map_or(0, |at| at + 1);
    (above.matches('\n').count() + 1, above[start..].chars().count() + 1)
}

/// A range that lies in the text and cuts no character.
fn clamp(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = floor(text, range.start);
    let end = floor(text, range.end);
    start..end.max(start)
}

fn floor(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset)
}
