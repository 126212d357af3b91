//! Images in characters: each stands for two pixels, one above the other. A function of pixels, of the room that there is,
//! and of the colours that the terminal has.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use console::{Color, Style};
use image::{RgbaImage, imageops};

use crate::image::Image;

/// A character cell is about twice as high as wide.
const CELL: (u32, u32) = (8, 16);

/// The colours that a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// All of them.
    True,
    /// 256.
    Palette,
}

impl Depth {
    /// What the environment says of the terminal.
    pub(super) fn of_environment() -> Depth {
        let says = std::env::var("COLORTERM").unwrap_or_default();
        if matches!(says.as_str(), "truecolor" | "24bit") { Depth::True } else { Depth::Palette }
    }
}

/// The most rows that an image takes.
pub(super) const MOST_ROWS: usize = 24;
/// So many images that were drawn are kept: what is drawn again and again is not decoded each time.
const KEPT: usize = 16;

type Drawn = (Image, (usize, usize), Depth, Arc<[String]>);

/// Locked while one is looked for.
static KEPT_IMAGES: Mutex<VecDeque<Drawn>> = Mutex::new(VecDeque::new());

/// An image in lines of characters, or why it cannot be drawn.
pub(super) fn drawn(image: &Image, columns: usize, depth: Depth) -> Arc<[String]> {
    let room = (columns.max(1), MOST_ROWS);
    let kept = || KEPT_IMAGES.lock().unwrap_or_else(PoisonError::into_inner);
    let is_it = |(own, of, deep, _): &&Drawn| Arc::ptr_eq(&own.bytes, &image.bytes) && *of == room && *deep == depth;
    if let Some((.., lines)) = kept().iter().find(is_it) {
        return lines.clone();
    }
    let lines: Arc<[String]> = match image.pixels() {
        Ok(pixels) => lines(&pixels, room, depth).into(),
        Err(why) => [image.refusal(&why)].into(),
    };
    let mut kept = kept();
    kept.push_back((image.clone(), room, depth, lines.clone()));
    if kept.len() > KEPT {
        kept.pop_front();
    }
    lines
}

/// How many columns and rows an image of this size takes: as it is, or as much smaller as the room is.
pub(super) fn fitted((width, height): (u32, u32), (columns, rows): (usize, usize), cell: (u32, u32)) -> (u32, u32) {
    let (wide, high) = (f64::from(width) / f64::from(cell.0), f64::from(height) / f64::from(cell.1));
    let scale = (columns as f64 / wide).min(rows as f64 / high).min(1.0);
    let whole = |size: f64| ((size * scale).round() as u32).max(1);
    (whole(wide), whole(high))
}

/// The image in lines of characters, no more than so many columns and rows.
pub(super) fn lines(pixels: &RgbaImage, room: (usize, usize), depth: Depth) -> Vec<String> {
    let (columns, rows) = fitted(pixels.dimensions(), room, CELL);
    let small = imageops::resize(pixels, columns, rows * 2, imageops::FilterType::Triangle);
    let line = |row: u32| {
        let cell = |column| cell(*small.get_pixel(column, row * 2), *small.get_pixel(column, row * 2 + 1), depth);
        (0..columns).map(cell).collect()
    };
    (0..rows).map(line).collect()
}

/// Two pixels; what is more transparent than not shows the terminal's own background.
fn cell(upper: image::Rgba<u8>, lower: image::Rgba<u8>, depth: Depth) -> String {
    let colour = |pixel: image::Rgba<u8>| {
        let [red, green, blue, alpha] = pixel.0;
        let colour = match depth {
            Depth::True => Color::TrueColor(red, green, blue),
            Depth::Palette => Color::Color256(nearest(red, green, blue)),
        };
        (alpha >= 128).then_some(colour)
    };
    let style = Style::new().force_styling(true);
    match (colour(upper), colour(lower)) {
        (None, None) => " ".to_owned(),
        (Some(upper), None) => style.fg(upper).apply_to("▀").to_string(),
        (None, Some(lower)) => style.fg(lower).apply_to("▄").to_string(),
        (Some(upper), Some(lower)) => style.fg(upper).bg(lower).apply_to("▀").to_string(),
    }
}

/// The nearest colour of the palette's cube, or of its greys.
fn nearest(red: u8, green: u8, blue: u8) -> u8 {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let step = |value: u8| (0..6).min_by_key(|step| value.abs_diff(STEPS[*step])).unwrap_or(0);
    let steps = [red, green, blue].map(step);
    let grey = ((u16::from(red) + u16::from(green) + u16::from(blue)) / 3).saturating_sub(3).min(233) / 10;
    let level = 8 + 10 * grey as u8;
    let far = |[r, g, b]: [u8; 3]| {
        let part = |one: u8, other: u8| u32::from(one.abs_diff(other)).pow(2);
        part(red, r) + part(green, g) + part(blue, b)
    };
    match far([level; 3]) < far(steps.map(|step| STEPS[step])) {
        true => 232 + grey as u8,
        false => 16 + 36 * steps[0] as u8 + 6 * steps[1] as u8 + steps[2] as u8,
    }
}

#[cfg(test)]
mod tests {
    use image::Rgba;

    use super::*;

    #[test]
    fn an_image_is_as_large_as_it_is_or_as_there_is_room() {
        assert_eq!(fitted((80, 64), (100, 40), CELL), (10, 4));
        assert_eq!(fitted((1600, 1600), (100, 40), CELL), (80, 40));
        assert_eq!(fitted((1600, 16), (100, 40), CELL), (100, 1));
        assert_eq!(fitted((1, 1), (100, 40), CELL), (1, 1));
    }

    #[test]
    fn two_pixels_are_a_character() {
        let halves = |upper: [u8; 4], lower: [u8; 4]| {
            let pixels = RgbaImage::from_fn(8, 2, |_, y| Rgba(if y == 0 { upper } else { lower }));
            lines(&pixels, (80, 24), Depth::True)
        };
        let whole = halves([255, 0, 0, 255], [0, 0, 255, 255]);
        assert_eq!(whole, ["\u{1b}[38;2;255;0;0m\u{1b}[48;2;0;0;255m▀\u{1b}[0m"]);
        assert_eq!(halves([0, 0, 0, 0], [0, 0, 255, 255]), ["\u{1b}[38;2;0;0;255m▄\u{1b}[0m"]);
        let few = lines(&RgbaImage::from_pixel(8, 16, Rgba([0, 0, 255, 255])), (80, 24), Depth::Palette);
        assert!(few[0].contains("38;5;21") && few[0].contains("48;5;21"), "{few:?}");
        assert_eq!(lines(&RgbaImage::new(8, 16), (80, 24), Depth::Palette), [" "]);
    }

    #[test]
    fn the_nearest_colour_of_the_palette_is_taken() {
        assert_eq!(
            [nearest(0, 0, 0), nearest(255, 255, 255), nearest(128, 128, 128), nearest(250, 10, 3)],
            [16, 231, 244, 196]
        );
    }
}
