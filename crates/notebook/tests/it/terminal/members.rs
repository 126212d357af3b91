//! Tab after a `.`: what the real rust-analyzer knows; where there is none, these say that they are skipped.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::Terminal;
use crate::live::members::is_installed;

impl Terminal {
    /// Types, and presses Tab until the screen shows something: the first answer takes seconds.
    fn tab(&mut self, typed: &str, completed: &str) {
        self.prompt();
        self.keys("\u{c}");
        self.keys(typed);
        for _ in 0..100 {
            self.keys("\t");
            if self.comes(completed, Duration::from_millis(600)) {
                return;
            }
        }
        panic!("{typed} was never completed to {completed}");
    }
}

#[test]
fn tab_completes_fields_and_methods_also_after_rust_analyzer_was_killed() {
    if !is_installed() {
        return;
    }
    let mut terminal = Terminal::start();
    terminal.asks("struct Point { across: i32 }", "[2]›");
    terminal.asks("let points = vec![Point { across: 3 }]", "points: Vec<Point>");
    terminal.tab("points.is_em", "points.is_empty()");
    terminal.keys("\r");
    terminal.wait("= false  bool");
    let program = terminal.child.process_id().expect("it runs").to_string();
    let killed = Command::new("pkill").args(["-KILL", "-P", &program, "-f", "rust-analyzer"]).status();
    assert!(killed.expect("it can be run").success());
    terminal.tab("points[0].ac", "points[0].across");
    terminal.keys("\r");
    terminal.wait("= 3  i32");
    terminal.leave();
}

#[test]
fn without_rust_analyzer_it_is_said_how_to_get_it_and_once() {
    let folder = Arc::new(tempfile::tempdir().expect("a temporary folder can be made"));
    let mut terminal = Terminal::in_environment(folder, &[], &[("RUST_ANALYZER", "")]);
    terminal.asks("let text = \"a\".to_owned()", "text: String");
    terminal.keys("text.\t");
    terminal.wait("rustup component add rust-analyzer rust-src");
    terminal.keys("le\tn()\r");
    let screen = terminal.wait("= 1  usize");
    assert_eq!(screen.matches("rustup").count(), 1, "{screen}");
    terminal.leave();
}

#[test]
fn one_that_does_not_work_is_no_reason_not_to_type() {
    let folder = Arc::new(tempfile::tempdir().expect("a temporary folder can be made"));
    let mut terminal = Terminal::in_environment(folder, &[], &[("RUST_ANALYZER", "false")]);
    terminal.asks("let text = \"a\".to_owned()", "text: String");
    terminal.keys("text.\t");
    terminal.wait("rust-analyzer does not work: it has ended before it could be asked");
    terminal.keys("len()\r");
    terminal.wait("= 1  usize");
    terminal.leave();
}
