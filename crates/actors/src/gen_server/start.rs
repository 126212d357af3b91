//! Starting a server: by itself, linked, with a name, as a child.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::time::Duration;

use super::error::{CallFailure, InitError, StartError};
use super::serve::{Starter as Told, name_of, serve};
use super::{GenServer, ServerRef};
use crate::current::running;
use crate::message::{Down, Exit};
use crate::names::RegisterError;
use crate::pending::Pending;
use crate::pid::{Pid, Ref};
use crate::process::{exit, exit_self, monitor, traps_exits, unlink};
use crate::reason::ExitReason;
use crate::receive;
use crate::receive::{Mark, drop_messages};
use crate::supervisor::ChildSpec;

/// How to start a server: see [`GenServer::named`] and [`GenServer::init_within`].
#[must_use = "it starts nothing by itself"]
pub struct Starter<S> {
    name: Option<String>,
    within: Duration,
    _server: PhantomData<fn() -> S>,
}

impl<S> Clone for Starter<S> {
    fn clone(&self) -> Self {
        Starter { name: self.name.clone(), ..*self }
    }
}

impl<S> fmt::Debug for Starter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Starter").field("name", &self.name).field("within", &self.within).finish()
    }
}

impl<S: GenServer> Starter<S> {
    pub(super) fn new() -> Self {
        Starter { name: None, within: Duration::MAX, _server: PhantomData }
    }

    /// The name to register it under, before `init` runs.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How long `init` may take; unless this is said, as long as it takes.
    pub fn init_within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// Starts it, and returns when `init` is done. See [`GenServer::start`].
    ///
    /// # Errors
    /// [`StartError`].
    #[track_caller]
    pub fn start(self, args: S::Args) -> impl Future<Output = Result<ServerRef<S>, StartError>> + Send {
        self.launch(Location::caller(), args, false)
    }

    /// The same, linked to the running process. See [`GenServer::start_link`].
    ///
    /// # Errors
    /// [`StartError`].
    #[track_caller]
    pub fn start_link(self, args: S::Args) -> impl Future<Output = Result<ServerRef<S>, StartError>> + Send {
        self.launch(Location::caller(), args, true)
    }

    /// It as a child of a supervisor, whose identifier is its name, or else its type's. See [`GenServer::spec`].
    pub fn spec(self, args: S::Args) -> ChildSpec
    where
        S::Args: Clone + Sync,
    {
        let id = self.name.clone().unwrap_or_else(name_of::<S>);
        ChildSpec::starting(id, move || self.clone().start_link(args.clone()))
    }

    async fn launch(
        self,
        at: &'static Location<'static>,
        args: S::Args,
        is_linked: bool,
    ) -> Result<ServerRef<S>, StartError> {
        let server = name_of::<S>();
        let (pid, pending) = self.spawn(at, args, is_linked)?;
        match pending.await {
            Ok(Ok(())) => Ok(ServerRef::new(pid)),
            Ok(Err(error)) => {
                gone(pid).await;
                Err(match error {
                    InitError::Ignore => StartError::Ignored { server },
                    InitError::Stop(reason) => StartError::Init { server, reason },
                })
            }
            Err(CallFailure::Timeout(within)) => {
                unlink(pid);
                exit(pid, ExitReason::Kill);
                gone(pid).await;
                Err(StartError::Timeout { server, within })
            }
            Err(why) => {
                let reason = match why {
                    CallFailure::Ended(reason) => reason,
                    _ => ExitReason::NoProc,
                };
                if is_linked && !traps_exits() && reason != ExitReason::Normal {
                    exit_self(reason); // The link would do it, in a moment.
                }
                forget_exit(pid);
                Err(StartError::Init { server, reason })
            }
        }
    }

    /// Starts the process, registered, linked and noted before it runs.
    fn spawn(
        &self,
        at: &'static Location<'static>,
        args: S::Args,
        is_linked: bool,
    ) -> Result<(Pid, Pending<Result<(), InitError>>), StartError> {
        let reference = Ref::new();
        let pid = running("GenServer::start", |current, _, id| {
            let inner = current.inner;
            let starter = inner.pid(id);
            let mut registered = Ok(());
            let introduce = |child: Pid| {
                registered = self.name.as_ref().map_or(Ok(()), |name| {
                    loop {
                        match inner.register(name, child.id) {
                            Ok(()) => return Ok(()),
                            Err(RegisterError::Taken { name }) => {
                                // If nobody has it any more, another try is worth it.
                                if let Some(id) = inner.whereis(&name) {
                                    return Err(StartError::AlreadyStarted { pid: inner.pid(id), name });
                                }
                            }
                            Err(error) => return Err(StartError::Name(error)),
                        }
                    }
                });
                if registered.is_err() {
                    return inner.end(child.id, ExitReason::Shutdown);
                }
                if is_linked {
                    inner.link(starter, child);
                }
                inner.note_caller(child.id, reference, starter);
            };
            let body = serve::<S>(args, Told { pid: starter, reference, is_linked });
            let child = inner.spawn(at, introduce, body);
            registered.map(|()| child)
        })?;
        Ok((pid, Pending::of_new(pid, reference, self.within)))
    }
}

/// Waits until a process is gone.
async fn gone(pid: Pid) {
    let watch = monitor(pid);
    receive! { down: Down if down.reference == watch => drop(down) }
}

/// Removes the link to a process that has ended, and the message that it may have caused.
fn forget_exit(pid: Pid) {
    unlink(pid);
    drop_messages(Mark::default(), |candidate| candidate.peek::<Exit>().is_some_and(|exit| exit.from == pid));
}
