//! A notebook as plain Markdown: what a reader needs and nothing that only a notebook understands.

use crate::livemd::{self, Cell, Code, Notebook, SavedOutput, Smart};

/// The notebook as Markdown, with the outputs that are saved in it.
pub fn markdown(notebook: &Notebook) -> String {
    let mut blocks = vec![format!("# {}", notebook.name)];
    blocks.extend(notebook.setup.iter().filter(|code| !is_empty_manifest(code)).flat_map(code));
    for section in &notebook.sections {
        blocks.push(format!("## {}", section.name));
        if let Some(parent) = section.branch_parent_index.and_then(|parent| notebook.sections.get(parent)) {
            blocks.push(format!("*Branches from “{}”.*", parent.name));
        }
        for cell in &section.cells {
            match cell {
                Cell::Markdown(markdown) => blocks.push(markdown.text.clone()),
                Cell::Code(cell) | Cell::Smart(Smart { code: cell, .. }) => blocks.extend(code(cell)),
            }
        }
    }
    blocks.join("\n\n") + "\n"
}

/// A manifest that names nothing has nothing to say to a reader.
pub(super) fn is_empty_manifest(code: &Code) -> bool {
    code.language.is_manifest() && code.source.trim() == "[dependencies]"
}

fn code(code: &Code) -> Vec<String> {
    let source = livemd::fence(code.language.info(), &code.source);
    let output = |output: &SavedOutput| match output.info.as_str() {
        "" => livemd::fence("text", &output.text),
        info => livemd::fence(info, &output.text),
    };
    std::iter::once(source).chain(code.outputs.iter().map(output)).collect()
}
