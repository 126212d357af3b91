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
}

impl Line {
    pub(super) fn size(&self) -> usize {
        match self {
            Line::Text(line) => line.len(),
            // Whoever has shown it keeps it, too.
            Line::Image(_) => IMAGE,
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

    pub(super) fn push_image(&mut self, image: Image) {
        self.lines.push_back(Line::Image(image));
        self.bytes += IMAGE;
        self.bound();
    }

    pub(super) fn bound(&mut self) {
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
        self.bytes += text.len();
        self.lines.push_front(Line::Text(text));
    }

    /// Takes the oldest lines before the first image, no more than so many bytes of them, but one at least.
    pub(super) fn take_text(&mut self, most: usize) -> String {
        match self.lines.front() {
            Some(Line::Text(_)) => match self.take(most) {
                Line::Text(text) => text,
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
            && (piece.is_empty() || matches!(line, Line::Text(_)))
            && let Some(line) = self.lines.pop_front()
        {
            self.bytes -= line.size();
            match line {
                Line::Text(line) => piece.push_str(&line),
                Line::Image(image) => return Line::Image(image),
            }
        }
        Line::Text(piece)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}
