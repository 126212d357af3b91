//! From blocks to a notebook, with a warning for whatever is taken other than written.
//!
//! The prose is what the structure leaves over: a cursor walks the text from block to block, and
//! whatever it passes on the way belongs to the Markdown cell at hand.

use std::borrow::Cow;
use std::ops::Range;

use super::Warning;
use super::blocks::{Block, BlockKind, blocks};
use super::metadata::{self, Fields};
use super::model::{
    Cell, Code, DEFAULT_NAME, DEFAULT_SECTION, Language, Markdown, Metadata, Notebook, SavedOutput, Section, Smart,
};

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

/// Which blocks make up the title: its heading, and the comments right above it.
struct Title {
    comments: Range<usize>,
    heading: usize,
    /// The line on which it starts, its comments included.
    line: usize,
}

struct Import<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
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
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Import {
            text,
            line_starts: std::iter::once(0).chain(breaks).collect(),
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

    fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= offset)
    }

    fn warn(&mut self, line: usize, message: impl Into<String>) {
        let message = message.into();
        self.warnings.push(Warning { line, message });
    }

    fn choose_title(&mut self, blocks: &[Block]) -> Option<Title> {
        let is_title = |block: &Block| matches!(block.kind, BlockKind::Heading { level: 1, .. });
        let is_comment = |block: &Block| matches!(block.kind, BlockKind::Comment(_));
        let found: Vec<_> = (0..blocks.len()).filter(|&at| is_title(&blocks[at])).collect();
        let &[heading] = found.as_slice() else {
            self.notebook.name = DEFAULT_NAME.to_owned();
            self.demote = !found.is_empty();
            match found.get(1) {
                None => self.warn(1, format!("no heading `# …` names the notebook; it is called \"{DEFAULT_NAME}\"")),
                Some(&second) => self.warn(
                    self.line(blocks[second].range.start),
                    format!(
                        "{} headings `# …`, where one names the notebook; every heading goes one level down",
                        found.len()
                    ),
                ),
            }
            return None;
        };
        let mut first = heading;
        while first > 0
            && is_comment(&blocks[first - 1])
            && is_blank(&self.text[blocks[first - 1].range.end..blocks[first].range.start])
        {
            first -= 1;
        }
        if !is_blank(&self.text[..blocks[first].range.start]) {
            let line = self.line(blocks[heading].range.start);
            self.warn(line, "the notebook's name is not at the top; it is moved there, with its comments");
        }
        let line = self.line(blocks[first].range.start);
        Some(Title { comments: first..heading, heading, line })
    }

    fn title_comment(&mut self, block: &Block) {
        let BlockKind::Comment(comment) = &block.kind else {
            return;
        };
        self.pass(block);
        let line = self.line(block.range.start);
        match metadata::parse(comment) {
            Some(Ok(metadata)) => self.put_pending(metadata, line),
            Some(Err(error)) => self.warn(line, unreadable(&error)),
            None => self.notebook.comments.push(comment.clone()),
        }
    }

    fn title(&mut self, block: &Block, first_line: usize) {
        let BlockKind::Heading { text, .. } = &block.kind else {
            return;
        };
        let line = self.line(block.range.start);
        // Other comments of the title may stand between its metadata and its heading.
        if self.pending.as_ref().is_some_and(|(_, line)| *line < first_line) {
            self.drop_pending();
        }
        let metadata = self.pending.take().map(|(metadata, _)| metadata).unwrap_or_default();
        self.pass(block);
        self.notebook.name = text.clone();
        let mut fields = Fields::new(metadata);
        self.notebook.persist_outputs = fields.flag("persist_outputs");
        let (mut metadata, complaints) = fields.rest();
        for complaint in complaints {
            self.warn(line, complaint);
        }
        if let Some(serde_json::Value::Array(entries)) = metadata.get_mut("file_entries") {
            let all = entries.len();
            entries.retain(|entry| !leaves_its_folder(entry));
            let dropped = all - entries.len();
            if dropped > 0 {
                self.warn(line, format!("{dropped} attached file(s) with a path for a name are left out"));
            }
        }
        self.notebook.metadata = metadata;
    }

    fn block(&mut self, block: &Block) {
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

    fn metadata(&mut self, block: &Block, metadata: Metadata, line: usize) {
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

    fn section(&mut self, block: &Block, text: &str, line: usize) {
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
    fn demoted(&mut self, block: &Block, level: u8, text: &str) {
        self.drop_pending();
        self.pass(block);
        let demoted = match level {
            6 => format!("**{text}**\n\n"),
            _ => format!("{} {text}\n\n", "#".repeat(usize::from(level) + 1)),
        };
        self.add_prose(&demoted, block.range.start);
    }

    fn fence(&mut self, block: &Block, info: &str, source: &str, closed: bool, line: usize) {
        let waits = self.pending_for(block);
        let says = |key, value: serde_json::Value| waits.is_some_and(|metadata| metadata.get(key) == Some(&value));
        if says("force_markdown", true.into()) {
            self.pending = None;
            return;
        }
        if says("output", true.into()) {
            let expected = says("expected", true.into());
            self.pending = None;
            self.pass(block);
            let output = SavedOutput { expected, ..SavedOutput::new(info, source) };
            return self.saved_output(block, output, line);
        }
        let is_smart = says("livebook_object", "smart_cell".into());
        let language = Language::of_fence(info)
            .filter(|language| !language.is_manifest() || self.takes_manifest(*language, block, source));
        let Some(language) = language else {
            return;
        };
        let metadata = self.take_pending(block);
        self.pass(block);
        self.end_prose();
        if !closed {
            self.warn(line, "the fence is never closed; everything below it is in the cell");
        }
        let cell = match is_smart {
            true => self.smart(metadata, language, source, line),
            false => Cell::Code(self.code(metadata, language, source, line)),
        };
        self.cells().push(cell);
    }

    fn code(&mut self, metadata: Metadata, language: Language, source: &str, line: usize) -> Code {
        let (attributes, complaints) = Fields::new(metadata).code_attributes();
        for complaint in complaints {
            self.warn(line, complaint);
        }
        Code { attributes, ..Code::new(language, source, line + 1) }
    }

    fn smart(&mut self, mut metadata: Metadata, language: Language, source: &str, line: usize) -> Cell {
        metadata.remove("livebook_object");
        let attrs = metadata.remove("attrs").unwrap_or_default();
        let chunks = metadata.remove("chunks").unwrap_or_default();
        let kind = metadata.remove("kind");
        let code = self.code(metadata, language, source, line);
        match kind.as_ref().and_then(|kind| kind.as_str()) {
            Some(kind) => Cell::Smart(Smart { kind: kind.to_owned(), attrs, chunks, code }),
            None => {
                self.warn(line, "the smart cell does not say its kind; it becomes a code cell");
                Cell::Code(code)
            }
        }
    }

    fn saved_output(&mut self, block: &Block, output: SavedOutput, line: usize) {
        let follows_code = is_blank(&self.prose);
        match self.cells().last_mut() {
            Some(Cell::Code(code) | Cell::Smart(Smart { code, .. })) if follows_code => {
                code.outputs.push(output);
            }
            _ => {
                self.warn(line, "a saved output that follows no code cell; it stays as prose");
                let fence = format!("{}\n\n", self.text[block.range.clone()].trim_end());
                self.add_prose(&fence, block.range.start);
            }
        }
    }

    /// A manifest stands before the first section: as the first thing there, or naming dependencies.
    fn takes_manifest(&self, language: Language, block: &Block, source: &str) -> bool {
        let is_there = |cell: &Cell| cell.code().is_some_and(|code| code.language == language);
        let mut lines = source.lines().map(str::trim_start);
        self.notebook.sections.is_empty()
            && !self.preamble.cells.iter().any(is_there)
            && (lines.any(|line| line.starts_with("[dependencies") || line.starts_with("dependencies"))
                || language == Language::PyprojectToml
                || (self.preamble.cells.is_empty()
                    && is_blank(&self.prose)
                    && is_blank(&self.text[self.cursor..block.range.start])))
    }

    fn cells(&mut self) -> &mut Vec<Cell> {
        match self.notebook.sections.last_mut() {
            Some(section) => &mut section.cells,
            None => &mut self.preamble.cells,
        }
    }

    /// Moves the cursor behind a block that is not prose; what it passes on the way is.
    fn pass(&mut self, block: &Block) {
        let text = self.text;
        self.add_prose(&text[self.cursor..block.range.start], self.cursor);
        // What stood apart stays apart when the block between goes.
        if !is_blank(&self.prose) && !self.prose.ends_with("\n\n") {
            self.prose.push('\n');
        }
        let below = &text[block.range.end..];
        self.cursor = block.range.end + blank_lines(below);
    }

    fn add_prose(&mut self, text: &str, start: usize) {
        if self.prose.is_empty() {
            self.prose_start = start;
        }
        self.prose.push_str(text);
    }

    /// Makes a cell of the prose at hand, if there is any.
    fn end_prose(&mut self) {
        let prose = std::mem::take(&mut self.prose);
        let above = blank_lines(&prose);
        let text = prose[above..].trim_ascii_end();
        if !text.is_empty() {
            let line = self.line(self.prose_start + above);
            let text = text.to_owned();
            self.cells().push(Cell::Markdown(Markdown { text, line }));
        }
    }

    fn put_pending(&mut self, metadata: Metadata, line: usize) {
        self.drop_pending();
        self.pending = Some((metadata, line));
    }

    /// The metadata that stands right above a block.
    fn pending_for(&self, block: &Block) -> Option<&Metadata> {
        let (metadata, _) = self.pending.as_ref()?;
        is_blank(&self.text[self.cursor..block.range.start]).then_some(metadata)
    }

    fn take_pending(&mut self, block: &Block) -> Metadata {
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

/// Whether an attached file's name would lead out of the folder of attachments.
fn leaves_its_folder(entry: &serde_json::Value) -> bool {
    let name = entry.get("name").and_then(serde_json::Value::as_str).unwrap_or("");
    name.contains(['/', '\\']) || name == ".." || name == "."
}

/// Whether there is nothing in a text for Markdown: other spaces than ASCII's are text to it.
fn is_blank(text: &str) -> bool {
    text.trim_ascii().is_empty()
}

/// The length of the blank lines that a text starts with.
fn blank_lines(text: &str) -> usize {
    let lines = text.split_inclusive('\n').take_while(|line| is_blank(line));
    lines.map(str::len).sum()
}

/// Without a byte order mark, and with every line ending in `\n`.
fn with_plain_line_breaks(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.contains('\r') {
        true => Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")),
        false => Cow::Borrowed(text),
    }
}
