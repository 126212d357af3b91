//! From blocks to a notebook, with a warning for whatever is taken other than written.
//!
//! The prose is what the structure leaves over: a cursor walks the text from block to block, and
//! whatever it passes on the way belongs to the Markdown cell at hand.

use std::borrow::Cow;

mod fence;
mod lines;
mod prose;
mod title;

use super::Warning;
use super::blocks::{Block, BlockKind, blocks};
use super::metadata::{self, Fields};
use super::model::{Cell, DEFAULT_SECTION, Metadata, Notebook, Section, Smart};
use lines::Lines;
use prose::is_blank;

pub(super) fn import(text: &str) -> (Notebook, Vec<Warning>) {
    let text = with_plain_line_breaks(text);
    let blocks = blocks(&text);
    let mut import = Import::new(&text);
    let title = import.choose_title(&blocks);
    for (at, block) in blocks.iter().enumerate() {
        match &title {
            Some(title) if title.comments.contains(&at) => import.title_comment(block),
            Some(title) if title.heading == at => import.title(block, title.line),
            _ => import.block(block),
        }
    }
    import.finish()
}

struct Import<'a> {
    text: &'a str,
    lines: Lines<'a>,
    /// Where the text starts that belongs to no block yet.
    cursor: usize,
    /// The prose at hand, and the offset at which it starts.
    prose: String,
    prose_start: usize,
    /// Metadata that waits for the block right below it.
    pending: Option<(Metadata, usize)>,
    /// Whether every heading goes one level down.
    demote: bool,
    /// What stands before the first section.
    preamble: Section,
    notebook: Notebook,
    warnings: Vec<Warning>,
}

impl<'a> Import<'a> {
    fn new(text: &'a str) -> Self {
        Import {
            text,
            lines: Lines::new(text),
            cursor: 0,
            prose: String::new(),
            prose_start: 0,
            pending: None,
            demote: false,
            preamble: Section::default(),
            notebook: Notebook::default(),
            warnings: Vec::new(),
        }
    }

    /// The line on which an offset stands, from 1.
    fn line(&mut self, offset: usize) -> usize {
        self.lines.number(offset)
    }

    fn warn(&mut self, line: usize, message: impl Into<String>) {
        let message = message.into();
        self.warnings.push(Warning { line, message });
    }

    fn block(&mut self, block: &Block<'_>) {
        let line = self.line(block.range.start);
        match &block.kind {
            BlockKind::Comment(comment) => match metadata::parse(comment) {
                Some(Ok(metadata)) => self.metadata(block, metadata, line),
                Some(Err(error)) => self.warn(line, unreadable(&error)),
                None => {}
            },
            BlockKind::Heading { level, text } => match level + u8::from(self.demote) {
                2 => self.section(block, text, line),
                _ if self.demote => self.demoted(block, *level, text),
                _ => {}
            },
            BlockKind::Fence { info, source, closed } => self.fence(block, info, source, *closed, line),
        }
    }

    fn metadata(&mut self, block: &Block<'_>, metadata: Metadata, line: usize) {
        self.pass(block);
        let says = |key| metadata.get(key) == Some(&true.into());
        if says("break_markdown") {
            self.end_prose();
        } else if metadata.contains_key("stamp") && is_blank(&self.text[self.cursor..]) {
            self.notebook.stamp = Some(metadata);
        } else {
            self.put_pending(metadata, line);
        }
    }

    fn section(&mut self, block: &Block<'_>, text: &str, line: usize) {
        let metadata = self.take_pending(block);
        self.pass(block);
        self.end_prose();
        let mut fields = Fields::new(metadata);
        let parent = fields.index("branch_parent_index");
        let (metadata, complaints) = fields.rest();
        for complaint in complaints {
            self.warn(line, complaint);
        }
        let branch_parent_index = parent.filter(|&parent| {
            let problem = match self.notebook.sections.get(parent) {
                None => "is not above it",
                Some(above) if above.branch_parent_index.is_some() => "is itself a branch",
                Some(_) => return true,
            };
            self.warnings.push(Warning {
                line,
                message: format!("the section branches from section {parent}, which {problem}; it does not branch"),
            });
            false
        });
        self.notebook.sections.push(Section {
            name: text.to_owned(),
            line,
            branch_parent_index,
            metadata,
            cells: Vec::new(),
        });
    }

    /// A heading of a document in which every heading goes one level down.
    fn demoted(&mut self, block: &Block<'_>, level: u8, text: &str) {
        self.drop_pending();
        self.pass(block);
        let demoted = match level {
            6 => format!("**{text}**\n\n"),
            _ => format!("{} {text}\n\n", "#".repeat(usize::from(level) + 1)),
        };
        self.add_prose(&demoted, block.range.start);
    }

    fn cells(&mut self) -> &mut Vec<Cell> {
        match self.notebook.sections.last_mut() {
            Some(section) => &mut section.cells,
            None => &mut self.preamble.cells,
        }
    }

    fn put_pending(&mut self, metadata: Metadata, line: usize) {
        self.drop_pending();
        self.pending = Some((metadata, line));
    }

    /// The metadata that stands right above a block.
    fn pending_for(&self, block: &Block<'_>) -> Option<&Metadata> {
        let (metadata, _) = self.pending.as_ref()?;
        is_blank(&self.text[self.cursor..block.range.start]).then_some(metadata)
    }

    fn take_pending(&mut self, block: &Block<'_>) -> Metadata {
        if self.pending_for(block).is_none() {
            self.drop_pending();
        }
        self.pending.take().map(|(metadata, _)| metadata).unwrap_or_default()
    }

    fn drop_pending(&mut self) {
        if let Some((_, line)) = self.pending.take() {
            self.warn(line, "metadata that belongs to nothing below it; it is left out");
        }
    }

    fn finish(mut self) -> (Notebook, Vec<Warning>) {
        let rest = self.text.len();
        let text = self.text;
        self.add_prose(&text[self.cursor..rest], self.cursor);
        self.drop_pending();
        self.end_prose();
        self.settle_preamble();
        self.warnings.sort_by_key(|warning| warning.line);
        (self.notebook, self.warnings)
    }

    /// Splits what stands before the first section into the setup and a section of its own.
    fn settle_preamble(&mut self) {
        let has_sections = !self.notebook.sections.is_empty();
        let mut cells = Vec::new();
        for cell in std::mem::take(&mut self.preamble.cells) {
            let code_so_far = self.notebook.setup_code().is_some();
            match cell {
                Cell::Code(code) if code.language.is_manifest() => self.notebook.setup.push(code),
                Cell::Code(code) if has_sections && cells.is_empty() && !code_so_far => {
                    self.notebook.setup.push(code);
                }
                cell => cells.push(cell),
            }
        }
        let Some(first) = cells.first() else { return };
        let line = match first {
            Cell::Markdown(markdown) => markdown.line,
            Cell::Code(code) | Cell::Smart(Smart { code, .. }) => code.line.saturating_sub(1),
        };
        self.warn(
            line,
            format!("no heading `## …` stands above this; it goes to a section called \"{DEFAULT_SECTION}\""),
        );
        for section in &mut self.notebook.sections {
            section.branch_parent_index = section.branch_parent_index.map(|parent| parent + 1);
        }
        let name = DEFAULT_SECTION.to_owned();
        self.notebook.sections.insert(0, Section { name, line, cells, ..Section::default() });
    }
}

fn unreadable(error: &str) -> String {
    format!("metadata that is not a JSON object ({error}); it is left as a comment")
}

/// Without a byte order mark, and with every line ending in `\n`.
fn with_plain_line_breaks(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.contains('\r') {
        true => Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")),
        false => Cow::Borrowed(text),
    }
}
