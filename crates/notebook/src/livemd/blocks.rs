//! Finds what gives a document its structure: headings, fences and comments at the top level.
//!
//! Everything between those is prose and never looked at, so that it comes through byte for byte.
//! What the blocks mean is for `import`.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A block that gives structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Where it stands in the text, whole lines, the last line break included if there is one.
    pub range: Range<usize>,
    pub kind: BlockKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BlockKind {
    Heading {
        /// From 1 to 6.
        level: u8,
        text: String,
    },
    Fence {
        info: String,
        /// Without the line break that ends it.
        source: String,
        closed: bool,
    },
    /// An HTML comment that has its lines for itself, without its marks.
    Comment(String),
}

/// The structural blocks of a text whose lines end in `\n`, in order.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut depth = 0usize;
    let mut fence: Option<(Range<usize>, String, String)> = None;
    for (event, range) in Parser::new_ext(text, Options::empty()).into_offset_iter() {
        match event {
            Event::Start(tag) => {
                if depth == 0 {
                    let range = whole_lines(text, range);
                    match tag {
                        Tag::Heading { level, .. } => found.push(Block {
                            kind: BlockKind::Heading { level: level as u8, text: heading_text(&text[range.clone()]) },
                            range,
                        }),
                        Tag::CodeBlock(CodeBlockKind::Fenced(_)) => {
                            let info = info_string(&text[range.clone()]).to_owned();
                            fence = Some((range, info, String::new()));
                        }
                        Tag::HtmlBlock => {
                            if let Some(comment) = lone_comment(&text[range.clone()]) {
                                let kind = BlockKind::Comment(comment.to_owned());
                                found.push(Block { range, kind });
                            }
                        }
                        _ => {}
                    }
                }
                depth += 1;
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                if let (TagEnd::CodeBlock, Some((range, info, mut source))) = (tag, fence.take()) {
                    if source.ends_with('\n') {
                        source.pop();
                    }
                    let closed = is_closed(&text[range.clone()]);
                    let kind = BlockKind::Fence { info, source, closed };
                    found.push(Block { range, kind });
                }
            }
            Event::Text(part) => {
                if let Some((_, _, source)) = &mut fence {
                    source.push_str(&part);
                }
            }
            _ => {}
        }
    }
    found
}

/// The marks of a fence that can hold `source` and say `info`.
pub(super) fn fence_marks(info: &str, source: &str) -> String {
    let mark = if info.contains('`') { '~' } else { '`' };
    let leading = |line: &str| line.trim_start().chars().take_while(|&char| char == mark).count();
    let longest = source.lines().map(leading).max().unwrap_or(0);
    mark.to_string().repeat(3.max(longest + 1))
}

/// What the first line of a fenced block says behind its marks.
fn info_string(block: &str) -> &str {
    let first = block.lines().next().unwrap_or("").trim_start();
    let mark = if first.starts_with('~') { '~' } else { '`' };
    first.trim_start_matches(mark).trim()
}

/// Stretches a range to the start of its first line and over the break that ends its last.
fn whole_lines(text: &str, range: Range<usize>) -> Range<usize> {
    let start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let end = match text[..range.end].ends_with('\n') && range.end > range.start {
        true => range.end,
        false => text[range.end..].find('\n').map_or(text.len(), |at| range.end + at + 1),
    };
    start..end
}

/// The text of a heading as it stands after `# `, whether it stands so or above a line.
fn heading_text(block: &str) -> String {
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

fn lone_comment(block: &str) -> Option<&str> {
    let inner = block.trim().strip_prefix("<!--")?.strip_suffix("-->")?;
    (!inner.contains("-->")).then(|| inner.trim())
}

/// Whether the last line of a fenced block closes what its first line opens.
fn is_closed(block: &str) -> bool {
    let mut lines = block.trim_end().lines();
    let Some(first) = lines.next().map(str::trim) else {
        return false;
    };
    let mark = if first.starts_with('~') { '~' } else { '`' };
    let opening = first.chars().take_while(|&char| char == mark).count();
    lines
        .next_back()
        .map(str::trim)
        .is_some_and(|last| last.chars().all(|char| char == mark) && last.chars().count() >= opening)
}
