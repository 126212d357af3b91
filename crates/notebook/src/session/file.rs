//! The process that keeps the notebook's file: it writes what the document says, when somebody asks for it and by
//! itself, and takes over what other programs write. Only one session has a file open.
//!
//! What this process must not forget is kept where the next one finds it, should this one be killed: the lock, and the
//! document as it was when file and notebook agreed. What a change of the file means is for [`super::merge`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use greenroom::message::Down;
use greenroom::{Local, Pid, Ref, receive, self_pid, send, send_after};
use serde::{Deserialize, Serialize};

use super::data::{Data, Document};
use super::estate::Estate;
use super::follow::Follower;
use super::merge::merge;
use super::message::{Happened, Speaker};
use super::operation::{CellId, File, Operation};
use crate::aside::Aside;
use crate::disk::{Lock, Stamp, save};
use crate::expected;
use crate::livemd::{self, Cell, Notebook, Smart};

/// To this process: do this, and tell who asks under this reference.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub from: Pid,
    pub tag: Ref,
    pub wish: Wish,
}

/// What is to be done about the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Wish {
    /// This is the notebook's own from now on; it says what the notebook does.
    Attach(PathBuf),
    /// Save the notebook; if a path is given, there and from then on.
    Save(Option<PathBuf>),
    /// This is where the notebook was saved aside before. It goes on there.
    Recover(PathBuf),
    /// Nobody wants what is saved aside.
    Discard,
}

/// Its answer: why it was not done, for people.
pub(super) type Answer = Local<(Ref, Result<(), String>)>;

/// To itself: the time to save has come.
#[derive(Debug, Serialize, Deserialize)]
struct SaveNow;

/// To itself: see whether another program has changed the file.
#[derive(Debug, Serialize, Deserialize)]
struct Look;

/// What of the file outlives this process.
#[derive(Default)]
pub(super) struct Kept {
    lock: Option<Lock>,
    /// What file and notebook have agreed on last.
    agreed: Option<Arc<Agreed>>,
    /// Of the file as it was agreed on; absent before it is sure that nobody can change the one without the other.
    stamp: Option<Stamp>,
    /// Where the notebook is saved as long as it has no file.
    aside: Option<Aside>,
}

/// What file and notebook have agreed on.
struct Agreed {
    text: String,
    document: Document,
}

/// A file as it was found.
struct Found {
    text: String,
    stamp: Option<Stamp>,
}

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// What the notebook may say about how often it is saved by itself, in seconds; 0 means never.
const INTERVAL: &str = "autosave_interval_s";
/// How often it is if it says nothing.
const DEFAULT_INTERVAL: u64 = 5;

impl Kept {
    fn agree(&mut self, agreed: Arc<Agreed>, stamp: Option<Stamp>) {
        (self.agreed, self.stamp) = (Some(agreed), stamp);
    }
}

/// The life of this process.
pub(super) async fn serve(estate: Arc<Estate>) {
    let follower = Follower::join().await;
    let mut keeper = Keeper { follower, estate, speaker: Speaker::new(), is_timed: false, is_looking: false };
    keeper.time();
    loop {
        receive! {
            Local(operation): Happened => keeper.happened(&operation),
            Request { from, tag, wish }: Request => {
                keeper.catch_up().await;
                let done = match wish {
                    Wish::Attach(path) => keeper.attach(path).await,
                    Wish::Save(path) => keeper.save_as(path).await,
                    Wish::Recover(path) => keeper.recover(path).await,
                    Wish::Discard => {
                        keeper.discard();
                        Ok(())
                    }
                };
                let answer: Answer = Local((tag, done));
                send(from, answer);
            },
            _now: SaveNow => {
                keeper.is_timed = false;
                keeper.save_by_itself().await;
            },
            _look: Look => {
                keeper.is_looking = false;
                keeper.look().await;
                keeper.time();
            },
            down: Down if down.reference == keeper.follower.watch() => {
                keeper.follower.joined().await;
                keeper.time();
            },
        }
    }
}

struct Keeper {
    follower: Follower,
    estate: Arc<Estate>,
    speaker: Speaker,
    /// Whether the time to save is set.
    is_timed: bool,
    /// Whether the time to look at the file is set.
    is_looking: bool,
}

impl Keeper {
    fn data(&self) -> &Data {
        self.follower.data()
    }

    fn happened(&mut self, operation: &Operation) {
        self.follower.apply(operation);
        self.time();
    }

    /// Whoever asks may have made a change a moment ago.
    async fn catch_up(&mut self) {
        while self.follower.next(Duration::ZERO).await {}
    }

    /// Sets the time to save, if there is something to save, and the time to look at the file, if there is one.
    fn time(&mut self) {
        if !self.is_looking && self.data().file().path.is_some() {
            self.is_looking = true;
            send_after(self_pid(), Look, LOOK);
        }
        if self.is_timed || !self.data().is_dirty() {
            return;
        }
        if let Some(interval) = interval(self.data()) {
            self.is_timed = true;
            send_after(self_pid(), SaveNow, interval);
        }
    }

    async fn save_by_itself(&mut self) {
        if !self.data().is_dirty() || !self.data().file().conflict.is_empty() {
            return;
        }
        // Why it was not saved is said to all who look.
        match self.data().file().path.clone() {
            Some(path) => drop(self.save(path).await),
            None => drop(self.save_aside().await),
        }
    }

    async fn save_as(&mut self, path: Option<PathBuf>) -> Result<(), String> {
        if let Some(path) = path {
            self.attach(path).await?;
        }
        let path = self.data().file().path.clone();
        let path = path.ok_or("the notebook has no file yet: say where to save it")?;
        self.save(path).await?;
        if !self.data().file().conflict.is_empty() {
            self.say(File::Resolved).await;
        }
        Ok(())
    }

    async fn save(&mut self, path: PathBuf) -> Result<(), String> {
        if self.data().file().conflict.is_empty() {
            self.take_over(&path).await?;
        }
        let text = livemd::print(&notebook(self.data()));
        let agreed = Arc::new(Agreed { text: text.clone(), document: self.data().document().clone() });
        let revision = self.data().document_revision();
        let written = write(path, text).await;
        match &written {
            Ok(()) => {
                self.estate.file().agree(agreed, None);
                // It is saved where it belongs now.
                self.discard();
                self.say(File::Saved { revision }).await;
            }
            Err(why) => self.say(File::NotSaved { why: why.clone() }).await,
        }
        written
    }

    /// Saves a notebook that has no file where it can be found again.
    async fn save_aside(&mut self) -> Result<(), String> {
        let Some(folder) = self.estate.autosave.clone() else { return Ok(()) };
        let written = match self.place_aside(&folder) {
            Ok(path) => write(path, livemd::print(&notebook(self.data()))).await,
            Err(error) => Err(explain(&folder, &error)),
        };
        if let Err(why) = &written {
            self.say(File::NotSaved { why: why.clone() }).await;
        }
        written
    }

    fn place_aside(&self, folder: &Path) -> std::io::Result<PathBuf> {
        let mut kept = self.estate.file();
        let aside = match kept.aside.take() {
            Some(aside) => aside,
            None => Aside::new(folder, &self.data().document().name, &self.estate.locks())?,
        };
        Ok(kept.aside.insert(aside).path().to_owned())
    }

    /// Goes on with a notebook that another program has left.
    async fn recover(&mut self, path: PathBuf) -> Result<(), String> {
        let aside = Aside::of(path, &self.estate.locks()).map_err(|error| error.to_string())?;
        self.estate.file().aside = Some(aside);
        self.speaker.say(File::Recovered).await.map_err(|refusal| refusal.to_string())?;
        self.catch_up().await;
        Ok(())
    }

    fn discard(&self) {
        if let Some(aside) = self.estate.file().aside.take() {
            aside.remove();
        }
    }

    /// Takes a file for the notebook's own, unless it is that already.
    async fn attach(&mut self, path: PathBuf) -> Result<(), String> {
        let path = std::path::absolute(&path).map_err(|error| explain(&path, &error))?;
        if self.data().file().path.as_ref() == Some(&path) {
            return Ok(());
        }
        let lock = Lock::take(&path, &self.estate.locks()).map_err(|error| error.to_string())?;
        let found = read(path.clone(), None).await;
        {
            let mut kept = self.estate.file();
            kept.lock = Some(lock);
            // What stands there is what was opened, or is about to be replaced.
            match found {
                Some(Found { text, stamp }) => {
                    kept.agree(Arc::new(Agreed { text, document: self.data().document().clone() }), stamp);
                }
                None => (kept.agreed, kept.stamp) = (None, None),
            }
        }
        self.say(File::Attach(path)).await;
        self.catch_up().await;
        Ok(())
    }

    async fn look(&mut self) {
        self.catch_up().await;
        if let Some(path) = self.data().file().path.clone()
            && self.data().file().conflict.is_empty()
        {
            // What does not go together is shown as a conflict.
            let _ = self.take_over(&path).await;
        }
    }

    /// Takes over what another program has written. The error says what does not go together with what was changed
    /// here.
    async fn take_over(&mut self, path: &Path) -> Result<(), String> {
        let (agreed, stamp) = {
            let kept = self.estate.file();
            (kept.agreed.clone(), kept.stamp)
        };
        let Some(agreed) = agreed else { return Ok(()) };
        let Some(Found { text: found, stamp }) = read(path.to_owned(), stamp).await else { return Ok(()) };
        if found == agreed.text {
            self.estate.file().stamp = stamp;
            return Ok(());
        }
        let was_dirty = self.data().is_dirty();
        let there = livemd::parse(&found).0;
        let merged = merge(self.data(), &agreed.document, &there);
        for change in merged.changes {
            // Somebody may have made one here in between: then both are shown.
            if self.speaker.say(change).await.is_err() {
                return self.conflict(Vec::new()).await;
            }
        }
        self.catch_up().await;
        if !merged.conflicts.is_empty() {
            return self.conflict(merged.conflicts).await;
        }
        let document = self.data().document().clone();
        self.estate.file().agree(Arc::new(Agreed { text: found, document }), stamp);
        if !was_dirty {
            let revision = self.data().document_revision();
            self.say(File::Saved { revision }).await;
        }
        Ok(())
    }

    async fn conflict(&mut self, mut cells: Vec<CellId>) -> Result<(), String> {
        cells.sort_unstable();
        cells.dedup();
        let labels: Vec<String> = cells.iter().map(|cell| self.data().document().label(*cell)).collect();
        self.say(File::Conflict { cells }).await;
        Err(format!(
            "another program has changed the file, and it does not go together with what was changed here ({}): look at \
             both, and save again to keep what is here",
            labels.join(", ")
        ))
    }

    async fn say(&mut self, operation: File) {
        // What has happened on the disk is never refused.
        let _ = self.speaker.say(operation).await;
        self.catch_up().await;
    }
}

/// How often the notebook is saved by itself.
fn interval(data: &Data) -> Option<Duration> {
    let said = data.document().attributes.metadata.get(INTERVAL);
    let seconds = said.map_or(Some(DEFAULT_INTERVAL), serde_json::Value::as_u64)?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

async fn write(path: PathBuf, text: String) -> Result<(), String> {
    let written = greenroom::spawn_blocking(move || save(&path, &text).map_err(|error| explain(&path, &error))).await;
    written.map_err(|reason| reason.to_string()).and_then(|written| written)
}

/// What a file says, if it can be read, unless this is still its stamp.
async fn read(path: PathBuf, known: Option<Stamp>) -> Option<Found> {
    let read = move || {
        // Looked at before it is read: whoever writes it meanwhile is seen the next time.
        let stamp = Stamp::of(&path);
        if known.is_some() && stamp == known {
            return None;
        }
        let text = std::fs::read_to_string(path).ok()?;
        Some(Found { text, stamp: stamp.filter(|stamp| stamp.is_settled(SystemTime::now())) })
    };
    greenroom::spawn_blocking(read).await.ok().flatten()
}

fn explain(path: &Path, error: &std::io::Error) -> String {
    format!("{} cannot be written: {error}", path.display())
}

/// The notebook as it is to be saved, with what its cells have shown if it says so.
pub fn notebook(data: &Data) -> Notebook {
    let mut notebook = data.document().to_notebook();
    if !notebook.persist_outputs {
        return notebook;
    }
    let ids = data.document().sections().iter().map(|section| &section.cells);
    for (section, ids) in notebook.sections.iter_mut().zip(ids) {
        for (cell, id) in section.cells.iter_mut().zip(ids) {
            let (Cell::Code(code) | Cell::Smart(Smart { code, .. })) = cell else { continue };
            let is_expected = code.outputs.iter().any(|output| output.expected);
            if let Some(info) = data.info(*id).filter(|info| info.shown.is_some() && !is_expected) {
                code.outputs = expected::saved(&info.outputs);
            }
        }
    }
    notebook
}
