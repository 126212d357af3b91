//! The notebook as front ends reach it: from threads that are no processes.

use greenroom_notebook::live::{ApplyError, Client, Folders, Live, LiveError, LiveOptions};
use greenroom_notebook::livemd::{self, Cell, Code, Language};
use greenroom_notebook::session::data::Refusal;
use greenroom_notebook::session::operation::SectionId;

use super::*;

const EMPTY: &str = "# Scratch\n\n## Section\n";

/// Opens a notebook whose prelude is there.
pub(super) fn open(text: &str, file: Option<&std::path::Path>) -> Result<Live, LiveError> {
    drop(prelude());
    let options = LiveOptions { file: file.map(Into::into), style: Style::Plain, columns: 80 };
    let folders = Folders { cache: crate::support::cache_folder(), autosave: None, sessions: None };
    Live::open_in(&livemd::parse(text).0, options, folders)
}

/// Adds a cell at the end and evaluates it. Returns what it shows.
pub(super) fn enter(live: &Live, client: &mut Client, source: &str) -> String {
    let id = client.data().unused_cell_id();
    let section = client.data().document().sections()[0].head.id;
    let cell = Box::new(Cell::Code(Code::new(Language::Rust, source, 0)));
    live.handle().apply(Structure::InsertCell { section, index: usize::MAX, id, cell }).expect("there is room");
    live.handle().apply(Evaluation::Queue(vec![id])).expect("it is Rust");
    let has_ended = |info: &Info| info.status == Status::Ready && info.shown.is_some();
    client.wait(|data| data.info(id).is_some_and(has_ended)).expect("it is open");
    let outputs = &client.data().info(id).expect("it is there").outputs;
    outputs.iter().map(|output| output.text.as_str()).collect()
}

#[test]
fn cells_are_added_evaluated_and_saved_one_after_the_other() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("scratch.livemd");
    let live = open(EMPTY, None).expect("it opens");
    let mut client = live.handle().join("me").expect("it is open");
    assert_eq!(enter(&live, &mut client, "let a = 20;"), "");
    assert!(enter(&live, &mut client, "a + nothing").contains("cannot find value `nothing`"));
    assert_eq!(enter(&live, &mut client, "a + 1"), "21");
    assert!(enter(&live, &mut client, "panic!(\"no\")").contains("the cell panicked: no"));
    assert_eq!(enter(&live, &mut client, "a + 22"), "42");
    assert!(live.handle().save(None).is_err_and(|why| why.contains("has no file yet")));
    assert!(client.data().is_dirty());
    live.handle().save(Some(&file)).expect("it can be written");
    client.wait(|data| !data.is_dirty()).expect("it is open");
    let saved = std::fs::read_to_string(&file).expect("it was written");
    assert_eq!(saved, livemd::print(&client.data().document().to_notebook()));
    assert_eq!(saved.matches("```rust").count(), 5);

    let second = open(EMPTY, Some(&file)).err().expect("it is open here");
    assert!(second.to_string().contains("is open in another session"), "{second}");
    live.close();
    // What was told before comes before the end.
    while client.next(None).is_some() {}
    drop(open(&saved, Some(&file)).expect("it was closed"));
}

#[test]
fn a_refusal_reaches_who_has_asked_and_changes_nothing() {
    let live = open(EMPTY, None).expect("it opens");
    let handle = live.handle().clone();
    let nobody = CellId(9);
    let refused = handle.apply(Evaluation::Queue(vec![nobody]));
    assert_eq!(refused, Err(ApplyError::Refused(Refusal::NoSuchCell(nobody))));
    assert_eq!(handle.apply(Operation::Undo), Err(ApplyError::Refused(Refusal::NoHistory)));
    live.close();
    assert_eq!(handle.apply(Structure::Rename("N".to_owned())), Err(ApplyError::Closed));
    assert!(handle.join("me").is_err());
}

#[test]
fn all_clients_are_told_the_same_and_one_that_has_left_nothing() {
    let live = open(EMPTY, None).expect("it opens");
    let mut one = live.handle().join("one").expect("it is open");
    let mut other = live.handle().join("other").expect("it is open");
    let (sender, told) = mpsc::channel();
    let third = live.handle().join_with("third", move |update| drop(sender.send(update))).expect("it is open");
    live.handle().apply(Structure::Rename("N".to_owned())).expect("it can be named");
    live.handle().leave(third);
    live.handle().apply(Structure::Rename("M".to_owned())).expect("it can be named");
    for client in [&mut one, &mut other] {
        client.wait(|data| data.document().name == "M").expect("it is open");
    }
    assert_eq!(one.data().document(), other.data().document());
    let mut replica = greenroom_notebook::session::Replica::default();
    told.iter().for_each(|update| drop(replica.follow(&update)));
    assert_eq!(replica.data().document().name, "N");
    live.close();
}

#[test]
fn an_interrupt_ends_what_runs_and_the_next_cell_runs() {
    let live = open("# N\n\n## S\n\n```rust\nreceive::<()>().await\n```\n", None).expect("it opens");
    let mut client = live.handle().join("me").expect("it is open");
    live.handle().apply(Evaluation::QueueSection(SectionId(1))).expect("it has cells");
    client.wait(|data| data.info(CellId(1)).is_some_and(|info| info.compiled.is_some())).expect("it is open");
    live.handle().interrupt();
    client.wait(|data| data.evaluating().is_empty()).expect("it is open");
    assert_eq!(enter(&live, &mut client, "6 * 7"), "42");
}
