//! Colour for text in a terminal: laid over what was drawn without, so that both say the same.
//!
//! The text holds no control characters (see `words`), so that the only ones are those added here.

/// What is coloured where it stands as a word of its own, and how.
const WORDS: &[(&str, &str)] = &[
    ("CALL:", "1;34"),
    ("REPLY", "1;36"),
    ("CAST:", "1;35"),
    ("SPAWN", "1;32"),
    ("RESTART:", "1;33"),
    ("EXIT:", "1;31"),
    ("DOWN:", "1;31"),
    ("INFO:", "2"),
    ("LINK", "2"),
    ("MONITOR", "2"),
    ("TIMER:", "2"),
    ("TIMEOUT:", "33"),
    ("restarting", "1;31"),
    ("restarted", "33"),
    ("✕", "1;31"),
    ("×", "1;33"),
];

/// A picture in text with its line art dimmed and its key words coloured, for a terminal.
///
/// ```
/// assert_eq!(greenroom_tracing_viz::coloured("CALL: x"), "\u{1b}[1;34mCALL:\u{1b}[0m x");
/// ```
pub fn coloured(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let word = WORDS.iter().find(|(word, _)| !before.is_alphanumeric() && rest.starts_with(word));
        let (end, style) = match word {
            Some((word, style)) => (word.len(), Some(*style)),
            None if is_art(c) => (rest.find(|c| !is_art(c)).unwrap_or(rest.len()), Some("2")),
            None => (c.len_utf8(), None),
        };
        let (part, after) = rest.split_at(end);
        match style {
            Some(style) => out += &format!("\u{1b}[{style}m{part}\u{1b}[0m"),
            None => out += part,
        }
        before = part.chars().next_back().unwrap_or(' ');
        rest = after;
    }
    out
}

/// Whether this is a character that boxes and lines are drawn with.
fn is_art(c: char) -> bool {
    ('\u{2500}'..='\u{257f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_are_coloured() {
        assert_eq!(coloured("CALL: x"), "\u{1b}[1;34mCALL:\u{1b}[0m x");
        assert_eq!(coloured("RECALL: x"), "RECALL: x");
        assert_eq!(coloured("├─ a"), "\u{1b}[2m├─\u{1b}[0m a");
    }
}
