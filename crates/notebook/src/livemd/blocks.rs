//! Finds what gives a document its structure: headings, fences and comments at the top level.
//!
//! Everything between those is prose and never looked at, so that it comes through byte for byte. What is plain from
//! its line is found by `scan`, at the speed of reading; the rest is for `markdown`, a whole parser. Both find the same.
//! What the blocks mean is for `import`.

use std::borrow::Cow;
use std::ops::Range;

use super::markdown::markdown;
use super::scan::{Piece, Scan};

/// A block that gives structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block<'a> {
    /// Where it stands in the text, whole lines, the last line break included if there is one.
    pub range: Range<usize>,
    pub kind: BlockKind<'a>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BlockKind<'a> {
    Heading {
        /// From 1 to 6.
        level: u8,
        text: String,
    },
    Fence {
        info: &'a str,
        /// Without the line break that ends it.
        source: Cow<'a, str>,
        closed: bool,
    },
    /// An HTML comment that has its lines for itself, without its marks.
    Comment(&'a str),
}

/// The structural blocks of a text whose lines end in `\n`, in order.
pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    for piece in Scan::new(text) {
        match piece {
            Piece::Block(block) => found.push(block),
            Piece::Unclear(range) => {
                let parsed = markdown(text, range.clone());
                if parsed.stays_open && range.end < text.len() {
                    // What looked like blocks further down is within the last one.
                    found.extend(markdown(text, range.start..text.len()).blocks);
                    break;
                }
                found.extend(parsed.blocks);
            }
        }
    }
    found
}

/// The mark of a fence that can hold `source` and say `info`, and how many of it there must be.
fn fence_marks(info: &str, source: &str) -> (char, usize) {
    let mark = if info.contains('`') { '~' } else { '`' };
    if !source.contains(mark) {
        return (mark, 3);
    }
    let leading = |line: &str| line.trim_start().chars().take_while(|&char| char == mark).count();
    (mark, 3.max(1 + source.lines().map(leading).max().unwrap_or(0)))
}

/// Writes a fence that holds a text, whatever backticks that has in it, without a line break at the end.
pub(super) fn push_fence(out: &mut String, info: &str, source: &str) {
    let (mark, count) = fence_marks(info, source);
    let marks = |out: &mut String| out.extend(std::iter::repeat_n(mark, count));
    marks(out);
    out.push_str(info);
    out.push('\n');
    if !source.is_empty() {
        out.push_str(source);
        out.push('\n');
    }
    marks(out);
}

/// The text of a heading as it stands after `# `, whether it stands so or above a line.
pub(super) fn heading_text(block: &str) -> String {
    let block = block.trim();
    let mut text = match block.rsplit_once('\n') {
        Some((underlined, _)) => underlined.lines().map(str::trim).collect::<Vec<_>>().join(" "),
        None => {
            let text = block.trim_start_matches('#').trim();
            text[..closing_marks(text).unwrap_or(text.len())].trim_end().to_owned()
        }
    };
    if let Some(at) = closing_marks(&text) {
        text.insert(at, '\\');
    }
    text
}

/// Where the `#`s start that would close a heading with this text.
fn closing_marks(text: &str) -> Option<usize> {
    let open = text.trim_end_matches('#');
    let closes = open.is_empty() || open.ends_with([' ', '\t']);
    (closes && open.len() < text.len()).then_some(open.len())
}

/// The inside of a comment, if a block is one and nothing else.
pub(super) fn lone_comment(block: &str) -> Option<&str> {
    let inner = block.trim().strip_prefix("<!--")?.strip_suffix("-->")?;
    (!inner.contains("-->")).then(|| inner.trim())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What lines of Markdown begin with or are, and what is almost that.
    const PIECES: &[&str] = &[
        "# ",
        "## ",
        "##",
        "#######",
        "\n",
        "\n\n",
        "\n\n",
        "\n \n",
        " ",
        "   ",
        "    ",
        "\t",
        "```",
        "````",
        "~~~",
        "rust",
        "<!--",
        "-->",
        "<!-- a -->",
        "<!-->",
        "<script>",
        "</script>",
        "<?",
        "<!A",
        "<div>",
        "</div>",
        "- ",
        "1. ",
        "> ",
        "===",
        "---",
        "- -",
        "[a]: /b",
        "\"title",
        "word",
        "\\",
        "`",
        "*",
        "\u{0}",
        "\u{b}",
        "\u{c}",
        "é",
        "\u{85}",
        "\u{2028}",
        "&amp;",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]

        #[test]
        fn what_is_plain_is_what_the_parser_finds(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..24)) {
            let text = pieces.concat();
            prop_assert_eq!(blocks(&text), markdown(&text, 0..text.len()).blocks, "{:?}", text);
        }
    }
}
