//! From a notebook to its canonical text.
//!
//! The mirror of `import`: whatever that reads from a canonical file, this writes the same way.

use super::blocks::{BlockKind, blocks, push_fence};
use super::metadata;
use super::model::{Cell, Code, Language, Metadata, Notebook, Section};

pub(super) fn print(notebook: &Notebook) -> String {
    let mut page = Page::default();
    for comment in &notebook.comments {
        page.block(&format!("<!-- {comment} -->"));
    }
    let mut metadata = notebook.metadata.clone();
    if notebook.persist_outputs {
        metadata.insert("persist_outputs".into(), true.into());
    }
    page.metadata(&metadata);
    page.block(&heading("#", &notebook.name));
    for code in &notebook.setup {
        page.metadata(&metadata::of_code(&code.attributes));
        page.fence(code.language.info(), &code.source);
    }
    for section in &notebook.sections {
        page.section(section);
    }
    if let Some(stamp) = &notebook.stamp {
        page.metadata(stamp);
    }
    page.text
}

/// Blocks with a blank line between each two.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn block(&mut self, block: &str) {
        self.apart();
        self.text.push_str(block);
        self.text.push('\n');
    }

    /// Leaves a blank line below what is there.
    fn apart(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    fn metadata(&mut self, metadata: &Metadata) {
        if !metadata.is_empty() {
            self.block(&metadata::comment(metadata));
        }
    }

    fn flag(&mut self, key: &str) {
        self.metadata(&Metadata::from([(key.to_owned(), true.into())]));
    }

    fn fence(&mut self, info: &str, source: &str) {
        self.apart();
        push_fence(&mut self.text, info, source);
        self.text.push('\n');
    }

    fn section(&mut self, section: &Section) {
        let mut metadata = section.metadata.clone();
        if let Some(parent) = section.branch_parent_index {
            metadata.insert("branch_parent_index".into(), parent.into());
        }
        self.metadata(&metadata);
        self.block(&heading("##", &section.name));
        let mut after_prose = false;
        for cell in &section.cells {
            match cell {
                Cell::Markdown(markdown) => {
                    if after_prose {
                        self.flag("break_markdown");
                    }
                    self.block(&prose(&markdown.text));
                }
                Cell::Code(code) => self.code(metadata::of_code(&code.attributes), code),
                Cell::Smart(smart) => {
                    let mut metadata = metadata::of_code(&smart.code.attributes);
                    metadata.insert("attrs".into(), smart.attrs.clone());
                    metadata.insert("chunks".into(), smart.chunks.clone());
                    metadata.insert("kind".into(), smart.kind.clone().into());
                    metadata.insert("livebook_object".into(), "smart_cell".into());
                    self.code(metadata, &smart.code);
                }
            }
            after_prose = matches!(cell, Cell::Markdown(_));
        }
    }

    fn code(&mut self, metadata: Metadata, code: &Code) {
        self.metadata(&metadata);
        self.fence(code.language.info(), &code.source);
        for output in &code.outputs {
            let expected = output.expected.then(|| ("expected".to_owned(), true.into()));
            self.metadata(&expected.into_iter().chain([("output".to_owned(), true.into())]).collect());
            self.fence(&output.info, &output.text);
        }
    }
}

fn heading(marks: &str, text: &str) -> String {
    let text = text.replace('\n', " ");
    format!("{marks} {text}").trim_end().to_owned()
}

/// Prose with nothing in it that would be read as structure.
fn prose(text: &str) -> String {
    let mut printed = String::new();
    let mut from = 0;
    for block in blocks(text) {
        let above = &text[from..block.range.start];
        match &block.kind {
            BlockKind::Heading { level: 1 | 2, .. } => printed.push_str(above),
            BlockKind::Fence { info, .. }
                if Language::of_fence(info).is_some_and(|language| !language.is_manifest()) =>
            {
                let flag = Metadata::from([("force_markdown".to_owned(), true.into())]);
                printed.push_str(above);
                printed.push_str(&metadata::comment(&flag));
                printed.push_str("\n\n");
                printed.push_str(&text[block.range.clone()]);
            }
            _ => printed.push_str(&text[from..block.range.end]),
        }
        from = block.range.end;
    }
    printed.push_str(&text[from..]);
    printed.trim_ascii_end().to_owned()
}
