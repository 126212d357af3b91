//! A node's way to the others: the [`Router`] that its processes send through.

use std::cell::RefCell;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::task::Waker;

use greenroom::message::Target;
use greenroom::router::{Flow, Outgoing, RemoteSignal, Router, Unsendable};
use greenroom::{NodeId, Pid};

use crate::codec::CodecError;
use crate::directory::Held;
use crate::hub::{Hold, Hub, Kept, Link};
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
        let route = Route { from: message.from.map(number), to: receiver(to) };
        let write = |bytes: &mut Vec<u8>| operation::write_message(self.0.node.id(), to, &message, bytes);
        let unsendable = |error: CodecError| Unsendable(format!("a {} cannot be sent: {error}", message.type_name));
        let Some(link) = self.0.link(to.node()) else {
            let calls = message.from.is_none_or(|from| self.may_call(from));
            let held = Held { to: to.node(), route, bytes: Vec::new(), signal: None, calls };
            return match self.keep(held, write).map_err(unsendable)? {
                Kept::Waits { has_room: false } => Ok(Flow::Full),
                Kept::Waits { has_room: true } | Kept::Nowhere(_) => Ok(Flow::Open),
            };
        };
        match self.queue(&link, route, write) {
            Ok(Queued::Full(length)) => {
                if let (Length::Long, Some(from)) = (length, message.from) {
                    link.long.lock().insert(from);
                }
                Ok(Flow::Full)
            }
            Ok(Queued::Open) | Err(Unsent::NotUp) => Ok(Flow::Open),
            Err(Unsent::Unsendable(error)) => Err(unsendable(error)),
        }
    }

    fn has_room(&self, to: NodeId, from: Pid, waker: &Waker) -> bool {
        let Some(link) = self.0.link(to) else {
            return self.0.directory.lock().has_room(&to.name().name, self.0.bounds(), waker);
        };
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
        match self.0.link(to) {
            Some(link) => !link.core.lock().has_room(Length::Short),
            None => self.0.directory.lock().is_full(&to.name().name, self.0.bounds()),
        }
    }

    fn signal(&self, to: NodeId, signal: RemoteSignal) {
        let write = |bytes: &mut Vec<u8>| operation::write_signal(self.0.node.id(), to, &signal, bytes);
        let unsent = match self.0.link(to) {
            Some(link) => self.queue(&link, route_of(&signal), write).is_err().then(|| signal.clone()),
            None => {
                let (route, calls) = (route_of(&signal), asker(&signal).is_some_and(|asker| self.may_call(asker)));
                let held = Held { to, route, bytes: Vec::new(), signal: Some(signal.clone()), calls };
                match self.keep(held, write) {
                    Ok(Kept::Waits { .. }) => None,
                    Ok(Kept::Nowhere(unsent)) => unsent,
                    Err(_) => Some(signal.clone()),
                }
            }
        };
        if let Some(signal) = unsent {
            self.0.answer_for(to, &signal);
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

    /// Whether a node is called for the sake of a process: not of those that share something with every node that is
    /// connected, and nothing with others. OTP's say `noconnect`.
    fn may_call(&self, pid: Pid) -> bool {
        !self.0.node.meets_nodes(pid)
    }

    /// Something is for a node that is not connected: it waits, where it is known how to reach that.
    fn keep(
        &self,
        mut held: Held,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), CodecError>,
    ) -> Result<Kept, CodecError> {
        let hub = &self.0;
        if !hub.directory.lock().knows(&held.to.name().name) || hub.is_past(held.to) {
            return Ok(Kept::Nowhere(held.signal));
        }
        write(&mut held.bytes)?;
        match hub.hold(held) {
            Hold::Kept(kept) => Ok(kept),
            // What waited is queued there already.
            Hold::Up(link, held) => match self.queue(&link, held.route, |out| {
                out.extend_from_slice(&held.bytes);
                Ok(())
            }) {
                Ok(queued) => Ok(Kept::Waits { has_room: queued == Queued::Open }),
                Err(_) => Ok(Kept::Nowhere(held.signal)),
            },
        }
    }
}

/// Who asks a node for something by a signal; nobody, if it only takes back what the node has forgotten with the
/// connection.
fn asker(signal: &RemoteSignal) -> Option<Pid> {
    match signal {
        RemoteSignal::Exit { from, .. } | RemoteSignal::Link { from, .. } => Some(*from),
        RemoteSignal::Monitor { watcher, .. } => Some(*watcher),
        RemoteSignal::Unlink { .. }
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
