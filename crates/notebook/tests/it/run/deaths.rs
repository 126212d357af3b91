//! Cells that take the whole runtime with them. A new one is started, and what later cells need of the
//! earlier ones is there again.

use expect_test::expect;

use super::{Notebook, check};

#[test]
fn a_dead_runtime_is_explained_and_the_others_run_in_a_new_one() {
    check(
        &[
            "println!(\"said once\");\nlet keep = vec![1, 2, 3];",
            "std::process::abort()",
            "let more = keep.len() + 1;\nmore",
            "unsafe { std::ptr::null_mut::<u8>().write(1) }",
            "keep.len() + more",
            "std::process::exit(3)",
            "let lost = 1;\nstd::process::exit(0)",
            "lost + 1",
            "more",
        ],
        expect![[r#"
            1 ok
              text | said once
            2 error
              error | error: the runtime died while this cell ran: abort (SIGABRT)
              error |  --> cell 2 (n.livemd:11)
              error |  = help: cells that do not use its names still run, in a new runtime
            3 ok
              value | 4
            4 error
              error | error: the runtime died while this cell ran: segmentation fault (SIGSEGV)
              error |  --> cell 4 (n.livemd:20)
              error |  = help: cells that do not use its names still run, in a new runtime
            5 ok
              value | 7
            6 error
              error | error: the runtime died while this cell ran: it ended itself with exit code 3
              error |  --> cell 6 (n.livemd:28)
              error |  = help: cells that do not use its names still run, in a new runtime
            7 error
              error | error: the runtime died while this cell ran: it ended itself with exit code 0
              error |  --> cell 7 (n.livemd:32)
              error |  = help: cells that do not use its names still run, in a new runtime
            8 skipped
              error | not run: it uses `lost`, and cell 7, which defines it, has not succeeded
            9 ok
              value | 4
            4 ok, 4 failed, 1 skipped: 1
        "#]],
    );
}

#[test]
fn a_recursion_without_end_is_called_a_stack_overflow() {
    let ran = Notebook::of(&[
        "let keep = 5;",
        "fn forever(n: u64) -> u64 {\n    if n == u64::MAX { 0 } else { forever(n + 1) + 1 }\n}\nforever(0)",
        "keep",
    ])
    .run();
    let outputs = ran.cell(2)["outputs"].as_array().cloned().expect("they are a list");
    let said = outputs.last().and_then(|output| output["text"].as_str()).expect("there is an error");
    expect![[r#"
        error: the runtime died while this cell ran: stack overflow: is there a recursion without end?
         --> cell 2 (n.livemd:10)
         = help: cells that do not use its names still run, in a new runtime
    "#]]
    .assert_eq(&format!("{said}\n"));
    assert!(ran.cell(2)["run_ms"].as_f64().is_some_and(|ms| ms > 0.0));
    assert_eq!(ran.cell(3)["outputs"][0]["text"], "5");
}

#[test]
fn what_was_written_past_all_cells_before_the_end_is_not_lost() {
    check(
        &["use std::io::Write as _;\nstd::io::stderr().write_all(b\"last words\").unwrap();\nstd::process::abort()"],
        expect![[r#"
            1 error
              text | last words
              error | error: the runtime died while this cell ran: abort (SIGABRT)
              error |  --> cell 1 (n.livemd:6)
              error |  = help: cells that do not use its names still run, in a new runtime
            0 ok, 1 failed, 0 skipped: 1
        "#]],
    );
}

#[test]
fn a_cell_that_fails_when_it_is_evaluated_again_fails_who_needs_it() {
    let notebook = Notebook::of(&[
        "let first = std::fs::rename(\"there\", \"gone\").is_ok();\nassert!(first, \"only once\");",
        "std::process::abort()",
        "first",
        "\"the others run\"",
    ]);
    std::fs::write(notebook.path().join("there"), "").expect("it can be written");
    expect![[r#"
        1 ok
        2 error
          error | error: the runtime died while this cell ran: abort (SIGABRT)
          error |  --> cell 2 (n.livemd:11)
          error |  = help: cells that do not use its names still run, in a new runtime
        3 error
          error | error: cell 1 had to be evaluated again in a new runtime, and failed there
          error |  --> cell 3 (n.livemd:15)
          error |
          error | error: the cell panicked: only once
          error |  --> cell 1:2:1 (n.livemd:7)
          error |   |
          error | 2 | assert!(first, "only once");
          error |   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ here
        4 ok
          value | "the others run"
        2 ok, 2 failed, 0 skipped: 1
    "#]]
    .assert_eq(&notebook.run().story());
}

#[test]
fn what_a_cell_printed_the_instant_before_the_end_is_not_lost() {
    for end in [
        "std::process::abort()",
        "unsafe { std::ptr::null_mut::<u8>().write(1) }",
        "std::process::exit(3)",
        "let pid = std::process::id();\nstd::process::Command::new(\"kill\").args([\"-9\", &pid.to_string()]).status().unwrap();",
    ] {
        let thousand = format!("for n in 1..=1000 {{ println!(\"line {{n}}\"); }}\nprint!(\"no end\");\n{end}");
        let spawned =
            format!("spawn(async {{\n    println!(\"by another\");\n    {end};\n}});\nreceive::<()>().await;");
        let ran = Notebook::of(&[&format!("println!(\"once\");\n{end}"), &thousand, &spawned]).run();
        let text = |cell: u64| ran.cell(cell)["outputs"][0]["text"].as_str().unwrap_or_default().to_owned();
        assert_eq!(text(1), "once\n", "{end}");
        let lines: String = (1..=1000).map(|n| format!("line {n}\n")).collect();
        assert_eq!(text(2), lines + "no end", "{end}");
        assert_eq!(text(3), "by another\n", "{end}");
        for cell in 1..=3 {
            let outputs = ran.cell(cell)["outputs"].as_array().map_or(0, Vec::len);
            assert_eq!(outputs, 2, "the text and the error, {end}: {}", ran.cell(cell));
        }
    }
}

#[test]
fn what_a_cell_showed_beside_text_is_not_lost_either() {
    check(
        &["emit(Output::Value { text: \"7\".to_owned(), type_name: \"u8\".to_owned() });\nstd::process::abort()"],
        expect![[r#"
            1 error
              value | 7
              error | error: the runtime died while this cell ran: abort (SIGABRT)
              error |  --> cell 1 (n.livemd:6)
              error |  = help: cells that do not use its names still run, in a new runtime
            0 ok, 1 failed, 0 skipped: 1
        "#]],
    );
}
