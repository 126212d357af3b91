//! `greenroom check`: the same errors and warnings as in a run, and nothing runs.

use expect_test::expect;

use super::Notebook;

#[test]
fn every_cell_is_compiled_and_none_runs() {
    let notebook = Notebook::of(&[
        "std::fs::write(\"ran\", \"\")?;\nlet good = 1;",
        "let bad: u8 = \"no\";",
        "bad + 1",
        "async fn work() {}\nwork();\ngood + 1",
        "later + 1",
        "let later = good;",
    ]);
    let ran = notebook.does(&["check", "n.livemd", "--json"]);
    expect![[r#"
        1 ok
        2 error
          error | error[E0308]: mismatched types
          error |  --> cell 2:1:15 (n.livemd:11)
          error |   |
          error | 1 | let bad: u8 = "no";
          error |   |          --   ^^^^ expected `u8`, found `&str`
          error |   |          |
          error |   |          expected due to this
        3 skipped
          error | not run: it uses `bad`, and cell 2, which defines it, has not succeeded
        4 ok
          warning | warning[unused_must_use]: unused implementer of `Future` that must be used
          warning |  --> cell 4:2:1 (n.livemd:20)
          warning |   |
          warning | 2 | work();
          warning |   | ^^^^^^
          warning |   |
          warning |   = note: futures do nothing unless you `.await` or poll them
        5 error
          error | error[E0425]: cannot find value `later` in this scope
          error |  --> cell 5:1:1 (n.livemd:25)
          error |   |
          error | 1 | later + 1
          error |   | ^^^^^ not found in this scope
          error |   |
          error |   = help: cell 6 defines `later`, but it stands below: move it up, or this one down
        6 ok
        3 ok, 2 failed, 1 skipped: 1
    "#]]
    .assert_eq(&ran.story());
    assert!(!notebook.path().join("ran").exists());
    assert_eq!(Notebook::of(&["panic!(\"it would\")"]).does(&["check", "n.livemd"]).code, Some(0));
    assert_eq!(notebook.does(&["check", "m.livemd"]).code, Some(2));
}

#[test]
fn the_warnings_of_a_cell_that_runs_are_shown() {
    let ran = Notebook::of(&["std::fs::remove_file(\"nothing\");\n\"ran\""]).run();
    let kinds: Vec<_> =
        ran.cell(1)["outputs"].as_array().into_iter().flatten().map(|output| output["kind"].clone()).collect();
    assert_eq!(kinds, ["warning", "value"]);
    assert_eq!(ran.code, Some(0));
}

#[test]
fn a_word_that_is_no_command_or_option_gets_the_nearest_one() {
    let notebook = Notebook::of(&["1"]);
    for (words, offered) in [
        (&["chek", "n.livemd"][..], "'check'"),
        (&["run", "n.livemd", "--jsn"], "'--json'"),
        (&["export", "n.livemd", "--to", "htm"], "'html'"),
        (&["cache", "claer"], "'clear'"),
    ] {
        let ran = notebook.does(words);
        assert_eq!(ran.code, Some(2));
        assert!(ran.stderr.contains(offered), "{}", ran.stderr);
    }
}
