//! One trial in an operating-system process of its own, so that no memory, thread or crash of one contestant
//! is left for the next; and for no longer than it may take.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::allocator::SYSTEM_MALLOC;
use crate::beam;
use crate::built;
use crate::contest::Contestant;

/// How long a trial may take.
const LIMIT: Duration = Duration::from_secs(90);

/// What trials need to run.
pub struct Ground<'a> {
    /// Where the BEAM's trials are compiled; none where it is not installed.
    pub beam: Option<&'a Path>,
    /// Whether the Rust contestants allocate with the system's allocator.
    pub system_malloc: bool,
}

/// The argument with which the program runs a single trial.
pub const TRIAL: &str = "--trial";

impl Ground<'_> {
    /// Runs a trial and returns its figure.
    ///
    /// # Errors
    /// Why there is none, in a few words.
    pub fn run(&self, contestant: Contestant, trial: &str) -> Result<f64, String> {
        let mut command = match contestant {
            Contestant::Beam => beam::command(self.beam.ok_or("not installed")?, trial),
            Contestant::Example(tracing) => built::command(tracing)?,
            _ => {
                let myself = std::env::current_exe().map_err(|error| error.to_string())?;
                let mut command = Command::new(myself);
                command.args([TRIAL, contestant.name(), trial]);
                command
            }
        };
        if self.system_malloc {
            command.env(SYSTEM_MALLOC, "1");
        }
        // Rounds are compared, so what was freed in one is kept for the next. To give it back and have it cleared
        // again would weigh the operating system.
        command.env("MIMALLOC_PURGE_DELAY", "-1");
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
        if !ends(&mut child) {
            // Both fail only if it has ended by itself meanwhile.
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("no answer within {} s", LIMIT.as_secs()));
        }
        let mut text = String::new();
        if let Some(mut stdout) = child.stdout.take() {
            stdout.read_to_string(&mut text).map_err(|error| error.to_string())?;
        }
        let figure = text.trim().parse::<f64>().ok().filter(|figure| figure.is_finite());
        figure.ok_or_else(|| "it failed".to_owned())
    }
}

/// Waits for a process; false if it takes too long.
fn ends(child: &mut Child) -> bool {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        match child.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Ok(Some(_)) | Err(_) => return true,
        }
    }
    false
}
