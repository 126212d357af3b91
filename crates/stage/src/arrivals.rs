//! The libraries of cells on a node that shares no folder with the notebook: looked for by what they are made of, and
//! else asked for, checked and kept until the node ends. Opening them is for the loader.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use greenroom::{receive, self_pid, send};

use crate::protocol::{Code, Evaluate, Lacks, Library, Waiter, check_size, sha256};

/// An owner that has not sent a library by then is asked again. What goes to slow places may come twice.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// Where a node has libraries.
#[derive(Clone, Debug)]
pub(crate) struct Folders {
    /// Those that were compiled on this machine, for this prelude.
    pub cells: PathBuf,
    /// Those that came from elsewhere.
    pub arrivals: PathBuf,
}

/// Where the library of an evaluation is here. Asks the owner of the evaluation for it if it is nowhere.
///
/// # Errors
/// Why it cannot be had, for people.
pub(crate) async fn obtain(request: &Evaluate, folders: &Folders, owner: &Waiter) -> Result<PathBuf, String> {
    let (found, digest) = (folders.clone(), request.sha256.clone());
    let name = PathBuf::from(request.library.file_name().unwrap_or_default());
    let found = blocking(move || found.find(&name, &digest)).await?;
    if let Some(library) = found {
        return Ok(library);
    }
    let code = loop {
        send((owner.name.as_str(), owner.node), Lacks { id: request.id, from: self_pid() });
        // An owner that goes takes whoever waits with it; one that was killed has not heard.
        receive! {
            Library { id, code }: Library if id == request.id => break code,
            after ASK_AGAIN => {}
        }
    };
    let (code, folders) = (code?, folders.clone());
    blocking(move || folders.keep(&code)).await?
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    greenroom::spawn_blocking(work).await.map_err(|reason| reason.to_string())
}

impl Folders {
    fn find(&self, name: &Path, digest: &str) -> Option<PathBuf> {
        let arrived = self.arrived(digest)?;
        if arrived.is_file() {
            return Some(arrived);
        }
        let own = self.cells.join(name);
        let bytes = fs::read(&own).ok()?;
        (sha256(&bytes) == digest).then_some(own)
    }

    /// Writes a library, whole or not at all, if it is what it should be.
    fn keep(&self, code: &Code) -> Result<PathBuf, String> {
        check_size(code.bytes.len() as u64)?;
        let arrived = self.arrived(&code.sha256).filter(|_| code.is_whole());
        let arrived = arrived.ok_or("the cell's library has not arrived as it was sent: evaluate the cell again")?;
        let part =
            self.arrivals.join(format!("{}.part", greenroom::Ref::new().to_string().replace(['#', '<', '>'], "")));
        let write = || {
            let mut file = fs::File::create(&part)?;
            file.write_all(&code.bytes)?;
            fs::rename(&part, &arrived)
        };
        write()
            .map_err(|error| format!("the node cannot keep the cell's library in {}: {error}", arrived.display()))?;
        Ok(arrived)
    }

    /// Where a library of this digest is kept; none for what is no digest.
    fn arrived(&self, digest: &str) -> Option<PathBuf> {
        let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then(|| self.arrivals.join(format!("{digest}.so")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> (Folders, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let [cells, arrivals] = ["cells", "arrivals"].map(|name| folder.path().join(name));
        fs::create_dir(&cells).and_then(|()| fs::create_dir(&arrivals)).expect("it is empty");
        (Folders { cells, arrivals }, folder)
    }

    #[test]
    fn what_is_kept_is_found_by_its_digest_alone() {
        let (folders, _folder) = folders();
        let digest = sha256(b"code");
        assert_eq!(folders.find(Path::new("a.so"), &digest), None);
        let kept = folders.keep(&Code::new(b"code".to_vec())).expect("it can be written");
        assert_eq!(fs::read(&kept).expect("it is there"), b"code");
        assert_eq!(folders.find(Path::new("a.so"), &digest), Some(kept.clone()));
        assert_eq!(folders.find(Path::new("a.so"), &sha256(b"other")), None);
        assert_eq!(fs::read_dir(&folders.arrivals).expect("it is there").count(), 1, "no part is left");
    }

    #[test]
    fn what_was_compiled_here_is_used_if_it_is_the_same() {
        let (folders, _folder) = folders();
        let own = folders.cells.join("a.so");
        fs::write(&own, b"code").expect("it can be written");
        assert_eq!(folders.find(Path::new("a.so"), &sha256(b"code")), Some(own));
        assert_eq!(folders.find(Path::new("a.so"), &sha256(b"other")), None);
    }

    #[test]
    fn what_is_damaged_or_no_digest_is_not_kept() {
        let (folders, _folder) = folders();
        for sha256 in [sha256(b"damaged"), "../x".to_owned()] {
            let error = folders.keep(&Code { sha256, ..Code::new(b"code".to_vec()) }).unwrap_err();
            assert!(error.contains("not arrived as it was sent"), "{error}");
        }
        assert_eq!(fs::read_dir(&folders.arrivals).expect("it is there").count(), 0);
        assert_eq!(folders.find(Path::new("a.so"), "../cells/a"), None);
    }
}
