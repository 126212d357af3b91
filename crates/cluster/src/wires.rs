//! A node's way to the others: the [`Router`] that its processes send through.

use std::cell::RefCell;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::task::Waker;

use greenroom::message::Target;
use greenroom::router::{Flow, Outgoing, RemoteSignal, Router, Unsendable};
use greenroom::{ExitReason, NodeId, Pid};

use crate::codec::CodecError;
use crate::hub::{Hub, Link};
use crate::operation;
use crate::protocol::{Length, Queued, Route};

/// The router of a node.
pub(crate) struct Wires(pub(crate) Arc<Hub>);

thread_local! {
    /// Where operations are written before they are queued, so that nobody's code runs under a lock.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Memory that a thread keeps for the next operation.
const SCRATCH_KEPT: usize = 1 << 20;

impl Router for Wires {
    fn send(&self, to: &Target, message: Outgoing<'_>) -> Result<Flow, Unsendable> {
        let Some(link) = self.0.link(to.node()) else { return Ok(Flow::Open) };
        let route = Route { from: message.from.map(number), to: receiver(to) };
        match self.queue(&link, route, |bytes| operation::write_message(self.0.node.id(), to, &message, bytes)) {
            Ok(Queued::Full(length)) => {
                if let (Length::Long, Some(from)) = (length, message.from) {
                    link.long.lock().insert(from);
                }
                Ok(Flow::Full)
            }
            Ok(Queued::Open) | Err(Unsent::NotUp) => Ok(Flow::Open),
            Err(Unsent::Unsendable(error)) => {
                Err(Unsendable(format!("a {} cannot be sent: {error}", message.type_name)))
            }
        }
    }

    fn has_room(&self, to: NodeId, from: Pid, waker: &Waker) -> bool {
        let Some(link) = self.0.link(to) else { return true };
        let length = if link.long.lock().contains(&from) { Length::Long } else { Length::Short };
        // First the waker, then the look: so room that is made meanwhile is not missed.
        {
            let mut room = link.room.lock();
            let (_, wakers) = room.entry(from).or_insert_with(|| (length, Vec::new()));
            if !wakers.iter().any(|known| known.will_wake(waker)) {
                wakers.push(waker.clone());
            }
        }
        // A connection that is over has no end to wait for any more.
        let has_room = {
            let core = link.core.lock();
            core.is_closed() || core.has_room(length)
        };
        if has_room {
            link.long.lock().remove(&from);
            let (_, mut others) = link.room.lock().remove(&from).unwrap_or((length, Vec::new()));
            others.retain(|other| !other.will_wake(waker));
            others.into_iter().for_each(Waker::wake);
        }
        has_room
    }

    fn is_full(&self, to: NodeId) -> bool {
        self.0.link(to).is_some_and(|link| !link.core.lock().has_room(Length::Short))
    }

    fn signal(&self, to: NodeId, signal: RemoteSignal) {
        let link = self.0.link(to);
        let sent = link.is_some_and(|link| {
            let write = |bytes: &mut Vec<u8>| operation::write_signal(self.0.node.id(), to, &signal, bytes);
            self.queue(&link, route_of(&signal), write).is_ok()
        });
        if !sent && let Some(answer) = answer_of_nobody(&signal, self.reason_without(to)) {
            self.0.node.receive_signal(to, answer);
        }
    }
}

enum Unsent {
    NotUp,
    Unsendable(CodecError),
}

impl Wires {
    fn queue(
        &self,
        link: &Arc<Link>,
        route: Route,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), CodecError>,
    ) -> Result<Queued, Unsent> {
        // Taken, not borrowed: what a message does while it is written may be to send another.
        let mut bytes = SCRATCH.take();
        bytes.clear();
        let queued = write(&mut bytes).map_err(Unsent::Unsendable).and_then(|()| {
            let mut core = link.core.lock();
            let queued = core.queue(route, &bytes).map_err(|_| Unsent::NotUp)?;
            Ok((queued, core.counters().queued))
        });
        if bytes.capacity() <= SCRATCH_KEPT {
            SCRATCH.set(bytes);
        }
        match queued {
            Ok((_, waiting)) => self.0.flush(link, waiting),
            Err(_) => link.nudge.notify_one(), // It may have been closed for having too much to do.
        }
        queued.map(|(queued, _)| queued)
    }

    /// What somebody is told who asks for a process of a node that is not connected: if a later life of that node has
    /// been seen, the process is known to be gone.
    fn reason_without(&self, node: NodeId) -> ExitReason {
        let name = node.name();
        match self.0.endpoint.lock().latest(&name.name) {
            Some(latest) if latest > name.incarnation => ExitReason::NoProc,
            Some(_) | None => ExitReason::NoConnection,
        }
    }
}

/// What a process is told when the node that it asks cannot be asked.
fn answer_of_nobody(signal: &RemoteSignal, reason: ExitReason) -> Option<RemoteSignal> {
    match *signal {
        RemoteSignal::Monitor { reference, watcher, .. } => Some(RemoteSignal::Down { reference, watcher, reason }),
        RemoteSignal::Link { from, to } => Some(RemoteSignal::LinkBroken { from: to, to: from, reason }),
        RemoteSignal::Exit { .. }
        | RemoteSignal::Unlink { .. }
        | RemoteSignal::LinkBroken { .. }
        | RemoteSignal::Demonitor { .. }
        | RemoteSignal::Down { .. } => None,
    }
}

/// Between whom a signal goes, so that it keeps its place among their messages.
fn route_of(signal: &RemoteSignal) -> Route {
    match signal {
        RemoteSignal::Exit { from, to, .. }
        | RemoteSignal::Link { from, to }
        | RemoteSignal::Unlink { from, to }
        | RemoteSignal::LinkBroken { from, to, .. } => Route { from: Some(number(*from)), to: Some(number(*to)) },
        RemoteSignal::Monitor { watcher, target, .. } | RemoteSignal::Demonitor { watcher, target, .. } => {
            Route { from: Some(number(*watcher)), to: receiver(target) }
        }
        // It is not said who has ended: so it waits for everyone's messages to the same process.
        RemoteSignal::Down { watcher, .. } => Route { from: None, to: Some(number(*watcher)) },
    }
}

fn receiver(target: &Target) -> Option<u64> {
    match target {
        Target::Pid(pid) | Target::Alias(pid, _) => Some(number(*pid)),
        Target::Name(..) => None,
    }
}

fn number(pid: Pid) -> u64 {
    let mut hasher = DefaultHasher::new();
    pid.hash(&mut hasher);
    hasher.finish()
}
