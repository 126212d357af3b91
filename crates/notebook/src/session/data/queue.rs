//! Who comes next. The main flow runs one cell at a time, in the order of the document; each branch runs beside it
//! and beside the others, as soon as no cell that it stands on waits or runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use greenroom_stage::protocol::ContainerId;

use super::document::Place;
use super::info::{Outline, Status, Uses, Validity};
use super::{Data, Refusal, RuntimeStatus};
use crate::analysis::{LAST, Past};
use crate::session::operation::{Action, CellId, Reach, SectionId};

impl Data {
    /// The flow that a cell at this place belongs to: 0 is the main one, another number names a branch's section.
    pub fn container(&self, place: Place) -> ContainerId {
        let head = &self.document.all_sections()[place.section].head;
        ContainerId(if head.parent.is_some() { head.id.0 } else { SectionId::SETUP.0 })
    }

    /// Puts cells into the queue, and those that have to be evaluated before them.
    pub(super) fn queue(&mut self, cells: &[CellId], actions: &mut Vec<Action>) -> Result<(), Refusal> {
        if cells.is_empty() {
            return Err(Refusal::NoCells);
        }
        for &cell in cells {
            self.check_runnable(cell)?;
            if self.evaluating.contains(&cell) {
                return Err(Refusal::Evaluating(cell));
            }
        }
        let targets: BTreeSet<CellId> = cells.iter().copied().collect();
        // What stands on a setup that is evaluated again has to stand on new ground.
        let is_setup = |id: &CellId| self.document.place(*id).is_some_and(|place| place.section == 0);
        let was_evaluated = |id: &CellId| self.infos.get(id).is_some_and(|info| info.record.is_some());
        let renews = targets.iter().any(|id| is_setup(id) && was_evaluated(id)) || self.is_setup_outdated();
        if renews && self.runtime.status == RuntimeStatus::Connected {
            let again: Vec<CellId> = self.queued.iter().chain(&self.evaluating).copied().collect();
            self.disconnected(None);
            actions.push(Action::Disconnect);
            self.connect(actions);
            again.into_iter().for_each(|cell| self.wait(cell));
        }
        for cell in self.prerequisites(&targets) {
            self.wait(cell);
        }
        targets.into_iter().for_each(|cell| self.wait(cell));
        Ok(())
    }

    fn wait(&mut self, cell: CellId) {
        let info = self.info_mut(cell);
        info.status = Status::Queued;
        info.blocked = None;
        self.queued.insert(cell);
    }

    /// The cells that have to be evaluated before others can be: all that they stand on and that are out of date.
    ///
    /// Of those whose values were lost with a runtime only the ones that are needed for their names, and of those that
    /// have failed none, unless their text is another now.
    fn prerequisites(&mut self, targets: &BTreeSet<CellId>) -> Vec<CellId> {
        let mut found = Vec::new();
        // What the cells below need: of the main flow, and of each section from the branches that stand on it.
        let mut main: Option<Wanted> = None;
        let mut from_branches: BTreeMap<usize, Wanted> = BTreeMap::new();
        for section in (0..self.document.all_sections().len()).rev() {
            let head = &self.document.all_sections()[section].head;
            let parent = head.parent.and_then(|parent| self.document.section_place(parent));
            let mut wanted = match parent {
                Some(_) => None,
                None => match (main.take(), from_branches.remove(&section)) {
                    (Some(main), Some(branch)) => Some(main.and(branch)),
                    (main, branch) => main.or(branch),
                },
            };
            let cells = self.document.all_sections()[section].cells.clone();
            for cell in cells.into_iter().rev() {
                let is_target = targets.contains(&cell);
                if is_target || (self.document.runnable(cell).is_some() && self.is_required(cell, wanted.as_ref())) {
                    let outline = self.outline(cell);
                    wanted.get_or_insert_default().add(&outline);
                    if !is_target {
                        found.push(cell);
                    }
                }
            }
            match (parent, wanted) {
                (Some(parent), Some(wanted)) => {
                    let all = from_branches.remove(&parent).map_or(wanted.clone(), |others| others.and(wanted));
                    from_branches.insert(parent, all);
                }
                (None, wanted) => main = wanted,
                (Some(_), None) => {}
            }
        }
        found
    }

    /// Whether a cell has to be evaluated before cells below that want all this; `None` if there are no such cells.
    fn is_required(&mut self, cell: CellId, wanted: Option<&Wanted>) -> bool {
        let (Some(wanted), Some(info)) = (wanted, self.info(cell)) else { return false };
        if info.status != Status::Ready || !info.is_outdated() {
            return false;
        }
        match info.validity {
            _ if info.failed && info.failed_digest == info.digest => false,
            Validity::Aborted => wanted.contains(&self.outline(cell)),
            Validity::Fresh | Validity::Stale | Validity::Evaluated => true,
        }
    }

    /// Queues the cells that evaluate by themselves and are stale.
    pub(super) fn queue_automatic(&mut self) {
        if self.runtime.status != RuntimeStatus::Connected {
            return;
        }
        let automatic: Vec<CellId> = self.automatic.iter().copied().collect();
        for cell in automatic {
            let (Some(info), Some(place)) = (self.info(cell), self.document.place(cell)) else { continue };
            if info.validity != Validity::Stale || info.status != Status::Ready {
                continue;
            }
            let blocked_at = info.blocked_at;
            let uses = self.outline(cell).uses.clone();
            if blocked_at == Some(self.meaning(&uses, place)) || self.stands_on_failure(cell) {
                continue;
            }
            for needed in self.prerequisites(&BTreeSet::from([cell])) {
                self.wait(needed);
            }
            self.wait(cell);
        }
    }

    /// Starts what can be started.
    pub(super) fn advance(&mut self, actions: &mut Vec<Action>) {
        if self.queued.is_empty() {
            return;
        }
        match self.runtime.status {
            RuntimeStatus::Disconnected => return self.connect(actions),
            RuntimeStatus::Connecting => return,
            RuntimeStatus::Connected => {}
        }
        let mut flows: BTreeMap<u64, Flow> = BTreeMap::new();
        let busy = self.evaluating.iter().chain(&self.examined);
        for (&cell, is_queued) in self.queued.iter().map(|cell| (cell, true)).chain(busy.map(|cell| (cell, false))) {
            let Some(place) = self.document.place(cell) else { continue };
            let flow = flows.entry(self.container(place).0).or_default();
            flow.first_busy = Some(flow.first_busy.map_or(place, |first| first.min(place)));
            if !is_queued {
                flow.is_busy = true;
            } else if flow.next.is_none_or(|(next, _)| place < next) {
                flow.next = Some((place, cell));
            }
        }
        let first_of_main = flows.get(&SectionId::SETUP.0).and_then(|main| main.first_busy);
        for (container, flow) in flows {
            let Some((place, cell)) = flow.next.filter(|_| !flow.is_busy) else { continue };
            let is_branch = container != SectionId::SETUP.0;
            let waits = is_branch && first_of_main.is_some_and(|first| self.document.sees(place, first));
            if !waits {
                self.start(cell, actions);
            }
        }
    }
}

/// A flow with cells that wait or run.
#[derive(Default)]
struct Flow {
    is_busy: bool,
    next: Option<(Place, CellId)>,
    first_busy: Option<Place>,
}

/// The names that cells below want from those above.
#[derive(Clone, Default)]
struct Wanted {
    names: BTreeSet<Arc<str>>,
    is_unknown: bool,
}

impl Wanted {
    fn add(&mut self, outline: &Outline) {
        match &outline.uses {
            Uses::Names(names) => {
                self.names.extend(names.iter().cloned());
                // Which cell is meant by a number depends on where the reader stands: any value may be it.
                if names.iter().any(|name| Past::number(name).is_some()) {
                    self.names.insert(Arc::from(LAST));
                }
            }
            Uses::Unknown => self.is_unknown = true,
        }
    }

    fn and(mut self, other: Wanted) -> Wanted {
        self.names.extend(other.names);
        self.is_unknown |= other.is_unknown;
        self
    }

    fn contains(&self, outline: &Outline) -> bool {
        let is_wanted = |(name, reach): &(Arc<str>, Reach)| *reach == Reach::Ambient || self.names.contains(name);
        self.is_unknown || outline.defines.iter().any(is_wanted)
    }
}
