//! What the document view shows and what keys, the mouse and the notebook do to it. A function of data: it says what is
//! to be done to the notebook, and others do it.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use super::Leaving;
use super::edit::{Edited, Motion};
use super::keys::{Asked, Pressed, meaning};
use crate::session::data::{Data, text};
use crate::session::operation::{CellId, InputId, Operation, Structure};
use crate::session::{Replica, Update};

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wish {
    /// Let this happen to the notebook.
    Apply(Operation),
    Interrupt,
    Save,
    Leave,
}

/// What the view shows.
pub(super) struct State {
    pub(super) replica: Replica,
    pub(super) focus: Option<CellId>,
    pub(super) edited: Option<Edited>,
    /// The line of a question, and what is typed there.
    pub(super) question: Option<(Question, String)>,
    pub(super) has_outline: bool,
    pub(super) has_help: bool,
    /// The cells whose outputs are shown whole.
    pub(super) unfolded: HashSet<CellId>,
    /// When each cell that runs was first seen to.
    pub(super) since: HashMap<CellId, Instant>,
    /// The first line that is seen, of all lines of the document.
    pub(super) top: usize,
    /// Whether the focus is to be brought into sight.
    pub(super) follows: bool,
    /// What there is to say.
    pub(super) said: Option<String>,
    /// The keys of something that has begun.
    pub(super) pressed: String,
    /// Where things were drawn last, for the mouse.
    pub(super) drawn: Drawn,
    /// What leaving means.
    pub(super) leaving: Leaving,
    pub(super) asked_to_leave: bool,
    /// The cell that was asked for and is not there yet.
    pub(super) coming: Option<CellId>,
    pub(super) wishes: Vec<Wish>,
}

/// What is asked for on the last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Section,
    Branch,
    Input(InputId),
}

/// What stands on a line of the screen: a cell, and the line and column of its text that it begins with, if it is text.
pub(super) type Place = (Option<CellId>, Option<(usize, usize)>);

/// Where things were drawn.
#[derive(Default)]
pub(super) struct Drawn {
    pub(super) cells: Rect,
    pub(super) outline: Rect,
    /// For each line of the cells' area what stands there.
    pub(super) lines: Vec<Place>,
    /// For each line of the outline the cell that its section begins with.
    pub(super) sections: Vec<Option<CellId>>,
    /// How wide the numbers before a cell's text are.
    pub(super) gutter: u16,
}

impl State {
    pub(super) fn new(leaving: Leaving) -> State {
        State {
            leaving,
            replica: Replica::default(),
            focus: None,
            edited: None,
            question: None,
            has_outline: true,
            has_help: false,
            unfolded: HashSet::new(),
            since: HashMap::new(),
            top: 0,
            follows: true,
            said: None,
            pressed: String::new(),
            drawn: Drawn::default(),
            asked_to_leave: false,
            coming: None,
            wishes: Vec::new(),
        }
    }

    pub(super) fn data(&self) -> &Data {
        self.replica.data()
    }

    /// What is to be done, and is not any more.
    pub(super) fn take_wishes(&mut self) -> Vec<Wish> {
        std::mem::take(&mut self.wishes)
    }

    /// Whether something moves by itself: a clock.
    pub(super) fn moves(&self) -> bool {
        !self.data().evaluating().is_empty()
    }

    /// Something has happened to the notebook.
    pub(super) fn update(&mut self, update: &Update) {
        let place = self.focus.and_then(|focus| self.cells().iter().position(|cell| *cell == focus));
        self.replica.follow(update);
        let cells = self.cells();
        if self.coming.is_some_and(|coming| cells.contains(&coming)) {
            self.coming = None;
        }
        if self.coming.is_none() && self.focus.is_none_or(|focus| !cells.contains(&focus)) {
            self.edited = None;
            self.focus = cells.get(place.unwrap_or(0)).or(cells.last()).copied();
        }
        let focused = self.focus.and_then(|focus| self.data().document().cell(focus)).map(|cell| text(cell).to_owned());
        if let (Some(edited), Some(text)) = (&mut self.edited, focused) {
            edited.rebase(&text);
        }
        let data = self.replica.data();
        let running: Vec<CellId> = data.evaluating().iter().copied().collect();
        self.since.retain(|cell, _| running.contains(cell));
        for cell in running {
            self.since.entry(cell).or_insert_with(Instant::now);
        }
    }

    /// The cells that can have the focus, from the top.
    pub(super) fn cells(&self) -> Vec<CellId> {
        self.data().document().cells().collect()
    }

    /// Somebody has done something.
    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(*key),
            Event::Paste(text) => match (&mut self.question, &mut self.edited) {
                (Some((_, answer)), _) => answer.push_str(text.lines().next().unwrap_or("")),
                (None, Some(edited)) => edited.insert(&text.replace("\r\n", "\n").replace('\r', "\n")),
                (None, None) => {}
            },
            Event::Mouse(mouse) => self.mouse(*mouse),
            Event::Key(_) | Event::Resize(..) | Event::FocusGained | Event::FocusLost => {}
        }
    }

    fn key(&mut self, key: KeyEvent) {
        self.said = None;
        self.follows = true;
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if control => return self.wishes.push(Wish::Interrupt),
            KeyCode::Char('s') if control => return self.save(),
            _ => {}
        }
        if self.has_help {
            self.has_help = false;
        } else if self.question.is_some() {
            self.answer(key);
        } else if self.edited.is_some() {
            self.edit(key);
        } else {
            self.navigate(key);
        }
    }

    fn answer(&mut self, key: KeyEvent) {
        let Some((question, answer)) = &mut self.question else { return };
        match key.code {
            KeyCode::Char(char) => answer.push(char),
            KeyCode::Backspace => drop(answer.pop()),
            KeyCode::Enter => {
                let (question, said) = (*question, answer.trim().to_owned());
                self.question = None;
                match question {
                    Question::Input(input) => self.answer_input(input, &said),
                    Question::Section | Question::Branch if said.is_empty() => {}
                    Question::Section | Question::Branch => self.begin_section(question, said),
                }
            }
            KeyCode::Esc => self.question = None,
            _ => {}
        }
    }

    fn edit(&mut self, key: KeyEvent) {
        let Some(edited) = &mut self.edited else { return };
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let page = usize::from(self.drawn.cells.height.max(4)) - 2;
        let word = control || alt;
        match key.code {
            KeyCode::Esc => self.end_editing(),
            KeyCode::Enter if word => {
                self.tell();
                self.ask(Asked::Evaluate);
            }
            KeyCode::Enter => edited.line_break(),
            KeyCode::Tab => edited.insert("    "),
            KeyCode::Backspace if word => edited.cut_word(),
            KeyCode::Backspace => edited.backspace(),
            KeyCode::Delete => edited.delete(),
            KeyCode::Left => drop(edited.go(if word { Motion::WordLeft } else { Motion::Left })),
            KeyCode::Right => drop(edited.go(if word { Motion::WordRight } else { Motion::Right })),
            KeyCode::Up => drop(edited.go(Motion::Up)),
            KeyCode::Down => drop(edited.go(Motion::Down)),
            KeyCode::Home => drop(edited.go(if control { Motion::Start } else { Motion::LineStart })),
            KeyCode::End => drop(edited.go(if control { Motion::End } else { Motion::LineEnd })),
            KeyCode::PageUp => drop(edited.go(Motion::PageUp(page))),
            KeyCode::PageDown => drop(edited.go(Motion::PageDown(page))),
            KeyCode::Char('a') if control => drop(edited.go(Motion::LineStart)),
            KeyCode::Char('e') if control => drop(edited.go(Motion::LineEnd)),
            KeyCode::Char('k') if control => edited.cut_line(),
            KeyCode::Char('w') if control => edited.cut_word(),
            KeyCode::Char('z') if control => {
                self.tell();
                self.apply(Operation::Undo);
            }
            KeyCode::Char('y') if control => {
                self.tell();
                self.apply(Operation::Redo);
            }
            KeyCode::Char(char) if !control => edited.insert(char.encode_utf8(&mut [0; 4])),
            _ => {}
        }
    }

    /// Tells the notebook what was typed.
    pub(super) fn tell(&mut self) {
        if let (Some(cell), Some(edited)) = (self.focus, &mut self.edited)
            && let Some(change) = edited.take_change()
        {
            let (at, removed) = (change.range.start, change.range.len());
            self.apply(Structure::Edit { cell, at, removed, inserted: change.inserted });
        }
    }

    fn end_editing(&mut self) {
        self.tell();
        self.edited = None;
    }

    fn navigate(&mut self, key: KeyEvent) {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let page = usize::from(self.drawn.cells.height);
        match key.code {
            KeyCode::Char('d') if control => self.scroll(page as isize / 2),
            KeyCode::Char('u') if control => self.scroll(-(page as isize) / 2),
            KeyCode::Char(char) if !control => {
                self.pressed.push(char);
                match meaning(&self.pressed) {
                    Pressed::Asked(asked) => {
                        self.pressed.clear();
                        self.ask(asked);
                    }
                    Pressed::More => {}
                    Pressed::Nothing => {
                        self.said = Some(format!("`{}` means nothing here; ? lists the keys", self.pressed));
                        self.pressed.clear();
                    }
                }
            }
            KeyCode::Down => self.ask(Asked::Next),
            KeyCode::Up => self.ask(Asked::Previous),
            KeyCode::Home => self.ask(Asked::First),
            KeyCode::End => self.ask(Asked::Last),
            KeyCode::PageDown => self.scroll(page as isize),
            KeyCode::PageUp => self.scroll(-(page as isize)),
            KeyCode::Enter if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
                self.ask(Asked::Evaluate);
            }
            KeyCode::Enter => self.ask(Asked::Edit),
            _ => self.pressed.clear(),
        }
    }

    /// Moves what is seen, and with it the focus if that would be out of sight.
    fn scroll(&mut self, by: isize) {
        self.top = self.top.saturating_add_signed(by);
        self.follows = false;
    }

    fn mouse(&mut self, mouse: MouseEvent) {
        let at = ratatui::layout::Position { x: mouse.column, y: mouse.row };
        match mouse.kind {
            MouseEventKind::ScrollDown => self.scroll(3),
            MouseEventKind::ScrollUp => self.scroll(-3),
            MouseEventKind::Down(MouseButton::Left) if self.drawn.outline.contains(at) => {
                let line = usize::from(at.y - self.drawn.outline.y);
                if let Some(cell) = self.drawn.sections.get(line).copied().flatten() {
                    self.end_editing();
                    self.focus = Some(cell);
                    self.follows = true;
                }
            }
            MouseEventKind::Down(MouseButton::Left) if self.drawn.cells.contains(at) => {
                let line = usize::from(at.y - self.drawn.cells.y);
                let Some((Some(cell), text)) = self.drawn.lines.get(line).copied() else { return };
                if self.focus != Some(cell) {
                    self.end_editing();
                    self.focus = Some(cell);
                } else if let Some((line, first)) = text {
                    let column = first + usize::from(at.x.saturating_sub(self.drawn.cells.x + self.drawn.gutter));
                    if self.edited.is_none() {
                        self.ask(Asked::Edit);
                    }
                    if let Some(edited) = &mut self.edited {
                        edited.place(line, column);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::session::operation::{Client, ClientId, Visitor};

    struct View {
        state: State,
    }

    impl View {
        fn of(text: &str) -> View {
            let mut state = State::new(Leaving::Closes);
            let data = Data::new(&crate::livemd::parse(text).0);
            state.update(&Update::Joined(Arc::new(data)));
            View { state }
        }

        /// Presses keys, and lets the notebook do what they ask for.
        fn press(&mut self, keys: &str) -> &mut View {
            for key in keys.chars() {
                let code = match key {
                    '\n' => KeyCode::Enter,
                    '\u{1b}' => KeyCode::Esc,
                    char => KeyCode::Char(char),
                };
                self.state.event(&Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
                for wish in self.state.take_wishes() {
                    if let Wish::Apply(operation) = wish {
                        let mut data = self.state.data().clone();
                        if data.apply(&operation).is_ok() {
                            self.state.update(&Update::Happened(Arc::new(operation)));
                        }
                    }
                }
            }
            self
        }

        fn text(&self) -> String {
            crate::livemd::print(&self.state.data().document().to_notebook())
        }
    }

    const TWO: &str = "# N\n\n## S\n\n```rust\n1\n```\n\n```rust\n2\n```\n";

    #[test]
    fn cells_are_added_edited_moved_and_deleted() {
        let mut view = View::of(TWO);
        view.press("nlet a = 3;\u{1b}");
        assert_eq!(view.text(), TWO.replace("```rust\n2", "```rust\nlet a = 3;\n```\n\n```rust\n2"));
        view.press("J");
        assert_eq!(view.text(), TWO.to_owned() + "\n```rust\nlet a = 3;\n```\n");
        view.press("dd");
        assert_eq!(view.text(), TWO);
        view.press("u");
        assert!(view.text().contains("let a = 3;"));
    }

    #[test]
    fn sections_and_branches_are_named_as_they_begin() {
        let mut view = View::of(TWO);
        view.press("BBeside\n");
        assert!(
            view.text().contains("<!-- livebook:{\"branch_parent_index\":0} -->\n\n## Beside\n"),
            "{}",
            view.text()
        );
        view.press("SAfter\n{i7\u{1b}");
        assert!(view.text().contains("## After"), "{}", view.text());
    }

    #[test]
    fn cells_are_evaluated_by_the_keys_of_livebook() {
        let mut view = View::of(TWO);
        view.press("Gee");
        let (first, last) = (view.state.cells()[0], view.state.cells()[1]);
        assert_eq!(view.state.focus, Some(last));
        assert!(view.state.data().queued().contains(&last));
        assert!(view.state.data().queued().contains(&first));
        view.press("ex");
        assert!(!view.state.data().queued().contains(&last));
    }

    #[test]
    fn leaving_with_something_unsaved_asks_once() {
        let mut view = View::of(TWO);
        view.press("nx\u{1b}");
        view.state.event(&Event::Key(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE)));
        assert_eq!(view.state.take_wishes(), []);
        assert!(view.state.said.as_deref().is_some_and(|said| said.starts_with("not saved")));
        view.state.event(&Event::Key(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE)));
        assert_eq!(view.state.take_wishes(), [Wish::Leave]);
    }

    #[test]
    fn leaving_what_others_are_at_asks_once_unless_it_stays_open() {
        let join = |client: u64, name: &str, process| {
            let visitor = Visitor { name: name.to_owned(), process };
            Update::Happened(Arc::new(Client::Join { client: ClientId(client), visitor }.into()))
        };
        for (leaving, asks) in [(Leaving::Closes, true), (Leaving::Stays, false)] {
            let mut view = View::of(TWO);
            view.state.leaving = leaving;
            view.state.update(&join(1, "view", std::process::id()));
            view.state.update(&join(2, "prompt on pts/9", 0));
            let quit = Event::Key(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE));
            view.state.event(&quit);
            if asks {
                assert_eq!(view.state.take_wishes(), []);
                let said = "this closes the notebook for prompt on pts/9, too: q once more closes it";
                assert_eq!(view.state.said.as_deref(), Some(said));
                view.state.event(&quit);
            }
            assert_eq!(view.state.take_wishes(), [Wish::Leave]);
        }
    }
}
