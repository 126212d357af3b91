//! The file that a cookie is kept in, which nobody but its owner may read.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{Cookie, CookieError};

/// The name of the file in the home folder.
const FILE: &str = ".greenroom.cookie";
/// The permission bits of everyone but the owner.
const OTHERS: u32 = 0o077;

/// Why a cookie's file cannot be used.
#[derive(Debug)]
pub enum CookieFileError {
    /// It is not known where the home folder is.
    NoHome,
    /// It cannot be read or made.
    Io(PathBuf, io::Error),
    /// Others than its owner can read or change it.
    Exposed(PathBuf, u32),
    /// It belongs to another user.
    NotMine(PathBuf),
    /// It does not hold a cookie.
    Content(PathBuf, CookieError),
}

impl fmt::Display for CookieFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CookieFileError::NoHome => f.write_str("where is the cookie? HOME is not set: set it, or name the file"),
            CookieFileError::Io(path, error) => write!(f, "{}: {error}", path.display()),
            CookieFileError::Exposed(path, mode) => {
                let path = path.display();
                write!(
                    f,
                    "{path}: others can read the cookie (mode {:03o}): if it is still secret, `chmod 600 {path}`, \
                     else delete it, and a new one is made",
                    mode & 0o777
                )
            }
            CookieFileError::NotMine(path) => write!(f, "{}: the cookie belongs to another user", path.display()),
            CookieFileError::Content(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for CookieFileError {}

impl Cookie {
    /// The cookie of the user who runs this: from `~/.greenroom.cookie`, which is made if it is not there.
    ///
    /// # Errors
    /// As for [`Cookie::of_file`], and if it is not known where home is.
    pub fn of_user() -> Result<Cookie, CookieFileError> {
        let home = std::env::var_os("HOME").filter(|home| !home.is_empty()).ok_or(CookieFileError::NoHome)?;
        Cookie::of_file(&Path::new(&home).join(FILE))
    }

    /// The cookie in a file; if there is none, a random one is put there.
    ///
    /// # Errors
    /// [`CookieFileError`], if the file cannot be read, or others could read it.
    pub fn of_file(path: &Path) -> Result<Cookie, CookieFileError> {
        match File::open(path) {
            Ok(file) => read(path, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(path),
            Err(error) => Err(CookieFileError::Io(path.to_owned(), error)),
        }
    }
}

fn read(path: &Path, mut file: File) -> Result<Cookie, CookieFileError> {
    let failed = |error| CookieFileError::Io(path.to_owned(), error);
    // Of the opened file, so that nobody can put another in its place meanwhile.
    let metadata = file.metadata().map_err(failed)?;
    if metadata.mode() & OTHERS != 0 {
        return Err(CookieFileError::Exposed(path.to_owned(), metadata.mode()));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(CookieFileError::NotMine(path.to_owned()));
    }
    let mut text = String::new();
    Read::by_ref(&mut file).take(1024).read_to_string(&mut text).map_err(failed)?;
    text.parse().map_err(|error| CookieFileError::Content(path.to_owned(), error))
}

/// Puts a random cookie there, all of it at once: two nodes that start together end up with the same.
fn make(path: &Path) -> Result<Cookie, CookieFileError> {
    let failed = |error| CookieFileError::Io(path.to_owned(), error);
    let cookie = Cookie::random();
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(name);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(failed)?;
    let written = file.write_all(format!("{}\n", cookie.reveal()).as_bytes()).and_then(|()| file.sync_all());
    // A hard link, unlike a rename, does not replace what somebody else has put there meanwhile.
    let linked = written.and_then(|()| std::fs::hard_link(&draft, path));
    let _ = std::fs::remove_file(&draft);
    match linked {
        Ok(()) => Ok(cookie),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Cookie::of_file(path),
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_cookie_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cookie");
        let cookie = Cookie::of_file(&path).unwrap();
        assert_eq!(Cookie::of_file(&path).unwrap(), cookie);
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cookie");
        Cookie::of_file(&path).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o777] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let refused = Cookie::of_file(&path).unwrap_err().to_string();
            assert!(refused.contains("chmod 600") && refused.contains(&format!("{mode:o}")), "{refused}");
        }
    }

    #[test]
    fn a_file_without_a_cookie_says_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cookie");
        for content in ["", "short", &"0".repeat(63), "\u{fffd}", &"0".repeat(5000)] {
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            let refused = Cookie::of_file(&path).unwrap_err().to_string();
            assert!(refused.contains("64 hexadecimal digits"), "{refused}");
        }
        assert!(matches!(Cookie::of_file(folder.path()), Err(CookieFileError::Exposed(..) | CookieFileError::Io(..))));
    }
}
