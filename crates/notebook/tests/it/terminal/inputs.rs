//! Typing at the prompt: inputs of several lines, pasting, interrupting, and what goes on meanwhile.

use portable_pty::PtySize;

use super::{SIZE, Terminal};

#[test]
fn every_input_is_a_cell_and_sees_those_above() {
    let mut terminal = Terminal::start();
    terminal.asks("let base = 20;", "base: i32");
    terminal.asks("base + 1", "= 21  i32");
    let screen = terminal.asks("base + nothing", "cannot find value `nothing`");
    assert!(screen.contains("cell 3:1:8"), "{screen}");
    // What does not compile is no cell.
    assert!(screen.trim_end().ends_with("[3]›"), "{screen}");
    assert_eq!(terminal.leave().0, 1);
}

#[test]
fn what_is_typed_ahead_in_one_go_is_not_lost() {
    let mut terminal = Terminal::start();
    terminal.keys("let a = 20\r:type a\ra + 22\ra * 2");
    let screen = terminal.wait("[3]› a * 2");
    assert!(screen.contains("= 42  i32") && screen.contains("\ni32\n"), "{screen}");
    terminal.keys("\r");
    terminal.wait("= 40  i32");
    terminal.leave();
}

#[test]
fn earlier_values_are_there_and_still_are_in_a_saved_notebook() {
    let mut terminal = Terminal::start();
    terminal.asks("6 * 7", "= 42  i32");
    terminal.asks("it + 1", "= 43  i32");
    terminal.asks("let nothing = ();", "nothing: ()");
    terminal.asks("vec![v(1), v(-2), it]", "= [42, 43, 43]");
    let screen = terminal.asks("v(3)", "cell 3 has no value");
    assert!(screen.contains("cell 5:1:1"), "{screen}");
    terminal.asks("let list = vec![1]; list.first()", "= Some(1)");
    terminal.asks("it", "`it` cannot leave cell 5: it borrows from");
    terminal.asks(":save notes", "saved as notes.livemd");
    let (_, folder) = terminal.leave();
    let text = std::fs::read_to_string(folder.path().join("notes.livemd")).expect("it is there");
    assert!(text.contains("```rust\nvec![v(1), v(-2), it]\n```"), "{text}");
    let ran = super::piped(folder.path()).args(["run", "notes.livemd"]).output().expect("it runs");
    let shown = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success() && shown.contains("[42, 43, 43]"), "{shown}");
    let mut terminal = Terminal::again(folder, &[]);
    terminal.wait("[1]›");
    terminal.asks(":open notes.livemd", "Untitled");
    terminal.asks(":run all", "= [42, 43, 43]");
    terminal.asks("v(4).len()", "= 3  usize");
    terminal.leave();
}

#[test]
fn an_input_goes_on_while_a_bracket_is_open_and_lines_stand_in() {
    let mut terminal = Terminal::start();
    terminal.enter("fn seven() -> u8 {");
    terminal.enter("if true {");
    terminal.enter("7");
    terminal.enter("} else { 8 }");
    let screen = terminal.wait("    } else { 8 }");
    assert!(screen.contains("\n    if true {\n        7\n"), "{screen}");
    terminal.enter("}");
    terminal.wait("✓ fn seven");
    terminal.asks(":source seven", "    if true {\n        7\n    } else { 8 }\n}");
    terminal.asks("seven()", "= 7  u8");
    terminal.leave();
}

#[test]
fn a_pasted_text_is_one_input() {
    let mut terminal = Terminal::start();
    terminal.keys("\u{1b}[200~let one = 1;\n\nlet two = 2;\none + two\u{1b}[201~");
    terminal.wait("one + two");
    terminal.keys("\r");
    terminal.wait("= 3  i32");
    terminal.wait("[2]›");
    terminal.leave();
}

#[test]
fn a_pasted_text_that_is_higher_than_the_screen_is_edited_in_a_part_of_it() {
    let mut terminal = Terminal::start();
    let lines: String = (0..400).map(|number| format!("let n{number} = {number};\n")).collect();
    terminal.keys(&format!("\u{1b}[200~{lines}n399 + \u{1b}[201~"));
    terminal.wait("n399 +");
    for digit in ["1", "0", "0"] {
        terminal.keys(digit);
    }
    let screen = terminal.wait("n399 + 100");
    // Each line once, up to the last.
    let shown: Vec<_> = screen.trim_end().lines().collect();
    let wanted: Vec<_> = lines.lines().chain(["n399 + 100"]).collect();
    assert!(shown.len() > 50 && wanted.ends_with(&shown), "{screen}");
    // Page up does nothing here; the arrow goes up line by line.
    terminal.keys(&"\u{1b}[A".repeat(100));
    let screen = terminal.wait("let n300 = 300;");
    assert_eq!(screen.lines().next(), Some("let n300 = 300;"), "{screen}");
    terminal.keys(&"\u{1b}[B".repeat(100));
    terminal.wait("n399 + 100");
    terminal.keys("\r");
    terminal.wait("= 499  i32");
    terminal.wait("[2]›");
    terminal.leave();
}

#[test]
fn control_c_stops_a_loop_and_every_value_stays() {
    let mut terminal = Terminal::start();
    terminal.asks("let kept = 5;", "kept: i32");
    terminal.enter("loop { yield_now().await }");
    terminal.wait("running [2]");
    terminal.keys("\u{3}");
    terminal.wait("every value stays");
    terminal.wait("[3]›");
    terminal.asks("kept", "= 5  i32");
    // At the prompt it only begins anew.
    terminal.keys("abandoned");
    terminal.wait("abandoned");
    terminal.keys("\u{3}");
    terminal.asks("kept + 1", "= 6  i32");
    terminal.leave();
}

#[test]
fn a_runtime_that_dies_while_one_types_leaves_the_line_alone() {
    let mut terminal = Terminal::start();
    let screen = terminal.asks("std::process::id()", "  u32");
    let line = screen.lines().find(|line| line.starts_with("= ")).expect("a value");
    let pid = line[2..].split_whitespace().next().expect("a number").to_owned();
    terminal.keys("\u{c}40 + ");
    terminal.wait("[2]› 40 +");
    let killed = std::process::Command::new("kill").args(["-9", &pid]).status().expect("there is `kill`");
    assert!(killed.success());
    terminal.wait_until("the line below what is said", |screen| {
        screen.contains("the runtime has died") && screen.trim_end().ends_with("[2]› 40 +")
    });
    terminal.enter("2");
    terminal.wait("= 42  i32");
    terminal.leave();
}

#[test]
fn late_lines_come_above_the_line_that_is_typed() {
    let mut terminal = Terminal::start();
    let source =
        "let p = spawn(async { receive::<u8>().await; println!(\"first late\"); println!(\"second late\"); });";
    terminal.asks(source, "p: Pid");
    terminal.keys("\u{c}send_after(p, 1u8, Duration::from_millis(300)); \"typing\"");
    terminal.keys("\r");
    terminal.wait("= \"typing\"");
    terminal.keys("half of a l");
    let screen = terminal.wait_until("the line below what came late", |screen| {
        screen.contains("second late") && screen.contains("half of a l")
    });
    let late = screen.find("[1] first late").expect("it says whose it is");
    let typed = screen.find("half of a l").expect("it is still there");
    assert!(late < typed, "{screen}");
    terminal.keys("\u{3}");
    terminal.leave();
}

#[test]
fn a_hundred_thousand_lines_leave_the_prompt_usable() {
    let mut terminal = Terminal::start();
    let source = "let p = spawn(async { receive::<u8>().await; for n in 0..100_000 { println!(\"line {n}\"); } });";
    terminal.asks(source, "p: Pid");
    terminal.enter("send(p, 1u8);");
    terminal.wait_until("the next prompt", |screen| screen.trim_end().ends_with("[3]›"));
    // Whatever comes meanwhile, what is typed is there, and is evaluated.
    terminal.keys("\"still \".to_owned() + \"here\"");
    terminal.wait_until("the last line above what is typed", |screen| {
        screen.contains("line 99999") && screen.trim_end().ends_with("› \"still \".to_owned() + \"here\"")
    });
    terminal.keys("\r");
    terminal.wait("= \"still here\"");
    terminal.leave();
}

#[test]
fn another_size_moves_nothing_out_of_reach() {
    let mut terminal = Terminal::start();
    terminal.keys("let wide = \"0123456789012345678901234567890123456789\"");
    terminal.wait("0123456789\"");
    terminal.master.resize(PtySize { cols: 40, ..SIZE }).expect("it has a size");
    terminal.screen.0.lock().expect("nobody panics with it").parser.screen_mut().set_size(SIZE.rows, 40);
    terminal.enter(".len();");
    terminal.wait("wide: usize");
    terminal.leave();
}

#[test]
fn tab_completes_names_and_commands_and_the_history_outlives_the_program() {
    let mut terminal = Terminal::start();
    terminal.asks("let remarkable = vec![1u8];", "remarkable: Vec<u8>");
    terminal.keys("\u{c}remar\t");
    terminal.wait("[2]› remarkable: Vec<u8>");
    terminal.enter(".len()");
    terminal.wait("= 1  usize");
    terminal.asks(":inf\t remarkable", "defined in cell 1");
    let (_, folder) = terminal.leave();
    let mut terminal = Terminal::again(folder, &[]);
    terminal.wait("[1]›");
    // The last input, and the one before it.
    terminal.keys("\u{1b}[A\u{1b}[A\u{1b}[A");
    terminal.wait("[1]› let remarkable = vec![1u8];");
    terminal.keys("\r");
    terminal.wait("✓ remarkable");
    terminal.leave();
}

#[test]
fn control_d_asks_once_when_something_is_not_saved() {
    let mut terminal = Terminal::start();
    terminal.asks("let unsaved = 1;", "unsaved: i32");
    terminal.keys("\u{4}");
    terminal.wait("1 cell is not saved");
    terminal.prompt();
    terminal.keys("\u{4}");
    assert_eq!(terminal.child.wait().expect("it ends").exit_code(), 0);
}

#[test]
fn a_screen_reader_gets_words() {
    let mut terminal = Terminal::with(&["--screen-reader"], |_| ());
    terminal.wait("cell 1:");
    terminal.enter("6 * 7");
    let screen = terminal.wait("value of cell 1: 42");
    assert!(!screen.contains(['›', '✓', '─']), "{screen}");
    terminal.keys("\u{4}\u{4}");
}
