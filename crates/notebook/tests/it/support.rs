//! A prelude that is built once for all tests, and chains of cells on it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use expect_test::Expect;
use greenroom_notebook::{
    cache::Cache,
    compiler::{CellInput, CompileError, CompiledCell, Compiler, Scope},
    prelude::Prelude,
    rustc::{
        Cancel,
        diagnostic::{Diagnostic, Level},
    },
    source_map::position,
};

/// Inside of the target folder, so that it is built once per checkout.
pub fn cache_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("greenroom-cache")
}

/// What programs that are started here keep for their user, and would leave in the folders of whoever runs the tests.
pub fn own_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("greenroom-user")
}

pub fn prelude() -> Arc<Prelude> {
    static PRELUDE: OnceLock<Arc<Prelude>> = OnceLock::new();
    let open = || {
        let prelude = Prelude::open("", &cache_folder(), &Cancel::default(), &mut |_| {});
        Arc::new(prelude.unwrap_or_else(|error| panic!("{error}")))
    };
    Arc::clone(PRELUDE.get_or_init(open))
}

/// Cells, compiled one after the other.
pub struct Chain {
    compiler: Compiler,
    pub scope: Scope,
    _folder: tempfile::TempDir,
}

impl Chain {
    pub fn new() -> Self {
        Self::on(prelude())
    }

    pub fn on(prelude: Arc<Prelude>) -> Self {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let cache = Cache::open(folder.path(), &prelude.fingerprint).expect("it was just made");
        Self { compiler: Compiler::new(prelude, cache), scope: Scope::default(), _folder: folder }
    }

    pub fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// The same cells on the same cache, from the beginning.
    pub fn restart(&mut self) {
        self.scope = Scope::default();
    }

    pub fn try_cell(&mut self, source: &str) -> Result<CompiledCell, CompileError> {
        let name = format!("cell {}", self.scope.cells().len() + 1);
        self.compiler.compile(&CellInput { name: &name, source }, &self.scope, &Cancel::default())
    }

    #[track_caller]
    pub fn cell(&mut self, source: &str) -> CompiledCell {
        let name = format!("cell {}", self.scope.cells().len() + 1);
        match self.try_cell(source) {
            Ok(cell) => {
                self.scope.push(name, cell.clone());
                cell
            }
            Err(error) => panic!("{name} was refused:\n{}", describe(source, &error)),
        }
    }

    #[track_caller]
    pub fn refused(&mut self, source: &str, expected: Expect) {
        match self.try_cell(source) {
            Ok(cell) => panic!("it was compiled, with {:?} {:?}", cell.exports, cell.unavailable),
            Err(error) => expected.assert_eq(&describe(source, &error)),
        }
    }
}

/// One line for what was refused and why, then its places.
pub fn describe(source: &str, error: &CompileError) -> String {
    let place = |at: usize| {
        let (line, column) = position(&source[..at]);
        format!("{line}:{column}")
    };
    match error {
        CompileError::Parse { diagnostics } | CompileError::Rustc { diagnostics } => {
            let errors = diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error);
            errors.map(|diagnostic| draw(source, diagnostic)).collect()
        }
        CompileError::Unavailable { span, .. } | CompileError::DependsOnFailed { span, .. } => {
            format!("{} {error}\n", place(span.start))
        }
        _ => format!("{error}\n"),
    }
}

pub fn draw(source: &str, diagnostic: &Diagnostic) -> String {
    let mut out = format!("{} {}\n", diagnostic.code.as_deref().unwrap_or("-"), diagnostic.message);
    for label in &diagnostic.labels {
        let (line, column) = position(&source[..label.range.start]);
        let mark = if label.primary { '^' } else { '-' };
        out += &format!("  {mark} {line}:{column} `{}` {}\n", &source[label.range.clone()], label.text);
    }
    for note in &diagnostic.notes {
        out += &format!("  note: {note}\n");
    }
    for help in &diagnostic.help {
        out += &format!("  help: {help}\n");
    }
    for suggestion in &diagnostic.suggestions {
        out += &format!("  try: {} `{}`\n", suggestion.message, suggestion.replacement);
    }
    out
}
