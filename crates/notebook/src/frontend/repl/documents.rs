//! Commands on cells, names, and the notebook as a whole.

use std::path::{Path, PathBuf};
use std::process::{Command as Program, Stdio};

use console::Style;

use super::follow::{readable, standing};
use super::nodes::ANEW;
use super::{Repl, open};
use crate::compiler::CompileError;
use crate::frontend::commands::{self, Cells, Command, Deps, GROUPS};
use crate::frontend::complete::What;
use crate::frontend::view::{Manner, View};
use crate::frontend::{manifest, paint};
use crate::livemd::{self, Cell, Code, Language, Notebook};
use crate::session::ImagineError;
use crate::session::data::{Data, text};
use crate::session::operation::{CellId, Evaluation, Operation, Runtime, SectionHead, SectionId, Structure};
use crate::{analysis, document, prelude};

/// What is said of typing, below the commands.
const KEYS: &str = "\
Enter evaluates what is complete, else it begins the next line; two empty lines evaluate anything.
Alt-Enter  next line             Tab    complete            →      take the hint
Ctrl-C     stop, or begin anew   Ctrl-R search the history  Ctrl-D leave";

impl Repl {
    /// Does what a command says.
    pub(super) fn obey(&mut self, command: Command) {
        match command {
            Command::Help(None) => self.help(),
            Command::Help(Some(name)) => match commands::find(name.trim_start_matches(':')) {
                Some(word) => self.tell(&format!("{}\n    {}", word.usage(), word.help)),
                None => self.complain(&commands::NoCommand::Unknown { name, nearest: None }.to_string()),
            },
            Command::Info(name) => self.info(&name),
            Command::Type(source) => self.type_of(&source),
            Command::Doc(path) => self.doc(&path),
            Command::Source(None) => {
                let text = livemd::print(&self.data().document().to_notebook());
                self.tell(&text);
            }
            Command::Source(Some(name)) => self.source(&name),
            Command::Show(number) => self.show(number),
            Command::Cells => self.list(),
            Command::Run(cells) => self.run_cells(cells),
            Command::Stale => self.all_of(Evaluation::QueueStale, |data, cell| {
                data.info(cell).is_some_and(|info| info.validity != Default::default() && info.is_outdated())
            }),
            Command::Edit(number) => self.edit(number),
            Command::Delete(number) => {
                if let Some(cell) = self.cell(Some(number)) {
                    self.change(Structure::DeleteCell(cell), &format!("cell {number} is gone; `:undo` brings it back"));
                }
            }
            Command::Undo => self.change(Operation::Undo, "taken back"),
            Command::Redo => self.change(Operation::Redo, "done again"),
            Command::Branch(None) => {
                self.section = None;
                self.tell("in the main flow");
            }
            Command::Branch(Some(name)) => self.begin_section(name, true),
            Command::Section(name) => self.begin_section(name, false),
            Command::Deps(deps) => self.deps(deps),
            Command::Open(path) => self.open(&path),
            Command::Recover(number) => self.recover(number),
            Command::Save(path) => self.save(path),
            Command::Export(path) => self.export(&path),
            Command::View => self.view_document(),
            Command::Restart => self.restart(),
            // The loop has seen to it.
            Command::Quit => {}
            Command::Ps(_)
            | Command::Top(_)
            | Command::Tree(_)
            | Command::Trace(_)
            | Command::Flight
            | Command::Mailbox(_)
            | Command::State(_)
            | Command::Kill(_)
            | Command::Nodes
            | Command::Connect { .. }
            | Command::Node(_) => self.inspect(command),
        }
    }

    fn help(&self) {
        let widest = commands::words().map(|word| word.usage().len()).filter(|width| *width <= 30).max().unwrap_or(0);
        let mut said = String::new();
        for (group, words) in GROUPS {
            said.push_str(&self.view.look.paint(Style::new().bold(), group));
            said.push('\n');
            for word in *words {
                let usage = format!("{:widest$}", word.usage());
                let (name, rest) = usage.split_once(' ').unwrap_or((&usage, ""));
                let name = self.view.look.paint(Style::new().cyan(), name);
                said.push_str(&format!("  {name} {rest}  {}\n", word.help));
            }
            said.push('\n');
        }
        said.push_str(KEYS);
        self.tell(&said);
    }

    /// The cell of a number; the last one if none is said.
    fn cell(&mut self, number: Option<usize>) -> Option<CellId> {
        let (cells, count) = {
            let state = self.seen.lock();
            (state.cells.clone(), state.count)
        };
        let number = number.unwrap_or(count);
        let found = number.checked_sub(1).and_then(|at| cells.get(at).copied());
        if found.is_none() {
            self.complain(&match count {
                0 => "there is no cell yet".to_owned(),
                1 => format!("there is no cell {number}: there is only cell 1"),
                _ => format!("there is no cell {number}: they are 1 to {count}"),
            });
        }
        found
    }

    fn info(&mut self, name: &str) {
        let found = self.known.lock().name(name).cloned();
        let data = self.data();
        let Some(found) = found else {
            let defined = definer(&data, name);
            return match defined {
                Some(cell) => {
                    let (label, standing) = (data.document().label(cell), standing(&data, cell));
                    self.tell(&format!("`{name}` is defined in {label}, which has no values now: {standing}"));
                }
                None => self.no_such_name(name),
            };
        };
        let what = match &found.what {
            What::Binding(ty) => format!("{name}: {ty}"),
            What::Item(kind) => format!("{kind} {name}"),
        };
        let users: Vec<String> = data
            .document()
            .cells()
            .filter(|cell| {
                let source = data.document().runnable(*cell).map(|code| code.source.as_str());
                source
                    .and_then(|source| analysis::analyse(source).ok())
                    .is_some_and(|analysis| analysis.uses.iter().any(|used| used.name == name))
            })
            .map(|cell| data.document().number(cell).to_string())
            .collect();
        let used =
            if users.is_empty() { "no cell uses it".to_owned() } else { format!("used in {}", users.join(", ")) };
        let what = paint::source(&what, None, self.view.look);
        self.tell(&format!("{what}\n  defined in cell {}, {used}", found.cell));
    }

    fn no_such_name(&mut self, name: &str) {
        let nearest = {
            let known = self.known.lock();
            let near = |other: &str| strsim::jaro_winkler(other, name);
            let best = known.names.iter().map(|known| known.name.clone());
            best.max_by(|one, other| near(one).total_cmp(&near(other))).filter(|best| near(best) > 0.8)
        };
        self.complain(&match nearest {
            Some(nearest) => format!("no cell defines `{name}`: did you mean `{nearest}`?"),
            None => format!("no cell defines `{name}`"),
        });
    }

    fn type_of(&mut self, source: &str) {
        let probe = format!("let type_of = {{ {source} }};");
        let Some(section) = self.place() else { return };
        match self.at().imagine(section, &probe) {
            Ok(compiled) => {
                let found = compiled.exports.iter().find(|export| export.name == "type_of");
                let why = compiled.unavailable.iter().find(|other| other.name == "type_of");
                match (found, why) {
                    (Some(export), _) => {
                        let ty = paint::source(&readable(&export.ty), None, self.view.look);
                        self.tell(&ty);
                    }
                    (None, Some(why)) => {
                        self.complain(&format!("its type cannot be named in another cell: {}", why.reason))
                    }
                    (None, None) => self.complain("it never comes to its end"),
                }
            }
            Err(ImagineError::Compile(CompileError::Rustc { diagnostics } | CompileError::Parse { diagnostics })) => {
                let said: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.message.clone()).collect();
                self.complain(&said.join("\n"));
            }
            Err(error) => self.complain(&error.to_string()),
        }
    }

    fn doc(&mut self, path: &str) {
        let name = path.rsplit("::").next().unwrap_or(path).trim_end_matches('!').to_owned();
        let data = self.data();
        if let Some(cell) = definer(&data, &name) {
            let source = data.document().cell(cell).map_or("", text);
            let said = documented(source, &name);
            let label = data.document().label(cell);
            return self.tell(&match said {
                Some((doc, item)) => format!("{}\n{doc}", paint::source(&item, None, self.view.look)),
                None => format!("`{name}` of {label} has no documentation: write `///` above it"),
            });
        }
        match prelude::own_sources().find_map(|(_, source)| documented(source, &name)) {
            Some((doc, item)) => self.tell(&format!("{}\n{doc}", paint::source(&item, None, self.view.look))),
            None => self.tell(&match path.split_once("::") {
                Some(("std" | "core" | "alloc", _)) => format!("https://doc.rust-lang.org/std/?search={path}"),
                Some((krate, _)) => format!("https://docs.rs/{krate}/latest/{krate}/?search={name}"),
                None => format!("https://doc.rust-lang.org/std/?search={path}"),
            }),
        }
    }

    fn source(&mut self, name: &str) {
        let data = self.data();
        match definer(&data, name) {
            Some(cell) => {
                let source = paint::source(data.document().cell(cell).map_or("", text), None, self.view.look);
                let label = self.view.look.paint(Style::new().dim(), &format!("// {}", data.document().label(cell)));
                self.tell(&format!("{label}\n{source}"));
            }
            None => self.no_such_name(name),
        }
    }

    fn show(&mut self, number: Option<usize>) {
        let Some(cell) = self.cell(number) else { return };
        let data = self.data();
        let number = data.document().number(cell);
        let outputs = data.info(cell).map(|info| info.outputs.clone()).unwrap_or_default();
        let view = View { fold: usize::MAX, ..self.view };
        let shown: String = outputs.iter().map(|output| view.output(number, output)).collect();
        self.tell(if shown.is_empty() { "it has shown nothing" } else { &shown });
    }

    fn list(&self) {
        let data = self.data();
        let mut said = String::new();
        let many = data.document().sections().len() > 1;
        for section in data.document().sections() {
            if many {
                let sign = if section.head.parent.is_some() { "⑂ " } else { "" };
                let head = format!("{sign}{}", section.head.name);
                said.push_str(&format!("{}\n", self.view.look.paint(Style::new().bold(), &head)));
            }
            for &cell in &section.cells {
                let Some(code) = data.document().cell(cell).and_then(Cell::code) else { continue };
                let standing = standing(&data, cell);
                let style = match standing {
                    "done" => Style::new().green(),
                    "failed" | "no values" => Style::new().red(),
                    "stale" | "queued" | "running" => Style::new().yellow(),
                    _ => Style::new().dim(),
                };
                let number = format!("[{}]", data.document().number(cell));
                let room = self.view.look.width.saturating_sub(22).max(20);
                let heading = crate::event::heading(&code.source);
                let heading = console::truncate_str(&heading, room, "…");
                let heading = paint::source(&heading, None, self.view.look);
                said.push_str(&format!(
                    "{number:>5} {}  {heading}\n",
                    self.view.look.paint(style, &format!("{standing:9}"))
                ));
            }
        }
        self.tell(if said.is_empty() { "there is no cell yet" } else { &said });
    }

    fn run_cells(&mut self, cells: Cells) {
        match cells {
            Cells::All => self.all_of(Evaluation::QueueAll, |_, _| true),
            Cells::One(number) => {
                if let Some(cell) = self.cell(Some(number)) {
                    self.queue(Evaluation::Queue(vec![cell]), vec![cell]);
                }
            }
            Cells::Between(first, last) => {
                let (Some(_), Some(_)) = (self.cell(Some(first)), self.cell(Some(last))) else { return };
                let all = self.seen.lock().cells.clone();
                let some: Vec<_> = all.into_iter().skip(first - 1).take((last + 1).saturating_sub(first)).collect();
                self.queue(Evaluation::Queue(some.clone()), some);
            }
        }
    }

    /// Has cells evaluated, and waits for those that this is about.
    fn all_of(&mut self, operation: Evaluation, is_it: impl Fn(&Data, CellId) -> bool) {
        let data = self.data();
        let document = data.document();
        let cells: Vec<_> =
            document.cells().filter(|cell| document.runnable(*cell).is_some() && is_it(&data, *cell)).collect();
        if cells.is_empty() {
            return self.tell("everything is up to date");
        }
        self.queue(operation, cells);
    }

    /// Changes a cell in the person's editor, and evaluates it if it has changed.
    fn edit(&mut self, number: Option<usize>) {
        let Some(cell) = self.cell(number) else { return };
        let data = self.data();
        let Some(old) = data.document().cell(cell).map(|cell| text(cell).to_owned()) else { return };
        let name = data.document().label(cell).replace(' ', "-");
        match edited(&old, &name) {
            Ok(new) if new == old => self.tell("nothing was changed"),
            Ok(new) => {
                let edit = Structure::Edit { cell, at: 0, removed: old.len(), inserted: new };
                match self.at().apply(edit) {
                    Ok(()) => self.queue(Evaluation::Queue(vec![cell]), vec![cell]),
                    Err(refusal) => self.complain(&refusal.to_string()),
                }
            }
            Err(error) => self.complain(&error),
        }
    }

    fn change(&mut self, operation: impl Into<Operation>, said: &str) {
        match self.at().apply(operation) {
            Ok(()) => self.tell(said),
            Err(refusal) => self.complain(&refusal.to_string()),
        }
    }

    fn begin_section(&mut self, name: String, is_branch: bool) {
        let data = self.data();
        let sections = data.document().sections();
        let parent = sections.iter().rev().find(|section| section.head.parent.is_none()).map(|section| section.head.id);
        let id = SectionId(sections.iter().map(|section| section.head.id.0).max().unwrap_or(0) + 1);
        let head =
            SectionHead { id, name: name.clone(), parent: parent.filter(|_| is_branch), metadata: Default::default() };
        match self.at().apply(Structure::InsertSection { index: sections.len(), section: head }) {
            Ok(()) => {
                self.section = is_branch.then_some(id);
                self.settle(|state| state.lengths.contains_key(&id));
                let what = if is_branch { "in the branch" } else { "in the section" };
                let back = if is_branch { "; `:branch` leads back" } else { "" };
                self.tell(&format!("{what} {name}{back}"));
            }
            Err(refusal) => self.complain(&refusal.to_string()),
        }
    }

    fn deps(&mut self, deps: Deps) {
        let data = self.data();
        let cell = data.document().manifest();
        let old = cell.and_then(|cell| data.document().cell(cell)).map_or(String::new(), |cell| text(cell).to_owned());
        let new = match deps {
            Deps::List => {
                let listed = manifest::list(&old);
                return self.tell(if listed.is_empty() { "no crates but those of every notebook" } else { &listed });
            }
            Deps::Add { name, requirement } => manifest::with(&old, &name, &requirement),
            Deps::Remove(name) => match manifest::without(&old, &name) {
                Some(new) => new,
                None => {
                    return self
                        .complain(&format!("the notebook does not depend on `{name}`: `:deps` lists what it has"));
                }
            },
        };
        let change = match cell {
            Some(cell) => Structure::Edit { cell, at: 0, removed: old.len(), inserted: new },
            None => Structure::InsertCell {
                section: SectionId::SETUP,
                index: 0,
                id: data.unused_cell_id(),
                cell: Box::new(Cell::Code(Code::new(Language::Toml, new, 0))),
            },
        };
        self.change(change, "the next cell builds what it needs, in a new runtime");
    }

    fn open(&mut self, path: &Path) {
        let opened = match document::read(path) {
            Ok(opened) => opened,
            Err(error) => return self.complain(&error.to_string()),
        };
        if !self.may_leave() {
            return;
        }
        for warning in &opened.warnings {
            self.tell(&format!("warning: {warning}"));
        }
        let cells = opened.notebook.code_cells().count();
        let name = opened.notebook.name.clone();
        if self.replace(&opened.notebook, Some(path)) {
            self.path = Some(path.to_owned());
        }
        self.follow();
        self.tell(&format!("{name}: {cells} cells; `:run all` evaluates them, `:view` shows them"));
    }

    /// Puts another notebook in the place of this one; or, if it cannot be opened, an empty one, and says why. What is
    /// shown of it has to be followed anew.
    pub(super) fn replace(&mut self, notebook: &Notebook, path: Option<&Path>) -> bool {
        // The old one ends before the new one begins: both have the same names.
        self.give_up();
        (self.path, self.section) = (None, None);
        match open(notebook, &self.view, path) {
            Ok(live) => {
                self.live = Some(live);
                true
            }
            Err(error) => {
                self.complain(&format!("{error}: an empty notebook takes its place"));
                self.live = open(&super::beginning(), &self.view, None).ok();
                false
            }
        }
    }

    fn save(&mut self, path: Option<PathBuf>) {
        let Some(mut path) = path.or_else(|| self.path.clone()) else {
            return self.complain("it has no file yet: `:save FILE`");
        };
        if path.extension().is_none() {
            path.set_extension(document::EXTENSION);
        }
        let is_other = self.path.as_ref() != Some(&path);
        if is_other && path.exists() {
            return self.complain(&format!("{}: there is such a file already; choose another name", path.display()));
        }
        match self.at().save(Some(&path)) {
            Ok(()) => {
                self.tell(&format!("saved as {}", path.display()));
                self.path = Some(path);
            }
            Err(error) => self.complain(&error),
        }
    }

    /// Writes the notebook in another form; the program's own command does it.
    fn export(&mut self, path: &Path) {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let format = match extension {
            "rs" | "html" | "md" => extension,
            _ => return self.complain("it is not clear as what: name a file that ends in .rs, .html or .md"),
        };
        let written = || -> Result<String, String> {
            let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
            let file = folder.path().join("notebook.livemd");
            let text = livemd::print(&self.data().document().to_notebook());
            std::fs::write(&file, text).map_err(|error| error.to_string())?;
            let own = std::env::current_exe().map_err(|error| error.to_string())?;
            let mut program = Program::new(own);
            program.arg("export").arg(&file).args(["--to", format]);
            if format != "rs" {
                program.arg("--output").arg(path);
            }
            let done = program.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
            if !done.status.success() {
                return Err(String::from_utf8_lossy(&done.stderr).trim().to_owned());
            }
            if format == "rs" {
                std::fs::write(path, &done.stdout).map_err(|error| error.to_string())?;
            }
            Ok(format!("written to {}", path.display()))
        };
        match written() {
            Ok(said) => self.tell(&said),
            Err(error) => self.complain(&error),
        }
    }

    fn restart(&mut self) {
        match self.at().apply(Runtime::Restart).or_else(|_| self.at().apply(Runtime::Connect)) {
            Ok(()) => match self.seen.lock().node.clone() {
                None => self.tell("a new runtime; no cell has values, and what one needs is evaluated again"),
                Some(node) => self.tell(&format!("{node} forgets what this notebook has evaluated; {ANEW}")),
            },
            Err(refusal) => self.complain(&refusal.to_string()),
        }
    }

    fn view_document(&mut self) {
        if self.view.manner != Manner::Seen {
            return self.complain("the document view needs a terminal to draw on");
        }
        self.flush();
        if let Err(error) = (self.show_document)(&self.at(), "document") {
            self.complain(&format!("the terminal cannot be drawn on: {error}"));
        }
    }
}

/// The cell that gives a name its meaning at the end of the notebook.
fn definer(data: &Data, name: &str) -> Option<CellId> {
    let document = data.document();
    let defines = |cell: &CellId| {
        let source = document.runnable(*cell).map_or("", |code| code.source.as_str());
        analysis::defines(source).iter().any(|defined| defined.name == name)
    };
    document.cells().rev().find(defines)
}

/// The documentation of an item of a source, and the line that declares it.
fn documented(source: &str, name: &str) -> Option<(String, String)> {
    let lines: Vec<&str> = source.lines().collect();
    let declares = |line: &str| {
        let code =
            line.trim_start().trim_start_matches("pub ").trim_start_matches("async ").trim_start_matches("const ");
        let rest = ["fn ", "struct ", "enum ", "trait ", "type ", "mod ", "macro_rules! "];
        let named = rest.iter().find_map(|word| code.strip_prefix(word));
        named
            .and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
    };
    let at = lines.iter().position(|line| declares(line))?;
    let above = lines[..at]
        .iter()
        .rev()
        .map(|line| line.trim())
        .take_while(|line| line.starts_with("///") || line.starts_with("#["));
    let mut doc: Vec<_> =
        above.filter_map(|line| line.strip_prefix("///")).map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    doc.reverse();
    let item = lines[at].trim().trim_end_matches(['{', ' ', ';']).to_owned();
    (!doc.is_empty()).then(|| (doc.join("\n"), item))
}

/// A text as the person's editor leaves it.
fn edited(old: &str, name: &str) -> Result<String, String> {
    let say = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let editor = say("VISUAL").or_else(|| say("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join(format!("{name}.rs"));
    std::fs::write(&file, format!("{old}\n")).map_err(|error| error.to_string())?;
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let ended = Program::new(program)
        .args(words)
        .arg(&file)
        .status()
        .map_err(|error| format!("the editor `{editor}` does not start: {error}; set $EDITOR"))?;
    if !ended.success() {
        return Err(format!("the editor `{editor}` failed: {ended}; the cell is as it was"));
    }
    let new = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    Ok(new.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documentation_is_found_above_its_item() {
        let source = "/// Adds.\n///\n/// Well.\n#[inline]\npub fn add(a: u8) -> u8 {\n    a\n}\nfn adder() {}\n";
        let (doc, item) = documented(source, "add").expect("it has some");
        assert_eq!(doc, "Adds.\n\nWell.");
        assert_eq!(item, "pub fn add(a: u8) -> u8");
        assert_eq!(documented(source, "adder"), None);
    }
}
