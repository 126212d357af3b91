//! Notebooks without a file are saved aside, each in a file of its own in a folder that nobody looks into. What a
//! program leaves there that did not come to its end is offered to the next one.
//!
//! A notebook that is at work holds the lock of its file, so that nobody takes it for one that was left.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::disk::{Lock, LockError};
use crate::document::EXTENSION;
use crate::livemd;
use crate::prelude;

/// The user's folder for notebooks that have no file, if there is a home folder.
pub fn folder() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "greenroom")?;
    Some(folders.data_local_dir().join("autosave"))
}

/// A notebook that is saved aside. It is nobody else's while this lives.
#[derive(Debug)]
pub struct Aside {
    path: PathBuf,
    _lock: Lock,
}

impl Aside {
    /// A place for a notebook of this name.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(folder: &Path, name: &str, locks: &Path) -> io::Result<Aside> {
        fs::create_dir_all(folder)?;
        let word = |char: char| if char.is_alphanumeric() { char.to_ascii_lowercase() } else { '_' };
        let name: String = name.chars().take(40).map(word).collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let path = folder.join(format!("{name}-{}-{}.{EXTENSION}", now.as_millis(), std::process::id()));
        Aside::of(path, locks).map_err(io::Error::other)
    }

    /// The one that was left at this place.
    ///
    /// # Errors
    /// [`LockError::Held`], if it was not left.
    pub fn of(path: PathBuf, locks: &Path) -> Result<Aside, LockError> {
        let lock = Lock::take(&path, locks)?;
        Ok(Aside { path, _lock: lock })
    }

    /// Where it is saved.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it: it is saved elsewhere, or nobody wants it.
    pub fn remove(self) {
        // What cannot be removed is offered once more.
        let _ = fs::remove_file(&self.path);
    }
}

/// A notebook that a program has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Where it is.
    pub path: PathBuf,
    /// How long ago it was saved.
    pub age: Duration,
}

impl Left {
    /// Its name, and how many code cells it has, if it can still be read.
    pub fn read(&self) -> Option<(String, usize)> {
        let notebook = livemd::parse(&fs::read_to_string(&self.path).ok()?).0;
        let cells = notebook.code_cells().count();
        Some((notebook.name, cells))
    }
}

/// The notebooks that were left, the last one first. None of them is read: there may be many.
pub fn left(folder: &Path, locks: &Path) -> Vec<Left> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == EXTENSION));
    let mut left: Vec<Left> = files.filter_map(|path| look(path, locks)).collect();
    left.sort_by(|one, other| one.age.cmp(&other.age).then_with(|| one.path.cmp(&other.path)));
    left
}

/// The notebooks that this user's programs have left, the last one first.
pub fn left_by_user() -> Vec<Left> {
    let (Some(folder), Ok(cache)) = (folder(), prelude::cache_folder()) else { return Vec::new() };
    left(&folder, &locks(&cache))
}

/// The folder with the locks of all notebooks that are open with this cache.
pub fn locks(cache: &Path) -> PathBuf {
    cache.join("locks")
}

fn look(path: PathBuf, locks: &Path) -> Option<Left> {
    drop(Lock::take(&path, locks).ok()?);
    let saved = fs::metadata(&path).and_then(|metadata| metadata.modified()).ok()?;
    let age = SystemTime::now().duration_since(saved).unwrap_or_default();
    Some(Left { path, age })
}
