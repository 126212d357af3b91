//! Calling other nodes, once or again and again, and hearing those who call.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use greenroom::NodeId;
use tokio::sync::{mpsc, oneshot};

use super::error::ConnectError;
use super::{Cluster, HANDSHAKE_TIME};
use crate::address::Address;
use crate::cookie::{Cookie, random_bytes};
use crate::directory::Wanted;
use crate::drive::{self, Outcome};
use crate::hub::Hub;
use crate::notice::Notice;
use crate::protocol::{Admission, Closed, Refusal, Role};
use crate::transport::{Channel, Incoming, Listener};

/// How long the first and the longest pause before another attempt to reach a peer are.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

impl Cluster {
    pub(super) async fn accept_all(self, mut listener: Box<dyn Listener>) {
        loop {
            let Ok(incoming) = listener.accept().await else {
                // Out of file descriptors, most likely: wait until some are back.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            self.hear(incoming);
        }
    }

    fn hear(&self, Incoming { address, opening }: Incoming) {
        let hub = &self.0;
        let began = hub.now();
        let chance = u64::from_le_bytes(random_bytes());
        let admission = hub.endpoint.lock().accept(Some(address), chance, began);
        let (id, evicted) = match admission {
            Admission::Hear(id, evicted) => (id, evicted),
            Admission::TurnAway => {
                return hub.tell(&Notice::Refused(address, "too many handshakes with it have failed".to_owned()));
            }
        };
        if let Some(evicted) = evicted.and_then(|evicted| {
            hub.open.lock().remove(&evicted);
            hub.strangers.lock().remove(&evicted)
        }) {
            evicted.abort();
            hub.tell(&Notice::Refused(address, "too many are half open".to_owned()));
        }
        let task_hub = hub.clone();
        let (begin, begun) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let _ = begun.await;
            let hub = task_hub;
            let opened =
                tokio::time::timeout(HANDSHAKE_TIME, opening).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()));
            match opened {
                Ok(channel) => {
                    let (told, outcome) = oneshot::channel();
                    tokio::spawn(log_outcome(hub.clone(), address, outcome));
                    drive::drive(hub, (id, Role::Listener, None), channel, began, told).await;
                }
                Err(error) => {
                    hub.endpoint.lock().closed(id, true, hub.now());
                    hub.strangers.lock().remove(&id);
                    hub.tell(&Notice::Refused(address, error.to_string()));
                }
            }
        });
        hub.strangers.lock().insert(id, task.abort_handle());
        let _ = begin.send(());
    }

    /// Calls, with this cookie if there is one, and where both call at once, waits for the call that goes on.
    pub(super) async fn call(self, address: Address, cookie: Option<Cookie>) -> Result<NodeId, ConnectError> {
        loop {
            let error = match self.try_call(&address, cookie.clone()).await? {
                Ok(node) => {
                    let wanted = self.is_wanted(&address, node);
                    if wanted.is_err() {
                        self.disconnect(node);
                    }
                    return wanted;
                }
                Err(error) => error,
            };
            let (closed, peer) = error;
            let (may_fail, peer) = match (closed, peer) {
                (Closed::Refused(Refusal::Connected), Some(peer)) => (false, peer),
                // The other call goes on, and this node has heard of that from the other one or has decided it.
                (Closed::Refused(Refusal::Simultaneous) | Closed::Here, Some(peer)) => (true, peer),
                (closed, _) => return Err(ConnectError::of(address, closed)),
            };
            let other = self.0.wait_for(&peer.name.name);
            match tokio::time::timeout(HANDSHAKE_TIME, other).await {
                Ok(node) => return self.is_wanted(&address, node),
                Err(_) if may_fail => {} // It came to nothing: once more.
                Err(_) => return Err(ConnectError::TimedOut(address)),
            }
        }
    }

    async fn try_call(&self, address: &Address, cookie: Option<Cookie>) -> Result<Outcome, ConnectError> {
        let hub = &self.0;
        let began = hub.now();
        let opening = async {
            let mut last = io::Error::new(io::ErrorKind::NotFound, "this name has no address");
            for place in address.resolve().await? {
                match hub.transport.call(place).await {
                    Ok(channel) => return Ok(channel),
                    Err(error) => last = error,
                }
            }
            Err(last)
        };
        let channel: Channel = match tokio::time::timeout(HANDSHAKE_TIME, opening).await {
            Ok(opened) => opened.map_err(|error| ConnectError::Io(address.clone(), error))?,
            Err(_) => return Err(ConnectError::TimedOut(address.clone())),
        };
        let id = hub.endpoint.lock().call();
        let (told, outcome) = oneshot::channel();
        tokio::spawn(drive::drive(hub.clone(), (id, Role::Caller, cookie), channel, began, told));
        outcome.await.map_err(|_| ConnectError::TimedOut(address.clone()))
    }

    /// Whether a node is the one that was asked for. If so, it is known from now on where it is.
    fn is_wanted(&self, address: &Address, node: NodeId) -> Result<NodeId, ConnectError> {
        let name = node.name().name;
        if address.name().is_some_and(|wanted| *name != *wanted) {
            return Err(ConnectError::OtherNode(address.clone(), node));
        }
        self.0.directory.lock().learn(&name, address);
        Ok(node)
    }

    /// Calls nodes that something was sent to while they were not connected.
    pub(super) async fn reach_all(self, mut wanted: mpsc::UnboundedReceiver<Wanted>) {
        while let Some(wanted) = wanted.recv().await {
            tokio::spawn(self.clone().reach(wanted));
        }
    }

    async fn reach(self, wanted: Wanted) {
        let hub = self.0.clone();
        let failure = match hub.may_call(&wanted).await {
            true => self.call(wanted.address.expecting(&wanted.name), None).await.err(),
            false => None,
        };
        // If it has been reached, nothing waits any more, but for what was for another life of it.
        let waiting = hub.directory.lock().over(&wanted.name, wanted.number);
        hub.give_back(waiting);
        if let Some(why) = failure.map(|failure| failure.to_string())
            && hub.directory.lock().is_news(&wanted.name, &why)
        {
            hub.tell(&Notice::Unreachable(why));
        }
    }

    /// Connects again and again.
    pub(super) async fn stay_connected(self, peer: Address) {
        let mut pause = PAUSES.0;
        let mut said = String::new();
        loop {
            match self.clone().call(peer.clone(), None).await {
                Ok(node) => {
                    (pause, said) = (PAUSES.0, String::new());
                    self.wait_for_loss(node).await;
                }
                Err(error) => {
                    let error = error.to_string();
                    if error != said {
                        self.0.tell(&Notice::Unreachable(error.clone()));
                        said = error;
                    }
                }
            }
            tokio::time::sleep(pause.mul_f64(0.5 + f64::from(random_bytes::<1>()[0]) / 512.0)).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Waits until the connection to `node` is lost, and if that was on purpose, until somebody wants it again.
    async fn wait_for_loss(&self, node: NodeId) {
        let mut changed = self.0.changed.subscribe();
        let name = node.name().name;
        loop {
            let is_up = self.0.up.read().contains_key(&node);
            if !is_up && !self.0.parted.lock().contains(&name) {
                return;
            }
            if changed.changed().await.is_err() {
                return; // The node is stopping.
            }
        }
    }
}

async fn log_outcome(hub: Arc<Hub>, address: std::net::IpAddr, outcome: oneshot::Receiver<Outcome>) {
    if let Ok(Err((why, peer))) = outcome.await {
        let is_duplicate = match &why {
            Closed::Refused(Refusal::Connected | Refusal::Simultaneous) => true,
            Closed::Lost(why) => why.is_empty() && peer.is_some(),
            _ => false,
        };
        if is_duplicate {
            return; // Both called at once, which is no news.
        }
        let who = peer.map(|peer| format!("{}: ", peer.name)).unwrap_or_default();
        hub.tell(&Notice::Refused(address, format!("{who}{why}")));
    }
}
