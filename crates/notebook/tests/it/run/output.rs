//! What cells print: a lot of it, past the macros, and what is no text.

use expect_test::expect;

use super::{Notebook, check, finish, start};

#[test]
fn a_million_lines_and_fifty_megabytes_arrive_whole() {
    let notebook = Notebook::of(&[
        "for n in 0..1_000_000 {\n    println!(\"{n}\");\n}",
        "print!(\"{}\", \"x\".repeat(50_000_000));\nprint!(\"end\");",
        "use std::io::Write as _;\nstd::io::stdout().write_all(\"é\".repeat(2_000_000).as_bytes())?;",
        "\"still there\"",
    ]);
    let ran = notebook.run();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let text = |index| ran.cell(index)["outputs"][0]["text"].as_str().expect("it is text").to_owned();
    // On a busy machine the watchdog may say in between that it takes long.
    let own = text(1);
    let lines = own.lines().filter(|line| !line.contains("without letting others run"));
    assert!(lines.map(str::parse).eq((0..1_000_000).map(Ok::<u32, _>)));
    assert!(text(2).len() == 50_000_003 && text(2).ends_with("xend"));
    assert!(text(3).len() == 4_000_000 && text(3).chars().all(|char| char == 'é'));
    assert_eq!(text(4), "\"still there\"");
}

#[test]
fn a_million_lines_are_shown_to_a_person_too() {
    let notebook = Notebook::of(&[
        "for n in 0..1_000_000 {\n    println!(\"{n}\");\n}",
        "print!(\"{}\", \"x\".repeat(9_000_000));",
    ]);
    let ran = finish(start(&mut notebook.command(&[])));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("\n    999998\n    999999\n    ✓"));
    assert!(ran.stdout.lines().any(|line| line.len() == 9_000_004));
}

#[test]
fn what_is_written_past_the_macros_appears_below_the_cell_as_text() {
    check(
        &[
            "std::println!(\"standard\");",
            "std::eprintln!(\"error\");",
            "use std::io::Write as _;\nstd::io::stdout().write_all(b\"\\xff\\xfe no text\\n\")?;",
            "std::io::stdout().write_all(b\"no end\")?;",
            "2",
        ],
        expect![[r#"
            1 ok
              text | standard
            2 ok
              text | error
            3 ok
              text | �� no text
            4 ok
              text | no end
            5 ok
              value | 2
            5 ok, 0 failed, 0 skipped: 0
        "#]],
    );
}

#[test]
fn what_a_process_prints_appears_below_its_cell() {
    check(
        &[
            "let me = self_pid();\nlet child = spawn(async move {\n    println!(\"from the child\");\n    send(me, ());\n    \
             receive::<()>().await;\n    println!(\"later\");\n});\nreceive::<()>().await;",
            "println!(\"from the cell\");",
        ],
        expect![[r#"
            1 ok
              text | from the child
            2 ok
              text | from the cell
            2 ok, 0 failed, 0 skipped: 0
        "#]],
    );
}

#[test]
fn a_long_value_is_cut_for_a_person_and_whole_for_a_program() {
    let notebook = Notebook::of(&["vec![7_u8; 1000]"]);
    let ran = finish(start(&mut notebook.command(&[])));
    let shown: Vec<_> = ran.stdout.lines().filter(|line| line.trim() == "7,").collect();
    assert_eq!(shown.len(), 39);
    assert!(ran.stdout.contains("\n      … 962 more; --json shows them all\n"), "{}", ran.stdout);
    let whole = notebook.run().cell(1)["outputs"][0]["text"].as_str().map(|text| text.lines().count());
    assert_eq!(whole, Some(1002));
}
