//! The file of the notebook: which one it is, and what of the document is in it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Data, Refusal};
use crate::session::operation::{CellId, File};

/// What is known of the notebook's file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// Where it is.
    pub path: Option<PathBuf>,
    /// The document's revision that is on the disk.
    pub saved: u64,
    /// Why it could not be saved.
    pub trouble: Option<String>,
    /// The cells that another program has changed in the file, and somebody here.
    pub conflict: Vec<CellId>,
}

impl Data {
    pub(super) fn file_changed(&mut self, operation: &File) -> Result<(), Refusal> {
        match operation {
            File::Attach(path) => {
                self.file.path = Some(path.clone());
                self.file.trouble = None;
            }
            File::Detach => self.file.path = None,
            File::Saved { revision } => {
                self.file.saved = self.file.saved.max(*revision);
                self.file.trouble = None;
            }
            File::NotSaved { why } => self.file.trouble = Some(why.clone()),
            File::Conflict { cells } if self.file.path.is_some() => self.file.conflict.clone_from(cells),
            File::Resolved if !self.file.conflict.is_empty() => self.file.conflict.clear(),
            // What it means is that the document counts as changed.
            File::Recovered if self.file.path.is_none() => {}
            File::Recovered => return Err(Refusal::HasFile),
            File::Conflict { .. } | File::Resolved => return Err(Refusal::NoFile),
        }
        Ok(())
    }
}
