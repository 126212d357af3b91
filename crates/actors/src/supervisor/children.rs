//! The children of one supervisor: starting, stopping and restarting them in order.
//!
//! Everything here runs in the supervisor's process.

use std::time::Duration;

use super::decision::{Decision, History, Intensity, Restart, Strategy, group, on_exit};
use super::{ChildInfo, ChildSpec, Shutdown, StartError, remind};
use crate::current::Current;
use crate::message::Down;
use crate::pid::Pid;
use crate::process::{exit, monitor};
use crate::reason::ExitReason;
use crate::receive;
use crate::trace::EventKind;
use crate::tree::ChildStatus;

pub(super) struct Children {
    strategy: Strategy,
    intensity: Intensity,
    history: History,
    /// In start order.
    list: Vec<Child>,
}

struct Child {
    spec: ChildSpec,
    state: State,
    restarts: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running(Pid),
    /// It waits to be started; the process that it had is kept for the trace of its restart.
    Restarting(Option<Pid>),
    Ended,
}

impl Children {
    pub(super) fn new(strategy: Strategy, intensity: Intensity) -> Self {
        Children { strategy, intensity, history: History::default(), list: Vec::new() }
    }

    pub(super) async fn start(&mut self, spec: ChildSpec) -> Result<Pid, StartError> {
        if self.list.iter().any(|child| child.spec.id == spec.id) {
            return Err(StartError::Duplicate { id: spec.id });
        }
        match (spec.start)().await {
            Ok(pid) => {
                self.list.push(Child { spec, state: State::Running(pid), restarts: 0 });
                Ok(pid)
            }
            Err(reason) => Err(StartError::Child { id: spec.id, reason }),
        }
    }

    /// Newest first, as OTP lists them.
    pub(super) fn list(&self) -> Vec<ChildInfo> {
        let info = |child: &Child| {
            let (pid, status) = match child.state {
                State::Running(pid) => (Some(pid), ChildStatus::Running),
                State::Restarting(_) => (None, ChildStatus::Restarting),
                State::Ended => (None, ChildStatus::NotStarted),
            };
            ChildInfo { id: child.spec.id.clone(), pid, kind: child.spec.kind, status, restarts: child.restarts }
        };
        self.list.iter().rev().map(info).collect()
    }

    pub(super) async fn terminate(&mut self, id: &str) -> bool {
        let Some(index) = self.list.iter().position(|child| child.spec.id == id) else { return false };
        self.stop(index).await;
        if self.list[index].spec.restart == Restart::Temporary {
            self.list.remove(index);
        }
        true
    }

    /// The process `pid` has ended; it may be a child.
    ///
    /// # Errors
    /// The reason for which the supervisor has to end: there were too many restarts.
    pub(super) async fn ended(&mut self, pid: Pid, reason: ExitReason) -> Result<(), ExitReason> {
        let Some(index) = self.list.iter().position(|child| child.state == State::Running(pid)) else { return Ok(()) };
        let (history, intensity) = (&mut self.history, self.intensity);
        let restart = self.list[index].spec.restart;
        let decision =
            on_exit(self.strategy, restart, &reason, index, self.list.len(), || history.admit(intensity, now()));
        self.list[index].state = State::Restarting(Some(pid));
        self.carry_out(decision, index).await
    }

    /// A child that could not be restarted is given another chance, which counts.
    pub(super) async fn try_again(&mut self, id: &str) -> Result<(), ExitReason> {
        let waits = |child: &Child| child.spec.id == id && matches!(child.state, State::Restarting(_));
        let Some(index) = self.list.iter().position(waits) else { return Ok(()) };
        if !self.history.admit(self.intensity, now()) {
            return Err(ExitReason::Shutdown);
        }
        let group = group(self.strategy, index, self.list.len());
        self.carry_out(Decision::Restart(group), index).await
    }

    async fn carry_out(&mut self, decision: Decision, index: usize) -> Result<(), ExitReason> {
        match decision {
            Decision::Leave => self.list[index].state = State::Ended,
            Decision::Forget => {
                self.list.remove(index);
            }
            Decision::GiveUp => {
                self.list[index].state = State::Ended;
                return Err(ExitReason::Shutdown);
            }
            Decision::Restart(range) => {
                let mut end = range.end;
                for index in range.clone().rev() {
                    self.stop_to_restart(index).await;
                    if self.list[index].spec.restart == Restart::Temporary {
                        self.list.remove(index);
                        end -= 1;
                    }
                }
                for index in range.start..end {
                    if !self.start_again(index).await {
                        break; // It will be tried again, and those after it with it.
                    }
                }
            }
        }
        Ok(())
    }

    /// Those that had ended before are started as well, as in OTP.
    async fn stop_to_restart(&mut self, index: usize) {
        let old = match self.list[index].state {
            State::Running(pid) => Some(pid),
            State::Restarting(old) => old,
            State::Ended => None,
        };
        self.stop(index).await;
        self.list[index].state = State::Restarting(old);
    }

    /// Starts a child that waits for it; false if that failed, and will be tried again.
    async fn start_again(&mut self, index: usize) -> bool {
        let child = &mut self.list[index];
        let State::Restarting(old) = child.state else { return true };
        let Ok(new) = (child.spec.start)().await else {
            remind(&child.spec.id);
            return false;
        };
        child.state = State::Running(new);
        child.restarts += u64::from(old.is_some());
        let id = child.spec.id.clone();
        Current::with(|current| {
            if let (Some(current), Some(old)) = (current, old)
                && let Some(supervisor) = current.pid()
            {
                current.inner.trace(|| EventKind::Restart { supervisor, old, new, id });
            }
        });
        true
    }

    /// Stops all children, the newest first.
    pub(super) async fn stop_all(&mut self) {
        for index in (0..self.list.len()).rev() {
            self.stop(index).await;
        }
    }

    async fn stop(&mut self, index: usize) {
        let child = &mut self.list[index];
        let state = std::mem::replace(&mut child.state, State::Ended);
        if let State::Running(pid) = state {
            stop(pid, child.spec.shutdown).await;
        }
    }
}

/// Asks a process to end and waits until it has, or kills it.
///
/// It is watched, so that it does not matter whether it has removed the link to its supervisor. If not,
/// the link stays, so that it ends also if its supervisor is killed meanwhile; the exit message that it
/// causes in the end is of nobody who runs.
async fn stop(pid: Pid, shutdown: Shutdown) {
    let watch = monitor(pid);
    let patience = match shutdown {
        Shutdown::BrutalKill => {
            exit(pid, ExitReason::Kill);
            Duration::MAX
        }
        Shutdown::Within(patience) => {
            exit(pid, ExitReason::Shutdown);
            patience
        }
        Shutdown::Infinity => {
            exit(pid, ExitReason::Shutdown);
            Duration::MAX
        }
    };
    let ended = receive! {
        down: Down if down.reference == watch => { drop(down); true },
        after patience => false,
    };
    if !ended {
        exit(pid, ExitReason::Kill);
        receive! {
            down: Down if down.reference == watch => drop(down),
        }
    }
}

/// The time by the node's clock.
fn now() -> Duration {
    Current::with(|current| current.map_or(Duration::ZERO, |current| current.inner.now()))
}
