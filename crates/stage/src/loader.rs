//! Opening the libraries of cells: the one place where code enters the runtime.

use std::fmt;
use std::path::Path;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use crate::cell::CellEntry;

/// Why a cell's library could not be used.
#[derive(Debug)]
pub(crate) struct LoadError(String);

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Opens the library of a cell and finds its entry.
///
/// It is never closed: values that it made, whose code lies in it, may be anywhere.
pub(crate) fn load(library: &Path, symbol: &str) -> Result<CellEntry, LoadError> {
    let failed = |error: libloading::Error| LoadError(format!("cannot load {}: {error}", library.display()));
    // SAFETY: the library was compiled by the notebook's own compiler against the very prelude that
    // this program is linked to (its file name carries the hash of both), so its initialisers and types
    // fit. What the cell's author wrote runs with this process's rights, as any program would.
    let library = unsafe { Library::open(Some(library), RTLD_NOW | RTLD_LOCAL) }.map_err(failed)?;
    // SAFETY: the generated code defines this symbol with exactly the type `CellEntry`.
    let entry = unsafe { library.get::<CellEntry>(symbol.as_bytes()) }.map(|symbol| *symbol).map_err(failed)?;
    std::mem::forget(library);
    Ok(entry)
}
