//! The runtime as the notebook knows it: whether it is there, how it was started, and what its end means.

use serde::{Deserialize, Serialize};

use super::info::{Status, Validity};
use super::staleness::{Touched, digest};
use super::{Data, Refusal, text};
use crate::prelude::Progress;
use crate::session::operation::{Action, CellId, Runtime, RuntimeId, RuntimeSettings, Usage};

/// What is known of the runtime.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeState {
    /// Whether it is there.
    pub status: RuntimeStatus,
    /// Which one it is, or was last.
    pub id: RuntimeId,
    /// How the next one is started, if it is an own one.
    pub settings: RuntimeSettings,
    /// The node that cells run on, if not in a runtime of their own.
    pub node: Option<String>,
    /// Why there is none, if that is not because somebody wanted it so.
    pub trouble: Option<String>,
    /// What it uses.
    pub usage: Usage,
    /// How far the building of what it stands on has come, if that is being built.
    pub building: Option<Progress>,
    /// Of the manifest that it was started for.
    manifest: Option<u64>,
}

/// Whether the runtime is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RuntimeStatus {
    /// No.
    #[default]
    Disconnected,
    /// It is being started.
    Connecting,
    /// Yes.
    Connected,
}

impl Data {
    pub(super) fn runtime_changed(&mut self, operation: &Runtime, actions: &mut Vec<Action>) -> Result<(), Refusal> {
        match operation {
            Runtime::Connect => match self.runtime.status {
                RuntimeStatus::Disconnected => self.connect(actions),
                RuntimeStatus::Connecting | RuntimeStatus::Connected => return Err(Refusal::HasRuntime),
            },
            Runtime::Building { runtime, progress } => {
                self.with(*runtime)?;
                self.runtime.building = Some(progress.clone());
            }
            Runtime::Connected(runtime) => {
                self.with(*runtime)?;
                if self.runtime.status == RuntimeStatus::Connected {
                    return Err(Refusal::HasRuntime);
                }
                self.runtime.status = RuntimeStatus::Connected;
                self.runtime.building = None;
            }
            Runtime::Failed { runtime, why } => {
                self.with(*runtime)?;
                self.disconnected(None);
                self.runtime.trouble = Some(why.clone());
            }
            Runtime::Disconnect => {
                self.with_runtime()?;
                self.disconnected(None);
                actions.push(Action::Disconnect);
            }
            Runtime::Restart => {
                self.with_runtime()?;
                self.disconnected(None);
                actions.push(Action::Disconnect);
                self.connect(actions);
            }
            Runtime::Move(node) => {
                if self.runtime.status != RuntimeStatus::Disconnected {
                    self.disconnected(None);
                    actions.push(Action::Disconnect);
                }
                self.runtime.node.clone_from(node);
                self.connect(actions);
            }
            Runtime::Down { runtime, why } => {
                self.with(*runtime)?;
                self.disconnected(Some(why));
            }
            Runtime::SetOptions(settings) => self.runtime.settings = settings.clone(),
            Runtime::Usage(usage) => {
                self.with_runtime()?;
                self.runtime.usage = *usage;
            }
            Runtime::Printed(_) => self.with_runtime()?,
        }
        Ok(())
    }

    fn with_runtime(&self) -> Result<(), Refusal> {
        match self.runtime.status {
            RuntimeStatus::Disconnected => Err(Refusal::NoRuntime),
            RuntimeStatus::Connecting | RuntimeStatus::Connected => Ok(()),
        }
    }

    /// What is said of a runtime that was given up since is of no interest.
    fn with(&self, runtime: RuntimeId) -> Result<(), Refusal> {
        self.with_runtime()?;
        if runtime == self.runtime.id { Ok(()) } else { Err(Refusal::OtherRuntime(runtime)) }
    }

    /// Whether a runtime is there that was started for another manifest than the notebook has now.
    pub fn is_setup_outdated(&self) -> bool {
        self.runtime.status != RuntimeStatus::Disconnected && self.runtime.manifest != self.manifest_digest()
    }

    fn manifest_digest(&self) -> Option<u64> {
        self.document.manifest().and_then(|id| self.document.cell(id)).map(|cell| digest(text(cell)))
    }

    pub(super) fn connect(&mut self, actions: &mut Vec<Action>) {
        self.runtime.status = RuntimeStatus::Connecting;
        self.runtime.id.0 += 1;
        self.runtime.manifest = self.manifest_digest();
        self.runtime.trouble = None;
        actions.push(Action::Connect);
    }

    /// The runtime is gone, and with it everything that was evaluated. Outputs stay.
    ///
    /// If it has died, the cells that ran count as failed: one of them is to blame, and none is tried again before
    /// somebody asks for it.
    pub(super) fn disconnected(&mut self, died_of: Option<&str>) {
        self.runtime.status = RuntimeStatus::Disconnected;
        self.runtime.usage = Usage::default();
        self.runtime.building = None;
        self.runtime.trouble = died_of.map(str::to_owned);
        for cell in std::mem::take(&mut self.evaluating) {
            let info = self.info_mut(cell);
            if let Some(running) = info.running.take() {
                info.shown = Some(running.id);
                info.failed_digest = running.digest;
            }
            info.validity = Validity::Aborted;
            info.failed = died_of.is_some();
            info.status = Status::Ready;
            info.not_yielding_ms = None;
            info.freeze();
        }
        for cell in std::mem::take(&mut self.queued) {
            self.info_mut(cell).status = Status::Ready;
        }
        let evaluated: Vec<CellId> = self.index.evaluated().collect();
        let mut touched = Touched::default();
        for cell in evaluated {
            self.drop_record(cell, Validity::Aborted, &mut touched);
        }
    }
}
