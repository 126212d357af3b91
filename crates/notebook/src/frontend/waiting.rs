//! What is to come out on a terminal and has not yet: lines and images, in order, and no more than there is room for.

use std::collections::VecDeque;

use crate::image::Image;

/// The most text that waits, in bytes.
pub(super) const WAITING: usize = 1 << 20;
/// How much an image that waits counts for, in bytes.
const IMAGE: usize = 4 << 10;

/// What has not come out yet.
#[derive(Default)]
pub(super) struct Waiting {
    lines: VecDeque<Line>,
    bytes: usize,
    left_out: usize,
}

/// What waits.
pub(super) enum Line {
    Text(String),
    /// It is drawn by whoever puts it out: nobody else has the time.
    Image(Image),
    /// What was made of one.
    Drawn(String),
}

impl Line {
    fn size(&self) -> usize {
        match self {
            Line::Text(line) => line.len(),
            // Whoever has shown it keeps it, too.
            Line::Image(_) | Line::Drawn(_) => IMAGE,
        }
    }
}

impl Waiting {
    pub(super) fn push(&mut self, text: &str) {
        for line in text.split_inclusive('\n') {
            // A line that goes on is one line.
            match self.lines.back_mut() {
                Some(Line::Text(last)) if !last.ends_with('\n') => last.push_str(line),
                _ => self.lines.push_back(Line::Text(line.to_owned())),
            }
            self.bytes += line.len();
        }
        self.bound();
    }

    /// An image begins on a line of its own.
    pub(super) fn push_image(&mut self, image: Image) {
        if let Some(Line::Text(last)) = self.lines.back_mut()
            && !last.ends_with('\n')
        {
            last.push('\n');
            self.bytes += 1;
        }
        self.lines.push_back(Line::Image(image));
        self.bytes += IMAGE;
        self.bound();
    }

    fn bound(&mut self) {
        while self.bytes > WAITING
            && self.lines.len() > 1
            && let Some(oldest) = self.lines.pop_front()
        {
            self.bytes -= oldest.size();
            self.left_out += 1;
        }
    }

    /// Takes the image that comes first.
    pub(super) fn take_image(&mut self) -> Option<Image> {
        match self.lines.pop_front()? {
            Line::Image(image) => {
                self.bytes -= IMAGE;
                Some(image)
            }
            line => {
                self.lines.push_front(line);
                None
            }
        }
    }

    /// Puts back what was made of an image.
    pub(super) fn put_back(&mut self, text: String) {
        self.bytes += IMAGE;
        self.lines.push_front(Line::Drawn(text));
    }

    /// Takes the oldest lines before the first image, no more than so many bytes of them, but one at least.
    pub(super) fn take_text(&mut self, most: usize) -> String {
        match self.lines.front() {
            Some(Line::Text(_) | Line::Drawn(_)) => match self.take(most) {
                Line::Text(text) | Line::Drawn(text) => text,
                Line::Image(_) => unreachable!("a text comes first"),
            },
            Some(Line::Image(_)) | None => String::new(),
        }
    }

    /// Takes the oldest lines, no more than so many bytes of them, but one at least; or the image that comes first.
    pub(super) fn take(&mut self, most: usize) -> Line {
        let mut piece = String::new();
        if self.left_out > 0 {
            piece = format!("… {} lines are left out here …\n", std::mem::take(&mut self.left_out));
        }
        while let Some(line) = self.lines.front()
            && (piece.is_empty() || piece.len() + line.size() <= most)
            && (piece.is_empty() || !matches!(line, Line::Image(_)))
            && let Some(line) = self.lines.pop_front()
        {
            self.bytes -= line.size();
            match line {
                Line::Text(line) | Line::Drawn(line) => piece.push_str(&line),
                Line::Image(image) => return Line::Image(image),
            }
        }
        Line::Text(piece)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn an_image_stands_between_the_lines_around_it_and_is_never_left_out_for_its_size() {
        let mut waiting = Waiting::default();
        waiting.push("before");
        waiting.push_image(Image { mime: "image/png".to_owned(), bytes: Arc::from([1_u8]) });
        waiting.push("after\n");
        assert!(waiting.take_image().is_none(), "a line comes first");
        assert_eq!(waiting.take_text(usize::MAX), "before\n");
        assert_eq!(waiting.take_text(usize::MAX), "", "an image comes first");
        assert!(waiting.take_image().is_some());
        waiting.put_back("x".repeat(2 * WAITING));
        waiting.push("more\n");
        assert_eq!(waiting.take_text(usize::MAX).len(), 2 * WAITING + "after\nmore\n".len());
        assert!(waiting.is_empty() && waiting.bytes == 0);
    }
}
