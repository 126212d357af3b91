//! `greenroom cache`: what is in it, clearing it, and its limit, beside runs that use it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Notebook, Ran, finish, greenroom, poll, prelude, start, wait_for};

/// A cache of its own with the prelude that all tests share.
fn cache() -> tempfile::TempDir {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder can be made");
    // Without its lock, which the tests themselves hold.
    let preludes = folder.path().join("preludes");
    std::fs::create_dir(&preludes).expect("it can be made");
    let copied = Command::new("cp").arg("-rlP").arg(&prelude().folder).arg(&preludes).status();
    assert!(copied.is_ok_and(|status| status.success()));
    folder
}

fn with(cache: &Path, arguments: &[&str]) -> Ran {
    finish(start(greenroom().env("GREENROOM_CACHE", cache).args(arguments)))
}

fn run(cache: &Path, notebook: &Notebook) -> Ran {
    finish(start(notebook.command(&["--json"]).env("GREENROOM_CACHE", cache)))
}

fn cells(cache: &Path) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(cache.join("cells")).into_iter().flatten().flatten();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().flatten());
    files.map(|file| file.path()).filter(|file| file.extension().is_some_and(|end| end == "json")).collect()
}

#[test]
fn the_cache_says_what_is_in_it_and_can_be_cleared() {
    let cache = cache();
    assert_eq!(run(cache.path(), &Notebook::of(&["1", "2"])).code, Some(0));
    let shown = with(cache.path(), &["cache"]);
    for words in ["  prelude ", "no dependencies, used just now", "    2 cells on it ", "  total ", " of 10.0 GB"] {
        assert!(shown.stdout.contains(words), "{}", shown.stdout);
    }
    let cleared = with(cache.path(), &["cache", "clear"]);
    assert!(cleared.stdout.ends_with(" were freed\n"), "{}", cleared.stdout);
    assert!(!cleared.stdout.contains("in use"), "{}", cleared.stdout);
    assert_eq!(cells(cache.path()).len(), 0);
    let refused = with(cache.path(), &["cache", "limit", "much"]);
    assert_eq!((refused.code, refused.stderr.starts_with("error: `much` is no size")), (Some(2), true));
}

#[test]
fn what_was_not_used_for_longest_goes_when_the_cache_is_too_large() {
    let cache = cache();
    let (old, new) = (Notebook::of(&["let old = 1;"]), Notebook::of(&["let new = 2;"]));
    run(cache.path(), &old);
    run(cache.path(), &new);
    let total = size(cache.path());
    // It was used again, so the other one is older.
    assert_eq!(run(cache.path(), &old).cell(1)["cached"], true);
    let limited = with(cache.path(), &["cache", "limit", &format!("{}", total - 1000)]);
    assert!(limited.stdout.contains(" were freed"), "{}", limited.stdout);
    assert_eq!(cells(cache.path()).len(), 1);
    assert_eq!(run(cache.path(), &old).cell(1)["cached"], true);
    // There is no room for both any more: a run makes room itself.
    assert_eq!(run(cache.path(), &new).cell(1)["cached"], false);
    assert_eq!(cells(cache.path()).len(), 1);
    assert_eq!(run(cache.path(), &new).cell(1)["cached"], true);
}

fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(known) if known.is_dir() => size(&entry.path()),
            Ok(known) if entry.path().extension().is_none_or(|end| end != "lock") => known.len(),
            _ => 0,
        })
        .sum()
}

#[test]
fn what_a_run_uses_stays_whoever_clears() {
    let cache = cache();
    let notebook = Notebook::of(&[
        "let a = 1;\nstd::fs::write(\"running\", \"yes\\n\")?;\nwhile !std::path::Path::new(\"go\").exists() {\n    sleep(Duration::from_millis(5)).await;\n}",
        "struct P(i32);\nP(a).0 + 1",
    ]);
    let child = start(notebook.command(&["--json"]).env("GREENROOM_CACHE", cache.path()));
    wait_for(&notebook.path().join("running"));
    let cleared = with(cache.path(), &["cache", "clear"]);
    assert!(cleared.stdout.contains(" stay, as they are in use"), "{}", cleared.stdout);
    std::fs::write(notebook.path().join("go"), "").expect("it can be written");
    let ran = finish(child);
    assert_eq!((ran.code, ran.cell(2)["outputs"][0]["text"].as_str()), (Some(0), Some("2")), "{}", ran.stderr);
    let empty = || with(cache.path(), &["cache", "clear"]).stdout.ends_with(" were freed\n").then_some(());
    assert!(poll(super::PATIENCE, empty).is_some());
}
