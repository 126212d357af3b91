//! Notebooks on the disk: a file that is written is there as it was or as it is to be, whenever the program or the
//! machine ends; and only one session has a file open.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::cache::hex;

/// Writes a file whole or not at all: beside it, to the disk, over it, and the folder to the disk.
///
/// A symbolic link stays one; the file that it leads to is written. Permissions stay. What is left of a write that
/// was cut short is overwritten by the next one.
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
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.saving"));
    let mut file = File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    if let Ok(old) = fs::metadata(&path) {
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()?;
    drop(file);
    fs::rename(&beside, &path)?;
    File::open(folder)?.sync_all()
}

/// A notebook's file, held by this session. The system frees it when the program ends, however it does.
#[derive(Debug)]
pub struct Lock {
    _file: File,
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

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Held { path, by } => {
                write!(f, "{} is open in another session (process {by}): close it there first", path.display())
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
        let whole = fs::canonicalize(notebook).or_else(|_| std::path::absolute(notebook));
        let whole = whole.unwrap_or_else(|_| notebook.to_owned());
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
                Ok(Lock { _file: file })
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
