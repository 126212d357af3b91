//! The cache folder as a whole: what is in it, how large it is, and what goes when it is too large.
//!
//! What a prelude or a compiled cell is, is for `prelude` and `cache`. Whoever uses a prelude, and so the cells on it,
//! holds a lock together with others; nothing that is held is ever removed here, whichever program holds it.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytesize::ByteSize;

use crate::cache::{Held, write_atomically};
use crate::rustc::ToolError;

/// How large the cache may become where nobody says otherwise.
const LIMIT: ByteSize = ByteSize::gb(10);

/// A cache folder.
#[derive(Clone, Debug)]
pub struct Storage {
    folder: PathBuf,
}

/// One thing in it that can be removed, and is made again when it is missing.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// How much room it takes up, in bytes.
    pub bytes: u64,
    /// When it was used last.
    pub used: SystemTime,
    paths: Vec<PathBuf>,
}

/// What an item is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A library that notebooks stand on.
    Prelude {
        /// Its fingerprint.
        fingerprint: String,
        /// The dependencies that a setup names.
        dependencies: Vec<String>,
    },
    /// A compiled cell.
    Cell {
        /// The fingerprint of its prelude.
        fingerprint: String,
    },
    /// What cargo has built on the way to preludes, and what they are built from.
    Builds,
}

/// What became of items that were to be removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// How many bytes are free.
    pub freed: u64,
    /// How many bytes could not be freed, as running notebooks use them.
    pub kept: u64,
}

impl Storage {
    /// The storage in a cache folder, which need not be there.
    pub fn new(folder: impl Into<PathBuf>) -> Storage {
        Storage { folder: folder.into() }
    }

    /// How large it may become, in bytes.
    pub fn limit(&self) -> u64 {
        let said = fs::read_to_string(self.limit_file()).ok().and_then(|text| text.trim().parse().ok());
        said.unwrap_or(LIMIT.as_u64())
    }

    /// Sets how large it may become, in bytes.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn set_limit(&self, bytes: u64) -> Result<(), ToolError> {
        write_atomically(&self.limit_file(), format!("{bytes}\n").as_bytes())
    }

    fn limit_file(&self) -> PathBuf {
        self.folder.join("limit")
    }

    /// What is in it. A file that two items share counts for one of them.
    pub fn items(&self) -> Vec<Item> {
        let mut seen = HashSet::new();
        let mut items = Vec::new();
        for folder in entries(&self.folder.join("preludes")).filter(|path| path.is_dir()) {
            let kind = Kind::Prelude { fingerprint: name(&folder), dependencies: dependencies(&folder) };
            // One that was never finished has only a folder.
            let used = modified(&folder.join("prelude.json")).max(modified(&folder));
            items.push(Item { kind, bytes: size(&folder, &mut seen), used, paths: vec![folder] });
        }
        for folder in entries(&self.folder.join("cells")).filter(|path| path.is_dir()) {
            let fingerprint = name(&folder);
            // A cell is a library and what is said of it; what else lies there was left behind by a program that was killed.
            let (known, others): (Vec<_>, Vec<_>) =
                entries(&folder).partition(|path| path.extension().is_some_and(|end| end == "json"));
            let library = |entry: &Path| folder.join(crate::rustc::library_name(&name(&entry.with_extension(""))));
            let libraries: HashSet<PathBuf> = known.iter().map(|entry| library(entry)).collect();
            let left = others.into_iter().filter(|path| !libraries.contains(path)).map(|path| vec![path]);
            for paths in known.iter().map(|entry| vec![entry.clone(), library(entry)]).chain(left) {
                let bytes = paths.iter().map(|path| size(path, &mut seen)).sum();
                let used = paths.first().map_or(SystemTime::UNIX_EPOCH, |path| modified(path));
                items.push(Item { kind: Kind::Cell { fingerprint: fingerprint.clone() }, bytes, used, paths });
            }
        }
        let builds: Vec<PathBuf> = ["target", "sources"].map(|part| self.folder.join(part)).into();
        let bytes = builds.iter().map(|path| size(path, &mut seen)).sum();
        if bytes > 0 {
            let used = modified(&self.folder.join("preludes.lock"));
            items.push(Item { kind: Kind::Builds, bytes, used, paths: builds });
        }
        items
    }

    /// Removes everything that nobody uses.
    pub fn clear(&self) -> Removed {
        self.remove(&self.items())
    }

    /// Removes what was not used for longest, until the rest is within the limit.
    pub fn trim(&self) -> Removed {
        let items = self.items();
        let uses: Vec<_> = items.iter().map(|item| (item.used, item.bytes)).collect();
        let victims: Vec<Item> = oldest(&uses, self.limit()).into_iter().map(|place| items[place].clone()).collect();
        self.remove(&victims)
    }

    fn remove(&self, items: &[Item]) -> Removed {
        let mut removed = Removed::default();
        let mut locks: Vec<(String, Option<Held>)> = Vec::new();
        for item in items {
            let lock = match &item.kind {
                Kind::Prelude { fingerprint, .. } | Kind::Cell { fingerprint } => {
                    format!("preludes/{fingerprint}.lock")
                }
                Kind::Builds => "preludes.lock".to_owned(),
            };
            if !locks.iter().any(|(known, _)| *known == lock) {
                let held = Held::alone(&self.folder.join(&lock));
                locks.push((lock.clone(), held));
            }
            let is_ours = locks.iter().any(|(known, held)| *known == lock && held.is_some());
            let is_gone = is_ours && item.paths.iter().all(|path| remove(path).is_ok());
            *(if is_gone { &mut removed.freed } else { &mut removed.kept }) += item.bytes;
        }
        removed
    }
}

/// The items that must go, the one that was not used for longest first, for the others to be within a limit.
fn oldest(uses: &[(SystemTime, u64)], limit: u64) -> Vec<usize> {
    let mut total: u64 = uses.iter().map(|(_, bytes)| bytes).sum();
    let mut order: Vec<usize> = (0..uses.len()).collect();
    order.sort_by_key(|&place| uses[place].0);
    let mut victims = Vec::new();
    for place in order {
        if total <= limit {
            break;
        }
        total -= uses[place].1;
        victims.push(place);
    }
    victims
}

/// What a folder holds; nothing if it cannot be read.
fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn modified(path: &Path) -> SystemTime {
    fs::symlink_metadata(path).and_then(|known| known.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The room that a file or folder takes up, without files that were counted before.
fn size(path: &Path, seen: &mut HashSet<(u64, u64)>) -> u64 {
    let Ok(known) = fs::symlink_metadata(path) else { return 0 };
    if known.is_dir() {
        return entries(path).map(|entry| size(&entry, seen)).sum();
    }
    match known.nlink() > 1 && !seen.insert((known.dev(), known.ino())) {
        true => 0,
        false => known.len(),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What the setup of a prelude names, from the manifest that it was built with.
fn dependencies(folder: &Path) -> Vec<String> {
    let manifest = fs::read_to_string(folder.join("project/Cargo.toml")).unwrap_or_default();
    let table: toml::Table = manifest.parse().unwrap_or_default();
    let all = table.get("dependencies").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
    let is_theirs = |name: &&String| !name.starts_with("greenroom") && !["serde", "tokio"].contains(&name.as_str());
    all.filter(is_theirs).cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first_and_no_more_than_must() {
        let at = |second, bytes| (SystemTime::UNIX_EPOCH + Duration::from_secs(second), bytes);
        let uses = [at(3, 10), at(1, 10), at(2, 10), at(4, 10)];
        assert!(oldest(&uses, 40).is_empty());
        assert_eq!(oldest(&uses, 39), [1]);
        assert_eq!(oldest(&uses, 20), [1, 2]);
        assert_eq!(oldest(&uses, 0), [1, 2, 0, 3]);
    }
}
