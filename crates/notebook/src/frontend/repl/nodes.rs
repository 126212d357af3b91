//! Commands on other nodes: which there are, joining one, and having cells run there.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Instant;

use greenroom_stage::inspect::{Answer, Question, Secret};

use super::{Repl, SOON, TICK};
use crate::live::Handle;
use crate::runtime::START_TIME;
use crate::session::data::RuntimeStatus;
use crate::session::nodes::{self, Guest, Visited, is_called};
use crate::session::operation::Runtime;

/// What is said of a runtime that is not the one before.
pub(super) const ANEW: &str = "no cell has values there, and what one needs is evaluated again";

impl Repl {
    /// Lists the nodes that the notebook and its runtime are connected to.
    pub(super) fn nodes(&mut self) -> Result<(), String> {
        let own = self.at().nodes().map_err(|closed| closed.to_string())?;
        let mut names: Vec<String> = own.iter().map(ToString::to_string).collect();
        // Without a runtime there are none that it knows.
        let known = self.patiently("asking what cells run in", |handle| handle.inspect(Question::Nodes));
        if let Ok(Answer::Nodes(more)) = known {
            names.extend(more);
        }
        names.retain(|name| !name.starts_with("greenroom-") && !name.starts_with("runtime-"));
        names.sort();
        names.dedup();
        let here = self.seen.lock().node.clone();
        let line = |name: &String| match here.as_ref() == Some(name) {
            true => format!("{name}  cells run here"),
            false => name.clone(),
        };
        let mut said: Vec<String> = names.iter().map(line).collect();
        if let Some(gone) = here.filter(|here| !names.contains(here)) {
            said.push(format!("{gone}  cells ran here; it is gone"));
        }
        self.tell(&match said.is_empty() {
            true => "the runtime is connected to no other node; `:connect HOST:PORT` joins one".to_owned(),
            false => said.join("\n"),
        });
        self.known.lock().nodes = names;
        Ok(())
    }

    /// Joins the notebook, and what its cells run in, to a node.
    pub(super) fn connect(&mut self, address: String, cookie: Option<Secret>) -> Result<(), String> {
        let (at, own) = (address.clone(), cookie.clone());
        let node = self.patiently(&format!("connecting to {address}"), move |handle| handle.connect(&at, own))?;
        if self.seen.lock().node.as_deref() != Some(&*node.to_string()) {
            let question = Question::Connect { address, cookie };
            let seen = self.seen.clone();
            let joined = self.patiently(&format!("joining the runtime to {node}"), move |handle| {
                drop(seen.wait_until(START_TIME, |state| state.runtime != RuntimeStatus::Connecting));
                handle.inspect(question)
            });
            if let Err(error) = joined {
                self.complain(&format!("{node} is connected, but what cells run in cannot reach it: {error}"));
            }
        }
        self.nodes()
    }

    /// Has cells run on a node, or in a runtime of their own again.
    pub(super) fn node(&mut self, name: Option<String>) -> Result<(), String> {
        let (here, status) = {
            let state = self.seen.lock();
            (state.node.clone(), state.runtime)
        };
        let Some(name) = name else {
            let was_looking = self.looked_at.take().is_some();
            if here.is_some() {
                self.apply(Runtime::Move(None)).map_err(|refusal| refusal.to_string())?;
                self.tell(&format!("cells run in a runtime of their own; {ANEW}"));
            } else if was_looking {
                self.tell("looking at the runtime");
            } else {
                self.tell("cells run in a runtime of their own");
            }
            return Ok(());
        };
        if status == RuntimeStatus::Connected
            && let Some(here) = here.filter(|here| is_called(here, &name))
        {
            self.looked_at = None;
            self.tell(&format!("cells run on {here} already; `:restart` forgets what they have evaluated there"));
            return Ok(());
        }
        let Visited { node, guest, ours } =
            self.patiently(&format!("looking for {name}"), move |handle| handle.visit(&name))?;
        let name = node.to_string();
        if guest == Guest::Without {
            return self.look_at(name);
        }
        // Before it is known what cells here are compiled with, none has a value that could be lost.
        if let (Some(ours), _) | (None, Guest::Runs(ours)) = (ours, guest.clone()) {
            nodes::check(&name, &guest, &ours)?;
        }
        self.apply(Runtime::Move(Some(name.clone()))).map_err(|refusal| refusal.to_string())?;
        self.looked_at = None;
        self.await_node(&name);
        Ok(())
    }

    /// Waits until cells run on a node, or cannot; why was said then.
    fn await_node(&mut self, name: &str) {
        let begin = Instant::now();
        self.seen.lock().interrupts = 0;
        loop {
            let state = self.seen.wait_until(TICK, |state| state.runtime != RuntimeStatus::Connecting);
            let (status, interrupts) = (state.runtime, state.interrupts);
            drop(state);
            match status {
                RuntimeStatus::Connected => return self.tell(&format!("cells run on {name}; {ANEW}")),
                RuntimeStatus::Disconnected => return,
                RuntimeStatus::Connecting if interrupts > 0 => {
                    // It may just have come to its end.
                    let _ = self.at().apply(Runtime::Disconnect);
                    return self.tell(&format!("{name} is not waited for; the next evaluation tries again"));
                }
                RuntimeStatus::Connecting if begin.elapsed() >= SOON => {
                    self.under_way(&format!("joining {name}"), begin)
                }
                RuntimeStatus::Connecting => {}
            }
        }
    }

    /// Has the commands that look at processes look at those of a node that runs no cells.
    fn look_at(&mut self, name: String) -> Result<(), String> {
        let asked = name.clone();
        let answer =
            self.patiently(&format!("asking {name}"), move |handle| handle.inspect_at(&asked, Question::Processes));
        let Ok(Answer::Processes(found)) = answer else {
            return nodes::check(&name, &Guest::Without, &Default::default());
        };
        self.tell(&format!(
            "{name} cannot run cells, as `greenroom node` has not started it: `:ps`, `:tree` and their like look at its {} \
             processes; `:node` leads back",
            found.len()
        ));
        self.looked_at = Some(name);
        Ok(())
    }

    /// Waits for something that takes its time elsewhere. Ctrl-C ends the waiting.
    fn patiently<T: Send + 'static>(
        &mut self,
        what: &str,
        work: impl FnOnce(Handle) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let (handle, begin) = (self.at(), Instant::now());
        let (done, outcome) = mpsc::sync_channel(1);
        self.seen.lock().interrupts = 0;
        // Nobody listens any more if it was interrupted.
        std::thread::spawn(move || drop(done.send(work(handle))));
        loop {
            match outcome.recv_timeout(TICK) {
                Ok(outcome) => {
                    self.nothing_under_way();
                    return outcome;
                }
                Err(RecvTimeoutError::Disconnected) => return Err(format!("{what} has come to nothing")),
                Err(RecvTimeoutError::Timeout) if self.seen.lock().interrupts > 0 => {
                    self.nothing_under_way();
                    return Err(format!("{what}: interrupted"));
                }
                Err(RecvTimeoutError::Timeout) if begin.elapsed() >= SOON => self.under_way(what, begin),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}
