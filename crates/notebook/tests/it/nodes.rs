//! `greenroom node` and `greenroom ping`, as a person runs them.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::{cache_folder, own_folder, prelude};

fn greenroom() -> Command {
    prelude();
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.env("GREENROOM_CACHE", cache_folder());
    command.env("XDG_DATA_HOME", own_folder()).env("XDG_RUNTIME_DIR", own_folder());
    command
}

#[test]
fn a_node_that_is_there_answers_a_ping_and_another_cookie_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (cookie, other) = (folder.path().join("cookie"), folder.path().join("other"));
    // A port that was free a moment ago.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut node = greenroom()
        .args(["node", "--name", "a@127.0.0.1", "--listen", &address, "--cookie"])
        .arg(&cookie)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(node.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), format!("a@127.0.0.1 listens on {address}; Ctrl-C ends it"));
    let ping = |node: &str, cookie| {
        let output = greenroom().args(["ping", node, "--cookie"]).arg(cookie).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), text)
    };
    let (code, text) = ping(&format!("a@{address}"), &cookie);
    assert!(code == Some(0) && text.starts_with("pong: a@127.0.0.1 let this node in"), "{text}");
    let (code, text) = ping(&address, &other);
    assert!(code == Some(1) && text.contains("the cookies differ: give both nodes the same one"), "{text}");
    let (code, text) = ping(&format!("b@{address}"), &cookie);
    assert!(code == Some(1) && text.contains("the node there is a@127.0.0.1"), "{text}");
    let second =
        greenroom().args(["node", "--name", "b@127.0.0.1", "--listen", &address, "--cookie"]).arg(&cookie).output();
    let second = second.unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(second.status.code() == Some(1) && said.contains(&format!("error: cannot listen on {address}")), "{said}");
    node.kill().unwrap();
    node.wait().unwrap();
    // The node ends right after the program that was killed: then nobody can write to this any more.
    lines.for_each(drop);
    let (code, text) = ping(&address, &cookie);
    assert!(code == Some(1) && text.contains("refused"), "{text}");
}
