//! The process that keeps the notebook's file: it writes what the document says when somebody asks for it. Only one
//! session has a file open: the lock is kept where the next such process finds it, should this one be killed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use greenroom::message::Down;
use greenroom::{Local, Pid, Ref, receive, send};
use serde::{Deserialize, Serialize};

use super::data::Data;
use super::estate::Estate;
use super::follow::Follower;
use super::message::{Happened, Speaker};
use super::operation::File;
use crate::disk::{Lock, save};
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
}

/// Its answer: why it was not done, for people.
pub(super) type Answer = Local<(Ref, Result<(), String>)>;

/// The life of this process.
pub(super) async fn serve(estate: Arc<Estate>) {
    let mut keeper = Keeper { follower: Follower::join().await, estate, speaker: Speaker::new() };
    loop {
        receive! {
            Local(operation): Happened => drop(keeper.follower.apply(&operation)),
            Request { from, tag, wish }: Request => {
                keeper.catch_up().await;
                let done = match wish {
                    Wish::Attach(path) => keeper.attach(path).await,
                    Wish::Save(path) => keeper.save(path).await,
                };
                let answer: Answer = Local((tag, done));
                send(from, answer);
            },
            down: Down if down.reference == keeper.follower.watch() => keeper.follower.joined().await,
        }
    }
}

struct Keeper {
    follower: Follower,
    estate: Arc<Estate>,
    speaker: Speaker,
}

impl Keeper {
    /// Whoever asks may have made a change a moment ago.
    async fn catch_up(&mut self) {
        while self.follower.next(std::time::Duration::ZERO).await {}
    }

    async fn save(&mut self, path: Option<PathBuf>) -> Result<(), String> {
        if let Some(path) = path {
            self.attach(path).await?;
        }
        let data = self.follower.data();
        let Some(path) = data.file().path.clone() else {
            return Err("the notebook has no file yet: say where to save it".to_owned());
        };
        let revision = data.document_revision();
        let text = livemd::print(&notebook(data));
        let saved = greenroom::spawn_blocking(move || save(&path, &text).map_err(|error| explain(&path, &error))).await;
        let saved = saved.map_err(|reason| reason.to_string()).and_then(|saved| saved);
        match &saved {
            Ok(()) => self.say(File::Saved { revision }).await,
            Err(why) => self.say(File::NotSaved { why: why.clone() }).await,
        }
        saved
    }

    /// Takes a file for the notebook's own, unless it is that already.
    async fn attach(&mut self, path: PathBuf) -> Result<(), String> {
        let path = std::path::absolute(&path).map_err(|error| explain(&path, &error))?;
        if self.follower.data().file().path.as_ref() == Some(&path) {
            return Ok(());
        }
        let lock = Lock::take(&path, &self.estate.locks()).map_err(|error| error.to_string())?;
        self.estate.hold(lock);
        self.say(File::Attach(path)).await;
        self.catch_up().await;
        Ok(())
    }

    async fn say(&mut self, operation: File) {
        // What has happened on the disk is never refused.
        let _ = self.speaker.say(operation).await;
    }
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
