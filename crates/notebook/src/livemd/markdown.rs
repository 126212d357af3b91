//! The structural blocks of any text, as a whole parser of Markdown finds them.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::blocks::{Block, BlockKind, heading_text, lone_comment};

/// What was found in a part of a text.
pub(super) struct Parsed<'a> {
    pub blocks: Vec<Block<'a>>,
    /// Whether the last block would go on if more text followed: a fence or HTML that nothing has closed.
    pub stays_open: bool,
}

/// The structural blocks of the part of a text that is `within`, whole lines that end in `\n`.
pub(super) fn markdown(text: &str, within: Range<usize>) -> Parsed<'_> {
    let part = &text[within.clone()];
    let mut blocks = Vec::new();
    let mut stays_open = false;
    let mut depth = 0usize;
    let mut fence: Option<(Range<usize>, String)> = None;
    for (event, range) in Parser::new_ext(part, Options::empty()).into_offset_iter() {
        match event {
            Event::Start(tag) => {
                if depth == 0 {
                    let lines = whole_lines(part, range.clone());
                    let block = &part[lines.clone()];
                    stays_open = false;
                    match tag {
                        Tag::Heading { level, .. } => {
                            let kind = BlockKind::Heading { level: level as u8, text: heading_text(block) };
                            blocks.push(Block { range: lines, kind });
                        }
                        Tag::CodeBlock(CodeBlockKind::Fenced(_)) => {
                            stays_open = reaches_the_end(part, &range);
                            fence = Some((lines, String::new()));
                        }
                        Tag::HtmlBlock => {
                            stays_open = reaches_the_end(part, &range);
                            if let Some(comment) = lone_comment(block) {
                                blocks.push(Block { range: lines, kind: BlockKind::Comment(comment) });
                            }
                        }
                        _ => {}
                    }
                }
                depth += 1;
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                if let (TagEnd::CodeBlock, Some((range, mut source))) = (tag, fence.take()) {
                    if source.ends_with('\n') {
                        source.pop();
                    }
                    let block = &part[range.clone()];
                    let (info, closed) = (info_string(block), is_closed(block));
                    let kind = BlockKind::Fence { info, source: Cow::Owned(source), closed };
                    blocks.push(Block { range, kind });
                }
            }
            Event::Text(part) => {
                if let Some((_, source)) = &mut fence {
                    source.push_str(&part);
                }
            }
            _ => {}
        }
    }
    for block in &mut blocks {
        block.range = block.range.start + within.start..block.range.end + within.start;
    }
    Parsed { blocks, stays_open }
}

/// Whether nothing follows a block, not even a blank line: what is closed ends above that.
fn reaches_the_end(text: &str, range: &Range<usize>) -> bool {
    let below = &text[range.end..];
    below.strip_prefix('\n').unwrap_or(below).is_empty()
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

/// Whether the last line of a fenced block closes what its first line opens.
fn is_closed(block: &str) -> bool {
    let mut lines = block.trim_end_matches('\n').lines();
    let Some(first) = lines.next().map(str::trim_start) else {
        return false;
    };
    let mark = if first.starts_with('~') { '~' } else { '`' };
    let opening = first.len() - first.trim_start_matches(mark).len();
    lines.next_back().is_some_and(|last| closes(last, mark, opening))
}

/// Whether a line closes a fence that was opened with so many marks.
pub(super) fn closes(line: &str, mark: char, opening: usize) -> bool {
    let marks = line.trim_start_matches(' ');
    let rest = marks.trim_start_matches(mark);
    line.len() - marks.len() < 4 && marks.len() - rest.len() >= opening && rest.trim_matches(' ').is_empty()
}
