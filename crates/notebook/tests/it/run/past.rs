//! Cells that use the values of others.

use std::process::Command;

use expect_test::expect;

use super::{Notebook, check, finish, start};

const CELLS: [&str; 7] = [
    "let list = vec![3, 1, 2];\nlist",
    "it.len()",
    // The same text twice, with two values.
    "static NEXT: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);\n\
     NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1",
    "format!(\"{it}\")",
    "println!(\"{} {:?}\", v(2), v(-1));",
    "let twice = (v(1), v(1));\ntwice.0 == twice.1 && list == v(-5)",
    "let both = it;\n(both, v(4) + \"!\", v(3))",
];

#[test]
fn cells_use_the_values_of_those_above() {
    check(
        &CELLS,
        expect![[r#"
            1 ok
              value | [3, 1, 2]
            2 ok
              value | 3
            3 ok
              value | 1
            4 ok
              value | "1"
            5 ok
              text | 3 "1"
            6 ok
              value | true
            7 ok
              value | (true, "1!", 1)
            7 ok, 0 failed, 0 skipped: 0
        "#]],
    );
}

#[test]
fn a_program_made_of_them_does_the_same() {
    let notebook = Notebook::of(&CELLS);
    let ran = notebook.does(&["export", "n.livemd", "--to", "rs", "-o", "past"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let target = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("exported");
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--quiet", "--offline"]).current_dir(notebook.path().join("past"));
    let ran = finish(start(cargo.env("CARGO_TARGET_DIR", target)));
    let printed = "[3, 1, 2]\n3\n1\n\"1\"\n3 \"1\"\ntrue\n(true, \"1!\", 1)\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), printed), "{}", ran.stderr);
}
