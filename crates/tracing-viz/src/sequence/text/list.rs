//! A sequence as a list, one line a step: for many participants, and for narrow terminals.

use super::super::{Action, Sequence, Step};
use crate::words::{self, Unit};

/// A name takes up at most this many columns, and at most a share of the line.
const NAME: usize = 24;
const SHARE: usize = 4;

/// The lines of the list of `sequence`, with times counted from its first step.
pub(super) fn draw(sequence: &Sequence, width: usize) -> Vec<String> {
    let (Some(first), Some(last)) = (sequence.steps.first(), sequence.steps.last()) else {
        return Vec::new();
    };
    let since = |step: &Step| step.at.saturating_sub(first.at);
    let unit = Unit::of(since(last));
    let longest = NAME.min(width / SHARE);
    let names: Vec<String> = sequence.participants.iter().map(|who| words::cut(&who.title(), longest)).collect();
    let name_width = names.iter().map(|name| words::width(name)).max().unwrap_or(0);
    let time = |step: &Step| unit.show(since(step));
    let time_width = words::width(&time(last));

    let line = |step: &Step| {
        let (from, sign, to, label) = match &step.action {
            Action::Arrow(arrow) => (names[arrow.from].as_str(), "─▶", names[arrow.to].as_str(), &arrow.label),
            Action::Exit(exit) => (names[exit.participant].as_str(), "✕ ", "", &exit.label),
            Action::Mark(mark) => {
                let with = mark.with.map_or("", |with| names[with].as_str());
                (names[mark.participant].as_str(), if with.is_empty() { "◷ " } else { "╌╌" }, with, &mark.label)
            }
        };
        let (time, from, to) = (time(step), words::pad(from, name_width), words::pad(to, name_width));
        let space = " ".repeat(time_width.saturating_sub(words::width(&time)));
        words::cut(&format!("{space}{time}  {from} {sign} {to}  {label}"), width)
    };
    let mut lines = Vec::new();
    let mut end_of_group = 0;
    for (index, step) in sequence.steps.iter().enumerate() {
        if let Some(group) = sequence.group_at(index) {
            lines.push(words::cut(&format!("┌ {}", group.words()), width));
            end_of_group = index + group.len;
        }
        lines.push(line(step));
        if end_of_group == index + 1 {
            lines.push(words::cut("└", width));
        }
    }
    lines
}
