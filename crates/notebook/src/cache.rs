//! Compiled cells on disk, by key. A key is made from everything that a cell is made of, so an entry is either right
//! or not there; one that is damaged counts as not there.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use sha2::{Digest, Sha256};

use crate::rustc::{ToolError, library_name};

/// A folder of compiled cells that stand on one prelude.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// What is written beside a library.
#[derive(Serialize, Deserialize)]
struct Entry<T> {
    /// Of the library.
    sha256: String,
    cell: T,
}

impl Cache {
    /// Opens the cells of the prelude with this fingerprint, inside of the cache folder.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(cache: &Path, fingerprint: &str) -> Result<Self, ToolError> {
        let folder = cache.join("cells").join(fingerprint);
        fs::create_dir_all(&folder).map_err(ToolError::file(&folder))?;
        Ok(Self { folder })
    }

    /// Where all the libraries are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The library of a crate.
    pub fn library(&self, name: &str) -> PathBuf {
        self.folder.join(library_name(name))
    }

    /// What is known about a crate whose library is whole, and the SHA-256 of that in hexadecimal digits.
    pub fn load<T: DeserializeOwned>(&self, name: &str) -> Option<(T, String)> {
        let entry: Entry<T> = serde_json::from_slice(&fs::read(self.entry(name)).ok()?).ok()?;
        let library = fs::read(self.library(name)).ok()?;
        let is_whole = hex(&Sha256::digest(&library)) == entry.sha256;
        is_whole.then(|| touch(&self.entry(name)));
        is_whole.then_some((entry.cell, entry.sha256))
    }

    /// Keeps a library, which is moved here, and what is known about it. Returns its SHA-256, as [`load`](Cache::load);
    /// that of another one, if somebody has compiled the same meanwhile: what is whole is not replaced, as its bytes
    /// differ and runtimes may have it open.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn store<T: Serialize>(&self, name: &str, library: &Path, cell: &T) -> Result<String, ToolError> {
        if let Some((IgnoredAny, sha256)) = self.load(name) {
            return Ok(sha256);
        }
        let bytes = fs::read(library).map_err(ToolError::file(library))?;
        let sha256 = hex(&Sha256::digest(&bytes));
        let to = self.library(name);
        fs::rename(library, &to).map_err(ToolError::file(&to))?;
        let entry = Entry { sha256, cell };
        write_atomically(&self.entry(name), &serde_json::to_vec(&entry).unwrap_or_default())?;
        Ok(entry.sha256)
    }

    fn entry(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }
}

/// Says that a file is used now; what was not used for longest goes first when there is too much. A file that cannot be
/// touched is only gone sooner.
pub(crate) fn touch(file: &Path) {
    let _ = fs::File::open(file).and_then(|file| file.set_modified(SystemTime::now()));
}

/// A lock on a part of the cache, for as long as this value lives. It ends with the program, however that ends.
#[derive(Debug)]
pub(crate) struct Held {
    _file: fs::File,
}

impl Held {
    /// Holds together with others: what this lock is for is used, and stays.
    pub(crate) fn together(path: &Path) -> Result<Held, ToolError> {
        let open = || {
            let file = open_lock(path)?;
            file.lock_shared()?;
            Ok(Held { _file: file })
        };
        open().map_err(ToolError::file(path))
    }

    /// Holds alone: nobody uses what this lock is for. `None` if somebody does, or the file cannot be had.
    pub(crate) fn alone(path: &Path) -> Option<Held> {
        let file = open_lock(path).ok()?;
        file.try_lock().ok()?;
        Some(Held { _file: file })
    }
}

fn open_lock(path: &Path) -> std::io::Result<fs::File> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    fs::File::options().create(true).truncate(false).write(true).open(path)
}

/// Writes a file so that it is there whole or not at all.
pub(crate) fn write_atomically(path: &Path, text: &[u8]) -> Result<(), ToolError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(ToolError::file(folder))?;
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(ToolError::file(path))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
