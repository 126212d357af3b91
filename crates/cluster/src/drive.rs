//! The tasks of a connection: one reads and decides, one writes. They move bytes, time and events between a channel,
//! the protocol and the node; what happens is decided in [`crate::protocol`].

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use greenroom::NodeId;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::oneshot;

use crate::cookie::{Cookie, random_bytes};
use crate::directory::Waiting;
use crate::events::{NodeDown, NodeUp};
use crate::flush;
use crate::hub::{Hub, Link};
use crate::notice::Notice;
use crate::operation::{self, Operation};
use crate::pen::{Pen, end_of};
use crate::protocol::{Closed, Connection, ConnectionId, Event, FRAGMENT, HandshakeError, Peer, Refusal, Role};
use crate::transport::Channel;

/// How much is read at once before there has been more: of many connections, most have little to say.
const LITTLE: usize = 4096;
/// How long what is left to say at the end may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How a connection has come up, or why not, and who was at the other end if that was said.
pub(crate) type Outcome = Result<NodeId, (Closed, Option<Peer>)>;

/// Runs a connection over a channel until it is over, with the `cookie` that a caller was given for it, if any. `told`
/// learns how it began.
pub(crate) async fn drive(
    hub: Arc<Hub>,
    (id, role, cookie): (ConnectionId, Role, Option<Cookie>),
    channel: Channel,
    began: Duration,
    told: oneshot::Sender<Outcome>,
) {
    let core = Connection::new(role, hub.settings.clone(), channel.binding, random_bytes(), began);
    let link = Arc::new(Link::new(id, core, Pen::new(channel.writer)));
    hub.open.lock().insert(id, link.clone());
    let writing = tokio::spawn(flush::write(hub.clone(), link.clone()));
    let (stop, driver) = (writing.abort_handle(), Driver { hub, link, role, cookie, met: None, told: Some(told) });
    driver.read(channel.reader).await;
    if tokio::time::timeout(LAST_WORDS, writing).await.is_err() {
        // It does not read: what is left to say is not said.
        stop.abort();
    }
}

struct Driver {
    hub: Arc<Hub>,
    link: Arc<Link>,
    role: Role,
    /// The cookie of this call, where it has one.
    cookie: Option<Cookie>,
    met: Option<Peer>,
    told: Option<oneshot::Sender<Outcome>>,
}

impl Driver {
    async fn read(mut self, mut reader: impl AsyncRead + Unpin) {
        let mut buffer = vec![0; LITTLE];
        let mut timer = pin!(tokio::time::sleep(Duration::ZERO));
        let mut was_up = false;
        loop {
            let is_due = tokio::select! {
                read = reader.read(&mut buffer) => {
                    let is_full = read.as_ref().is_ok_and(|read| *read == buffer.len());
                    self.take(&buffer, read);
                    if is_full && buffer.len() < FRAGMENT {
                        buffer.resize(FRAGMENT, 0);
                    }
                    false
                }
                () = &mut timer => true,
                () = self.link.nudge.notified() => true,
            };
            if is_due {
                self.check_time();
            }
            if self.react().await {
                return;
            }
            let core = self.link.core.lock();
            if core.has_output() {
                self.link.writable.notify_one();
            }
            // While it is in use, what arrives only puts the next deadline off: that is seen when it has come.
            if is_due || !was_up {
                let due = core.next_timeout().unwrap_or(Duration::MAX).saturating_sub(self.hub.now());
                timer.as_mut().reset(tokio::time::Instant::now() + due.min(Duration::from_secs(3600)));
            }
            was_up = core.is_up();
        }
    }

    fn take(&self, buffer: &[u8], read: io::Result<usize>) {
        let now = self.hub.now();
        let mut core = self.link.core.lock();
        match read {
            Ok(0) => core.handle_end(""),
            Ok(length) => core.handle_input(&buffer[..length], now),
            Err(error) => core.handle_end(&end_of(&error)),
        }
    }

    fn check_time(&self) {
        let now = self.hub.now();
        let mut core = self.link.core.lock();
        if core.next_timeout().is_some_and(|due| due <= now) {
            core.handle_timeout(now);
        }
    }

    /// Does what the events of the connection ask for. True when it is over.
    async fn react(&mut self) -> bool {
        loop {
            let events: Vec<Event> = {
                let mut core = self.link.core.lock();
                std::iter::from_fn(|| core.poll_event()).collect()
            };
            if events.is_empty() {
                return false;
            }
            for event in events {
                match event {
                    Event::Met(peer) => self.meet(peer),
                    Event::Proved(peer) => self.decide(peer).await,
                    Event::Up(peer) => self.come_up(peer).await,
                    Event::Operation(bytes) => {
                        if !self.deliver(bytes) {
                            break; // What comes after it is not believed either.
                        }
                    }
                    Event::Closed(why) => {
                        self.end(why);
                        return true;
                    }
                }
            }
        }
    }

    fn meet(&mut self, peer: Peer) {
        let met = self.hub.endpoint.lock().met(self.link.id, &peer);
        let cookie = self.cookie.clone().or_else(|| self.hub.cookies.lock().get(&peer.name.name).cloned());
        self.met = Some(peer);
        let mut core = self.link.core.lock();
        if let Some(cookie) = cookie {
            core.use_cookie(&cookie);
        }
        match met {
            Ok(()) => core.go_on(),
            Err(refusal) => core.refuse(refusal),
        }
    }

    /// A caller has proved itself.
    async fn decide(&self, peer: Peer) {
        let decided = self.hub.endpoint.lock().proved(self.link.id);
        match decided {
            Ok(replaced) => {
                self.hub.strangers.lock().remove(&self.link.id);
                if let Some(replaced) = replaced {
                    self.hub.end(replaced).await;
                }
                self.be_ready().await;
                let waiting = {
                    // Under one lock: when the caller learns of it, everyone here must know it, too.
                    let mut core = self.link.core.lock();
                    core.admit();
                    self.enter(&mut core, &peer)
                };
                self.hub.give_back(waiting);
            }
            Err(refusal) => {
                if refusal == Refusal::NameTaken {
                    self.probe_rival();
                }
                self.link.core.lock().refuse(refusal);
            }
        }
    }

    /// Whoever has the name of a node that is not let in had better be alive.
    fn probe_rival(&self) {
        let rival = self.hub.endpoint.lock().rival(self.link.id);
        let Some(rival) = rival.and_then(|rival| self.hub.open.lock().get(&rival).cloned()) else { return };
        rival.core.lock().probe(self.hub.now());
        rival.nudge.notify_one();
        rival.writable.notify_one();
    }

    /// A caller was let in. At a listener, all was done when it decided that.
    async fn come_up(&mut self, peer: Peer) {
        if self.role == Role::Caller {
            let decided = self.hub.endpoint.lock().up(self.link.id);
            match decided {
                Ok(replaced) => {
                    if let Some(replaced) = replaced {
                        self.hub.end(replaced).await;
                    }
                    self.be_ready().await;
                    if let Some(cookie) = self.cookie.take() {
                        self.hub.cookies.lock().insert(peer.name.name.clone(), cookie);
                    }
                    let waiting = self.enter(&mut self.link.core.lock(), &peer);
                    self.hub.give_back(waiting);
                }
                Err(_) => return self.link.close(),
            }
        }
        if let (Some(told), Some((node, _))) = (self.told.take(), self.link.peer.get()) {
            let _ = told.send(Ok(*node)); // Whoever called may have stopped waiting.
        }
        self.hub.changed.send_replace(());
    }

    /// Waits until everything is there that a peer may ask for.
    async fn be_ready(&self) {
        // An error means that nobody will serve, as the node is stopping.
        let _ = self.hub.served.clone().wait_for(|served| *served).await;
    }

    /// From now on the connection is in use, first for what has waited for it. Gives who waits for room, and what was for
    /// another life of the node: both for when `core` is not locked any more, as whoever is woken may look at it.
    #[must_use]
    fn enter(&self, core: &mut Connection, peer: &Peer) -> Waiting {
        let hub = &self.hub;
        let node = NodeId::intern(&peer.name);
        let (node, peer) = self.link.peer.get_or_init(|| (node, peer.clone()));
        let mut directory = hub.directory.lock();
        let mut waiting = directory.reached(&peer.name.name);
        let held = waiting.held.extract_if(.., |held| held.to == *node);
        for operation in held {
            // If it is over again already, everyone is told that.
            let _ = core.queue(operation.route, &operation.bytes);
        }
        hub.up.write().insert(*node, self.link.clone());
        drop(directory);
        if !hub.is_hidden(peer) {
            hub.node.connected(*node);
        }
        hub.watchers.tell(&hub.node, hub.is_hidden(peer), &NodeUp { node: *node });
        waiting
    }

    /// Hands over what the peer has sent. False if that is nothing that it may send.
    fn deliver(&self, bytes: Vec<u8>) -> bool {
        let Some((from, _)) = self.link.peer.get() else { return false };
        match operation::read(*from, self.hub.node.id(), bytes) {
            Ok(Operation::Message(to, parcel)) => self.hub.node.deliver(&to, Box::new(parcel)),
            Ok(Operation::Signal(signal)) => self.hub.node.receive_signal(*from, signal),
            Err(error) => {
                self.link.core.lock().give_up(error.to_string());
                return false;
            }
        }
        true
    }

    /// Tells everyone who has to know.
    fn end(&mut self, why: Closed) {
        let (hub, link) = (&self.hub, &self.link);
        let was_up = link.peer.get();
        let is_fault = was_up.is_none() && is_suspicious(&why);
        if let Some((node, peer)) = was_up {
            hub.up.write().remove(node);
            hub.node.disconnected(*node);
            let down = NodeDown { node: *node, reason: why.to_string() };
            hub.watchers.tell(&hub.node, hub.is_hidden(peer), &down);
            if !matches!(why, Closed::Here | Closed::Goodbye) {
                hub.tell(&Notice::Lost(*node, why.clone()));
            }
        }
        // Only now may another connection take its place: so nobody hears of the next before the end of this one.
        hub.endpoint.lock().closed(link.id, is_fault, hub.now());
        hub.open.lock().remove(&link.id);
        hub.strangers.lock().remove(&link.id);
        if was_up.is_none()
            && let Some(told) = self.told.take()
        {
            let _ = told.send(Err((why, self.met.take()))); // Whoever called may have stopped waiting.
        }
        let waiting = std::mem::take(&mut *link.room.lock());
        waiting.into_values().flat_map(|(_, wakers)| wakers).for_each(Waker::wake);
        link.writable.notify_one();
        link.ended.send_replace(true);
        hub.changed.send_replace(());
    }
}

/// Whether this is how strangers behave who have no business here.
fn is_suspicious(why: &Closed) -> bool {
    match why {
        Closed::Handshake(HandshakeError::NotANode | HandshakeError::WrongCookie | HandshakeError::BadName)
        | Closed::TooSlow
        | Closed::Malformed(_)
        | Closed::Lost(_) => true,
        Closed::Handshake(HandshakeError::Version { .. })
        | Closed::Refused(_)
        | Closed::Silent(_)
        | Closed::Goodbye
        | Closed::Here
        | Closed::Overloaded(_) => false,
    }
}
