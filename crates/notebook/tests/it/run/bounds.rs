//! Cells without bounds: what they show is cut where nobody would read on, and visibly so; what they use up ends the
//! runtime and nothing else.

use expect_test::expect;

use super::{Notebook, finish, start};

const MOST: usize = 60_000_000;

#[test]
fn a_gigabyte_in_one_string_is_cut_and_counted() {
    let notebook = Notebook::of(&[
        "let long = \"x\".repeat(1 << 30);\nprint!(\"{long}\");\nlong.len()",
        "\"y\".repeat(1 << 27)",
        "for _ in 0..40 {\n    println!(\"{}\", \"z\".repeat(1 << 21));\n}",
        "\"still there\"",
    ]);
    let ran = notebook.run();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let texts = |index| -> Vec<String> {
        let cell = ran.cell(index);
        let outputs = cell["outputs"].as_array().into_iter().flatten();
        outputs.map(|output| output["text"].as_str().expect("it is text").to_owned()).collect()
    };
    for (index, letter, most) in [(1, 'x', MOST), (2, 'y', MOST), (3, 'z', 64 << 20)] {
        let text = texts(index).concat();
        let shown = text.chars().filter(|&char| char == letter).count();
        assert!((most - 100..=most).contains(&shown), "cell {index} shows {shown}");
        let rest = text.replace(letter, "");
        assert!(rest.contains("… ") && rest.contains(" cut"), "cell {index} says {rest}");
    }
    assert_eq!(texts(4), ["\"still there\""]);
}

#[test]
fn processes_without_end_end_their_runtime_and_the_others_run() {
    let notebook = Notebook::of(&[
        "let keep = 1;",
        "fn bomb() {\n    loop {\n        spawn(async {\n            spawn(async { receive::<()>().await });\n            receive::<()>().await\n        });\n    }\n}\nbomb();",
        "let mut all = Vec::new();\nloop {\n    all.push(vec![1_u8; 1 << 20]);\n}",
        "keep",
    ]);
    let ran = finish(start(notebook.command(&["--json"]).env("GREENROOM_MEMORY", "500")));
    // On a busy machine the watchdog may say so first.
    let is_said = |line: &&str| !line.contains("without letting others run");
    let story: String = ran.story().lines().filter(is_said).map(|line| format!("{line}\n")).collect();
    expect![[r#"
        1 ok
        2 error
          error | error: the runtime died while this cell ran: its cells used up the memory (GREENROOM_MEMORY sets the limit, in megabytes): is there a value, or a number of processes, without bounds?
          error |  --> cell 2 (n.livemd:10)
          error |  = help: cells that do not use its names still run, in a new runtime
        3 error
          error | error: the runtime died while this cell ran: its cells used up the memory (GREENROOM_MEMORY sets the limit, in megabytes): is there a value, or a number of processes, without bounds?
          error |  --> cell 3 (n.livemd:22)
          error |  = help: cells that do not use its names still run, in a new runtime
        4 ok
          value | 1
        2 ok, 2 failed, 0 skipped: 1
    "#]].assert_eq(&story);
}
