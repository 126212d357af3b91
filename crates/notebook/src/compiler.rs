//! From a cell's source and the cells above it to a library. Everything before has one decision or one tool; this is
//! where they meet: names are resolved, the text is generated, found in the cache or compiled, and the outcome is
//! said in terms of the cell. Calls block; running the library is the runtime's business.

mod attempt;
mod resolve;
mod scope;

use std::{
    fmt,
    ops::Range,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    analysis::{self, Analysis, Defined, ErrorKind, Kind, LAST, Past},
    cache::{Cache, hex},
    generate::{self, Generated, OWN_KEY, Surroundings},
    mir::{self, Handover},
    prelude::Prelude,
    rustc::{
        self, Cancel, Emit, Job, Outcome, ToolError,
        diagnostic::{self, Diagnostic, Level, Message},
    },
    source_map::SourceMap,
};

use self::attempt::Attempt;
pub use self::scope::{CellAbove, Item, Scope};

/// Compiles cells against one prelude.
#[derive(Clone, Debug)]
pub struct Compiler {
    prelude: Arc<Prelude>,
    cache: Cache,
}

/// A cell to compile.
#[derive(Clone, Debug)]
pub struct CellInput<'a> {
    /// What messages call it, such as `cell 3`.
    pub name: &'a str,
    /// Its source.
    pub source: &'a str,
}

/// A compiled cell.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CompiledCell {
    /// The hash of everything it is made of.
    pub key: String,
    /// Its library.
    pub library: PathBuf,
    /// The SHA-256 of that, in hexadecimal digits.
    #[serde(skip)]
    pub sha256: String,
    /// The symbol of its entry, a `greenroom_stage::cell::CellEntry`.
    pub symbol: String,
    /// The bindings that later cells can import.
    pub exports: Vec<Export>,
    /// The bindings that they cannot.
    pub unavailable: Vec<Unavailable>,
    /// The items that they can name.
    pub items: Vec<Item>,
    /// The bindings and items of cells above that it uses, sorted.
    pub uses: Vec<String>,
    /// The names that it defines.
    pub defines: Vec<Defined>,
    /// The generated file.
    pub text: String,
    /// Maps places in that, which panics name, to its source.
    pub source_map: SourceMap,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
    /// Whether it was found instead of compiled.
    #[serde(skip)]
    pub cached: bool,
    /// How long it took, this time.
    #[serde(skip)]
    pub timings: Timings,
}

/// A binding that later cells can import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// Its type, as other cells write it.
    pub ty: String,
    /// How it is handed over.
    pub handover: Handover,
}

/// A binding that later cells cannot use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    /// Its name.
    pub name: String,
    /// Why, and what to do.
    pub reason: String,
}

/// How long the steps took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Taking the source apart, resolving, generating, and looking into the cache.
    pub prepare: Duration,
    /// rustc.
    pub rustc: Duration,
    /// How often rustc ran: more than once where a binding turned out not to be exportable.
    pub runs: u32,
}

/// A source and what it needs around it.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The source, taken apart.
    pub analysis: Analysis,
    /// What it takes from the cells above it.
    pub around: Surroundings,
}

impl Environment {
    /// Resolves the names that a source uses.
    ///
    /// # Errors
    /// When it does not parse, or uses what is not there for it.
    pub fn of(source: &str, scope: &Scope) -> Result<Environment, CompileError> {
        let analysis = analysis::analyse(source).map_err(|error| CompileError::Parse {
            diagnostics: vec![Diagnostic::error(error.message.clone(), error.span)],
        })?;
        let around = resolve::resolve(&analysis, scope)?.around;
        Ok(Environment { analysis, around })
    }
}

impl Surroundings {
    /// What a source that is still being typed may need around it: values that are not there are left out.
    pub fn guess(source: &str, scope: &Scope) -> Surroundings {
        let mut analysis = analysis::guess(source);
        let is_there = |number| scope.value(number).is_ok();
        analysis.past.retain(|past| is_there(past.number));
        analysis.uses.retain(|used| Past::number(&used.name).is_none_or(is_there));
        // What is not used for sure is never refused.
        resolve::resolve(&analysis, scope).map(|resolved| resolved.around).unwrap_or_default()
    }
}

/// Why a cell was not compiled.
#[derive(Debug)]
pub enum CompileError {
    /// It is not Rust, or not what a cell can be.
    Parse {
        /// The errors.
        diagnostics: Vec<Diagnostic>,
    },
    /// rustc refuses it.
    Rustc {
        /// The errors and warnings.
        diagnostics: Vec<Diagnostic>,
    },
    /// It uses a binding that cannot leave its cell.
    Unavailable {
        /// The binding.
        name: String,
        /// The cell that defines it.
        cell: String,
        /// Why, and what to do.
        reason: String,
        /// Where it is used, in bytes of the source.
        span: Range<usize>,
    },
    /// It uses a name of a cell that failed or did not run.
    DependsOnFailed {
        /// The name.
        name: String,
        /// The cell.
        cell: String,
        /// Where it is used, in bytes of the source.
        span: Range<usize>,
    },
    /// It was cancelled.
    Cancelled,
    /// A tool or a file is missing.
    Tool(ToolError),
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parse { diagnostics } | Self::Rustc { diagnostics } => {
                let first = diagnostics.iter().find(|diagnostic| diagnostic.level == Level::Error);
                f.write_str(first.map_or("the cell does not compile", |diagnostic| &diagnostic.message))
            }
            Self::Unavailable { name, cell, reason, .. } => write!(f, "`{name}` cannot leave {cell}: {reason}"),
            Self::DependsOnFailed { name, cell, .. } => {
                write!(f, "not run: it uses `{name}`, and {cell}, which defines it, has not succeeded")
            }
            Self::Cancelled => f.write_str("the compilation was cancelled"),
            Self::Tool(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CompileError {}

impl From<ToolError> for CompileError {
    fn from(error: ToolError) -> Self {
        Self::Tool(error)
    }
}

/// How often exports are given up before the errors are taken for the user's.
const ATTEMPTS: u32 = 4;

impl Compiler {
    /// A compiler of cells that stand on this prelude.
    pub fn new(prelude: Arc<Prelude>, cache: Cache) -> Self {
        Self { prelude, cache }
    }

    /// The prelude.
    pub fn prelude(&self) -> &Arc<Prelude> {
        &self.prelude
    }

    /// Compiles a cell, or finds it compiled.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn compile(&self, cell: &CellInput<'_>, scope: &Scope, cancel: &Cancel) -> Result<CompiledCell, CompileError> {
        let begin = Instant::now();
        let analysis = match analysis::analyse(cell.source) {
            Ok(analysis) => analysis,
            Err(error) => return Err(self.explain(cell.source, &error, cancel)),
        };
        let mut resolved = resolve::resolve(&analysis, scope)?;
        let key = self.key(cell.source, &generate::generate(cell.source, &analysis, &resolved.around));
        let name = generate::crate_name(&key);
        let mut timings = Timings { prepare: begin.elapsed(), ..Timings::default() };
        if let Some((mut found, sha256)) = self.cache.load::<CompiledCell>(&name) {
            timings.prepare = begin.elapsed();
            found.sha256 = sha256;
            (found.cached, found.timings, found.library) = (true, timings, self.cache.library(&name));
            return Ok(found);
        }
        let externs = self.externs(&resolved.crates);
        let mut unavailable: Vec<Unavailable> = Vec::new();
        loop {
            let generated = generate::generate(cell.source, &analysis, &resolved.around);
            let run = Attempt { text: generated.text.replace(OWN_KEY, &key), generated, file: format!("{name}.rs") };
            let begin = Instant::now();
            let outcome = self.run(&name, &run.text, &externs, Emit::Library, cancel)?;
            timings.rustc += begin.elapsed();
            timings.runs += 1;
            if outcome.success {
                let mut compiled = self.describe(&key, &analysis, scope, &run, &outcome, unavailable)?;
                compiled.uses = resolved.uses;
                compiled.timings = timings;
                compiled.sha256 = self.cache.store(&name, &outcome.library(), &compiled)?;
                return Ok(compiled);
            }
            let withheld = match run.withheld(&outcome, &analysis) {
                Some(withheld) if timings.runs < ATTEMPTS => withheld,
                _ => return Err(run.refusal(outcome, &analysis, scope)),
            };
            for (name, reason) in withheld {
                resolved.around.withheld.push(name.clone());
                unavailable.push(Unavailable { name, reason });
            }
        }
    }

    fn key(&self, source: &str, generated: &Generated) -> String {
        let mut hash = Sha256::new();
        hash.update(generate::VERSION.to_le_bytes());
        for part in [self.prelude.fingerprint.as_str(), source, &generated.text] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hex(&hash.finalize()[..8])
    }

    /// The crates of the prelude, the cells that are named, and others that a binding's type leads to.
    fn externs(&self, crates: &[String]) -> Vec<(String, PathBuf)> {
        let mut externs: Vec<_> = self.prelude.externs().map(|(name, path)| (name.to_owned(), path)).collect();
        for name in crates {
            if name.starts_with("cell_") {
                externs.push((name.clone(), self.cache.library(name)));
            } else if let Some(path) = self.prelude.transitive(name) {
                externs.push((name.clone(), path));
            }
        }
        externs
    }

    fn run(
        &self,
        name: &str,
        text: &str,
        externs: &[(String, PathBuf)],
        emit: Emit,
        cancel: &Cancel,
    ) -> Result<Outcome, CompileError> {
        let search = [self.prelude.libraries(), self.cache.folder().to_owned()];
        let (known_as, sources) = self.prelude.sources();
        let job = Job { name, text, externs, search: &search, sources: (known_as, &sources), emit };
        let outcome = rustc::compile(&self.prelude.toolchain, &job, self.cache.folder(), cancel)?;
        let outcome = outcome.ok_or(CompileError::Cancelled)?;
        if !outcome.success && !outcome.messages.iter().any(Message::is_error) {
            let program = self.prelude.toolchain.rustc.display().to_string();
            return Err(ToolError::Failed { program, output: outcome.noise }.into());
        }
        Ok(outcome)
    }

    /// What rustc says about a source that does not parse; it says it better.
    fn explain(&self, source: &str, error: &analysis::AnalysisError, cancel: &Cancel) -> CompileError {
        let own = || vec![Diagnostic::error(error.message.clone(), error.span.clone())];
        let generated = match error.kind {
            ErrorKind::NotForCells => return CompileError::Parse { diagnostics: own() },
            ErrorKind::Tokens => generate::bare(source),
            ErrorKind::Syntax => generate::wrap(source),
        };
        let outcome = match self.run("cell", &generated.text, &[], Emit::Check, cancel) {
            Ok(outcome) => outcome,
            Err(error) => return error,
        };
        // Once the parser has failed, what it did not see counts as undefined: that is no news.
        let errors = outcome.messages.iter().filter(|message| message.is_error() && !message.is_unresolved());
        let diagnostics: Vec<_> = errors
            .filter_map(|message| diagnostic::translate(message, "cell.rs", &generated.source_map))
            .filter(|diagnostic| diagnostic.primary().is_some())
            .collect();
        CompileError::Parse { diagnostics: if diagnostics.is_empty() { own() } else { diagnostics } }
    }

    fn describe(
        &self,
        key: &str,
        analysis: &Analysis,
        scope: &Scope,
        run: &Attempt,
        outcome: &Outcome,
        mut unavailable: Vec<Unavailable>,
    ) -> Result<CompiledCell, CompileError> {
        let name = generate::crate_name(key);
        let is_own = |name: &str| {
            analysis
                .defines
                .iter()
                .any(|defined| defined.name == name && matches!(defined.kind, Kind::Type | Kind::Trait | Kind::Module))
        };
        let calls = mir::exports(&outcome.mir()?);
        let mut exports = Vec::new();
        let mut defines = analysis.defines.clone();
        for defined in analysis.defines.iter().filter(|defined| defined.kind == Kind::Binding) {
            if unavailable.iter().any(|known| known.name == defined.name) {
                continue;
            }
            let call = calls.iter().find(|call| call.name == defined.name);
            if analysis.keep.is_some() && defined.name == LAST {
                match call.map(|call| call.ty.as_str()) {
                    // It has no value, or none that anybody has seen.
                    Some("()") | None => {
                        defines.retain(|defined| defined.name != LAST);
                        continue;
                    }
                    Some(ty) if ty.ends_with("cell::NotKept") => {
                        let reason = "it is not `Clone`, and belongs to a binding: use that".to_owned();
                        unavailable.push(Unavailable { name: defined.name.clone(), reason });
                        continue;
                    }
                    Some(_) => {}
                }
            }
            let export = match call {
                Some(call) => mir::nameable(&call.ty, &name, &is_own)
                    .map_err(|error| error.to_string())
                    .map(|ty| Export { name: defined.name.clone(), ty, handover: call.handover }),
                None => Err("the cell never comes to its end".to_owned()),
            };
            match export {
                Ok(export) => exports.push(export),
                Err(reason) => unavailable.push(Unavailable { name: defined.name.clone(), reason }),
            }
        }
        Ok(CompiledCell {
            key: key.to_owned(),
            library: self.cache.library(&name),
            sha256: String::new(),
            symbol: generate::symbol(key),
            exports,
            unavailable,
            items: resolve::items(key, analysis, scope),
            uses: Vec::new(),
            defines,
            text: run.text.clone(),
            source_map: run.generated.source_map.clone(),
            warnings: run.diagnostics(&outcome.messages),
            cached: false,
            timings: Timings::default(),
        })
    }
}
