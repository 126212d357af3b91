//! The examples in a cell's doc comments: finding them, and saying how they went. A decision on data alone; compiling
//! and running them is for the session.
//!
//! What is an example is as in rustdoc: a fence of Rust code in a doc comment, with its hidden lines and its attributes
//! `ignore`, `no_run`, `should_panic` and `compile_fail`.

use std::ops::Range;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use crate::source_map::{SourceMap, position};

/// An example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The name of the item that it belongs to.
    pub item: String,
    /// Its code.
    pub source: String,
    /// Where that comes from in the cell.
    pub map: SourceMap,
    /// The line of the cell on which it ends, from 1.
    pub line: usize,
    /// What is to happen.
    pub wanted: Wanted,
}

/// What is to happen to an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// It runs to its end.
    Runs,
    /// It panics.
    Panics,
    /// It compiles; it is not run.
    Compiles,
    /// It does not compile.
    Refused,
}

/// The examples of a cell, from the top. A source that does not parse has none.
pub fn examples(source: &str) -> Vec<Example> {
    let mut found = Vec::new();
    if let Ok(tokens) = source.parse::<TokenStream>() {
        let mut comments = Vec::new();
        collect(tokens, source, &mut comments);
        for comment in comments {
            found.extend(examples_of(source, &comment));
        }
    }
    // Every parse adds its text to a table of this thread; no span outlives this function.
    proc_macro2::extra::invalidate_current_thread_spans();
    found
}

/// The doc comments of an item, as ranges of the source, and the item's name.
struct Comment {
    parts: Vec<Range<usize>>,
    item: String,
}

/// Finds the doc comments before each item, at any depth.
fn collect(tokens: TokenStream, source: &str, found: &mut Vec<Comment>) {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut names_item = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) if is_doc(source, &group.span().byte_range()) => {
                parts.push(group.span().byte_range());
            }
            TokenTree::Group(group) => {
                // What came before a body without a name that is known here: a field, an `impl`.
                if group.delimiter() == Delimiter::Brace {
                    parts.clear();
                }
                collect(group.stream(), source, found);
            }
            // In `const fn name` both of the words may stand before a name.
            TokenTree::Ident(ident) if is_kind(&ident) => names_item = true,
            TokenTree::Ident(ident) if names_item => {
                names_item = false;
                if !parts.is_empty() {
                    found.push(Comment { parts: std::mem::take(&mut parts), item: ident.to_string() });
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

fn is_doc(source: &str, range: &Range<usize>) -> bool {
    let text = source.get(range.clone()).unwrap_or("");
    text.starts_with("///") || text.starts_with("/**")
}

/// Whether the name of an item follows this word.
fn is_kind(word: &proc_macro2::Ident) -> bool {
    const KINDS: [&str; 10] =
        ["fn", "struct", "enum", "union", "trait", "type", "const", "static", "mod", "macro_rules"];
    KINDS.iter().any(|kind| word == kind)
}

fn examples_of(source: &str, comment: &Comment) -> Vec<Example> {
    let lines = lines_of(source, &comment.parts);
    let is_blank = |range: &&Range<usize>| source[(*range).clone()].trim().is_empty();
    let indent =
        |range: &Range<usize>| source[range.clone()].len() - source[range.clone()].trim_start_matches(' ').len();
    let margin = lines.iter().filter(|range| !is_blank(range)).map(indent).min().unwrap_or(0);
    let mut text = String::new();
    // Where each line begins in the text, and in the source.
    let mut starts = Vec::new();
    for range in &lines {
        let start = range.start + margin.min(range.len());
        starts.push((text.len(), start));
        text.push_str(&source[start..range.end]);
        text.push('\n');
    }
    let mut found = Vec::new();
    let mut open: Option<(Wanted, String, SourceMap, usize)> = None;
    for (event, range) in Parser::new(&text).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                open = wanted(&info).map(|wanted| (wanted, String::new(), SourceMap::default(), 0));
            }
            Event::Text(_) => {
                let Some((_, code, map, last)) = &mut open else { continue };
                for (at, line) in lines_with_offsets(&text[range.clone()]) {
                    let at = range.start + at;
                    let Some(&(begin, origin)) = starts.iter().rfind(|(begin, _)| *begin <= at) else { continue };
                    let start = origin + (at - begin);
                    let (skipped, shown) = unhidden(line.trim_end_matches('\n'));
                    let here = code.len();
                    code.push_str(shown);
                    map.copied(code, here, source, start + skipped..start + skipped + shown.len());
                    code.push('\n');
                    if !shown.trim().is_empty() {
                        *last = position(&source[..start]).0 as usize;
                    }
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some((wanted, source, map, line)) = open.take().filter(|(_, code, ..)| !code.trim().is_empty()) {
                    found.push(Example { item: comment.item.clone(), source, map, line, wanted });
                }
            }
            _ => {}
        }
    }
    found
}

/// The lines of doc comments without their marks.
fn lines_of(source: &str, parts: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    for part in parts {
        let text = &source[part.clone()];
        if text.starts_with("///") {
            lines.push(part.start + 3..part.start + text.trim_end().len());
            continue;
        }
        let inner = part.start + 3..part.end.saturating_sub(2).max(part.start + 3);
        for (at, line) in lines_with_offsets(&source[inner.clone()]) {
            let mut start = inner.start + at;
            let end = start + line.trim_end().len();
            let stars = line.len() - line.trim_start().len();
            if line.trim_start().starts_with('*') {
                start += stars + 1;
            }
            lines.push(start.min(end)..end);
        }
    }
    lines
}

fn lines_with_offsets(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |offset, line| {
        let start = *offset;
        *offset += line.len();
        Some((start, line))
    })
}

/// A line of an example without the mark that hides it from readers: how much of it goes, and what stays.
fn unhidden(line: &str) -> (usize, &str) {
    let code = line.trim_start();
    let indent = line.len() - code.len();
    match code.as_bytes() {
        b"#" => (line.len(), ""),
        [b'#', b' ', ..] => (indent + 2, &code[2..]),
        [b'#', b'#', ..] => (indent + 1, &code[1..]),
        _ => (0, line),
    }
}

/// What is to happen to a fence with this info string; `None` if it is no example.
fn wanted(info: &str) -> Option<Wanted> {
    let mut wanted = Wanted::Runs;
    for word in info.split([',', ' ', '\t']).filter(|word| !word.is_empty()) {
        match word {
            "rust" => {}
            "should_panic" => wanted = Wanted::Panics,
            "no_run" => wanted = Wanted::Compiles,
            "compile_fail" => wanted = Wanted::Refused,
            word if word.starts_with("edition") => {}
            // `ignore`, an error's code, or another language.
            _ => return None,
        }
    }
    Some(wanted)
}

/// What an assertion got and what it wanted, from the message of its panic.
pub fn got_and_wanted(message: &str) -> Option<(&str, &str)> {
    let (_, rest) = message.strip_prefix("assertion `left == right` failed")?.split_once("\n  left: ")?;
    rest.split_once("\n right: ")
}
