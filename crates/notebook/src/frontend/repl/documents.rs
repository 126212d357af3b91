//! Commands, and those on the notebook as a whole.

use std::path::{Path, PathBuf};
use std::process::{Command as Program, Stdio};

use console::Style;

use super::nodes::ANEW;
use super::place::Place;
use super::{Repl, SETTLED, open};
use crate::document;
use crate::frontend::commands::{self, Command, Deps, GROUPS};
use crate::frontend::manifest;
use crate::frontend::view::Manner;
use crate::livemd::{self, Cell, Code, Language, Notebook};
use crate::session::data::text;
use crate::session::operation::{Evaluation, Operation, Runtime, SectionId, Structure};

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
            Command::Input(said) => self.input(said.as_deref()),
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
            Command::Clients => self.tell(&self.at.visitors(&self.data())),
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
        if self.seen.lock().file.as_deref().is_some_and(|file| is_same(file, path)) {
            return self.complain(&format!("{} is open here already", path.display()));
        }
        let opened = match document::read(path) {
            Ok(opened) => opened,
            Err(error) => return self.complain(&error.to_string()),
        };
        if !self.may_leave("`:open`") {
            return;
        }
        for warning in &opened.warnings {
            self.tell(&format!("warning: {warning}"));
        }
        if self.replace(&opened.notebook, Some(path)) {
            self.follow();
            self.opened(&opened.notebook, "`:run all` evaluates them, `:view` shows them");
        }
    }

    /// Says what was opened, and what can be done with its cells.
    pub(super) fn opened(&self, notebook: &Notebook, what: &str) {
        let name = &notebook.name;
        self.tell(&match notebook.code_cells().count() {
            0 => format!("{name}: no cells yet"),
            1 => format!("{name}: 1 cell; {what}"),
            cells => format!("{name}: {cells} cells; {what}"),
        });
    }

    /// Puts another notebook of this program's own in the place of this one; or, if it cannot be opened, says why. What
    /// is shown of it has to be followed anew.
    pub(super) fn replace(&mut self, notebook: &Notebook, path: Option<&Path>) -> bool {
        match open(notebook, &self.view, path) {
            Ok(live) => {
                std::mem::replace(&mut self.at, Place::Own(live)).leave(self.view.manner);
                self.section = None;
                true
            }
            Err(error) => {
                self.complain(&error.to_string());
                false
            }
        }
    }

    fn save(&mut self, path: Option<PathBuf>) {
        let own = self.seen.lock().file.clone();
        let Some(mut path) = path.or_else(|| own.clone()) else {
            return self.complain("it has no file yet: `:save FILE`");
        };
        if path.extension().is_none() {
            path.set_extension(document::EXTENSION);
        }
        let is_other = own.is_none_or(|own| !is_same(&own, &path));
        if is_other && path.exists() {
            return self.complain(&format!("{}: there is such a file already; choose another name", path.display()));
        }
        match self.at().save(Some(&path)) {
            Ok(()) => {
                // Told of by the notebook itself in a moment, to all who look.
                drop(self.seen.wait_until(SETTLED, |state| !state.is_dirty && state.file.is_some()));
                let folder = std::env::current_dir().unwrap_or_default();
                self.tell(&format!("saved as {}", path.strip_prefix(folder).unwrap_or(&path).display()));
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
        match self.apply(Runtime::Restart).or_else(|_| self.apply(Runtime::Connect)) {
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
        if let Err(error) = (self.show_document)(&self.at()) {
            self.complain(&format!("the terminal cannot be drawn on: {error}"));
        }
    }
}

/// Whether two paths lead to the same file, which need not be there yet.
fn is_same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).ok();
    whole(one) == whole(other)
}
