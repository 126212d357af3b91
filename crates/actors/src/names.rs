//! Names: one process a name, one name a process, free again when the process has ended.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::core::Inner;
use crate::pid::{LocalPid, Pid};

impl Inner {
    /// Registers a name.
    pub(crate) fn register(&self, name: &str, id: LocalPid) -> Result<(), RegisterError> {
        if name.is_empty() {
            return Err(RegisterError::Empty);
        }
        let mut names = self.names.write();
        let taken = || RegisterError::Taken { name: name.to_owned() };
        // Whoever has died may not have been struck off yet.
        if names.get(name).is_some_and(|holder| self.is_alive(*holder)) {
            return Err(taken());
        }
        let no_process = || RegisterError::NoProcess { pid: self.pid(id) };
        let slot = self.slot(id).ok_or_else(no_process)?;
        let mut locked = slot.lock(id).ok_or_else(no_process)?;
        let cold = locked.cold();
        if let Some(other) = &cold.name {
            return Err(RegisterError::AlreadyNamed { pid: self.pid(id), name: other.to_string() });
        }
        let name: Arc<str> = name.into();
        cold.name = Some(name.clone());
        names.insert(name, id);
        Ok(())
    }

    /// Frees a name; false if nobody had it.
    pub(crate) fn unregister(&self, name: &str) -> bool {
        let mut names = self.names.write();
        let Some(id) = names.remove(name) else { return false };
        let Some(mut locked) = self.slot(id).and_then(|slot| slot.lock(id)) else { return false };
        locked.cold().name = None;
        true
    }
}

/// Why a name could not be registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegisterError {
    /// The name is empty.
    Empty,
    /// Another process has the name.
    Taken {
        /// The name.
        name: String,
    },
    /// The process has a name already.
    AlreadyNamed {
        /// The process.
        pid: Pid,
        /// The name that it has.
        name: String,
    },
    /// There is no such process on this node.
    NoProcess {
        /// The process that was meant.
        pid: Pid,
    },
}

impl std::fmt::Display for RegisterError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RegisterError::Empty => f.write_str("a name needs at least one character"),
            RegisterError::Taken { name } => write!(f, "the name `{name}` is taken; unregister it first"),
            RegisterError::AlreadyNamed { pid, name } => {
                write!(f, "{pid} is already registered as `{name}`; a process has one name")
            }
            RegisterError::NoProcess { pid } => write!(f, "{pid} is no live process of this node"),
        }
    }
}

impl std::error::Error for RegisterError {}
