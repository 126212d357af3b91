//! Files: saved whole or not at all, locked, and merged with what other programs write.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use greenroom_notebook::disk::{Lock, LockError, Stamp, save};
use greenroom_notebook::livemd::{parse, print};
use greenroom_notebook::session::data::Data;
use greenroom_notebook::session::merge::merge;
use greenroom_notebook::session::operation::{CellId, Structure};

/// Says in which file to save for ever.
const FOREVER: &str = "GREENROOM_TEST_SAVES_TO";

/// One of the texts that are saved: large enough that many kills come in the middle.
fn version(number: usize) -> String {
    format!("# Version {number}\n\n## S\n\n```rust\n{number}\n```\n\n{}\nend {number}\n", "prose\n".repeat(50_000))
}

#[test]
fn what_is_saved_is_there() {
    if let Some(path) = std::env::var_os(FOREVER) {
        // Another test has started this one, and kills it.
        for number in 0.. {
            save(Path::new(&path), &version(number)).expect("it can be written");
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("n.livemd");
    for number in [1, 2] {
        save(&file, &version(number)).expect("it can be written");
        assert_eq!(std::fs::read_to_string(&file).expect("it is there"), version(number));
    }
    let names: Vec<_> = std::fs::read_dir(folder.path()).expect("it is there").flatten().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn whenever_the_program_is_killed_the_file_is_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("n.livemd");
    let read = || {
        let text = std::fs::read_to_string(&file).expect("it is there");
        let first = text.lines().next().and_then(|line| line.strip_prefix("# Version "));
        let number: usize = first.and_then(|number| number.parse().ok()).expect("it begins with its number");
        assert!(text == version(number), "{} bytes of version {number}", text.len());
        number
    };
    // Forty show it; `GREENROOM_KILLS=1000` is for whoever wants to be sure.
    let kills = std::env::var("GREENROOM_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(40);
    for round in 0..kills {
        let untouched = usize::MAX - round;
        save(&file, &version(untouched)).expect("it can be written");
        let mut child = Command::new(std::env::current_exe().expect("it runs"))
            .args(["--exact", "disk::what_is_saved_is_there"])
            .env(FOREVER, &file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it can be started");
        while read() == untouched {
            assert_eq!(child.try_wait().expect("it is our child"), None, "it saves for ever");
        }
        // Each time at another moment of a later save.
        for _ in 0..round % 100 {
            read();
        }
        child.kill().expect("it is our child");
        child.wait().expect("it is our child");
        read();
    }
}

#[test]
fn a_link_stays_a_link_and_permissions_stay() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (file, link) = (folder.path().join("there.livemd"), folder.path().join("link.livemd"));
    std::fs::write(&file, "old").expect("it can be written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    std::os::unix::fs::symlink(&file, &link).expect("it can be made");
    save(&link, "new").expect("it can be written");
    assert!(std::fs::symlink_metadata(&link).is_ok_and(|link| link.is_symlink()));
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), "new");
    assert_eq!(std::fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_save_that_fails_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    // Its place is taken by a folder.
    let place = folder.path().join("n.livemd");
    std::fs::create_dir(&place).expect("it can be made");
    assert!(save(&place, "new").is_err());
    let names: Vec<_> = std::fs::read_dir(folder.path()).expect("it is there").flatten().map(|it| it.path()).collect();
    assert_eq!(names, [place]);
    assert!(save(&folder.path().join("nowhere/n.livemd"), "new").is_err());
}

#[test]
fn a_file_that_was_written_has_another_stamp_unless_it_was_written_a_moment_before() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("n.livemd");
    assert_eq!(Stamp::of(&file), None);
    let now = SystemTime::now();
    let write = |text: &str, age: u64| {
        std::fs::write(&file, text).expect("it can be written");
        let modified = now - Duration::from_secs(age);
        std::fs::File::options().append(true).open(&file).and_then(|file| file.set_modified(modified)).expect("ours");
        Stamp::of(&file).expect("it is there")
    };
    let first = write("one", 60);
    assert!(first.is_settled(now));
    assert_eq!(Stamp::of(&file), Some(first));
    assert_ne!(write("two", 59), first, "at another time");
    assert_ne!(write("three", 60), first, "of another length");
    // The same length at what may be the same time: it has to be read.
    assert!(!write("two", 1).is_settled(now));
    assert!(!write("two", 0).is_settled(now - Duration::from_secs(9)), "a clock may go wrong");
    save(&file, "one").expect("it can be written");
    let saved = Stamp::of(&file).expect("it is there");
    std::fs::rename(&file, folder.path().join("kept")).expect("it is ours");
    save(&file, "one").expect("it can be written");
    assert_ne!(Stamp::of(&file), Some(saved), "another file");
}

#[test]
fn case_61_one_session_has_a_file_and_whoever_ends_frees_it() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (file, locks) = (folder.path().join("n.livemd"), folder.path().join("locks"));
    std::fs::write(&file, "").expect("it can be written");
    let first = Lock::take(&file, &locks).expect("nobody has it");
    let around = folder.path().join("locks/../n.livemd");
    match Lock::take(&around, &locks) {
        Err(LockError::Held { by, .. }) => assert_eq!(by, std::process::id().to_string()),
        other => panic!("{other:?}"),
    }
    Lock::take(&folder.path().join("other.livemd"), &locks).expect("that is another file");
    drop(first);
    Lock::take(&file, &locks).expect("it is free again");
}

const THREE: &str = "# N\n\n## A\n\nProse.\n\n```rust\nlet a = 1;\n```\n\n## B\n\n```rust\nlet b = 2;\n```\n\n```rust\nlet c = 3;\n```\n";

/// Merges a file into a notebook that somebody has changed meanwhile. Returns what comes of it, and the conflicts.
fn merged(disk: &str, ours: &[Structure]) -> (String, Vec<u64>) {
    let mut data = Data::new(&parse(THREE).0);
    let saved = data.document().clone();
    for change in ours {
        data.apply(&change.clone().into()).expect("it can be changed");
    }
    let merge = merge(&data, &saved, &parse(disk).0);
    for change in merge.changes {
        data.apply(&change.into()).expect("it was found so");
    }
    (print(&data.document().to_notebook()), merge.conflicts.into_iter().map(|CellId(id)| id).collect())
}

#[test]
fn what_another_program_writes_is_taken_over_cell_by_cell() {
    let changes = [
        ("let a = 1;", "let a = 10;"),
        ("# N\n", "# M\n"),
        ("Prose.", "Other prose."),
        ("## B", "## BB"),
        ("```rust\nlet b = 2;\n```\n\n", ""),
        ("```rust\nlet b = 2;\n```\n", "```rust\nlet b = 2;\n```\n\n```rust\nnew()\n```\n"),
        ("## B", "## Between\n\n```rust\nnew()\n```\n\n## B"),
        ("```rust\nlet c", "<!-- livebook:{\"continue_on_error\":true} -->\n\n```rust\nlet c"),
        ("## B\n\n", ""),
    ];
    for (from, to) in changes {
        let disk = THREE.replacen(from, to, 1);
        assert_ne!(disk, THREE);
        assert_eq!(merged(&disk, &[]), (disk.clone(), vec![]), "{from} -> {to}");
    }
}

#[test]
fn what_both_have_changed_is_a_conflict_and_ours_stays() {
    let ours = Structure::Edit { cell: CellId(2), at: 8, removed: 1, inserted: "5".to_owned() };
    let disk = THREE.replace("let a = 1", "let a = 7").replace("let b = 2", "let b = 8");
    let expected = THREE.replace("let a = 1", "let a = 5").replace("let b = 2", "let b = 8");
    assert_eq!(merged(&disk, std::slice::from_ref(&ours)), (expected, vec![2]));
    // The same change is none.
    let same = THREE.replace("let a = 1", "let a = 5");
    assert_eq!(merged(&same, &[ours]), (same.clone(), vec![]));
    // One is deleted here and changed there, the other the other way round.
    let ours = [
        Structure::DeleteCell(CellId(3)),
        Structure::Edit { cell: CellId(4), at: 8, removed: 1, inserted: "4".to_owned() },
    ];
    let disk = THREE.replace("let b = 2", "let b = 8").replace("\n```rust\nlet c = 3;\n```\n", "");
    let expected = THREE.replace("```rust\nlet b = 2;\n```\n\n", "").replace("let c = 3", "let c = 4");
    assert_eq!(merged(&disk, &ours), (expected, vec![3, 4]));
}
