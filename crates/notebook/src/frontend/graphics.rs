//! Images on terminals that have pixels: how a terminal is asked whether it does, and what is written so that it shows
//! one. Those that do not say so get characters, see `blocks`.
//!
//! A terminal is asked once, when the first image is to be shown and nobody else reads what it says. What a person types
//! meanwhile is kept.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, RgbaImage, imageops};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::blocks::{self, Depth, fitted};

/// How long a terminal may take to answer. Nearly all do at once, one far away after a while; one that never does is asked
/// only once.
const PATIENCE: Duration = Duration::from_secs(1);
/// A terminal that has pixels and does not say how large its characters are has such ones.
const CELL: (u32, u32) = (8, 16);
/// How much of an image a kitty takes at once, in bytes.
const CHUNK: usize = 4096;

/// How a terminal shows images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Kitty,
    Iterm,
    Sixel,
    /// In characters.
    Blocks,
}

/// What is asked: whether it takes kitty's graphics, and what it is, which every terminal answers.
const QUESTION: &str = "\u{1b}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1b}\\\u{1b}[c";

/// What a terminal has answered.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answer {
    kitty: bool,
    sixel: bool,
    /// It has said all that it will.
    is_whole: bool,
    /// What was no answer: what a person has typed.
    typed: String,
}

/// Asks the terminal of this program how it shows images, or takes what `GREENROOM_IMAGES` says. Returns what was typed
/// meanwhile, too. Nothing if it cannot be asked now.
///
/// Nobody else may read from the terminal meanwhile.
pub(super) fn ask() -> Option<(Way, String)> {
    let says = |name| std::env::var(name).unwrap_or_default();
    match says("GREENROOM_IMAGES").as_str() {
        "kitty" => return Some((Way::Kitty, String::new())),
        "iterm2" => return Some((Way::Iterm, String::new())),
        "sixel" => return Some((Way::Sixel, String::new())),
        "blocks" => return Some((Way::Blocks, String::new())),
        _ => {}
    }
    if says("TERM") == "linux" {
        // It would show the question.
        return Some((Way::Blocks, String::new()));
    }
    crossterm::terminal::enable_raw_mode().ok()?;
    let answer = converse();
    // A terminal that is gone needs no mending.
    let _ = crossterm::terminal::disable_raw_mode();
    let answer = answer?;
    let is_within = !says("TMUX").is_empty();
    let is_iterm =
        matches!(says("TERM_PROGRAM").as_str(), "iTerm.app" | "WezTerm" | "mintty") || says("LC_TERMINAL") == "iTerm2";
    let way = match () {
        () if answer.kitty => Way::Kitty,
        // What is around a multiplexer is not what it draws on.
        () if is_iterm && !is_within => Way::Iterm,
        () if answer.sixel => Way::Sixel,
        () => Way::Blocks,
    };
    Some((way, answer.typed))
}

/// Asks, and reads until all is said. Nothing if something was typed before: it comes first, and has to stay where it is.
fn converse() -> Option<Answer> {
    if has_input(Duration::ZERO) {
        return None;
    }
    let mut out = io::stdout().lock();
    out.write_all(QUESTION.as_bytes()).and_then(|()| out.flush()).ok()?;
    let end = Instant::now() + PATIENCE;
    let mut heard = Vec::new();
    let mut answer = Answer::default();
    while !answer.is_whole && has_input(end.saturating_duration_since(Instant::now())) {
        let mut piece = [0; 1024];
        match io::stdin().lock().read(&mut piece) {
            Ok(read) if read > 0 => heard.extend(&piece[..read]),
            _ => break,
        }
        answer = understood(&String::from_utf8_lossy(&heard));
    }
    Some(answer)
}

fn has_input(patience: Duration) -> bool {
    let stdin = io::stdin();
    let mut wanted = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    let patience = PollTimeout::try_from(patience).unwrap_or(PollTimeout::ZERO);
    poll(&mut wanted, patience).is_ok_and(|ready| ready > 0)
}

/// Takes what was read apart.
fn understood(heard: &str) -> Answer {
    let mut answer = Answer::default();
    let mut rest = heard;
    while let Some(char) = rest.chars().next() {
        if let Some(found) = rest.strip_prefix("\u{1b}_G") {
            let Some((said, after)) = found.split_once("\u{1b}\\") else { break };
            answer.kitty |= said.ends_with(";OK");
            rest = after;
        } else if let Some(found) = rest.strip_prefix("\u{1b}[?") {
            let Some(end) = found.find(|char: char| char.is_ascii_alphabetic()) else { break };
            if found[end..].starts_with('c') {
                answer.is_whole = true;
                answer.sixel |= found[..end].split(';').any(|part| part == "4");
            }
            rest = &found[end + 1..];
        } else {
            // Keys that are no text mean nothing to a line that is not there yet.
            match char {
                '\r' | '\n' => answer.typed.push('\n'),
                char if !char.is_control() => answer.typed.push(char),
                _ => {}
            }
            rest = &rest[char.len_utf8()..];
        }
    }
    answer
}

/// What is to be written at the beginning of a line so that the terminal shows an image there, and the next line begins
/// below it.
pub(super) fn drawn(pixels: &RgbaImage, way: Way, room: (usize, usize)) -> String {
    let cell = cell();
    let (columns, rows) = fitted(pixels.dimensions(), room, cell);
    let fit = |columns: u32, rows: u32| {
        let (width, height) = (columns * cell.0, rows * cell.1);
        let scale = f64::from(width) / f64::from(pixels.width());
        let scale = scale.min(f64::from(height) / f64::from(pixels.height())).min(1.0);
        let whole = |size: u32| ((f64::from(size) * scale) as u32).max(1);
        imageops::resize(pixels, whole(pixels.width()), whole(pixels.height()), imageops::FilterType::Triangle)
    };
    let sequence = match way {
        Way::Blocks => None,
        Way::Kitty => png(&fit(columns, rows)).map(|png| kitty(&STANDARD.encode(png), columns, rows)),
        Way::Iterm => png(&fit(columns, rows)).map(|png| {
            let size = png.len();
            let png = STANDARD.encode(png);
            format!(
                "\u{1b}]1337;File=inline=1;size={size};width={columns};height={rows};preserveAspectRatio=1:{png}\u{7}"
            )
        }),
        Way::Sixel => sixel(&fit(columns, rows)),
    };
    match sequence {
        Some(sequence) => {
            // The rows are made first, so that nothing scrolls while it is drawn, wherever the cursor ends.
            let below = "\n".repeat(rows as usize);
            format!("{below}\u{1b}[{rows}A\u{1b}7{sequence}\u{1b}8\u{1b}[{rows}B\r")
        }
        None => blocks::lines(pixels, room, Depth::of_environment()).into_iter().map(|line| line + "\n").collect(),
    }
}

/// How large a character is, in pixels.
fn cell() -> (u32, u32) {
    match crossterm::terminal::window_size() {
        Ok(size) if size.width > 0 && size.height > 0 && size.columns > 0 && size.rows > 0 => {
            (u32::from(size.width / size.columns).max(1), u32::from(size.height / size.rows).max(1))
        }
        _ => CELL,
    }
}

fn png(pixels: &RgbaImage) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (width, height) = pixels.dimensions();
    PngEncoder::new(&mut bytes).write_image(pixels, width, height, ExtendedColorType::Rgba8).ok()?;
    Some(bytes)
}

fn kitty(png: &str, columns: u32, rows: u32) -> String {
    let mut sequence = String::with_capacity(png.len() + png.len() / 64);
    let mut head = format!("a=T,f=100,q=2,C=1,c={columns},r={rows},");
    let mut rest = png;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.len().min(CHUNK));
        let more = u8::from(!after.is_empty());
        sequence.push_str(&format!("\u{1b}_G{}m={more};{chunk}\u{1b}\\", std::mem::take(&mut head)));
        rest = after;
    }
    sequence
}

fn sixel(pixels: &RgbaImage) -> Option<String> {
    let (width, height) = pixels.dimensions();
    let image = icy_sixel::SixelImage::try_from_rgba(pixels.as_raw().clone(), width as usize, height as usize).ok()?;
    image.encode().ok()
}

#[cfg(test)]
mod tests {
    use image::Rgba;

    use super::*;

    #[test]
    fn answers_are_told_from_what_is_typed() {
        let heard = "le\u{1b}_Gi=31;OK\u{1b}\\t a\u{1b}[?62;4;6c\u{1b}[A = 1\r";
        let answer = understood(heard);
        assert_eq!(answer, Answer { kitty: true, sixel: true, is_whole: true, typed: "let a[A = 1\n".to_owned() });
        let refused = understood("\u{1b}_Gi=31;EINVAL:no\u{1b}\\\u{1b}[?64;1;2c");
        assert_eq!(refused, Answer { is_whole: true, ..Answer::default() });
        assert_eq!(understood("\u{1b}[?6"), Answer::default());
    }

    #[test]
    fn each_way_makes_room_first_and_ends_below_the_image() {
        let pixels = RgbaImage::from_pixel(80, 32, Rgba([0, 128, 255, 255]));
        for (way, begin) in [
            (Way::Kitty, "\u{1b}_Ga=T,f=100,q=2,C=1,c=10,r=2,m=0;iVBORw0KGgo"),
            (Way::Iterm, "\u{1b}]1337;File=inline=1;size="),
            (Way::Sixel, "\u{1b}P"),
        ] {
            let drawn = drawn(&pixels, way, (40, 10));
            let (around, sequence) = drawn.split_once("\u{1b}7").expect("the place is kept");
            assert_eq!(around, "\n\n\u{1b}[2A");
            assert!(sequence.starts_with(begin), "{way:?}: {drawn:?}");
            assert!(sequence.ends_with("\u{1b}8\u{1b}[2B\r"));
        }
        assert_eq!(drawn(&pixels, Way::Blocks, (40, 10)).lines().count(), 2);
    }

    #[test]
    fn what_is_large_goes_to_a_kitty_in_pieces() {
        let sequence = kitty(&"A".repeat(2 * CHUNK + 1), 1, 1);
        let pieces: Vec<_> = sequence.split("\u{1b}\\").filter(|piece| !piece.is_empty()).collect();
        assert_eq!(pieces.len(), 3);
        assert!(
            pieces[0].contains("c=1,r=1,m=1;") && pieces[1].starts_with("\u{1b}_Gm=1;") && pieces[2].ends_with("m=0;A")
        );
    }
}
