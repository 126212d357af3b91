//! Commands on names: what one is, who defines it, and what is said of it.

use console::Style;

use super::Repl;
use super::follow::{readable, standing};
use crate::frontend::complete::What;
use crate::frontend::paint;
use crate::session::data::{Data, text};
use crate::session::operation::CellId;
use crate::{analysis, prelude};

impl Repl {
    pub(super) fn info(&mut self, name: &str) {
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

    pub(super) fn type_of(&mut self, source: &str) {
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
            Err(error) => self.complain(&error.to_string()),
        }
    }

    pub(super) fn doc(&mut self, path: &str) {
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

    pub(super) fn source(&mut self, name: &str) {
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
