//! A program in a pseudo-terminal, as a person has it, with the times at which the screen has changed.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Nothing that is measured takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

const SIZE: PtySize = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };

/// A program in a terminal of its own. It is killed when this is dropped.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    screen: Arc<(Mutex<Screen>, Condvar)>,
    /// When it was started.
    pub started: Instant,
    _master: Box<dyn MasterPty + Send>,
}

/// What the terminal shows.
struct Screen {
    parser: vt100::Parser,
    /// When the last of that came.
    at: Instant,
    is_over: bool,
}

impl Terminal {
    /// Starts a program in a folder; its history, cookie and saved notebooks stay there.
    ///
    /// # Errors
    /// Why it did not start.
    pub fn start(program: &Path, arguments: &[&str], folder: &Path) -> Result<Terminal, String> {
        let pair = native_pty_system().openpty(SIZE).map_err(shown)?;
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(folder);
        command.env("GREENROOM_HISTORY", folder.join("history"));
        command.env("GREENROOM_COOKIE", folder.join("cookie"));
        command.env("XDG_DATA_HOME", folder.join("data"));
        command.env("XDG_RUNTIME_DIR", folder);
        command.env("TERM", "xterm-256color");
        let mut reader = pair.master.try_clone_reader().map_err(shown)?;
        let writer = pair.master.take_writer().map_err(shown)?;
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).map_err(shown)?;
        let parser = vt100::Parser::new(SIZE.rows, SIZE.cols, 0);
        let screen = Arc::new((Mutex::new(Screen { parser, at: started, is_over: false }), Condvar::new()));
        let drawn = screen.clone();
        std::thread::spawn(move || {
            let mut piece = [0; 1 << 16];
            loop {
                let read = reader.read(&mut piece).unwrap_or(0);
                let mut screen = lock(&drawn.0);
                screen.at = Instant::now();
                screen.parser.process(&piece[..read]);
                screen.is_over = read == 0;
                drop(screen);
                drawn.1.notify_all();
                if read == 0 {
                    return;
                }
            }
        });
        Ok(Terminal { child, writer, screen, started, _master: pair.master })
    }

    /// Presses keys. Returns when.
    ///
    /// # Errors
    /// If the program is gone.
    pub fn keys(&mut self, keys: &str) -> Result<Instant, String> {
        let at = Instant::now();
        self.writer.write_all(keys.as_bytes()).and_then(|()| self.writer.flush()).map_err(shown)?;
        Ok(at)
    }

    /// Waits until the screen is so; returns when it came.
    ///
    /// # Errors
    /// What it shows instead, if it does not come to that.
    pub fn wait(&self, is_so: impl Fn(&str) -> bool) -> Result<Instant, String> {
        let begin = Instant::now();
        let mut screen = lock(&self.screen.0);
        loop {
            let text = screen.parser.screen().contents();
            if is_so(&text) {
                return Ok(screen.at);
            }
            if screen.is_over || begin.elapsed() > PATIENCE {
                return Err(format!("the screen never came to what it should, but to:\n{text}"));
            }
            screen = self.screen.1.wait_timeout(screen, PATIENCE).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the screen shows something; returns when it came.
    ///
    /// # Errors
    /// As [`wait`](Terminal::wait).
    pub fn see(&self, text: &str) -> Result<Instant, String> {
        self.wait(|screen| screen.contains(text))
    }

    /// Waits until the last line is a prompt with nothing behind it.
    ///
    /// # Errors
    /// As [`wait`](Terminal::wait).
    pub fn prompt(&self) -> Result<Instant, String> {
        self.wait(|screen| {
            screen.trim_end().lines().next_back().is_some_and(|last| last.trim_end().ends_with(['›', '>']))
        })
    }

    /// Whether the screen shows something now.
    pub fn shows(&self, text: &str) -> bool {
        lock(&self.screen.0).parser.screen().contents().contains(text)
    }

    /// The number of the program.
    pub fn id(&self) -> Option<u32> {
        self.child.process_id()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Held for moments by whoever reads or looks.
fn lock(screen: &Mutex<Screen>) -> MutexGuard<'_, Screen> {
    screen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shown(error: impl std::fmt::Display) -> String {
    error.to_string()
}
