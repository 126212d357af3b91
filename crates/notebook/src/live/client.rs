//! A front end that waits for what happens, and the process through which any front end is told.

use std::sync::mpsc;
use std::time::Duration;

use greenroom::message::Down;
use greenroom::{ExitReason, NodeId, monitor, receive, send};

use super::host::{Answered, HOST, Reply, Request};
use super::{Closed, Handle};
use crate::session::data::Data;
use crate::session::operation::{ClientId, Visitor};
use crate::session::{Broadcast, Dismissed, End, Replica, Update};

/// The life of the process through which a front end is told what happens to the notebook of a node.
pub(super) async fn listen(home: NodeId, visitor: Visitor, tell: impl Fn(Update), joined: mpsc::SyncSender<ClientId>) {
    let watch = monitor((HOST, home));
    let reply = Reply::here();
    let tag = reply.tag;
    send((HOST, home), Request::Join(visitor, reply));
    let mut teller = None;
    loop {
        receive! {
            // Whoever joins waits for this.
            answered: Answered<ClientId> if answered.tag == tag => drop(joined.send(answered.answer)),
            Broadcast { by, update }: Broadcast => match &update {
                Update::Joined(_) => {
                    teller = Some(by);
                    tell(update);
                }
                Update::Happened(_) if teller == Some(by) => tell(update),
                // The last words of a process that was killed.
                Update::Happened(_) => (),
                Update::Closed(_) => return tell(update),
            },
            Dismissed: Dismissed => return,
            down: Down if down.reference == watch => {
                return tell(Update::Closed(lost(down.reason)));
            },
        }
    }
}

/// The host has ended without a word.
fn lost(reason: ExitReason) -> End {
    match reason {
        ExitReason::NoConnection => End::Lost("its program has died, or cannot be reached".to_owned()),
        reason => End::Lost(reason.to_string()),
    }
}

/// A client that waits for what happens. When it is dropped, it has left.
pub struct Client {
    id: ClientId,
    handle: Handle,
    replica: Replica,
    updates: mpsc::Receiver<Update>,
}

impl Client {
    /// Joins a notebook.
    pub(super) fn join(handle: &Handle, name: &str) -> Result<Client, Closed> {
        let (sender, updates) = mpsc::channel();
        // Nobody listens any more when the client is gone, and has not left yet.
        let tell = move |update| drop(sender.send(update));
        let id = handle.join_with(name, tell)?;
        let mut client = Client { id, handle: handle.clone(), replica: Replica::default(), updates };
        match client.next(None) {
            Some(Update::Joined(_)) => Ok(client),
            Some(Update::Happened(_) | Update::Closed(_)) | None => Err(Closed),
        }
    }

    /// Its name for programs.
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// The notebook, as far as this client has followed it.
    pub fn data(&self) -> &Data {
        self.replica.data()
    }

    /// Waits for the next thing that happens, and follows it. `None` if there is none in this time (without one it
    /// waits for as long as it takes), or the notebook was closed.
    pub fn next(&mut self, patience: Option<Duration>) -> Option<Update> {
        let update = match patience {
            Some(patience) => self.updates.recv_timeout(patience).ok()?,
            None => self.updates.recv().ok()?,
        };
        self.replica.follow(&update);
        Some(update).filter(|update| !matches!(update, Update::Closed(_)))
    }

    /// Follows until something is so.
    ///
    /// # Errors
    /// If the notebook is closed before.
    pub fn wait(&mut self, is_so: impl Fn(&Data) -> bool) -> Result<(), Closed> {
        while !is_so(self.data()) {
            self.next(None).ok_or(Closed)?;
        }
        Ok(())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if greenroom::process::try_self_pid().is_none() {
            self.handle.leave(self.id);
        }
    }
}
