//! The processes of a runtime: the runtime server, which hands each flow's cells to its evaluator and watches the owners,
//! and what keeps it alive.
//!
//! An owner whose process was killed has a moment to be there again. One whose node is gone, or that leaves, takes its
//! evaluations with it: the values, the processes, the evaluators. So does the only owner of a runtime, and the runtime.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use greenroom::message::{Down, Exit};
use greenroom::supervisor::{ChildSpec, Shutdown, StartError, Strategy};
use greenroom::{
    ExitReason, Node, NodeId, Pid, Ref, Supervisor, demonitor, monitor, receive, self_pid, send, send_after, sleep,
    trap_exit, whereis,
};
use serde::{Deserialize, Serialize};

use super::leave;
use crate::evaluator;
use crate::loader::{self, LOADER};
use crate::protocol::{Began, Command, ContainerId, Evaluate, Fate, Hello, Join, Ready, SERVER, Waiter, Welcome};
use crate::store::{Serves, Store};

/// The name of the supervisor of all evaluators.
const EVALUATORS: &str = "evaluators";
/// So many restarts of its processes a runtime bears within [`WITHIN`]: those that people kill cost nothing.
const RESTARTS: usize = 100;
/// See [`RESTARTS`].
const WITHIN: Duration = Duration::from_secs(5);
/// How long an owner whose process was killed may take to be there again.
const ORPHANED: Duration = Duration::from_secs(5);
/// How often it is looked whether it is.
const STEP: Duration = Duration::from_millis(10);
/// So often, and after so long, an evaluator is asked for again before others have their turn.
const TRIES: usize = 100;
/// See [`TRIES`].
const MOMENT: Duration = Duration::from_millis(1);

/// Keeps the supervisors of the runtime alive: with a new tree in place of one that was killed, whatever the store
/// holds is there again.
pub(super) async fn keep_alive(store: Store) {
    trap_exit(true);
    loop {
        let server = {
            let store = store.clone();
            move || serve(store.clone())
        };
        let named = |name: &str| Supervisor::new(Strategy::OneForOne).name(name).intensity(RESTARTS, WITHIN);
        let tree = named("runtime")
            .child(ChildSpec::named(LOADER, loader::serve).shutdown(Shutdown::BrutalKill))
            .child(named(EVALUATORS))
            .child(ChildSpec::named(SERVER, server).shutdown(Shutdown::BrutalKill));
        match tree.start_link().await {
            Ok(supervisor) => {
                receive! {
                    exit: Exit if exit.from == supervisor.pid() => drop(exit),
                }
            }
            Err(error @ (StartError::Duplicate { .. } | StartError::Spec(_))) => {
                eprintln!("greenroom runtime: {error}");
                leave();
            }
            // The names of those that were killed are just becoming free.
            Err(_) => sleep(MOMENT).await,
        }
    }
}

/// To itself: look again whether this owner is there.
#[derive(Debug, Serialize, Deserialize)]
struct Again(NodeId);

/// What the server knows of an owner.
struct Owner {
    watch: Ref,
    /// When the watch began.
    met: Instant,
    /// Since when its process is not there.
    missing: Option<Instant>,
}

struct Server {
    store: Store,
    owners: HashMap<NodeId, Owner>,
}

/// The life of the runtime server.
async fn serve(store: Store) {
    let mut server = Server { store, owners: HashMap::new() };
    for owner in server.store.owners() {
        server.meet(&owner, None);
    }
    loop {
        receive! {
            request: Evaluate => server.take(request).await,
            command: Command => server.obey(command).await,
            Hello { from, tag }: Hello => send(from, Welcome { tag, fit: server.fit() }),
            Join(owner): Join => server.join(owner),
            Again(node): Again => server.look_again(node),
            down: Down => server.down(&down).await,
        }
    }
}

impl Server {
    fn fit(&self) -> Option<crate::launch::Fit> {
        match &*self.store.serves {
            Serves::One => None,
            Serves::All { fit, .. } => Some(fit.clone()),
        }
    }

    fn join(&mut self, owner: Waiter) {
        if self.fit().is_some() {
            self.store.join(owner.clone());
            self.meet(&owner, None);
        }
    }

    /// Watches an owner, and tells it whom to talk to.
    fn meet(&mut self, owner: &Waiter, missing: Option<Instant>) {
        let to = (owner.name.as_str(), owner.node);
        let watch = monitor(to);
        if let Some(old) = self.owners.insert(owner.node, Owner { watch, met: Instant::now(), missing }) {
            demonitor(old.watch);
        }
        send(to, Ready { server: self_pid() });
    }

    async fn down(&mut self, down: &Down) {
        let Some((&node, owner)) = self.owners.iter_mut().find(|(_, owner)| owner.watch == down.reference) else {
            return;
        };
        // One that has been there for a moment is missing since now.
        let missing = owner.missing.filter(|_| owner.met.elapsed() < STEP).unwrap_or_else(Instant::now);
        owner.missing = Some(missing);
        if down.reason == ExitReason::NoConnection || missing.elapsed() > ORPHANED {
            return self.lose(node).await;
        }
        send_after(self_pid(), Again(node), STEP);
    }

    fn look_again(&mut self, node: NodeId) {
        let Some(missing) = self.owners.get(&node).map(|owner| owner.missing) else { return };
        if let Some(owner) = self.store.owner(node) {
            self.meet(&owner, missing);
        }
    }

    /// An owner is gone.
    async fn lose(&mut self, node: NodeId) {
        if matches!(*self.store.serves, Serves::One) {
            leave();
        }
        if let Some(owner) = self.owners.remove(&node) {
            demonitor(owner.watch);
        }
        if let Some(own) = Node::current() {
            self.store.leave(&own, node);
        }
        // What its evaluators had before them goes, too.
        let Ok(evaluators) = Supervisor::find(EVALUATORS).await else { return };
        let of_owner = evaluator_name(&self.store, node, "");
        let is_its_own = |id: &String| id.ends_with(&of_owner);
        for id in evaluators.which_children().await.unwrap_or_default().into_iter().map(|child| child.id) {
            if is_its_own(&id) {
                // It fails where it has just ended by itself.
                let _ = evaluators.terminate_child(&id).await;
                let _ = evaluators.delete_child(&id).await;
            }
        }
    }

    /// Hands an evaluation to its flow, unless it has begun: then whoever asks again hears that once more, and whom to
    /// watch.
    async fn take(&self, request: Evaluate) {
        let node = request.reply_to.node();
        if self.store.owner(node).is_none() {
            return; // It was on its way when its owner went.
        }
        if let Some(leader) = self.store.leader((node, request.id)) {
            return send(request.reply_to, Began { id: request.id, leader });
        }
        for _ in 0..TRIES {
            if let Some(evaluator) = self.evaluator(node, request.container).await {
                return send(evaluator, request);
            }
            // Its supervisor is just being started again. What comes behind this waits, so that it does not overtake.
            sleep(MOMENT).await;
        }
        send_after(self_pid(), request, STEP);
    }

    async fn obey(&mut self, Command { owner, fate }: Command) {
        let Some(node) = Node::current() else { return };
        match fate {
            Fate::Forget(id) => self.store.forget(&node, (owner, id)),
            Fate::Keep(kept) => self.store.keep(&node, owner, &kept),
            Fate::Leave => self.lose(owner).await,
        }
    }

    /// The evaluator of a flow, started if it is not there.
    async fn evaluator(&self, node: NodeId, container: ContainerId) -> Option<Pid> {
        let name = evaluator_name(&self.store, node, &format!("evaluator-{}", container.0));
        if let Some(evaluator) = whereis(&name) {
            return Some(evaluator);
        }
        let body = {
            let store = self.store.clone();
            move || evaluator::serve(store.clone())
        };
        let child = ChildSpec::named(&name, body).shutdown(Shutdown::BrutalKill);
        let evaluators = Supervisor::find(EVALUATORS).await.ok()?;
        match evaluators.start_child(child).await {
            Ok(evaluator) => Some(evaluator),
            Err(_) => {
                // A server that was killed may have ended it and not taken it away; one that runs stays.
                let _ = evaluators.delete_child(&name).await;
                None
            }
        }
    }
}

/// What an evaluator is called: where there are several owners, with the owner at the end.
fn evaluator_name(store: &Store, owner: NodeId, flow: &str) -> String {
    match &*store.serves {
        Serves::One => flow.to_owned(),
        Serves::All { .. } => format!("{flow} of {owner}"),
    }
}

#[cfg(test)]
mod tests;
