//! Without a terminal: what the inputs come to, and nothing else.

use std::io::Write;
use std::process::Stdio;

use super::piped;

fn run(input: &str) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut child = piped(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("it was asked for").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("it is text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn values_and_printed_text_come_out_plain() {
    let input =
        "1 + 1\nlet name = \"world\";\nprintln!(\"hello {name}\");\nfn twice(x: u8) -> u8 {\n    2 * x\n}\ntwice(4)\n";
    assert_eq!(run(input), (Some(0), "2\nhello world\n8\n".to_owned(), String::new()));
}

#[test]
fn errors_go_to_stderr_and_the_exit_code_tells() {
    let (code, stdout, stderr) = run("1 +* 2\n[1, 2][\"a\".len() + 7]\n:nonsense\n3\n");
    assert_eq!((code, stdout.as_str()), (Some(1), "3\n"));
    assert!(stderr.contains("expected expression, found `*`") || stderr.contains("cannot be dereferenced"), "{stderr}");
    assert!(stderr.contains("index out of bounds"), "{stderr}");
    assert!(stderr.contains("there is no `:nonsense`"), "{stderr}");
    assert!(!stderr.contains('\u{1b}'), "{stderr}");
}

#[test]
fn what_has_no_end_is_explained() {
    let (code, stdout, stderr) = run("let a = (1,\n");
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("unclosed delimiter"), "{stderr}");
}

#[test]
fn shells_and_manuals_get_what_they_need() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let says = |arguments: &[&str]| {
        let output = piped(folder.path()).args(arguments).output().expect("the program starts");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("it is text")
    };
    assert!(says(&["completions", "bash"]).contains("complete -F _greenroom"));
    assert!(says(&["completions", "zsh"]).starts_with("#compdef greenroom"));
    let page = says(&["man"]);
    assert!(page.contains(".TH greenroom") && page.contains("greenroom export"), "{page}");
}
