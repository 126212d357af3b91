//! The process that saves the notebook: some seconds after a change, whatever happens meanwhile. What another program
//! has written into the file since is merged first, or shown as a conflict; then nothing is saved until somebody has
//! looked at it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use greenroom::Node;

use super::data::{Data, Document};
use super::estate::Estate;
use super::follow::Follower;
use super::merge::{Merge, merge};
use super::message::Speaker;
use super::operation::File;
use crate::disk;
use crate::livemd::{parse, print};

/// How long after a change it is saved, where the notebook does not say otherwise.
const INTERVAL: Duration = Duration::from_secs(5);
/// For as long as nothing changes.
const LONG: Duration = Duration::from_secs(3600);

/// What the file and the notebook have agreed on.
pub(super) struct Agreed {
    pub document: Document,
    /// What the file said; absent if there was none.
    pub text: Option<String>,
}

/// The life of the saver.
pub(super) async fn serve(estate: Arc<Estate>) {
    let mut follower = Follower::join().await;
    let mut speaker = Speaker::new();
    loop {
        while !wants_saving(follower.data()) {
            follower.next(LONG).await;
        }
        wait(&mut follower).await;
        let Some(path) = follower.data().file().path.clone().filter(|_| wants_saving(follower.data())) else {
            continue;
        };
        let happens = save(&estate, follower.data(), path).await;
        for operation in happens {
            // It is refused if the cell that a merge changes has just begun to run: then the next time does it.
            let _ = speaker.say(operation).await;
        }
        while follower.next(Duration::ZERO).await {}
    }
}

fn wants_saving(data: &Data) -> bool {
    data.is_dirty() && data.file().path.is_some() && data.file().conflict.is_empty()
}

/// Waits for the autosave interval, and follows what happens meanwhile.
async fn wait(follower: &mut Follower) {
    let seconds =
        follower.data().document().attributes.metadata.get("autosave_interval_s").and_then(|value| value.as_u64());
    let interval = seconds.map_or(INTERVAL, Duration::from_secs);
    let Some(clock) = Node::current().map(|node| node.clock()) else { return };
    let end = clock.now() + interval;
    while let Some(left) = end.checked_sub(clock.now()).filter(|left| !left.is_zero()) {
        follower.next(left).await;
    }
    while follower.next(Duration::ZERO).await {}
}

/// Saves the notebook, or merges what the file says. Returns what has happened.
async fn save(estate: &Arc<Estate>, data: &Data, path: PathBuf) -> Vec<super::operation::Operation> {
    let (revision, document) = (data.document_revision(), data.document().clone());
    let text = print(&document.to_notebook());
    let read = path.clone();
    let disk = greenroom::spawn_blocking(move || std::fs::read_to_string(read).ok()).await.unwrap_or_default();
    if let Some(merged) = foreign(estate, data, disk.as_deref()) {
        let mut happens: Vec<super::operation::Operation> = merged.changes.into_iter().map(Into::into).collect();
        if !merged.conflicts.is_empty() {
            happens.push(File::Conflict { cells: merged.conflicts }.into());
        }
        return happens;
    }
    let written = text.clone();
    let saved =
        greenroom::spawn_blocking(move || disk::save(&path, &written).map_err(|error| why(&path, &error))).await;
    vec![match saved.unwrap_or_else(|reason| Err(reason.to_string())) {
        Ok(()) => {
            *estate.agreed() = Some(Agreed { document, text: Some(text) });
            File::Saved { revision }.into()
        }
        Err(why) => File::NotSaved { why }.into(),
    }]
}

/// What another program has changed in the file; from then on, that is agreed on.
fn foreign(estate: &Estate, data: &Data, disk: Option<&str>) -> Option<Merge> {
    let mut agreed = estate.agreed();
    let known = agreed.as_ref()?;
    let disk = disk.filter(|disk| Some(*disk) != known.text.as_deref())?;
    let notebook = parse(disk).0;
    let merged = merge(data, &known.document, &notebook);
    // What the other has changed, without what is changed here and not saved. Where both have, nothing is agreed on.
    let mut document = Data::of(known.document.clone());
    for change in &merged.changes {
        let _ = document.apply(&change.clone().into());
    }
    *agreed = Some(Agreed { document: document.document().clone(), text: Some(disk.to_owned()) });
    Some(merged)
}

fn why(path: &Path, error: &std::io::Error) -> String {
    format!("{}: cannot be saved: {error}", path.display())
}
