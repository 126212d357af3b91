//! The notebook and its file: saved by itself, and changed by others meanwhile.

use std::path::Path;

use greenroom_notebook::live::{Client, Folders, LiveOptions};
use greenroom_notebook::livemd;
use greenroom_notebook::session::operation::File;

use super::*;

type Opened = greenroom_notebook::live::Live;

/// A notebook that is saved a second after each change.
fn text(cells: &[&str]) -> String {
    let cells: String = cells.iter().map(|cell| format!("\n```rust\n{cell}\n```\n")).collect();
    format!("<!-- livebook:{{\"autosave_interval_s\":1}} -->\n\n# N\n\n## S\n{cells}")
}

pub(super) fn open(text: &str, file: Option<&Path>, aside: Option<&Path>) -> (Opened, Client) {
    drop(prelude());
    let options = LiveOptions { file: file.map(Into::into), style: Style::Plain, columns: 80 };
    let notebook = livemd::parse(text).0;
    let folders = Folders { cache: crate::support::cache_folder(), autosave: aside.map(Into::into), sessions: None };
    let live = Opened::open_in(&notebook, options, folders);
    let live = live.unwrap_or_else(|error| panic!("{error}"));
    let client = live.handle().join("me").expect("it is open");
    (live, client)
}

fn edit(live: &Opened, client: &mut Client, number: u64, source: &str) {
    let cell = CellId(number);
    let document = client.data().document();
    let removed = document.cell(cell).and_then(|cell| cell.code()).map_or(0, |code| code.source.len());
    let edit = Structure::Edit { cell, at: 0, removed, inserted: source.to_owned() };
    live.handle().apply(edit).expect("there is such a text");
    client.wait(|data| source_of(data, number) == source).expect("it is open");
}

fn source_of(data: &Data, number: u64) -> String {
    data.document()
        .cell(CellId(number))
        .and_then(|cell| cell.code())
        .map_or_else(String::new, |code| code.source.clone())
}

fn said_by(file: &Path) -> String {
    std::fs::read_to_string(file).expect("it is there")
}

#[test]
fn what_is_changed_is_saved_by_itself() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("n.livemd");
    std::fs::write(&file, text(&["1"])).expect("it can be written");
    let (live, mut client) = open(&text(&["1"]), Some(&file), None);
    edit(&live, &mut client, 1, "2");
    assert!(client.data().is_dirty());
    client.wait(|data| !data.is_dirty()).expect("it is open");
    assert_eq!(said_by(&file), text(&["2"]));
    live.close();
}

#[test]
fn a_notebook_without_a_file_is_saved_aside_until_it_has_one() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let aside = folder.path().join("aside");
    let (live, mut client) = open(&text(&["1"]), None, Some(&aside));
    edit(&live, &mut client, 1, "2");
    let saved = || -> Vec<_> {
        let entries = std::fs::read_dir(&aside).into_iter().flatten().flatten();
        // While it is written it has another name.
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|it| it == "livemd")).collect()
    };
    let begin = Instant::now();
    while saved().is_empty() {
        assert!(begin.elapsed() < PATIENCE, "it is not saved");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(said_by(&saved()[0]), text(&["2"]));
    let file = folder.path().join("n.livemd");
    live.handle().save(Some(&file)).expect("it can be written");
    assert_eq!((said_by(&file), saved().len()), (text(&["2"]), 0));
    live.close();
}

#[test]
fn what_another_program_writes_is_taken_over_and_what_was_evaluated_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("n.livemd");
    let cells = ["let a = 1;", "a + 1", "3"];
    std::fs::write(&file, text(&cells)).expect("it can be written");
    let (live, mut client) = open(&text(&cells), Some(&file), None);
    live.handle().apply(Evaluation::Queue(vec![CellId(2)])).expect("it is Rust");
    let has_values = |data: &Data, id: u64| data.info(CellId(id)).is_some_and(|info| info.has_values());
    client.wait(|data| has_values(data, 2)).expect("it is open");
    edit(&live, &mut client, 1, "let a = 10;");
    std::fs::write(&file, text(&["let a = 1;", "a + 1", "33", "4"])).expect("it can be written");
    client.wait(|data| source_of(data, 3) == "33" && data.document().cells().count() == 4).expect("it is open");
    assert!(has_values(client.data(), 1) && has_values(client.data(), 2));
    // What was changed here is written, with what was taken over.
    client.wait(|data| !data.is_dirty()).expect("it is open");
    assert_eq!(said_by(&file), text(&["let a = 10;", "a + 1", "33", "4"]));
    live.close();
}

#[test]
fn what_both_have_changed_is_shown_and_nobodys_is_lost_before_somebody_says_so() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("n.livemd");
    std::fs::write(&file, text(&["1", "2"])).expect("it can be written");
    let (live, mut client) = open(&text(&["1", "2"]), Some(&file), None);
    edit(&live, &mut client, 1, "1 + 1");
    let theirs = text(&["1 + 2", "22"]);
    std::fs::write(&file, &theirs).expect("it can be written");
    client.wait(|data| !data.file().conflict.is_empty()).expect("it is open");
    assert_eq!(client.data().file().conflict, [CellId(1)]);
    assert_eq!((source_of(client.data(), 1), source_of(client.data(), 2)), ("1 + 1".to_owned(), "22".to_owned()));
    assert_eq!(said_by(&file), theirs);
    live.handle().save(None).expect("it can be written");
    client.wait(|data| data.file().conflict.is_empty() && !data.is_dirty()).expect("it is open");
    assert_eq!(said_by(&file), text(&["1 + 1", "22"]));
    // And it goes on from there.
    edit(&live, &mut client, 2, "222");
    client.wait(|data| !data.is_dirty()).expect("it is open");
    assert_eq!(said_by(&file), text(&["1 + 1", "222"]));
    assert!(live.handle().apply(File::Resolved).is_err());
    live.close();
}
