//! Evaluations: what somebody wants evaluated or stopped, and what comes of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use greenroom_stage::protocol::EvaluationId;

use super::info::{Record, Standing, Status, Uses, Validity};
use super::staleness::Touched;
use super::{Data, Refusal};
use crate::event::{Output, OutputKind};
use crate::livemd::Cell;
use crate::session::operation::{Action, CellId, Definition, Evaluation, Outcome};

impl Data {
    pub(super) fn evaluation(&mut self, operation: &Evaluation, actions: &mut Vec<Action>) -> Result<(), Refusal> {
        match operation {
            Evaluation::Queue(cells) => self.queue(cells, actions),
            Evaluation::QueueSection(section) => {
                let found = self.document.section(*section).ok_or(Refusal::NoSuchSection(*section))?;
                let cells = self.idle(found.cells.iter().copied());
                self.queue(&cells, actions)
            }
            Evaluation::QueueFull { forced } => {
                forced.iter().try_for_each(|cell| self.check_runnable(*cell))?;
                match self.is_setup_outdated() {
                    true => self.queue_all(actions),
                    false => self.queue_full(forced, actions),
                }
            }
            Evaluation::QueueStale => self.queue_stale(actions),
            Evaluation::QueueAll => self.queue_all(actions),
            Evaluation::Cancel(cell) => self.cancel(*cell, actions),
            Evaluation::CancelAll => {
                let cells = self.evaluating.iter().chain(&self.examined).chain(&self.queued);
                for cell in cells.copied().collect::<Vec<_>>() {
                    self.halt(cell, actions);
                }
                Ok(())
            }
            Evaluation::Output { cell, evaluation, output } => {
                self.check_current(*cell, *evaluation)?;
                let info = self.info_mut(*cell);
                info.show(output);
                // What was on its way when its processes ended changes no more.
                if info.running.is_none() && info.record.is_none() {
                    info.freeze();
                }
                self.outputs_changed();
                Ok(())
            }
            Evaluation::Started { cell, evaluation, compiled } => {
                self.check_current(*cell, *evaluation)?;
                self.info_mut(*cell).compiled = Some(compiled.clone());
                Ok(())
            }
            Evaluation::Finished { cell, evaluation, outcome } => self.finished(*cell, *evaluation, outcome),
            Evaluation::Examined { cell, evaluation } => {
                self.check_current(*cell, *evaluation)?;
                self.leave_examination(*cell);
                Ok(())
            }
            Evaluation::NotYielding { cell, evaluation, for_ms } => {
                self.check_current(*cell, *evaluation)?;
                let info = self.info_mut(*cell);
                info.not_yielding_ms = info.running.is_some().then_some(*for_ms);
                Ok(())
            }
            Evaluation::EraseOutputs => {
                self.erase_outputs(actions);
                Ok(())
            }
            Evaluation::Forget(cell) => {
                self.known(*cell)?;
                if self.info(*cell).is_some_and(|info| info.status == Status::Evaluating) {
                    return Err(Refusal::Evaluating(*cell));
                }
                let mut touched = Touched::default();
                self.forget(*cell, &mut touched, actions);
                self.refresh(touched);
                Ok(())
            }
        }
    }

    pub(super) fn check_runnable(&self, cell: CellId) -> Result<(), Refusal> {
        let code = self.known(cell)?.code().ok_or(Refusal::NotCode(cell))?;
        match self.document.runnable(cell) {
            Some(_) => Ok(()),
            None => Err(Refusal::NotRust(cell, code.language)),
        }
    }

    fn check_current(&self, cell: CellId, evaluation: EvaluationId) -> Result<(), Refusal> {
        self.known(cell)?;
        let current = self.info(cell).and_then(|info| info.current());
        if current == Some(evaluation) { Ok(()) } else { Err(Refusal::Outdated(cell)) }
    }

    /// The text of the document on the disk changes with the outputs only if they are saved.
    fn outputs_changed(&mut self) {
        if self.document.attributes.persist_outputs {
            self.document_revision = self.revision;
        }
    }

    /// Begins the evaluation of a cell.
    pub(super) fn start(&mut self, cell: CellId, actions: &mut Vec<Action>) {
        let Some(place) = self.document.place(cell) else { return };
        let outline = self.outline(cell);
        self.last_evaluation += 1;
        let id = EvaluationId(self.last_evaluation);
        let definers = self.definers(&outline.uses, place);
        let of = |id| Some(self.info(id)?.record.as_ref()?.id);
        let stands_on: Vec<EvaluationId> = definers.into_iter().filter_map(of).collect();
        let standing = Standing {
            id,
            stands_on: stands_on.clone(),
            names: self.meaning(&outline.uses, place),
            uses: outline.uses.clone(),
            inputs: self.inputs.clone(),
            read: Vec::new(),
            digest: self.info(cell).map_or(0, |info| info.digest),
        };
        self.queued.remove(&cell);
        self.stop_examples(cell, actions);
        self.evaluating.insert(cell);
        let info = self.info_mut(cell);
        // Its children end, and its values go, before the new ones come.
        if let Some(old) = info.record.as_ref().map(|record| record.id).or(info.shown) {
            actions.push(Action::Forget(old));
        }
        info.status = Status::Evaluating;
        info.running = Some(standing);
        info.outputs = Arc::default();
        info.compiled = None;
        info.blocked = None;
        info.blocked_at = None;
        let container = self.container(place);
        self.outputs_changed();
        actions.push(Action::Evaluate { cell, evaluation: id, container, stands_on });
    }

    fn finished(&mut self, cell: CellId, evaluation: EvaluationId, outcome: &Outcome) -> Result<(), Refusal> {
        self.check_current(cell, evaluation)?;
        let info = self.info_mut(cell);
        if let Outcome::Failed { why, .. } | Outcome::Stopped { why, .. } | Outcome::Blocked { why } = outcome {
            info.show(&Output::new(OutputKind::Error, why.clone()));
        }
        let Some(running) = info.running.take() else {
            // It was stopped, or its runtime has died, and counts as ended since then. This is only the reason.
            return Ok(());
        };
        info.shown = Some(running.id);
        info.status = Status::Ready;
        info.not_yielding_ms = None;
        self.evaluating.remove(&cell);
        let mut touched = Touched::default();
        match outcome {
            Outcome::Ok { defines, run_ms, .. } => {
                self.record(cell, &running, defines.clone(), *run_ms, &mut touched);
                let compiled = self.info(cell).and_then(|info| info.compiled.as_ref());
                if compiled.is_some_and(|compiled| compiled.has_examples) {
                    self.examined.insert(cell);
                    self.info_mut(cell).is_examined = true;
                }
            }
            Outcome::Failed { run_ms, .. } => self.record(cell, &running, Vec::new(), *run_ms, &mut touched),
            // Its old values have gone when it began.
            Outcome::Blocked { .. } => {
                self.info_mut(cell).blocked_at = Some(running.names);
                if self.info(cell).is_some_and(|info| info.record.is_some()) {
                    self.drop_record(cell, Validity::Aborted, &mut touched);
                }
            }
            Outcome::Stopped { .. } => self.drop_record(cell, Validity::Aborted, &mut touched),
        }
        let failed = matches!(outcome, Outcome::Failed { .. });
        let info = self.info_mut(cell);
        info.failed = failed;
        info.failed_digest = running.digest;
        self.collect_inputs_of_earlier(cell, evaluation, &mut touched);
        self.refresh(touched);
        if !matches!(outcome, Outcome::Ok { .. }) && !self.continues_on_error(cell) {
            self.unqueue_users(cell);
        }
        Ok(())
    }

    fn record(
        &mut self,
        cell: CellId,
        running: &Standing,
        defines: Vec<Definition>,
        run_ms: f64,
        touched: &mut Touched,
    ) {
        self.leave(cell, touched);
        let Standing { id, uses, names, inputs, read, digest, .. } = running.clone();
        let snapshot = Self::snapshot(names, &read, |input| inputs.get(&input).map(|state| state.digest));
        let info = self.info_mut(cell);
        info.record = Some(Record { id, defines, run_ms, uses, snapshot, read, digest });
        info.validity = Validity::Evaluated;
        self.enter(cell, touched);
    }

    fn continues_on_error(&self, cell: CellId) -> bool {
        let code = self.document.cell(cell).and_then(Cell::code);
        code.is_some_and(|code| code.attributes.continue_on_error)
    }

    fn cancel(&mut self, cell: CellId, actions: &mut Vec<Action>) -> Result<(), Refusal> {
        self.known(cell)?;
        let is_wanted = self.queued.contains(&cell) || self.evaluating.contains(&cell);
        if !is_wanted && !self.examined.contains(&cell) {
            return Err(Refusal::NotQueued(cell));
        }
        self.halt(cell, actions);
        // Without its examples it has its values all the same.
        if is_wanted {
            self.unqueue_users(cell);
        }
        Ok(())
    }

    /// Stops a cell, or takes it out of the queue. What it had evaluated to before it was stopped is gone; what
    /// others have evaluated to stays.
    fn halt(&mut self, cell: CellId, actions: &mut Vec<Action>) {
        self.stop_examples(cell, actions);
        let info = self.info_mut(cell);
        info.status = Status::Ready;
        let running = info.running.take();
        self.queued.remove(&cell);
        self.evaluating.remove(&cell);
        if let Some(running) = running {
            actions.push(Action::Stop { cell, evaluation: running.id });
            let mut touched = Touched::default();
            self.drop_record(cell, Validity::Aborted, &mut touched);
            let info = self.info_mut(cell);
            info.shown = Some(running.id);
            info.not_yielding_ms = None;
            self.refresh(touched);
        }
    }

    fn stop_examples(&mut self, cell: CellId, actions: &mut Vec<Action>) {
        let shown = self.info(cell).filter(|info| info.is_examined).and_then(|info| info.shown);
        actions.extend(shown.map(|evaluation| Action::StopExamples { cell, evaluation }));
        self.leave_examination(cell);
    }

    /// The examples of a cell are through, or of no interest any more.
    pub(super) fn leave_examination(&mut self, cell: CellId) {
        if self.examined.remove(&cell) {
            self.info_mut(cell).is_examined = false;
        }
    }

    fn erase_outputs(&mut self, actions: &mut Vec<Action>) {
        let mut touched = Touched::default();
        let cells: Vec<CellId> = self.document.cells().collect();
        for cell in cells {
            if self.info(cell).is_some_and(|info| info.status != Status::Evaluating) {
                self.forget(cell, &mut touched, actions);
            }
        }
        self.refresh(touched);
        self.outputs_changed();
    }

    fn forget(&mut self, cell: CellId, touched: &mut Touched, actions: &mut Vec<Action>) {
        self.stop_examples(cell, actions);
        let info = self.info_mut(cell);
        info.outputs = Arc::default();
        info.failed = false;
        info.validity = Validity::Fresh;
        if let Some(gone) = info.record.as_ref().map(|record| record.id).or(info.shown) {
            actions.push(Action::Forget(gone));
        }
        info.shown = None;
        self.collect_inputs(cell, touched);
        self.drop_record(cell, Validity::Fresh, touched);
    }

    /// Takes the queued cells out of the queue that use, for sure, what this one would have defined, and those that
    /// use what they would have, and so on.
    fn unqueue_users(&mut self, cell: CellId) {
        let Some(place) = self.document.place(cell) else { return };
        // Who would define what: a name, where, and whether that comes to nothing.
        let mut events = vec![(cell, place, true, self.outline(cell))];
        let mut queued: Vec<CellId> = self.queued.iter().copied().collect();
        queued.sort_unstable_by(|one, other| self.document.compare(*one, *other));
        for reader in queued {
            let Some(at) = self.document.place(reader).filter(|at| self.document.sees(*at, place)) else { continue };
            let outline = self.outline(reader);
            let wanted = outline.certain.iter().find_map(|name| {
                let defines = |names: &super::info::Outline| names.defines.iter().any(|(own, _)| own == name);
                let nearest =
                    events.iter().rev().find(|(_, by, _, names)| self.document.sees(at, *by) && defines(names));
                let (by, where_, is_lost, _) = nearest?;
                // Another cell, evaluated and nearer, may define it too.
                let is_shadowed = self.definer(name, at).and_then(|id| self.document.place(id)) > Some(*where_);
                (*is_lost && !is_shadowed).then(|| (name.clone(), *by))
            });
            events.push((reader, at, wanted.is_some(), outline));
            if wanted.is_some() {
                self.queued.remove(&reader);
                let info = self.info_mut(reader);
                info.status = Status::Ready;
                info.blocked = wanted;
            }
        }
    }

    /// Whether a cell would use what a failed cell above it defines.
    pub(super) fn stands_on_failure(&mut self, cell: CellId) -> bool {
        let uses = self.outline(cell).uses.clone();
        let failed: Vec<CellId> =
            self.document.ancestors(cell).filter(|id| self.info(*id).is_some_and(|info| info.failed)).collect();
        failed.into_iter().any(|id| match &uses {
            Uses::Unknown => true,
            Uses::Names(names) => self.outline(id).defines.iter().any(|(name, _)| names.contains(name)),
        })
    }

    /// Of these cells, those that can be queued.
    pub(super) fn idle(&self, cells: impl Iterator<Item = CellId>) -> Vec<CellId> {
        let is_idle = |id: &CellId| {
            self.document.runnable(*id).is_some() && self.info(*id).is_some_and(|info| info.status == Status::Ready)
        };
        cells.filter(is_idle).collect()
    }

    fn queue_all(&mut self, actions: &mut Vec<Action>) -> Result<(), Refusal> {
        let cells = self.idle(self.document.cells());
        self.queue(&cells, actions)
    }

    /// What is outdated, what is forced, and all that would use what these define.
    fn queue_full(&mut self, forced: &[CellId], actions: &mut Vec<Action>) -> Result<(), Refusal> {
        let idle = self.idle(self.document.cells());
        let mut wanted: BTreeSet<CellId> = forced.iter().copied().collect();
        wanted.extend(idle.iter().filter(|id| self.info(**id).is_some_and(|info| info.is_outdated())));
        let again: Vec<CellId> =
            idle.into_iter().filter(|id| wanted.contains(id) || self.uses_any(*id, &wanted)).collect();
        self.queue(&again, actions)
    }

    /// Whether a cell that was evaluated has imported something from one of these, or from one that has.
    fn uses_any(&self, cell: CellId, of: &BTreeSet<CellId>) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![cell];
        while let Some(next) = open.pop() {
            let record = self.info(next).and_then(|info| info.record.as_ref());
            let (Some(record), Some(place)) = (record, self.document.place(next)) else { continue };
            for definer in self.definers(&record.uses, place) {
                if of.contains(&definer) {
                    return true;
                }
                if seen.insert(definer) {
                    open.push(definer);
                }
            }
        }
        false
    }

    /// The stale cells of each flow, down to its first fresh one.
    fn queue_stale(&mut self, actions: &mut Vec<Action>) -> Result<(), Refusal> {
        let mut cells = Vec::new();
        let mut main_goes_on = true;
        for section in self.document.all_sections() {
            let is_branch = section.head.parent.is_some();
            let mut goes_on = is_branch || main_goes_on;
            for &cell in section.cells.iter().filter(|cell| self.document.runnable(**cell).is_some()) {
                let Some(info) = self.info(cell) else { continue };
                goes_on &= info.validity != Validity::Fresh;
                if goes_on && info.is_outdated() && info.status == Status::Ready {
                    cells.push(cell);
                }
            }
            if !is_branch {
                main_goes_on = goes_on;
            }
        }
        if cells.is_empty() { Ok(()) } else { self.queue(&cells, actions) }
    }
}
