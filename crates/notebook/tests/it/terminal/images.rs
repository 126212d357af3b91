//! Images at the prompt: on a terminal that has pixels, that has none, and on none.

use std::io::Write;
use std::process::Stdio;

use super::{Terminal, piped};

/// A cell that shows a red rectangle of ten by two characters.
const RED: &str = "image(\"<svg xmlns='http://www.w3.org/2000/svg' width='80' height='32'>\
                   <rect width='80' height='32' fill='#ff0000'/></svg>\")";

/// What asks a terminal what it is.
const QUESTION: &str = "\u{1b}[c";

#[test]
fn a_terminal_that_says_nothing_of_pixels_gets_characters() {
    let mut terminal = Terminal::start();
    terminal.enter(RED);
    terminal.wait_written(QUESTION);
    terminal.keys("\u{1b}[?62;22c");
    let screen = terminal.wait("[2]›");
    let blocks: Vec<_> = screen.lines().filter(|line| line.trim_end() == "▀".repeat(10)).collect();
    assert_eq!(blocks.len(), 2, "{screen}");
    // It is asked once; and what cannot be drawn says why.
    terminal.asks("image(b\"\\x89PNG\\r\\n\\x1a\\n\")", "[image png: it cannot be read");
    terminal.asks("image(\"text\")", "this is no image");
    // In the view, too, it is below its cell.
    terminal.enter(":view");
    let screen =
        terminal.wait_until("the view", |screen| screen.contains(&"▀".repeat(10)) && screen.contains("q leave"));
    assert!(screen.contains("[1]"), "{screen}");
    terminal.keys("q");
    terminal.prompt();
    let shown = String::from_utf8_lossy(&terminal.screen.0.lock().expect("nobody panics with it").written).into_owned();
    assert_eq!(shown.matches(QUESTION).count(), 1);
    terminal.leave();
}

#[test]
fn a_terminal_with_pixels_gets_them_and_what_is_typed_meanwhile_is_kept() {
    let answers = [
        ("\u{1b}_Gi=31;OK\u{1b}\\\u{1b}[?62;22c", "\u{1b}_Ga=T,f=100,q=2,C=1,c=10,r=2,m=0;iVBORw0KGgo"),
        ("\u{1b}[?62;4;22c", "\u{1b}P"),
    ];
    for (answer, image) in answers {
        let mut terminal = Terminal::start();
        terminal.enter(RED);
        terminal.wait_written(QUESTION);
        terminal.keys(&format!("6 {answer}* 7"));
        terminal.wait_written(image);
        let screen = terminal.wait("[2]› 6 * 7");
        assert!(!screen.contains('▀'), "{screen}");
        terminal.keys("\r");
        terminal.wait("= 42");
        terminal.leave();
    }
}

#[test]
fn without_a_terminal_and_without_colours_it_is_said_what_it_is() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut child = piped(folder.path())
        .env("XDG_DATA_HOME", folder.path().join("data"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let input = format!("{RED}\nlet f = Frame::new(); f.render({RED});\n");
    child.stdin.take().expect("it was asked for").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "[image 80×32 svg]\n[image 80×32 svg]\n");
    let mut terminal = Terminal::with(&["--no-color"], |_| ());
    terminal.wait("[1]›");
    terminal.asks(RED, "[image 80×32 svg]");
    terminal.leave();
}
