//! The title of a document: which heading it is, and what its comments say of the notebook as a whole.

use std::ops::Range;

use super::prose::is_blank;
use super::{Import, unreadable};
use crate::livemd::blocks::{Block, BlockKind};
use crate::livemd::metadata::{self, Fields};
use crate::livemd::model::DEFAULT_NAME;

/// Which blocks make up the title: its heading, and the comments right above it.
pub(super) struct Title {
    pub(super) comments: Range<usize>,
    pub(super) heading: usize,
    /// The line on which it starts, its comments included.
    pub(super) line: usize,
}

impl Import<'_> {
    pub(super) fn choose_title(&mut self, blocks: &[Block<'_>]) -> Option<Title> {
        let is_title = |block: &Block<'_>| matches!(block.kind, BlockKind::Heading { level: 1, .. });
        let is_comment = |block: &Block<'_>| matches!(block.kind, BlockKind::Comment(_));
        let found: Vec<_> = (0..blocks.len()).filter(|&at| is_title(&blocks[at])).collect();
        let &[heading] = found.as_slice() else {
            self.notebook.name = DEFAULT_NAME.to_owned();
            self.demote = !found.is_empty();
            match found.get(1) {
                None => self.warn(1, format!("no heading `# …` names the notebook; it is called \"{DEFAULT_NAME}\"")),
                Some(&second) => {
                    let line = self.line(blocks[second].range.start);
                    let count = found.len();
                    self.warn(
                        line,
                        format!(
                            "{count} headings `# …`, where one names the notebook; every heading goes one level down"
                        ),
                    );
                }
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

    pub(super) fn title_comment(&mut self, block: &Block<'_>) {
        let BlockKind::Comment(comment) = &block.kind else {
            return;
        };
        self.pass(block);
        let line = self.line(block.range.start);
        match metadata::parse(comment) {
            Some(Ok(metadata)) => self.put_pending(metadata, line),
            Some(Err(error)) => self.warn(line, unreadable(&error)),
            None => self.notebook.comments.push((*comment).to_owned()),
        }
    }

    pub(super) fn title(&mut self, block: &Block<'_>, first_line: usize) {
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
}

/// Whether an attached file's name would lead out of the folder of attachments.
fn leaves_its_folder(entry: &serde_json::Value) -> bool {
    let name = entry.get("name").and_then(serde_json::Value::as_str).unwrap_or("");
    name.contains(['/', '\\']) || name == ".." || name == "."
}
