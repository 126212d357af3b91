//! The program `greenroom` itself, run on notebooks in temporary folders. What a cell may be is tested
//! beside the compiler; here is what comes of whole runs.

mod again;
mod bounds;
mod check;
mod deaths;
mod examples;
mod expected;
mod export;
mod failures;
mod files;
mod fmt;
mod frames;
mod images;
mod interrupts;
mod odd;
mod output;
mod past;
mod storage;
mod success;
mod tools;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use expect_test::Expect;
use serde_json::Value;

use crate::support::{cache_folder, own_folder, prelude};

/// No run here takes so long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A notebook in a folder of its own, gone when dropped.
struct Notebook {
    folder: tempfile::TempDir,
}

/// A run that is over.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Notebook {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::write(folder.path().join("n.livemd"), text).expect("it can be written");
        Notebook { folder }
    }

    /// A notebook of one section.
    fn of(cells: &[&str]) -> Self {
        let cells: String = cells.iter().map(|cell| format!("```rust\n{cell}\n```\n\n")).collect();
        Self::new(format!("# N\n\n## S\n\n{cells}"))
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program, about to run this notebook in its folder, on the prelude that all tests share.
    fn command(&self, arguments: &[&str]) -> Command {
        // Built by whoever needs it first, and not on the clock of this run.
        prelude();
        let mut command = greenroom();
        command.current_dir(self.path()).arg("run").arg("n.livemd").args(arguments);
        command
    }

    fn run(&self) -> Ran {
        finish(start(&mut self.command(&["--json"])))
    }

    /// Does something else with the notebook.
    fn does(&self, arguments: &[&str]) -> Ran {
        prelude();
        finish(start(greenroom().current_dir(self.path()).args(arguments)))
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path().join("n.livemd")).expect("it can be read")
    }
}

fn greenroom() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command
        .env("GREENROOM_CACHE", cache_folder())
        .env("XDG_DATA_HOME", own_folder())
        .env("XDG_RUNTIME_DIR", own_folder());
    command
}

fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started")
}

/// Waits for the end of a program, but not for ever.
fn finish(mut child: Child) -> Ran {
    let read = |pipe: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut text = String::new();
            pipe.map(|mut pipe| pipe.read_to_string(&mut text)).transpose().expect("it is UTF-8");
            text
        })
    };
    let stdout = read(child.stdout.take().map(|pipe| Box::new(pipe) as _));
    let stderr = read(child.stderr.take().map(|pipe| Box::new(pipe) as _));
    let ended = poll(PATIENCE, || child.try_wait().expect("it is our child"));
    let Some(status) = ended else {
        child.kill().expect("it is our child");
        panic!("it did not end within {PATIENCE:?}")
    };
    let [stdout, stderr] = [stdout, stderr].map(|pipe| pipe.join().expect("it was read"));
    Ran { code: status.code(), stdout, stderr }
}

/// Asks the operating system until there is an answer, but not for ever.
fn poll<T>(patience: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let begin = Instant::now();
    loop {
        let answer = ask();
        if answer.is_some() || begin.elapsed() > patience {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Ran {
    /// The lines of `--json`.
    fn lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }

    /// One of them.
    fn cell(&self, index: u64) -> Value {
        let cell = self.lines().into_iter().find(|line| line["index"] == index);
        cell.unwrap_or_else(|| panic!("no cell {index}: {} {}", self.stdout, self.stderr))
    }

    /// The run without what differs from one to the next, for a person to read.
    fn story(&self) -> String {
        let mut story = String::new();
        for line in self.lines() {
            if line["event"] == "done" {
                let code = self.code.map_or("a signal".to_owned(), |code| code.to_string());
                story +=
                    &format!("{} ok, {} failed, {} skipped: {code}\n", line["ok"], line["failed"], line["skipped"]);
                continue;
            }
            story += &format!("{} {}\n", line["index"], line["status"].as_str().expect("it is a word"));
            for output in line["outputs"].as_array().expect("they are a list") {
                let text = output["text"].as_str().expect("it is text");
                let kind = output["kind"].as_str().expect("it is a word");
                story += &text
                    .lines()
                    .map(|line| format!("  {kind} | {line}").trim_end().to_owned() + "\n")
                    .collect::<String>();
            }
        }
        story
    }
}

/// Runs cells and compares what comes of them.
fn check(cells: &[&str], expected: Expect) {
    expected.assert_eq(&Notebook::of(cells).run().story());
}

/// The processes whose parent is this one, with their names.
fn children(parent: u32) -> Vec<(u32, String)> {
    let status = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/status")).ok();
    let field = |status: &str, key: &str| {
        status.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim().to_owned())
    };
    let entries = std::fs::read_dir("/proc").expect("there is /proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| {
        let status = status(pid)?;
        (field(&status, "PPid:")? == parent.to_string()).then_some((pid, field(&status, "Name:")?))
    })
    .collect()
}

/// Whether a process runs: a dead one that nobody has collected does not.
fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Waits until a process does not run any more. False if that takes too long.
fn is_soon_gone(pid: u32) -> bool {
    poll(Duration::from_secs(10), || (!is_running(pid)).then_some(())).is_some()
}

/// The runtime of a running program.
fn runtime_of(child: &Child) -> u32 {
    let runtime = || children(child.id()).into_iter().find(|(_, name)| "greenroom-runtime".starts_with(name.as_str()));
    poll(PATIENCE, runtime).expect("it starts a runtime").0
}

/// Waits until a file is there.
fn wait_for(file: &PathBuf) -> String {
    let read = || std::fs::read_to_string(file).ok().filter(|text| text.ends_with('\n'));
    poll(PATIENCE, read).unwrap_or_else(|| panic!("{} does not come", file.display()))
}
