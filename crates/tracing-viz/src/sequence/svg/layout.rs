//! Where everything stands in the picture of a sequence: columns as far apart as their labels want, rows as high
//! as they need.

use super::super::{Action, Sequence};
use crate::svg::{TOP, extent};
use crate::words;

/// The room for times, at the left.
pub(super) const GUTTER: f64 = 74.0;

/// The height of a head.
pub(super) const HEAD: f64 = 38.0;

/// The height of a head that only says the name.
pub(super) const SMALL_HEAD: f64 = 22.0;

/// The longest name in a head, in characters.
pub(super) const NAME: usize = 24;

/// Labels ask for no more pixels than this.
const LABEL: f64 = 300.0;

/// Lifelines stand at least so far apart.
const NEAREST: f64 = 92.0;

/// So many rows make a picture long: then heads stand at its end as well.
const LONG: usize = 24;

/// Names stand between the rows after so many of them.
const REMINDER: usize = 30;

pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Where the heads begin.
    pub(super) top: f64,
    /// Where the rows end.
    pub(super) bottom: f64,
    /// Each participant's lifeline.
    pub(super) x: Vec<f64>,
    /// The width of each participant's head.
    pub(super) heads: Vec<f64>,
    /// Each step's row.
    pub(super) y: Vec<f64>,
    /// Where each participant's lifeline begins.
    pub(super) births: Vec<f64>,
    /// From where to where each participant is known to run; to the end, if nothing was seen of its end.
    pub(super) lives: Vec<Vec<(f64, Option<f64>)>>,
    /// The last row in which something comes from or goes to each participant.
    pub(super) last_touch: Vec<f64>,
    /// Rows for names in between.
    pub(super) reminders: Vec<f64>,
    pub(super) is_long: bool,
}

impl Layout {
    pub(super) fn of(sequence: &Sequence) -> Layout {
        let mut heads: Vec<f64> = sequence.participants.iter().map(head).collect();
        // Whoever is alone on a node has room for the node's name.
        for node in sequence.nodes.iter().filter(|node| node.len == 1) {
            heads[node.first] = heads[node.first].max(extent(&node.name).min(220.0) + 6.0);
        }
        let (x, width) = columns(sequence, &heads);
        let top = TOP + 8.0 + if sequence.nodes.is_empty() { 0.0 } else { 18.0 };
        let mut layout = Layout {
            width,
            height: 0.0,
            top,
            bottom: 0.0,
            births: vec![top + HEAD; x.len()],
            lives: vec![Vec::new(); x.len()],
            last_touch: vec![top + HEAD; x.len()],
            x,
            heads,
            y: Vec::with_capacity(sequence.steps.len()),
            reminders: Vec::new(),
            is_long: sequence.steps.len() > LONG,
        };
        layout.rows(sequence);
        let notes = sequence.missing().len() as f64 * 16.0;
        layout.height = layout.bottom + 14.0 + notes + if layout.is_long { SMALL_HEAD + 8.0 } else { 0.0 };
        layout
    }

    fn rows(&mut self, sequence: &Sequence) {
        let mut y = self.top + HEAD + 8.0;
        let mut since = 0;
        let mut group_ends = None;
        for (index, step) in sequence.steps.iter().enumerate() {
            if group_ends == Some(index) {
                y += 8.0;
            }
            if let Some(group) = sequence.group_at(index) {
                y += 16.0;
                group_ends = Some(index + group.len);
            } else if since >= REMINDER && group_ends.is_none_or(|end| end <= index) {
                y += 20.0;
                self.reminders.push(y);
                since = 0;
            }
            since += 1;
            let mut below = 0.0;
            match &step.action {
                Action::Arrow(arrow) => {
                    let born = sequence.participants[arrow.to].born == Some(index);
                    y += if born { HEAD / 2.0 + 10.0 } else { 26.0 };
                    if born {
                        below = HEAD / 2.0;
                        self.births[arrow.to] = y + HEAD / 2.0;
                    }
                    if arrow.activates {
                        self.lives[arrow.to].push((y + below, None));
                    }
                }
                Action::Exit(exit) => {
                    y += if exit.told && exit.place.is_none() { 16.0 } else { 22.0 };
                    below = if exit.place.is_some() { 12.0 } else { 0.0 };
                    match self.lives[exit.participant].last_mut() {
                        Some(life) if life.1.is_none() => life.1 = Some(y),
                        _ => {
                            let start = self.births[exit.participant];
                            self.lives[exit.participant].push((start, Some(y)));
                        }
                    }
                }
                Action::Mark(_) => y += 24.0,
            }
            for participant in step.action.participants() {
                self.last_touch[participant] = y + 8.0;
            }
            self.y.push(y);
            y += below;
        }
        self.bottom = y + 22.0;
    }
}

fn head(who: &super::Participant) -> f64 {
    let (name, pid) = super::names(who);
    let name = words::width(&name).min(NAME) as f64 * 7.7;
    let pid = words::width(&pid) as f64 * 6.1;
    (name.max(pid) + 22.0).max(64.0)
}

/// Each lifeline, and the width of it all.
fn columns(sequence: &Sequence, heads: &[f64]) -> (Vec<f64>, f64) {
    let mut gaps: Vec<f64> = heads.windows(2).map(|pair| NEAREST.max(pair[0] / 2.0 + pair[1] / 2.0 + 14.0)).collect();
    // Nodes stand further apart.
    for node in &sequence.nodes {
        if let Some(gap) = node.first.checked_sub(1).and_then(|before| gaps.get_mut(before)) {
            *gap += 26.0;
        }
    }
    let mut after = 24.0_f64;
    for (index, step) in sequence.steps.iter().enumerate() {
        let (left, right, wanted) = match &step.action {
            Action::Arrow(arrow) => {
                let born = sequence.participants[arrow.to].born == Some(index);
                let head = if born { heads[arrow.to] / 2.0 } else { 0.0 };
                let label = arrow.label.strip_prefix("INFO: ").unwrap_or(&arrow.label);
                (arrow.from.min(arrow.to), arrow.from.max(arrow.to), extent(label).min(LABEL) + 34.0 + head)
            }
            Action::Mark(mark) => {
                let with = mark.with.unwrap_or(mark.participant + 1);
                let (left, right) = (with.min(mark.participant), with.max(mark.participant));
                (left, right, extent(&mark.label).min(LABEL) + 34.0)
            }
            Action::Exit(exit) if exit.speaks_for_itself() && exit.place.is_none() => continue,
            Action::Exit(exit) => (exit.participant, exit.participant + 1, extent(&exit.label).min(LABEL) - 10.0),
        };
        if right >= heads.len() {
            after = after.max(wanted - heads.last().map_or(0.0, |head| head / 2.0));
        } else if right == left + 1 {
            gaps[left] = gaps[left].max(wanted);
        }
    }
    // What goes across several columns takes what there is, and then widens the first of them.
    for step in &sequence.steps {
        if let Action::Arrow(arrow) = &step.action {
            let (left, right) = (arrow.from.min(arrow.to), arrow.from.max(arrow.to));
            let missing = extent(&arrow.label).min(LABEL / 2.0) + 34.0 - gaps[left..right].iter().sum::<f64>();
            if missing > 0.0 {
                gaps[left] += missing;
            }
        }
    }
    let mut x = Vec::with_capacity(heads.len());
    let mut at =
        GUTTER + heads.first().map_or(0.0, |head| head / 2.0) + if sequence.nodes.is_empty() { 0.0 } else { 10.0 };
    for participant in 0..heads.len() {
        x.push(at);
        at += gaps.get(participant).copied().unwrap_or(0.0);
    }
    let width = at + heads.last().map_or(0.0, |head| head / 2.0) + after;
    (x, width)
}
