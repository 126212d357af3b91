//! Tools and folders that are missing: the message says which, and what to do.

use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::{Expect, expect};
use greenroom_tracing_viz::Pictures;
use greenroom_tracing_viz::file::{self, Saved};

use super::{Notebook, finish, start};

/// A run that does not come to its first cell.
fn refused(notebook: &Notebook, change: impl FnOnce(&mut Command), expected: Expect) {
    let mut command = notebook.command(&["--json"]);
    change(&mut command);
    let ran = finish(start(&mut command));
    let folder = notebook.path().display().to_string();
    let code = ran.code.map_or("a signal".to_owned(), |code| code.to_string());
    expected.assert_eq(&format!("{}{}{code}\n", ran.stdout, ran.stderr.replace(&folder, "FOLDER")));
}

#[test]
fn without_rustc_it_says_where_to_get_it() {
    let notebook = Notebook::of(&["1"]);
    refused(
        &notebook,
        |command| {
            command.env("RUSTC", "/nowhere/rustc");
        },
        expect![[r#"
            error: cannot run `/nowhere/rustc`: No such file or directory (os error 2). Cells are compiled by the Rust toolchain: install it from https://rustup.rs, put it on the PATH, or point RUSTC to it
            1
        "#]],
    );
    refused(
        &notebook,
        |command| {
            command.env_remove("RUSTC").env("PATH", notebook.path());
        },
        expect![[r#"
            error: cannot run `rustc`: No such file or directory (os error 2). Cells are compiled by the Rust toolchain: install it from https://rustup.rs, put it on the PATH, or point RUSTC to it
            1
        "#]],
    );
}

#[test]
fn without_a_linker_the_cell_says_so() {
    let notebook = Notebook::of(&[]);
    // Never compiled before: no two runs of this test have the same folder.
    let cell = format!("{:?}", notebook.path().display().to_string());
    std::fs::write(notebook.path().join("n.livemd"), format!("# N\n\n## S\n\n```rust\n{cell}\n```\n"))
        .expect("it can be written");
    let ran = finish(start(notebook.command(&["--json"]).env("RUSTC", rustc()).env("PATH", notebook.path())));
    assert_eq!(ran.code, Some(1));
    let cell = ran.cell(1);
    let said = cell["outputs"][0]["text"].as_str().expect("there is an error");
    assert!(said.starts_with("error: linker `cc` not found"), "{said}");
    assert!(said.contains("cell 1 (n.livemd:6)"), "{said}");
}

#[test]
fn a_cache_that_cannot_be_used_is_named_with_a_cure() {
    let notebook = Notebook::of(&["1"]);
    let file = notebook.path().join("file");
    std::fs::write(&file, "").expect("it can be written");
    refused(
        &notebook,
        |command| {
            command.env("GREENROOM_CACHE", &file);
        },
        expect![[r#"
            error: cannot use `FOLDER/file`: File exists (os error 17). Set GREENROOM_CACHE to a folder that can be written
            1
        "#]],
    );
    refused(
        &notebook,
        |command| {
            command.env("GREENROOM_CACHE", "/proc/greenroom");
        },
        expect![[r#"
            error: cannot use `/proc/greenroom`: No such file or directory (os error 2). Set GREENROOM_CACHE to a folder that can be written
            1
        "#]],
    );
}

#[test]
fn a_setup_that_does_not_resolve_says_what_is_wrong() {
    let run = |setup: &str| Notebook::new(format!("# N\n\n```toml\n{setup}\n```\n\n## S\n\n```rust\n1\n```\n")).run();
    expect![[r#"
        0 error
          error | error: the setup cell is not right: string values must be quoted, expected literal string
          error |  --> the setup cell:2:8 (n.livemd:5)
          error |   |
          error | 2 | rand =
          error |   |        ^
        1 skipped
          error | not run: the setup cell has not succeeded
        0 ok, 1 failed, 1 skipped: 1
    "#]]
    .assert_eq(&run("[dependencies]\nrand = ").story());
    let ran = run("[dependencies]\nlocal = { path = \"/nowhere/local\" }");
    assert_eq!((ran.code, &ran.cell(1)["status"]), (Some(1), &"skipped".into()));
    let cell = ran.cell(0);
    let said = cell["outputs"][0]["text"].as_str().expect("there is an error");
    for words in ["cannot be resolved", "the setup cell (n.livemd:4)", "/nowhere/local/Cargo.toml"] {
        assert!(said.contains(words), "{said}");
    }
}

/// rustc itself.
pub(super) fn rustc() -> PathBuf {
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(program).args(["--print", "sysroot"]).output().expect("there is a rustc");
    Path::new(String::from_utf8_lossy(&said.stdout).trim()).join("bin/rustc")
}

#[test]
fn on_a_full_disk_it_says_so_and_where_else_to_go() {
    let notebook = Notebook::of(&["1"]);
    let disk = notebook.path().join("disk");
    std::fs::create_dir(&disk).expect("it can be made");
    // A disk of two megabytes, in a namespace of its own; where the system allows none, nothing can be shown.
    let mounted = |then: &str| {
        let mount = format!("mount -t tmpfs -o size=2m tmpfs '{}' && {then}", disk.display());
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", &mount]);
        command
    };
    if !mounted("true").output().is_ok_and(|output| output.status.success()) {
        eprintln!("not shown: this system does not let a test mount a small disk");
        return;
    }
    let program = env!("CARGO_BIN_EXE_greenroom");
    let file = notebook.path().join("n.livemd");
    let mut command = mounted(&format!("exec '{program}' run '{}'", file.display()));
    let output = command.env("GREENROOM_CACHE", disk.join("cache")).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the disk is full: cannot write `"), "{said}");
    assert!(said.contains("point GREENROOM_CACHE to another disk"), "{said}");
}

#[test]
fn a_run_draws_its_own_traffic_across_both_nodes() {
    let notebook =
        Notebook::of(&["let me = self_pid();\nspawn(async move { send(me, 7_u8) });\nreceive::<u8>().await"]);
    let ran = finish(start(&mut notebook.command(&["--trace", "run.json"])));
    assert_eq!(ran.code, Some(0), "{} {}", ran.stdout, ran.stderr);
    let json = std::fs::read_to_string(notebook.path().join("run.json")).expect("it was written");
    let Ok(Saved::Trace(trace)) = file::read(&json) else { panic!("{json}") };
    let text = trace.sequence().to_text(400);
    // From the request to the reply, and back home.
    let told = ["compiler of cell 1", "Evaluate", "leader of evaluation 1", "INFO: 7", "Shown", "Finished"];
    let places: Vec<_> = told.iter().map(|told| text.find(told)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} in {text}");
    assert!(["session", "runtime_server", "evaluator", "cell"].iter().all(|name| text.contains(name)), "{text}");
    assert_eq!(trace.lost, 0);
    for (name, begin) in [("run.svg", "<svg"), ("run.mmd", "sequenceDiagram"), ("run.txt", "")] {
        let ran = finish(start(&mut notebook.command(&["--trace", name])));
        assert_eq!(ran.code, Some(0), "{} {}", ran.stdout, ran.stderr);
        let drawn = std::fs::read_to_string(notebook.path().join(name)).expect("it was written");
        assert!(
            drawn.starts_with(begin) && drawn.contains("evaluator") && drawn.contains("Finished"),
            "{name}: {drawn}"
        );
    }

    let ran = finish(start(&mut notebook.command(&["--trace", "run.png"])));
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("should end in .svg"), "{}", ran.stderr);
}
