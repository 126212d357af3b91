//! Open notebooks announce themselves, each by a file in a folder of its user's own, so that other terminals can find
//! and join them.
//!
//! The program that has a notebook open holds a lock on its file there. The system frees that lock when the program ends,
//! however it does: an entry whose lock is free is nobody's, and whoever comes across it removes it.

use std::fmt;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// The extension of entries; while one is written, its file has another.
const EXTENSION: &str = "json";

/// A notebook that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// Its name.
    pub name: String,
    /// Its file, if it has one.
    pub file: Option<PathBuf>,
    /// The program that has it open.
    pub process: u32,
    /// Since when, in seconds since 1970.
    pub since: u64,
    /// Its node and where that listens: `name@host:port`.
    pub address: String,
    /// Which build of this program that is.
    pub build: String,
}

impl fmt::Display for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "“{}” (process {})", self.name, self.process)
    }
}

impl Announced {
    /// A notebook that is open from now on, in this program.
    pub fn new(name: &str, address: String) -> Announced {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let process = std::process::id();
        Announced { name: name.to_owned(), file: None, process, since, address, build: build().to_owned() }
    }

    /// For how long it is open.
    pub fn age(&self, now: SystemTime) -> Duration {
        let since = UNIX_EPOCH + Duration::from_secs(self.since);
        now.duration_since(since).unwrap_or_default()
    }

    /// Whether it is what somebody means: its file, its name, or the number of its process.
    pub fn is_meant(&self, by: &str) -> bool {
        let is_file =
            |file: &PathBuf| fs::canonicalize(by).is_ok_and(|by| Ok(by) == fs::canonicalize(file).map_err(drop));
        let is_named = |file: &PathBuf| file.file_name().is_some_and(|name| name == by);
        let file = self.file.as_ref();
        self.process.to_string() == by || self.name == by || file.is_some_and(|file| is_file(file) || is_named(file))
    }
}

/// Which build of this program runs. Two that differ may not understand each other.
pub fn build() -> &'static str {
    static BUILD: OnceLock<String> = OnceLock::new();
    BUILD.get_or_init(|| {
        // Of the file that runs, should another be in its place by now.
        let running = Path::new("/proc/self/exe");
        let own = || std::env::current_exe().and_then(fs::metadata);
        let size = fs::metadata(running).or_else(|_| own()).map_or(0, |metadata| metadata.len());
        format!("{}+{size}", env!("CARGO_PKG_VERSION"))
    })
}

/// The user's folder for this, if there is a home folder: that of the running machine where the system has one.
pub fn folder() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "greenroom")?;
    let runtime = folders.runtime_dir().filter(|folder| folder.parent().is_some_and(Path::is_dir));
    Some(runtime.map_or_else(|| folders.data_local_dir().join("sessions"), Path::to_owned))
}

/// An open notebook's own entry. When this is dropped, the entry is gone.
#[derive(Debug)]
pub struct Announcement {
    path: PathBuf,
    /// What the entry says, and the file that holds its lock. Held for moments.
    entry: Mutex<(Announced, File)>,
}

impl Announcement {
    /// Announces a notebook.
    ///
    /// # Errors
    /// What the system says, and if the folder is another user's.
    pub fn new(folder: &Path, entry: Announced) -> io::Result<Announcement> {
        prepare(folder)?;
        let node = entry.address.split('@').next().unwrap_or_default();
        let path = folder.join(node).with_extension(EXTENSION);
        let lock = write(&path, &entry)?;
        Ok(Announcement { path, entry: Mutex::new((entry, lock)) })
    }

    /// Says what the notebook is called now, and where it is saved.
    ///
    /// # Errors
    /// What the system says. The entry is then as it was.
    pub fn update(&self, name: &str, file: Option<&Path>) -> io::Result<()> {
        let mut held = self.entry.lock().unwrap_or_else(PoisonError::into_inner);
        if held.0.name == name && held.0.file.as_deref() == file {
            return Ok(());
        }
        let entry = Announced { name: name.to_owned(), file: file.map(Path::to_owned), ..held.0.clone() };
        *held = (entry.clone(), write(&self.path, &entry)?);
        Ok(())
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // What cannot be removed is nobody's from now on.
        let _ = fs::remove_file(&self.path);
    }
}

/// The folder, there and nobody else's.
fn prepare(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let metadata = fs::metadata(folder)?;
    if metadata.uid() != nix::unistd::geteuid().as_raw() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the folder belongs to another user"));
    }
    if metadata.mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Writes an entry whole: it is locked before anybody can see it.
fn write(path: &Path, entry: &Announced) -> io::Result<File> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.as_file().lock()?;
    file.write_all(&serde_json::to_vec(entry)?)?;
    file.persist(path).map_err(|error| error.error)
}

/// The notebooks that are open, the first one first. What programs that died have left of theirs is removed.
pub fn announced(folder: &Path) -> Vec<Announced> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == EXTENSION));
    let mut found: Vec<Announced> = files.filter_map(|path| look(&path)).collect();
    found.sort_by(|one, other| {
        (one.since, one.process, &one.address).cmp(&(other.since, other.process, &other.address))
    });
    found
}

fn look(path: &Path) -> Option<Announced> {
    let file = File::open(path).ok()?;
    // Shared, so that two who look do not take each other for its owner.
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => serde_json::from_reader(file).ok(),
        Ok(()) => {
            // Its owner may just have put another in its place.
            let is_same =
                fs::metadata(path).is_ok_and(|there| file.metadata().is_ok_and(|own| own.ino() == there.ino()));
            if is_same {
                let _ = fs::remove_file(path);
                return None;
            }
            look(path)
        }
        Err(TryLockError::Error(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Announced {
        Announced::new(name, format!("{name}@127.0.0.1:1"))
    }

    #[test]
    fn what_is_open_is_found_by_its_name_its_file_and_its_process() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let own = folder.path().join("own");
        let one = Announcement::new(&own, entry("one")).expect("it can be written");
        let other = Announcement::new(&own, entry("other")).expect("it can be written");
        assert_eq!(fs::metadata(&own).expect("it is there").mode() & 0o777, 0o700);
        let file = folder.path().join("n.livemd");
        fs::write(&file, "").expect("it can be written");
        one.update("first", Some(&file)).expect("it can be written");
        let found = announced(&own);
        assert_eq!(found.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["first", "other"]);
        let first = &found[0];
        for by in ["first", "n.livemd", &file.display().to_string(), &std::process::id().to_string()] {
            assert!(first.is_meant(by), "{by}");
        }
        assert!(!first.is_meant("one") && !first.is_meant("nothing.livemd"));
        drop((one, other));
        assert_eq!(announced(&own), []);
    }

    #[test]
    fn what_a_program_has_left_that_died_is_nobodys_and_goes_away() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let left = folder.path().join("left.json");
        fs::write(&left, serde_json::to_vec(&entry("left")).expect("it is data")).expect("it can be written");
        let own = Announcement::new(folder.path(), entry("own")).expect("it can be written");
        assert_eq!(announced(folder.path()).len(), 1);
        assert!(!left.exists());
        drop(own);
    }
}
