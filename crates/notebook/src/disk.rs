//! Notebooks on the disk: a file that is written is there as it was or as it is to be, whenever the program or the
//! machine ends; and a lock by which only one session has a file open.
//!
//! The commands write with [`save`]. None of them keeps a file open, so none takes a [`Lock`]. What another program has
//! written is for `session::merge`.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use crate::cache::hex;

/// Writes a file whole or not at all: beside it, to the disk, over it, and the folder to the disk.
///
/// A symbolic link stays one; the file that it leads to is written. Its rights stay. Two programs that write at once
/// do not mix. One that is killed meanwhile may leave a file `.tmp…` beside it.
///
/// # Errors
/// What the system says. The file is then as it was.
///
/// # Examples
/// ```
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("notes.livemd");
/// greenroom_notebook::disk::save(&file, "# Notes\n")?;
/// assert_eq!(std::fs::read_to_string(&file)?, "# Notes\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn save(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path).or_else(|_| std::path::absolute(path))?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    let rights = match fs::metadata(&path) {
        Ok(known) => known.permissions(),
        Err(_) => fs::Permissions::from_mode(0o644),
    };
    file.as_file().set_permissions(rights)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

/// By what a file that somebody has written is told from the one that was there, without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    node: u64,
    size: u64,
    modified: SystemTime,
}

/// Two writes that are no further apart may bear the same time.
const COARSEST: Duration = Duration::from_secs(2);

impl Stamp {
    /// The stamp of a file, if it is there.
    pub fn of(path: &Path) -> Option<Stamp> {
        let metadata = fs::metadata(path).ok()?;
        let modified = metadata.modified().ok()?;
        Some(Stamp { device: metadata.dev(), node: metadata.ino(), size: metadata.len(), modified })
    }

    /// Whether whoever writes the file from now on changes its stamp, too: it was not written a moment ago.
    pub fn is_settled(&self, now: SystemTime) -> bool {
        now.duration_since(self.modified).is_ok_and(|age| age > COARSEST)
    }
}

/// A notebook's file, held by whoever has this. The system frees it when the program ends, however it does.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file would not do: a program that is just being started has it, too, until it has become one.
        let _ = self.file.unlock();
    }
}

/// Why a notebook cannot be opened for writing.
#[derive(Debug)]
pub enum LockError {
    /// Another session has it open.
    Held {
        /// The notebook.
        path: PathBuf,
        /// The other session's program, as it has said itself.
        by: String,
    },
    /// The lock cannot be made.
    File {
        /// The lock's file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// The one name of a file, which need not be there yet.
fn whole(path: &Path) -> PathBuf {
    if let Ok(whole) = fs::canonicalize(path) {
        return whole;
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (path.parent().and_then(|folder| fs::canonicalize(folder).ok()), path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Held { path, by } => {
                let path = path.display();
                write!(
                    f,
                    "{path} is open in another session (process {by}): `greenroom join {path}` in a shell joins it, or \
                     close it there first"
                )
            }
            LockError::File { path, error } => write!(f, "cannot lock `{}`: {error}", path.display()),
        }
    }
}

impl std::error::Error for LockError {}

impl Lock {
    /// Takes the lock of a notebook; locks are kept in a folder of their own, where nobody sees them.
    ///
    /// # Errors
    /// [`LockError::Held`] if another session has it, in this program or another.
    pub fn take(notebook: &Path, locks: &Path) -> Result<Lock, LockError> {
        let whole = whole(notebook);
        let path = locks.join(hex(&Sha256::digest(whole.as_os_str().as_encoded_bytes())[..16]));
        let trouble = |error| LockError::File { path: path.clone(), error };
        let open = || {
            fs::create_dir_all(locks)?;
            File::options().read(true).write(true).create(true).truncate(false).open(&path)
        };
        let mut file = open().map_err(trouble)?;
        match file.try_lock() {
            Ok(()) => {
                let write = |file: &mut File| {
                    file.set_len(0)?;
                    write!(file, "{}", std::process::id())
                };
                write(&mut file).map_err(trouble)?;
                Ok(Lock { file })
            }
            Err(TryLockError::WouldBlock) => {
                let mut by = String::new();
                // Its owner may not have said who it is yet.
                let _ = file.rewind().and_then(|()| file.read_to_string(&mut by));
                Err(LockError::Held { path: notebook.to_owned(), by })
            }
            Err(TryLockError::Error(error)) => Err(trouble(error)),
        }
    }
}
