//! The document view: the whole notebook on a terminal, to be looked at, edited in place and evaluated. Several of them
//! may show the same notebook.
//!
//! Owns the terminal while it is there. What keys mean is for `state`, how it looks for `draw`.

mod asked;
mod draw;
mod edit;
mod inputs;
mod keys;
mod state;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event,
};
use crossterm::{execute, terminal};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::seat;
use crate::live::Handle;
use crate::session::{End, Update};
use state::{State, Wish};

/// Between looks at whether the view is still there, a key may wait so long to be heard by somebody else.
const LOOK: Duration = Duration::from_millis(100);
/// A clock moves so often.
const TICK: Duration = Duration::from_millis(100);
/// What is typed is told to others when the hand rests for so long.
const REST: Duration = Duration::from_millis(400);

/// Something that the view hears.
enum Heard {
    Notebook(Update),
    Terminal(Event),
    Lost,
}

/// What it means that a person leaves the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// The notebook is closed: for everyone, and with what was not saved.
    Closes,
    /// The notebook stays open.
    Stays,
}

/// Shows a notebook until the person leaves, or it ends: then it says why.
///
/// # Errors
/// What the terminal says.
pub fn view(handle: &Handle, leaving: Leaving) -> io::Result<Option<End>> {
    let (tell, heard) = mpsc::channel();
    let notebook = tell.clone();
    let told = move |update| drop(notebook.send(Heard::Notebook(update)));
    let Ok(client) = handle.join_with(&seat("view"), told) else {
        return Ok(Some(End::Closed));
    };
    let screen = Screen::enter()?;
    let listener = Listener::start(tell);
    let done = serve(handle, leaving, &heard);
    drop(listener);
    drop(screen);
    handle.leave(client);
    done
}

fn serve(handle: &Handle, leaving: Leaving, heard: &mpsc::Receiver<Heard>) -> io::Result<Option<End>> {
    let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
    let mut state = State::new(leaving);
    let mut typed: Option<Instant> = None;
    loop {
        let patience = match (typed, state.moves()) {
            (Some(since), _) => Some(REST.saturating_sub(since.elapsed())),
            (None, true) => Some(TICK),
            (None, false) => None,
        };
        let first = match patience {
            Some(patience) => heard.recv_timeout(patience),
            None => heard.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match first {
            Ok(first) => {
                // What has come together is drawn together.
                for heard in std::iter::once(first).chain(heard.try_iter().take(1_000)) {
                    match heard {
                        Heard::Notebook(Update::Closed(end)) => return Ok(Some(end)),
                        Heard::Notebook(update) => state.update(&update),
                        Heard::Terminal(event) => {
                            state.event(&event);
                            typed = state.edited.is_some().then(Instant::now);
                            if wishes(handle, &mut state) {
                                return Ok(None);
                            }
                        }
                        Heard::Lost => return Ok(None),
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) if typed.is_some_and(|since| since.elapsed() >= REST) => {
                typed = None;
                state.tell();
                if wishes(handle, &mut state) {
                    return Ok(None);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
        }
        terminal.draw(|frame| draw::draw(frame, &mut state))?;
    }
}

/// Does what is to be done. True if the person leaves.
fn wishes(handle: &Handle, state: &mut State) -> bool {
    for wish in state.take_wishes() {
        let done = match wish {
            Wish::Apply(operation) => handle.apply(operation).map_err(|error| error.to_string()),
            Wish::Interrupt => {
                handle.interrupt();
                Ok(())
            }
            Wish::Save => {
                let saved = handle.save(None);
                if saved.is_ok() {
                    state.said = Some("saved".to_owned());
                }
                saved
            }
            Wish::Leave => return true,
        };
        if let Err(why) = done {
            state.said = Some(why);
        }
    }
    false
}

/// Hears the terminal on a thread of its own, until it is dropped.
struct Listener {
    is_over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Listener {
    fn start(tell: mpsc::Sender<Heard>) -> Listener {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        let listen = move || {
            while !over.load(Ordering::Relaxed) {
                let heard = match event::poll(LOOK) {
                    Ok(false) => continue,
                    Ok(true) => event::read().map_or(Heard::Lost, Heard::Terminal),
                    Err(_) => Heard::Lost,
                };
                let is_lost = matches!(heard, Heard::Lost);
                if tell.send(heard).is_err() || is_lost {
                    return;
                }
            }
        };
        Listener { is_over, thread: Some(std::thread::spawn(listen)) }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It ends by itself within a moment; a panic of it was shown.
            let _ = thread.join();
        }
    }
}

/// The terminal's other screen; it is left however this ends.
struct Screen;

impl Screen {
    fn enter() -> io::Result<Screen> {
        terminal::enable_raw_mode()?;
        let screen = Screen;
        execute!(io::stdout(), terminal::EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs no mending.
        let mut out = io::stdout();
        let _ = execute!(out, DisableBracketedPaste, DisableMouseCapture, terminal::LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
        let _ = out.flush();
    }
}
