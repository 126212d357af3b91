//! Those who look at the notebook: one process for each front end, which tells it everything that happens. A front end
//! listens through a process of its own, on this node or on that of another program; it is told the same there.

use std::sync::Arc;

use greenroom::message::Down;
use greenroom::{Local, Pid, receive, self_pid, send};
use serde::{Deserialize, Serialize};

use super::data::{Data, Refusal};
use super::follow;
use super::message::Happened;
use super::operation::{Action, Operation};

/// What a front end is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Update {
    /// This is the notebook. It comes first, and again whenever something may have been missed.
    Joined(Arc<Data>),
    /// This has happened to it.
    Happened(Arc<Operation>),
    /// Nothing more will happen to it.
    Closed(End),
}

/// Why nothing more happens to a notebook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// Whoever had opened it has closed it.
    Closed,
    /// The program that had opened it has died, or cannot be reached any more: of this, for people.
    Lost(String),
}

/// To a front end's process.
#[derive(Debug, Serialize, Deserialize)]
pub struct Broadcast {
    /// Who says so. When that process was killed, the next one begins anew.
    pub by: Pid,
    /// What it says.
    pub update: Update,
}

/// To a front end's process: it has left, and is told nothing any more.
#[derive(Debug, Serialize, Deserialize)]
pub struct Dismissed;

/// To a client's process: say so to the front end, once all is told that was to be.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Finish {
    /// The notebook is closed.
    Closed,
    /// The front end has left. This process wants to know that it was told.
    Left(Pid),
}

/// A client's process has said that its front end has left.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Parted(pub Pid);

/// The life of a client's process: it tells this one.
pub(super) async fn serve(listener: Pid) {
    let tell = |update| send(listener, Broadcast { by: self_pid(), update });
    loop {
        let (data, watch) = follow::join().await;
        tell(Update::Joined(Arc::new(data)));
        loop {
            receive! {
                Local(operation): Happened => tell(Update::Happened(operation)),
                finish: Finish => match finish {
                    Finish::Closed => tell(Update::Closed(End::Closed)),
                    Finish::Left(whom) => {
                        send(listener, Dismissed);
                        send(whom, Parted(self_pid()));
                    }
                },
                down: Down if down.reference == watch => break,
            }
        }
    }
}

/// The notebook as a front end knows it.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use greenroom_notebook::livemd;
/// use greenroom_notebook::session::{Replica, Update, data::Data, operation::Structure};
///
/// let data = Data::new(&livemd::parse("# N\n").0);
/// let mut replica = Replica::default();
/// replica.follow(&Update::Joined(Arc::new(data)));
/// replica.follow(&Update::Happened(Arc::new(Structure::Rename("M".to_owned()).into())));
/// assert_eq!(replica.data().document().name, "M");
/// ```
#[derive(Clone, Debug)]
pub struct Replica {
    data: Arc<Data>,
}

impl Default for Replica {
    /// An empty notebook: what there is before the first update.
    fn default() -> Self {
        Replica { data: Arc::new(Data::new(&crate::livemd::parse("").0)) }
    }
}

impl Replica {
    /// The notebook.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// Follows an update. Returns what is being done about it, such as which cells begin to be evaluated.
    ///
    /// # Panics
    /// If updates of different clients are mixed, or one is left out.
    pub fn follow(&mut self, update: &Update) -> Vec<Action> {
        match update {
            Update::Joined(data) => {
                self.data = data.clone();
                Vec::new()
            }
            Update::Happened(operation) => match Arc::make_mut(&mut self.data).apply(operation) {
                Ok(actions) => actions,
                Err(refusal) => unfollowed(operation, &refusal),
            },
            Update::Closed(_) => Vec::new(),
        }
    }
}

fn unfollowed(operation: &Operation, refusal: &Refusal) -> ! {
    panic!("the session has applied {operation:?} to the same data: {refusal}")
}
