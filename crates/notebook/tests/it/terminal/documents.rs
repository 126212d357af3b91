//! The commands on cells, names and the notebook.

use super::{Terminal, editor};

#[test]
fn names_can_be_asked_about() {
    let mut terminal = Terminal::start();
    terminal.asks("\u{1b}[200~/// Adds one.\nfn more(x: u8) -> u8 { x + 1 }\u{1b}[201~", "✓ fn more");
    terminal.asks("let start = more(1);", "start: u8");
    terminal.asks(":info start", "defined in cell 2, no cell uses it");
    terminal.asks(":info more", "defined in cell 1, used in 2");
    terminal.asks(":info stort", "did you mean `start`?");
    terminal.asks(":type vec![start]", "Vec<u8>");
    terminal.asks(":type nothing", "cannot find value `nothing`");
    terminal.asks(":doc more", "Adds one.");
    terminal.asks(":doc std::mem::swap", "https://doc.rust-lang.org/std/");
    terminal.asks(":source start", "// cell 2");
    terminal.asks(":source", "## Section");
    terminal.asks(":help", "Processes");
    terminal.asks(":help run", "evaluate cells again");
    terminal.asks(":hepl", "did you mean `:help`?");
    terminal.leave();
}

#[test]
fn cells_are_listed_evaluated_changed_and_undone() {
    let mut terminal = Terminal::with(&[], |folder| editor(folder, "sed -i 's/one = 1/one = 10/' \"$1\""));
    terminal.wait("[1]›");
    terminal.asks("let one = 1;", "one: i32");
    terminal.asks("one * 2", "= 2  i32");
    terminal.asks(":cells", "[2] done");
    terminal.asks(":edit 1", "one: i32");
    terminal.asks(":cells", "[2] stale");
    terminal.asks(":stale", "= 20  i32");
    terminal.asks(":stale", "everything is up to date");
    terminal.asks(":run 2", "= 20  i32");
    terminal.asks(":run 1-2", "= 20  i32");
    terminal.asks(":run all", "= 20  i32");
    terminal.asks(":run 9", "there is no cell 9: they are 1 to 2");
    terminal.asks(":show 2", "= 20");
    terminal.asks(":delete 2", "cell 2 is gone");
    terminal.asks(":undo", "taken back");
    terminal.asks(":cells", "[2]");
    terminal.asks(":redo", "done again");
    terminal.asks(":undo", "taken back");
    terminal.leave();
}

#[test]
fn long_values_are_folded_and_shown_whole_on_request() {
    let mut terminal = Terminal::start();
    terminal.asks("(100..140).collect::<Vec<u32>>()", "more lines: `:show 1` shows them");
    terminal.asks(":show", "139,");
    terminal.leave();
}

#[test]
fn a_branch_goes_beside_the_main_flow() {
    let mut terminal = Terminal::start();
    terminal.asks("let base = 1;", "base: i32");
    terminal.asks(":branch other", "in the branch other");
    terminal.asks("let base = base + 10; base", "= 11  i32");
    terminal.asks(":branch", "in the main flow");
    terminal.asks("base", "= 1  i32");
    terminal.asks(":section More", "in the section More");
    terminal.asks("base + 1", "= 2  i32");
    terminal.asks(":cells", "⑂ other");
    terminal.leave();
}

#[test]
fn a_notebook_is_saved_opened_and_exported() {
    let mut terminal = Terminal::start();
    terminal.asks("let saved = 3;", "saved: i32");
    terminal.asks(":save", "it has no file yet");
    terminal.asks(":save notes", "saved as notes.livemd");
    let text = std::fs::read_to_string(terminal.folder.path().join("notes.livemd")).expect("it is there");
    assert!(text.contains("```rust\nlet saved = 3;\n```"), "{text}");
    terminal.asks(":export notes.md", "written to notes.md");
    terminal.asks(":export notes.html", "written to notes.html");
    terminal.asks(":export notes.rs", "written to notes.rs");
    terminal.asks(":export notes.doc", "name a file that ends in");
    for file in ["notes.md", "notes.html", "notes.rs"] {
        let text = std::fs::read_to_string(terminal.folder.path().join(file)).expect("it is there");
        assert!(text.contains("saved"), "{text}");
    }
    std::fs::write(terminal.folder.path().join("other.livemd"), "# Other\n\n## S\n\n```rust\nlet opened = 4;\n```\n")
        .unwrap();
    terminal.asks(":open other.livemd", "Other: 1 cell");
    terminal.asks(":run all", "opened: i32");
    terminal.asks("opened + 1", "= 5  i32");
    terminal.asks(":open nothing.livemd", "there is no such file");
    terminal.asks(":save", "saved as other.livemd");
    terminal.asks("opened + 2", "= 6  i32");
    terminal.asks(":open notes.livemd", "`:open` once more leaves without");
    terminal.asks(":open notes.livemd", "Untitled notebook: 1 cell");
    terminal.enter(":quit");
    terminal.child.wait().expect("it ends");
}

#[test]
fn a_restart_loses_the_values_and_finds_them_again() {
    let mut terminal = Terminal::start();
    terminal.asks("let lost = 8;", "lost: i32");
    terminal.asks(":restart", "a new runtime");
    terminal.asks("lost + 1", "= 9  i32");
    terminal.asks(":deps", "no crates but those of every notebook");
    terminal.asks(":deps remove rand", "does not depend on `rand`");
    terminal.asks(":deps add rand 0.9", "in a new runtime");
    terminal.asks(":deps", "rand = \"0.9\"");
    terminal.asks(":deps remove rand", "in a new runtime");
    terminal.leave();
}

#[test]
fn the_document_view_edits_and_evaluates_in_place() {
    let prepare = |folder: &std::path::Path| {
        std::fs::write(folder.join("n.livemd"), "# Notes\n\n## First\n\n```rust\nlet a = 20;\n```\n").unwrap();
    };
    let mut terminal = Terminal::with(&["open", "n.livemd"], prepare);
    terminal.wait("let a = 20;");
    terminal.wait("? keys");
    terminal.keys("na + 1");
    terminal.wait("2 a + 1".trim_start_matches("2 "));
    terminal.keys("\u{1b}");
    terminal.wait("? keys");
    terminal.keys("ee");
    terminal.wait("= 21");
    terminal.keys("?");
    terminal.wait("evaluate the section");
    terminal.keys("?");
    terminal.wait_until("the cells", |screen| !screen.contains("evaluate the section"));
    terminal.keys("s");
    terminal.wait("saved");
    let text = std::fs::read_to_string(terminal.folder.path().join("n.livemd")).unwrap();
    assert!(text.contains("```rust\na + 1\n```"), "{text}");
    terminal.master.resize(portable_pty::PtySize { rows: 24, cols: 60, ..super::SIZE }).unwrap();
    terminal.screen.0.lock().expect("nobody panics with it").parser.screen_mut().set_size(24, 60);
    // Too narrow for the outline.
    terminal.wait_until("the cells alone", |screen| screen.contains("= 21") && !screen.contains('│'));
    terminal.keys("q");
    assert_eq!(terminal.child.wait().expect("it ends").exit_code(), 0);
}

#[test]
fn the_document_view_sets_what_cells_ask_for() {
    let cells = [
        "let name = Input::text(\"Name\").default(\"Ada\"); name",
        "let key = Input::password(\"Key\"); key",
        "format!(\"{} has {}\", name.read().await?, key.read().await?.len())",
    ];
    let text: String = cells.iter().map(|cell| format!("```rust\n{cell}\n```\n\n")).collect();
    let prepare = |folder: &std::path::Path| {
        std::fs::write(folder.join("n.livemd"), format!("# Notes\n\n## First\n\n{text}")).unwrap();
    };
    let mut terminal = Terminal::with(&["open", "n.livemd"], prepare);
    terminal.wait("? keys");
    terminal.keys("ggI");
    terminal.wait("this cell asks for nothing, or was not evaluated yet");
    terminal.keys("ea");
    terminal.wait("= \"Ada has 0\"");
    terminal.keys("I");
    terminal.wait("Name (a text, now Ada):");
    terminal.keys("Grace\r");
    terminal.wait("Name is Grace; eo evaluates what has read it");
    terminal.keys("jI");
    terminal.wait("Key (a text");
    terminal.keys("hunter2");
    let screen = terminal.wait("•••••••");
    assert!(!screen.contains("hunter2"), "{screen}");
    terminal.keys("\r");
    terminal.wait("Key is");
    terminal.keys("eo");
    terminal.wait("= \"Grace has 7\"");
    terminal.keys("qq");
    terminal.ended();
}

#[test]
fn lines_that_are_wider_than_the_document_view_go_on_below() {
    let prepare = |folder: &std::path::Path| {
        let prose = format!("{}the_end_of_it", "word ".repeat(40));
        std::fs::write(folder.join("n.livemd"), format!("# Notes\n\n## First\n\n{prose}\n")).unwrap();
    };
    let mut terminal = Terminal::with(&["open", "n.livemd"], prepare);
    terminal.wait("the_end_of_it");
    terminal.keys(&format!("Gnlet text = \"{}", "x".repeat(150)));
    terminal.keys("end\"; text.len()");
    terminal.wait("end\"; text.len()");
    terminal.keys("\u{1b}\r");
    terminal.wait("= 153");
    // Evaluating does not end the editing.
    terminal.keys("\u{1b}");
    terminal.wait("? keys");
    terminal.keys("qq");
    terminal.ended();
}

#[test]
fn a_notebook_that_was_left_unsaved_is_offered_again() {
    let mut terminal = Terminal::start();
    terminal.asks("let kept = 7;", "kept: i32");
    let aside = terminal.folder.path().join("data/greenroom/autosave");
    let saved = || -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(&aside).into_iter().flatten().flatten().map(|entry| entry.path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "livemd")).collect()
    };
    let begin = std::time::Instant::now();
    while saved().is_empty() {
        assert!(begin.elapsed() < super::PATIENCE, "it is not saved");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let mut terminal = Terminal::again(terminal.killed(), &[]);
    terminal.wait("“Untitled notebook” (1 cell, a moment ago) was left unsaved: `:recover` brings it back");
    terminal.wait("[1]›");
    terminal.asks(":recover 2", "there is no number 2");
    terminal.asks(":recover", "Untitled notebook: 1 cell");
    terminal.asks(":run all", "kept: i32");
    terminal.asks("kept + 1", "= 8  i32");
    terminal.asks(":recover", "no notebook was left unsaved");
    // Who leaves without saving has said that nobody wants it.
    terminal.leave();
    assert_eq!(saved(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn what_a_cell_asks_for_is_set_and_those_that_have_read_it_are_evaluated_again() {
    let mut terminal = Terminal::start();
    terminal.asks("let name = Input::text(\"Name\").default(\"Ada\"); name", "Name: Ada");
    terminal.asks("format!(\"Hello, {}!\", name.read().await?)", "= \"Hello, Ada!\"");
    terminal.asks(":input", "1  Name  Ada  (a text)  [1]");
    terminal.asks(":input Name Grace", "Name is Grace; a cell is stale now, and `:stale` evaluates it");
    terminal.asks(":stale", "= \"Hello, Grace!\"");
    terminal.asks(":input Nome Grace", "which input? There are: Name");
    terminal.asks("let key = Input::password(\"Key\"); key", "Key:");
    let screen = terminal.asks(":input Key hunter2", "Key is ••••••••");
    assert!(!screen.contains("hunter2"), "{screen}");
    terminal.asks("key.read().await?.len()", "= 7  usize");
    let (_, folder) = terminal.leave();
    let history = std::fs::read_to_string(folder.path().join("history")).expect("it is kept");
    assert!(history.contains(":input Key") && !history.contains("hunter2"), "{history}");
}
