//! The children of one supervisor: starting, stopping and restarting them in order.
//!
//! Everything here runs in the supervisor's process. What to do about an exit is left to `decision`, how a child is
//! started and stopped to `start` and `stop`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::decision::{AutoShutdown, Decision, Ended, History, Intensity, Restart, group, on_exit};
use super::error::{DeleteChildError, RestartChildError, SpecError, StartChildError, TerminateChildError};
use super::info::{ChildCounts, ChildInfo, tell_restart};
use super::report::{child_ended, give_up, not_restarted};
use super::request::{TryAgain, Who};
use super::spec::{ChildSpec, NotStarted};
use super::start::start;
use super::stop::{now, stop};
use crate::pid::{Pid, Ref};
use crate::process::{self_pid, send};
use crate::reason::ExitReason;
use crate::tree::{ChildStatus, Strategy};

/// The rules that the children are kept by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Policy {
    pub(super) strategy: Strategy,
    pub(super) intensity: Intensity,
    pub(super) auto_shutdown: AutoShutdown,
}

pub(super) struct Children {
    /// Who has started the supervisor.
    owner: Pid,
    policy: Policy,
    history: History,
    /// By number, which is in start order.
    list: BTreeMap<u64, Child>,
    next: u64,
    by_id: FxHashMap<Arc<str>, u64>,
    /// Those that run.
    by_pid: FxHashMap<Pid, u64>,
}

struct Child {
    spec: ChildSpec,
    state: State,
    /// The process that it had last, for the trace of its restart.
    last: Option<Pid>,
    restarts: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Since when.
    Running(Pid, Duration),
    /// It could not be started, and will be tried again when this [`TryAgain`] is received.
    Restarting(Ref),
    Ended,
}

/// Says what contradicts itself in the specification of a child.
pub(super) fn check(spec: &ChildSpec, auto_shutdown: AutoShutdown) -> Result<(), SpecError> {
    let id = || spec.id.to_string();
    match (spec.is_significant, auto_shutdown, spec.restart) {
        (false, _, _) => Ok(()),
        (true, AutoShutdown::Never, _) => Err(SpecError::NeverShutsDown { id: id() }),
        (true, _, Restart::Permanent) => Err(SpecError::PermanentSignificant { id: id() }),
        (true, _, Restart::Transient | Restart::Temporary) => Ok(()),
    }
}

impl Children {
    pub(super) fn new(owner: Pid, policy: Policy) -> Self {
        Children {
            owner,
            policy,
            history: History::default(),
            list: BTreeMap::new(),
            next: 0,
            by_id: FxHashMap::default(),
            by_pid: FxHashMap::default(),
        }
    }

    pub(super) fn policy(&self) -> Policy {
        self.policy
    }

    /// Adds a child and starts it.
    pub(super) async fn start(&mut self, spec: ChildSpec) -> Result<Pid, StartChildError> {
        check(&spec, self.policy.auto_shutdown).map_err(StartChildError::Spec)?;
        let id = || spec.id.to_string();
        if let Some((_, child)) = self.find(&spec.id) {
            return Err(match child.state {
                State::Running(pid, _) => StartChildError::AlreadyStarted { id: id(), pid },
                State::Restarting(_) | State::Ended => StartChildError::AlreadyPresent { id: id() },
            });
        }
        let started = start(&spec, self.owner, |pid| self.by_pid.contains_key(&pid)).await;
        match started {
            Ok(pid) => {
                self.add(spec, State::Running(pid, now()));
                Ok(pid)
            }
            Err(NotStarted::Ignored) => {
                let error = StartChildError::Ignored { id: id() };
                if spec.restart != Restart::Temporary {
                    self.add(spec, State::Ended);
                }
                Err(error)
            }
            Err(NotStarted::Failed(reason)) => Err(StartChildError::Failed { id: id(), reason }),
        }
    }

    fn add(&mut self, spec: ChildSpec, state: State) {
        let key = self.next;
        self.next += 1;
        let last = match state {
            State::Running(pid, _) => {
                self.by_pid.insert(pid, key);
                Some(pid)
            }
            State::Restarting(_) | State::Ended => None,
        };
        self.by_id.insert(spec.id.clone(), key);
        self.list.insert(key, Child { spec, state, last, restarts: 0 });
    }

    fn find(&self, id: &str) -> Option<(u64, &Child)> {
        let key = *self.by_id.get(id)?;
        Some((key, self.list.get(&key)?))
    }

    fn forget(&mut self, key: u64) {
        if let Some(child) = self.list.remove(&key) {
            self.by_id.remove(&child.spec.id);
            if let State::Running(pid, _) = child.state {
                self.by_pid.remove(&pid);
            }
        }
    }

    /// Newest first, as OTP lists them.
    pub(super) fn list(&self) -> Vec<ChildInfo> {
        let now = now();
        let info = |child: &Child| {
            let (pid, status, uptime) = match child.state {
                State::Running(pid, since) => (Some(pid), ChildStatus::Running, Some(now.saturating_sub(since))),
                State::Restarting(_) => (None, ChildStatus::Restarting, None),
                State::Ended => (None, ChildStatus::NotStarted, None),
            };
            let (id, kind) = (child.spec.id.to_string(), child.spec.kind);
            ChildInfo { id, pid, kind, status, restarts: child.restarts, uptime }
        };
        self.list.values().rev().map(info).collect()
    }

    pub(super) fn counts(&self) -> ChildCounts {
        let children = self.list.values();
        children.map(|child| (child.spec.kind, matches!(child.state, State::Running(..)))).collect()
    }

    pub(super) async fn terminate(&mut self, id: &str) -> Result<(), TerminateChildError> {
        let Some((key, child)) = self.find(id) else {
            return Err(TerminateChildError::NotFound { child: id.to_owned() });
        };
        let is_temporary = child.spec.restart == Restart::Temporary;
        self.stop(key).await;
        if is_temporary {
            self.forget(key);
        }
        Ok(())
    }

    pub(super) async fn restart(&mut self, id: &str) -> Result<Pid, RestartChildError> {
        let id = id.to_owned();
        let Some((key, child)) = self.find(&id) else { return Err(RestartChildError::NotFound { id }) };
        match child.state {
            State::Running(pid, _) => return Err(RestartChildError::Running { id, pid }),
            State::Restarting(_) => return Err(RestartChildError::Restarting { id }),
            State::Ended => {}
        }
        self.start_again(key).await.map_err(|error| match error {
            NotStarted::Ignored => RestartChildError::Ignored { id },
            NotStarted::Failed(reason) => RestartChildError::Failed { id, reason },
        })
    }

    pub(super) fn delete(&mut self, id: &str) -> Result<(), DeleteChildError> {
        let id = id.to_owned();
        let Some((key, child)) = self.find(&id) else { return Err(DeleteChildError::NotFound { id }) };
        match child.state {
            State::Running(pid, _) => return Err(DeleteChildError::Running { id, pid }),
            State::Restarting(_) => return Err(DeleteChildError::Restarting { id }),
            State::Ended => {}
        }
        self.forget(key);
        Ok(())
    }

    /// The process `pid` has ended; it may be a child.
    ///
    /// # Errors
    /// The reason for which the supervisor has to end.
    pub(super) async fn ended(&mut self, pid: Pid, reason: ExitReason) -> Result<(), ExitReason> {
        let Some(key) = self.by_pid.remove(&pid) else { return Ok(()) };
        let Some(child) = self.list.get_mut(&key) else { return Ok(()) };
        child.state = State::Ended;
        let (restart, is_significant) = (child.spec.restart, child.spec.is_significant);
        child_ended(&child.spec.id, pid, restart, &reason);
        let others_significant = is_significant
            && self.policy.auto_shutdown == AutoShutdown::AllSignificant
            && self.list.values().any(|child| child.spec.is_significant && child.state != State::Ended);
        let ended = Ended { restart, reason: &reason, is_significant, others_significant };
        let Policy { intensity, auto_shutdown, .. } = self.policy;
        match on_exit(&ended, auto_shutdown, intensity, &mut self.history, now()) {
            Decision::Leave => {}
            Decision::Forget => self.forget(key),
            Decision::Restart => self.restart_group(key).await,
            Decision::GiveUp => return Err(give_up()),
            Decision::Finish => return Err(ExitReason::Shutdown),
        }
        Ok(())
    }

    /// A child that could not be restarted is given another chance, which counts.
    ///
    /// # Errors
    /// As for [`Children::ended`].
    pub(super) async fn try_again(&mut self, TryAgain { child, attempt }: TryAgain) -> Result<(), ExitReason> {
        let Who::Id(id) = child else { return Ok(()) };
        let Some((key, child)) = self.find(&id) else { return Ok(()) };
        if child.state != State::Restarting(attempt) {
            return Ok(()); // It was terminated meanwhile.
        }
        if !self.history.admit(self.policy.intensity, now()) {
            return Err(give_up());
        }
        self.restart_group(key).await;
        Ok(())
    }

    /// Stops a child and those that are restarted with it, and starts them again. Those that had ended before are
    /// started as well, as in OTP; a temporary one is forgotten.
    async fn restart_group(&mut self, key: u64) {
        let group: Vec<u64> = self.list.range(group(self.policy.strategy, key)).rev().map(|(key, _)| *key).collect();
        for &key in &group {
            self.stop(key).await;
            if self.list.get(&key).is_some_and(|child| child.spec.restart == Restart::Temporary) {
                self.forget(key);
            }
        }
        for &key in group.iter().rev() {
            if let Err(NotStarted::Failed(reason)) = self.start_again(key).await {
                // Those after it wait with it.
                return self.remind(key, &reason);
            }
        }
    }

    /// Starts a child that is known and does not run. One that is ignored counts as started.
    async fn start_again(&mut self, key: u64) -> Result<Pid, NotStarted> {
        let Some(child) = self.list.get(&key) else { return Err(NotStarted::Ignored) };
        let spec = child.spec.clone();
        let new = start(&spec, self.owner, |pid| self.by_pid.contains_key(&pid)).await?;
        self.by_pid.insert(new, key);
        if let Some(child) = self.list.get_mut(&key) {
            child.state = State::Running(new, now());
            if let Some(old) = child.last.replace(new) {
                child.restarts += 1;
                tell_restart(old, new, &spec.id);
            }
        }
        Ok(new)
    }

    /// Asks for another attempt, by the mailbox, so that requests come between.
    fn remind(&mut self, key: u64, reason: &ExitReason) {
        if let Some(child) = self.list.get_mut(&key) {
            not_restarted(&child.spec.id, reason);
            let attempt = Ref::new();
            child.state = State::Restarting(attempt);
            send(self_pid(), TryAgain { child: Who::Id(child.spec.id.clone()), attempt });
        }
    }

    /// Stops all children, the newest first.
    pub(super) async fn stop_all(&mut self) {
        let keys: Vec<u64> = self.list.keys().rev().copied().collect();
        for key in keys {
            self.stop(key).await;
        }
    }

    async fn stop(&mut self, key: u64) {
        let Some(child) = self.list.get_mut(&key) else { return };
        let state = std::mem::replace(&mut child.state, State::Ended);
        if let State::Running(pid, _) = state {
            let shutdown = child.spec.shutdown;
            self.by_pid.remove(&pid);
            stop(pid, shutdown).await;
        }
    }
}
