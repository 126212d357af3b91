//! `greenroom test`: what cells show beside what is expected.

use expect_test::expect;

use super::Notebook;

const EXPECTED: &str = "<!-- livebook:{\"expected\":true,\"output\":true} -->";
const SAVED: &str = "<!-- livebook:{\"output\":true} -->";

fn notebook() -> Notebook {
    Notebook::new(format!(
        "# N\n\n## S\n\n```rust\nprintln!(\"one\");\n1 + 1\n```\n\n{SAVED}\n\n```\nanything\n```\n\n{EXPECTED}\n\n```\n2\n```\n\n\
         ```rust\nprintln!(\"a\\nb\\nc\");\n```\n\n{EXPECTED}\n\n```\na\nx\nc\n```\n\n\
         ```rust\n3\n```\n\n{SAVED}\n\n```\nanything\n```\n"
    ))
}

#[test]
fn what_differs_from_what_is_expected_is_a_failure_with_a_diff() {
    let ran = notebook().does(&["test", "n.livemd", "--json"]);
    expect![[r#"
        1 ok
          text | one
          value | 2
        2 error
          text | a
          text | b
          text | c
          error | error: the cell does not show what is expected
          error | --- wanted
          error | +++ got
          error | @@ -1,3 +1,3 @@
          error |  a
          error | -x
          error | +b
          error |  c
        3 ok
          value | 3
        2 ok, 1 failed, 0 skipped: 1
    "#]]
    .assert_eq(&ran.story());
    let run = notebook().run();
    assert_eq!(run.code, Some(0), "a run expects nothing");
}

#[test]
fn what_is_shown_can_be_accepted() {
    let notebook = notebook();
    let before = notebook.text();
    assert_eq!(notebook.does(&["test", "n.livemd", "--accept"]).code, Some(0));
    assert_eq!(notebook.text(), before.replace("\nx\n", "\nb\n"));
    assert_eq!(notebook.does(&["test", "n.livemd"]).code, Some(0));
}

#[test]
fn a_cell_that_fails_is_not_saved_by_what_it_was_expected_to_show() {
    let text = format!("# N\n\n## S\n\n```rust\npanic!(\"x\")\n```\n\n{EXPECTED}\n\n```\n```\n");
    let notebook = Notebook::new(&text);
    assert_eq!(notebook.does(&["test", "n.livemd", "--accept"]).code, Some(1));
    assert_eq!(notebook.text(), text);
}

#[test]
fn an_example_that_fails_fails_the_test() {
    let notebook = Notebook::of(&["/// ```\n/// assert_eq!(one(), 2);\n/// ```\nfn one() -> u8 {\n    1\n}"]);
    assert_eq!(notebook.run().code, Some(0));
    assert_eq!(notebook.does(&["test", "n.livemd"]).code, Some(1));
}
