//! The setup cell: which dependencies it names, and the manifest of the prelude that has them. Whether they exist is
//! for cargo to say.

use std::fmt;

use toml::{Table, Value};

/// The folder of a prelude's project that leads to our own crates, which are a workspace of their own.
pub(super) const OWN: &str = "own";

/// What is wrong with a setup cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupError {
    /// What, and how to mend it.
    pub message: String,
    /// Where, in bytes of the setup cell.
    pub span: Option<std::ops::Range<usize>>,
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the setup cell is not right: {}", self.message)
    }
}

impl std::error::Error for SetupError {}

/// The `[dependencies]` of a setup cell.
pub(super) fn dependencies(setup: &str) -> Result<Table, SetupError> {
    let table: Table = setup
        .parse()
        .map_err(|error: toml::de::Error| SetupError { message: error.message().to_owned(), span: error.span() })?;
    let mut dependencies = Table::new();
    for (key, value) in table {
        match (key.as_str(), value) {
            ("dependencies", Value::Table(table)) => dependencies = table,
            ("package", _) => {}
            (key, _) => {
                return Err(wrong(setup, key, format!("only `[dependencies]` can be set up, not `{key}`")));
            }
        }
    }
    for (name, value) in &dependencies {
        let package = value.get("package").and_then(Value::as_str).unwrap_or(name);
        if package.starts_with("greenroom") {
            return Err(wrong(setup, name, format!("`{package}` is part of every notebook: remove this line")));
        }
        if !(value.is_str() || value.is_table()) {
            return Err(wrong(setup, name, format!("`{name}` needs a version, as in `{name} = \"1\"`")));
        }
        let relative = value.get("path").and_then(Value::as_str).is_some_and(|path| !path.starts_with('/'));
        if relative {
            return Err(wrong(setup, name, format!("the path of `{name}` must be absolute")));
        }
    }
    Ok(dependencies)
}

fn wrong(setup: &str, word: &str, message: String) -> SetupError {
    SetupError { message, span: setup.find(word).map(|start| start..start + word.len()) }
}

/// What a setup names, and what every notebook stands on. `sources` is where our own crates are.
pub(super) fn all_dependencies(dependencies: &Table, workspace: &Table, sources: &str) -> Table {
    let mut all = Table::new();
    for (name, folder) in [("greenroom", "actors"), ("greenroom-cluster", "cluster"), ("greenroom-stage", "stage")] {
        let path = Value::from(format!("{sources}/crates/{folder}"));
        all.insert(name.to_owned(), Table::from_iter([("path".to_owned(), path)]).into());
    }
    let ours = workspace.get("dependencies").and_then(Value::as_table);
    for name in ["serde", "tokio"] {
        let own = ours.and_then(|table| table.get(name)).cloned().unwrap_or_else(|| Value::from("1"));
        all.insert(name.to_owned(), own);
    }
    for (name, theirs) in dependencies {
        let merged = match all.get(name) {
            Some(own) => with_features_of(theirs.clone(), own),
            None => theirs.clone(),
        };
        all.insert(name.clone(), merged);
    }
    all
}

/// The prelude's manifest, and the names of the crates that it re-exports. `sources` is where our own crates are.
pub(super) fn manifest(dependencies: &Table, workspace: &Table, sources: &str) -> (String, Vec<String>) {
    let all = all_dependencies(dependencies, workspace, sources);
    let names = all.keys().map(|name| name.replace('-', "_")).collect();
    let mut manifest = Table::new();
    manifest.insert("dependencies".to_owned(), all.into());
    let head = format!("[workspace]\nexclude = [\"{OWN}\"]\n\n");
    let head = head
        + "[package]\nname = \"greenroom-prelude\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
                       [lib]\ncrate-type = [\"dylib\"]\n\n";
    (format!("{head}{}\n{manifest}", super::build::PROFILE), names)
}

/// The user's version of a crate that we need too, with the features of both.
fn with_features_of(theirs: Value, own: &Value) -> Value {
    let mut table = match theirs {
        Value::Table(table) => table,
        version => Table::from_iter([("version".to_owned(), version)]),
    };
    let mut features: Vec<Value> = table.get("features").and_then(Value::as_array).cloned().unwrap_or_default();
    for feature in own.get("features").and_then(Value::as_array).into_iter().flatten() {
        if !features.contains(feature) {
            features.push(feature.clone());
        }
    }
    table.insert("features".to_owned(), features.into());
    table.into()
}
