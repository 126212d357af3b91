//! What Mermaid's two diagrams share: how foreign text is written so that it is only ever text.
//!
//! Mermaid has no quoting that works everywhere. Its entity codes (`#59;` for a semicolon) do, so
//! every character that is not known to be harmless is written as one.

use crate::words;

/// The columns that a name or a message may take up in a diagram.
const LABEL: usize = 40;

/// `text` as a name: of a participant, or on a node of a graph.
pub(crate) fn name(text: &str) -> String {
    escape(&words::cut(&words::one_line(text), LABEL), "")
}

/// `text` as the message on an arrow or in a note, where Mermaid reads on to the end of the line.
pub(crate) fn message(text: &str) -> String {
    escape(&words::cut(&words::one_line(text), LABEL), ":()[]{}!?")
}

/// Text that was written by [`name`] or [`message`], as far as they did not cut it.
pub(crate) fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, code)) = rest.split_once('#') {
        plain.push_str(before);
        let known =
            code.split_once(';').and_then(|(number, after)| Some((char::from_u32(number.parse().ok()?)?, after)));
        match known {
            Some((c, after)) => (plain.push(c), rest = after).1,
            None => (plain.push('#'), rest = code).1,
        }
    }
    words::one_line(&(plain + rest))
}

/// Escapes all but letters, digits, spaces, commas, and the marks in `plain`.
fn escape(text: &str, plain: &str) -> String {
    let mut escaped = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word = rest.find(|c| !is_letter(c)).unwrap_or(rest.len());
        if word > 0 {
            push_word(&rest[..word], &mut escaped);
            rest = &rest[word..];
            continue;
        }
        let after = &rest[c.len_utf8()..];
        let joins = matches!(c, '_' | '-' | '.') && escaped.ends_with(is_letter) && after.starts_with(is_letter);
        if joins || matches!(c, ' ' | ',' | '…' | '×') || plain.contains(c) {
            escaped.push(c);
        } else {
            push_code(c, &mut escaped);
        }
        rest = after;
    }
    escaped
}

/// Whether `c` may stand for itself. Mermaid marks its own placeholders with the ligature.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() && c != 'ﬂ'
}

/// Writes a word, unless it is one that Mermaid looks for in any line.
fn push_word(word: &str, escaped: &mut String) {
    // A line with `style` or `classDef` in it loses the semicolon of its last entity code; `end`
    // closes a block in older releases.
    let marked = ["style", "classDef"].iter().filter_map(|mark| word.find(mark)).min();
    let special = if word.eq_ignore_ascii_case("end") { Some(0) } else { marked };
    let Some(at) = special else {
        escaped.push_str(word);
        return;
    };
    let mut rest = word[at..].chars();
    escaped.push_str(&word[..at]);
    rest.by_ref().take(1).for_each(|c| push_code(c, escaped));
    push_word(rest.as_str(), escaped);
}

fn push_code(c: char, escaped: &mut String) {
    escaped.push_str(&format!("#{};", u32::from(c)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_stay_as_they_are() {
        assert_eq!(name("my-app.cache_2, für alle"), "my-app.cache_2, für alle");
        assert_eq!(message("CALL: Get { key: 1 }"), "CALL: Get { key: 1 }");
    }

    #[test]
    fn what_mermaid_could_misread_is_a_code() {
        assert_eq!(name("a;b#c"), "a#59;b#35;c");
        assert_eq!(name("f() <b>"), "f#40;#41; #60;b#62;");
        assert_eq!(message("%%{init}%%"), "#37;#37;{init}#37;#37;");
        assert_eq!(name("_a_ 1. - x"), "#95;a#95; 1#46; #45; x");
        assert_eq!(name("END Pending"), "#69;ND Pending");
        assert_eq!(name("restyled style classDef"), "re#115;tyled #115;tyle #99;lassDef");
        assert_eq!(name("ﬂ°°59¶ß"), "#64258;#176;#176;59#182;ß");
    }
}
