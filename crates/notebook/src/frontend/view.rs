//! What a cell has shown, and what became of it, as lines of text: for a terminal, for a program that reads them, or
//! for a person who has them read aloud.
//!
//! A function of plain data. When lines come out, and where, is for the front ends.

use comfy_table::{ContentArrangement, Table, presets};
use console::{Style, measure_text_width};

use super::blocks::{self, Depth};
use super::debugged;
use super::look::{Look, duration};
use super::paint;
use crate::event::{Output, OutputKind, Rows};

/// For whom lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// A person who sees them.
    Seen,
    /// A person who hears them: words in place of marks and boxes.
    Heard,
    /// A program: values and printed text, nothing else.
    Piped,
}

/// How lines are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) look: Look,
    pub(super) manner: Manner,
    /// The most lines of a value or a drawing that are shown before the rest is folded away.
    pub(super) fold: usize,
}

/// The most lines of a value that are shown where nobody has asked for all.
pub(super) const FOLD: usize = 16;

/// What became of a cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending<'a> {
    /// The number of the cell.
    pub(super) cell: usize,
    pub(super) end: End<'a>,
    /// The value of its last expression, with its type.
    pub(super) value: Option<(&'a str, &'a str)>,
    /// The names that it defines, with what they are.
    pub(super) defines: &'a [(String, String)],
    /// How long compiling took, in milliseconds; nothing if it was compiled before.
    pub(super) compile_ms: f64,
    pub(super) run_ms: f64,
    /// The process that it runs as: it stays until the cell is evaluated again.
    pub(super) process: Option<&'a str>,
}

/// How a cell has ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum End<'a> {
    Ok,
    /// It failed, or was not run; this says why.
    Failed(&'a str),
    /// Somebody has stopped it.
    Stopped,
}

impl View {
    /// What a cell has shown, other than its value.
    pub(super) fn output(&self, cell: usize, output: &Output) -> String {
        let text = self.look.clean(&output.text);
        match output.kind {
            OutputKind::Text => text.into_owned(),
            OutputKind::Value => self.value(cell, &text, "") + "\n",
            OutputKind::Table => match &output.table {
                Some(table) => self.asked_table(cell, table),
                None => line(&text),
            },
            OutputKind::Image => match (&output.image, self.draws()) {
                (Some(image), true) => {
                    let lines = blocks::drawn(image, self.look.width.saturating_sub(1), Depth::of_environment());
                    lines.iter().map(|line| format!("{line}\n")).collect()
                }
                _ => line(&text),
            },
            OutputKind::Frame => output.parts().iter().map(|part| self.part(cell, part)).collect(),
            OutputKind::Sequence | OutputKind::Tree | OutputKind::Picture => match (self.manner, &output.mermaid) {
                // Boxes cannot be heard; the source of the drawing can.
                (Manner::Heard, Some(mermaid)) => line(mermaid),
                (Manner::Heard | Manner::Seen | Manner::Piped, _) => line(&text),
            },
            OutputKind::Example => {
                let style = if output.failed { Style::new().red() } else { Style::new().green() };
                let (mark, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
                line(&format!("{}{rest}", self.look.paint(style, mark)))
            }
            OutputKind::Input | OutputKind::Warning | OutputKind::Error => line(&text),
        }
    }

    /// Whether anything is drawn that is not for everyone: in colours, or twice.
    pub(super) fn draws(&self) -> bool {
        self.manner == Manner::Seen && self.look.coloured
    }

    /// What a frame shows, as it is drawn in place: no longer than a value.
    pub(super) fn frame(&self, cell: usize, output: &Output) -> String {
        self.folded(cell, &self.output(cell, output))
    }

    /// One of the outputs that a frame shows, on lines of its own.
    fn part(&self, cell: usize, output: &Output) -> String {
        let text = self.output(cell, output);
        if text.is_empty() { text } else { line(&text) }
    }

    /// What is said when a cell is done: its value or what it defines, or why it failed.
    pub(super) fn ending(&self, ending: &Ending<'_>) -> String {
        match ending.end {
            End::Failed(why) => line(&self.look.clean(why)),
            End::Stopped if self.manner == Manner::Piped => String::new(),
            End::Stopped => self.remark(
                &format!("stopped after {}; every value stays", duration(ending.run_ms)),
                "–",
                Style::new().yellow(),
            ),
            End::Ok => match (self.manner, ending.value) {
                (Manner::Piped, Some((text, _))) => line(&self.look.clean(text)),
                (Manner::Piped, None) => String::new(),
                (Manner::Heard, value) => self.heard(ending, value),
                (Manner::Seen, Some((text, ty))) => self.seen(ending, text, ty),
                (Manner::Seen, None) => {
                    let defined: Vec<_> = ending.defines.iter().map(|(name, what)| described(name, what)).collect();
                    let said = if defined.is_empty() { "done".to_owned() } else { defined.join(", ") };
                    let said =
                        console::truncate_str(&said, self.look.width.saturating_sub(30).max(20), "…").into_owned();
                    self.remark(&format!("{said} · {}", took(ending, " · ")), "✓", Style::new().green())
                }
            },
        }
    }

    fn seen(&self, ending: &Ending<'_>, text: &str, ty: &str) -> String {
        let value = self.value(ending.cell, &self.look.clean(text), ty);
        let about = format!("{ty} · {}", took(ending, " · "));
        let is_short = !value.contains('\n');
        let fits = measure_text_width(&value) + measure_text_width(&about) + 3 <= self.look.width;
        let about = self.look.paint(Style::new().dim(), &about);
        match is_short && fits {
            true => format!("{value}  {about}\n"),
            false => format!("{value}\n  {about}\n"),
        }
    }

    fn heard(&self, ending: &Ending<'_>, value: Option<(&str, &str)>) -> String {
        let took = took(ending, ", process ");
        match value {
            Some((text, ty)) => {
                let rows = debugged::parse(text).and_then(|value| value.rows());
                let text = match rows {
                    Some(rows) => format!("{} rows:\n{}", rows.rows.len(), rows.said()),
                    None => line(&self.look.clean(text)),
                };
                format!("value of cell {}: {}type {ty}, took {took}\n", ending.cell, self.folded(ending.cell, &text))
            }
            None => {
                let defined: Vec<_> = ending.defines.iter().map(|(name, what)| described(name, what)).collect();
                let said = if defined.is_empty() { "nothing new".to_owned() } else { defined.join(", ") };
                format!("cell {} done: {said}, took {took}\n", ending.cell)
            }
        }
    }

    /// A value behind its sign, as a table if it is one, without a line break at the end.
    fn value(&self, cell: usize, text: &str, ty: &str) -> String {
        let sign = self.look.paint(Style::new().cyan().bold(), "=");
        // A text that was cut has no end, and is no table.
        let rows =
            debugged::parse(text).filter(|_| text.contains('\n') || !ty.is_empty()).and_then(|value| value.rows());
        if let Some(table) = rows.and_then(|rows| self.table(&rows)) {
            return format!("{sign} {}", self.folded(cell, &table).trim_end());
        }
        let painted = paint::source(text, None, self.look);
        let folded = self.folded(cell, &painted);
        let mut lines = folded.trim_end_matches('\n').lines();
        let mut shown = format!("{sign} {}", lines.next().unwrap_or(""));
        for more in lines {
            shown.push_str("\n  ");
            shown.push_str(more);
        }
        shown
    }

    /// A table, if there is room for it.
    fn table(&self, rows: &debugged::Rows) -> Option<String> {
        let drawn: String = grid(rows, rows.rows.len()).iter().map(|line| format!("\n{line}")).collect();
        let widest = drawn.lines().map(measure_text_width).max().unwrap_or(0);
        (widest <= self.look.width).then(|| format!("{} rows{drawn}", rows.rows.len()))
    }

    /// A table that was asked for: as many rows as are shown of anything, and as much of their columns as there is room for.
    fn asked_table(&self, cell: usize, table: &Rows) -> String {
        let rows = debugged::Rows::of(&table.rows);
        let all = rows.rows.len() + table.left_out;
        if self.manner == Manner::Heard {
            return format!("{all} rows:\n{}", self.folded(cell, &rows.said()));
        }
        let shown = rows.rows.len().min(self.fold);
        let room = if self.manner == Manner::Piped { usize::MAX } else { self.look.width };
        let cut = |line: &String| format!("{}\n", console::truncate_str(line, room, "…"));
        let mut text: String = grid(&rows, shown).iter().map(cut).collect();
        let more = match (rows.rows.len() - shown, table.left_out) {
            (0, 0) => return text,
            (0, left_out) => format!("… {left_out} more rows"),
            (_, _) => format!("… {} more rows: `:show {cell}` shows them", all - shown),
        };
        text.push_str(&line(&self.look.paint(Style::new().dim(), &more)));
        text
    }

    /// The first lines of a text, and how to see the rest.
    pub(super) fn folded(&self, cell: usize, text: &str) -> String {
        let count = text.lines().count();
        // One more line says that there are more.
        if count <= self.fold.saturating_add(1) {
            return text.to_owned();
        }
        let kept: Vec<_> = text.lines().take(self.fold).collect();
        let note = format!("… {} more lines: `:show {cell}` shows them", count - self.fold);
        format!("{}\n{}\n", kept.join("\n"), self.look.paint(Style::new().dim(), &note))
    }

    /// A line about a cell behind a mark.
    pub(super) fn remark(&self, text: &str, mark: &str, style: Style) -> String {
        match self.manner {
            Manner::Seen => format!("{} {}\n", self.look.paint(style, mark), self.look.paint(Style::new().dim(), text)),
            Manner::Heard | Manner::Piped => line(text),
        }
    }
}

fn described(name: &str, what: &str) -> String {
    match what {
        "fn" | "struct" | "enum" | "trait" | "macro" | "mod" | "const" | "type" | "use" => format!("{what} {name}"),
        ty => format!("{name}: {ty}"),
    }
}

/// How long a cell took, and the process that it is, with what stands between.
fn took(ending: &Ending<'_>, between: &str) -> String {
    let process = ending.process.map_or_else(String::new, |process| format!("{between}{process}"));
    duration(ending.compile_ms + ending.run_ms) + &process
}

/// The lines of a table with so many of its rows.
fn grid(rows: &debugged::Rows, shown: usize) -> Vec<String> {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(&rows.head);
    let is_number = |cell: &String| cell.parse::<f64>().is_ok();
    table.add_rows(&rows.rows[..shown]);
    for (place, column) in table.column_iter_mut().enumerate() {
        if rows.rows.iter().all(|row| is_number(&row[place])) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    table.lines().collect()
}

/// A text that ends with a line break.
fn line(text: &str) -> String {
    if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: View = View { look: Look::PAGE, manner: Manner::Seen, fold: FOLD };

    fn ending<'a>(value: Option<(&'a str, &'a str)>, defines: &'a [(String, String)]) -> Ending<'a> {
        Ending { cell: 3, end: End::Ok, value, defines, compile_ms: 30.0, run_ms: 0.5, process: None }
    }

    #[test]
    fn a_value_comes_with_its_type_time_and_process() {
        let ending = ending(Some(("6", "i32")), &[]);
        assert_eq!(SEEN.ending(&ending), "= 6  i32 · 30 ms\n");
        let alive = Ending { process: Some("<0.64.0>"), ..ending };
        assert_eq!(SEEN.ending(&alive), "= 6  i32 · 30 ms · <0.64.0>\n");
        assert_eq!(View { manner: Manner::Piped, ..SEEN }.ending(&ending), "6\n");
        let heard = View { manner: Manner::Heard, ..SEEN }.ending(&ending);
        assert_eq!(heard, "value of cell 3: 6\ntype i32, took 30 ms\n");
    }

    #[test]
    fn without_a_value_it_is_said_what_was_defined() {
        let defines = [("a".to_owned(), "Vec<u8>".to_owned()), ("f".to_owned(), "fn".to_owned())];
        assert_eq!(SEEN.ending(&ending(None, &defines)), "✓ a: Vec<u8>, fn f · 30 ms\n");
        assert_eq!(View { manner: Manner::Piped, ..SEEN }.ending(&ending(None, &defines)), "");
    }

    #[test]
    fn long_values_are_folded() {
        let text: String = (0..50).map(|number| format!("{number},\n")).collect();
        let shown = SEEN.ending(&ending(Some((&text, "Odd")), &[]));
        assert_eq!(shown.lines().count(), FOLD + 2);
        assert!(shown.contains("… 34 more lines: `:show 3` shows them"), "{shown}");
        let all = View { fold: usize::MAX, ..SEEN }.ending(&ending(Some((&text, "Odd")), &[]));
        assert_eq!(all.lines().count(), 51);
    }

    #[test]
    fn rows_are_a_table() {
        let value = ("[Row { name: \"a\", size: 1 }, Row { name: \"bc\", size: 20 }]", "Vec<Row>");
        let shown = SEEN.ending(&ending(Some(value), &[]));
        let expected = "\
= 2 rows
┌─────────────┐
│ name   size │
╞═════════════╡
│ \"a\"       1 │
│ \"bc\"     20 │
└─────────────┘
  Vec<Row> · 30 ms
";
        assert_eq!(shown, expected);
        let heard = View { manner: Manner::Heard, ..SEEN }.ending(&ending(Some(value), &[]));
        assert!(heard.contains("2 rows:\nname \"a\", size 1\nname \"bc\", size 20\n"), "{heard}");
    }

    #[test]
    fn a_table_that_was_asked_for_is_cut_to_the_room_and_says_how_many_rows_are_left_out() {
        let rows = (0..30).map(|size| format!("Row {{ name: \"{}\", size: {size} }}", "x".repeat(90))).collect();
        let output = Output::table(Rows { rows, left_out: 12 });
        let shown = SEEN.output(3, &output);
        assert_eq!(shown.lines().count(), 3 + FOLD + 1 + 1);
        assert!(shown.lines().all(|line| measure_text_width(line) <= SEEN.look.width), "{shown}");
        assert!(shown.ends_with("… 26 more rows: `:show 3` shows them\n"), "{shown}");
        let all = View { fold: usize::MAX, ..SEEN }.output(3, &output);
        assert!(all.ends_with("… 12 more rows\n"), "{all}");
        let odd = Output::table(Rows { rows: vec!["1".to_owned(), "\"a\"".to_owned()], left_out: 0 });
        let expected = "\
┌───────┐
│ value │
╞═══════╡
│ 1     │
│ \"a\"   │
└───────┘
";
        assert_eq!(SEEN.output(3, &odd), expected);
        let heard = View { manner: Manner::Heard, ..SEEN }.output(3, &odd);
        assert_eq!(heard, "2 rows:\nvalue 1\nvalue \"a\"\n");
    }

    #[test]
    fn what_failed_says_why() {
        let ending = Ending { end: End::Failed("error: no\n --> cell 3"), ..ending(None, &[]) };
        assert_eq!(SEEN.ending(&ending), "error: no\n --> cell 3\n");
    }
}
