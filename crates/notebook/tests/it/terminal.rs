//! The prompt as a person has it: the real program in a pseudo-terminal, and without one. Nothing here sleeps; each step
//! waits for what the person would wait to see.

mod documents;
mod frames;
mod images;
mod inputs;
mod join;
mod members;
mod nodes;
mod piped;
mod processes;
mod tour;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::support::{cache_folder, prelude};

/// Nothing here takes so long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

const SIZE: PtySize = PtySize { rows: 60, cols: 100, pixel_width: 0, pixel_height: 0 };

/// The program in a terminal, with a folder of its own.
struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    screen: Arc<(Mutex<Shown>, Condvar)>,
    folder: Arc<tempfile::TempDir>,
}

struct Shown {
    parser: vt100::Parser,
    /// All that was written.
    written: Vec<u8>,
    is_over: bool,
}

impl Terminal {
    /// Starts the program and waits for its prompt.
    fn start() -> Terminal {
        let mut terminal = Terminal::with(&[], |_| ());
        terminal.wait("[1]›");
        terminal
    }

    fn with(arguments: &[&str], prepare: impl FnOnce(&Path)) -> Terminal {
        // Built by whoever needs it first, and not on the clock of this test.
        prelude();
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        prepare(folder.path());
        Terminal::again(Arc::new(folder), arguments)
    }

    /// Starts the program once more in the same folder, as the same person.
    fn beside(&self, arguments: &[&str]) -> Terminal {
        Terminal::again(self.folder.clone(), arguments)
    }

    /// Starts the program in a folder that it was in before.
    fn again(folder: Arc<tempfile::TempDir>, arguments: &[&str]) -> Terminal {
        Terminal::in_environment(folder, arguments, &[])
    }

    /// The same with some variables of the environment set.
    fn in_environment(folder: Arc<tempfile::TempDir>, arguments: &[&str], variables: &[(&str, &str)]) -> Terminal {
        let pair = native_pty_system().openpty(SIZE).expect("there are pseudo-terminals");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_greenroom"));
        command.args(arguments);
        command.cwd(folder.path());
        command.env("GREENROOM_CACHE", cache_folder());
        command.env("GREENROOM_HISTORY", folder.path().join("history"));
        command.env("GREENROOM_COOKIE", folder.path().join("cookie"));
        command.env("XDG_DATA_HOME", folder.path().join("data"));
        command.env("XDG_RUNTIME_DIR", folder.path());
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        command.env_remove("VISUAL");
        command.env("EDITOR", folder.path().join("editor"));
        variables.iter().for_each(|(name, value)| command.env(name, value));
        let child = pair.slave.spawn_command(command).expect("the program starts");
        let mut reader = pair.master.try_clone_reader().expect("it can be read");
        let writer = pair.master.take_writer().expect("it can be written to");
        let shown = Shown { parser: vt100::Parser::new(SIZE.rows, SIZE.cols, 0), written: Vec::new(), is_over: false };
        let screen = Arc::new((Mutex::new(shown), Condvar::new()));
        let drawn = screen.clone();
        std::thread::spawn(move || {
            let mut piece = [0; 1 << 14];
            loop {
                let read = reader.read(&mut piece).unwrap_or(0);
                let mut shown = drawn.0.lock().expect("nobody panics with it");
                shown.parser.process(&piece[..read]);
                shown.written.extend(&piece[..read]);
                shown.is_over = read == 0;
                drop(shown);
                drawn.1.notify_all();
                if read == 0 {
                    return;
                }
            }
        });
        Terminal { child, master: pair.master, writer, screen, folder }
    }

    /// Presses keys.
    fn keys(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).and_then(|()| self.writer.flush()).expect("the terminal is there");
    }

    /// Types a line and presses Enter.
    fn enter(&mut self, line: &str) {
        self.keys(line);
        self.keys("\r");
    }

    /// Waits until the screen shows something.
    fn wait(&mut self, text: &str) -> String {
        self.wait_until(text, |screen| screen.contains(text))
    }

    /// Waits until the screen is so; `what` says how, for the message.
    fn wait_until(&mut self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let begin = Instant::now();
        let mut shown = self.screen.0.lock().expect("nobody panics with it");
        loop {
            let text = shown.parser.screen().contents();
            if is_so(&text) {
                return text;
            }
            let is_late = begin.elapsed() > PATIENCE;
            assert!(!is_late && !shown.is_over, "waiting for {what:?} (over: {}), but:\n{text}", shown.is_over);
            shown = self.screen.1.wait_timeout(shown, Duration::from_secs(1)).expect("nobody panics with it").0;
        }
    }

    /// Whether the screen shows something within a time.
    fn comes(&self, text: &str, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut shown = self.screen.0.lock().expect("nobody panics with it");
        while !shown.parser.screen().contents().contains(text) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            shown = self.screen.1.wait_timeout(shown, left).expect("nobody panics with it").0;
        }
        true
    }

    /// Waits until this was written, seen or not.
    fn wait_written(&mut self, sequence: &str) {
        let begin = Instant::now();
        let mut shown = self.screen.0.lock().expect("nobody panics with it");
        while !String::from_utf8_lossy(&shown.written).contains(sequence) {
            assert!(begin.elapsed() < PATIENCE && !shown.is_over, "waiting for {sequence:?} to be written");
            shown = self.screen.1.wait_timeout(shown, Duration::from_secs(1)).expect("nobody panics with it").0;
        }
    }

    /// Types a line, presses Enter, and waits for what comes of it and for the next prompt. Clears the screen before.
    fn asks(&mut self, line: &str, answer: &str) -> String {
        self.prompt();
        // Ctrl-L: only what comes of this line is looked at.
        self.keys("\u{c}");
        self.wait_until("a clear screen", |screen| screen.trim().lines().count() == 1);
        self.enter(line);
        self.wait_until(answer, |screen| {
            let lines: Vec<_> = screen.trim().lines().collect();
            let is_answered = lines.get(1..).is_some_and(|rest| rest.join("\n").contains(answer));
            is_answered && is_prompting(screen)
        })
    }

    /// Waits for an empty prompt: what is typed between two of them may be lost.
    fn prompt(&mut self) {
        self.wait_until("an empty prompt", is_prompting);
    }

    /// Waits until it has ended. Returns the exit code, and what the screen shows then.
    fn ended(&mut self) -> (u32, String) {
        let mut shown = self.screen.0.lock().expect("nobody panics with it");
        while !shown.is_over {
            let (next, waited) = self.screen.1.wait_timeout(shown, PATIENCE).expect("nobody panics with it");
            assert!(!waited.timed_out(), "it does not end:\n{}", next.parser.screen().contents());
            shown = next;
        }
        let text = shown.parser.screen().contents();
        drop(shown);
        (self.child.wait().expect("it is our child").exit_code(), text)
    }

    /// Kills it, and leaves its folder as it was.
    fn killed(mut self) -> Arc<tempfile::TempDir> {
        use nix::sys::signal::{Signal, kill};
        let pid = self.child.process_id().expect("it runs").cast_signed();
        kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL).expect("it is our child");
        self.child.wait().expect("it is our child");
        self.folder
    }

    /// Leaves by Ctrl-D, twice where it asks. Returns the exit code.
    fn leave(mut self) -> (u32, Arc<tempfile::TempDir>) {
        self.prompt();
        // Ctrl-L: what it says now is looked at.
        self.keys("\u{c}\u{4}");
        let mut shown = self.screen.0.lock().expect("nobody panics with it");
        while !shown.is_over && !shown.parser.screen().contents().contains("Ctrl-D once more leaves without") {
            let (next, waited) = self.screen.1.wait_timeout(shown, PATIENCE).expect("nobody panics with it");
            assert!(!waited.timed_out(), "it does not leave:\n{}", next.parser.screen().contents());
            shown = next;
        }
        let is_over = shown.is_over;
        drop(shown);
        if !is_over {
            self.prompt();
            self.keys("\u{4}");
        }
        let status = self.child.wait().expect("it ends");
        (status.exit_code(), self.folder)
    }
}

/// Whether the last line is a prompt with nothing behind it.
fn is_prompting(screen: &str) -> bool {
    let last = screen.trim_end().lines().next_back().unwrap_or_default();
    last.starts_with(['[', 'c']) && last.trim_end().ends_with(['›', '⑂', ':'])
}

/// What a script does instead of an editor.
fn editor(folder: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    let file: PathBuf = folder.join("editor");
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("it can be written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("it can be changed");
}

/// The program without a terminal.
fn piped(folder: &Path) -> Command {
    prelude();
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.current_dir(folder).env("GREENROOM_CACHE", cache_folder()).env("GREENROOM_COOKIE", folder.join("cookie"));
    command.env("XDG_DATA_HOME", folder.join("data")).env("XDG_RUNTIME_DIR", folder);
    command
}
