//! Where a REPL's inputs come from: an editor on a terminal, or lines of a stream.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead};
use std::path::PathBuf;

use rustyline::ExternalPrinter;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;

use super::ahead::Ahead;
use crate::frontend::commands;
use crate::frontend::complete::Known;
use crate::frontend::members::Members;
use crate::frontend::screen::Screen;
use crate::frontend::secrets;
use crate::frontend::syntax::{Completeness, completeness};
use crate::frontend::typing::{self, Shared, Typing};
use crate::frontend::view::{Manner, View};

/// Something was entered.
pub(super) enum Entered {
    /// A whole input.
    Text(String),
    /// Ctrl-C: the person begins anew.
    Interrupted,
    /// Ctrl-D, or the end of the stream.
    End,
}

/// Inputs, one after the other.
pub(super) trait Input {
    /// Waits for the next.
    fn next(&mut self, prompt: &str) -> Entered;
}

/// What suits the program's streams.
pub(super) fn open(
    view: &View,
    screen: &Screen,
    known: &Shared<Known>,
    ahead: &Ahead,
    members: &Members,
) -> Box<dyn Input> {
    match view.manner {
        Manner::Piped => Box::new(Lines),
        Manner::Seen | Manner::Heard => match Editor::open(view, screen, known, ahead, members) {
            Ok(editor) => Box::new(editor),
            // A terminal that cannot be edited on can still be read.
            Err(_) => Box::new(Lines),
        },
    }
}

/// Whole inputs of a stream.
struct Lines;

impl Input for Lines {
    fn next(&mut self, _: &str) -> Entered {
        let mut text = String::new();
        loop {
            let before = text.len();
            match io::stdin().lock().read_line(&mut text) {
                Ok(read) if read > 0 => {}
                // What has no end is for the compiler to explain.
                _ if text.trim().is_empty() => return Entered::End,
                _ => return Entered::Text(text),
            }
            let is_first = text[..before].trim().is_empty();
            if (is_first && commands::is_command(&text))
                || completeness(text.trim_end_matches('\n')) == Completeness::Complete
            {
                return Entered::Text(text);
            }
        }
    }
}

/// Inputs that somebody types.
struct Editor {
    editor: rustyline::Editor<Typing, FileHistory>,
    screen: Screen,
    known: Shared<Known>,
    members: Members,
    history: Option<PathBuf>,
}

impl Editor {
    fn open(
        view: &View,
        screen: &Screen,
        known: &Shared<Known>,
        ahead: &Ahead,
        members: &Members,
    ) -> rustyline::Result<Editor> {
        let mut editor = rustyline::Editor::with_config(typing::config())?;
        editor.set_helper(Some(Typing {
            known: known.clone(),
            screen: screen.clone(),
            look: view.look,
            heard: ahead.listen(),
            members: members.clone(),
            excuse: RefCell::default(),
            is_final: Cell::default(),
        }));
        for (key, handler) in typing::keys() {
            editor.bind_sequence(key, handler);
        }
        let history = history_file();
        if let Some(file) = &history {
            // There is none the first time.
            let _ = editor.load_history(file);
        }
        let mut printer = editor.create_external_printer()?;
        let pumped = screen.clone();
        // The editor draws itself anew after whatever it prints: here nothing, a step up and a line down.
        std::thread::spawn(move || pumped.pump(|| printer.print("\u{1b}[A\n".to_owned()).is_ok()));
        members.begin();
        let (screen, known, members) = (screen.clone(), known.clone(), members.clone());
        Ok(Editor { editor, screen, known, members, history })
    }

    fn remember(&mut self, text: &str) {
        // A history that cannot be kept is no reason not to evaluate.
        let text = secrets::without(text, &self.known.lock().asked).into_owned();
        let _ = self.editor.add_history_entry(text);
        if let Some(file) = &self.history {
            let _ = self.editor.append_history(file);
        }
    }
}

impl Input for Editor {
    fn next(&mut self, prompt: &str) -> Entered {
        self.screen.open();
        let typed = self.screen.take_typed();
        let line = self.editor.readline_with_initial(prompt, (&typed, ""));
        self.screen.close();
        match line {
            Ok(text) => {
                if !text.trim().is_empty() {
                    self.remember(text.trim_end());
                }
                Entered::Text(text)
            }
            Err(ReadlineError::Interrupted) => Entered::Interrupted,
            Err(_) => Entered::End,
        }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        self.screen.end();
        self.members.end();
    }
}

/// The file that inputs are remembered in across sessions: `$GREENROOM_HISTORY`, else in the user's data folder.
fn history_file() -> Option<PathBuf> {
    if let Some(file) = std::env::var_os("GREENROOM_HISTORY").filter(|file| !file.is_empty()) {
        return Some(PathBuf::from(file));
    }
    let folders = directories::ProjectDirs::from("", "", "greenroom")?;
    let folder = folders.data_local_dir();
    std::fs::create_dir_all(folder).ok()?;
    Some(folder.join("history"))
}
