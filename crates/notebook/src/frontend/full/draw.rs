//! How the document view looks: an outline, the cells with their outputs, and a line of help.

mod cells;
mod rows;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::keys::KEYS;
use super::state::{Drawn, Question, State};
use crate::frontend::look::duration;
use crate::frontend::others;
use crate::livemd::Cell;
use crate::session::data::{Data, RuntimeStatus, Status, Validity};
use crate::session::operation::CellId;
use cells::{draw_cells, gutter};

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

/// The first and the last line: they stand out on light and on dark terminals, and without colours.
fn bar() -> Style {
    Style::new().add_modifier(Modifier::REVERSED)
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
    let others = match others(data).as_slice() {
        [] => String::new(),
        [one] => format!("with {one} · "),
        several => format!("with {} others · ", several.len()),
    };
    let runtime = match &data.runtime().node {
        Some(node) => format!("{node}: {runtime}"),
        None => runtime,
    };
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
    frame.render_widget(Paragraph::new(line).style(bar()), area);
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

fn draw_foot(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let line = match (&state.question, &state.said, &state.edited) {
        (Some((question, answer)), ..) => {
            let (what, answer) = match question {
                Question::Section => ("new section".to_owned(), answer.clone()),
                Question::Branch => ("new branch".to_owned(), answer.clone()),
                Question::Input(input) => state.asked_for(*input, answer),
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
    frame.render_widget(Paragraph::new(line).style(bar()), area);
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
        let mut state = State::new(super::super::Leaving::Closes);
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
