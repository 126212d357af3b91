//! Where the lifelines of a diagram stand: as far apart as the labels want, as near as they must.

use super::super::{Action, Sequence};
use crate::words;

/// Heads are cut to the first of these that lets the diagram fit.
const HEADS: [usize; 3] = [32, 16, 9];

/// Labels ask for no more columns than this.
const LABEL: usize = 40;

/// An arrow's columns besides its label: `├── `, ` ─▶`.
pub(super) const ARROW: usize = 7;

/// The columns that the mark of an end takes besides its label: `✕ `, and a blank after it.
const MARK: usize = 4;

/// Lifelines stand at least so far apart: what an arrow takes, and some letters.
const NEAREST: usize = ARROW + 8;

/// The columns of a diagram.
pub(super) struct Columns {
    /// The column of each participant's lifeline.
    pub(super) x: Vec<usize>,
    /// What stands above it.
    pub(super) heads: Vec<String>,
}

impl Columns {
    /// The columns for `sequence` within `width`, if it can be drawn there.
    pub(super) fn fit(sequence: &Sequence, width: usize) -> Option<Columns> {
        HEADS.iter().find_map(|&longest| Columns::with_heads(sequence, width, longest))
    }

    fn with_heads(sequence: &Sequence, width: usize, longest: usize) -> Option<Columns> {
        let title = |participant: &super::super::Participant| words::cut(&participant.title(), longest);
        let heads: Vec<String> = sequence.participants.iter().map(title).collect();
        let (first, last) = (heads.first()?, heads.last()?);
        // What cannot be drawn narrower: heads must not touch.
        let mut gaps: Vec<Gap> = heads
            .windows(2)
            .map(|pair| NEAREST.max(after(&pair[0]) + 1 + before(&pair[1])))
            .map(|least| Gap { least, wanted: least })
            .collect();
        for step in &sequence.steps {
            let arrow = match &step.action {
                Action::Arrow(arrow) => arrow,
                Action::Exit(exit) => {
                    if let Some(gap) = gaps.get_mut(exit.participant)
                        && !exit.speaks_for_itself()
                    {
                        let wanted = MARK + words::width(&exit.label).min(LABEL);
                        gap.wanted = gap.wanted.max(wanted);
                    }
                    continue;
                }
                Action::Mark(mark) => {
                    let left = mark.with.map_or(mark.participant, |with| with.min(mark.participant));
                    if let Some(gap) = gaps.get_mut(left) {
                        gap.wanted = gap.wanted.max(ARROW + words::width(&mark.label).min(LABEL));
                    }
                    continue;
                }
            };
            let gap = &mut gaps[arrow.from.min(arrow.to)];
            let mut wanted = ARROW + words::width(&arrow.label).min(LABEL);
            if arrow.activates && arrow.to == arrow.from + 1 {
                wanted += before(&heads[arrow.to]) + 1;
                gap.least = gap.least.max(ARROW + 6 + before(&heads[arrow.to]));
            }
            gap.wanted = gap.wanted.max(wanted);
        }
        // What is said of a group stands across all columns.
        let said = sequence.groups.iter().map(|group| words::width(&group.words()) + MARK).max().unwrap_or(0);
        let missing = said.saturating_sub(gaps.iter().map(|gap| gap.wanted).sum());
        if let Some(gap) = gaps.first_mut() {
            gap.wanted += missing;
        }
        let room = width.checked_sub(before(first) + after(last))?;
        let cap = widest_gap(&gaps, room)?;
        let mut x = vec![before(first)];
        for gap in &gaps {
            x.push(x[x.len() - 1] + gap.capped(cap));
        }
        Some(Columns { x, heads })
    }

    /// Where the head of a participant begins.
    pub(super) fn head(&self, participant: usize) -> usize {
        self.x[participant] - before(&self.heads[participant])
    }
}

/// The distance between two lifelines.
struct Gap {
    least: usize,
    wanted: usize,
}

impl Gap {
    fn capped(&self, cap: usize) -> usize {
        self.wanted.min(cap).max(self.least)
    }
}

/// How wide the widest gap may be so that all gaps fit into `room`, if they fit at all.
fn widest_gap(gaps: &[Gap], room: usize) -> Option<usize> {
    let fits = |cap: usize| gaps.iter().map(|gap| gap.capped(cap)).sum::<usize>() <= room;
    let most = gaps.iter().map(|gap| gap.wanted.max(gap.least)).max().unwrap_or(0);
    (0..=most).rev().find(|&cap| fits(cap))
}

/// A head's columns to the left of its lifeline.
fn before(head: &str) -> usize {
    words::width(head) / 2
}

/// A head's columns from its lifeline on.
fn after(head: &str) -> usize {
    words::width(head) - before(head)
}
