//! The REPL: every input is a cell of a live notebook, or a command. On a terminal one types with an editor; piped, it
//! prints what the inputs come to, and nothing else.
//!
//! The prompt is there before the notebook is: what is needed for the first cell is made ready behind it.

mod ahead;
mod documents;
mod follow;
mod input;
mod nodes;
mod processes;
mod recover;

use std::collections::{HashMap, HashSet};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use console::Style;
use nix::sys::termios::{SetArg, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGTERM};
use signal_hook::iterator::Signals;

use super::commands::{self, Command};
use super::complete::Known;
use super::plain::{Look, duration};
use super::screen::Screen;
use super::syntax::meant;
use super::typing::Shared;
use super::view::{FOLD, Manner, View};
use crate::live::{ApplyError, Handle, Live, LiveError, LiveOptions};
use crate::livemd::{Cell, Code, Language, Notebook, Section};
use crate::session::data::{Data, Refusal};
use crate::session::operation::{CellId, Evaluation, Runtime, SectionId, Structure};
use crate::session::{Library, Replica};
use ahead::Ahead;
use follow::{Following, Seen, Sink, Work};
use input::{Entered, Input};

/// After this time it is shown what is under way.
const SOON: Duration = Duration::from_millis(250);
/// Changes are seen within this time.
const SETTLED: Duration = Duration::from_secs(1);
/// How often what is under way is drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// How a REPL begins.
#[derive(Clone, Copy, Debug)]
pub struct ReplOptions {
    /// What `:view` does: it shows the whole notebook until the person is back.
    pub show_document: fn(&Handle, &str) -> io::Result<()>,
    /// No colours, whatever the terminal has.
    pub no_color: bool,
    /// Lines for a screen reader: words in place of marks, and nothing that is drawn again.
    pub screen_reader: bool,
}

/// Reads, evaluates and prints until there is no more input. True if nothing failed.
///
/// # Errors
/// [`LiveError`], if there is no notebook to evaluate in; what the terminal says, as text.
pub fn repl(options: &ReplOptions) -> Result<bool, LiveError> {
    let mut look = Look::of_stdout();
    if options.no_color {
        look = look.without_colours();
    }
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let manner = match (is_terminal, options.screen_reader) {
        (false, _) => Manner::Piped,
        (true, true) => Manner::Heard,
        (true, false) => Manner::Seen,
    };
    let fold = if manner == Manner::Piped { usize::MAX } else { FOLD };
    let view = View { look, manner, fold };
    let (screen, known, seen) = (Screen::default(), Shared::default(), Seen::default());
    let ahead = Ahead::default();
    let input = input::open(&view, &screen, &known, &ahead);
    let mut repl = Repl {
        view,
        screen,
        known,
        seen,
        live: Some(open(&beginning(), &view, None)?),
        path: None,
        ahead,
        section: None,
        looked_at: None,
        traces: None,
        show_document: options.show_document,
        has_failed: false,
        asked_to_leave: false,
    };
    repl.follow();
    repl.catch_interrupts();
    if manner == Manner::Seen {
        repl.tell(&look.paint(
            Style::new().dim(),
            &format!("greenroom {} · :help for help, Ctrl-D to leave", env!("CARGO_PKG_VERSION")),
        ));
    }
    if manner != Manner::Piped {
        repl.offer_left();
    }
    Ok(repl.run(input))
}

/// Ends the program when it is asked to (`SIGTERM`) or its terminal is gone (`SIGHUP`), and leaves the terminal as it was.
/// What was not saved is in the folder for that.
fn leave_when_told() {
    let before = tcgetattr(io::stdin()).ok();
    let Ok(mut signals) = Signals::new([SIGTERM, SIGHUP]) else { return };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            if let Some(before) = before {
                // A terminal that is gone needs nothing.
                let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &before);
            }
            std::process::exit(128 + signal);
        }
    });
}

/// A notebook without cells.
fn beginning() -> Notebook {
    let section = Section { name: crate::livemd::DEFAULT_SECTION.to_owned(), ..Section::default() };
    Notebook { name: crate::livemd::DEFAULT_NAME.to_owned(), sections: vec![section], ..Notebook::default() }
}

fn open(notebook: &Notebook, view: &View, path: Option<&Path>) -> Result<Live, LiveError> {
    let style = if view.look.coloured { crate::draw::Style::Coloured } else { crate::draw::Style::Plain };
    let options = LiveOptions { file: path.map(Path::to_owned), style, columns: view.look.room() };
    Live::open(notebook, options)
}

/// A REPL at work.
struct Repl {
    view: View,
    screen: Screen,
    known: Shared<Known>,
    seen: Seen,
    /// Missing only while one notebook takes the place of another.
    live: Option<Live>,
    ahead: Ahead,
    path: Option<PathBuf>,
    /// The section that inputs go to, if it is not the last of the main flow: a branch.
    section: Option<SectionId>,
    /// The node whose processes commands look at; what cells run in if none.
    looked_at: Option<String>,
    /// The process that is traced, if it is only one.
    traces: Option<greenroom::Pid>,
    show_document: fn(&Handle, &str) -> io::Result<()>,
    has_failed: bool,
    /// Whether the person was told that something is not saved.
    asked_to_leave: bool,
}

impl Sink for Screen {
    fn say(&self, text: &str) {
        Screen::say(self, text);
    }

    fn complain(&self, text: &str) {
        Screen::say(self, text);
    }
}

/// Straight to the streams of the program.
struct Streams;

impl Sink for Streams {
    fn say(&self, text: &str) {
        // Whoever has closed the stream has seen enough; the next input ends the program.
        let _ = io::stdout().write_all(text.as_bytes());
    }

    fn complain(&self, text: &str) {
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

impl Repl {
    fn run(mut self, mut input: Box<dyn Input>) -> bool {
        loop {
            let prompt = self.prompt();
            self.aim();
            if self.view.manner != Manner::Piped {
                self.flush();
            }
            match input.next(&prompt) {
                Entered::Text(text) if text.trim().is_empty() => {}
                Entered::Text(text) => {
                    self.asked_to_leave = false;
                    if !self.enter(&text) {
                        break;
                    }
                }
                Entered::Interrupted => self.asked_to_leave = false,
                Entered::End if self.may_leave() => break,
                Entered::End => {}
            }
        }
        self.flush();
        self.give_up();
        !self.has_failed
    }

    /// Ends the notebook. What was not saved is gone, as the person has said; if the terminal is, nobody has said so.
    fn give_up(&mut self) {
        if let Some(live) = self.live.take() {
            if self.view.manner == Manner::Piped || tcgetattr(io::stdin()).is_ok() {
                live.handle().discard();
            }
            live.close();
        }
    }

    /// Does what was entered. False if the person leaves.
    fn enter(&mut self, text: &str) -> bool {
        if !commands::is_command(text) {
            self.evaluate(text);
            return true;
        }
        match commands::parse(text) {
            Ok(Command::Quit) => return !self.may_leave(),
            Ok(command) => self.obey(command),
            Err(error) => self.complain(&error.to_string()),
        }
        self.flush();
        true
    }

    fn prompt(&self) -> String {
        let state = self.seen.lock();
        let number = state.count + 1;
        let place = |before: &str| state.node.as_ref().map_or_else(String::new, |node| format!("{before}{node}"));
        match (self.view.manner, self.section) {
            (Manner::Heard, _) => format!("cell {number}{}: ", place(" on ")),
            (_, Some(_)) => format!("[{number}]{}⑂ ", place(" ")),
            (_, None) => format!("[{number}]{}› ", place(" ")),
        }
    }

    /// Whether the person may leave now: nothing is lost, or they were told.
    fn may_leave(&mut self) -> bool {
        let (is_dirty, count) = {
            let state = self.seen.lock();
            (state.is_dirty, state.count)
        };
        if self.view.manner == Manner::Piped || self.asked_to_leave || !is_dirty || count == 0 {
            return true;
        }
        self.asked_to_leave = true;
        self.tell(&format!("{count} cells are not saved: `:save FILE` saves them, Ctrl-D once more leaves without"));
        false
    }

    /// The notebook.
    fn at(&self) -> Handle {
        match &self.live {
            Some(live) => live.handle().clone(),
            None => unreachable!("there is a notebook except while it is replaced"),
        }
    }

    /// The notebook as it is.
    fn data(&self) -> Data {
        self.at().data().unwrap_or_else(|_| Replica::default().data().clone())
    }

    /// Begins to follow a notebook, and to make ready what its first cell needs.
    fn follow(&mut self) {
        fn begin<S: Sink + 'static>(repl: &Repl, handle: &Handle, library: Library, sink: S) {
            let following = Following {
                seen: repl.seen.clone(),
                known: repl.known.clone(),
                view: repl.view,
                sink,
                library,
                values: HashMap::new(),
                names: HashMap::new(),
                started: HashSet::new(),
                replica: Replica::default(),
            };
            let following = Mutex::new(following);
            // A notebook that was just opened takes everyone.
            let _ = handle.join_with("terminal", move |update| {
                following.lock().unwrap_or_else(PoisonError::into_inner).update(&update);
            });
        }
        *self.seen.lock() = Default::default();
        let handle = self.at();
        let Ok(library) = handle.library() else { return };
        match self.view.manner {
            Manner::Piped => begin(self, &handle, library, Streams),
            Manner::Seen | Manner::Heard => begin(self, &handle, library, self.screen.clone()),
        }
        while !self.seen.wait_until(TICK, |state| state.is_there).is_there {}
        // It is refused where there is one already, which is as good.
        let _ = handle.apply(Runtime::Connect);
        self.aim();
    }

    /// Where inputs go.
    fn place(&self) -> Option<SectionId> {
        let state = self.seen.lock();
        self.section.filter(|own| state.lengths.contains_key(own)).or(state.last_section)
    }

    /// Tells whoever compiles ahead where the next input goes.
    fn aim(&self) {
        self.ahead.aim(self.place().map(|section| (self.at(), section)));
    }

    /// Adds a cell and evaluates it.
    fn evaluate(&mut self, source: &str) {
        let Some(cell) = self.insert(Cell::Code(Code::new(Language::Rust, meant(source), 0))) else {
            return;
        };
        self.queue(Evaluation::Queue(vec![cell]), vec![cell]);
        // What does not compile never was a cell: the person writes it anew. It waits in the bin for `:undo`.
        if self.seen.lock().refused.take() == Some(cell) && self.at().apply(Structure::DeleteCell(cell)).is_ok() {
            self.settle(|state| !state.cells.contains(&cell));
        }
    }

    /// Waits until what has just been changed is seen here, too.
    fn settle(&self, is_so: impl Fn(&follow::State) -> bool) {
        // Somebody else may have changed it back at once.
        drop(self.seen.wait_until(SETTLED, is_so));
    }

    /// Adds a cell where inputs go.
    fn insert(&mut self, cell: Cell) -> Option<CellId> {
        // Somebody else may add a cell at the same moment, with the same name.
        for _ in 0..100 {
            let (Some(section), Some(id)) = (self.place(), self.seen.lock().next_id) else { break };
            let insertion = Structure::InsertCell { section, index: usize::MAX, id, cell: Box::new(cell.clone()) };
            match self.at().apply(insertion) {
                Ok(()) => {
                    self.settle(|state| state.next_id != Some(id));
                    return Some(id);
                }
                Err(ApplyError::Refused(Refusal::NameTaken(_))) => {
                    drop(self.seen.wait_until(TICK, |state| state.next_id != Some(id)));
                }
                Err(refusal) => {
                    self.complain(&refusal.to_string());
                    return None;
                }
            }
        }
        self.complain("there is no section to add a cell to: `:section NAME` begins one");
        None
    }

    /// Has cells evaluated, and waits for these.
    fn queue(&mut self, operation: Evaluation, cells: Vec<CellId>) {
        self.seen.await_cells(cells);
        match self.at().apply(operation) {
            Ok(()) => self.wait(),
            Err(refusal) => {
                self.seen.give_up();
                self.complain(&refusal.to_string());
            }
        }
    }

    /// Waits until what is awaited is done. Ctrl-C stops it.
    fn wait(&mut self) {
        let begin = Instant::now();
        self.seen.lock().interrupts = 0;
        let (mut stopped, mut heard) = (0, 0);
        loop {
            // What is under way stays on the screen while nothing else comes.
            if self.view.manner == Manner::Piped || self.screen.has_news() {
                self.flush();
            }
            let state = self.seen.wait_for_more(TICK, &mut heard);
            let (goes_on, interrupts, doing) = (state.is_awaiting(), state.interrupts, state.doing.clone());
            self.has_failed |= state.has_failed();
            drop(state);
            if !goes_on {
                break;
            }
            if interrupts > stopped {
                stopped = interrupts;
                // What has just ended needs no stopping.
                self.at().interrupt();
                if let Some(doing) = doing.as_ref().filter(|doing| matches!(doing.what, Work::NotYielding(_))) {
                    let end = if self.seen.lock().node.is_some() { "the node ends" } else { "`:restart`" };
                    self.tell(&format!("cell {} has not yielded; it keeps a thread busy until {end}", doing.cell));
                }
            }
            if begin.elapsed() >= SOON
                && let Some(doing) = doing
            {
                let what = match doing.what {
                    Work::WaitingForRuntime(None) => "starting the runtime".to_owned(),
                    Work::WaitingForRuntime(Some(step)) => {
                        format!("building the prelude  {} of {}  {}", step.done, step.total, step.name)
                    }
                    Work::Compiling => format!("compiling [{}]", doing.cell),
                    Work::Running => format!("running [{}]", doing.cell),
                    Work::NotYielding(ms) => format!("running [{}], not yielding for {}", doing.cell, duration(ms)),
                };
                self.under_way(&what, doing.since);
            }
        }
        self.flush();
    }

    fn catch_interrupts(&self) {
        let seen = self.seen.clone();
        // While the editor reads, Ctrl-C is a key like others.
        let _ = ctrlc::set_handler(move || seen.interrupt());
        leave_when_told();
    }

    /// Shows what is under way, below everything else, until something else is said.
    fn under_way(&self, what: &str, since: Instant) {
        if self.view.manner != Manner::Seen {
            return;
        }
        let frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
        let elapsed = since.elapsed();
        let frame = frames[(elapsed.as_millis() / TICK.as_millis()) as usize % frames.len()];
        let line = format!("{frame} {what}  {:.1} s", elapsed.as_secs_f64());
        let line = console::truncate_str(&line, self.view.look.width.saturating_sub(1), "…").into_owned();
        let mut out = io::stdout().lock();
        let _ = write!(out, "\r\u{1b}[K{}", self.view.look.paint(Style::new().dim(), &line));
        let _ = out.flush();
    }

    fn nothing_under_way(&self) {
        if self.view.manner == Manner::Seen {
            let mut out = io::stdout().lock();
            let _ = write!(out, "\r\u{1b}[K");
            let _ = out.flush();
        }
    }

    /// Puts out what waits.
    fn flush(&self) {
        match self.view.manner {
            Manner::Piped => drop(io::stdout().flush()),
            Manner::Seen | Manner::Heard => {
                self.nothing_under_way();
                // A terminal that is gone has nobody to tell.
                let _ = self.screen.flush(&mut io::stdout().lock());
            }
        }
    }

    /// Says something about the work itself.
    fn tell(&self, text: &str) {
        let text = format!("{}\n", text.trim_end_matches('\n'));
        match self.view.manner {
            Manner::Piped => Streams.say(&text),
            Manner::Seen | Manner::Heard => self.screen.say(&text),
        }
    }

    /// Says what is wrong.
    fn complain(&mut self, text: &str) {
        self.has_failed = true;
        let sign = self.view.look.paint(Style::new().red().bold(), "error");
        let text = format!("{sign}: {}\n", text.trim_end_matches('\n'));
        match self.view.manner {
            Manner::Piped => Streams.complain(&text),
            Manner::Seen | Manner::Heard => self.screen.say(&text),
        }
    }
}
