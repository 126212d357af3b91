//! The process that owns the runtime: it starts it, ends it, hands it what is to be run, and says when it has died and
//! of what. The runtime itself is kept where the next such process finds it, should this one be killed.

use std::sync::Arc;
use std::time::Duration;

use greenroom::message::Down;
use greenroom::{Pid, Ref, demonitor, monitor, receive, send};
use greenroom_stage::protocol::{Command, NotYielding, Ready, Usage};

use super::estate::Estate;
use super::message::{Lost, Order, Speaker};
use super::operation::{self, Runtime as Happens};
use crate::runtime::{RawOutput, Runtime};

/// A runtime that is dead is marked so by then, even if nobody knows yet why.
const MARKED_WITHIN: Duration = Duration::from_millis(20);

/// The life of the runtime's owner.
pub(super) async fn serve(estate: Arc<Estate>) {
    let mut connection = Connection { watch: None, estate, speaker: Speaker::new() };
    let server = connection.estate.runtime().as_ref().map(|runtime| runtime.server);
    connection.watch = server.map(monitor);
    loop {
        receive! {
            order: Order => connection.obey(order).await,
            raw: RawOutput => connection.raw(raw).await,
            usage: Usage => {
                let usage = operation::Usage { memory: usage.memory, processes: usage.processes as usize };
                connection.say(Happens::Usage(usage)).await;
            },
            stuck: NotYielding => {
                if let Some(cell) = connection.runs(|id| id == stuck.id) {
                    send(cell, stuck);
                }
            },
            // Its server was killed, and another one has taken its place.
            ready: Ready => connection.met(ready.server),
            down: Down if Some(down.reference) == connection.watch => connection.down(down.reason).await,
        }
    }
}

struct Connection {
    estate: Arc<Estate>,
    speaker: Speaker,
    /// The monitor on the runtime's server.
    watch: Option<Ref>,
}

impl Connection {
    async fn obey(&mut self, order: Order) {
        match order {
            Order::Connect { manifest, settings } => {
                if self.estate.runtime().is_some() {
                    // A session that was started again makes sure of it.
                    return self.say(Happens::Connected).await;
                }
                match self.connect(manifest, &settings).await {
                    Ok(()) => self.say(Happens::Connected).await,
                    Err(why) => self.say(Happens::Failed { why }).await,
                }
            }
            Order::Disconnect => self.disconnect(),
            Order::Run(request) => {
                let mut runtime = self.estate.runtime();
                if let Some(runtime) = runtime.as_mut() {
                    runtime.running.retain(|(id, _)| *id != request.id);
                    runtime.running.push((request.id, request.reply_to));
                    send(runtime.server, request);
                }
            }
            Order::Forget(id) => self.tell(Command::Forget(id)),
            Order::Keep(kept) => self.tell(Command::Keep(kept)),
        }
    }

    async fn connect(&mut self, manifest: String, settings: &operation::RuntimeSettings) -> Result<(), String> {
        if self.estate.tools().manifest != manifest {
            let estate = self.estate.clone();
            let made = greenroom::spawn_blocking(move || (estate.make_tools)(&manifest)).await;
            self.estate.set_tools(made.map_err(|reason| reason.to_string())??);
        }
        let options = self.estate.tools().runtime.clone();
        let runtime = Runtime::start(&options, settings).await.map_err(|error| error.to_string())?;
        self.watch = Some(monitor(runtime.server));
        *self.estate.runtime() = Some(runtime);
        Ok(())
    }

    fn disconnect(&mut self) {
        if let Some(watch) = self.watch.take() {
            demonitor(watch);
        }
        if let Some(runtime) = self.estate.runtime().take() {
            runtime.kill();
        }
    }

    fn tell(&self, command: Command) {
        if let Some(runtime) = self.estate.runtime().as_mut() {
            if let Command::Forget(id) = command {
                runtime.running.retain(|(running, _)| *running != id);
            }
            send(runtime.server, command);
        }
    }

    fn met(&mut self, server: Pid) {
        let mut runtime = self.estate.runtime();
        if let Some(runtime) = runtime.as_mut().filter(|runtime| runtime.server.node() == server.node()) {
            runtime.server = server;
            if let Some(old) = self.watch.replace(monitor(server)) {
                demonitor(old);
            }
        }
    }

    /// The one cell that runs under an evaluation, or the only one that runs at all.
    fn runs(&self, is_it: impl Fn(greenroom_stage::protocol::EvaluationId) -> bool) -> Option<Pid> {
        let runtime = self.estate.runtime();
        runtime.as_ref()?.running.iter().find(|(id, _)| is_it(*id)).map(|(_, cell)| *cell)
    }

    /// Passes on what was written past all cells: to the cell that runs, if it is only one.
    async fn raw(&mut self, raw: RawOutput) {
        match raw {
            RawOutput::Mark(id) => {
                let cell = self.runs(|running| running == id);
                if let Some(cell) = cell {
                    send(cell, RawOutput::Mark(id));
                }
                if let Some(runtime) = self.estate.runtime().as_mut() {
                    runtime.marked(id);
                }
            }
            RawOutput::Text(text) => {
                let only = match self.estate.runtime().as_ref().map(|runtime| runtime.running.as_slice()) {
                    Some([(_, cell)]) => Some(*cell),
                    Some(_) | None => None,
                };
                match only {
                    Some(cell) => send(cell, RawOutput::Text(text)),
                    None => self.say(Happens::Printed(text)).await,
                }
            }
        }
    }

    async fn down(&mut self, reason: greenroom::ExitReason) {
        if reason != greenroom::ExitReason::NoConnection {
            // Only its server was killed; the supervisor there starts another, which will say so.
            self.watch = None;
            return;
        }
        self.watch = None;
        let Some(mut runtime) = self.estate.runtime().take() else { return };
        let cells = std::mem::take(&mut runtime.running);
        let known = runtime.how_it_ended(MARKED_WITHIN).await;
        let why = known.clone().unwrap_or_else(|| "its connection was lost".to_owned());
        self.say(Happens::Down { why }).await;
        let why = runtime.post_mortem().await;
        // Its last output is in the mailbox now.
        loop {
            let text = receive! {
                RawOutput::Text(text): RawOutput => Some(text),
                RawOutput::Mark(_): RawOutput => continue,
                after Duration::ZERO => None,
            };
            match (text, cells.as_slice()) {
                (Some(text), [(_, cell)]) => send(*cell, RawOutput::Text(text)),
                (Some(_), _) => {}
                (None, _) => break,
            }
        }
        for (_, cell) in cells {
            send(cell, Lost(why.clone()));
        }
    }

    async fn say(&mut self, operation: Happens) {
        // It is refused if the session has meanwhile given up this runtime.
        let _ = self.speaker.say(operation).await;
    }
}
