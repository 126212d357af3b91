//! Files of notebooks: reading the one that a command names, saying what is wrong with it before anything is done.
//!
//! What the text means is for `livemd`; writing it is for `disk`.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::livemd::{self, Notebook, Warning};

/// The extension of notebooks.
pub const EXTENSION: &str = "livemd";

/// How alike two file names are, from 0 to 1, for one to be meant by the other.
const ALIKE: f64 = 0.8;

/// Most names that a message offers.
const OFFERS: usize = 3;

/// A notebook with the file that it was read from.
#[derive(Debug)]
pub struct Document {
    /// The file.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// What it says.
    pub notebook: Notebook,
    /// What is odd about it.
    pub warnings: Vec<Warning>,
}

/// Reads a notebook that is to be run.
///
/// # Errors
/// As for [`read`], and if it has no code cell.
pub fn open(path: &Path) -> Result<Document, OpenError> {
    let document = read(path)?;
    if document.notebook.setup_code().is_none() && document.notebook.code_cells().next().is_none() {
        return Err(OpenError::NoCode { path: document.path });
    }
    Ok(document)
}

/// Reads a notebook.
///
/// # Errors
/// The file cannot be read, or is no text.
pub fn read(path: &Path) -> Result<Document, OpenError> {
    let bytes = std::fs::read(path).map_err(|error| OpenError::unreadable(path, error))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| OpenError::NotText { path: path.to_owned(), offset: error.utf8_error().valid_up_to() })?;
    let (notebook, warnings) = livemd::parse(&text);
    Ok(Document { path: path.to_owned(), text, notebook, warnings })
}

/// Why a notebook could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// There is no such file.
    NotFound {
        /// The file.
        path: PathBuf,
        /// Files that may have been meant.
        similar: Vec<PathBuf>,
    },
    /// It is a folder.
    Folder {
        /// The folder.
        path: PathBuf,
        /// Notebooks in it.
        notebooks: Vec<PathBuf>,
    },
    /// The system does not let it be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is not text in UTF-8.
    NotText {
        /// The file.
        path: PathBuf,
        /// The first byte that is none.
        offset: usize,
    },
    /// It has no code cell.
    NoCode {
        /// The file.
        path: PathBuf,
    },
}

impl OpenError {
    fn unreadable(path: &Path, error: io::Error) -> Self {
        let path = path.to_owned();
        if path.is_dir() {
            let notebooks =
                offers(&path, |name| Path::new(name).extension().is_some_and(|extension| extension == EXTENSION));
            return OpenError::Folder { path, notebooks };
        }
        if error.kind() == io::ErrorKind::NotFound {
            let similar = similar_files(&path);
            return OpenError::NotFound { path, similar };
        }
        OpenError::Unreadable { path, error }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::NotFound { path, similar } => {
                write!(f, "{}: there is no such file", path.display())?;
                help(f, similar, "check the path; a notebook is a .livemd file")
            }
            OpenError::Folder { path, notebooks } => {
                write!(f, "{}: this is a folder, not a notebook", path.display())?;
                help(f, notebooks, "name a .livemd file")
            }
            OpenError::Unreadable { path, error } => {
                write!(f, "{}: cannot be read: {error}", path.display())?;
                help(f, &[], "check that the file may be read, and the disk works")
            }
            OpenError::NotText { path, offset } => {
                write!(f, "{}: not UTF-8 text: byte {offset} belongs to no character", path.display())?;
                help(f, &[], "save it as UTF-8, or name another file: this one may be no notebook")
            }
            OpenError::NoCode { path } => {
                write!(f, "{}: there is no code cell in it", path.display())?;
                help(f, &[], "code stands between a line ```rust and a line ```, not indented")
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OpenError::Unreadable { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// Says which files may be meant, or else what to do.
fn help(f: &mut fmt::Formatter<'_>, files: &[PathBuf], otherwise: &str) -> fmt::Result {
    let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    match names.split_last() {
        None => write!(f, "\nhelp: {otherwise}"),
        Some((last, [])) => write!(f, "\nhelp: did you mean {last}?"),
        Some((last, others)) => write!(f, "\nhelp: did you mean {} or {last}?", others.join(", ")),
    }
}

/// Notebooks beside `path` whose names are like its own, whatever its extension.
fn similar_files(path: &Path) -> Vec<PathBuf> {
    let Some(wanted) = path.file_name().map(|name| name.to_string_lossy().to_lowercase()) else {
        return Vec::new();
    };
    let wanted = wanted.strip_suffix(".livemd").unwrap_or(&wanted);
    let folder = path.parent().unwrap_or(Path::new(""));
    offers(folder, |name| {
        let name = name.to_lowercase();
        let stem = name.strip_suffix(".livemd");
        stem.is_some_and(|stem| strsim::jaro_winkler(stem, wanted) > ALIKE)
    })
}

/// The first files in a folder, by name, that are wanted. A folder that cannot be read offers none.
fn offers(folder: &Path, is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let readable = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let entries = std::fs::read_dir(readable).into_iter().flatten().flatten();
    let mut names: Vec<_> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| is_wanted(name)).collect();
    names.sort();
    names.into_iter().take(OFFERS).map(|name| folder.join(name)).collect()
}
