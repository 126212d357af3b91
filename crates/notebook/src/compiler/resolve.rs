//! Which names of which cells above a cell imports: the nearest cell that defines a name wins. Traits, and whatever
//! a `use` of a cell above brings in, come along unnamed, so that their methods are found.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    CompileError, Item, Scope,
    scope::{Missing, NoValue},
};
use crate::{
    analysis::{Analysis, Kind, PAST, Past},
    generate::{self, BindingImport, OUTPUT_MACROS, Surroundings},
    rustc::diagnostic::Diagnostic,
};

/// What the text of a cell needs around it.
pub(super) struct Resolved {
    pub(super) around: Surroundings,
    /// The crates that the surroundings name.
    pub(super) crates: Vec<String>,
    /// The names of cells above that the cell uses, sorted.
    pub(super) uses: Vec<String>,
}

/// Resolves the names that a cell uses.
///
/// # Errors
/// When a name that is used for sure belongs to a cell that failed, or cannot leave its cell.
pub(super) fn resolve(analysis: &Analysis, scope: &Scope) -> Result<Resolved, CompileError> {
    let own: BTreeSet<&str> = analysis
        .defines
        .iter()
        .filter(|defined| defined.kind != Kind::Binding)
        .map(|defined| defined.name.as_str())
        .collect();
    let mut named: BTreeMap<&str, &str> = BTreeMap::new();
    let mut bindings = Vec::new();
    let mut uses = BTreeSet::new();
    // A function of that name is the user's own.
    let past = if matches!(scope.item(PAST), Some(Ok(_))) { Vec::new() } else { analysis.past.clone() };
    for used in &analysis.uses {
        let name = used.name.as_str();
        if let Some(number) = Past::number(name) {
            if !past.is_empty() {
                let export = scope.value(number).map_err(|why| no_value(number, &why, used.span.clone()))?;
                uses.insert(name.to_owned());
                let (ty, handover) = (export.ty.clone(), export.handover);
                bindings.push(BindingImport { name: name.to_owned(), ty, handover });
            }
            continue;
        }
        let nearest = scope.definer(name);
        let is_binding = used.binding
            && nearest.is_some_and(|cell| {
                cell.state.as_ref().is_ok_and(|cell| {
                    cell.defines.iter().any(|defined| defined.name == name && defined.kind == Kind::Binding)
                })
            });
        if is_binding || matches!(scope.item(name), Some(Err(_))) {
            let binding =
                nearest.and_then(|cell| cell.state.as_ref().ok()?.exports.iter().find(|export| export.name == name));
            match (binding, scope.missing(name)) {
                (Some(export), _) if is_binding => {
                    uses.insert(name.to_owned());
                    bindings.push(BindingImport {
                        name: name.to_owned(),
                        ty: export.ty.clone(),
                        handover: export.handover,
                    });
                }
                (_, Some(missing)) if used.certain => {
                    let (name, span) = (name.to_owned(), used.span.clone());
                    match missing {
                        Missing::Failed(cell) => {
                            return Err(CompileError::DependsOnFailed { name, cell: cell.to_owned(), span });
                        }
                        Missing::Unavailable(cell, reason) => {
                            let (cell, reason) = (cell.to_owned(), reason.to_owned());
                            return Err(CompileError::Unavailable { name, cell, reason, span });
                        }
                        // rustc will say that an item cannot see it.
                        Missing::Binding(_) => {}
                    }
                }
                _ => {}
            }
        }
        if let Some(Ok(item)) = scope.item(name)
            && !own.contains(name)
        {
            uses.insert(name.to_owned());
            named.insert(name, &item.path);
            for (name, path) in item.needs.iter().filter(|(name, _)| !own.contains(name.as_str())) {
                named.entry(name).or_insert(path);
            }
        }
    }
    let mut paths: Vec<String> = Vec::new();
    let calls: Vec<&str> = analysis.uses.iter().map(|used| used.name.as_str()).collect();
    for name in OUTPUT_MACROS {
        if !own.contains(name)
            && !named.contains_key(name)
            && (calls.contains(&name) || !analysis.macro_uses.is_empty())
        {
            paths.push(format!("use ::greenroom_stage::{name}"));
        }
    }
    // What a `use` of the cell starts from must be as public as that `use`.
    let is_root = |name: &str| analysis.imports.iter().any(|import| import.path.split("::").next() == Some(name));
    paths.extend(named.iter().map(|(name, path)| {
        let visibility = if is_root(name) { "pub " } else { "" };
        format!("{visibility}use {}", renamed(path, name))
    }));
    paths.extend(unnamed(scope, &own, &named));
    let crates = crates(&paths, &bindings);
    let around = Surroundings { uses: paths, bindings, past, withheld: Vec::new() };
    Ok(Resolved { around, crates, uses: uses.into_iter().collect() })
}

/// What is said where a cell has no value that another asks for.
fn no_value(number: i64, why: &NoValue<'_>, span: std::ops::Range<usize>) -> CompileError {
    let name = Past::name(number);
    let message = match why {
        NoValue::Failed(cell) => {
            return CompileError::DependsOnFailed { name, cell: (*cell).to_owned(), span };
        }
        NoValue::Unavailable(cell, reason) => {
            let (cell, reason) = ((*cell).to_owned(), (*reason).to_owned());
            return CompileError::Unavailable { name, cell, reason, span };
        }
        NoValue::NoCell => format!("`{name}` is the value of no cell above that was evaluated"),
        NoValue::Nothing(cell) => format!("{cell} has no value: it does not end in an expression"),
    };
    CompileError::Parse { diagnostics: vec![Diagnostic::error(message, span)] }
}

fn renamed(path: &str, name: &str) -> String {
    let last = path.rsplit("::").next().unwrap_or(path);
    if last == name { path.to_owned() } else { format!("{path} as {name}") }
}

/// Traits and imports of cells above, the nearest of each name, and their globs.
fn unnamed(scope: &Scope, own: &BTreeSet<&str>, named: &BTreeMap<&str, &str>) -> Vec<String> {
    let mut known: BTreeSet<&str> = own.iter().chain(named.keys()).copied().collect();
    let mut paths: Vec<String> = Vec::new();
    for item in scope.compiled().flat_map(|cell| &cell.items) {
        let path = match item.kind {
            Kind::Import if item.path.ends_with('*') => format!("use {}", item.path),
            Kind::Import | Kind::Trait if item.name.is_empty() => format!("use {} as _", item.path),
            // No trait has a lower-case name.
            Kind::Import if item.name.starts_with(|c: char| c.is_lowercase()) => continue,
            Kind::Import | Kind::Trait if known.insert(&item.name) => {
                format!("use {} as _", item.path)
            }
            _ => continue,
        };
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// The crates that a text names: every word before a `::` may be one.
fn crates(paths: &[String], bindings: &[BindingImport]) -> Vec<String> {
    let texts = paths.iter().chain(bindings.iter().map(|binding| &binding.ty));
    let mut crates = BTreeSet::new();
    for text in texts {
        for part in text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':') {
            if let Some((first, _)) = part.trim_start_matches("::").split_once("::") {
                crates.insert(first.to_owned());
            }
        }
    }
    crates.into_iter().collect()
}

/// The items of a cell, with paths that any crate can write.
pub(super) fn items(key: &str, analysis: &Analysis, scope: &Scope) -> Vec<Item> {
    let krate = generate::crate_name(key);
    let is_own =
        |name: &str| analysis.defines.iter().any(|defined| defined.kind != Kind::Binding && defined.name == name);
    let absolute = |path: &str, leads_on: bool| {
        let (first, rest) = path.split_once("::").map_or((path, ""), |(first, _)| (first, &path[first.len()..]));
        match first {
            "" => path.to_owned(),
            "crate" | "self" => format!("{krate}{rest}"),
            _ if is_own(first) && (leads_on || !rest.is_empty()) => format!("{krate}::{path}"),
            _ => match scope.item(first) {
                Some(Ok(item)) => format!("{}{rest}", item.path),
                _ => path.to_owned(),
            },
        }
    };
    let mut items = Vec::new();
    for defined in &analysis.defines {
        if matches!(defined.kind, Kind::Binding | Kind::Import) {
            continue;
        }
        items.push(Item {
            name: defined.name.clone(),
            kind: defined.kind,
            path: format!("{krate}::{}", defined.name),
            needs: match defined.kind {
                Kind::Macro => needs(&defined.name, &krate, analysis, scope),
                _ => Vec::new(),
            },
        });
    }
    for import in &analysis.imports {
        let path = absolute(&import.path, import.glob);
        items.push(Item {
            name: import.name.clone().unwrap_or_default(),
            kind: Kind::Import,
            path: if import.glob { format!("{path}::*") } else { path },
            needs: Vec::new(),
        });
    }
    // `extern crate a as b`.
    for defined in analysis.defines.iter().filter(|defined| defined.kind == Kind::Import) {
        if !items.iter().any(|item| item.name == defined.name) {
            let path = format!("{krate}::{}", defined.name);
            items.push(Item { name: defined.name.clone(), kind: Kind::Import, path, needs: Vec::new() });
        }
    }
    items
}

/// What the callers of a macro must see: what its body names, and what the macros in there need in turn.
fn needs(name: &str, krate: &str, analysis: &Analysis, scope: &Scope) -> Vec<(String, String)> {
    let mut needs: Vec<(String, String)> = Vec::new();
    let mut open = vec![name];
    let mut done = BTreeSet::new();
    while let Some(name) = open.pop() {
        if !done.insert(name) {
            continue;
        }
        let words = analysis.macro_uses.iter().filter(|(own, _)| own == name).flat_map(|(_, words)| words);
        for word in words {
            let own = analysis.defines.iter().find(|defined| defined.kind != Kind::Binding && defined.name == *word);
            if own.is_some() {
                needs.push((word.clone(), format!("{krate}::{word}")));
                open.push(word);
            } else if let Some(Ok(item)) = scope.item(word) {
                needs.push((word.clone(), item.path.clone()));
                needs.extend(item.needs.iter().cloned());
            }
        }
    }
    needs
}
