//! The REPL: every input is a cell of a live notebook, or a command. On a terminal one types with an editor; piped, it
//! prints what the inputs come to, and nothing else. The notebook is its own, or one that another terminal has open.
//!
//! The prompt is there before the notebook is: what is needed for the first cell is made ready behind it.

mod ahead;
mod cells;
mod documents;
mod ending;
mod follow;
mod frames;
mod input;
mod inputs;
mod leaving;
mod names;
mod others;
mod place;
mod nodes;
mod processes;
mod recover;
mod seen;
mod sinks;

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use console::Style;

use super::commands::{self, Command};
use super::complete::Known;
use super::look::{Look, duration};
use super::members::Members;
use super::screen::Screen;
use super::seat;
use super::syntax::meant;
use super::typing::Shared;
use super::view::{FOLD, Manner, View};
use crate::announce::Announced;
use crate::live::{ApplyError, Handle, Joined, Live, LiveError, LiveOptions};
use crate::livemd::{Cell, Code, Language, Notebook, Section};
use crate::session::data::{Data, Refusal};
use crate::session::operation::{CellId, Evaluation, Operation, Runtime, SectionId, Structure};
use crate::session::{End, Replica};
use ahead::Ahead;
use follow::{Following, Sink};
use input::{Entered, Input};
use place::Place;
use seen::{Seen, State, Work};
use sinks::Streams;

/// After this time it is shown what is under way.
const SOON: Duration = Duration::from_millis(250);
/// Changes are seen within this time.
const SETTLED: Duration = Duration::from_secs(1);
/// Live frames have so much time to tell what they show last.
const LAST_STATES: Duration = Duration::from_millis(150);
/// How often what is under way is drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// How a REPL begins.
#[derive(Clone, Copy, Debug)]
pub struct ReplOptions {
    /// What `:view` does: it shows the whole notebook until the person is back.
    pub show_document: fn(&Handle) -> io::Result<()>,
    /// No colours, whatever the terminal has.
    pub no_color: bool,
    /// Lines for a screen reader: words in place of marks, and nothing that is drawn again.
    pub screen_reader: bool,
}

/// Reads, evaluates and prints until there is no more input, in a notebook that was joined or else in a new one. True if
/// nothing failed.
///
/// # Errors
/// [`LiveError`], if there is no notebook to evaluate in; what the terminal says, as text.
pub fn repl(options: &ReplOptions, joined: Option<(Joined, Announced)>) -> Result<bool, LiveError> {
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
    let (ahead, members) = (Ahead::default(), Members::default());
    let input = input::open(&view, &screen, &known, &ahead, &members);
    let mut repl = Repl {
        view,
        screen,
        known,
        seen,
        at: match joined {
            Some((joined, session)) => Place::Joined(joined, session),
            None => Place::Own(open(&beginning(), &view, None)?),
        },
        ahead,
        members,
        section: None,
        looked_at: None,
        traces: None,
        show_document: options.show_document,
        finish: None,
        has_failed: false,
        asked_to_leave: false,
    };
    repl.follow();
    repl.catch_interrupts();
    repl.greet();
    Ok(repl.run(input))
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
    at: Place,
    ahead: Ahead,
    members: Members,
    /// The section that inputs go to, if it is not the last of the main flow: a branch.
    section: Option<SectionId>,
    /// The node whose processes commands look at; what cells run in if none.
    looked_at: Option<String>,
    /// The process that is traced, if it is only one.
    traces: Option<greenroom::Pid>,
    show_document: fn(&Handle) -> io::Result<()>,
    /// Says what is still to be said of the notebook when nobody follows it any longer.
    finish: Option<Box<dyn FnOnce()>>,
    has_failed: bool,
    /// Whether the person was told that something is not saved.
    asked_to_leave: bool,
}

impl Repl {
    fn run(mut self, mut input: Box<dyn Input>) -> bool {
        loop {
            let prompt = self.prompt();
            self.aim();
            if self.view.manner != Manner::Piped {
                self.flush();
            }
            if let Err(end) = self.seen.begin_reading() {
                self.ended(&end);
                break;
            }
            let entered = input.next(&prompt);
            self.seen.end_reading();
            match entered {
                Entered::Text(text) if text.trim().is_empty() => {}
                Entered::Text(text) if !self.enter(&text) => break,
                Entered::Text(_) => {}
                Entered::Interrupted => self.asked_to_leave = false,
                Entered::End if self.may_leave("Ctrl-D") => break,
                Entered::End => {}
            }
        }
        self.say_last();
        self.flush();
        self.at.leave(self.view.manner);
        !self.has_failed
    }

    /// Says what frames show when nobody follows the notebook any longer.
    fn say_last(&mut self) {
        if self.seen.lock().live_frames > 0 {
            drop(self.seen.wait_until(LAST_STATES, |state| state.live_frames == 0));
        }
        if let Some(finish) = self.finish.take() {
            finish();
        }
    }

    /// Does what was entered. False if the person leaves.
    fn enter(&mut self, text: &str) -> bool {
        let command = commands::is_command(text).then(|| commands::parse(text));
        // Whoever does something else stays.
        self.asked_to_leave &= matches!(command, Some(Ok(Command::Quit | Command::Open(_) | Command::Recover(_))));
        match command {
            None => {
                self.evaluate(text);
                return true;
            }
            Some(Ok(Command::Quit)) => return !self.may_leave("`:quit`"),
            Some(Ok(command)) => self.obey(command),
            Some(Err(error)) => self.complain(&error.to_string()),
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

    /// The notebook.
    fn at(&self) -> Handle {
        self.at.handle().clone()
    }

    /// The notebook as it is.
    fn data(&self) -> Data {
        self.at().data().unwrap_or_else(|_| Replica::default().data().clone())
    }

    /// Begins to follow a notebook, and to make ready what its first cell needs.
    fn follow(&mut self) {
        fn begin<S: Sink + 'static>(repl: &Repl, handle: &Handle, sink: S) -> Box<dyn FnOnce()> {
            let is_joined = matches!(repl.at, Place::Joined(..));
            let following = Following::new(repl.seen.clone(), repl.known.clone(), repl.view, sink, is_joined);
            let following = Arc::new(Mutex::new(following));
            let follows = following.clone();
            let joined = handle.join_with(&seat("prompt"), move |update| {
                follows.lock().unwrap_or_else(PoisonError::into_inner).update(&update);
            });
            if joined.is_err() {
                repl.seen.end(End::Closed);
            }
            Box::new(move || following.lock().unwrap_or_else(PoisonError::into_inner).finish())
        }
        if let Some(finish) = self.finish.take() {
            finish();
        }
        // Whoever still follows the notebook before has a state of its own.
        self.seen.renew();
        self.screen.forget_frames();
        let handle = self.at();
        self.finish = Some(match self.view.manner {
            Manner::Piped => begin(self, &handle, Streams),
            Manner::Seen | Manner::Heard => begin(self, &handle, self.screen.clone()),
        });
        let is_ready = |state: &State| state.is_there || state.ended.is_some();
        while !is_ready(&self.seen.wait_until(TICK, is_ready)) {}
        match self.at {
            // It is refused where there is one already, which is as good.
            Place::Own(_) => drop(handle.apply(Runtime::Connect)),
            Place::Joined(..) => ending::leave_with(self.seen.clone()),
        }
        self.aim();
    }

    /// Where inputs go.
    fn place(&self) -> Option<SectionId> {
        let state = self.seen.lock();
        self.section.filter(|own| state.lengths.contains_key(own)).or(state.last_section)
    }

    /// Tells those who work ahead where the next input goes.
    fn aim(&self) {
        let target = self.place().map(|section| (self.at(), section));
        self.ahead.aim(target.clone());
        self.members.aim(target);
    }

    /// Adds a cell and evaluates it.
    fn evaluate(&mut self, source: &str) {
        let Some(cell) = self.insert(Cell::Code(Code::new(Language::Rust, meant(source), 0))) else {
            return;
        };
        self.queue(Evaluation::Queue(vec![cell]), vec![cell]);
        // What does not compile never was a cell: the person writes it anew. It waits in the bin for `:undo`.
        if self.seen.lock().refused.take() == Some(cell) {
            // Somebody else may have deleted it.
            let _ = self.apply(Structure::DeleteCell(cell));
        }
    }

    /// Lets something happen to the notebook, and waits until it is seen here, too.
    fn apply(&self, operation: impl Into<Operation>) -> Result<(), ApplyError> {
        let operation = operation.into();
        self.seen.lock().own = Some(operation.clone());
        let done = self.at().apply(operation);
        if done.is_ok() {
            drop(self.seen.wait_until(SETTLED, |state| state.own.is_none()));
        }
        self.seen.lock().own = None;
        done
    }

    /// Adds a cell where inputs go.
    fn insert(&mut self, cell: Cell) -> Option<CellId> {
        // Somebody else may add a cell at the same moment, with the same name.
        for _ in 0..100 {
            let (Some(section), Some(id)) = (self.place(), self.seen.lock().next_id) else { break };
            let insertion = Structure::InsertCell { section, index: usize::MAX, id, cell: Box::new(cell.clone()) };
            match self.apply(insertion) {
                Ok(()) => return Some(id),
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
        match self.apply(operation) {
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
                self.stop();
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

    /// Stops what is awaited; with nobody else there, whatever runs or is made ready.
    fn stop(&self) {
        let (awaited, is_alone) = {
            let state = self.seen.lock();
            (state.awaited.keys().copied().collect::<Vec<_>>(), state.others.is_empty())
        };
        if is_alone {
            return self.at().interrupt();
        }
        for cell in awaited {
            // What has just ended needs no stopping.
            let _ = self.at().apply(Evaluation::Cancel(cell));
        }
    }

    fn catch_interrupts(&self) {
        let seen = self.seen.clone();
        // While the editor reads, Ctrl-C is a key like others.
        let _ = ctrlc::set_handler(move || seen.interrupt());
        ending::leave_when_told();
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
