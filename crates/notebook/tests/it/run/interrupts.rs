//! Ctrl-C, and the end of the program itself: whatever runs ends, and nothing is left behind.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::Child;
use std::time::{Duration, Instant};

use expect_test::expect;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Notebook, PATIENCE, Ran, children, finish, is_soon_gone, poll, runtime_of, start, wait_for};

/// A cell that says that it runs, and then never ends.
const LOOP: &str = "std::fs::write(\"running\", \"yes\\n\")?;\nloop {}";

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id() as i32), signal).expect("it is our child");
}

/// Interrupts a program, which then has to end soon.
fn interrupt(child: Child) -> Ran {
    end_with(Signal::SIGINT, child)
}

fn end_with(end: Signal, child: Child) -> Ran {
    signal(&child, end);
    let begin = Instant::now();
    let ran = finish(child);
    assert!(begin.elapsed() < Duration::from_secs(5), "it took {:?}", begin.elapsed());
    ran
}

#[test]
fn an_endless_loop_is_ended_and_reported() {
    let notebook = Notebook::of(&["let a = 1;", LOOP, "a + 1"]);
    let child = start(&mut notebook.command(&["--json"]));
    let runtime = runtime_of(&child);
    wait_for(&notebook.path().join("running"));
    let ran = interrupt(child);
    expect![[r#"
        1 ok
        2 error
          error | error: interrupted: the cell had not ended
          error |  --> cell 2 (n.livemd:10)
          error |  = help: a loop that is meant to run for long should `yield_now().await` now and then
        3 skipped
          error | not run: the run was interrupted
        1 ok, 1 failed, 1 skipped: 1
    "#]]
    .assert_eq(&ran.story());
    assert!(is_soon_gone(runtime));
}

#[test]
fn loops_on_every_worker_are_ended_too_and_by_whoever_ends_programs() {
    let loops = "for _ in 0..64 {\n    spawn(async { loop {} });\n}";
    let notebook = Notebook::of(&[&format!("{loops}\n{LOOP}"), "1"]);
    let child = start(&mut notebook.command(&["--json"]));
    let runtime = runtime_of(&child);
    wait_for(&notebook.path().join("running"));
    let ran = end_with(Signal::SIGTERM, child);
    assert_eq!(ran.code, Some(1));
    assert!(is_soon_gone(runtime));
}

#[test]
fn a_runtime_goes_with_its_notebook() {
    let notebook = Notebook::of(&[LOOP]);
    let child = start(&mut notebook.command(&["--json"]));
    let runtime = runtime_of(&child);
    wait_for(&notebook.path().join("running"));
    signal(&child, Signal::SIGKILL);
    finish(child);
    assert!(is_soon_gone(runtime));
}

#[test]
fn a_compilation_is_ended_with_all_that_it_started() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let linker = folder.path().join("cc");
    // A linker that says who it is and then takes a very long time.
    fs::write(&linker, "#!/bin/sh\necho $$ > \"$STARTED\"\nexec sleep 1000\n").expect("it can be written");
    fs::set_permissions(&linker, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let path = std::env::var("PATH").unwrap_or_default();
    let started = folder.path().join("started");
    // Never compiled before, as no two runs of this test have the same folder.
    let notebook = Notebook::of(&[&format!("{:?}", started.display().to_string()), "1"]);
    let mut command = notebook.command(&["--json"]);
    command.env("PATH", format!("{}:{path}", folder.path().display())).env("STARTED", &started);
    let child = start(&mut command);
    let linker: u32 = wait_for(&started).trim().parse().expect("it is a number");
    let tools = children(child.id());
    let ran = interrupt(child);
    expect![[r#"
        1 error
          error | error: the compilation was cancelled
          error |  --> cell 1 (n.livemd:6)
        2 skipped
          error | not run: the run was interrupted
        0 ok, 1 failed, 1 skipped: 1
    "#]]
    .assert_eq(&ran.story());
    assert!(is_soon_gone(linker));
    assert!(tools.into_iter().all(|(pid, _)| is_soon_gone(pid)));
}

#[test]
fn the_building_of_a_prelude_is_ended() {
    let cache = tempfile::tempdir().expect("a temporary folder can be made");
    let notebook = Notebook::of(&["1"]);
    let mut command = notebook.command(&["--json"]);
    let child = start(command.env("GREENROOM_CACHE", cache.path()));
    let cargo = || children(child.id()).into_iter().find(|(_, name)| name == "cargo");
    let (cargo, _) = poll(PATIENCE, cargo).expect("it starts cargo");
    let ran = interrupt(child);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.ends_with("error: the building of the prelude was cancelled\n"), "{}", ran.stderr);
    assert!(is_soon_gone(cargo));
}

#[test]
fn waiting_for_another_program_that_builds_is_said_and_can_be_ended() {
    let cache = tempfile::tempdir().expect("a temporary folder can be made");
    let lock = fs::File::create(cache.path().join("preludes.lock")).expect("it can be written");
    lock.lock().expect("nobody else knows it");
    let notebook = Notebook::of(&["1"]);
    let mut command = notebook.command(&["--json"]);
    let mut child = start(command.env("GREENROOM_CACHE", cache.path()));
    let mut said = [0; 49];
    let stderr = child.stderr.as_mut().expect("it is a pipe");
    stderr.read_exact(&mut said).expect("it says what it waits for");
    assert_eq!(String::from_utf8_lossy(&said), "building the prelude: 0, another program is at it");
    let ran = interrupt(child);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.ends_with("error: the building of the prelude was cancelled\n"), "{}", ran.stderr);
}
