//! The rows of a diagram: heads, lifelines, arrows, ends.

use super::super::{Action, Arrow, Exit, Group, Mark, MarkKind, NodeColumns, Sequence};
use super::canvas::Row;
use super::columns::{ARROW, Columns};
use crate::words;

/// The lines of the diagram of `sequence`, with its lifelines in `columns`.
pub(super) fn draw(sequence: &Sequence, columns: &Columns, width: usize) -> Vec<String> {
    let mut pen = Pen::new(sequence, columns, width);
    let mut steps = sequence.steps.iter().enumerate().peekable();
    let mut end_of_group = None;
    while let Some((index, step)) = steps.next() {
        if end_of_group == Some(index) {
            pen.rule("");
        }
        if let Some(group) = sequence.group_at(index) {
            end_of_group = Some(index + group.len);
            pen.group(group);
        }
        match &step.action {
            Action::Arrow(arrow) => {
                let end = steps.next_if(|(_, next)| is_end_of_sender(&next.action, arrow));
                let tail = if end.is_some() { Tail::End } else { Tail::Line };
                let born = sequence.participants[arrow.to].born == Some(index);
                pen.arrow(arrow, tail, if born { Tip::Head } else { Tip::Line });
            }
            Action::Exit(exit) => pen.exit(exit),
            Action::Mark(mark) => pen.mark(mark),
        }
    }
    if end_of_group == Some(sequence.steps.len()) {
        pen.rule("");
    }
    pen.rows
}

/// Whether `action` is the end of who sent `arrow`, with nothing left to say: the two share a row.
fn is_end_of_sender(action: &Action, arrow: &Arrow) -> bool {
    matches!(action, Action::Exit(exit) if exit.participant == arrow.from && exit.speaks_for_itself())
}

/// What an arrow begins with.
#[derive(Clone, Copy)]
enum Tail {
    /// The sender's lifeline.
    Line,
    /// The mark of the sender's end.
    End,
}

/// What an arrow points at.
#[derive(Clone, Copy)]
enum Tip {
    /// The receiver's lifeline.
    Line,
    /// The receiver's head: the arrow starts it.
    Head,
}

/// A participant's lifeline, as it is in the row that is being drawn.
#[derive(Clone, Copy)]
enum Life {
    /// Not started yet, or ended.
    Absent,
    /// Running since before the sequence.
    Present,
    /// Started within the sequence.
    Active,
}

struct Pen<'a> {
    columns: &'a Columns,
    width: usize,
    lives: Vec<Life>,
    rows: Vec<String>,
}

impl<'a> Pen<'a> {
    /// A pen that has drawn the heads of those who are there from the start.
    fn new(sequence: &Sequence, columns: &'a Columns, width: usize) -> Self {
        let life = |born: Option<usize>| {
            if born.is_some() { Life::Absent } else { Life::Present }
        };
        let lives = sequence.participants.iter().map(|participant| life(participant.born)).collect();
        let mut pen = Pen { columns, width, lives, rows: Vec::new() };
        if !sequence.nodes.is_empty() {
            pen.nodes(&sequence.nodes);
        }
        let mut heads = Row::new(width);
        for (participant, life) in pen.lives.iter().enumerate() {
            if matches!(life, Life::Present) {
                heads.write(columns.head(participant), &columns.heads[participant], width);
            }
        }
        pen.rows.push(heads.finish());
        let lines = pen.lifelines().finish();
        pen.rows.push(lines);
        pen
    }

    fn arrow(&mut self, arrow: &Arrow, tail: Tail, tip: Tip) {
        let start = self.columns.x[arrow.from];
        let end = match tip {
            Tip::Line => self.columns.x[arrow.to],
            Tip::Head => self.columns.head(arrow.to) - 1,
        };
        let (left, right) = (start.min(end), start.max(end));
        let mut row = self.lifelines();
        let mut crossed = None;
        for column in left + 1..right {
            match row.at(column) {
                '│' => row.put(column, '┼'),
                '┃' => row.put(column, '╂'),
                _ => {
                    row.put(column, '─');
                    continue;
                }
            }
            crossed = crossed.or(Some(column));
        }
        let rightwards = start < end;
        row.put(start, self.tail(arrow.from, tail, rightwards));
        if rightwards {
            row.put(end - 1, '▶')
        } else {
            row.put(end + 1, '◀')
        }

        // All labels begin at the left, in the first gap if they fit there.
        let whole = (right - left).saturating_sub(ARROW);
        let first = crossed.map_or(whole, |column| column.saturating_sub(left + 5));
        let room = if words::width(&arrow.label) <= first { first } else { whole };
        let label = words::cut(&arrow.label, room);
        row.write(left + 3, &format!(" {label} "), room + 2);
        if let Tip::Head = tip {
            row.write(end + 1, &self.columns.heads[arrow.to], self.width);
        }
        self.rows.push(row.finish());
        if let Tail::End = tail {
            self.lives[arrow.from] = Life::Absent;
        }
        if arrow.activates {
            self.lives[arrow.to] = Life::Active;
        }
    }

    /// Draws an end that shares its row with no arrow.
    fn exit(&mut self, exit: &Exit) {
        let x = self.columns.x[exit.participant];
        self.lives[exit.participant] = Life::Absent;
        let mut row = self.lifelines();
        if !exit.speaks_for_itself() {
            let place = exit.place.as_ref().map(|place| format!("{} at {place}", exit.label));
            let fits = |label: &String| self.width.saturating_sub(x + 2) >= words::width(label);
            self.beside(&mut row, x, place.as_ref().filter(|label| fits(label)).unwrap_or(&exit.label));
        }
        row.put(x, '✕');
        self.rows.push(row.finish());
    }

    /// Draws what happened without a message.
    fn mark(&mut self, mark: &Mark) {
        let x = self.columns.x[mark.participant];
        let mut row = self.lifelines();
        let Some(with) = mark.with.map(|with| self.columns.x[with]) else {
            self.beside(&mut row, x, &mark.label);
            row.put(x, '◷');
            return self.rows.push(row.finish());
        };
        let (left, right) = (x.min(with), x.max(with));
        (left + 1..right).filter(|&column| row.at(column) == ' ').collect::<Vec<_>>().into_iter().for_each(|column| {
            row.put(column, '╌');
        });
        if mark.kind != MarkKind::Link {
            let (tip, sign) = if x < with { (with - 1, '▷') } else { (with + 1, '◁') };
            row.put(tip, sign);
        }
        let label = words::cut(&mark.label, (right - left).saturating_sub(ARROW));
        row.write(left + 3, &format!(" {label} "), right - left);
        self.rows.push(row.finish());
    }

    /// Writes a label beside a lifeline: to the right, unless it would be cut there and has more room at left.
    fn beside(&self, row: &mut Row, x: usize, label: &str) {
        let is_free = |column: &usize| row.at(*column) == ' ';
        let right = (x + 1..self.width).take_while(is_free).count().saturating_sub(2);
        let left = (0..x).rev().take_while(is_free).count().saturating_sub(2);
        if right >= left.min(words::width(label)) {
            row.write(x + 2, label, right);
        } else {
            let label = words::cut(label, left);
            row.write(x - 1 - words::width(&label), &label, left);
        }
    }

    /// Says that what follows was repeated; its end is a rule without words.
    fn group(&mut self, group: &Group) {
        self.rule(&format!(" {} ", group.words()));
    }

    /// A dotted line across all lifelines.
    fn rule(&mut self, words: &str) {
        let mut row = self.lifelines();
        let (Some(&first), Some(&last)) = (self.columns.x.first(), self.columns.x.last()) else { return };
        for column in first..=last {
            if row.at(column) == ' ' {
                row.put(column, '┄');
            }
        }
        row.write(first + 2, words, (last - first).saturating_sub(2));
        self.rows.push(row.finish());
    }

    /// A line above the heads that says which of them are on which node.
    fn nodes(&mut self, nodes: &[NodeColumns]) {
        let mut row = Row::new(self.width);
        for node in nodes {
            let last = node.first + node.len - 1;
            let (left, right) = (self.columns.head(node.first), self.columns.x[last] + 1);
            let right = right.max(left + 4);
            row.put(left, '╭');
            (left + 1..right).for_each(|column| row.put(column, '─'));
            row.put(right, '╮');
            row.write(left + 2, &format!(" {} ", node.name), (right - left).saturating_sub(3));
        }
        self.rows.push(row.finish());
    }

    /// A row with nothing but the lifelines of those who run.
    fn lifelines(&self) -> Row {
        let mut row = Row::new(self.width);
        for (life, &x) in self.lives.iter().zip(&self.columns.x) {
            match life {
                Life::Absent => {}
                Life::Present => row.put(x, '│'),
                Life::Active => row.put(x, '┃'),
            }
        }
        row
    }

    /// The character where an arrow leaves the lifeline of `from`.
    fn tail(&self, from: usize, tail: Tail, rightwards: bool) -> char {
        match (tail, self.lives[from]) {
            (Tail::End, _) => '✕',
            (Tail::Line, Life::Present) => {
                if rightwards {
                    '├'
                } else {
                    '┤'
                }
            }
            (Tail::Line, Life::Active) => {
                if rightwards {
                    '┠'
                } else {
                    '┨'
                }
            }
            (Tail::Line, Life::Absent) => {
                if rightwards {
                    '╶'
                } else {
                    '╴'
                }
            }
        }
    }
}
