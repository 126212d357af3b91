//! Colours of source code on a terminal that grows downward. What each part of the source is comes from `syntax`.

use console::Style;

use super::look::Look;
use super::syntax::{Class, classes, pair_at};

/// A text as it was typed, with the colours of its parts, and with the pair of brackets marked that the cursor is at.
/// Without colours it is the same text.
pub(super) fn source(text: &str, cursor: Option<usize>, look: Look) -> String {
    if !look.coloured {
        return text.to_owned();
    }
    let mut marks: Vec<(std::ops::Range<usize>, Style)> =
        classes(text).into_iter().map(|(range, class)| (range, style(class))).collect();
    if let Some((open, close)) = cursor.and_then(|cursor| pair_at(text, cursor)) {
        for at in [open, close] {
            marks.push((at..at + 1, Style::new().bold().underlined()));
        }
        marks.sort_by_key(|(range, _)| range.start);
    }
    let mut painted = String::with_capacity(text.len() * 2);
    let mut done = 0;
    for (range, style) in marks {
        painted.push_str(&text[done..range.start]);
        done = range.end;
        // Escapes do not go over the end of a line: the editor may draw lines one by one.
        for (at, line) in text[range].split('\n').enumerate() {
            if at > 0 {
                painted.push('\n');
            }
            if !line.is_empty() {
                painted.push_str(&look.paint(style.clone(), line));
            }
        }
    }
    painted.push_str(&text[done..]);
    painted
}

fn style(class: Class) -> Style {
    match class {
        Class::Keyword => Style::new().magenta(),
        Class::Type => Style::new().yellow(),
        Class::Function => Style::new().blue(),
        Class::Macro => Style::new().blue().bold(),
        Class::String => Style::new().green(),
        Class::Number => Style::new().cyan(),
        Class::Comment => Style::new().dim(),
        Class::Lifetime => Style::new().red(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLOURED: Look = Look { coloured: true, ..Look::PAGE };

    #[test]
    fn colours_change_no_character() {
        for text in ["let a = \"b\nc\"; // d\n/* e\nf */ f(1)", "r#\"a", "'x", "f(", "", "äöü \"ß\""] {
            assert_eq!(console::strip_ansi_codes(&source(text, Some(text.len()), COLOURED)), text);
            assert_eq!(source(text, None, Look::PAGE), text);
        }
    }

    #[test]
    fn the_pair_of_brackets_at_the_cursor_is_marked() {
        let marked = source("(a)", Some(3), COLOURED);
        assert_eq!(marked.matches("\u{1b}[1m\u{1b}[4m").count(), 2, "{marked:?}");
        assert_eq!(source("(a)", None, COLOURED), "(a)");
    }
}
