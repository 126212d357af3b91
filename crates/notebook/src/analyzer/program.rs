//! rust-analyzer as a child process: messages go in and come out, each way on a thread.

use std::io::{self, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use lsp_server::Message;

/// How far it steps back before other programs.
const NICE: i32 = 10;

/// A rust-analyzer that runs. It ends with this value.
#[derive(Debug)]
pub struct Program {
    child: Child,
    said: mpsc::Sender<Message>,
}

impl Program {
    /// Starts it. `heard` is told what it says, on a thread of its own, and last of all nothing.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(program: &Path, mut heard: impl FnMut(Option<Message>) + Send + 'static) -> io::Result<Program> {
        let mut command = Command::new(program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // A process group of its own: Ctrl-C is not for it. What people wait for goes first; it is no worse without that.
        let mut child = command.process_group(0).spawn()?;
        let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let _ = rustix::process::setpriority_pgrp(group, NICE);
        let (said, to_say) = mpsc::channel::<Message>();
        if let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) {
            // It ends with the last sender, or the program.
            std::thread::spawn(move || while to_say.recv().is_ok_and(|message| message.write(&mut stdin).is_ok()) {});
            std::thread::spawn(move || {
                let mut stdout = BufReader::new(stdout);
                while let Ok(Some(message)) = Message::read(&mut stdout) {
                    heard(Some(message));
                }
                heard(None);
            });
        }
        Ok(Program { child, said })
    }

    /// Says something to it. Whether it has ended is heard.
    pub fn say(&self, message: Message) {
        let _ = self.said.send(message);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only if it has ended and was collected already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
