//! Runs in which every cell succeeds, and the form of what programs read.

use expect_test::expect;

use super::{Notebook, check};

#[test]
fn the_lines_of_json_have_the_form_that_was_promised() {
    let notebook = Notebook::of(&[
        "println!(\"text\");\n\"value\"",
        "struct Ping;\nlet me = self_pid();\nrender_seq_trace(async move {\n    spawn(async move { send(me, 7_u8) });\n    \
         receive::<u8>().await\n})\n.await",
        "let supervisor = Supervisor::new(Strategy::OneForOne).start_link().await?;\n\
         render_sup_tree(supervisor).await?;",
    ]);
    let ran = notebook.run();
    assert_eq!(ran.code, Some(0), "{} {}", ran.stdout, ran.stderr);
    // The order of the keys is part of the form.
    let keys = |line: &str, keys: &[&str]| {
        let places: Vec<_> = keys.iter().map(|key| line.find(&format!("\"{key}\":"))).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{line}");
        let object: serde_json::Map<_, _> = serde_json::from_str(line).expect("it is an object");
        assert_eq!(object.len(), keys.len(), "{line}");
    };
    let lines: Vec<_> = ran.stdout.lines().collect();
    let (done, cells) = lines.split_last().expect("there are lines");
    assert_eq!(cells.len(), 3);
    for cell in cells {
        keys(cell, &["event", "index", "section", "status", "compile_ms", "run_ms", "cached", "outputs"]);
    }
    assert_eq!(*done, r#"{"event":"done","ok":3,"failed":0,"skipped":0}"#);
    let first = ran.cell(1);
    assert_eq!((&first["event"], &first["section"], &first["status"]), (&"cell".into(), &"S".into(), &"ok".into()));
    assert!(first["run_ms"].is_number() && first["compile_ms"].is_number() && first["cached"].is_boolean());
    assert!(lines[0].ends_with(r#""outputs":[{"kind":"text","text":"text\n"},{"kind":"value","text":"\"value\""}]}"#));
    let kinds = |index| -> Vec<String> {
        let cell = ran.cell(index);
        cell["outputs"].as_array().into_iter().flatten().map(|output| output["kind"].to_string()).collect()
    };
    assert_eq!(kinds(2), ["\"sequence\"", "\"value\""]);
    assert_eq!(kinds(3), ["\"tree\""]);
    let mermaid = |index| ran.cell(index)["outputs"][0]["mermaid"].as_str().map(str::to_owned).unwrap_or_default();
    assert!(mermaid(2).starts_with("sequenceDiagram"), "{}", mermaid(2));
    assert!(mermaid(3).starts_with("graph"), "{}", mermaid(3));
}

#[test]
fn a_branch_sees_its_parent_and_not_what_the_main_flow_adds_later() {
    let ran = Notebook::new(
        "# N\n\n## A\n\n```rust\nlet a = 1;\n```\n\n## B\n\n```rust\nlet b = a + 1;\n```\n\n\
         <!-- livebook:{\"branch_parent_index\":0} -->\n\n## Branch of A\n\n```rust\nlet c = a + 10;\nc\n```\n\n\
         ```rust\nc + b\n```\n\n## C\n\n```rust\na + b\n```\n\n```rust\nc\n```\n",
    )
    .run();
    expect![[r#"
        1 ok
        2 ok
        3 ok
          value | 11
        4 error
          error | error[E0425]: cannot find value `b` in this scope
          error |  --> cell 4:1:5 (n.livemd:25)
          error |   |
          error | 1 | c + b
          error |   |     ^
          error |   |
          error | help: a local variable with a similar name exists
          error |   |
          error | 1 - c + b
          error | 1 + c + c
          error |   |
        5 ok
          value | 3
        6 error
          error | error[E0425]: cannot find value `c` in this scope
          error |  --> cell 6:1:1 (n.livemd:35)
          error |   |
          error | 1 | c
          error |   | ^ not found in this scope
        4 ok, 2 failed, 0 skipped: 1
    "#]]
    .assert_eq(&ran.story());
}

#[test]
fn what_a_cell_starts_lives_on_when_its_code_is_through() {
    check(
        &[
            "let adder = spawn(async {\n    loop {\n        let (to, n) = receive::<(Pid, u32)>().await;\n        \
             send(to, n + 1);\n    }\n});",
            "send(adder, (self_pid(), 1_u32));\nreceive::<u32>().await",
            "send(adder, (self_pid(), 2_u32));\nreceive::<u32>().await",
        ],
        expect![[r#"
            1 ok
            2 ok
              value | 2
            3 ok
              value | 3
            3 ok, 0 failed, 0 skipped: 0
        "#]],
    );
}
