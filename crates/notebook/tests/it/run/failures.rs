//! Cells that fail: the message names the cell and the line, the others run, and the exit code is 1.

use expect_test::expect;

use super::{Notebook, check};

#[test]
fn what_does_not_compile_is_drawn_on_its_cell() {
    check(
        &[
            "let a = 1;\nlet b = ;",
            "let x: u8 = \"no\";",
            "let v = vec![1];\nlet w = v;\nv.len()",
            "nothing_such + 1",
            "\"the others run\"",
        ],
        expect![[r#"
            1 error
              error | error: expected expression, found `;`
              error |  --> cell 1:2:9 (n.livemd:7)
              error |   |
              error | 2 | let b = ;
              error |   |         ^ expected expression
            2 error
              error | error[E0308]: mismatched types
              error |  --> cell 2:1:13 (n.livemd:11)
              error |   |
              error | 1 | let x: u8 = "no";
              error |   |        --   ^^^^ expected `u8`, found `&str`
              error |   |        |
              error |   |        expected due to this
            3 error
              error | error[E0382]: borrow of moved value: `v`
              error |  --> cell 3:3:1 (n.livemd:17)
              error |   |
              error | 1 | let v = vec![1];
              error |   |     - move occurs because `v` has type `Vec<i32>`, which does not implement the `Copy` trait
              error | 2 | let w = v;
              error |   |         - value moved here
              error | 3 | v.len()
              error |   | ^ value borrowed here after move
            4 error
              error | error[E0425]: cannot find value `nothing_such` in this scope
              error |  --> cell 4:1:1 (n.livemd:21)
              error |   |
              error | 1 | nothing_such + 1
              error |   | ^^^^^^^^^^^^ not found in this scope
            5 ok
              value | "the others run"
            1 ok, 4 failed, 0 skipped: 1
        "#]],
    );
}

#[test]
fn a_failing_cell_takes_those_that_use_its_names_along_and_nobody_else() {
    check(
        &[
            "let good = 1;",
            "let bad = good + 1;\n\npanic!(\"boom {bad}\")",
            "let worse = bad + 1;",
            "worse + 1",
            "good + 10",
        ],
        expect![[r#"
            1 ok
            2 error
              error | error: the cell panicked: boom 2
              error |  --> cell 2:3:1 (n.livemd:12)
              error |   |
              error | 3 | panic!("boom {bad}")
              error |   | ^^^^^^^^^^^^^^^^^^^^ here
            3 skipped
              error | not run: it uses `bad`, and cell 2, which defines it, has not succeeded
            4 skipped
              error | not run: it uses `worse`, and cell 3, which defines it, has not succeeded
            5 ok
              value | 11
            2 ok, 1 failed, 2 skipped: 1
        "#]],
    );
}

#[test]
fn a_name_that_a_cell_below_defines_is_refused_with_that_cell_named() {
    check(
        &["later + 1", "let later = 1;", "fn early() -> Dusk { Dusk }", "struct Dusk;"],
        expect![[r#"
            1 error
              error | error[E0425]: cannot find value `later` in this scope
              error |  --> cell 1:1:1 (n.livemd:6)
              error |   |
              error | 1 | later + 1
              error |   | ^^^^^ not found in this scope
              error |   |
              error |   = help: cell 2 defines `later`, but it stands below: move it up, or this one down
            2 ok
            3 error
              error | error[E0425]: cannot find type `Dusk` in this scope
              error |  --> cell 3:1:15 (n.livemd:14)
              error |   |
              error | 1 | fn early() -> Dusk { Dusk }
              error |   |               ^^^^ not found in this scope
              error |   |
              error |   = help: cell 4 defines `Dusk`, but it stands below: move it up, or this one down
              error |
              error | error[E0425]: cannot find value `Dusk` in this scope
              error |  --> cell 3:1:22 (n.livemd:14)
              error |   |
              error | 1 | fn early() -> Dusk { Dusk }
              error |   |                      ^^^^ not found in this scope
              error |   |
              error |   = help: cell 4 defines `Dusk`, but it stands below: move it up, or this one down
            4 ok
            2 ok, 2 failed, 0 skipped: 1
        "#]],
    );
}

#[test]
fn a_panic_and_an_error_are_shown_where_they_left_the_cell() {
    check(
        &[
            "fn deep(n: u32) -> u32 {\n    if n == 0 { [1, 2][n as usize + 2] } else { deep(n - 1) }\n}\n\ndeep(3)",
            "let text = \"x\";\n\nlet number = text.parse::<u8>()?;",
            "deep(1)",
            "let number: Option<u8> = None;\nnumber.expect(\"a number\")",
        ],
        expect![[r#"
            1 error
              error | error: the cell panicked: index out of bounds: the len is 2 but the index is 2
              error |  --> cell 1:2:17 (n.livemd:7)
              error |   |
              error | 2 |     if n == 0 { [1, 2][n as usize + 2] } else { deep(n - 1) }
              error |   |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ here
            2 error
              error | error: the cell returned an error: invalid digit found in string
              error |  --> cell 2:3:14 (n.livemd:16)
              error |   |
              error | 3 | let number = text.parse::<u8>()?;
              error |   |              ^^^^^^^^^^^^^^^^^^^^ here
              error |   |
              error |   = help: the `?` returned it; match on the result to handle it in the cell
            3 skipped
              error | not run: it uses `deep`, and cell 1, which defines it, has not succeeded
            4 error
              error | error: the cell panicked: a number
              error |  --> cell 4:2:8 (n.livemd:25)
              error |   |
              error | 2 | number.expect("a number")
              error |   |        ^^^^^^^^^^^^^^^^^^ here
            0 ok, 3 failed, 1 skipped: 1
        "#]],
    );
}

#[test]
fn a_panic_in_a_process_is_shown_and_the_cell_goes_on() {
    let ran = Notebook::of(&["let (_, child) = spawn_monitor(async {\n    panic!(\"in the child\")\n});\n\
         receive::<Down>().await;\n\"on it goes\""])
    .run();
    assert_eq!(ran.code, Some(0));
    let cell = ran.cell(1);
    let text = cell["outputs"][0]["text"].as_str().expect("it is text");
    assert!(text.starts_with("error: process <0.") && text.contains("> of cell 1 panicked: in the child"), "{text}");
    assert!(text.contains("--> cell 1:2:5 (n.livemd:7)"), "{text}");
    assert_eq!(cell["outputs"][1]["text"], "\"on it goes\"");
}

#[test]
fn a_panic_in_a_process_of_an_earlier_cell_is_no_secret() {
    let ran = Notebook::of(&[
        "let child = spawn(async {\n    receive::<()>().await;\n    panic!(\"late\")\n});",
        "let watch = monitor(child);\nsend(child, ());\nreceive::<Down>().await.reference == watch",
        // The news travels beside the answers of these.
        "1",
        "2",
    ])
    .run();
    assert_eq!(ran.code, Some(0));
    assert_eq!(ran.cell(2)["outputs"][0]["text"], "true");
    assert!(ran.stderr.contains("> of cell 1 panicked: late\n --> cell 1:3:5 (n.livemd:8)"), "{}", ran.stderr);
}

#[test]
fn a_cell_that_is_ended_by_what_it_is_linked_to_says_so() {
    check(
        &["spawn_link(async { exit_self(\"enough\") });\nreceive::<()>().await", "1"],
        expect![[r#"
            1 error
              error | error: the cell's process was ended: enough
              error |  --> cell 1 (n.livemd:6)
              error |  = help: a process that it is linked to may have crashed; `trap_exit(true)` turns that into a message
            2 ok
              value | 1
            1 ok, 1 failed, 0 skipped: 1
        "#]],
    );
}

#[test]
fn a_closure_that_is_used_in_a_later_cell_gets_a_reason_and_a_cure() {
    check(
        &["let f = |x: i32| x + 1;\nf(1)", "f(2)"],
        expect![[r#"
            1 ok
              value | 2
            2 error
              error | error: `f` cannot leave cell 1: the type of a closure has no name: write a `fn`, put it into an `Arc<dyn Fn(…) + Send + Sync>`, or keep it inside a process
              error |  --> cell 2:1:1 (n.livemd:11)
              error |   |
              error | 1 | f(2)
              error |   | ^ used here
            1 ok, 1 failed, 0 skipped: 1
        "#]],
    );
}

#[test]
fn cells_in_other_languages_are_refused_and_the_others_run() {
    let ran =
        Notebook::new("# N\n\n## S\n\n```elixir\nIO.puts(\"hi\")\n```\n\n```rust\n1\n```\n\n```erlang\nok.\n```\n")
            .run();
    expect![[r#"
        1 error
          error | error: this cell is elixir: only Rust cells run here
          error |  --> cell 1 (n.livemd:6)
          error |  = help: the file keeps it as it is
        2 ok
          value | 1
        3 error
          error | error: this cell is erlang: only Rust cells run here
          error |  --> cell 3 (n.livemd:14)
          error |  = help: the file keeps it as it is
        1 ok, 2 failed, 0 skipped: 1
    "#]]
    .assert_eq(&ran.story());
}
