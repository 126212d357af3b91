//! The process of a dynamic supervisor, and the children that it has.
//!
//! What to do about an exit is left to `decision`, how a child is started and stopped to `start` and `stop`.

use std::time::Duration;

use rustc_hash::FxHashMap;

use super::DynamicSupervisorBuilder;
use crate::ask::{Asked, Asker};
use crate::current::running;
use crate::pid::{Pid, Ref};
use crate::process::{exit_self, self_pid, send};
use crate::reason::ExitReason;
use crate::supervisor::children::check;
use crate::supervisor::decision::{AutoShutdown, Decision, Ended, History, Intensity, Restart, on_exit};
use crate::supervisor::error::{StartChildError, StartError, TerminateChildError};
use crate::supervisor::info::{ChildCounts, ChildInfo, Description, tell_restart};
use crate::supervisor::report::{child_ended, give_up, not_restarted};
use crate::supervisor::request::{Errand, Heard, Kind, Request, TryAgain, Who, listen};
use crate::supervisor::serve::{fail, prepare};
use crate::supervisor::spec::{ChildSpec, NotStarted, PATIENCE, Shutdown};
use crate::supervisor::start::start;
use crate::supervisor::stop::{now, stop, stop_together};
use crate::tree::{ChildKind, ChildStatus, Strategy};

struct Members {
    /// Who has started the supervisor.
    owner: Pid,
    intensity: Intensity,
    limit: usize,
    history: History,
    /// By the process that each has, or had last.
    list: FxHashMap<Pid, Member>,
    started: u64,
}

struct Member {
    /// Grows from one start to the next.
    number: u64,
    /// None for a future, which cannot be started again.
    spec: Option<ChildSpec>,
    state: State,
    restarts: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Since when.
    Running(Duration),
    /// It could not be started, and will be tried again when this [`TryAgain`] is received.
    Restarting(Ref),
}

/// The life of a dynamic supervisor.
pub(super) async fn serve(builder: DynamicSupervisorBuilder, owner: Pid, reference: Ref) {
    let since = now();
    if let Err(error) = prepare(builder.name) {
        fail(owner, reference, error);
    }
    let limit = builder.max_children.unwrap_or(usize::MAX);
    let (history, list) = (History::default(), FxHashMap::default());
    let mut members = Members { owner, intensity: builder.intensity, limit, history, list, started: 0 };
    Asker::noted_here(owner, reference).reply(Ok::<(), StartError>(()));
    loop {
        let over = match listen().await {
            Heard::Exit(exit) if exit.from == owner => Some(exit.reason),
            Heard::Exit(exit) => members.ended(exit.from, &exit.reason).await.err(),
            Heard::TryAgain(retry) => members.try_again(retry).await.err(),
            Heard::Asked(asked) => members.answer(since, asked).await,
        };
        if let Some(reason) = over {
            members.stop_all().await;
            exit_self(reason);
        }
    }
}

impl Members {
    /// Answers a call; returns the reason to end for, if it was asked to.
    async fn answer(&mut self, since: Duration, asked: Asked<Request>) -> Option<ExitReason> {
        let (caller, request) = asked.open();
        match request {
            Request::Describe => {
                caller.reply(Description { strategy: Strategy::OneForOne, since, children: self.list() });
            }
            Request::CountChildren => caller.reply(self.counts()),
            Request::IsOfKind(wanted) => caller.reply(Kind::Dynamic.compare(wanted)),
            Request::Stop => return Some(ExitReason::Normal),
            Request::StartChild(spec) => caller.reply(self.start(spec).await),
            Request::StartTask(errand) => caller.reply(self.run(errand)),
            Request::TerminatePid(pid) => caller.reply(self.terminate(pid).await),
            Request::TerminateChild(_) | Request::RestartChild(_) | Request::DeleteChild(_) => {
                caller.refuse("its children have no identifiers, they are known by their processes");
            }
        }
        None
    }

    fn has_room(&self, id: &str) -> Result<(), StartChildError> {
        if self.list.len() < self.limit {
            return Ok(());
        }
        Err(StartChildError::MaxChildren { id: id.to_owned(), limit: self.limit })
    }

    async fn start(&mut self, spec: ChildSpec) -> Result<Pid, StartChildError> {
        check(&spec, AutoShutdown::Never).map_err(StartChildError::Spec)?;
        self.has_room(&spec.id)?;
        let id = || spec.id.to_string();
        match start(&spec, self.owner, |pid| self.list.contains_key(&pid)).await {
            Ok(pid) => {
                self.add(pid, Some(spec));
                Ok(pid)
            }
            Err(NotStarted::Ignored) => Err(StartChildError::Ignored { id: id() }),
            Err(NotStarted::Failed(reason)) => Err(StartChildError::Failed { id: id(), reason }),
        }
    }

    /// Starts a process for a future.
    fn run(&mut self, errand: Errand) -> Result<Pid, StartChildError> {
        self.has_room("task")?;
        let Errand { future, introduce, spawned_at } = errand;
        let pid = running("start_child", |current, _, id| {
            let inner = current.inner;
            let introduce = |child| {
                inner.link(inner.pid(id), child);
                if let Some(introduce) = introduce {
                    introduce(inner, child);
                }
            };
            inner.spawn(spawned_at, introduce, future)
        });
        self.add(pid, None);
        Ok(pid)
    }

    fn add(&mut self, pid: Pid, spec: Option<ChildSpec>) {
        self.started += 1;
        self.list.insert(pid, Member { number: self.started, spec, state: State::Running(now()), restarts: 0 });
    }

    /// Newest first.
    fn list(&self) -> Vec<ChildInfo> {
        let now = now();
        let mut list: Vec<(&Pid, &Member)> = self.list.iter().collect();
        list.sort_unstable_by_key(|(_, member)| std::cmp::Reverse(member.number));
        let info = |(pid, member): (&Pid, &Member)| {
            let (pid, status, uptime) = match member.state {
                State::Running(since) => (Some(*pid), ChildStatus::Running, Some(now.saturating_sub(since))),
                State::Restarting(_) => (None, ChildStatus::Restarting, None),
            };
            let id = member.id().to_owned();
            ChildInfo { id, pid, kind: member.kind(), status, restarts: member.restarts, uptime }
        };
        list.into_iter().map(info).collect()
    }

    fn counts(&self) -> ChildCounts {
        self.list.values().map(|member| (member.kind(), matches!(member.state, State::Running(_)))).collect()
    }

    async fn terminate(&mut self, pid: Pid) -> Result<(), TerminateChildError> {
        let Some(member) = self.list.remove(&pid) else {
            return Err(TerminateChildError::NotFound { child: pid.to_string() });
        };
        if let State::Running(_) = member.state {
            stop(pid, member.shutdown()).await;
        }
        Ok(())
    }

    /// The process `pid` has ended; it may be a child.
    ///
    /// # Errors
    /// The reason for which the supervisor has to end.
    async fn ended(&mut self, pid: Pid, reason: &ExitReason) -> Result<(), ExitReason> {
        let Some(member) = self.list.get(&pid) else { return Ok(()) };
        let restart = member.spec.as_ref().map_or(Restart::Temporary, |spec| spec.restart);
        child_ended(member.id(), pid, restart, reason);
        let ended = Ended { restart, reason, is_significant: false, others_significant: false };
        match on_exit(&ended, AutoShutdown::Never, self.intensity, &mut self.history, now()) {
            Decision::Leave | Decision::Forget | Decision::Finish => drop(self.list.remove(&pid)),
            Decision::Restart => self.restart(pid).await,
            Decision::GiveUp => {
                self.list.remove(&pid);
                return Err(give_up());
            }
        }
        Ok(())
    }

    /// A child that could not be restarted is given another chance, which counts.
    ///
    /// # Errors
    /// As for [`Members::ended`].
    async fn try_again(&mut self, TryAgain { child, attempt }: TryAgain) -> Result<(), ExitReason> {
        let Who::Pid(child) = child else { return Ok(()) };
        if self.list.get(&child).is_none_or(|member| member.state != State::Restarting(attempt)) {
            return Ok(()); // It was terminated meanwhile.
        }
        if !self.history.admit(self.intensity, now()) {
            return Err(give_up());
        }
        self.restart(child).await;
        Ok(())
    }

    /// Starts a child in the place of one that has ended.
    async fn restart(&mut self, old: Pid) {
        let Some(mut member) = self.list.remove(&old) else { return };
        let Some(spec) = &member.spec else { return };
        match start(spec, self.owner, |pid| self.list.contains_key(&pid)).await {
            Ok(new) => {
                tell_restart(old, new, &spec.id);
                member.state = State::Running(now());
                member.restarts += 1;
                self.list.insert(new, member);
            }
            Err(NotStarted::Ignored) => {}
            Err(NotStarted::Failed(reason)) => {
                not_restarted(&spec.id, &reason);
                let attempt = Ref::new();
                member.state = State::Restarting(attempt);
                self.list.insert(old, member);
                send(self_pid(), TryAgain { child: Who::Pid(old), attempt });
            }
        }
    }

    /// Stops all children, at the same time.
    async fn stop_all(&mut self) {
        let running = |(pid, member): (Pid, Member)| match member.state {
            State::Running(_) => Some((pid, member.shutdown())),
            State::Restarting(_) => None,
        };
        stop_together(self.list.drain().filter_map(running)).await;
    }
}

impl Member {
    fn id(&self) -> &str {
        self.spec.as_ref().map_or("task", |spec| &spec.id)
    }

    fn kind(&self) -> ChildKind {
        self.spec.as_ref().map_or(ChildKind::Worker, |spec| spec.kind)
    }

    fn shutdown(&self) -> Shutdown {
        self.spec.as_ref().map_or(Shutdown::Within(PATIENCE), |spec| spec.shutdown)
    }
}
