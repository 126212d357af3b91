//! A notebook that another program has open: the same face, over the cluster. Here both are in one program, on nodes of
//! their own.

use std::path::Path;

use greenroom_notebook::announce::{self, Announced};
use greenroom_notebook::live::{ApplyError, Folders, Handle, JoinError, Joined, LiveOptions};
use greenroom_notebook::livemd::{self, Cell, Code, Language};
use greenroom_notebook::session::data::Refusal;
use greenroom_notebook::session::operation::{ClientId, SectionId};
use greenroom_notebook::session::{End, ImagineError};
use greenroom_stage::inspect::{Answer, Question};

use super::*;

type Opened = greenroom_notebook::live::Live;

/// Opens a notebook that announces itself in a folder.
fn open(sessions: &Path) -> (Opened, Announced) {
    drop(prelude());
    let options = LiveOptions { file: None, style: Style::Plain, columns: 80 };
    let cache = crate::support::cache_folder();
    let folders = Folders { cache, autosave: None, sessions: Some(sessions.to_owned()) };
    let live = Opened::open_in(&livemd::parse("# Scratch\n\n## Section\n").0, options, folders);
    let live = live.unwrap_or_else(|error| panic!("{error}"));
    let session = announce::announced(sessions).pop().expect("it is announced");
    (live, session)
}

fn add(handle: &Handle, id: u64, source: &str) -> Result<(), ApplyError> {
    let cell = Box::new(Cell::Code(Code::new(Language::Rust, source, 0)));
    handle.apply(Structure::InsertCell { section: SectionId(1), index: usize::MAX, id: CellId(id), cell })
}

fn shows(data: &Data, id: u64) -> bool {
    data.info(CellId(id)).is_some_and(|info| info.status == Status::Ready && info.shown.is_some())
}

#[test]
fn a_notebook_of_another_program_is_worked_on_as_an_own_one() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (live, session) = open(folder.path());
    let joined = Joined::to(&session).unwrap_or_else(|error| panic!("{error}"));
    let (near, far) = (live.handle(), joined.handle());
    assert!(near.is_own() && !far.is_own());
    let mut client = far.join("far").expect("it is open");
    let mut own = near.join("near").expect("it is open");
    add(near, 1, "let list = vec![1, 2, 3];").expect("there is room");
    add(far, 2, "list.len()").expect("there is room");
    assert_eq!(add(far, 2, "3"), Err(ApplyError::Refused(Refusal::NameTaken("cell-2".to_owned()))));
    far.apply(Evaluation::Queue(vec![CellId(2)])).expect("it is Rust");
    for client in [&mut client, &mut own] {
        client.wait(|data| shows(data, 2)).expect("it is open");
        assert_eq!(client.data().info(CellId(2)).expect("it is there").outputs[0].text, "3");
    }
    assert_eq!(client.data().document(), own.data().document());
    let compiled = far.imagine(SectionId(1), "let sum = list.iter().sum::<i32>();").expect("it compiles");
    assert_eq!(compiled.exports[0].ty, "i32");
    let refused = far.imagine(SectionId(1), "nothing").expect_err("there is no such name");
    assert!(matches!(&refused, ImagineError::Compile(why) if why.contains("cannot find value `nothing`")), "{refused}");
    assert!(matches!(far.inspect(Question::Processes), Ok(Answer::Processes(found)) if !found.is_empty()));
    let file = folder.path().join("n.livemd");
    far.save(Some(&file)).expect("it can be written");
    client.wait(|data| !data.is_dirty()).expect("it is open");
    assert_eq!(
        std::fs::read_to_string(&file).expect("it is there"),
        livemd::print(&far.data().unwrap().document().to_notebook())
    );
    near.apply(Structure::Rename("Found".to_owned())).expect("it can be named");
    let begin = Instant::now();
    while announce::announced(folder.path())[0].name != "Found" {
        assert!(begin.elapsed() < PATIENCE, "it is announced by its old name");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(announce::announced(folder.path())[0].file, Some(file));
    // Whoever is gone without a word has left.
    let visitors = |data: &Data| data.clients().values().map(|visitor| visitor.name.clone()).collect::<Vec<_>>();
    assert_eq!(visitors(own.data()), ["far", "near"]);
    std::mem::forget(client);
    drop(joined);
    own.wait(|data| visitors(data) == ["near"]).expect("it is open");
    assert!(own.data().clients().contains_key(&ClientId(2)));
    live.close();
}

#[test]
fn the_end_of_a_notebook_is_told_behind_all_else_and_it_cannot_be_joined_any_more() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (live, session) = open(folder.path());
    let joined = Joined::to(&session).unwrap_or_else(|error| panic!("{error}"));
    let (sender, told) = mpsc::channel();
    joined.handle().join_with("far", move |update| drop(sender.send(update))).expect("it is open");
    for number in 0..1_000 {
        live.handle().apply(Structure::Rename(number.to_string())).expect("it can be named");
    }
    live.close();
    let mut replica = Replica::default();
    let mut ends = Vec::new();
    for update in told.iter() {
        replica.follow(&update);
        if let Update::Closed(end) = update {
            ends.push(end);
        }
    }
    assert_eq!((replica.data().document().name.as_str(), ends.as_slice()), ("999", &[End::Closed][..]));
    assert_eq!(joined.handle().apply(Operation::Undo), Err(ApplyError::Closed));
    assert!(joined.handle().join("again").is_err());
    assert_eq!(announce::announced(folder.path()), []);
    assert!(matches!(Joined::to(&session), Err(JoinError::Ended(_))));
    let other = Announced { build: "another".to_owned(), ..session };
    assert!(matches!(Joined::to(&other), Err(JoinError::OtherBuild(_))));
}
