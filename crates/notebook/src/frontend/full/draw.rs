//! How the document view looks: an outline, the cells with their outputs, and a line of help.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::keys::KEYS;
use super::state::{Drawn, Question, State};
use crate::event::{Output, OutputKind};
use crate::frontend::plain::{Look, duration};
use crate::frontend::syntax::{Class, classes};
use crate::frontend::view::{FOLD, Manner, View};
use crate::livemd::Cell;
use crate::session::data::{Data, RuntimeStatus, Status, Validity, text};
use crate::session::operation::CellId;

/// How wide the outline is.
const OUTLINE: u16 = 24;
/// Below this width there is no outline.
const NARROW: u16 = 72;

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, state: &mut State) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)]).areas(frame.area());
    let outline = if state.has_outline && frame.area().width >= NARROW { OUTLINE } else { 0 };
    let [left, right] = Layout::horizontal([Constraint::Length(outline), Constraint::Fill(1)]).areas(body);
    draw_head(frame, head, state);
    let sections = draw_outline(frame, left, state);
    let lines = draw_cells(frame, right, state);
    draw_foot(frame, foot, state);
    if state.has_help {
        draw_help(frame, body);
    }
    let gutter = gutter(state.data());
    state.drawn = Drawn { cells: right, outline: left, lines, sections, gutter };
}

fn dim() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

fn draw_head(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let data = state.data();
    let dirty = if data.is_dirty() { " •" } else { "" };
    let file =
        data.file().path.as_ref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
    let name = format!(" {}{dirty}", data.document().name);
    let runtime = match (data.runtime().status, &data.runtime().building) {
        (_, Some(step)) => format!("building {} of {}: {}", step.done, step.total, step.name),
        (RuntimeStatus::Connected, None) => {
            let usage = data.runtime().usage;
            match usage.processes {
                0 => "runtime ready".to_owned(),
                processes => format!("{processes} processes, {}", bytesize::ByteSize::b(usage.memory).display().si()),
            }
        }
        (RuntimeStatus::Connecting, None) => "starting the runtime".to_owned(),
        (RuntimeStatus::Disconnected, None) => {
            data.runtime().trouble.clone().unwrap_or_else(|| "no runtime".to_owned())
        }
    };
    let others = data.clients().len().saturating_sub(1);
    let others = if others == 0 { String::new() } else { format!("{others} more look · ") };
    let right = format!("{others}{runtime} ");
    let file = file.map_or_else(String::new, |file| format!("  {file}"));
    let used =
        console::measure_text_width(&name) + console::measure_text_width(&file) + console::measure_text_width(&right);
    let gap = usize::from(area.width).saturating_sub(used);
    let line = Line::from(vec![
        Span::styled(name, Style::new().add_modifier(Modifier::BOLD)),
        Span::styled(file, dim()),
        Span::raw(" ".repeat(gap)),
        Span::styled(right, dim()),
    ]);
    frame.render_widget(Paragraph::new(line).style(Style::new().bg(Color::Indexed(236))), area);
}

fn draw_outline(frame: &mut Frame<'_>, area: Rect, state: &State) -> Vec<Option<CellId>> {
    if area.width == 0 {
        return Vec::new();
    }
    let document = state.data().document();
    let here = state.focus.and_then(|focus| document.section_of(focus)).map(|section| section.head.id);
    let (mut lines, mut firsts) = (Vec::new(), Vec::new());
    for section in document.all_sections() {
        if section.cells.is_empty() && section.head.name.is_empty() {
            continue;
        }
        let is_here = here == Some(section.head.id);
        let sign = if section.head.parent.is_some() { "  ⑂ " } else { " " };
        let name = if section.head.name.is_empty() { "Setup" } else { &section.head.name };
        let marks: Vec<Span<'_>> = section
            .cells
            .iter()
            .filter(|cell| document.cell(**cell).and_then(Cell::code).is_some())
            .map(|cell| {
                let standing = standing(state.data(), *cell);
                Span::styled(standing.mark, standing.style)
            })
            .take(8)
            .collect();
        let room = usize::from(area.width).saturating_sub(console::measure_text_width(sign) + marks.len() + 2);
        let name = console::truncate_str(name, room, "…").into_owned();
        let gap = room.saturating_sub(console::measure_text_width(&name));
        let style = if is_here { Style::new().add_modifier(Modifier::BOLD).fg(Color::Cyan) } else { Style::new() };
        let mut spans = vec![Span::styled(format!("{sign}{name}{}", " ".repeat(gap)), style)];
        spans.extend(marks);
        lines.push(Line::from(spans));
        firsts.push(section.cells.first().copied());
    }
    let block = Block::new().borders(ratatui::widgets::Borders::RIGHT).border_style(dim());
    frame.render_widget(Paragraph::new(lines).block(block), area);
    firsts
}

/// How a cell stands, as a mark and in words.
struct Standing {
    mark: &'static str,
    words: String,
    style: Style,
}

fn standing(data: &Data, cell: CellId) -> Standing {
    let of = |mark, words: &str, color| Standing { mark, words: words.to_owned(), style: Style::new().fg(color) };
    let Some(info) = data.info(cell) else { return of(" ", "", Color::Reset) };
    match (info.status, info.validity) {
        (Status::Queued, _) => of("◌", "queued", Color::Yellow),
        (Status::Evaluating, _) => of("●", "running", Color::Yellow),
        (Status::Ready, _) if info.failed => of("✗", "failed", Color::Red),
        (Status::Ready, Validity::Fresh) => of("·", "", Color::DarkGray),
        (Status::Ready, Validity::Aborted) => of("✗", "no values", Color::Red),
        (Status::Ready, _) if info.is_outdated() => of("↻", "stale", Color::Yellow),
        (Status::Ready, _) => {
            let run = info.record.as_ref().map_or(0.0, |record| record.run_ms);
            let compile = info.compiled.as_ref().map_or(0.0, |compiled| compiled.compile_ms);
            of("✓", &duration(run + compile), Color::Green)
        }
    }
}

/// A part of the document, with how many lines it takes.
enum Part {
    Section(usize),
    Cell(CellId),
}

/// How wide the numbers of lines are, with what stands around them.
fn gutter(data: &Data) -> u16 {
    let document = data.document();
    let longest = document.cells().filter_map(|cell| document.cell(cell)).map(|cell| lines_of(text(cell))).max();
    longest.unwrap_or(1).max(10).ilog10() as u16 + 4
}

fn lines_of(text: &str) -> usize {
    text.matches('\n').count() + 1
}

/// Draws what is in sight of the cells. Says what stands on each line.
fn draw_cells(frame: &mut Frame<'_>, area: Rect, state: &mut State) -> Vec<(Option<CellId>, Option<usize>)> {
    let parts = parts(state.data());
    let painter = Painter { width: area.width, gutter: usize::from(gutter(state.data())), state };
    let heights: Vec<usize> = parts.iter().map(|part| painter.height(part)).collect();
    let total: usize = heights.iter().sum();
    let height = usize::from(area.height);
    let mut top = state.top.min(total.saturating_sub(height));
    if state.follows {
        top = following(state, &parts, &heights, top, height);
    }
    let painter = Painter { width: area.width, gutter: usize::from(gutter(state.data())), state };
    let (mut lines, mut places) = (Vec::new(), Vec::new());
    let mut cursor = None;
    let mut at = 0;
    for (part, part_height) in parts.iter().zip(&heights) {
        let end = at + part_height;
        if end > top && at < top + height {
            let visible = top.max(at) - at..(top + height).min(end) - at;
            painter.paint(part, visible, &mut lines, &mut places);
            if let (Part::Cell(cell), Some(edited)) = (part, &state.edited)
                && state.focus == Some(*cell)
            {
                let (line, column) = edited.position();
                let row = at + 1 + line;
                let before: String = edited.text().lines().nth(line).unwrap_or("").chars().take(column).collect();
                let x = painter.gutter + console::measure_text_width(&before);
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

/// The first line to be seen so that the focus is in sight: its cursor, or as much of the cell as there is room for.
fn following(state: &State, parts: &[Part], heights: &[usize], top: usize, height: usize) -> usize {
    let mut at = 0;
    for (part, part_height) in parts.iter().zip(heights) {
        if let Part::Cell(cell) = part
            && state.focus == Some(*cell)
        {
            let (first, last) = match &state.edited {
                Some(edited) => {
                    let line = at + 1 + edited.position().0;
                    (line.saturating_sub(1), line + 1)
                }
                None => (at, at + part_height),
            };
            let top = if last > top + height { last - height } else { top };
            return top.min(first);
        }
        at += part_height;
    }
    top
}

fn parts(data: &Data) -> Vec<Part> {
    let mut parts = Vec::new();
    for (place, section) in data.document().all_sections().iter().enumerate() {
        if place > 0 {
            parts.push(Part::Section(place));
        }
        parts.extend(section.cells.iter().map(|cell| Part::Cell(*cell)));
    }
    parts
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

    /// A heading, the text, the outputs, and a line between.
    fn height(&self, part: &Part) -> usize {
        match part {
            Part::Section(_) => 2,
            Part::Cell(cell) => 2 + lines_of(self.source(*cell)) + self.outputs(*cell).lines().count(),
        }
    }

    /// What a cell has shown.
    fn outputs(&self, cell: CellId) -> String {
        let Some(info) = self.state.data().info(cell) else { return String::new() };
        let fold = if self.state.unfolded.contains(&cell) { usize::MAX } else { FOLD };
        let width = usize::from(self.width).saturating_sub(4);
        let view = View { look: Look { width, coloured: false }, manner: Manner::Seen, fold };
        let number = self.state.data().document().number(cell);
        let shown = |output: &Output| {
            let text = view.output(number, output);
            match output.kind {
                OutputKind::Text | OutputKind::Picture | OutputKind::Sequence | OutputKind::Tree => {
                    view.folded(number, &text)
                }
                _ => text,
            }
        };
        info.outputs
            .iter()
            .map(shown)
            .collect::<String>()
            .replace(&format!("`:show {number}` shows them"), "z shows them")
    }

    fn paint<'l>(
        &self,
        part: &Part,
        visible: std::ops::Range<usize>,
        lines: &mut Vec<Line<'l>>,
        places: &mut Vec<(Option<CellId>, Option<usize>)>,
    ) {
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
            Part::Cell(cell) => self.cell(*cell, visible, lines, places),
        }
    }

    fn cell<'l>(
        &self,
        cell: CellId,
        visible: std::ops::Range<usize>,
        lines: &mut Vec<Line<'l>>,
        places: &mut Vec<(Option<CellId>, Option<usize>)>,
    ) {
        let source = self.source(cell);
        let count = lines_of(source);
        let is_code = self.state.data().document().cell(cell).and_then(Cell::code).is_some();
        let bar = match self.state.focus == Some(cell) {
            true if self.state.edited.is_some() => Span::styled("▌", Style::new().fg(Color::Green)),
            true => Span::styled("▌", Style::new().fg(Color::Cyan)),
            false => Span::raw(" "),
        };
        let mut push = |line: Line<'l>, text: Option<usize>| {
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
            for (number, line) in
                source_lines(source, code.clone(), is_code).into_iter().zip(code.start..).map(|(line, at)| (at, line))
            {
                let label = if is_code { format!("{:>gutter$} ", number + 1) } else { " ".repeat(gutter + 1) };
                let mut spans = vec![Span::styled(label, dim())];
                spans.extend(line.spans);
                push(Line::from(spans), Some(number));
            }
        }
        let outputs = self.outputs(cell);
        let all = outputs.lines().count();
        let first = visible.start.max(1 + count) - 1 - count;
        let end = visible.end.saturating_sub(1 + count).min(all);
        for line in outputs.lines().skip(first).take(end.saturating_sub(first)) {
            push(Line::from(vec![Span::raw("  "), output_line(line)]), None);
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

/// Some lines of a text, in colours.
fn source_lines<'l>(source: &str, range: std::ops::Range<usize>, is_code: bool) -> Vec<Line<'l>> {
    let plain = |line: &str| Line::from(Span::raw(line.to_owned()));
    if !is_code {
        let prose = |line: &str| match line.starts_with('#') {
            true => Line::from(Span::styled(line.to_owned(), Style::new().add_modifier(Modifier::BOLD))),
            false => plain(line),
        };
        return source.split('\n').skip(range.start).take(range.len()).map(prose).collect();
    }
    let marks = classes(source);
    let mut start = 0;
    let mut drawn = Vec::with_capacity(range.len());
    for (number, line) in source.split('\n').enumerate().take(range.end) {
        let end = start + line.len();
        if number >= range.start {
            let mut spans = Vec::new();
            let mut done = start;
            let first = marks.partition_point(|(mark, _)| mark.end <= start);
            for (mark, class) in marks[first..].iter().take_while(|(mark, _)| mark.start < end) {
                let (from, to) = (mark.start.max(start), mark.end.min(end));
                if from > done {
                    spans.push(Span::raw(source[done..from].to_owned()));
                }
                spans.push(Span::styled(source[from..to].to_owned(), style(*class)));
                done = to;
            }
            if done < end {
                spans.push(Span::raw(source[done..end].to_owned()));
            }
            drawn.push(Line::from(spans));
        }
        start = end + 1;
    }
    drawn
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

fn draw_foot(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let line = match (&state.question, &state.said, &state.edited) {
        (Some((question, answer)), ..) => {
            let what = match question {
                Question::Section => "new section",
                Question::Branch => "new branch",
            };
            let text = format!(" {what}: {answer}");
            let x = area.x + console::measure_text_width(&text) as u16;
            frame.set_cursor_position(Position { x: x.min(area.right().saturating_sub(1)), y: area.y });
            Line::raw(text)
        }
        (None, Some(said), _) => Line::styled(format!(" {said}"), Style::new().fg(Color::Yellow)),
        (None, None, Some(_)) => Line::styled(" Esc done · Alt-Enter evaluate · Ctrl-Z undo · Ctrl-S save", dim()),
        (None, None, None) if !state.pressed.is_empty() => Line::styled(format!(" {}…", state.pressed), dim()),
        (None, None, None) => {
            Line::styled(" j k move · i edit · n new · ee evaluate · ea all · s save · ? keys · q leave", dim())
        }
    };
    frame.render_widget(Paragraph::new(line).style(Style::new().bg(Color::Indexed(236))), area);
}

fn draw_help(frame: &mut Frame<'_>, area: Rect) {
    let columns = if area.height < KEYS.len() as u16 + 2 { 2 } else { 1 };
    let rows = KEYS.len().div_ceil(columns);
    let line = |row: usize| {
        let cells: Vec<String> = (0..columns)
            .filter_map(|column| KEYS.get(row + column * rows))
            .map(|(keys, _, help)| format!(" {keys:>3}  {help:33}"))
            .collect();
        Line::raw(cells.concat())
    };
    let lines: Vec<_> = (0..rows).map(line).collect();
    let (width, height) = (39 * columns as u16 + 2, rows as u16 + 2);
    let area = Rect {
        x: area.x + area.width.saturating_sub(width) / 2,
        y: area.y + area.height.saturating_sub(height) / 2,
        width: width.min(area.width),
        height: height.min(area.height),
    };
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" Keys ")), area);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::session::Update;

    fn drawn(text: &str, width: u16, height: u16) -> String {
        let mut state = State::new();
        state.update(&Update::Joined(Arc::new(Data::new(&crate::livemd::parse(text).0))));
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("memory is a terminal");
        terminal.draw(|frame| draw(frame, &mut state)).expect("it can be drawn on");
        let buffer = terminal.backend().buffer().clone();
        let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
        (0..height).map(line).collect::<Vec<_>>().join("\n")
    }

    const TEXT: &str = "# Notes\n\n## First\n\nSome prose.\n\n```rust\nlet a = 1;\na + 1\n```\n\n\
                        <!-- livebook:{\"branch_parent_index\":0} -->\n\n## Beside\n\n```rust\na * 2\n```\n";

    #[test]
    fn a_small_terminal_shows_outline_cells_and_help() {
        let expected = "
 Notes                                                               no runtime
 First               · │  First
  ⑂ Beside           · │
                       │▌ text
                       │▌    Some prose.
                       │
                       │  [1] ·
                       │   1 let a = 1;
                       │   2 a + 1
                       │
                       │  ⑂ Beside  branches from First
                       │
                       │  [2] ·
                       │   1 a * 2
                       │
                       │
 j k move · i edit · n new · ee evaluate · ea all · s save · ? keys · q leave";
        let drawn = drawn(TEXT, 80, 17);
        assert_eq!(drawn, expected[1..], "\n{drawn}");
    }

    #[test]
    fn a_narrow_terminal_shows_the_cells_alone() {
        let drawn = drawn(TEXT, 40, 10);
        assert!(drawn.contains("▌ text") && !drawn.contains('│'), "{drawn}");
    }
}
