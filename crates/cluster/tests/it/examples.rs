//! The examples, run as a person would.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The program of an example: built beside this one, or else, or if it is older than its source, now.
pub fn program(name: &str) -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("examples");
    let program = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples").join(format!("{name}.rs"));
    let changed = |path: &PathBuf| path.metadata().and_then(|data| data.modified()).ok();
    if changed(&program) < changed(&source) {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "-p", env!("CARGO_PKG_NAME"), "--example", name]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success());
    }
    program
}

fn run(name: &str, input: &str) -> Output {
    let mut command = Command::new(program(name));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn two_services_share_groups_and_a_name() {
    let lines = lines(&run("two_services", ""));
    let expected = [
        "desk: 0 cooks",
        "desk: kitchen@127.0.0.1 joins",
        "desk: 2 cooks",
        "desk: soup from kitchen@127.0.0.1",
        "desk: bread from kitchen@127.0.0.1",
        "desk: salad from kitchen@127.0.0.1",
        "desk: cake from kitchen@127.0.0.1",
        "desk: the kitchen is killed",
        "desk: kitchen@127.0.0.1 leaves",
        "desk: 0 cooks",
        "desk: kitchen@127.0.0.1 joins",
        "desk: 2 cooks",
        "desk: coffee from kitchen@127.0.0.1",
        "desk: closed",
    ];
    // How many there are may be seen before or after the event that says so.
    let mut rest = lines.iter();
    for line in expected {
        assert!(rest.any(|said| said == line), "{line} is missing or out of place in {lines:#?}");
    }
}

#[test]
fn a_remote_shell_calls_functions_on_another_node() {
    let output = run("remote_shell", "where\nadd 1 2 3\nadd one\npanic\nwhat\nquit\n");
    let lines = lines(&output);
    let place = lines[0].strip_prefix("worker@127.0.0.1 in process ").unwrap();
    assert!(place.parse::<u32>().is_ok());
    assert_eq!(lines[1..3], ["6", "? invalid digit found in string"]);
    assert!(lines[3].starts_with("! ") && lines[3].contains("as you wish"), "{}", lines[3]);
    assert_eq!(lines[4..], ["? where, processes, add NUMBER..., panic or quit"]);
}
