//! Where nodes are that are not connected, and what waits for them: decisions about data.
//!
//! As with OTP, whoever sends to a node that is not connected has it connected to, if it is known where it is. What is
//! sent meanwhile waits here, in order, and no more of it than may wait for a node that is connected.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Waker;

use greenroom::NodeId;
use greenroom::router::RemoteSignal;

use crate::address::Address;
use crate::protocol::Route;

/// What this node knows of others by their names.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    addresses: HashMap<Arc<str>, Address>,
    calls: HashMap<Arc<str>, Call>,
    called: u64,
    /// Why a node could not be reached last.
    said: HashMap<Arc<str>, String>,
}

/// A node that is being called, as something has been sent to it.
#[derive(Debug)]
struct Call {
    number: u64,
    bytes: usize,
    waiting: Waiting,
}

/// What waits for a node.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    pub(crate) held: Vec<Held>,
    /// Senders that are held back.
    pub(crate) wakers: Vec<Waker>,
}

/// A call that has to be made.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) name: Arc<str>,
    pub(crate) number: u64,
    pub(crate) address: Address,
}

/// An operation that waits.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) to: NodeId,
    pub(crate) route: Route,
    pub(crate) bytes: Vec<u8>,
    /// What it says, if it is a signal: who sent it may have to be told that it did not arrive.
    pub(crate) signal: Option<RemoteSignal>,
    /// Whether its node is called for its sake; otherwise, it waits only if the node is called anyway.
    pub(crate) calls: bool,
}

/// How much may wait for a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// From how many bytes on senders are held back.
    pub(crate) high_water: usize,
    /// From how many bytes on the call is given up.
    pub(crate) limit: usize,
}

/// What has become of an operation for a node that is not connected.
#[derive(Debug)]
pub(crate) enum Holding {
    /// It waits.
    Waits,
    /// It waits, and the node has to be called.
    Begins(Wanted),
    /// It is not known where the node is, or it is nothing for which a node is called.
    Nowhere(Held),
    /// There was too much: the call is given up.
    TooMuch(Waiting),
}

impl Directory {
    /// A node is at this address.
    pub(crate) fn learn(&mut self, name: &Arc<str>, address: &Address) {
        self.addresses.insert(name.clone(), address.clone());
    }

    /// Where a node is.
    pub(crate) fn address(&self, name: &str) -> Option<&Address> {
        self.addresses.get(name)
    }

    /// Whether something that is sent to the node may wait.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.addresses.contains_key(name)
    }

    /// Something is sent to a node that is not connected.
    pub(crate) fn hold(&mut self, name: &Arc<str>, held: Held, bounds: Bounds) -> Holding {
        let size = held.bytes.len();
        if let Some(call) = self.calls.get_mut(name) {
            call.bytes += size;
            call.waiting.held.push(held);
            let is_too_much = call.bytes > bounds.limit;
            let given_up = if is_too_much { self.calls.remove(name) } else { None };
            return given_up.map_or(Holding::Waits, |call| Holding::TooMuch(call.waiting));
        }
        match self.addresses.get(name) {
            Some(address) if held.calls => {
                self.called += 1;
                let waiting = Waiting { held: vec![held], wakers: Vec::new() };
                let call = Call { number: self.called, bytes: size, waiting };
                self.calls.insert(name.clone(), call);
                Holding::Begins(Wanted { name: name.clone(), number: self.called, address: address.clone() })
            }
            Some(_) | None => Holding::Nowhere(held),
        }
    }

    /// Whether so much waits for a node that senders are held back.
    pub(crate) fn is_full(&self, name: &str, bounds: Bounds) -> bool {
        self.calls.get(name).is_some_and(|call| call.bytes >= bounds.high_water)
    }

    /// Whether a sender can go on; if not, `waker` is woken when it is to ask again.
    pub(crate) fn has_room(&mut self, name: &str, bounds: Bounds, waker: &Waker) -> bool {
        match self.calls.get_mut(name) {
            Some(call) if call.bytes >= bounds.high_water => {
                if !call.waiting.wakers.iter().any(|known| known.will_wake(waker)) {
                    call.waiting.wakers.push(waker.clone());
                }
                false
            }
            Some(_) | None => true,
        }
    }

    /// A node is connected: what waits for it.
    pub(crate) fn reached(&mut self, name: &str) -> Waiting {
        self.said.remove(name);
        self.calls.remove(name).map(|call| call.waiting).unwrap_or_default()
    }

    /// Whether something waits for the call of this number.
    pub(crate) fn waits(&self, name: &str, number: u64) -> bool {
        self.calls.get(name).is_some_and(|call| call.number == number)
    }

    /// The call of this number is over: what still waits, for nothing.
    pub(crate) fn over(&mut self, name: &str, number: u64) -> Waiting {
        let call = if self.waits(name, number) { self.calls.remove(name) } else { None };
        call.map(|call| call.waiting).unwrap_or_default()
    }

    /// Whether it is news that a node cannot be reached for this reason.
    pub(crate) fn is_news(&mut self, name: &Arc<str>, why: &str) -> bool {
        self.said.insert(name.clone(), why.to_owned()).is_none_or(|said| said != why)
    }
}
