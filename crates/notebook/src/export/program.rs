//! A notebook as one Rust program. The items of each cell are a module, its statements a block of the flow that it
//! belongs to; a branch is a function. What a cell takes from those above it, it takes as it does in the notebook: as
//! its own clone.
//!
//! Which names a cell takes from where is known from its compilation; nothing is resolved here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::path::Path;

use toml::{Table, Value};

use crate::analysis::{Keep, Kind, LAST, Past};
use crate::check::scope;
use crate::compiler::{CompiledCell, Environment, Export};
use crate::generate::{clone_of, crate_name, identifier};
use crate::livemd::Notebook;
use crate::mir::Handover;
use crate::plan::PlannedCell;
use crate::prelude::{self, SetupError};

/// The files of a package, beside the crates in its folder [`Package::SOURCES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// `Cargo.toml`.
    pub manifest: String,
    /// `src/main.rs`.
    pub program: String,
}

impl Package {
    /// The folder of the package with the crates that it stands on; see [`prelude::write_sources`].
    pub const SOURCES: &str = "greenroom";
}

/// Why a notebook could not be written as a program.
#[derive(Debug)]
pub enum ProgramError {
    /// Its setup is not right.
    Setup(SetupError),
    /// This cell does not compile.
    Cell(String),
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProgramError::Setup(error) => error.fmt(f),
            ProgramError::Cell(cell) => write!(f, "{cell} does not compile, and so no program can be made of it"),
        }
    }
}

impl std::error::Error for ProgramError {}

/// The notebook as a package of this name.
///
/// # Errors
/// When its setup is not right, or a cell does not compile.
pub fn package(
    notebook: &Notebook,
    plan: &[PlannedCell],
    compiled: &[Option<CompiledCell>],
    name: &str,
) -> Result<Package, ProgramError> {
    let mut about = Table::from_iter([("name".to_owned(), Value::from(package_name(name)))]);
    about.insert("version".to_owned(), "0.1.0".into());
    about.insert("edition".to_owned(), "2024".into());
    let exclude = Table::from_iter([("exclude".to_owned(), Value::from(vec![Package::SOURCES]))]);
    let mut manifest = Table::new();
    manifest.insert("package".to_owned(), about.into());
    manifest.insert("workspace".to_owned(), exclude.into());
    manifest.insert("dependencies".to_owned(), dependencies(notebook, Package::SOURCES)?.into());
    Ok(Package { manifest: manifest.to_string(), program: program(notebook, plan, compiled)? })
}

/// The notebook as a cargo script, whose manifest stands at its top. `sources` has the crates that it stands on.
///
/// # Errors
/// As for [`package`].
pub fn script(
    notebook: &Notebook,
    plan: &[PlannedCell],
    compiled: &[Option<CompiledCell>],
    sources: &Path,
) -> Result<String, ProgramError> {
    let mut manifest = Table::new();
    manifest.insert("package".to_owned(), Table::from_iter([("edition".to_owned(), Value::from("2024"))]).into());
    manifest.insert("dependencies".to_owned(), dependencies(notebook, &sources.to_string_lossy())?.into());
    let program = program(notebook, plan, compiled)?;
    Ok(format!("#!/usr/bin/env -S cargo +nightly -Zscript\n---\n{manifest}---\n\n{program}"))
}

fn dependencies(notebook: &Notebook, sources: &str) -> Result<Table, ProgramError> {
    let setup = notebook.manifest().map_or("", |code| code.source.as_str());
    prelude::program_dependencies(setup, sources).map_err(ProgramError::Setup)
}

/// A name that cargo takes.
fn package_name(name: &str) -> String {
    let plain = |char: char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' };
    let name: String = name.chars().map(plain).collect();
    let name = name.trim_matches('-');
    match name.starts_with(|char: char| char.is_ascii_alphabetic()) {
        true => name.to_owned(),
        false => format!("notebook-{name}").trim_end_matches('-').to_owned(),
    }
}

const HEAD: &str = "\
#![allow(unused, nonstandard_style)]

use greenroom_stage::cell::CellError;
use greenroom_stage::prelude::*;
use greenroom_stage::show;

fn main() -> std::process::ExitCode {
    match greenroom::run(notebook()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!(\"error: {error:?}\");
            std::process::ExitCode::FAILURE
        }
    }
}
";

fn program(
    notebook: &Notebook,
    plan: &[PlannedCell],
    compiled: &[Option<CompiledCell>],
) -> Result<String, ProgramError> {
    let mut cells = Vec::new();
    for (place, cell) in plan.iter().enumerate() {
        let missing = || ProgramError::Cell(cell.label());
        let compiled_cell = compiled.get(place).and_then(Option::as_ref).ok_or_else(missing)?;
        let environment = Environment::of(&cell.source, &scope(plan, place, compiled)).map_err(|_| missing())?;
        cells.push(Cell { plan: cell, compiled: compiled_cell, environment });
    }
    // Of cells that are the same in every respect, the first has the items.
    let mut modules: BTreeMap<&str, usize> = BTreeMap::new();
    for cell in &cells {
        modules.entry(&cell.compiled.key).or_insert(cell.plan.index);
    }
    let bindings = || cells.iter().flat_map(|cell| cell.environment.around.bindings.iter().map(move |own| (cell, own)));
    let is_last_used = bindings().any(|(_, binding)| binding.name == LAST);
    let asked_for = bindings().filter_map(|(cell, binding)| cell.past(&binding.name)).collect();
    let writer = Writer { notebook, cells: &cells, modules, is_last_used, asked_for };
    Ok(writer.program())
}

struct Cell<'a> {
    plan: &'a PlannedCell,
    compiled: &'a CompiledCell,
    environment: Environment,
}

struct Writer<'a> {
    notebook: &'a Notebook,
    cells: &'a [Cell<'a>],
    modules: BTreeMap<&'a str, usize>,
    /// Whether any cell uses the last value above it.
    is_last_used: bool,
    /// The numbers of the cells whose values others ask for.
    asked_for: BTreeSet<usize>,
}

impl Cell<'_> {
    /// The number of the cell whose value a name stands for, if it does.
    fn past(&self, name: &str) -> Option<usize> {
        Past::cell(Past::number(name)?, self.plan.index)
    }

    /// Where the program has what a name of this cell stands for.
    fn source_of(&self, name: &str) -> String {
        self.past(name).map_or_else(|| identifier(name), value_of)
    }

    /// A statement, with the values of other cells in their places.
    fn statement(&self, range: std::ops::Range<usize>) -> String {
        let pieces = Past::pieces(&self.environment.around.past, range);
        pieces
            .map(|(piece, number)| self.plan.source[piece].to_owned() + &number.map(clone_of).unwrap_or_default())
            .collect()
    }
}

impl Writer<'_> {
    fn program(&self) -> String {
        let mut text = format!("//! {}\n\n{HEAD}", self.notebook.name.replace('\n', " "));
        // Writing to a string cannot fail.
        let _ = write!(text, "\n/// The main flow of the notebook.\nasync fn notebook() -> Result<(), CellError> {{\n");
        text.push_str(&self.flow(0));
        text.push_str("Ok(())\n}\n");
        for (place, section) in self.notebook.sections.iter().enumerate() {
            if self.cells_of(place + 1).next().is_none() {
                continue;
            }
            let parameters = self.taken(place + 1).into_iter().map(|(name, ty)| format!("{name}: {ty}"));
            let parameters: Vec<_> = parameters.collect();
            let _ = write!(
                text,
                "\n/// The branch “{}”.\nasync fn branch_{place}({}) -> Result<(), CellError> {{\n",
                section.name.replace('\n', " "),
                parameters.join(", ")
            );
            text.push_str(&self.flow(place + 1));
            text.push_str("Ok(())\n}\n");
        }
        for cell in self.cells.iter().filter(|cell| self.has_module(cell)) {
            text.push_str(&self.module(cell));
        }
        text
    }

    fn cells_of(&self, container: usize) -> impl Iterator<Item = &Cell<'_>> {
        self.cells.iter().filter(move |cell| cell.plan.container == container)
    }

    /// The blocks of a flow, and in the main one, behind each section, the calls of its branches.
    fn flow(&self, container: usize) -> String {
        let mut text = String::new();
        let mut cells = self.cells_of(container).peekable();
        let is_main = container == 0;
        while let Some(cell) = cells.next_if(|cell| cell.plan.index == 0) {
            text.push_str(&self.block(cell));
        }
        for (place, section) in self.notebook.sections.iter().enumerate() {
            let is_here = if is_main { section.branch_parent_index.is_none() } else { place + 1 == container };
            if !is_here {
                continue;
            }
            let count = section.cells.iter().filter(|cell| cell.code().is_some()).count();
            for cell in cells.by_ref().take(count) {
                text.push_str(&self.block(cell));
            }
            let branches = self.notebook.sections.iter().enumerate();
            for (branch, _) in branches.filter(|(_, section)| is_main && section.branch_parent_index == Some(place)) {
                if self.cells_of(branch + 1).next().is_some() {
                    let clones = self.taken(branch + 1).into_iter().map(|(name, _)| clone(&name));
                    let _ = writeln!(text, "branch_{branch}({}).await?;", clones.collect::<Vec<_>>().join(", "));
                }
            }
        }
        text
    }

    /// The bindings of the main flow that a branch takes, with their types.
    fn taken(&self, container: usize) -> Vec<(String, String)> {
        let mut own: BTreeSet<String> = BTreeSet::new();
        let mut taken: Vec<(String, String)> = Vec::new();
        for cell in self.cells_of(container) {
            for binding in &cell.environment.around.bindings {
                let name = cell.source_of(&binding.name);
                if !own.contains(&name) && !taken.iter().any(|(known, _)| *known == name) {
                    let ty = self.renamed(&binding.ty);
                    taken.push((name, if binding.handover == Handover::Shared { format!("Shared<{ty}>") } else { ty }));
                }
            }
            own.extend(cell.compiled.exports.iter().map(|export| identifier(&export.name)));
            own.insert(value_of(cell.plan.index));
        }
        taken
    }

    /// The statements of a cell, and what they leave to the cells below.
    fn block(&self, cell: &Cell<'_>) -> String {
        let analysis = &cell.environment.analysis;
        let mut text = format!("// {}\n", cell.plan.label());
        if analysis.statements.is_empty() && analysis.value.is_none() {
            return String::new();
        }
        let is_asked_for = self.asked_for.contains(&cell.plan.index);
        let keep = analysis.keep.filter(|_| self.is_last_used || is_asked_for);
        let is_exported = |export: &&Export| analysis.keep.is_none() || keep.is_some() || export.name != LAST;
        let exported = || cell.compiled.exports.iter().filter(is_exported);
        let exports: Vec<_> = exported().map(|export| identifier(&export.name)).collect();
        let value = |export: &Export| match export.handover {
            Handover::Clone => identifier(&export.name),
            Handover::Shared => format!("Shared::new({})", identifier(&export.name)),
        };
        let values: Vec<_> = exported().map(value).collect();
        let _ = match exports.as_slice() {
            [] => writeln!(text, "{{"),
            [only] => writeln!(text, "let {only} = {{"),
            several => writeln!(text, "let ({}) = {{", several.join(", ")),
        };
        text.push_str(&self.uses(cell));
        if self.has_items(cell) {
            let _ = writeln!(text, "use crate::{}::*;", self.module_name(cell));
        }
        for binding in &cell.environment.around.bindings {
            let _ =
                writeln!(text, "let mut {} = {};", identifier(&binding.name), clone(&cell.source_of(&binding.name)));
        }
        for statement in &analysis.statements {
            let _ = writeln!(text, "{}", cell.statement(statement.clone()));
        }
        if let Some(value) = &analysis.value {
            let value = cell.statement(value.clone());
            let is_kept = exports.iter().any(|name| name == LAST);
            let _ = match keep.filter(|_| is_kept) {
                Some(Keep::Moved) => writeln!(text, "let {LAST} = {value};\nshow!({LAST});"),
                Some(Keep::Cloned) => writeln!(text, "let {LAST} = Clone::clone(&({value}));\nshow!({LAST});"),
                None => writeln!(text, "show!({value});"),
            };
        }
        let _ = match values.as_slice() {
            [] => writeln!(text, "}}"),
            [only] => writeln!(text, "{only}\n}};"),
            several => writeln!(text, "({})\n}};", several.join(", ")),
        };
        if is_asked_for {
            let _ = writeln!(text, "let {} = {};", value_of(cell.plan.index), clone(LAST));
        }
        text
    }

    /// The items of a cell.
    fn module(&self, cell: &Cell<'_>) -> String {
        let analysis = &cell.environment.analysis;
        let mut text = format!(
            "\nmod {} {{\n//! The items of {}.\n\nuse greenroom_stage::prelude::*;\n{}\n",
            self.module_name(cell),
            cell.plan.label(),
            self.uses(cell)
        );
        for item in &analysis.items {
            let mut start = item.start;
            for edit in analysis.edits.iter().filter(|edit| item.contains(&edit.range.start)) {
                text.push_str(&cell.plan.source[start..edit.range.start]);
                // In one crate a macro is reached like any other item.
                if edit.text.trim() != "#[macro_export]" {
                    text.push_str(edit.text);
                }
                start = edit.range.end;
            }
            text.push_str(&cell.plan.source[start..item.end]);
            text.push('\n');
        }
        for defined in analysis.defines.iter().filter(|defined| defined.kind == Kind::Macro) {
            let _ = writeln!(text, "pub(crate) use {};", identifier(&defined.name));
        }
        text.push_str("}\n");
        text
    }

    fn has_items(&self, cell: &Cell<'_>) -> bool {
        !cell.environment.analysis.items.is_empty()
    }

    fn has_module(&self, cell: &Cell<'_>) -> bool {
        self.has_items(cell) && self.modules.get(cell.compiled.key.as_str()) == Some(&cell.plan.index)
    }

    fn module_name(&self, cell: &Cell<'_>) -> String {
        let index = self.modules.get(cell.compiled.key.as_str()).copied().unwrap_or(cell.plan.index);
        format!("cell_{index}")
    }

    /// What a cell brings in from the cells above it. It prints as any program does.
    fn uses(&self, cell: &Cell<'_>) -> String {
        let uses = cell.environment.around.uses.iter().filter(|path| !path.contains("::greenroom_stage::"));
        uses.map(|path| self.renamed(path) + ";\n").collect()
    }

    /// A path or a type in which the crates of cells are modules.
    fn renamed(&self, text: &str) -> String {
        self.modules.iter().fold(text.to_owned(), |text, (key, index)| {
            text.replace(&format!("{}::", crate_name(key)), &format!("crate::cell_{index}::"))
        })
    }
}

fn clone(ident: &str) -> String {
    format!("Clone::clone(&{ident})")
}

/// The name that the value of a cell has in the whole program.
fn value_of(cell: usize) -> String {
    format!("value_of_{cell}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_has_a_name_that_cargo_takes() {
        let names = ["My notes", "2 things!", "-", "naïve"].map(package_name);
        assert_eq!(names, ["my-notes", "notebook-2-things", "notebook", "na-ve"]);
    }
}
