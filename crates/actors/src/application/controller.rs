//! The process that knows a node's applications: OTP's `application_controller`.
//!
//! It never waits for an application, so that those can ask it things while they start and stop. Doing things in
//! order is left to those who ask.

use super::definition::{Application, Ended, Kind, Started};
use super::error::{StartError, StopError};
use super::master::{self, End, Ready};
use crate::ask::{self, Asked, Asker};
use crate::message::Down;
use crate::pid::{Pid, Ref};
use crate::process::{exit, monitor, register, self_pid, send, set_label, spawn, spawn_link, trap_exit, whereis};
use crate::reason::ExitReason;
use crate::receive;

/// The name that it is registered under.
const NAME: &str = "application_controller";

/// What it can be asked.
#[derive(Debug)]
pub(super) enum Request {
    StartApplication(Application, Kind),
    StopApplication(String),
    Applications,
    /// Answered when all have been stopped because one has ended.
    WhenEnded,
}

/// Asks it; it is started if it does not run yet.
///
/// # Errors
/// The reason why it has ended.
pub(super) async fn ask<A: std::fmt::Debug + Send + 'static>(request: Request) -> Result<A, ExitReason> {
    ask::ask(controller(), request).await
}

fn controller() -> Pid {
    loop {
        if let Some(pid) = whereis(NAME) {
            return pid;
        }
        let pid = spawn(serve());
        match register(NAME, pid) {
            Ok(()) => return pid,
            // Somebody else was quicker.
            Err(_) => exit(pid, ExitReason::Kill),
        }
    }
}

/// An application that is starting, running or stopping.
struct Entry {
    name: String,
    kind: Kind,
    master: Pid,
    watch: Ref,
    state: State,
}

enum State {
    /// For whom; the first is the one that is starting it.
    Starting(Vec<Asker>),
    Running(Pid),
    Stopping(Vec<Asker>),
}

#[derive(Default)]
struct Controller {
    /// In start order.
    entries: Vec<Entry>,
    /// Why all are being stopped, or were, if nothing was started since.
    end: Option<Ended>,
    is_ending: bool,
    waiting: Vec<Asker>,
}

async fn serve() {
    trap_exit(true);
    set_label(NAME);
    let mut controller = Controller::default();
    loop {
        receive! {
            asked: Asked<Request> => controller.answer(asked),
            ready: Ready => controller.ready(&ready),
            down: Down => controller.down(down.reference, down.reason),
            // Of masters, which are monitored.
            _exit: crate::message::Exit => (),
        }
    }
}

impl Controller {
    fn answer(&mut self, asked: Asked<Request>) {
        let (caller, request) = asked.open();
        match request {
            Request::StartApplication(application, kind) => self.start(application, kind, caller),
            Request::StopApplication(name) => self.stop(name, caller),
            Request::Applications => {
                let running = |entry: &Entry| match entry.state {
                    State::Running(root) => Some(Started { name: entry.name.clone(), kind: entry.kind, root }),
                    State::Starting(_) | State::Stopping(_) => None,
                };
                caller.reply(self.entries.iter().filter_map(running).collect::<Vec<_>>());
            }
            Request::WhenEnded => match &self.end {
                Some(end) if !self.is_ending => caller.reply(end.clone()),
                Some(_) | None => self.waiting.push(caller),
            },
        }
    }

    fn find(&mut self, name: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.name == name)
    }

    fn start(&mut self, application: Application, kind: Kind, caller: Asker) {
        let name = application.name.clone();
        let refuse = |error: StartError| caller.reply(Err::<Pid, _>(error));
        if let Some(end) = self.end.as_ref().filter(|_| self.is_ending) {
            return refuse(StartError::Ending { name, because: end.name.clone() });
        }
        match self.find(&name).map(|entry| &mut entry.state) {
            Some(State::Running(root)) => return refuse(StartError::AlreadyStarted { name, root: *root }),
            Some(State::Starting(callers)) => return callers.push(caller),
            Some(State::Stopping(_)) => return refuse(StartError::Stopping { name }),
            None => {}
        }
        self.end = None;
        let master = spawn_link(master::serve(application, self_pid()));
        let watch = monitor(master);
        self.entries.push(Entry { name, kind, master, watch, state: State::Starting(vec![caller]) });
    }

    fn stop(&mut self, name: String, caller: Asker) {
        let refuse = |error| caller.reply(Err::<(), StopError>(error));
        let Some(entry) = self.find(&name) else { return refuse(StopError::NotStarted { name }) };
        match &mut entry.state {
            State::Running(_) => {
                entry.state = State::Stopping(vec![caller]);
                send(entry.master, End);
            }
            State::Stopping(callers) => callers.push(caller),
            State::Starting(_) => refuse(StopError::Starting { name }),
        }
    }

    fn ready(&mut self, ready: &Ready) {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.master == ready.master) else { return };
        let root = ready.root;
        if let State::Starting(callers) = std::mem::replace(&mut entry.state, State::Running(root)) {
            for (number, caller) in callers.into_iter().enumerate() {
                let name = entry.name.clone();
                let answer = if number == 0 { Ok(root) } else { Err(StartError::AlreadyStarted { name, root }) };
                caller.reply(answer);
            }
        }
        self.go_on_ending();
    }

    /// A master has ended.
    fn down(&mut self, watch: Ref, reason: ExitReason) {
        let Some(index) = self.entries.iter().position(|entry| entry.watch == watch) else { return };
        let Entry { name, kind, state, .. } = self.entries.remove(index);
        match state {
            State::Starting(callers) => {
                for caller in callers {
                    let error = StartError::Failed { name: name.clone(), reason: reason.clone() };
                    caller.reply(Err::<Pid, _>(error));
                }
            }
            State::Stopping(callers) => {
                let outcome = match reason {
                    ExitReason::Normal => Ok(()),
                    reason => Err(StopError::Phase { name, reason }),
                };
                for caller in callers {
                    caller.reply(outcome.clone());
                }
            }
            State::Running(_) => {
                let is_fatal = match kind {
                    Kind::Permanent => true,
                    Kind::Transient => reason != ExitReason::Normal,
                    Kind::Temporary => false,
                };
                if is_fatal && !self.is_ending {
                    self.end = Some(Ended { name, reason });
                    self.is_ending = true;
                }
            }
        }
        self.go_on_ending();
    }

    /// While all are being stopped: stops the one that was started last, when those after it have.
    fn go_on_ending(&mut self) {
        if !self.is_ending {
            return;
        }
        match self.entries.last_mut() {
            Some(last) => {
                if let State::Running(_) = last.state {
                    last.state = State::Stopping(Vec::new());
                    send(last.master, End);
                }
            }
            None => {
                self.is_ending = false;
                if let Some(end) = &self.end {
                    self.waiting.drain(..).for_each(|caller| caller.reply(end.clone()));
                }
            }
        }
    }
}
