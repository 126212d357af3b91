//! Where lines come out while somebody may be typing: above the prompt, which stays usable, or straight out while
//! there is none.
//!
//! Nobody who has something to say ever waits for the terminal. What it cannot keep up with is bounded: the oldest
//! lines are left out, and it says how many.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The most text that waits, in bytes.
const WAITING: usize = 1 << 20;
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
    is_prompting: bool,
    /// A piece is on its way to the editor, which has not drawn itself since.
    is_drawing: bool,
    is_over: bool,
}

/// The lines that have not come out yet.
#[derive(Default)]
struct Waiting {
    lines: VecDeque<String>,
    bytes: usize,
    left_out: usize,
}

impl Waiting {
    fn push(&mut self, text: &str) {
        for line in text.split_inclusive('\n') {
            // A line that goes on is one line.
            match self.lines.back_mut().filter(|last| !last.ends_with('\n')) {
                Some(last) => last.push_str(line),
                None => self.lines.push_back(line.to_owned()),
            }
            self.bytes += line.len();
        }
        while self.bytes > WAITING
            && self.lines.len() > 1
            && let Some(oldest) = self.lines.pop_front()
        {
            self.bytes -= oldest.len();
            self.left_out += 1;
        }
    }

    /// Takes the oldest lines, no more than so many bytes of them, but one at least.
    fn take(&mut self, most: usize) -> String {
        let mut piece = String::new();
        if self.left_out > 0 {
            piece = format!("… {} lines are left out here …\n", std::mem::take(&mut self.left_out));
        }
        while let Some(line) = self.lines.front()
            && (piece.is_empty() || piece.len() + line.len() <= most)
            && let Some(line) = self.lines.pop_front()
        {
            self.bytes -= line.len();
            piece.push_str(&line);
        }
        piece
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl Screen {
    /// Says something; it comes out when it can.
    pub(super) fn say(&self, text: &str) {
        self.lock().waiting.push(text);
        self.shared.changed.notify_all();
    }

    /// Whether something waits to be put out.
    pub(super) fn has_news(&self) -> bool {
        !self.lock().waiting.is_empty()
    }

    /// Puts out what waits, while there is no prompt.
    ///
    /// # Errors
    /// What the stream says.
    pub(super) fn flush(&self, out: &mut dyn Write) -> io::Result<()> {
        loop {
            let piece = self.lock().waiting.take(usize::MAX);
            if piece.is_empty() {
                return out.flush();
            }
            out.write_all(piece.as_bytes())?;
        }
    }

    /// The prompt is there: from now on lines go above it.
    pub(super) fn open(&self) {
        let mut state = self.lock();
        state.is_prompting = true;
        // A piece that the last prompt has not drawn is drawn by this one.
        state.is_drawing = false;
        drop(state);
        self.shared.changed.notify_all();
    }

    /// The prompt is gone.
    pub(super) fn close(&self) {
        self.lock().is_prompting = false;
    }

    /// The editor has drawn itself.
    pub(super) fn drawn(&self) {
        self.lock().is_drawing = false;
        self.shared.changed.notify_all();
    }

    /// Hands lines to the editor until the screen is [`Screen::end`]ed. For a thread of its own: `print` may wait.
    pub(super) fn pump(&self, mut print: impl FnMut(String) -> bool) {
        loop {
            let mut state = self.lock();
            while !state.is_over && (state.waiting.is_empty() || !state.is_prompting || state.is_drawing) {
                state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.is_over {
                return;
            }
            let piece = state.waiting.take(PIECE);
            state.is_drawing = true;
            drop(state);
            if !print(piece) {
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
    fn above_a_prompt_the_next_piece_waits_until_the_last_is_drawn() {
        let screen = Screen::default();
        let (pieces, printed) = std::sync::mpsc::channel();
        let pump = {
            let screen = screen.clone();
            std::thread::spawn(move || screen.pump(|piece| pieces.send(piece).is_ok()))
        };
        screen.say("before\n");
        screen.open();
        assert_eq!(printed.recv().as_deref(), Ok("before\n"));
        screen.say("1\n");
        screen.say("2\n");
        assert!(printed.try_recv().is_err());
        screen.drawn();
        assert_eq!(printed.recv().as_deref(), Ok("1\n2\n"));
        screen.drawn();
        screen.close();
        screen.say("straight out\n");
        assert_eq!(flushed(&screen), "straight out\n");
        screen.end();
        pump.join().expect("it ends");
        assert!(printed.try_recv().is_err());
    }
}
