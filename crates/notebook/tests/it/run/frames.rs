//! Frames in a run: the report has what they show when their cell is done, and every state that is told is a line.

use serde_json::Value;

use super::{Notebook, Ran, finish, start};

/// What the frame of a line shows.
fn shown(line: &Value) -> (String, bool) {
    let frame = &line["output"]["frame"];
    (line["output"]["text"].as_str().expect("it is text").to_owned(), frame["live"] == true)
}

fn states(ran: &Ran) -> Vec<(String, bool)> {
    ran.lines().iter().filter(|line| line["event"] == "frame").map(shown).collect()
}

#[test]
fn the_report_has_what_a_frame_shows_when_the_cell_is_done_where_it_was_made() {
    let notebook = Notebook::of(&[
        "let frame = Frame::new();\nprintln!(\"after it\");\nfor n in 0..100_000 {\n    frame.render(n);\n}",
        "frame.append(\"more\");\nframe.append(7);",
        "frame.clear();\nframe.render(\"other\");\nframe.freeze();",
    ]);
    let ran = notebook.run();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let first = ran.cell(1);
    let outputs: Vec<_> = first["outputs"].as_array().expect("a list").iter().map(|output| &output["text"]).collect();
    assert_eq!(outputs, ["99999\n", "after it\n"]);
    assert_eq!(first["outputs"][0]["kind"], "frame");
    assert_eq!(first["outputs"][0]["frame"]["outputs"][0]["kind"], "text");
    assert_eq!(ran.cell(2)["outputs"].as_array().map(Vec::len), Some(0), "it stands below its own cell");
    // A hundred thousand states were rendered, and a person can follow what is told.
    let states = states(&ran);
    assert!(states.len() < 1_000, "{}", states.len());
    assert_eq!(states[0], (String::new(), true));
    assert!(states.contains(&("99999\n".to_owned(), true)));
}

#[test]
fn a_frame_freezes_with_its_process_and_with_its_cell() {
    let notebook = Notebook::of(&[
        "let frame = Frame::new();\nframe.render(\"seen\");\nlet watch = monitor(frame.pid());\nframe.freeze();\n\
         receive::<Down>().await;\nframe.render(\"not seen\");",
        "let frame = Frame::new();\nframe.render(\"killed\");\nlet watch = monitor(frame.pid());\nsleep(Duration::from_millis(100)).await;\n\
         exit(frame.pid(), ExitReason::Kill);\nreceive::<Down>().await;",
        "let frame = Frame::new();\nframe.render(\"as it was\");\npanic!(\"no\");",
    ]);
    let ran = notebook.run();
    let frame = |cell| {
        let cell = ran.cell(cell);
        let output = &cell["outputs"][0];
        (output["text"].as_str().expect("it is text").to_owned(), output["frame"]["live"] == true)
    };
    assert_eq!(frame(1), ("seen\n".to_owned(), false));
    assert_eq!(frame(2), ("killed\n".to_owned(), false));
    assert_eq!(frame(3), ("as it was\n".to_owned(), false));
}

#[test]
fn a_frame_is_shown_below_another_cell_whose_value_it_is_and_too_large_outputs_are_refused() {
    let notebook = Notebook::of(&[
        "let frame = Frame::new();\nframe.render(\"here\");",
        "frame.append(\"and there\");\nframe",
        "let large = Frame::new();\nlarge.render(Output::Error(\"x\".repeat(5_000_000)));",
        "let many = Frame::new();\nfor n in 0..1_500 {\n    many.append(n);\n}",
        "let drawn = animate(Duration::from_millis(1), |n| format!(\"{n} times\"));\nmonitor(drawn.pid());\n\
         receive_timeout::<Down>(Duration::from_millis(200)).await.is_none()",
    ]);
    let ran = notebook.run();
    assert_eq!(ran.code, Some(0), "{} {}", ran.stdout, ran.stderr);
    assert_eq!(ran.cell(2)["outputs"][0]["text"], "here\nand there\n");
    assert_eq!(ran.cell(2)["outputs"].as_array().map(Vec::len), Some(1));
    let large = "this output has 5000000 bytes, and a frame shows at most 4194304\n";
    assert_eq!(ran.cell(3)["outputs"][0]["text"], large);
    let many = ran.cell(4)["outputs"][0]["text"].as_str().expect("it is text").to_owned();
    assert!(many.starts_with("… 500 outputs are left out …\n500\n") && many.ends_with("1499\n"));
    let animated = ran.cell(5)["outputs"][0]["text"].as_str().expect("it is text").to_owned();
    assert!(animated.ends_with(" times\n") && animated != "0 times\n", "{animated}");
    assert_eq!(ran.cell(5)["outputs"][1]["text"], "true");
}

#[test]
fn a_person_reads_what_a_frame_shows_once_and_files_keep_what_it_shows_last() {
    let notebook = Notebook::of(&[
        "let frame = Frame::new();\nfor n in 0..1_000 {\n    frame.render(format!(\"state {n}\"));\n}\nprintln!(\"first\");",
        "frame.render(\"changed\");\n1",
        // While this is compiled, what has changed is told.
        "2",
    ]);
    let ran = finish(start(&mut notebook.command(&[])));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stdout.matches("state ").count(), 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("\n    first\n    state 999\n    ✓"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\n    ┆ changed\n"), "{}", ran.stdout);
    let markdown = notebook.does(&["export", "n.livemd", "--to", "md", "--run", "-o", "n.md"]);
    assert_eq!(markdown.code, Some(0), "{}", markdown.stderr);
    let text = std::fs::read_to_string(notebook.path().join("n.md")).expect("it was written");
    assert!(text.contains("```text\nchanged\n```\n\n```text\nfirst\n```"), "{text}");
}

#[test]
fn a_table_is_rows_for_a_program_and_columns_for_a_reader() {
    let notebook = Notebook::of(&["#[derive(Debug)]\nstruct Row {\n    name: &'static str,\n    size: u8,\n}\n\
        table([Row { name: \"tea\", size: 3 }, Row { name: \"rice\", size: 5 }])"]);
    let ran = notebook.run();
    let output = &ran.cell(1)["outputs"][0];
    assert_eq!(output["kind"], "table");
    assert_eq!(output["table"]["rows"][1], "Row { name: \"rice\", size: 5 }");
    let read = finish(start(&mut notebook.command(&[])));
    assert!(read.stdout.contains("\n    │ name     size │\n"), "{}", read.stdout);
}
