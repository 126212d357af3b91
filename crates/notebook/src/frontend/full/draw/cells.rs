//! The cells of the document view, with their outputs: only what is in sight is drawn.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::rows::{Row, broken, row_of, rows};
use super::{dim, standing};
use crate::event::{Output, OutputKind};
use crate::frontend::blocks::{self, Depth};
use crate::frontend::full::state::{Place, State};
use crate::frontend::look::{Look, duration};
use crate::frontend::syntax::{Class, classes};
use crate::frontend::view::{FOLD, Manner, View};
use crate::livemd::Cell;
use crate::session::data::{Data, text};
use crate::session::operation::CellId;

/// A part of the document, with how many lines it takes.
enum Part {
    Section(usize),
    Cell(Laid),
}

/// A cell as it stands on the screen.
struct Laid {
    id: CellId,
    /// The rows of its text.
    rows: Vec<Row>,
    /// What it has shown.
    outputs: String,
}

/// How wide the numbers of lines are, with what stands around them.
pub(super) fn gutter(data: &Data) -> u16 {
    let document = data.document();
    let longest = document.cells().filter_map(|cell| document.cell(cell)).map(|cell| lines_of(text(cell))).max();
    longest.unwrap_or(1).max(10).ilog10() as u16 + 4
}

fn lines_of(text: &str) -> usize {
    text.matches('\n').count() + 1
}

/// Draws what is in sight of the cells. Says what stands on each line.
pub(super) fn draw_cells(frame: &mut Frame<'_>, area: Rect, state: &mut State) -> Vec<Place> {
    let painter = Painter { width: area.width, gutter: usize::from(gutter(state.data())), state };
    let parts = painter.parts();
    let heights: Vec<usize> = parts.iter().map(Part::height).collect();
    let total: usize = heights.iter().sum();
    let height = usize::from(area.height);
    let mut top = state.top.min(total.saturating_sub(height));
    if state.follows {
        top = painter.following(&parts, &heights, top, height);
    }
    let (mut lines, mut places) = (Vec::new(), Vec::new());
    let mut cursor = None;
    let mut at = 0;
    for (part, part_height) in parts.iter().zip(&heights) {
        let end = at + part_height;
        if end > top && at < top + height {
            let visible = top.max(at) - at..(top + height).min(end) - at;
            painter.paint(part, visible, &mut lines, &mut places);
            if let Some((row, x)) = painter.cursor(part) {
                let row = at + 1 + row;
                if row >= top && row < top + height {
                    cursor = Some((x, row - top));
                }
            }
        }
        at = end;
    }
    if let Some((x, y)) = cursor {
        let x = (area.x + x as u16).min(area.right().saturating_sub(1));
        frame.set_cursor_position(Position { x, y: area.y + y as u16 });
    }
    frame.render_widget(Paragraph::new(lines), area);
    state.top = top;
    places
}

impl Part {
    /// A heading, the text, the outputs, and a line between.
    fn height(&self) -> usize {
        match self {
            Part::Section(_) => 2,
            Part::Cell(cell) => 2 + cell.rows.len() + cell.outputs.lines().count(),
        }
    }
}

struct Painter<'a> {
    state: &'a State,
    width: u16,
    gutter: usize,
}

impl Painter<'_> {
    fn source(&self, cell: CellId) -> &str {
        match &self.state.edited {
            Some(edited) if self.state.focus == Some(cell) => edited.text(),
            _ => self.state.data().document().cell(cell).map_or("", text),
        }
    }

    fn is_code(&self, cell: CellId) -> bool {
        self.state.data().document().cell(cell).and_then(Cell::code).is_some()
    }

    /// All of the document, laid out.
    fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        for (place, section) in self.state.data().document().all_sections().iter().enumerate() {
            if place > 0 {
                parts.push(Part::Section(place));
            }
            parts.extend(section.cells.iter().map(|cell| Part::Cell(self.laid(*cell))));
        }
        parts
    }

    fn laid(&self, id: CellId) -> Laid {
        let width = usize::from(self.width).saturating_sub(self.gutter);
        Laid { id, rows: rows(self.source(id), width, !self.is_code(id)), outputs: self.outputs(id) }
    }

    /// The row and the column of the cursor, if it is in this part.
    fn cursor(&self, part: &Part) -> Option<(usize, usize)> {
        let Part::Cell(cell) = part else { return None };
        let edited = self.state.edited.as_ref().filter(|_| self.state.focus == Some(cell.id))?;
        let (line, column) = edited.position();
        let at = row_of(&cell.rows, line, column);
        let row = &cell.rows[at];
        let before: String = edited.text()[row.range.clone()].chars().take(column - row.column).collect();
        Some((at, self.gutter + console::measure_text_width(&before)))
    }

    /// The first line to be seen so that the focus is in sight: its cursor, or as much of the cell as there is room for.
    fn following(&self, parts: &[Part], heights: &[usize], top: usize, height: usize) -> usize {
        let mut at = 0;
        for (part, part_height) in parts.iter().zip(heights) {
            if let Part::Cell(cell) = part
                && self.state.focus == Some(cell.id)
            {
                let (first, last) = match self.cursor(part) {
                    Some((row, _)) => (at + row, at + row + 2),
                    None => (at, at + part_height),
                };
                let top = if last > top + height { last - height } else { top };
                return top.min(first);
            }
            at += part_height;
        }
        top
    }

    /// What a cell has shown.
    fn outputs(&self, cell: CellId) -> String {
        let Some(info) = self.state.data().info(cell) else { return String::new() };
        let fold = if self.state.unfolded.contains(&cell) { usize::MAX } else { FOLD };
        let width = usize::from(self.width).saturating_sub(4);
        let view = View { look: Look { width, coloured: false }, manner: Manner::Seen, fold };
        let number = self.state.data().document().number(cell);
        let shown = |output: &Output| {
            if let Some(image) = &output.image {
                let lines = blocks::drawn(image, width, Depth::of_environment());
                return lines.iter().map(|line| format!("{line}\n")).collect();
            }
            let text = view.output(number, output);
            match output.kind {
                OutputKind::Text => broken(&view.folded(number, &text), width),
                OutputKind::Picture | OutputKind::Sequence | OutputKind::Tree | OutputKind::Frame => {
                    view.folded(number, &text)
                }
                OutputKind::Input => {
                    let state = output.input.and_then(|input| self.state.data().inputs().get(&input));
                    state.map_or(text, |state| format!("{}: {}\n", state.form.label, state.form.shown(&state.value)))
                }
                OutputKind::Table | OutputKind::Image => text,
                _ => broken(&text, width),
            }
        };
        info.outputs
            .iter()
            .map(shown)
            .collect::<String>()
            .replace(&format!("`:show {number}` shows them"), "z shows them")
    }

    fn paint<'l>(&self, part: &Part, visible: Range<usize>, lines: &mut Vec<Line<'l>>, places: &mut Vec<Place>) {
        match part {
            Part::Section(place) => {
                let head = &self.state.data().document().all_sections()[*place].head;
                let sign = if head.parent.is_some() { "⑂ " } else { "" };
                let branches = head.parent.and_then(|parent| self.state.data().document().section(parent));
                let of = branches.map_or_else(String::new, |parent| format!("  branches from {}", parent.head.name));
                let both = [
                    Line::from(vec![
                        Span::styled(
                            format!("  {sign}{}", head.name),
                            Style::new().add_modifier(Modifier::BOLD).fg(Color::Cyan),
                        ),
                        Span::styled(of, dim()),
                    ]),
                    Line::default(),
                ];
                for line in both.into_iter().skip(visible.start).take(visible.len()) {
                    lines.push(line);
                    places.push((None, None));
                }
            }
            Part::Cell(cell) => self.cell(cell, visible, lines, places),
        }
    }

    fn cell<'l>(&self, laid: &Laid, visible: Range<usize>, lines: &mut Vec<Line<'l>>, places: &mut Vec<Place>) {
        let Laid { id: cell, rows, outputs } = laid;
        let (cell, source) = (*cell, self.source(*cell));
        let (count, is_code) = (rows.len(), self.is_code(cell));
        let bar = match self.state.focus == Some(cell) {
            true if self.state.edited.is_some() => Span::styled("▌", Style::new().fg(Color::Green)),
            true => Span::styled("▌", Style::new().fg(Color::Cyan)),
            false => Span::raw(" "),
        };
        let mut push = |line: Line<'l>, text: Option<(usize, usize)>| {
            let mut spans = vec![bar.clone()];
            spans.extend(line.spans);
            lines.push(Line::from(spans));
            places.push((Some(cell), text));
        };
        if visible.contains(&0) {
            push(self.heading(cell, is_code), None);
        }
        let code = visible.start.max(1) - 1..visible.end.saturating_sub(1).min(count);
        if !code.is_empty() {
            let gutter = self.gutter - 2;
            let marks = if is_code { classes(source) } else { Vec::new() };
            for row in &rows[code] {
                let label = match is_code && row.column == 0 {
                    true => format!("{:>gutter$} ", row.line + 1),
                    false => " ".repeat(gutter + 1),
                };
                let mut spans = vec![Span::styled(label, dim())];
                match is_code {
                    true => spans.extend(code_spans(source, &marks, row.range.clone())),
                    false => spans.push(prose(source, row.range.clone())),
                }
                push(Line::from(spans), Some((row.line, row.column)));
            }
        }
        let all = outputs.lines().count();
        let first = visible.start.max(1 + count) - 1 - count;
        let end = visible.end.saturating_sub(1 + count).min(all);
        for line in outputs.lines().skip(first).take(end.saturating_sub(first)) {
            let mut spans = vec![Span::raw("  ")];
            match line.contains('\u{1b}') {
                true => spans.extend(image_line(line)),
                false => spans.push(output_line(line)),
            }
            push(Line::from(spans), None);
        }
        if visible.end > 1 + count + all {
            lines.push(Line::default());
            places.push((None, None));
        }
    }

    fn heading<'l>(&self, cell: CellId, is_code: bool) -> Line<'l> {
        let data = self.state.data();
        if !is_code {
            return Line::from(Span::styled(" text", dim()));
        }
        let standing = standing(data, cell);
        let language = data.document().cell(cell).and_then(Cell::code).map_or("", |code| code.language.info());
        let name = match data.document().number(cell) {
            0 => format!(" setup, {language}"),
            number if language == "rust" => format!(" [{number}]"),
            number => format!(" [{number}] {language}"),
        };
        let info = data.info(cell);
        let words = match (self.state.since.get(&cell), info.and_then(|info| info.not_yielding_ms)) {
            (Some(_), Some(ms)) => format!("not yielding for {}", duration(ms as f64)),
            (Some(since), None) => format!("running {:.1} s", since.elapsed().as_secs_f64()),
            (None, _) => standing.words,
        };
        Line::from(vec![
            Span::styled(name, Style::new().add_modifier(Modifier::BOLD)),
            Span::raw(" "),
            Span::styled(format!("{} {words}", standing.mark), standing.style),
        ])
    }
}

/// A part of a line of code, in colours.
fn code_spans<'l>(source: &str, marks: &[(Range<usize>, Class)], part: Range<usize>) -> Vec<Span<'l>> {
    let mut spans = Vec::new();
    let mut done = part.start;
    let first = marks.partition_point(|(mark, _)| mark.end <= part.start);
    for (mark, class) in marks[first..].iter().take_while(|(mark, _)| mark.start < part.end) {
        let (from, to) = (mark.start.max(part.start), mark.end.min(part.end));
        if from > done {
            spans.push(Span::raw(source[done..from].to_owned()));
        }
        spans.push(Span::styled(source[from..to].to_owned(), style(*class)));
        done = to;
    }
    if done < part.end {
        spans.push(Span::raw(source[done..part.end].to_owned()));
    }
    spans
}

/// A part of a line of prose; headings stand out.
fn prose<'l>(source: &str, part: Range<usize>) -> Span<'l> {
    let line = source[..part.start].rfind('\n').map_or(0, |at| at + 1);
    let is_heading = source[line..].starts_with('#');
    let style = if is_heading { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
    Span::styled(source[part].to_owned(), style)
}

fn style(class: Class) -> Style {
    match class {
        Class::Keyword => Style::new().fg(Color::Magenta),
        Class::Type => Style::new().fg(Color::Yellow),
        Class::Function => Style::new().fg(Color::Blue),
        Class::Macro => Style::new().fg(Color::Blue).add_modifier(Modifier::BOLD),
        Class::String => Style::new().fg(Color::Green),
        Class::Number => Style::new().fg(Color::Cyan),
        Class::Comment => dim(),
        Class::Lifetime => Style::new().fg(Color::Red),
    }
}

/// A line of an image in characters: only there are colours in what is drawn.
fn image_line<'l>(line: &str) -> Vec<Span<'l>> {
    let mut style = Style::new();
    let mut spans = Vec::new();
    for (part, is_code) in console::AnsiCodeIterator::new(line) {
        if !is_code {
            spans.push(Span::styled(part.to_owned(), style));
            continue;
        }
        let code = part.trim_start_matches("\u{1b}[").trim_end_matches('m');
        let numbers: Vec<u8> = code.split(';').filter_map(|number| number.parse().ok()).collect();
        style = match numbers.as_slice() {
            [38, 2, red, green, blue] => style.fg(Color::Rgb(*red, *green, *blue)),
            [48, 2, red, green, blue] => style.bg(Color::Rgb(*red, *green, *blue)),
            [38, 5, colour] => style.fg(Color::Indexed(*colour)),
            [48, 5, colour] => style.bg(Color::Indexed(*colour)),
            _ => Style::new(),
        };
    }
    spans
}

/// A line of an output; what is wrong stands out.
fn output_line<'l>(line: &str) -> Span<'l> {
    let style = match line {
        line if line.starts_with("error") => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
        line if line.starts_with("warning") => Style::new().fg(Color::Yellow),
        line if line.trim_start().trim_start_matches('|').trim_start().starts_with('^') => Style::new().fg(Color::Red),
        line if line.starts_with('…') => dim(),
        _ => Style::new(),
    };
    Span::styled(line.replace('\t', "    "), style)
}
