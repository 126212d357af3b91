//! Files that are no notebooks: exit code 2, and what to do.

use expect_test::{Expect, expect};

use super::{Notebook, finish, greenroom, start};

fn check(arguments: &[&str], expected: Expect) {
    let notebook = Notebook::new("# Words\n\nonly\n");
    std::fs::write(notebook.path().join("noise.bin"), b"ok\xff\xfe").expect("it can be written");
    let ran = finish(start(greenroom().current_dir(notebook.path()).args(arguments)));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    expected.assert_eq(&ran.stderr);
}

#[test]
fn a_file_that_is_no_notebook_is_refused_before_anything_runs() {
    check(
        &["run", "n.livemd"],
        expect![[r#"
        error: n.livemd: there is no code cell in it
        help: code stands between a line ```rust and a line ```, not indented
    "#]],
    );
    check(
        &["run", "m.livemd"],
        expect![[r#"
        error: m.livemd: there is no such file
        help: check the path; a notebook is a .livemd file
    "#]],
    );
    check(
        &["run", "."],
        expect![[r#"
        error: .: this is a folder, not a notebook
        help: did you mean ./n.livemd?
    "#]],
    );
    check(
        &["run", "noise.bin", "--json"],
        expect![[r#"
        error: noise.bin: not UTF-8 text: byte 2 belongs to no character
        help: save it as UTF-8, or name another file: this one may be no notebook
    "#]],
    );
    check(
        &["run"],
        expect![[r#"
        error: the following required arguments were not provided:
          <FILE>

        Usage: greenroom run <FILE>

        For more information, try '--help'.
    "#]],
    );
}
