//! What of a long input is drawn while it is edited: as much as the screen holds. The editor draws its whole text anew at
//! each key; what does not fit would only scroll by.

use std::ops::Range;

use console::measure_text_width;

/// Room for the prompt before the first line.
const PROMPT: usize = 12;

/// How many rows a text takes behind its prompt, as far as it is drawn at all.
pub(super) fn height(text: &str, columns: usize) -> usize {
    text.split('\n').map(|line| (measure_text_width(line) + PROMPT) / columns.max(1) + 1).sum()
}

/// The lines of a text that are drawn, with the cursor in them; nothing if all fit. They reach to the end of the text if
/// the cursor is near enough, and else begin with its line: the editor counts the lines from the end up to the
/// cursor, and the first one of the screen is where such a count ends that is too long.
pub(super) fn visible(text: &str, cursor: usize, rows: usize, columns: usize) -> Option<Range<usize>> {
    let height = |line: Range<usize>| {
        let prompt = if line.start == 0 { PROMPT } else { 0 };
        (measure_text_width(&text[line]) + prompt) / columns.max(1) + 1
    };
    let line_start = |before: usize| text[..before].rfind('\n').map_or(0, |at| at + 1);
    let line_end = |from: usize| text[from..].find('\n').map_or(text.len(), |at| from + at);
    let mut first = line_start(text.len());
    let mut used = height(first..text.len());
    while first > 0 {
        let above = line_start(first - 1);
        used += height(above..first - 1);
        if used > rows {
            break;
        }
        first = above;
    }
    if first == 0 && used <= rows {
        return None;
    }
    if cursor >= first {
        return Some(first..text.len());
    }
    let start = line_start(cursor);
    let mut end = line_end(start);
    let mut used = height(start..end);
    while end < text.len() {
        let below = line_end(end + 1);
        used += height(end + 1..below);
        if used > rows {
            break;
        }
        end = below;
    }
    Some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, cursor: usize, rows: usize) -> Option<&str> {
        visible(text, cursor, rows, 20).map(|range| &text[range])
    }

    #[test]
    fn what_fits_is_drawn_as_it_is() {
        assert_eq!(shown("", 0, 4), None);
        assert_eq!(shown("a\nb\nc\nd", 7, 4), None);
        assert_eq!(shown("one line that is wrapped once", 3, 3), None);
    }

    #[test]
    fn of_what_does_not_fit_the_end_is_drawn_or_what_the_cursor_is_at() {
        let text = "a\nb\nc\nd\ne\nf";
        assert_eq!(shown(text, text.len(), 3), Some("d\ne\nf"));
        assert_eq!(shown(text, 6, 3), Some("d\ne\nf"));
        assert_eq!(shown(text, 4, 3), Some("c\nd\ne"));
        assert_eq!(shown(text, 0, 3), Some("a\nb\nc"));
    }

    #[test]
    fn wrapped_lines_take_several_rows() {
        let text = "a\n0123456789012345678901\nc\nd";
        assert_eq!(shown(text, text.len(), 3), Some("c\nd"));
        assert_eq!(shown(text, 3, 3), Some("0123456789012345678901\nc"));
        let long = "x".repeat(200);
        assert_eq!(shown(&long, 0, 3), Some(long.as_str()));
        assert_eq!(shown(&format!("a\n{long}"), 5, 3), Some(long.as_str()));
    }
}
