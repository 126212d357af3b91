//! The text of a cell's crate: the user's own text, copied, between generated imports, the entry and the exports.
//! A decision on data alone; names were resolved by the caller.

use std::{fmt::Write, ops::Range};

use crate::{
    analysis::{Analysis, Keep, Kind, LAST, Past},
    mir::Handover,
    source_map::SourceMap,
};

/// Raised whenever the generated text changes, so that older compiled cells are not taken for current ones.
pub const VERSION: u32 = 4;

/// Stands for the cell's own key in the text, which is made from the text.
pub const OWN_KEY: &str = "0000000000000000";

/// A binding of a cell above, as this cell imports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingImport {
    /// Its name.
    pub name: String,
    /// Its type, as any crate can write it.
    pub ty: String,
    /// How it is handed over.
    pub handover: Handover,
}

/// What surrounds the user's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// `use` items for the crate's top level, without `;`.
    pub uses: Vec<String>,
    /// The bindings to import.
    pub bindings: Vec<BindingImport>,
    /// The values of other cells that the text asks for: the bindings of such names stand in their place.
    pub past: Vec<Past>,
    /// The bindings that cannot be exported, found out by an earlier attempt.
    pub withheld: Vec<String>,
}

/// What a generated part stands for, to tell whom a compiler error in it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Region {
    /// The export of a binding.
    Export(String),
    /// The import of a binding.
    Import(String),
}

/// A generated crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Its text, with [`OWN_KEY`] where the cell's own key belongs.
    pub text: String,
    /// Where the user's text went.
    pub source_map: SourceMap,
    /// Where the imports and exports are.
    pub regions: Vec<(Range<usize>, Region)>,
}

/// Lints that only say that this is a notebook are off. `unused_must_use` stays: a future that is never awaited is
/// the mistake that beginners make most.
const HEADER: &str = "\
#![allow(unused, nonstandard_style, private_interfaces, private_bounds, static_mut_refs, hidden_glob_reexports)]
#![allow(ambiguous_glob_reexports, exported_private_dependencies, improper_ctypes_definitions)]
#![warn(unused_must_use)]
extern crate greenroom_prelude;
use ::greenroom_stage::prelude::*;
";

/// The macros that print to the cell instead of the terminal.
pub const OUTPUT_MACROS: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];

/// The name of the crate of the cell with this key.
pub fn crate_name(key: &str) -> String {
    format!("cell_{key}")
}

/// The symbol of the entry of the cell with this key.
pub fn symbol(key: &str) -> String {
    format!("greenroom_cell_{key}")
}

/// Writes the crate of a cell.
pub fn generate(source: &str, analysis: &Analysis, around: &Surroundings) -> Generated {
    let mut writer = Writer { source, text: HEADER.to_owned(), source_map: SourceMap::default(), past: &around.past };
    let mut regions = Vec::new();
    for path in &around.uses {
        let _ = writeln!(writer.text, "{path};");
    }
    for item in &analysis.items {
        writer.item(item.clone(), analysis);
    }
    let _ = writeln!(
        writer.text,
        "#[unsafe(no_mangle)]\npub fn {}(__cell: ::greenroom_stage::cell::Context) -> ::greenroom_stage::cell::CellFuture \
         {{ ::std::boxed::Box::pin(async move {{",
        symbol(OWN_KEY)
    );
    for binding in &around.bindings {
        let start = writer.text.len();
        writer.take(binding);
        regions.push((start..writer.text.len(), Region::Import(binding.name.clone())));
    }
    for statement in &analysis.statements {
        writer.statements(statement.clone());
        writer.text.push('\n');
    }
    let keep = analysis.keep.filter(|_| !around.withheld.iter().any(|name| name == LAST));
    if let Some(value) = &analysis.value {
        // What is lent for the value ends with it, before the exports.
        writer.text.push_str(if keep.is_some() { "let __it = " } else { "" });
        // Borrowed where it is not kept, or a clone is, so that a cell can end in the name of a binding.
        writer.text.push_str(if keep == Some(Keep::Moved) { "match (" } else { "match &(" });
        writer.statements(value.clone());
        let start = writer.text.len();
        writer.text.push_str(match keep {
            Some(Keep::Moved) => ") { __it => { { let value = &__it; ",
            Some(Keep::Cloned) | None => ") { value => { { ",
        });
        writer.text.push_str(
            "use ::greenroom_stage::cell::{AsDebug as _, AsOpaque as _, AsRender as _};\n\
             (&&&::greenroom_stage::cell::Shown(value)).tag().show(&__cell, value); }\n",
        );
        writer.text.push_str(match keep {
            Some(Keep::Moved) => "__it } };\n",
            Some(Keep::Cloned) => {
                "use ::greenroom_stage::cell::{ByKeeping as _, ByLeaving as _};\n\
                 (&&::greenroom_stage::cell::Kept(value)).tag().keep(value) } };\n"
            }
            None => "} };\n",
        });
        // What never comes to a value cannot be kept: without that it is right.
        if keep.is_some() {
            regions.push((start..writer.text.len(), Region::Export(LAST.to_owned())));
        }
    }
    for defined in analysis.defines.iter().filter(|defined| defined.kind == Kind::Binding) {
        if around.withheld.contains(&defined.name) {
            continue;
        }
        let start = writer.text.len();
        match keep.filter(|_| defined.name == LAST) {
            // Nobody asks whether it is the same as before: most are never used.
            Some(_) => writer.put(LAST, "__it", ""),
            None => writer.put(
                &defined.name,
                &identifier(&defined.name),
                "let version = (&&::greenroom_stage::cell::Versioned(&value.0)).tag().of(&value.0); ",
            ),
        }
        regions.push((start..writer.text.len(), Region::Export(defined.name.clone())));
    }
    writer.text.push_str("::std::result::Result::Ok::<(), ::greenroom_stage::cell::CellError>(())\n}) }\n");
    Generated { text: writer.text, source_map: writer.source_map, regions }
}

/// A source whose brackets or quotes do not match, as it is: around it they could match by accident.
pub fn bare(source: &str) -> Generated {
    let mut writer = Writer { source, text: String::new(), source_map: SourceMap::default(), past: &[] };
    writer.copy(0..source.len());
    Generated { text: writer.text, source_map: writer.source_map, regions: Vec::new() }
}

/// A source that does not parse, inside of a function, for rustc to explain.
pub fn wrap(source: &str) -> Generated {
    let text = "async fn cell() {\n".to_owned();
    let mut writer = Writer { source, text, source_map: SourceMap::default(), past: &[] };
    writer.copy(0..source.len());
    writer.text.push_str("\n}\n");
    Generated { text: writer.text, source_map: writer.source_map, regions: Vec::new() }
}

/// A source that is still being typed, as the root of a crate for an editor's eyes: all of it in the function, whatever
/// it is, since what does not parse cannot be taken apart. With it, where a place of the source is. `crates` are those
/// that stand as modules beside it.
pub fn glimpse(source: &str, place: usize, around: &Surroundings, crates: &[&str]) -> (String, usize) {
    let mut writer = Writer { source, text: HEADER.to_owned(), source_map: SourceMap::default(), past: &around.past };
    for name in crates {
        let _ = writeln!(writer.text, "mod {name};");
    }
    for path in &around.uses {
        let _ = writeln!(writer.text, "{path};");
    }
    writer.text.push_str(
        "async fn cell(__cell: ::greenroom_stage::cell::Context) -> ::std::result::Result<(), \
         ::greenroom_stage::cell::CellError> {\n",
    );
    for binding in &around.bindings {
        writer.take(binding);
    }
    writer.statements(0..place);
    let there = writer.text.len();
    writer.statements(place..source.len());
    writer.text.push_str("\n}\n");
    (writer.text, there)
}

struct Writer<'a> {
    source: &'a str,
    text: String,
    source_map: SourceMap,
    past: &'a [Past],
}

impl Writer<'_> {
    fn copy(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let at = self.text.len();
        self.text.push_str(&self.source[range.clone()]);
        self.source_map.copied(&self.text, at, self.source, range);
    }

    /// Copies statements; values of other cells are put into their places.
    fn statements(&mut self, range: Range<usize>) {
        for (piece, number) in Past::pieces(self.past, range) {
            self.copy(piece);
            self.text.push_str(&number.map(clone_of).unwrap_or_default());
        }
    }

    /// Brings a binding of a cell above in.
    fn take(&mut self, BindingImport { name, ty, handover }: &BindingImport) {
        let ident = identifier(name);
        let _ = match handover {
            Handover::Clone => {
                writeln!(self.text, "let mut {ident}: {ty} = ::greenroom_stage::cell::import(&__cell, {name:?})?;")
            }
            Handover::Shared => writeln!(
                self.text,
                "let mut {ident} = ::greenroom_stage::cell::import_shared::<{ty}>(&__cell, {name:?})?;"
            ),
        };
    }

    /// Exports what stands under `ident`, with what says which `version` it is, if anything does.
    fn put(&mut self, name: &str, ident: &str, version: &str) {
        let versioned =
            if version.is_empty() { String::new() } else { format!("__cell.versioned({name:?}, version); ") };
        let _ = writeln!(
            self.text,
            "{{ use ::greenroom_stage::cell::{{ByClone as _, ByNothing as _, BySerialize as _, ByShare as _}}; let value = \
             ::greenroom_stage::cell::Exported({ident}); {version}(&&value).tag().put(&__cell, {name:?}, value.0); \
             {versioned}}}"
        );
    }

    fn item(&mut self, range: Range<usize>, analysis: &Analysis) {
        let mut start = range.start;
        let inside = |at: usize| range.start <= at && at < range.end;
        for edit in analysis.edits.iter().filter(|edit| inside(edit.range.start)) {
            self.copy(start..edit.range.start);
            self.text.push_str(edit.text);
            start = edit.range.end;
        }
        self.copy(start..range.end);
        self.text.push('\n');
    }
}

/// What stands in a text for the value of another cell.
pub fn clone_of(number: i64) -> String {
    format!("::std::clone::Clone::clone(&{})", identifier(&Past::name(number)))
}

/// A name as it is written in code: raw where it is a keyword, and that of a value of another cell as a word.
pub fn identifier(name: &str) -> String {
    if let Some(number) = Past::number(name) {
        let way = if number < 0 { "back_" } else { "" };
        return format!("__value_{way}{}", number.unsigned_abs());
    }
    if syn::parse_str::<syn::Ident>(name).is_ok() { name.to_owned() } else { format!("r#{name}") }
}
