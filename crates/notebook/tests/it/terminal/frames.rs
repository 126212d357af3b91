//! Live outputs at the prompt: drawn in place above it while somebody types, and said once when they end.

use std::io::Write;
use std::process::Stdio;

use super::{Terminal, is_prompting, piped};

/// How often a line is on the screen.
fn count(screen: &str, line: &str) -> usize {
    screen.lines().filter(|own| own.trim_end() == line).count()
}

#[test]
fn a_frame_changes_in_place_above_the_prompt_while_somebody_types() {
    let mut terminal = Terminal::start();
    terminal.enter("let frame = Frame::new();");
    terminal.wait("[2]›");
    terminal.enter("let ticker = frame.clone(); let p = spawn(async move { for n in 0.. { ticker.render(format!(\"tick {n}\")); sleep(Duration::from_millis(40)).await; } });");
    terminal.wait("[3]›");
    let drawn = |screen: &str| screen.lines().filter(|line| line.starts_with("tick ")).count();
    terminal.wait_until("a tick above the prompt", |screen| drawn(screen) == 1 && is_prompting(screen));
    terminal.keys("let a = 1");
    let screen = terminal.wait("[3]› let a = 1");
    let tick = |screen: &str| screen.lines().find(|line| line.starts_with("tick ")).map(str::to_owned);
    let before = tick(&screen);
    // It goes on, in one line, and what was typed stays.
    let after = terminal.wait_until("another tick", |screen| tick(screen).is_some() && tick(screen) != before);
    assert_eq!(drawn(&after), 1, "{after}");
    assert_eq!(count(&after, "[3]› let a = 1"), 1, "{after}");
    terminal.keys("\r");
    // It goes on above the next prompt, and nothing of it stays above this one.
    let screen = terminal
        .wait_until("the next prompt", |screen| screen.contains("[4]›") && drawn(screen) == 1 && is_prompting(screen));
    let lines: Vec<_> = screen.trim_end().lines().collect();
    assert!(lines[lines.len() - 2].starts_with("tick "), "{screen}");
    // What it shows last is said when it ends.
    terminal.enter("exit(p, ExitReason::Kill); frame.render(\"the last word\"); frame.freeze();");
    let screen =
        terminal.wait_until("what it shows last", |screen| count(screen, "the last word") == 1 && is_prompting(screen));
    assert!(screen.contains("[5]›"), "{screen}");
    terminal.enter("1 + 1");
    let screen = terminal.wait("= 2");
    assert_eq!(count(&screen, "the last word"), 1, "{screen}");
    terminal.leave();
}

#[test]
fn a_frame_changes_in_place_while_its_cell_runs_and_ends_as_lines() {
    let mut terminal = Terminal::start();
    terminal.enter(
        "let frame = Frame::new(); for n in 0..=20 { frame.render(format!(\"step {n} of 20\\n{}\", \"#\".repeat(n))); \
         sleep(Duration::from_millis(30)).await; } frame.freeze(); println!(\"through\"); n_steps()",
    );
    // It does not compile, and is no cell.
    terminal.wait("n_steps");
    terminal.prompt();
    terminal.enter(
        "let frame = Frame::new(); for n in 0..=20 { frame.render(format!(\"step {n} of 20\\n{}\", \"#\".repeat(n))); \
         sleep(Duration::from_millis(30)).await; } println!(\"through\"); frame.freeze(); 7",
    );
    terminal.wait("step ");
    let screen = terminal.wait_until("the end", |screen| screen.contains("= 7") && screen.contains("step 20 of 20"));
    let steps = screen.lines().filter(|line| line.starts_with("step ")).count();
    assert_eq!(steps, 1, "{screen}");
    assert!(screen.contains(&format!("step 20 of 20\n{}\n", "#".repeat(20))), "{screen}");
    terminal.leave();
}

#[test]
fn frames_that_are_too_high_are_cut_and_a_hundred_thousand_states_freeze_nothing() {
    let mut terminal = Terminal::start();
    terminal.enter("let f = Frame::new(); f.render((0..200).map(|n| format!(\"row {n}\\n\")).collect::<String>());");
    let screen = terminal.wait("more lines: `:show 1` shows them");
    assert!(screen.contains("row 15\n") && !screen.contains("row 16\n"), "{screen}");
    terminal.wait("[2]›");
    terminal.enter("let g = Frame::new(); for n in 0..100_000 { g.render(n); } 1");
    terminal.wait_until("the last state", |screen| screen.lines().any(|line| line.trim() == "99999"));
    terminal.prompt();
    terminal.asks("2 + 2", "= 4");
    // What stands there already is not said again.
    let (code, _) = terminal.leave();
    assert_eq!(code, 0);
}

#[test]
fn without_a_terminal_and_for_those_who_listen_nothing_is_drawn_twice() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut child = piped(folder.path())
        .env("XDG_DATA_HOME", folder.path().join("data"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let input = "let f = Frame::new(); for n in 0..50 { f.render(n); sleep(Duration::from_millis(5)).await; }\n\
                 1 + 1\nf.render(\"changed\");\n3\n";
    child.stdin.take().expect("it was asked for").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "49\n2\n3\nchanged\n");
    let mut terminal = Terminal::with(&["--screen-reader"], |_| ());
    terminal.wait("cell 1:");
    terminal.enter("let f = Frame::new(); for n in 0..50 { f.render(format!(\"step {n}\")); sleep(Duration::from_millis(5)).await; }");
    let screen = terminal.wait("cell 1 done");
    assert!(screen.contains("\nstep 49\n") && screen.matches("\nstep ").count() == 1, "{screen}");
    terminal.leave();
}

#[test]
fn candidates_are_listed_whole_while_a_frame_is_live() {
    let mut terminal = Terminal::start();
    terminal.enter("let f = animate(Duration::from_millis(40), |n| format!(\"tick {n}\"));");
    terminal.wait("[2]›");
    terminal.enter("let (alpha_one, alpha_two, alpha_three) = (1, 2, 3);");
    terminal.wait("[3]›");
    terminal.prompt();
    terminal.keys("alph\t\t");
    let prompts = |screen: &str| screen.lines().filter(|line| line.starts_with("[3]› alpha_")).count();
    let listed =
        |screen: &str| screen.lines().filter(|line| line.contains("alpha_one") && line.contains("alpha_two  ")).count();
    let screen = terminal.wait_until("the candidates", |screen| prompts(screen) == 2);
    assert_eq!(listed(&screen), 1, "{screen}");
    // What stood above an earlier prompt may have stayed there.
    let ticks = |screen: &str| {
        let below = screen.lines().skip_while(|line| !line.starts_with("[3]›"));
        below.filter(|line| line.starts_with("tick ")).count()
    };
    assert_eq!(ticks(&screen), 0, "{screen}");
    terminal.keys("t");
    terminal.wait_until("the frame", |screen| ticks(screen) == 1);
    // There is nothing to be completed: it stays where it is, and the candidates are whole.
    terminal.keys("\t\t");
    let two = |screen: &str| {
        screen.lines().filter(|line| line.contains("alpha_two") && line.contains("alpha_three  ")).count()
    };
    let screen = terminal.wait_until("fewer candidates", |screen| prompts(screen) == 3);
    assert_eq!((listed(&screen), two(&screen)), (1, 2), "{screen}");
    terminal.keys("wo");
    terminal.wait_until("the frame", |screen| {
        screen
            .lines()
            .rev()
            .skip_while(|line| !line.starts_with("[3]› alpha_two"))
            .nth(1)
            .is_some_and(|line| line.starts_with("tick "))
    });
    terminal.keys("\r");
    terminal.wait("= 2");
    terminal.leave();
}

#[test]
fn a_table_that_is_asked_for_has_columns_and_says_how_many_rows_are_left_out() {
    let mut terminal = Terminal::start();
    let screen = terminal.asks("table((0..40).map(|n| (n, \"x\".repeat(n))))", "… 24 more rows: `:show 1` shows them");
    assert!(screen.contains("│ 15   \"xxxxxxxxxxxxxxx\"") && !screen.contains("│ 16 "), "{screen}");
    terminal.leave();
}

#[test]
fn the_document_view_shows_a_frame_below_its_cell() {
    let mut terminal = Terminal::start();
    terminal.enter("let f = animate(Duration::from_millis(50), |n| format!(\"drawn {n} times\"));");
    terminal.wait("[2]›");
    terminal.enter(":view");
    let drawn = |screen: &str| {
        let (_, after) = screen.lines().find_map(|line| {
            line.split_once("drawn ").filter(|(_, after)| after.starts_with(|char: char| char.is_ascii_digit()))
        })?;
        Some(after.to_owned())
    };
    let first = terminal
        .wait_until("the view", |screen| screen.contains("[1]") && !screen.contains("›") && drawn(screen).is_some());
    let before = drawn(&first);
    terminal.wait_until("another state", |screen| drawn(screen).is_some() && drawn(screen) != before);
    terminal.keys("q");
    terminal.wait("[2]›");
    terminal.leave();
}
