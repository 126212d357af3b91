//! The process that owns the runtime: it starts it, ends it, hands it what is to be run, and knows which evaluations
//! are out. Whoever has asked for one hears from it when the runtime is gone, whenever that happens: before the request
//! comes, while the cell runs, or after its last word was sent and before it was heard.
//!
//! The runtime and the list of what is out are kept where the next such process finds them, should this one be killed.

mod start;

use std::sync::Arc;
use std::time::Duration;

use greenroom::message::Down;
use greenroom::{ExitReason, Local, Pid, Ref, demonitor, monitor, receive, self_pid, send, sleep};
use greenroom_stage::protocol::{
    Code, Command, Evaluate, EvaluationId, Fate, Lacks, Library, NotYielding, Ready, SERVER, Usage, check_size,
};

use super::estate::{Estate, Held, Out};
use super::message::{Ended, LastWords, Lost, Order, Speaker, is_example};
use super::operation::{self, Runtime as Happens, RuntimeId};
use crate::runtime::{RawOutput, Runtime, last_words};
use start::{Look, Made, Making, Start, Visited};

/// A runtime that is dead is marked so by then, even if nobody knows yet why.
const MARKED_WITHIN: Duration = Duration::from_millis(20);
/// How long a runtime whose connection is lost may take to be gone.
const END_TIME: Duration = Duration::from_secs(2);
/// A runtime whose server was killed is looked at again after this time.
const AGAIN: Duration = Duration::from_millis(5);
/// How long the pipes of a dead runtime may take to run dry; a program that it started may hold them open.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The life of the runtime's owner.
pub(super) async fn serve(estate: Arc<Estate>) {
    let mut connection = Connection {
        estate,
        speaker: Speaker::new(),
        start: None,
        watch: None,
        parked: Vec::new(),
        last_end: Ended::Stopped,
    };
    connection.take_over();
    loop {
        receive! {
            order: Order => connection.obey(order).await,
            raw: RawOutput => connection.raw(raw).await,
            usage: Usage => {
                let usage = operation::Usage { memory: usage.memory, processes: usage.processes as usize };
                connection.say(Happens::Usage(usage)).await;
            },
            stuck: NotYielding => {
                if let Some(cell) = connection.asker(stuck.id) {
                    send(cell, stuck);
                }
            },
            ready: Ready => connection.ready(&ready).await,
            Local((id, made)): Made => connection.made(id, made).await,
            Making(id, progress): Making => if connection.starts(id) {
                connection.say(Happens::Building { runtime: id, progress }).await;
            },
            Look(id): Look => connection.look(id).await,
            Local((id, visited)): Visited => connection.visited(id, visited).await,
            lacks: Lacks => connection.hand_over(&lacks),
            down: Down if Some(down.reference) == connection.watch => connection.down(down.reason).await,
        }
    }
}

struct Connection {
    estate: Arc<Estate>,
    speaker: Speaker,
    /// The runtime that is on its way.
    start: Option<Start>,
    /// The monitor on the runtime's server.
    watch: Option<Ref>,
    /// What any runtime can run, as soon as there is one.
    parked: Vec<Evaluate>,
    /// How the last runtime has ended.
    last_end: Ended,
}

impl Connection {
    /// Owns what the owner before has left.
    fn take_over(&mut self) {
        if let Some(held) = self.estate.runtime().as_ref() {
            self.watch = Some(monitor(held.runtime.server));
            repeat(held);
        }
    }

    async fn obey(&mut self, order: Order) {
        match order {
            Order::Connect { runtime, .. } if self.starts(runtime) => {}
            Order::Connect { runtime, .. } if self.has(runtime) => self.say(Happens::Connected(runtime)).await,
            Order::Connect { runtime, setup, settings, node } => {
                self.disconnect();
                match Start::begin(runtime, setup.0, (settings, node), &self.estate) {
                    Ok(start) => self.start = Some(start),
                    Err(why) => self.failed(runtime, why).await,
                }
            }
            Order::Disconnect => self.disconnect(),
            Order::Run { runtime, request } => self.run(runtime, request),
            Order::Over(id) => self.drop_out(id),
            Order::Forget(id) => {
                self.drop_out(id);
                self.tell(Fate::Forget(id));
            }
            Order::Keep { runtime, evaluations } => self.keep(runtime, evaluations).await,
        }
    }

    fn has(&self, runtime: RuntimeId) -> bool {
        self.estate.runtime().as_ref().is_some_and(|held| held.id == runtime)
    }

    fn starts(&self, runtime: RuntimeId) -> bool {
        self.start.as_ref().is_some_and(|start| start.id == runtime)
    }

    async fn made(&mut self, id: RuntimeId, made: start::Outcome) {
        if let Some(start) = self.start.as_mut().filter(|start| start.id == id)
            && let Err(why) = start.go_on(made, &self.estate)
        {
            self.failed(id, why).await;
        }
    }

    async fn look(&mut self, id: RuntimeId) {
        if let Some(start) = self.start.as_mut().filter(|start| start.id == id)
            && let Err(why) = start.look()
        {
            self.failed(id, why).await;
        }
    }

    async fn visited(&mut self, id: RuntimeId, visited: start::Visit) {
        if let Some(start) = self.start.as_mut().filter(|start| start.id == id)
            && let Err(why) = start.arrive(visited)
        {
            self.failed(id, why).await;
        }
    }

    async fn failed(&mut self, runtime: RuntimeId, why: String) {
        if let Some(start) = self.start.take() {
            start.stop();
        }
        self.parked.drain(..).for_each(|request| lose(&request, &Ended::Died(why.clone())));
        self.say(Happens::Failed { runtime, why }).await;
    }

    /// A server is there: of the runtime that is on its way, or in place of one that was killed.
    async fn ready(&mut self, ready: &Ready) {
        let Some(start) = self.start.take_if(|start| start.is_ready(ready)) else { return self.met(ready.server) };
        let id = start.id;
        let Some(runtime) = start.done(ready) else { return };
        self.watch = Some(monitor(runtime.server));
        *self.estate.runtime() = Some(Held { id, runtime, out: Vec::new() });
        std::mem::take(&mut self.parked).into_iter().for_each(|request| self.run(None, request));
        self.say(Happens::Connected(id)).await;
    }

    /// Hands a request to the runtime that it is meant for, or to any. Whoever asks for one that is gone hears so.
    fn run(&mut self, runtime: Option<RuntimeId>, request: Evaluate) {
        let mut held = self.estate.runtime();
        match held.as_mut() {
            Some(held) if runtime.is_none_or(|wanted| wanted == held.id) => {
                // A cell that was killed, or an owner: then it is asked again for the same.
                held.out.retain(|out| out.request.id != request.id);
                send(held.runtime.server, request.clone());
                if held.runtime.node().is_some() {
                    // What is written past all cells stays where the node runs: nothing is to be waited for.
                    (0..2).for_each(|_| send(request.reply_to, RawOutput::Mark(request.id)));
                }
                held.out.push(Out { request, marks: 0 });
            }
            Some(_) => lose(&request, &self.last_end),
            None => match runtime {
                Some(_) => lose(&request, &self.last_end),
                None => {
                    self.parked.retain(|parked| parked.id != request.id);
                    self.parked.push(request);
                }
            },
        }
    }

    async fn keep(&mut self, runtime: RuntimeId, mut evaluations: Vec<EvaluationId>) {
        if !self.has(runtime) {
            let why = "its connection was lost".to_owned();
            return self.say(Happens::Down { runtime, why }).await;
        }
        // What examples evaluate to is nothing that the session knows of.
        if let Some(held) = self.estate.runtime().as_ref() {
            evaluations.extend(held.out.iter().map(|out| out.request.id).filter(|id| is_example(*id)));
        }
        self.tell(Fate::Keep(evaluations));
    }

    fn disconnect(&mut self) {
        if let Some(start) = self.start.take() {
            start.stop();
        }
        if let Some(watch) = self.watch.take() {
            demonitor(watch);
        }
        if let Some(held) = self.estate.runtime().take() {
            self.last_end = Ended::Stopped;
            held.out.iter().for_each(|out| lose(&out.request, &Ended::Stopped));
            held.runtime.kill();
        }
    }

    fn drop_out(&mut self, id: EvaluationId) {
        self.parked.retain(|request| request.id != id);
        if let Some(held) = self.estate.runtime().as_mut() {
            held.out.retain(|out| out.request.id != id);
        }
    }

    fn tell(&self, fate: Fate) {
        if let Some(held) = self.estate.runtime().as_ref() {
            send(held.runtime.server, Command { owner: self_pid().node(), fate });
        }
    }

    /// Sends a node the library of an evaluation that it was asked for, and of no other.
    fn hand_over(&self, Lacks { id, from }: &Lacks) {
        let runtime = self.estate.runtime();
        let asked = runtime.as_ref().filter(|held| held.runtime.server.node() == from.node());
        let Some(out) = asked.and_then(|held| held.out.iter().find(|out| out.request.id == *id)) else { return };
        let (id, from, library) = (*id, *from, out.request.library.clone());
        greenroom::spawn(async move {
            let read = move || {
                let failed = |error: std::io::Error| format!("{}: {error}", library.display());
                check_size(std::fs::metadata(&library).map_err(failed)?.len())?;
                std::fs::read(&library).map(Code::new).map_err(failed)
            };
            let code = greenroom::spawn_blocking(read).await.unwrap_or_else(|reason| Err(reason.to_string()));
            send(from, Library { id, code });
        });
    }

    fn met(&mut self, server: Pid) {
        let mut runtime = self.estate.runtime();
        if let Some(held) = runtime.as_mut().filter(|held| held.runtime.server.node() == server.node()) {
            held.runtime.server = server;
            if let Some(old) = self.watch.replace(monitor(server)) {
                demonitor(old);
            }
            repeat(held);
        }
    }

    /// Who has asked for an evaluation.
    fn asker(&self, id: EvaluationId) -> Option<Pid> {
        let runtime = self.estate.runtime();
        let out = runtime.as_ref()?.out.iter().find(|out| out.request.id == id)?;
        Some(out.request.reply_to)
    }

    /// The cell that runs, if it is only one.
    fn only(&self) -> Option<Pid> {
        let runtime = self.estate.runtime();
        let is_cell = |out: &&Out| out.marks < 2 && !is_example(out.request.id);
        let mut cells = runtime.as_ref()?.out.iter().filter(is_cell);
        cells.next().filter(|_| cells.next().is_none()).map(|out| out.request.reply_to)
    }

    /// Passes on what was written past all cells: to the cell that runs, if it is only one.
    async fn raw(&mut self, raw: RawOutput) {
        match raw {
            RawOutput::Mark(id) => {
                if let Some(cell) = self.asker(id) {
                    send(cell, RawOutput::Mark(id));
                }
                let mut runtime = self.estate.runtime();
                let out = runtime.as_mut().and_then(|held| held.out.iter_mut().find(|out| out.request.id == id));
                if let Some(out) = out {
                    out.marks += 1;
                }
            }
            RawOutput::Text(text) => match self.only() {
                Some(cell) => send(cell, RawOutput::Text(text)),
                None => self.say(Happens::Printed(text)).await,
            },
        }
    }

    async fn down(&mut self, reason: ExitReason) {
        self.watch = None;
        let known = self.estate.runtime().as_ref().map(|held| (held.id, held.runtime.server.node()));
        let Some((id, node)) = known else { return };
        if reason != ExitReason::NoConnection {
            // Only its server was killed. The supervisor there starts another, which will say so, or dies first.
            sleep(AGAIN).await;
            self.watch = Some(monitor((SERVER, node)));
            return;
        }
        let lost = || "its connection was lost".to_owned();
        let known = self.wait(MARKED_WITHIN, |runtime| runtime.end()).await;
        self.say(Happens::Down { runtime: id, why: known.unwrap_or_else(lost) }).await;
        let why = self.wait(END_TIME, |runtime| runtime.end()).await.unwrap_or_else(lost);
        self.wait(LAST_WORDS, |runtime| runtime.is_drained().then_some(())).await;
        self.last_words().await;
        self.unsent().await;
        // Up to here it is there for the next owner, should this one be killed: nobody waits for ever.
        let Some(held) = self.estate.runtime().take() else { return };
        self.last_end = Ended::Died(why);
        held.out.iter().for_each(|out| lose(&out.request, &self.last_end));
        held.runtime.kill();
    }

    /// Asks the runtime again and again until there is an answer, for as long as patience lasts.
    async fn wait<T>(&self, mut patience: Duration, ask: impl Fn(&mut Runtime) -> Option<T>) -> Option<T> {
        let step = Duration::from_millis(2);
        loop {
            let answer = self.estate.runtime().as_mut().and_then(|held| ask(&mut held.runtime));
            if answer.is_some() || patience.is_zero() {
                return answer;
            }
            sleep(step).await;
            patience = patience.saturating_sub(step);
        }
    }

    /// Passes on what cells of a dead runtime have shown and may not have been told of.
    async fn unsent(&self) {
        let Some(file) = self.estate.runtime().as_ref().and_then(|held| held.runtime.last_words()) else { return };
        let words = greenroom::spawn_blocking(move || last_words(&file)).await;
        for (cell, words) in words.unwrap_or_default() {
            let words: LastWords = Local(words);
            send(cell, words);
        }
    }

    /// Passes on what a dead runtime has written: all of it is in the mailbox.
    async fn last_words(&mut self) {
        loop {
            let raw = receive! {
                raw: RawOutput => raw,
                after Duration::ZERO => return,
            };
            self.raw(raw).await;
        }
    }

    async fn say(&mut self, operation: Happens) {
        // It is refused if the session has meanwhile given up this runtime.
        let _ = self.speaker.say(operation).await;
    }
}

/// Asks again for all that is out. What the runtime knows already it does not do twice.
fn repeat(held: &Held) {
    held.out.iter().for_each(|out| send(held.runtime.server, out.request.clone()));
}

fn lose(request: &Evaluate, end: &Ended) {
    send(request.reply_to, Lost { id: request.id, end: end.clone() });
}
