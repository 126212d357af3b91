//! Finds, line by line, the blocks that no parser is needed for.
//!
//! A heading, a fence or a comment that begins its line, below a blank line or a block that was found so, is one, whatever
//! else the text says: only what is still open above could hold it, which is a fence or HTML. What begins in any other
//! way is told to be unclear, from the last block that was found on; so is whatever could be such an open block.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

use super::blocks::{Block, BlockKind, heading_text, lone_comment};
use super::markdown::closes;

/// A part of a text. What is in none of them has no structure.
pub(super) enum Piece<'a> {
    Block(Block<'a>),
    /// Lines that have to be parsed.
    Unclear(Range<usize>),
}

/// A text on its way into pieces.
pub(super) struct Scan<'a> {
    text: &'a str,
    /// The start of the next line.
    at: usize,
    /// Whether nothing above, as far as it is plain, goes on in that line.
    is_fresh: bool,
    /// Where the lines begin that belong to no block yet, and whether they have to be parsed.
    rest: usize,
    is_unclear: bool,
    /// A block that comes behind what was unclear.
    found: Option<Block<'a>>,
}

impl<'a> Scan<'a> {
    /// A scan of a text whose lines end in `\n`.
    pub(super) fn new(text: &'a str) -> Self {
        Scan { text, at: 0, is_fresh: true, rest: 0, is_unclear: false, found: None }
    }

    /// The line that starts at an offset, without its break, and where the next one starts.
    fn line(&self, at: usize) -> (&'a str, usize) {
        let below = &self.text[at..];
        match memchr(b'\n', below.as_bytes()) {
            Some(end) => (&below[..end], at + end + 1),
            None => (below, self.text.len()),
        }
    }

    /// The block that begins with the next line, if that is plain.
    fn block(&mut self) -> Option<Block<'a>> {
        let first = *self.text.as_bytes().get(self.at)?;
        if !matches!(first, b'#' | b'`' | b'~' | b'<') {
            return None;
        }
        let (line, below) = self.line(self.at);
        let rest = line.trim_start_matches(char::from(first));
        let marks = line.len() - rest.len();
        match first {
            b'#' => {
                let is_heading = marks <= 6 && (rest.is_empty() || rest.starts_with([' ', '\t']));
                let kind = || BlockKind::Heading { level: marks as u8, text: heading_text(line) };
                is_heading.then(|| Block { range: self.at..below, kind: kind() })
            }
            b'<' => {
                let is_whole = line.starts_with("<!--") && line.ends_with("-->");
                let comment = is_whole.then(|| lone_comment(line)).flatten()?;
                Some(Block { range: self.at..below, kind: BlockKind::Comment(comment) })
            }
            _ => {
                let is_fence = marks >= 3 && (first == b'~' || !rest.contains('`'));
                is_fence.then(|| self.fence(below, rest.trim(), char::from(first), marks)).flatten()
            }
        }
    }

    /// The fence that the next line opens, with its code from `start` on. One that is never closed holds all the rest,
    /// which is then unclear.
    fn fence(&mut self, start: usize, info: &'a str, mark: char, marks: usize) -> Option<Block<'a>> {
        let mut at = start;
        while at < self.text.len() {
            let (line, below) = self.line(at);
            if closes(line, mark, marks) {
                let source = &self.text[start..at];
                let source = Cow::Borrowed(source.strip_suffix('\n').unwrap_or(source));
                let kind = BlockKind::Fence { info, source, closed: true };
                return Some(Block { range: self.at..below, kind });
            }
            at = below;
        }
        (self.at, self.is_unclear) = (at, true);
        None
    }
}

impl<'a> Iterator for Scan<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if let Some(block) = self.found.take() {
            return Some(Piece::Block(block));
        }
        while self.at < self.text.len() {
            if self.is_fresh
                && let Some(block) = self.block()
            {
                let above = self.rest..self.at;
                (self.at, self.rest) = (block.range.end, block.range.end);
                if std::mem::take(&mut self.is_unclear) {
                    self.found = Some(block);
                    return Some(Piece::Unclear(above));
                }
                return Some(Piece::Block(block));
            }
            let (line, below) = self.line(self.at);
            let line = line.trim_start_matches([' ', '\t']);
            self.is_fresh = line.is_empty();
            self.is_unclear |= may_be_structure(line);
            self.at = below;
        }
        std::mem::take(&mut self.is_unclear).then_some(Piece::Unclear(self.rest..self.text.len()))
    }
}

/// Whether a line, without the blanks that it begins with, could be or hold a part of a structural block.
fn may_be_structure(line: &str) -> bool {
    let is_all = |mark: char| line.trim_end().trim_start_matches(mark).is_empty();
    match line.as_bytes().first() {
        Some(b'#' | b'<') => true,
        Some(b'`') => line.starts_with("```"),
        Some(b'~') => line.starts_with("~~~"),
        // What underlines a heading.
        Some(b'=') => is_all('='),
        Some(b'-') => is_all('-'),
        Some(_) | None => false,
    }
}
