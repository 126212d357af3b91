//! The process of a supervisor: its start, what it listens to, its end.

use super::children::{Children, Policy};
use super::error::{StartChildError, StartError};
use super::info::{Description, mark_as_supervisor};
use super::request::{Heard, Kind, Request, listen};
use super::spec::ChildSpec;
use super::stop::now;
use crate::ask::{Asked, Asker, answer_of};
use crate::message::Down;
use crate::names::RegisterError;
use crate::pid::{Pid, Ref};
use crate::process::{exit_self, monitor, register, self_pid, spawn_asked, trap_exit, unlink, whereis};
use crate::reason::ExitReason;
use crate::receive;

/// Starts a supervisor's process, linked to the running one, and waits until its children run. `serve` is given the
/// running process and the reference to answer under.
pub(super) async fn start_link<F>(serve: impl FnOnce(Pid, Ref) -> F) -> Result<Pid, StartError>
where
    F: Future<Output = ()> + Send + 'static,
{
    let reference = Ref::new();
    let pid = spawn_asked(reference, serve(self_pid(), reference));
    let outcome = match answer_of::<Result<(), StartError>>(pid, reference).await {
        Ok(outcome) => outcome,
        Err(reason) => Err(StartError::Supervisor { reason }),
    };
    if outcome.is_err() {
        // So that its name is free when the caller sees this.
        let watch = monitor(pid);
        receive! { down: Down if down.reference == watch => drop(down) }
    }
    outcome.map(|()| pid)
}

/// The first thing that a supervisor's process does.
pub(super) fn prepare(name: Option<String>) -> Result<(), StartError> {
    trap_exit(true);
    mark_as_supervisor();
    let Some(name) = name else { return Ok(()) };
    register(&name, self_pid()).map_err(|error| match (error, whereis(&name)) {
        (RegisterError::Taken { name }, Some(pid)) => StartError::AlreadyStarted { name, pid },
        (error, _) => StartError::Name(error),
    })
}

/// Tells whoever has started the running supervisor that it failed, and ends.
pub(super) fn fail(owner: Pid, reference: Ref, error: StartError) -> ! {
    unlink(owner);
    Asker::noted_here(owner, reference).reply(Err::<(), StartError>(error));
    exit_self(ExitReason::Shutdown)
}

/// The life of a supervisor.
pub(super) async fn serve(policy: Policy, name: Option<String>, specs: Vec<ChildSpec>, owner: Pid, reference: Ref) {
    let since = now();
    let mut children = Children::new(owner, policy);
    let outcome = match prepare(name) {
        Ok(()) => begin(&mut children, specs).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => Asker::noted_here(owner, reference).reply(Ok::<(), StartError>(())),
        Err(error) => {
            children.stop_all().await;
            fail(owner, reference, error);
        }
    }
    loop {
        let over = match listen().await {
            Heard::Exit(exit) if exit.from == owner => Some(exit.reason),
            Heard::Exit(exit) => children.ended(exit.from, exit.reason).await.err(),
            Heard::TryAgain(retry) => children.try_again(retry).await.err(),
            Heard::Asked(asked) => answer(&mut children, since, asked).await,
        };
        if let Some(reason) = over {
            children.stop_all().await;
            exit_self(reason);
        }
    }
}

async fn begin(children: &mut Children, specs: Vec<ChildSpec>) -> Result<(), StartError> {
    for spec in specs {
        match children.start(spec).await {
            Ok(_) | Err(StartChildError::Ignored { .. }) => {}
            Err(StartChildError::Failed { id, reason }) => return Err(StartError::Child { id, reason }),
            Err(StartChildError::AlreadyStarted { id, .. } | StartChildError::AlreadyPresent { id }) => {
                return Err(StartError::Duplicate { id });
            }
            Err(StartChildError::Spec(error)) => return Err(StartError::Spec(error)),
            Err(StartChildError::MaxChildren { .. } | StartChildError::Supervisor { .. }) => {
                unreachable!("a static supervisor has no limit, and it is this one that runs")
            }
        }
    }
    Ok(())
}

/// Answers a call; returns the reason to end for, if it was asked to.
async fn answer(children: &mut Children, since: std::time::Duration, asked: Asked<Request>) -> Option<ExitReason> {
    let (caller, request) = asked.open();
    match request {
        Request::Describe => {
            let strategy = children.policy().strategy;
            caller.reply(Description { strategy, since, children: children.list() });
        }
        Request::CountChildren => caller.reply(children.counts()),
        Request::IsOfKind(wanted) => caller.reply(Kind::Static.compare(wanted)),
        Request::Stop => return Some(ExitReason::Normal),
        Request::StartChild(spec) => caller.reply(children.start(spec).await),
        Request::TerminateChild(id) => caller.reply(children.terminate(&id).await),
        Request::RestartChild(id) => caller.reply(children.restart(&id).await),
        Request::DeleteChild(id) => caller.reply(children.delete(&id)),
        Request::TerminatePid(_) | Request::StartTask(_) => {
            caller.refuse("its children have identifiers");
        }
    }
    None
}
