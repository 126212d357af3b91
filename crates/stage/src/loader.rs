//! Opening the libraries of cells: the one place where code enters the runtime, and the process that does it for all.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use greenroom::message::Down;
use greenroom::process::demonitor_flush;
use greenroom::{Local, Pid, Ref, monitor, receive, self_pid, send, sleep, whereis};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use serde::{Deserialize, Serialize};

use crate::cell::CellEntry;

/// The name of the process that opens libraries.
pub(crate) const LOADER: &str = "loader";

/// To the loader: open this, and tell who asks under this reference.
#[derive(Debug, Serialize, Deserialize)]
struct Load {
    from: Pid,
    tag: Ref,
    library: PathBuf,
    symbol: String,
}

/// Its answer.
type Loaded = Local<(Ref, Result<CellEntry, LoadError>)>;

/// The life of the loader.
pub(crate) async fn serve() {
    loop {
        receive! {
            Load { from, tag, library, symbol }: Load => {
                let loaded: Loaded = Local((tag, open(&library, &symbol)));
                send(from, loaded);
            },
        }
    }
}

/// Has the library of a cell opened and its entry found; asks again if the loader is killed meanwhile.
///
/// # Errors
/// If the library cannot be opened, or has no such entry.
pub(crate) async fn load(library: &Path, symbol: &str) -> Result<CellEntry, LoadError> {
    loop {
        let Some(loader) = whereis(LOADER) else {
            sleep(Duration::from_millis(1)).await;
            continue;
        };
        let (watch, tag) = (monitor(loader), Ref::new());
        send(loader, Load { from: self_pid(), tag, library: library.to_owned(), symbol: symbol.to_owned() });
        let loaded = receive! {
            Local((about, loaded)): Loaded if about == tag => Some(loaded),
            down: Down if down.reference == watch => None,
        };
        demonitor_flush(watch).await;
        if let Some(loaded) = loaded {
            return loaded;
        }
    }
}

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
fn open(library: &Path, symbol: &str) -> Result<CellEntry, LoadError> {
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
