//! Which cells a run evaluates, in which order, and what each of them stands on: a function of the document.

use crate::analysis;
use crate::draw::Drawing;
use crate::event::{CellReport, CellStart, Output, OutputKind, Status, heading};
use crate::livemd::{Code, Language, Notebook};

/// A cell that is to be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedCell {
    /// Its number in the document, from 1; the setup's code is 0.
    pub index: usize,
    /// The name of its section; empty for the setup.
    pub section: String,
    /// The line to know it by.
    pub heading: String,
    /// The line of the file on which its source starts.
    pub line: usize,
    /// What it is written in.
    pub language: Language,
    /// Its source.
    pub source: String,
    /// The flow that it belongs to: 0 for the main flow, else the index of its branch's section, plus one.
    pub container: usize,
    /// The cells above that it can see, from the top, as places in the plan.
    pub ancestors: Vec<usize>,
}

/// The cells of a notebook, in the order of the document.
///
/// A cell of a regular section stands on all cells above it in regular sections; a cell of a branch on
/// those of its parent section and above, and on those above it in the branch.
pub fn plan(notebook: &Notebook) -> Vec<PlannedCell> {
    let mut cells: Vec<PlannedCell> = Vec::new();
    // The flow behind each section: the cells that whoever comes after it stands on.
    let mut behind: Vec<Vec<usize>> = Vec::new();
    let mut main: Vec<usize> = Vec::new();
    if let Some(code) = notebook.setup_code() {
        main.push(0);
        cells.push(planned(0, "", code, 0, Vec::new()));
    }
    let mut index = 0;
    for (place, section) in notebook.sections.iter().enumerate() {
        let parent = section.branch_parent_index.and_then(|parent| behind.get(parent).cloned());
        let is_branch = parent.is_some();
        let mut flow = parent.unwrap_or_else(|| main.clone());
        for code in section.cells.iter().filter_map(|cell| cell.code()) {
            index += 1;
            let container = if is_branch { place + 1 } else { 0 };
            cells.push(planned(index, &section.name, code, container, flow.clone()));
            flow.push(cells.len() - 1);
        }
        if !is_branch {
            main.clone_from(&flow);
        }
        behind.push(flow);
    }
    cells
}

/// The cell below a place that defines a name.
pub fn defined_below(plan: &[PlannedCell], place: usize, name: &str) -> Option<String> {
    let definer = plan[place + 1..].iter().find(|cell| cell.defines().iter().any(|defined| defined == name));
    definer.map(PlannedCell::label)
}

/// The manifest of the setup as a cell. It is no part of the plan: everything stands on it.
pub fn manifest(notebook: &Notebook) -> Option<PlannedCell> {
    notebook.manifest().map(|code| planned(0, "", code, 0, Vec::new()))
}

fn planned(index: usize, section: &str, code: &Code, container: usize, ancestors: Vec<usize>) -> PlannedCell {
    PlannedCell {
        index,
        section: section.to_owned(),
        heading: heading(&code.source),
        line: code.line,
        language: code.language,
        source: code.source.clone(),
        container,
        ancestors,
    }
}

impl PlannedCell {
    /// What messages call it.
    pub fn label(&self) -> String {
        if self.index == 0 { "the setup cell".to_owned() } else { format!("cell {}", self.index) }
    }

    /// The names that it defines, or would define if it were right.
    pub fn defines(&self) -> Vec<String> {
        analysis::defines(&self.source).into_iter().map(|defined| defined.name).collect()
    }

    /// Why it cannot be compiled, if it is not Rust.
    pub fn foreign(&self) -> Option<Drawing> {
        let what = format!("this cell is {}: only Rust cells run here", self.language.info());
        (self.language != Language::Rust).then(|| Drawing::error(what).with_help("the file keeps it as it is"))
    }

    /// That its turn has come.
    pub fn start(&self) -> CellStart {
        CellStart { index: self.index, section: self.section.clone(), heading: self.heading.clone(), line: self.line }
    }

    /// What is said of it when it has neither run nor shown anything.
    pub fn report(&self, status: Status) -> CellReport {
        CellReport {
            index: self.index,
            section: self.section.clone(),
            heading: self.heading.clone(),
            line: self.line,
            status,
            compile_ms: 0.0,
            run_ms: 0.0,
            cached: false,
            outputs: Vec::new(),
        }
    }

    /// The same, with the reason.
    pub fn report_why(&self, status: Status, why: impl Into<String>) -> CellReport {
        CellReport { outputs: vec![Output::new(OutputKind::Error, why)], ..self.report(status) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stands_on(text: &str) -> Vec<(usize, Vec<usize>)> {
        let (notebook, _) = crate::livemd::parse(text);
        plan(&notebook).into_iter().map(|cell| (cell.container, cell.ancestors)).collect()
    }

    #[test]
    fn the_main_flow_is_one_chain_through_all_regular_sections() {
        let text = "# N\n\n## A\n\n```rust\n1\n```\n\n## Empty\n\n## B\n\n```rust\n2\n```\n\n```rust\n3\n```\n";
        assert_eq!(stands_on(text), [(0, vec![]), (0, vec![0]), (0, vec![0, 1])]);
    }

    #[test]
    fn case_48_a_branch_stands_on_its_parent_and_nobody_stands_on_a_branch() {
        let text = "# N\n\n## A\n\n```rust\n1\n```\n\n<!-- livebook:{\"branch_parent_index\":0} -->\n\n## Branch\n\n\
                    ```rust\n2\n```\n\n```rust\n3\n```\n\n## B\n\n```rust\n4\n```\n";
        assert_eq!(stands_on(text), [(0, vec![]), (2, vec![0]), (2, vec![0, 1]), (0, vec![0])]);
    }
}
