//! Where lines come out while somebody may be typing: above the prompt, which stays usable, or straight out while
//! there is none.
//!
//! Nobody who has something to say ever waits for the terminal. What it cannot keep up with is bounded: the oldest
//! lines are left out, and it says how many.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::blocks;
use super::graphics::{self, Way};
use super::region::{Region, Room};
use super::waiting::{Line, Waiting};
use crate::image::Image;

/// The most text that goes above the prompt at once: between two such pieces keys are heard.
const PIECE: usize = 16 << 10;

/// Where lines come out. Its clones are one screen.
#[derive(Clone, Default)]
pub(super) struct Screen {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Waiting,
    /// What is drawn again in place, right above the prompt.
    region: Region,
    is_prompting: bool,
    /// How many rows the prompt takes.
    prompt: usize,
    /// Candidates may be listed below the prompt, which then begins anew, as long as its text stays this; it is not known
    /// yet what that is.
    listing: Option<Option<String>>,
    /// How the terminal shows images, once it was asked.
    way: Option<Way>,
    /// What was typed when it was asked.
    typed: String,
    /// A piece is on its way to the editor, which has not drawn itself since.
    is_drawing: bool,
    is_over: bool,
}

impl State {
    /// Whether something is to be put out now.
    fn has_news(&self) -> bool {
        !self.waiting.is_empty() || self.region.due() == Some(Duration::ZERO)
    }

    /// What is to be written where the prompt begins, which takes so many rows.
    fn piece(&mut self, news: &str, prompt: usize) -> String {
        self.region.below(news, room(prompt))
    }
}

fn room(prompt: usize) -> Room {
    let (columns, rows) = crossterm::terminal::size().unwrap_or((80, 24));
    Room { columns: usize::from(columns), rows: usize::from(rows), prompt }
}

impl Screen {
    /// Says something; it comes out when it can.
    pub(super) fn say(&self, text: &str) {
        self.lock().waiting.push(text);
        self.shared.changed.notify_all();
    }

    /// Shows an image, as well as the terminal can.
    pub(super) fn show(&self, image: &Image) {
        self.lock().waiting.push_image(image.clone());
        self.shared.changed.notify_all();
    }

    /// What was typed while the terminal was asked something.
    pub(super) fn take_typed(&self) -> String {
        std::mem::take(&mut self.lock().typed)
    }

    /// What is to be written for what has waited. A terminal is asked how it shows images if nobody reads from it.
    fn written(&self, line: Line, may_ask: bool) -> String {
        let image = match line {
            Line::Text(text) | Line::Drawn(text) => return text,
            Line::Image(image) => image,
        };
        let known = self.lock().way;
        let way = match known {
            None if may_ask => {
                let asked = graphics::ask();
                let mut state = self.lock();
                if let Some((way, typed)) = asked {
                    state.way = Some(way);
                    state.typed.push_str(&typed);
                }
                state.way
            }
            known => known,
        };
        let room = room(1);
        let rows = blocks::MOST_ROWS.min(room.rows * 2 / 3).max(1);
        match image.pixels() {
            Ok(pixels) => graphics::drawn(&pixels, way.unwrap_or(Way::Blocks), (room.columns.saturating_sub(1), rows)),
            Err(why) => image.refusal(&why) + "\n",
        }
    }

    /// A live frame shows this now: it is drawn in place, above the prompt, as long as that is the same.
    pub(super) fn draw(&self, frame: &str, text: &str) {
        self.lock().region.show(frame, text);
        self.shared.changed.notify_all();
    }

    /// A frame has ended; what it has shown last is said, unless it stands there already.
    pub(super) fn settle(&self, frame: &str, last: &str, said: &str) {
        let mut state = self.lock();
        if state.region.end(frame, last) {
            state.waiting.push(said);
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Another notebook is shown from now on.
    pub(super) fn forget_frames(&self) {
        self.lock().region.forget();
    }

    /// Whether something waits to be put out.
    pub(super) fn has_news(&self) -> bool {
        self.lock().has_news()
    }

    /// Puts out what waits, while there is no prompt.
    ///
    /// # Errors
    /// What the stream says.
    pub(super) fn flush(&self, out: &mut dyn Write) -> io::Result<()> {
        loop {
            let line = self.lock().waiting.take(usize::MAX);
            let news = self.written(line, true);
            let mut state = self.lock();
            if news.is_empty() && state.region.due().is_none() {
                return out.flush();
            }
            let piece = state.piece(&news, 1);
            drop(state);
            out.write_all(piece.as_bytes())?;
        }
    }

    /// The prompt is there: from now on lines go above it.
    pub(super) fn open(&self) {
        let mut state = self.lock();
        state.is_prompting = true;
        state.region.begin();
        // A piece that the last prompt has not drawn is drawn by this one.
        state.is_drawing = false;
        drop(state);
        self.shared.changed.notify_all();
    }

    /// What is to be written where the prompt begins, each time before the editor draws itself: what waits, and the live
    /// frames. The editor stands still meanwhile, so that what is taken away is what is there.
    pub(super) fn above(&self, is_last: bool) -> String {
        let mut state = self.lock();
        state.is_drawing = false;
        let piece = match (state.is_prompting, is_last) {
            (false, _) => String::new(),
            (true, true) => {
                let room = room(state.prompt);
                state.region.lift(room)
            }
            (true, false) => {
                let mut news = state.waiting.take_text(PIECE);
                if !news.is_empty() && !news.ends_with(['\n', '\r']) {
                    news.push('\n');
                }
                let prompt = state.prompt;
                match news.is_empty() && state.region.due() != Some(Duration::ZERO) {
                    true => String::new(),
                    false => state.piece(&news, prompt),
                }
            }
        };
        drop(state);
        self.shared.changed.notify_all();
        piece
    }

    /// The prompt is gone, and with it the place of what is still drawn above it.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_prompting = false;
        state.listing = None;
        state.region.hide(false);
        state.region.leave();
    }

    /// The editor draws this text, in so many rows.
    pub(super) fn drawn(&self, text: &str, rows: usize) {
        let mut state = self.lock();
        state.prompt = rows;
        match &state.listing {
            Some(None) => state.listing = Some(Some(text.to_owned())),
            Some(Some(before)) if before != text => {
                state.listing = None;
                state.region.hide(false);
                drop(state);
                self.shared.changed.notify_all();
            }
            Some(Some(_)) | None => {}
        }
    }

    /// The editor may list candidates: where it begins after that, only it knows. `is_first_drawn` says whether it draws
    /// itself before; else what it would write then about the frames would hit the candidates, and they stay.
    pub(super) fn list(&self, is_first_drawn: bool) {
        let mut state = self.lock();
        state.listing = Some(None);
        if !is_first_drawn {
            state.region.stay();
        }
        state.region.hide(true);
    }

    /// Has the editor draw itself, and with it what is new, until the screen is [`Screen::end`]ed. For a thread of its own:
    /// `redraw` may wait.
    pub(super) fn pump(&self, mut redraw: impl FnMut() -> bool) {
        loop {
            let mut state = self.lock();
            while !state.is_over && (!state.has_news() || !state.is_prompting || state.is_drawing) {
                let patience = state.region.due().filter(|_| state.is_prompting && !state.is_drawing);
                state = match patience {
                    Some(patience) => {
                        self.shared.changed.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0
                    }
                    None => self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                };
            }
            if state.is_over {
                return;
            }
            if let Some(image) = state.waiting.take_image() {
                drop(state);
                // Here is the time to draw it, and nobody who types waits for that.
                let text = self.written(Line::Image(image), false);
                self.lock().waiting.put_back(text);
                continue;
            }
            state.is_drawing = true;
            drop(state);
            if !redraw() {
                return;
            }
        }
    }

    /// Nothing more comes out above a prompt.
    pub(super) fn end(&self) {
        self.lock().is_over = true;
        self.shared.changed.notify_all();
    }

    /// Held for moments by whoever says or prints something.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::waiting::WAITING;

    fn flushed(screen: &Screen) -> String {
        let mut out = Vec::new();
        screen.flush(&mut out).expect("memory takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn without_a_prompt_everything_comes_out_in_order() {
        let screen = Screen::default();
        screen.say("a\nb");
        screen.say("c\n");
        assert_eq!(flushed(&screen), "a\nbc\n");
        assert_eq!(flushed(&screen), "");
    }

    #[test]
    fn what_the_terminal_cannot_keep_up_with_is_left_out_from_the_front() {
        let screen = Screen::default();
        for number in 0..200_000 {
            screen.say(&format!("line {number}\n"));
        }
        let text = flushed(&screen);
        assert!(text.len() <= WAITING + 100);
        assert!(text.starts_with("… ") && text.ends_with("line 199999\n"));
        let left_out: usize = text.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number");
        assert_eq!(left_out + text.lines().count() - 1, 200_000);
    }

    #[test]
    fn above_a_prompt_news_are_there_when_the_editor_draws_itself_next() {
        let screen = Screen::default();
        let (asked, redraws) = std::sync::mpsc::channel();
        let pump = {
            let screen = screen.clone();
            std::thread::spawn(move || screen.pump(|| asked.send(()).is_ok()))
        };
        screen.say("before\n");
        assert_eq!(screen.above(false), "", "there is no prompt yet");
        screen.open();
        assert_eq!(redraws.recv(), Ok(()));
        screen.say("and");
        assert!(redraws.try_recv().is_err(), "it was asked already");
        assert_eq!(screen.above(false), "before\nand\n");
        assert_eq!(screen.above(false), "");
        screen.say("1\n");
        assert_eq!(redraws.recv(), Ok(()));
        // The person presses Enter first: it waits for the next prompt, or for whoever writes without one.
        assert_eq!(screen.above(true), "");
        screen.close();
        assert_eq!(flushed(&screen), "1\n");
        screen.end();
        pump.join().expect("it ends");
    }
}
