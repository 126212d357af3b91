//! Foreign text made fit for one line: cleaning, measuring and cutting; times and counts in words.
//!
//! What the text says is decided by those who call; the escapes of a format are the format's own.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many characters of a foreign text are kept at most, however much room there is.
const LONGEST: usize = 200;

/// `text` on one line: runs of whitespace become one space, characters that do not show become
/// visible escapes, and what is very long loses its end.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::new();
    let mut space = false;
    let mut length = 0;
    for c in text.chars() {
        if c.is_whitespace() {
            space = !line.is_empty();
            continue;
        }
        if length >= LONGEST {
            line.push('…');
            break;
        }
        if std::mem::take(&mut space) {
            line.push(' ');
            length += 1;
        }
        if is_hidden(c) {
            line.extend(c.escape_unicode());
        } else if !is_variation_selector(c) {
            line.push(c);
        }
        length += 1;
    }
    line
}

/// `text` line by line as [`one_line`] has it.
pub(crate) fn lines(text: &str) -> String {
    text.lines().map(one_line).collect::<Vec<_>>().join("\n")
}

/// Whether `c` acts on the text around it without showing: controls, and the marks that turn the
/// direction of writing or take up no room.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Terminals disagree on how wide a character with a variation selector is, so they are left out.
fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// A process without its node: `<0.7.0>`.
pub(crate) fn pid(pid: greenroom::Pid) -> String {
    let (index, generation) = pid.parts();
    format!("<0.{index}.{generation}>")
}

/// The columns that `text` takes up in a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// `text` if it fits into so many columns, else as much of its start as fits together with `…`.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(1) else {
        return String::new();
    };
    let mut used = 0;
    let mut short: String = text
        .chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= room
        })
        .collect();
    // A text can be wider than its characters one by one.
    while width(&short) > room {
        short.pop();
    }
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// `text` with blanks up to so many columns.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    let blanks = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(blanks))
}

/// A unit of time, chosen once where times are to be compared.
#[derive(Clone, Copy)]
pub(crate) struct Unit {
    name: &'static str,
    nanos: f64,
}

impl Unit {
    /// The unit that suits `span`.
    pub(crate) fn of(span: Duration) -> Unit {
        let (name, nanos) = match span.as_nanos() {
            0..1_000 => ("ns", 1.0),
            // The bounds are where rounding would show a thousand of the smaller unit.
            1_000..999_500 => ("µs", 1e3),
            999_500..999_500_000 => ("ms", 1e6),
            _ => ("s", 1e9),
        };
        Unit { name, nanos }
    }

    /// `span` in this unit, with one decimal: `12.3 ms`.
    pub(crate) fn show(self, span: Duration) -> String {
        let digits = usize::from(self.nanos > 1.0);
        format!("{:.digits$} {}", span.as_nanos() as f64 / self.nanos, self.name)
    }
}

/// A span of time in the unit that suits it: `420 ns`, `12.3 ms`, `1.5 s`.
pub(crate) fn duration(span: Duration) -> String {
    let unit = Unit::of(span);
    let value = span.as_nanos() as f64 / unit.nanos;
    if value < 99.95 { unit.show(span) } else { format!("{value:.0} {}", unit.name) }
}

/// A long span of time in its two largest units: `3 d 4 h`, `12 min 5 s`.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => duration(span),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86400, seconds / 3600 % 24),
    }
}

/// So many bytes: `312 B`, `1.2 kB`, `34.0 MB`.
pub(crate) fn bytes(bytes: usize) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// A number with a comma between groups of three digits.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The number that [`count`] has written.
pub(crate) fn read_count(text: &str) -> Option<usize> {
    text.replace(',', "").parse().ok()
}

/// The time that [`duration`] has written, as exactly as it says.
pub(crate) fn read_duration(text: &str) -> Option<Duration> {
    let (value, unit) = text.split_once(' ')?;
    let nanos = [("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)].into_iter().find(|(name, _)| *name == unit)?.1;
    Duration::try_from_secs_f64(value.parse::<f64>().ok()? * nanos / 1e9).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_by_the_columns_it_takes_up() {
        assert_eq!(cut("process", 7), "process");
        assert_eq!(cut("process", 6), "proce…");
        assert_eq!(cut("a process", 3), "a…");
        assert_eq!(cut("進程進程", 5), "進程…");
        assert_eq!(cut("進程進程", 4), "進…");
        assert_eq!(cut("process", 1), "…");
        assert_eq!(cut("process", 0), "");
    }

    #[test]
    fn what_does_not_show_is_made_visible() {
        assert_eq!(one_line("  a\r\n\t b  "), "a b");
        assert_eq!(one_line("\u{1b}[31mred\u{202e}"), "\\u{1b}[31mred\\u{202e}");
        assert_eq!(one_line(&"x".repeat(1000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn times_and_counts_read_well() {
        let shown = |ns| duration(Duration::from_nanos(ns));
        assert_eq!(shown(0), "0 ns");
        assert_eq!(shown(999), "999 ns");
        assert_eq!(shown(1_200), "1.2 µs");
        assert_eq!(shown(999_499), "999 µs");
        assert_eq!(shown(999_500), "1.0 ms");
        assert_eq!(shown(12_345_678), "12.3 ms");
        assert_eq!(shown(999_500_000), "1.0 s");
        assert_eq!(shown(1_500_000_000), "1.5 s");
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(12_000), "12,000");
        assert_eq!(count(1_234_567), "1,234,567");
    }
}
